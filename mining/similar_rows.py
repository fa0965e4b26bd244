"""Which keywords are alike in their terms and URLs, by a compiled kernel.

Two keywords are compared if they share a rare column. What they share is added up in one array as the rows come, and
forgotten unless the similarity reaches the threshold: most pairs share a word or two and no more.
"""

import numpy as np
from scipy.sparse import csr_array

from indexes.arrays import Array
from indexes.compiled import inner_njit, njit
from mining.growing_arrays import twice_as_long
from mining.sparse_blocks import IntArray

URL_UNIT = 2**20
"""One number counts both: shared terms as ones, shared URLs as multiples of this."""


def similar_rows(
    rare: csr_array, popular: csr_array, popular_counts: IntArray, sizes: IntArray, weight: float, threshold: float
) -> tuple[IntArray, IntArray, IntArray]:
    """Pairs of rows low < high that share a rare column and reach the threshold, in that order; and what they share.

    `rare` and `popular` (int64, keywords × terms and URLs) hold 1 for a term and URL_UNIT for a URL, `popular_counts`
    the sum of each row of the latter. `sizes` (2, keywords) are the numbers of terms and URLs that shared ones are
    divided by. The similarity is weight · terms + (1 − weight) · URLs.
    """
    # Transposing puts the rows of a column in order, and back, the columns of a row.
    columns = rare.T.tocsr()
    popular = popular.T.tocsr().T.tocsr()
    low, high, shared = _similar(
        *((part.indptr.astype(np.int64), part.indices.astype(np.int32)) for part in (rare, columns)),
        rare.data,
        (popular.indptr.astype(np.int64), popular.indices.astype(np.int32)),
        popular.data,
        popular_counts,
        sizes,
        float(weight),
        float(threshold),
    )
    return low.astype(np.int64), high.astype(np.int64), shared


@njit
def _similar(
    rows: tuple[Array, Array],
    columns: tuple[Array, Array],
    units: Array,
    popular: tuple[Array, Array],
    popular_units: Array,
    popular_counts: Array,
    sizes: Array,
    weight: float,
    threshold: float,
) -> tuple[Array, Array, Array]:
    """(low, high, shared) of the pairs that reach the threshold; matrices are (bounds of rows, columns)."""
    count = len(rows[0]) - 1
    sums = np.zeros(count, np.int64)
    met, near = np.empty(count, np.int32), np.empty(count, np.int32)
    # Rows come in order, so that each column's rows after this one are what is left of it.
    begin = columns[0][:-1].copy()
    low, high, shared = np.empty(4096, np.int32), np.empty(4096, np.int32), np.empty(4096, np.int64)
    found = 0
    for row in range(count):
        others = 0
        for place in range(rows[0][row], rows[0][row + 1]):
            column, unit = rows[1][place], units[place]
            begin[column] += 1
            for entry in range(begin[column], columns[0][column + 1]):
                other = columns[1][entry]
                if sums[other] == 0:
                    met[others] = other
                    others += 1
                sums[other] += unit
        kept = 0
        for place in range(others):
            other = met[place]
            # No more popular ones can be shared than either has, which spares most pairs the exact count.
            most = sums[other] + min(popular_counts[row] % URL_UNIT, popular_counts[other] % URL_UNIT)
            most += URL_UNIT * min(popular_counts[row] // URL_UNIT, popular_counts[other] // URL_UNIT)
            if _similarity(most, row, other, sizes, weight) >= threshold:
                sums[other] += _shared(row, other, popular, popular_units)
                if _similarity(sums[other], row, other, sizes, weight) >= threshold:
                    near[kept] = other
                    kept += 1
        near[:kept].sort()
        while found + kept > len(low):
            low, high, shared = twice_as_long(low), twice_as_long(high), twice_as_long(shared)
        for place in range(kept):
            low[found], high[found], shared[found] = row, near[place], sums[near[place]]
            found += 1
        for place in range(others):
            sums[met[place]] = 0
    return low[:found], high[:found], shared[:found]


@inner_njit
def _similarity(shared: int, row: int, other: int, sizes: Array, weight: float) -> float:
    content = (shared % URL_UNIT) / max(sizes[0, row], sizes[0, other])
    click = (shared // URL_UNIT) / max(sizes[1, row], sizes[1, other])
    return weight * content + (1 - weight) * click


@inner_njit
def _shared(row: int, other: int, matrix: tuple[Array, Array], units: Array) -> int:
    """What two rows, columns ascending, have in common."""
    place, end = matrix[0][row], matrix[0][row + 1]
    of_other, end_of_other = matrix[0][other], matrix[0][other + 1]
    shared = 0
    while place < end and of_other < end_of_other:
        column, column_of_other = matrix[1][place], matrix[1][of_other]
        if column == column_of_other:
            shared += units[place]
        place += column <= column_of_other
        of_other += column_of_other <= column
    return shared
