"""Token vectors from unlabelled texts: the positive pointwise mutual information of neighbours, factorised.

Levy & Goldberg 2014: close to word2vec, deterministic, and a matter of seconds for short texts. Neighbours up to
`WINDOW` tokens away count 1/distance; contexts are smoothed by the power 0.75.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from indexes.arrays import Array
from indexes.text import normalise, tokens

WINDOW = 5
CONTEXT_POWER = 0.75


def fit_vectors(texts: Iterable[str], vocabulary: Mapping[str, int], size: int) -> Array:
    """Vectors of length one by vocabulary row, float32 (V + 1, size); the last row, unknown tokens, is zero."""
    count = len(vocabulary)
    vectors = np.zeros((count + 1, size), np.float32)
    joint = _neighbours(texts, vocabulary)
    dimensions = min(size, count - 2, joint.nnz - 1)
    if dimensions < 1:
        return vectors
    joint = joint.tocoo()
    by_row = np.asarray(joint.sum(axis=1)).ravel()
    by_context = np.asarray(joint.sum(axis=0)).ravel() ** CONTEXT_POWER
    information = np.log(joint.data * by_context.sum() / (by_row[joint.row] * by_context[joint.col]))
    positive = information > 0
    matrix = scipy.sparse.csr_matrix(
        (information[positive], (joint.row[positive], joint.col[positive])), shape=(count, count)
    )
    # random_state alone does not fix ARPACK's start vector in every version of scipy; v0 does.
    start = np.random.default_rng(0).standard_normal(count)
    left, values, right = scipy.sparse.linalg.svds(matrix, k=dimensions, v0=start)
    order = np.argsort(-values, kind="stable")
    signs = np.where(np.take_along_axis(right, np.abs(right).argmax(1)[:, None], 1)[:, 0] < 0, -1.0, 1.0)
    weighted = (left * signs)[:, order] * np.sqrt(values[order])
    lengths = np.linalg.norm(weighted, axis=1, keepdims=True)
    vectors[:count, :dimensions] = weighted / np.maximum(lengths, 1e-9)
    return vectors


def _neighbours(texts: Iterable[str], vocabulary: Mapping[str, int]) -> scipy.sparse.csr_matrix:
    """How often two tokens stand near each other, nearer counting more; (V, V)."""
    gap = [-1] * WINDOW
    flat: list[int] = []
    for text in sorted({normalise(text) for text in texts}):
        flat.extend(vocabulary.get(token, -1) for token in tokens(text))
        flat.extend(gap)  # no window reaches from one text into the next
    sequence = np.array(flat, np.int64)
    count = len(vocabulary)
    total = scipy.sparse.csr_matrix((count, count), dtype=np.float64)
    for distance in range(1, WINDOW + 1):
        first, second = sequence[:-distance], sequence[distance:]
        known = (first >= 0) & (second >= 0)
        weights = np.full(int(known.sum()), 1 / distance)
        total += scipy.sparse.csr_matrix((weights, (first[known], second[known])), shape=(count, count))
    return (total + total.T).tocsr()
