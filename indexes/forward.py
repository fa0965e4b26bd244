"""Which tokens each keyword holds: what relevance reads for all candidates at once."""

from pathlib import Path

import numpy as np

from indexes.arrays import Array, ArrayReader, checked, ranges, write_array
from indexes.errors import CorruptError


class Forward:
    """Token ids of every keyword in order, as mapped CSR: `offsets` int64 (n + 1,), `tokens` int32."""

    def __init__(self, reader: ArrayReader) -> None:
        """Map the index. CorruptError if its files don't fit one another; O(1)."""
        self.offsets = checked(reader, "forward/offsets", np.int64)
        if not len(self.offsets):
            raise CorruptError("forward/offsets.npy is empty.", "Build again with manage.py build.")
        self.tokens = checked(reader, "forward/tokens", np.int32, int(self.offsets[-1]))

    def __len__(self) -> int:
        """How many keywords."""
        return len(self.offsets) - 1

    def tokens_of(self, keyword_ids: Array) -> tuple[Array, Array]:
        """Counts int64 (n,) and the token ids of all these keywords one after the other, int32."""
        starts = self.offsets[keyword_ids]
        counts = self.offsets[keyword_ids + 1] - starts
        return counts, self.tokens[ranges(starts, counts)]


def write_forward(folder: Path, offsets: Array, tokens: Array) -> None:
    """Write the forward index from its CSR arrays."""
    write_array(folder, "forward/offsets.npy", np.asarray(offsets, np.int64))
    write_array(folder, "forward/tokens.npy", np.asarray(tokens, np.int32))
