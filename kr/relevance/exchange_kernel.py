"""Exchange features: where in the space of token vectors the two sides differ."""

import numpy as np

from indexes.arrays import Array
from indexes.compiled import inner_njit
from kr.relevance.alignment_kernel import add_row
from kr.relevance.feature_list import EXCHANGE_AXES
from kr.relevance.token_kernel import MOST_TOKENS

ONE = np.float32(1)


@inner_njit
def topic_of_query(query_rows: Array, vectors: Array, topic: Array) -> None:
    """Write the mean of the query's vectors on the first axes, float32 (at most EXCHANGE_AXES,)."""
    topic[:] = 0
    m = min(len(query_rows), MOST_TOKENS)
    for at in range(m):
        add_row(ONE / np.float32(m), vectors, query_rows[at], topic, 0, len(topic))


@inner_njit
def exchange_features(
    query_rows: Array, query_found: Array, topic: Array, rows: Array, found: Array, vectors: Array, out: Array
) -> None:
    """Write the 4 × EXCHANGE_AXES exchange columns of one pair: where, in meaning, a pair differs.

    On the first axes of the token vectors: the sum of q's missed tokens, the sum of k's added ones, the products of the
    two, and the mean of q's tokens (`topic`). Trees learn from these which differences matter for which kind of query.
    """
    m, n = min(len(query_rows), MOST_TOKENS), min(len(rows), MOST_TOKENS)
    axes = len(topic)
    out[:] = 0
    for at in range(m):
        if not query_found[at]:
            add_row(ONE, vectors, query_rows[at], out, 0, axes)
    for place in range(n):
        if not found[place]:
            add_row(ONE, vectors, rows[place], out, EXCHANGE_AXES, axes)
    for axis in range(axes):
        out[2 * EXCHANGE_AXES + axis] = out[axis] * out[EXCHANGE_AXES + axis]
        out[3 * EXCHANGE_AXES + axis] = topic[axis]
