"""Alignment features: each token beside the one of the other side whose vector is most similar."""

import functools
from typing import Any

import numba
import numpy as np

from indexes.arrays import Array
from indexes.compiled import inner_njit
from kr.relevance.token_kernel import MOST_TOKENS

ALMOST_ONE = 0.999
sum_in_any_order: Any = functools.partial(numba.njit, cache=True, nogil=True, fastmath={"reassoc", "contract"})
"""Lets the compiler vectorise a sum; the same machine code gives the same bits, in training and in serving."""


@sum_in_any_order
def dot_product(a: Array, b: Array) -> Any:
    """The inner product of two float32 vectors."""
    total = np.float32(0.0)
    for axis in range(len(a)):
        total += a[axis] * b[axis]
    return total


@inner_njit
def alignment_features(
    query_rows: Array,
    query_found: Array,
    rows: Array,
    found: Array,
    vectors: Array,
    idf: Array,
    best_of_keyword: Array,
    sum_query: Array,
    sum_keyword: Array,
    out: Array,
) -> None:
    """Write the 9 alignment columns of one pair: each term beside the most similar one of the other side.

    `vectors` float32 (V + 1, d) have length one, the unknown row is zero; equal tokens count 1 whatever their vector,
    others less. `best_of_keyword` float64 (64,), `sum_query` and `sum_keyword` (d,) float32 are room to work in.
    """
    m, n = min(len(query_rows), MOST_TOKENS), min(len(rows), MOST_TOKENS)
    size = vectors.shape[1]
    for place in range(n):
        best_of_keyword[place] = 1.0 if found[place] else 0.0
    sum_query[:] = 0
    sum_keyword[:] = 0
    weighted = total = plain = 0.0
    worst = 1.0
    missed_weighted = missed_total = 0.0
    for place in range(n):
        weight = idf[rows[place]]
        for axis in range(size):
            sum_keyword[axis] += weight * vectors[rows[place], axis]
    for at in range(m):
        weight = idf[query_rows[at]]
        best = 1.0 if query_found[at] else 0.0
        for axis in range(size):
            sum_query[axis] += weight * vectors[query_rows[at], axis]
        for place in range(n):
            if query_found[at] and found[place]:
                continue  # both are as near as can be to something
            similarity = min(float(dot_product(vectors[query_rows[at]], vectors[rows[place]])), ALMOST_ONE)
            best = max(best, similarity)
            best_of_keyword[place] = max(float(best_of_keyword[place]), similarity)
        weighted += weight * best
        total += weight
        plain += best
        worst = min(worst, best)
        if best < 1.0:
            missed_weighted += weight * best
            missed_total += weight
    out[0] = weighted / total if total > 0 else 0.0
    out[1] = plain / max(m, 1)
    out[2] = worst if m else 0.0
    out[3] = missed_weighted / missed_total if missed_total > 0 else 1.0
    weighted = total = 0.0
    worst = 1.0
    missed_weighted = missed_total = 0.0
    for place in range(n):
        weight = idf[rows[place]]
        similarity = float(best_of_keyword[place])
        weighted += weight * similarity
        total += weight
        worst = min(worst, similarity)
        if similarity < 1.0:
            missed_weighted += weight * similarity
            missed_total += weight
    out[4] = weighted / total if total > 0 else 0.0
    out[5] = worst if n else 0.0
    out[6] = missed_weighted / missed_total if missed_total > 0 else 1.0
    dot = dot_product(sum_query, sum_keyword)
    query_square = dot_product(sum_query, sum_query)
    keyword_square = dot_product(sum_keyword, sum_keyword)
    out[7] = dot / np.sqrt(query_square * keyword_square) if query_square * keyword_square > 0 else 0.0
    out[8] = np.sqrt(query_square) - np.sqrt(keyword_square)
