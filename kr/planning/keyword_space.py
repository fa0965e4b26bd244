"""How alike the keywords of a plan are: by their words, by their meaning, and by what people did with them.

One row a keyword. *Words* are TF-IDF weights of what the keyword is about (`kr.planning.intents.core_words`), of unit
length. *Meaning* is the snapshot's vector of the text (`indexes.term_vectors`), of unit length, 0 where there is none.
*Pairs* are the mined neighbours among the keywords, with their joint strength (`indexes.neighbors`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from indexes.arrays import Array
from indexes.neighbors import FUSION, joint_strength
from indexes.opened import Indexes
from indexes.term_vectors import SCALE
from indexes.text import tokens
from kr.planning.intents import core_words

NEIGHBORS_OF_KEYWORD = 200
"""Mined neighbours of a keyword that are looked at, by each miner."""


@dataclass(frozen=True)
class KeywordSpace:
    """`terms` sparse (n, words) float64, `vectors` float32 (n, dims), `pairs` sparse symmetric (n, n) float32."""

    keywords: tuple[str, ...]
    cores: tuple[tuple[str, ...], ...]
    terms: sparse.csr_matrix
    vectors: Array
    pairs: sparse.csr_matrix
    demand: Array
    """Searches a month, float64; 0 for a keyword that nobody searched."""

    @staticmethod
    def of(indexes: Indexes | None, keywords: Sequence[str]) -> "KeywordSpace":
        """The space of distinct normalised keywords; without a snapshot there are words alone."""
        cores = tuple(core_words(keyword) for keyword in keywords)
        count = len(keywords)
        demand, vectors = np.zeros(count), np.zeros((count, 1), np.float32)
        pairs = sparse.csr_matrix((count, count), dtype=np.float32)
        if indexes is not None:
            ids = np.array([indexes.keywords.find(keyword) for keyword in keywords], np.int64)
            known = np.flatnonzero(ids >= 0)
            demand[known] = indexes.stats.monthly_demand(ids[known])
            vectors = _vectors(indexes, cores)
            pairs = _pairs(indexes, ids)
        return KeywordSpace(tuple(keywords), cores, _terms(cores), vectors, pairs, demand)

    def __len__(self) -> int:
        return len(self.keywords)

    def likeness(self, rows: Array, words_weight: float, meaning_weight: float) -> Array:
        """How alike these keywords are, float32 (n, n) in 0..1.

        A weighted mean of the cosine of words and the squared cosine of meaning (trained vectors of one trade are all
        somewhat alike; the square tells them apart better), by words alone where one has no vector. Where meaning
        counts, a mined pair counts too: 1 − (1 − likeness) · (1 − strength).
        """
        by_words = np.asarray((self.terms[rows] @ self.terms[rows].T).todense(), np.float32)
        if meaning_weight <= 0:
            return np.minimum(by_words, 1)
        vectors = self.vectors[rows]
        by_meaning = np.square(np.clip(vectors @ vectors.T, 0, 1))
        has_vector: Array = np.asarray(vectors.any(axis=1))
        share = np.float32(words_weight / (words_weight + meaning_weight))
        both = share * by_words + (1 - share) * by_meaning
        likeness = np.where(has_vector[:, None] & has_vector[None, :], both, by_words)
        mined = self.pairs[rows][:, rows].tocoo()
        likeness[mined.row, mined.col] = 1 - (1 - likeness[mined.row, mined.col]) * (1 - mined.data)
        return np.clip(likeness, 0, 1, dtype=np.float32)

    def joint(self) -> sparse.csr_matrix:
        """Words and meaning side by side, rows of unit length: where groupings are measured, whichever made them."""
        both = sparse.hstack([self.terms, sparse.csr_matrix(self.vectors.astype(np.float64))]).tocsr()
        return _unit_rows(both)


def _terms(cores: Sequence[tuple[str, ...]]) -> sparse.csr_matrix:
    """TF-IDF with idf = ln((1 + n) / (1 + df)) + 1, rows of unit length."""
    numbers: dict[str, int] = {}
    rows, columns = [], []
    for row, core in enumerate(cores):
        for word in dict.fromkeys(_with_parts(core)):
            rows.append(row)
            columns.append(numbers.setdefault(word, len(numbers)))
    shape = (len(cores), max(len(numbers), 1))
    counts = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)
    frequency = np.bincount(columns, minlength=shape[1]) if columns else np.zeros(shape[1])
    idf = np.log((1 + len(cores)) / (1 + frequency)) + 1
    return _unit_rows(counts.multiply(idf).tocsr())


def _with_parts(core: Sequence[str]) -> list[str]:
    """Words, and the parts of long Chinese ones: 鲜花店 shares 鲜花 with 鲜花速递."""
    return [part for word in core for part in (word, *tokens(word))]


def _unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1))).ravel()
    return sparse.diags(1 / np.where(lengths > 0, lengths, 1)) @ matrix


def _vectors(indexes: Indexes, cores: Sequence[tuple[str, ...]]) -> Array:
    found = np.zeros((len(cores), indexes.term_vectors.dims), np.float32)
    for row, core in enumerate(cores):
        code = indexes.term_vectors.code([part for word in core for part in tokens(word)])
        if code is not None:
            found[row] = code / np.float32(SCALE)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return found / np.where(lengths > 0, lengths, 1)


def _pairs(indexes: Indexes, ids: Array) -> sparse.csr_matrix:
    """The mined pairs among the keywords: the greater of both directions' strengths."""
    row_of = np.full(len(indexes.keywords), -1, np.int64)
    known = np.flatnonzero(ids >= 0)
    row_of[ids[known]] = known
    strengths: dict[str, dict[tuple[int, int], float]] = {}
    for miner, found in indexes.neighbors.of(ids[known], NEIGHBORS_OF_KEYWORD).items():
        if miner == FUSION:
            continue
        other = row_of[found.neighbor]
        inside = np.flatnonzero(other >= 0)
        left, right = known[found.position[inside]], other[inside]
        strengths[miner] = dict(
            zip(zip(left.tolist(), right.tolist(), strict=True), found.strength[inside].tolist(), strict=True)
        )
    places = sorted(set().union(*strengths.values()))
    columns = {miner: np.array([of.get(place, 0.0) for place in places]) for miner, of in strengths.items()}
    count = len(ids)
    if not places:
        return sparse.csr_matrix((count, count), dtype=np.float32)
    left, right = np.array(places).T
    one_way = sparse.csr_matrix((joint_strength(columns), (left, right)), shape=(count, count), dtype=np.float32)
    return one_way.maximum(one_way.T).tocsr()
