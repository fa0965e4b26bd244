"""Exchange features: where in the space of token vectors the two sides differ."""

from indexes.arrays import Array
from indexes.compiled import inner_njit
from kr.relevance.feature_list import EXCHANGE_AXES
from kr.relevance.token_kernel import MOST_TOKENS


@inner_njit
def exchange_features(
    query_rows: Array, query_found: Array, rows: Array, found: Array, vectors: Array, out: Array
) -> None:
    """Write the 4 × EXCHANGE_AXES exchange columns of one pair: where, in meaning, a pair differs.

    On the first axes of the token vectors: the sum of q's missed tokens, the sum of k's added ones, the products of the
    two, and the mean of q's tokens. Trees learn from these which differences matter for which kind of query.
    """
    m, n = min(len(query_rows), MOST_TOKENS), min(len(rows), MOST_TOKENS)
    axes = min(vectors.shape[1], EXCHANGE_AXES)
    out[:] = 0
    for at in range(m):
        for axis in range(axes):
            out[3 * EXCHANGE_AXES + axis] += vectors[query_rows[at], axis] / m
        if not query_found[at]:
            for axis in range(axes):
                out[axis] += vectors[query_rows[at], axis]
    for place in range(n):
        if not found[place]:
            for axis in range(axes):
                out[EXCHANGE_AXES + axis] += vectors[rows[place], axis]
    for axis in range(axes):
        out[2 * EXCHANGE_AXES + axis] = out[axis] * out[EXCHANGE_AXES + axis]
