"""Which rows of a sparse matrix are near which: dot products that reach a bound, by a compiled kernel.

A product of sparse matrices would hold every row that shares a column at all, most of which are not near; here they are
added up in one array and forgotten unless they reach the bound.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

import numpy as np
from scipy.sparse import csr_array

from indexes.arrays import Array
from indexes.compiled import njit
from mining.growing_arrays import twice_as_long
from mining.sparse_blocks import IntArray, row_blocks

STRETCH = 256
"""Sums that are looked at together."""


def near_rows(
    matrix: csr_array, least: int, threads: int = 1
) -> Iterator[tuple[int, int, IntArray, IntArray, IntArray]]:
    """Blocks of rows as (start, end, row, other, dot): all pairs with a dot product of at least `least` > 0.

    `matrix` holds whole numbers that are not negative; rows are paired with themselves too. A block is in the order of
    its rows, and the others of a row come in no order. The threads work ahead, a block each.
    """
    rows = matrix.tocsr().astype(np.int64)
    # No dot product is greater than the greatest of a row with itself; 32 bits take half the memory traffic.
    owner = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    greatest = np.bincount(owner, rows.data.astype(np.float64) ** 2).max(initial=0)
    kind = np.int32 if greatest < np.iinfo(np.int32).max else np.int64
    columns = rows.T.tocsr()
    forward, backward = (
        (side.indptr.astype(np.int64), side.indices.astype(np.int32), side.data.astype(kind))
        for side in (rows, columns)
    )
    sums = SimpleQueue[Array]()
    for _ in range(threads):
        sums.put(np.zeros(rows.shape[0], kind))

    def near(start: int, end: int) -> tuple[Array, Array, Array]:
        own = sums.get()
        try:
            found: tuple[Array, Array, Array] = _near(start, end, *forward, *backward, max(least, 1), own)
        finally:
            sums.put(own)
        return found

    with ThreadPoolExecutor(threads) as pool:
        working: deque[tuple[int, int, Future[tuple[Array, Array, Array]]]] = deque()
        for start, end in row_blocks(rows, columns):
            working.append((start, end, pool.submit(near, start, end)))
            if len(working) > threads:
                begun, ended, block = working.popleft()
                yield begun, ended, *block.result()
        for begun, ended, block in working:
            yield begun, ended, *block.result()


@njit
def _near(
    start: int,
    end: int,
    row_bounds: Array,
    row_columns: Array,
    row_values: Array,
    column_bounds: Array,
    column_rows: Array,
    column_values: Array,
    least: int,
    sums: Array,
) -> tuple[Array, Array, Array]:
    """(row, other, dot) of the rows from `start` to `end`; `sums` is all zero before and after."""
    found = np.empty((3, 4096), np.int64)
    count = 0
    for row in range(start, end):
        for place in range(row_bounds[row], row_bounds[row + 1]):
            column, value = row_columns[place], row_values[place]
            for entry in range(column_bounds[column], column_bounds[column + 1]):
                sums[column_rows[entry]] += value * column_values[entry]
        # Most rows share a column with very many: to look at all sums is faster than to note which were added to.
        # Whether any of a stretch is near is counted without branches, many at once.
        for begin in range(0, len(sums), STRETCH):
            stretch = sums[begin : begin + STRETCH]
            near = 0
            for place in range(len(stretch)):
                near += stretch[place] >= least
            if not near:
                continue
            while count + near > found.shape[1]:
                found = twice_as_long(found)
            for place in range(len(stretch)):
                if stretch[place] >= least:
                    found[0, count] = row
                    found[1, count] = begin + place
                    found[2, count] = stretch[place]
                    count += 1
        sums[:] = 0
    return found[0, :count], found[1, :count], found[2, :count]
