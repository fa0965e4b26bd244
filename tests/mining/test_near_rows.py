"""The kernel that finds near rows against the whole product."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

import mining.sparse_blocks
from mining.near_rows import near_rows


@st.composite
def matrices(draw: st.DrawFn) -> np.ndarray:
    shape = draw(st.integers(0, 12)), draw(st.integers(1, 6))
    cells = draw(
        st.lists(st.sampled_from([0, 0, 0, 1, 2, 2**15]), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1])
    )
    return np.array(cells, np.int32).reshape(shape)


@given(
    matrix=matrices(),
    least=st.sampled_from([0, 1, 3, 2**16, 2**30]),
    products=st.sampled_from([1, 7, 10**6]),
    threads=st.integers(1, 3),
)
def test_near_rows_are_the_entries_of_the_product_that_reach_the_bound(
    matrix: np.ndarray, least: int, products: int, threads: int
) -> None:
    rows = csr_array(matrix)
    # Entries that are stored though they are zero are as if they were not.
    rows.data[: len(rows.data) // 3] = 0
    dense = rows.toarray().astype(np.int64)
    found, end_before = {}, 0
    before = mining.sparse_blocks.PRODUCTS_A_BLOCK
    mining.sparse_blocks.PRODUCTS_A_BLOCK = products
    try:
        for start, end, row, other, dot in near_rows(rows, least, threads):
            assert start == end_before and np.all(np.diff(row) >= 0)
            assert np.all((row >= start) & (row < end))
            end_before = end
            found |= {(a, b): value for a, b, value in zip(row.tolist(), other.tolist(), dot.tolist(), strict=True)}
    finally:
        mining.sparse_blocks.PRODUCTS_A_BLOCK = before
    assert end_before == len(dense)
    product = dense @ dense.T
    near = np.argwhere(product >= max(least, 1)).tolist()
    assert found == {(a, b): product[a, b] for a, b in near}


def test_many_near_rows_fit_however_many_they_are() -> None:
    rows = csr_array(np.ones((300, 1), np.int32))
    found = [row.tolist() for _, _, row, _, _ in near_rows(rows, 1)]
    assert sum(map(len, found)) == 300 * 300
