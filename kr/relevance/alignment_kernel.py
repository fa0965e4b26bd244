"""Alignment features: each token beside the one of the other side whose vector is most similar.

Candidates share many tokens, so a token's similarities to the query's are computed once a query and kept in slots.
"""

import functools
from typing import Any

import numba
import numpy as np

from indexes.arrays import Array
from indexes.compiled import inner_njit
from kr.relevance.token_kernel import MOST_TOKENS

ALMOST_ONE = np.float32(0.999)
sum_in_any_order: Any = functools.partial(numba.njit, nogil=True, fastmath={"reassoc", "contract"})
"""Lets the compiler vectorise a sum; the same machine code gives the same bits, in training and in serving."""


@sum_in_any_order
def dot_product(a: Array, b: Array) -> Any:
    """The inner product of two float32 vectors."""
    total = np.float32(0.0)
    for axis in range(len(a)):
        total += a[axis] * b[axis]
    return total


@sum_in_any_order
def cosine_of_rows(vectors: Array, one: int, other: int) -> Any:
    """The inner product of two rows; rows by number, since an array a row costs more than the sum."""
    total = np.float32(0.0)
    for axis in range(vectors.shape[1]):
        total += vectors[one, axis] * vectors[other, axis]
    return total


@sum_in_any_order
def add_row(weight: Any, vectors: Array, row: int, total: Array, first: int, axes: int) -> None:
    """Add a row's first axes times a float32 weight to a float32 sum that begins at `first`."""
    for axis in range(axes):
        total[first + axis] += weight * vectors[row, axis]


@inner_njit
def keep_similarities(query_rows: Array, row: int, vectors: Array, slot: int, kept: Array) -> None:
    """Write into the slot of `kept`, float32 (slots, 64), a token's cosines with those of the query, below 1."""
    for at in range(min(len(query_rows), MOST_TOKENS)):
        kept[slot, at] = min(cosine_of_rows(vectors, query_rows[at], row), ALMOST_ONE)


@inner_njit
def alignment_features(
    query_rows: Array,
    query_found: Array,
    query_sum: Array,
    rows: Array,
    found: Array,
    vectors: Array,
    idf: Array,
    stamp: int,
    stamps: Array,
    kept: Array,
    best_of_query: Array,
    keyword_sum: Array,
    out: Array,
) -> None:
    """Write the 9 alignment columns of one pair: each term beside the most similar one of the other side.

    `vectors` float32 (V + 1, d) have length one, the unknown row is zero; equal tokens count 1 whatever their vector,
    others less. `query_sum` float32 (d,) is the sum of the query's vectors by idf. `best_of_query` float32 (64,) and
    `keyword_sum` float32 (d,) are room to work in. `stamps` int64 (slots,), a power of two, tell whose similarities
    `kept` float32 (slots, 64) holds: `stamp`, the query's, and a token's row.
    """
    m, n = min(len(query_rows), MOST_TOKENS), min(len(rows), MOST_TOKENS)
    for at in range(m):
        best_of_query[at] = 1.0 if query_found[at] else 0.0
    keyword_sum[:] = 0
    weighted = total = missed_weighted = missed_total = 0.0
    worst = 1.0
    for place in range(n):
        weight = idf[rows[place]]
        add_row(weight, vectors, rows[place], keyword_sum, 0, len(keyword_sum))
        row = np.int64(rows[place])
        slot, key = row & (len(stamps) - 1), stamp << 32 | row
        if stamps[slot] != key:
            keep_similarities(query_rows, row, vectors, slot, kept)
            stamps[slot] = key
        best: Any = np.float32(1.0) if found[place] else np.float32(0.0)
        for at in range(m):
            if not (query_found[at] and found[place]):  # else both are as near as can be to something
                similarity = kept[slot, at]
                best = max(best, similarity)
                best_of_query[at] = max(best_of_query[at], similarity)
        weighted += weight * best
        total += weight
        worst = min(worst, best)
        if best < 1.0:
            missed_weighted += weight * best
            missed_total += weight
    out[4] = weighted / total if total > 0 else 0.0
    out[5] = worst if n else 0.0
    out[6] = missed_weighted / missed_total if missed_total > 0 else 1.0
    weighted = total = missed_weighted = missed_total = plain = 0.0
    worst = 1.0
    for at in range(m):
        weight = idf[query_rows[at]]
        nearest = best_of_query[at]
        weighted += weight * nearest
        total += weight
        plain += nearest
        worst = min(worst, nearest)
        if nearest < 1.0:
            missed_weighted += weight * nearest
            missed_total += weight
    out[0] = weighted / total if total > 0 else 0.0
    out[1] = plain / max(m, 1)
    out[2] = worst if m else 0.0
    out[3] = missed_weighted / missed_total if missed_total > 0 else 1.0
    dot = dot_product(query_sum, keyword_sum)
    query_square = dot_product(query_sum, query_sum)
    keyword_square = dot_product(keyword_sum, keyword_sum)
    out[7] = dot / np.sqrt(query_square * keyword_square) if query_square * keyword_square > 0 else 0.0
    out[8] = np.sqrt(query_square) - np.sqrt(keyword_square)


@inner_njit
def sum_of_query(query_rows: Array, vectors: Array, idf: Array, total: Array) -> None:
    """Write the sum of the query's vectors by idf, float32 (d,)."""
    total[:] = 0
    for at in range(min(len(query_rows), MOST_TOKENS)):
        add_row(idf[query_rows[at]], vectors, query_rows[at], total, 0, len(total))
