"""Products of large sparse matrices, block by block of rows, so that their memory is bounded."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

PRODUCTS_A_BLOCK = 4_000_000
"""Multiplications a block."""

IntArray = npt.NDArray[np.int64]


def row_blocks(matrix: csr_array, transposed: csr_array) -> Iterator[tuple[int, int]]:
    """Ranges of rows of the product matrix @ transposed that take about PRODUCTS_A_BLOCK multiplications each."""
    if not matrix.shape[0]:
        return
    columns = np.diff(transposed.indptr).astype(np.int64)
    work = np.concatenate([[0], np.cumsum(columns[matrix.indices])])[matrix.indptr[1:]] // PRODUCTS_A_BLOCK
    starts = np.flatnonzero(np.diff(work, prepend=-1))
    yield from zip(starts.tolist(), [*starts[1:].tolist(), matrix.shape[0]], strict=True)


def blocks_of_product(matrix: csr_array, transposed: csr_array) -> Iterator[tuple[IntArray, IntArray, npt.NDArray]]:
    """The entries of the product as (row, column, value), in the order of rows; columns come in no order."""
    for start, end in row_blocks(matrix, transposed):
        product = (matrix[start:end] @ transposed).tocoo()
        yield product.row.astype(np.int64) + start, product.col.astype(np.int64), product.data
