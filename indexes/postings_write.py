"""Writes the postings of millions of keywords without holding more than a share of them in memory.

The token ids that the caller passes are read in ranges of keywords and then in ranges of tokens, and each finished
range goes to the file. Besides them (4 bytes a token), memory holds about 30 bytes a keyword, 4 more a token, and the
range in hand (0.3 GB).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from indexes.arrays import Array, ArrayFolder, offsets_from_counts, write_array, write_json
from indexes.bm25 import inverse_document_frequencies

RANGE = 4_000_000
"""Tokens that are sorted at a time."""
BY_LENGTH_FROM = 200_000
"""Keywords from which the postings are stored by length too: fewer are scored sooner than the kernels are loaded."""
LONGEST_PLAIN = 15
"""Keywords up to this length have a segment of their own length, see `indexes.postings_by_length`."""

BITMAPS = 64
"""The commonest tokens, so many at most, get a bitmap of all keywords (8 bytes a keyword together) …"""
BITMAP_SHARE = 256
"""… if at least every 256th keyword holds them."""


def write_postings(
    folder: Path, token_count: int, offsets: Array, tokens: Array, by_length_from: int = BY_LENGTH_FROM
) -> None:
    """Write the postings of keywords whose token ids are given as CSR (`offsets` int64 (n + 1,), `tokens` int32).

    Indexes of `by_length_from` keywords or more also get their postings by length.
    """
    keyword_count = len(offsets) - 1
    lengths = np.minimum(np.diff(offsets), 65535).astype(np.uint16)
    mean_length = float((offsets[-1] - offsets[0]) / keyword_count) if keyword_count else 0.0
    statistics: dict[str, object] = {"keywords": keyword_count, "mean_length": mean_length}
    document_frequencies, repeating, most_often = _count(token_count, offsets, tokens)
    term_offsets = offsets_from_counts(document_frequencies)
    write_array(folder, "postings/offsets.npy", term_offsets)
    write_array(folder, "postings/lengths.npy", lengths)
    write_array(folder, "postings/idf.npy", inverse_document_frequencies(document_frequencies, keyword_count))

    total = int(term_offsets[-1])
    frequency_type = np.uint8 if most_often < 256 else np.uint16
    documents = _new_array(folder, "postings/documents.npy", np.int32, total)
    frequencies = _new_array(folder, "postings/frequencies.npy", frequency_type, total)
    by_length = None
    if keyword_count >= by_length_from and total:
        segment = np.where(repeating | (lengths > LONGEST_PLAIN), LONGEST_PLAIN + 1, lengths).astype(np.uint8)
        by_length = _ByLength(folder, segment, lengths, document_frequencies, frequency_type)
        statistics["by_length"] = {"first_documents": by_length.first_documents}
    del repeating
    position = 0
    for owned_tokens, owners, counts in _ranges_of_tokens(offsets, tokens, term_offsets):
        end = position + len(owners)
        documents[position:end] = owners
        frequencies[position:end] = np.minimum(counts, 65535)
        if by_length is not None:
            by_length.add(position, owned_tokens, owners, counts)
        position = end
    if by_length is not None:
        by_length.finish()
    write_json(folder, "postings/statistics.json", statistics)
    if by_length is not None:
        # The kernels are compiled once in an environment: better now than when a server opens the snapshot.
        from indexes.postings_by_length import PostingsByLength

        PostingsByLength(ArrayFolder(folder))


class _ByLength:
    """The arrays that `indexes.postings_by_length` reads, as they grow."""

    def __init__(
        self, folder: Path, segment: Array, lengths: Array, document_frequencies: Array, frequency_type: type
    ) -> None:
        total = int(document_frequencies.sum())
        order = np.argsort(segment, kind="stable").astype(np.int32)
        self._document_of = np.empty(len(order), np.int32)
        self._document_of[order] = np.arange(len(order), dtype=np.int32)
        write_array(folder, "postings/by_length/keywords.npy", order)
        sizes = np.bincount(segment, minlength=LONGEST_PLAIN + 2)
        starts = offsets_from_counts(sizes)[1:]
        """First document of the lengths 1 … LONGEST_PLAIN, then of the mixed ones, then the number of documents."""
        longest = int(np.flatnonzero(sizes[: LONGEST_PLAIN + 1]).max(initial=0))
        self._mixed = int(starts[LONGEST_PLAIN])
        self.first_documents = [*starts[:longest].tolist(), self._mixed]
        write_array(folder, "postings/by_length/mixed_lengths.npy", lengths[order[self._mixed :]])
        self._folder = folder
        self._documents = _new_array(folder, "postings/by_length/documents.npy", np.int32, total)
        self._mixed_counts = np.zeros(len(document_frequencies), np.int64)
        commonest = np.argsort(-document_frequencies, kind="stable")[:BITMAPS]
        self._bitmap_terms = np.sort(commonest[document_frequencies[commonest] * BITMAP_SHARE >= len(order)])
        self._bitmaps = np.zeros((len(self._bitmap_terms), (len(order) + 7) // 8), np.uint8)
        self._mixed_frequencies: list[Array] = []
        self._frequency_type = frequency_type

    def add(self, position: int, tokens: Array, owners: Array, counts: Array) -> None:
        """Postings of whole lists: tokens ascending, int64; in `position` of the documents' file."""
        documents = self._document_of[owners]
        # A sort by (token, document); the tokens are in place already, so only each list's documents move.
        keys = tokens * len(self._document_of) + documents
        order = np.argsort(keys, kind="stable")
        documents = documents[order]
        self._documents[position : position + len(documents)] = documents
        for row in np.flatnonzero((self._bitmap_terms >= tokens[0]) & (self._bitmap_terms <= tokens[-1])):
            held = np.zeros(len(self._document_of), bool)
            held[documents[slice(*np.searchsorted(tokens, self._bitmap_terms[row] + np.array([0, 1])))]] = True
            self._bitmaps[row] = np.packbits(held, bitorder="little")
        mixed = order[documents >= self._mixed]
        self._mixed_counts += np.bincount(tokens[mixed], minlength=len(self._mixed_counts))
        self._mixed_frequencies.append(np.minimum(counts[mixed], 65535).astype(self._frequency_type))

    def finish(self) -> None:
        write_array(self._folder, "postings/by_length/mixed_offsets.npy", offsets_from_counts(self._mixed_counts))
        write_array(self._folder, "postings/by_length/bitmaps.npy", self._bitmaps)
        write_array(self._folder, "postings/by_length/bitmap_terms.npy", self._bitmap_terms.astype(np.int32))
        frequencies = np.concatenate([np.empty(0, self._frequency_type), *self._mixed_frequencies])
        write_array(self._folder, "postings/by_length/mixed_frequencies.npy", frequencies)


def _count(token_count: int, offsets: Array, tokens: Array) -> tuple[Array, Array, int]:
    """How many keywords hold each token, which ones hold one twice, and the most often that one stands in any."""
    keyword_count = len(offsets) - 1
    document_frequencies = np.zeros(token_count, np.int64)
    repeating = np.zeros(keyword_count, bool)
    most_often = 0
    begin = 0
    while begin < keyword_count:
        end = max(begin + 1, int(np.searchsorted(offsets, offsets[begin] + RANGE, "right")) - 1)
        owners = np.repeat(np.arange(end - begin, dtype=np.int64), np.diff(offsets[begin : end + 1]))
        keys = np.sort(owners * token_count + tokens[offsets[begin] : offsets[end]])
        pairs, counts = _runs(keys)
        document_frequencies += np.bincount(pairs % token_count, minlength=token_count)
        repeating[begin + pairs[counts > 1] // token_count] = True
        most_often = max(most_often, int(counts.max(initial=0)))
        begin = end
    return document_frequencies, repeating, most_often


def _ranges_of_tokens(offsets: Array, tokens: Array, term_offsets: Array) -> Iterator[tuple[Array, Array, Array]]:
    """All postings, sorted by token and keyword, in ranges of tokens: tokens int64, keywords int32, frequencies."""
    keyword_count = len(offsets) - 1
    owners = np.repeat(np.arange(keyword_count, dtype=np.int32), np.diff(offsets))
    begin, token_count = 0, len(term_offsets) - 1
    while begin < token_count:
        end = max(begin + 1, int(np.searchsorted(term_offsets, term_offsets[begin] + RANGE, "right")) - 1)
        chosen = np.flatnonzero((tokens >= begin) & (tokens < end))
        pairs, counts = _runs(np.sort(tokens[chosen].astype(np.int64) * keyword_count + owners[chosen]))
        owned_tokens = pairs // max(keyword_count, 1)
        yield owned_tokens, (pairs - owned_tokens * keyword_count).astype(np.int32), counts
        begin = end


def _runs(keys: Array) -> tuple[Array, Array]:
    """The distinct values of sorted keys and how often each stands there."""
    starts = np.flatnonzero(np.concatenate([np.ones(min(len(keys), 1), bool), keys[1:] != keys[:-1]]))
    return keys[starts], np.diff(np.append(starts, len(keys)))


def _new_array(folder: Path, name: str, dtype: type, length: int) -> Array:
    """An array `folder/name` to be filled in place; an empty one cannot be mapped and is written at once."""
    if not length:
        write_array(folder, name, np.empty(0, dtype))
        return np.empty(0, dtype)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    return np.lib.format.open_memmap(folder / name, "w+", dtype, (length,))
