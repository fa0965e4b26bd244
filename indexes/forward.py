"""Which tokens each keyword holds: what relevance reads for all candidates at once."""

from pathlib import Path

from indexes.arrays import Array, ArrayReader, ranges, write_array


class Forward:
    """Token ids of every keyword in order, as mapped CSR: `offsets` int64 (n + 1,), `tokens` int32."""

    def __init__(self, reader: ArrayReader) -> None:
        self.offsets = reader.array("forward/offsets.npy")
        self.tokens = reader.array("forward/tokens.npy")

    def tokens_of(self, keyword_ids: Array) -> tuple[Array, Array]:
        """Counts int64 (n,) and the token ids of all these keywords one after the other, int32."""
        starts = self.offsets[keyword_ids]
        counts = self.offsets[keyword_ids + 1] - starts
        return counts, self.tokens[ranges(starts, counts)]


def write_forward(folder: Path, offsets: Array, tokens: Array) -> None:
    """Write the forward index from its CSR arrays."""
    write_array(folder, "forward/offsets.npy", offsets)
    write_array(folder, "forward/tokens.npy", tokens)
