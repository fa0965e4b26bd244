"""Which keywords hold which token, and their BM25 scores (`indexes.bm25`)."""

from collections.abc import Sequence

import numpy as np

from indexes.arrays import Array, ArrayReader
from indexes.bm25 import impact, inverse_document_frequencies, length_norm
from indexes.postings_write import write_postings

__all__ = ["Postings", "inverse_document_frequencies", "write_postings"]


class Postings:
    """An inverted index over the keywords' tokens, mapped.

    For token t, `documents[offsets[t]:offsets[t + 1]]` int32 are the ids of the keywords that hold it, ascending, and
    `frequencies` uint8 or uint16 how often. `lengths` uint16 (n,) counts each keyword's tokens. Big indexes hold the
    postings a second time, by length, from which compiled kernels answer `top`: same scores, same ids.
    """

    def __init__(self, reader: ArrayReader) -> None:
        self.offsets = reader.array("postings/offsets.npy")
        self.documents = reader.array("postings/documents.npy")
        self.frequencies = reader.array("postings/frequencies.npy")
        self.lengths = reader.array("postings/lengths.npy")
        self.idf = reader.array("postings/idf.npy")
        statistics = reader.json("postings/statistics.json")
        self.mean_length = float(statistics["mean_length"])
        self._by_length = None
        if "by_length" in statistics:
            # Imports numba, which small snapshots need not wait for.
            from indexes.postings_by_length import PostingsByLength

            self._by_length = PostingsByLength(reader)

    def documents_of(self, token_id: int) -> Array:
        """Ids of the keywords that hold a token, int32, ascending."""
        return self.documents[self.offsets[token_id] : self.offsets[token_id + 1]]

    def scores(self, token_ids: Sequence[int]) -> tuple[Array, Array]:
        """Every keyword that holds one of the tokens: ids int32 ascending, BM25 scores float64."""
        if not len(token_ids):
            return np.empty(0, np.int32), np.empty(0, np.float64)
        found = np.unique(np.concatenate([self.documents_of(token_id) for token_id in token_ids]))
        scores = np.zeros(len(found), np.float64)
        norms = length_norm(self.lengths[found], self.mean_length)
        for token_id in token_ids:
            begin, end = int(self.offsets[token_id]), int(self.offsets[token_id + 1])
            rows = np.searchsorted(found, self.documents[begin:end])
            frequency = self.frequencies[begin:end].astype(np.float64)
            scores[rows] += self.idf[token_id] * impact(frequency, norms[rows])
        return found, scores

    def top(self, token_ids: Sequence[int], k: int) -> tuple[Array, Array]:
        """The k best keywords by score, best first, ties by id: ids int32 and scores float64, fewer if fewer match."""
        if self._by_length is not None:
            return self._by_length.top(token_ids, k)
        return self.top_of_all_scores(token_ids, k)

    def top_of_all_scores(self, token_ids: Sequence[int], k: int) -> tuple[Array, Array]:
        """What `top` returns, by scoring every keyword that matches: for small indexes, and to check the kernels by."""
        found, scores = self.scores(token_ids)
        if len(found) > k > 0:
            # All that reach the k-th score, so that ties are cut by id and not by the partition's whim.
            bar = np.partition(scores, len(scores) - k)[len(scores) - k]
            near = np.flatnonzero(scores >= bar)
            found, scores = found[near], scores[near]
        order = np.argsort(-scores, kind="stable")[: max(k, 0)]
        return found[order], scores[order]
