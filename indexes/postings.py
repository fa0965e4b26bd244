"""Which keywords hold which token, and their BM25 scores.

The variant is Okapi BM25 as the package rank-bm25 computes it (class BM25Okapi): k1 = 1.5, b = 0.75, and
idf = ln(N − n + 0.5) − ln(n + 0.5), where a negative idf is replaced by 0.25 times the mean idf of all tokens. Scores
equal that package's to rounding; a token that stands twice in the query counts twice.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from indexes.arrays import Array, ArrayReader, offsets_from_counts, write_array, write_json

K1 = 1.5
B = 0.75
EPSILON = 0.25


class Postings:
    """An inverted index over the keywords' tokens, mapped.

    For token t, `documents[offsets[t]:offsets[t + 1]]` int32 are the ids of the keywords that hold it, ascending, and
    `frequencies` uint16 how often. `lengths` uint16 (n,) counts each keyword's tokens.
    """

    def __init__(self, reader: ArrayReader) -> None:
        self.offsets = reader.array("postings/offsets.npy")
        self.documents = reader.array("postings/documents.npy")
        self.frequencies = reader.array("postings/frequencies.npy")
        self.lengths = reader.array("postings/lengths.npy")
        self.idf = reader.array("postings/idf.npy")
        self.mean_length = float(reader.json("postings/statistics.json")["mean_length"])

    def documents_of(self, token_id: int) -> Array:
        """Ids of the keywords that hold a token, int32, ascending."""
        return self.documents[self.offsets[token_id] : self.offsets[token_id + 1]]

    def scores(self, token_ids: Sequence[int]) -> tuple[Array, Array]:
        """Every keyword that holds one of the tokens: ids int32 ascending, BM25 scores float64."""
        if not len(token_ids):
            return np.empty(0, np.int32), np.empty(0, np.float64)
        found = np.unique(np.concatenate([self.documents_of(token_id) for token_id in token_ids]))
        scores = np.zeros(len(found), np.float64)
        norms = K1 * (1 - B + B * self.lengths[found] / self.mean_length)
        for token_id in token_ids:
            begin, end = int(self.offsets[token_id]), int(self.offsets[token_id + 1])
            rows = np.searchsorted(found, self.documents[begin:end])
            frequency = self.frequencies[begin:end].astype(np.float64)
            scores[rows] += self.idf[token_id] * (frequency * (K1 + 1) / (frequency + norms[rows]))
        return found, scores

    def top(self, token_ids: Sequence[int], k: int) -> tuple[Array, Array]:
        """The k best keywords by score, best first, ties by id: ids int32 and scores float64, fewer if fewer match."""
        found, scores = self.scores(token_ids)
        if len(found) > k > 0:
            # All that reach the k-th score, so that ties are cut by id and not by the partition's whim.
            bar = np.partition(scores, len(scores) - k)[len(scores) - k]
            near = np.flatnonzero(scores >= bar)
            found, scores = found[near], scores[near]
        order = np.argsort(-scores, kind="stable")[: max(k, 0)]
        return found[order], scores[order]


def write_postings(folder: Path, token_count: int, offsets: Array, tokens: Array) -> None:
    """Write the postings of keywords whose token ids are given as CSR (`offsets` int64 (n + 1,), `tokens` int32)."""
    keyword_count = len(offsets) - 1
    lengths = np.diff(offsets)
    owners = np.repeat(np.arange(keyword_count, dtype=np.int64), lengths)
    pairs, frequencies = np.unique(tokens.astype(np.int64) * keyword_count + owners, return_counts=True)
    owned_tokens = pairs // max(keyword_count, 1)
    document_frequencies = np.bincount(owned_tokens, minlength=token_count)
    write_array(folder, "postings/offsets.npy", offsets_from_counts(document_frequencies))
    write_array(folder, "postings/documents.npy", (pairs % max(keyword_count, 1)).astype(np.int32))
    write_array(folder, "postings/frequencies.npy", np.minimum(frequencies, 65535).astype(np.uint16))
    write_array(folder, "postings/lengths.npy", np.minimum(lengths, 65535).astype(np.uint16))
    write_array(folder, "postings/idf.npy", inverse_document_frequencies(document_frequencies, keyword_count))
    mean_length = float(lengths.sum() / keyword_count) if keyword_count else 0.0
    write_json(folder, "postings/statistics.json", {"keywords": keyword_count, "mean_length": mean_length})


def inverse_document_frequencies(document_frequencies: Array, documents: int) -> Array:
    """Okapi idf of each token, float64, negative ones replaced as rank-bm25 does."""
    idf = np.log(documents - document_frequencies + 0.5) - np.log(document_frequencies + 0.5)
    if len(idf):
        idf[idf < 0] = EPSILON * idf.mean()
    return idf
