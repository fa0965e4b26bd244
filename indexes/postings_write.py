"""Writes the postings of millions of keywords without holding more than a share of them in memory.

The token ids that the caller passes are read in ranges of keywords and then in ranges of tokens, and each finished
range goes to the file. Besides them (4 bytes a token), memory holds about 30 bytes a keyword, 4 more a token, and the
range in hand (0.3 GB).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from indexes.arrays import Array, new_array, offsets_from_counts, write_array, write_json
from indexes.bm25 import inverse_document_frequencies

RANGE = 4_000_000
"""Tokens that are sorted at a time."""
LONGEST_PLAIN = 15
LONGEST_RUN = 200
"""Mixed keywords of this length and longer stand together; each shorter length apart, since the short score higher."""
"""Keywords up to this length have a segment of their own length, see `indexes.postings`."""

BOUNDED_FROM = 512
"""Lists of so many keywords have written down where each length begins: searching for it misses the caches."""
BITMAPS = 64
"""The commonest tokens, so many at most, get a bitmap of all keywords (8 bytes a keyword together) …"""
BITMAP_SHARE = 256
"""… if at least every 256th keyword holds them."""


def write_postings(folder: Path, token_count: int, offsets: Array, tokens: Array, demand: Array | None = None) -> None:
    """Write the postings of keywords whose token ids are given as CSR (`offsets` int64 (n + 1,), `tokens` int32).

    Both may be mapped. `demand` (n,) orders keywords that score the same, the greatest first, ties by id; by id alone
    if it is left out. Raises ValueError if there are more keywords or postings than 32-bit ids can number.
    """
    keyword_count = len(offsets) - 1
    if keyword_count >= 2**31 - 1:
        raise ValueError(f"{keyword_count:,} keywords; an index holds fewer than 2^31")
    lengths = np.minimum(np.diff(offsets), 65535).astype(np.uint16)
    mean_length = float((offsets[-1] - offsets[0]) / keyword_count) if keyword_count else 0.0
    document_frequencies, repeating = _count(token_count, offsets, tokens)
    term_offsets = offsets_from_counts(document_frequencies)
    write_array(folder, "postings/offsets.npy", term_offsets)
    write_array(folder, "postings/idf.npy", inverse_document_frequencies(document_frequencies, keyword_count))
    ranks = np.empty(0, np.int32)
    if demand is not None:
        ranks = np.empty(keyword_count, np.int32)
        ranks[np.argsort(-np.asarray(demand, np.int64), kind="stable")] = np.arange(keyword_count, dtype=np.int32)
    write_array(folder, "postings/ranks.npy", ranks)
    mixed = repeating | (lengths > LONGEST_PLAIN)
    run = np.where(mixed, LONGEST_PLAIN + 1 + np.minimum(lengths, LONGEST_RUN), lengths).astype(np.uint8)
    del repeating, mixed
    lists = _Lists(folder, run, lengths, ranks, document_frequencies)
    del run, lengths, ranks
    position = 0
    for owned_tokens, owners, counts in _ranges_of_tokens(offsets, tokens, term_offsets):
        lists.add(position, owned_tokens, owners, counts)
        position += len(owners)
    lists.finish()
    statistics = {
        "keywords": keyword_count,
        "tokens": token_count,
        "mean_length": mean_length,
        "first_documents": lists.first_documents,
        "runs": lists.runs,
    }
    write_json(folder, "postings/statistics.json", statistics)


class _Lists:
    """The arrays that `indexes.postings` reads, as they grow."""

    def __init__(self, folder: Path, run: Array, lengths: Array, ranks: Array, document_frequencies: Array) -> None:
        """`run` uint8 is a keyword's length, or above LONGEST_PLAIN if it is a mixed one."""
        total = int(document_frequencies.sum())
        if len(ranks):
            order = np.argsort((run.astype(np.int64) << 32) | ranks).astype(np.int32)
        else:
            order = np.argsort(run, kind="stable").astype(np.int32)
        self._document_of = np.empty(len(order), np.int32)
        self._document_of[order] = np.arange(len(order), dtype=np.int32)
        write_array(folder, "postings/keywords.npy", order)
        sizes = np.bincount(run, minlength=LONGEST_PLAIN + 2)
        self.runs = offsets_from_counts(sizes)[:-1][sizes > 0].tolist()
        starts = offsets_from_counts(sizes)[1:]
        """First document of the lengths 1 … LONGEST_PLAIN, then of the mixed ones of each length."""
        longest = int(np.flatnonzero(sizes[: LONGEST_PLAIN + 1]).max(initial=0))
        self._mixed = int(starts[LONGEST_PLAIN])
        self.first_documents = [*starts[:longest].tolist(), self._mixed]
        write_array(folder, "postings/mixed_lengths.npy", lengths[order[self._mixed :]])
        self._folder = folder
        self._documents = new_array(folder, "postings/documents.npy", np.int32, (total,))
        self._mixed_counts = np.zeros(len(document_frequencies), np.int64)
        commonest = np.argsort(-document_frequencies, kind="stable")[:BITMAPS]
        common = document_frequencies[commonest] * BITMAP_SHARE >= max(len(order), 1)
        self._bitmap_terms = np.sort(commonest[common])
        self._bitmaps = np.zeros((len(self._bitmap_terms), (len(order) + 7) // 8), np.uint8)
        self._mixed_frequencies = [np.empty(0, np.uint16)]
        bounded = np.flatnonzero(document_frequencies >= BOUNDED_FROM)
        self._bound_rows = np.full(len(document_frequencies), -1, np.int32)
        self._bound_rows[bounded] = np.arange(len(bounded))
        self._bounds = np.zeros((len(bounded), len(self.first_documents)), np.int32)

    def add(self, position: int, tokens: Array, owners: Array, counts: Array) -> None:
        """Postings of whole lists: tokens ascending, int64; in `position` of the documents' file."""
        if not len(tokens):
            return
        documents = self._document_of[owners]
        # A sort by (token, document); the tokens are in place already, so only each list's documents move.
        order = np.argsort(tokens * len(self._document_of) + documents, kind="stable")
        documents = documents[order]
        self._documents[position : position + len(documents)] = documents
        for row in np.flatnonzero((self._bitmap_terms >= tokens[0]) & (self._bitmap_terms <= tokens[-1])):
            held = np.zeros(len(self._document_of), bool)
            held[documents[slice(*np.searchsorted(tokens, self._bitmap_terms[row] + np.array([0, 1])))]] = True
            self._bitmaps[row] = np.packbits(held, bitorder="little")
        bounded = tokens[0] + np.flatnonzero(self._bound_rows[tokens[0] : tokens[-1] + 1] >= 0)
        starts, ends = np.searchsorted(tokens, bounded), np.searchsorted(tokens, bounded + 1)
        for row, start, end in zip(self._bound_rows[bounded].tolist(), starts.tolist(), ends.tolist(), strict=True):
            self._bounds[row] = np.searchsorted(documents[start:end], self.first_documents)
        mixed = order[documents >= self._mixed]
        self._mixed_counts += np.bincount(tokens[mixed], minlength=len(self._mixed_counts))
        self._mixed_frequencies.append(np.minimum(counts[mixed], 65535).astype(np.uint16))

    def finish(self) -> None:
        write_array(self._folder, "postings/mixed_offsets.npy", offsets_from_counts(self._mixed_counts))
        write_array(self._folder, "postings/bound_rows.npy", self._bound_rows)
        write_array(self._folder, "postings/bounds.npy", self._bounds)
        write_array(self._folder, "postings/bitmaps.npy", self._bitmaps)
        write_array(self._folder, "postings/bitmap_terms.npy", self._bitmap_terms.astype(np.int32))
        write_array(self._folder, "postings/mixed_frequencies.npy", np.concatenate(self._mixed_frequencies))


def _count(token_count: int, offsets: Array, tokens: Array) -> tuple[Array, Array]:
    """How many keywords hold each token, and which ones hold one twice."""
    keyword_count = len(offsets) - 1
    document_frequencies = np.zeros(token_count, np.int64)
    repeating = np.zeros(keyword_count, bool)
    begin = 0
    while begin < keyword_count:
        end = max(begin + 1, int(np.searchsorted(offsets, offsets[begin] + RANGE, "right")) - 1)
        owners = np.repeat(np.arange(end - begin, dtype=np.int64), np.diff(offsets[begin : end + 1]))
        keys = np.sort(owners * token_count + tokens[offsets[begin] : offsets[end]])
        pairs, counts = _runs(keys)
        document_frequencies += np.bincount(pairs % token_count, minlength=token_count)
        repeating[begin + pairs[counts > 1] // token_count] = True
        begin = end
    return document_frequencies, repeating


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
