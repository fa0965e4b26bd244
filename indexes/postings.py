"""Which keywords hold which token, and their BM25 scores (`indexes.bm25`).

Keywords are short, and a token rarely stands in one twice. So keywords are renumbered ("documents"): first those of
one token, then of two and so on, each length a *segment*; last the *mixed* ones, which repeat a token or are longer
than 15, also by length. Keywords of one length stand by *rank*: the most searched first, ties by id.

From `KERNELS_FROM` keywords on, compiled kernels read the lists (`indexes.postings_by_length`); smaller indexes don't
wait for the compiler to load.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from indexes.arrays import Array, ArrayReader, checked
from indexes.bm25 import K1, B, inverse_document_frequencies
from indexes.errors import CorruptError
from indexes.postings_write import write_postings

if TYPE_CHECKING:
    from indexes.keyword_filter import KeywordFilter

__all__ = ["KERNELS_FROM", "Postings", "inverse_document_frequencies", "write_postings"]

KERNELS_FROM = 20_000
"""Keywords from which compiled kernels answer: fewer are scored sooner than the compiler is loaded."""
REMEDY = "Serve another snapshot, or build again with manage.py build."


class Postings:
    """An inverted index over the keywords' tokens, mapped.

    For token t, `documents[offsets[t]:offsets[t + 1]]` int32 ascend; `keywords` int32 (n,) gives the ids. Document
    `first_documents[i]` is the first of i + 1 tokens. Mixed documents start at `first_documents[-1]`; they end each
    list, with frequencies `mixed_frequencies[mixed_offsets[t]:mixed_offsets[t + 1]]` uint16, and have `mixed_lengths`.
    `runs` are the first documents of each length, plain or mixed. `ranks` int32 (n,) gives a keyword's rank; empty if
    ranks are ids. `bitmaps` uint8 (rows, n / 8) has document d at bit d % 8 of byte d // 8; row i belongs to token
    `bitmap_terms[i]`, one of the commonest. Row `bound_rows[t]` of `bounds` int32 says where, counted from its begin, a
    long list reaches each of the `first_documents`; −1 for short lists.
    """

    def __init__(self, reader: ArrayReader, kernels_from: int = KERNELS_FROM) -> None:
        """Map the index. CorruptError if its files don't fit one another; O(1)."""
        statistics = reader.json("postings/statistics.json")
        try:
            count, tokens = int(statistics["keywords"]), int(statistics["tokens"])
            self.mean_length = float(statistics["mean_length"])
            self.first_documents = np.array(statistics["first_documents"], np.int64)
            self.runs = np.array(statistics["runs"], np.int64)
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptError(f"postings/statistics.json is of another format ({error!r}).", REMEDY) from error
        self.offsets = checked(reader, "postings/offsets", np.int64, tokens + 1)
        self.idf = checked(reader, "postings/idf", np.float64, tokens)
        self.documents = checked(reader, "postings/documents", np.int32, int(self.offsets[-1]))
        self.keywords = checked(reader, "postings/keywords", np.int32, count)
        self.ranks = checked(reader, "postings/ranks", np.int32)
        self.bitmap_terms = checked(reader, "postings/bitmap_terms", np.int32)
        self.bitmaps = checked(reader, "postings/bitmaps", np.uint8, len(self.bitmap_terms), ndim=2)
        self.bound_rows = checked(reader, "postings/bound_rows", np.int32, tokens)
        self.bounds = checked(reader, "postings/bounds", np.int32, ndim=2)
        self.mixed_offsets = checked(reader, "postings/mixed_offsets", np.int64, tokens + 1)
        self.mixed_frequencies = checked(reader, "postings/mixed_frequencies", np.uint16, int(self.mixed_offsets[-1]))
        for first in (self.first_documents, self.runs):
            if first.min(initial=0) < 0 or first.max(initial=0) > count or (np.diff(first) < 0).any():
                raise CorruptError("postings/statistics.json: documents do not ascend to the keywords.", REMEDY)
        if not len(self.first_documents) or bool(count) != bool(len(self.runs)):
            raise CorruptError("postings/statistics.json: lengths are missing.", REMEDY)
        self.mixed_lengths = checked(reader, "postings/mixed_lengths", np.uint16, count - int(self.first_documents[-1]))
        if self.bounds.shape[1] != len(self.first_documents):
            raise CorruptError("postings/bounds.npy has rows of another length than the lengths.", REMEDY)
        if len(self.ranks) not in (0, count):
            raise CorruptError(f"postings/ranks.npy ranks {len(self.ranks):,} of {count:,} keywords.", REMEDY)
        if len(self.bitmaps) and self.bitmaps.shape[1] != (count + 7) // 8:
            raise CorruptError("postings/bitmaps.npy has rows of another length than the keywords.", REMEDY)
        self._compiled = None
        if count >= kernels_from:
            from indexes.postings_by_length import PostingsByLength

            self._compiled = PostingsByLength(self)

    def __len__(self) -> int:
        """How many keywords."""
        return len(self.keywords)

    def documents_of(self, token_id: int) -> Array:
        """Ids of the keywords that hold a token, int32, ascending; allocates a row for each."""
        ids: Array = np.sort(self.keywords[self._list(token_id)])
        return ids

    def scores(self, token_ids: Sequence[int]) -> tuple[Array, Array]:
        """Every keyword that holds one of the tokens: ids int32 ascending, BM25 scores float64."""
        return self.scores_as(token_ids, K1, B, self.idf)

    def scores_as(self, token_ids: Sequence[int], k1: float, b: float, idf: Array) -> tuple[Array, Array]:
        """The same by another variant of BM25: its constants, and its idf of every token."""
        if not len(token_ids):
            return np.empty(0, np.int32), np.empty(0, np.float64)
        documents = np.unique(np.concatenate([self._list(token_id) for token_id in token_ids]))
        scores = np.zeros(len(documents), np.float64)
        norms = k1 * (1 - b + b * self._lengths(documents) / self.mean_length)
        for token_id in token_ids:
            rows = np.searchsorted(documents, self._list(token_id))
            frequencies = self._frequencies(token_id)
            scores[rows] += idf[token_id] * (frequencies * (k1 + 1) / (frequencies + norms[rows]))
        found = self.keywords[documents]
        order = np.argsort(found)
        return found[order], scores[order]

    def top(
        self, token_ids: Sequence[int], k: int, keyword_filter: "KeywordFilter | None" = None
    ) -> tuple[Array, Array]:
        """The k best keywords that pass the filter: ids int32 and scores float64, fewer if fewer match.

        Best first; of equal scores the lowest rank first.
        """
        self._check(token_ids)
        if self._compiled is not None:
            return self._compiled.top(token_ids, k, keyword_filter)
        return self.top_of_all_scores(token_ids, k, keyword_filter)

    def top_of_all_scores(
        self, token_ids: Sequence[int], k: int, keyword_filter: "KeywordFilter | None" = None
    ) -> tuple[Array, Array]:
        """What `top` returns, by scoring every keyword that matches: for small indexes, and to check the kernels by."""
        found, scores = self.scores(token_ids)
        if keyword_filter is not None:
            passing = keyword_filter.passing(found)
            found, scores = found[passing], scores[passing]
        if len(found) > k > 0:
            # All that reach the k-th score, so that ties are cut by rank and not by the partition's whim.
            bar = np.partition(scores, len(scores) - k)[len(scores) - k]
            near = np.flatnonzero(scores >= bar)
            found, scores = found[near], scores[near]
        order = np.lexsort((self._ranks_of(found), -scores))[: max(k, 0)]
        return found[order], scores[order]

    def holding_all(self, token_ids: Sequence[int], most: int, keyword_filter: "KeywordFilter | None" = None) -> Array:
        """Ids int32 of the keywords that hold every token and pass the filter, by rank, at most so many."""
        if not len(token_ids) or most <= 0:
            return np.empty(0, np.int32)
        self._check(token_ids)
        if self._compiled is not None:
            return self._compiled.holding_all(token_ids, most, keyword_filter)
        shortest, *others = sorted((self._list(token_id) for token_id in set(token_ids)), key=len)
        for other in others:
            shortest = shortest[np.isin(shortest, other, assume_unique=True)]
        return self._first(self.keywords[shortest], most, keyword_filter)

    def most_searched(
        self, most: int, keyword_filter: "KeywordFilter | None" = None, most_read: int | None = None
    ) -> tuple[Array, bool]:
        """Ids int32 of the first keywords by rank that pass the filter, and whether these are all that pass or `most`.

        False if `most_read` keywords were read before: there may be more.
        """
        reads = len(self) if most_read is None else most_read
        if self._compiled is not None:
            return self._compiled.most_searched(most, keyword_filter, reads)
        everyone = self._first(np.arange(len(self), dtype=np.int32), min(reads, len(self)), None)
        found = self._first(everyone, most, keyword_filter)
        return found, len(found) == most or reads >= len(self)

    def _check(self, token_ids: Sequence[int]) -> None:
        """Kernels read where they are told to."""
        for token_id in token_ids:
            if not 0 <= token_id < len(self.idf):
                raise IndexError(f"token {token_id} is not in 0..{len(self.idf) - 1}")

    def _first(self, ids: Array, most: int, keyword_filter: "KeywordFilter | None") -> Array:
        if keyword_filter is not None:
            ids = ids[keyword_filter.passing(ids)]
        first: Array = ids[np.argsort(self._ranks_of(ids))][: max(most, 0)]
        return first

    def _list(self, token_id: int) -> Array:
        return self.documents[self.offsets[token_id] : self.offsets[token_id + 1]]

    def _frequencies(self, token_id: int) -> Array:
        """How often each document of a token's list holds it, float64."""
        frequencies = np.ones(int(self.offsets[token_id + 1] - self.offsets[token_id]), np.float64)
        mixed = self.mixed_frequencies[self.mixed_offsets[token_id] : self.mixed_offsets[token_id + 1]]
        frequencies[len(frequencies) - len(mixed) :] = mixed
        return frequencies

    def _lengths(self, documents: Array) -> Array:
        """How many tokens each document has, float64."""
        lengths = np.searchsorted(self.first_documents, documents, "right").astype(np.float64)
        mixed = documents >= self.first_documents[-1]
        lengths[mixed] = self.mixed_lengths[documents[mixed] - self.first_documents[-1]]
        return lengths

    def _ranks_of(self, ids: Array) -> Array:
        return self.ranks[ids] if len(self.ranks) else ids
