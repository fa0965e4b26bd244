"""Narrow columns read what was written, whatever the numbers, in any way of asking."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes import keyword_filter_kernels as kernels
from indexes.arrays import ArrayFolder
from indexes.errors import CorruptError
from indexes.memory_kernels import addresses
from indexes.narrow_column import NarrowColumn, NarrowWriter

NUMBER = st.one_of(
    st.integers(-1, 300), st.sampled_from([254, 255, 65534, 65535, 2**32 - 2, 2**32 - 1]), st.integers(0, 2**62)
)
ITEM = st.sampled_from([np.uint8, np.uint16, np.uint32])


@settings(deadline=None)
@given(st.lists(NUMBER, min_size=1, max_size=30), ITEM, st.data())
def test_every_number_comes_back(numbers: list[int], item: type, data: st.DataObject) -> None:
    wide = np.array(numbers, np.int64)
    column = NarrowColumn.of(wide, item, np.int64)
    rows = np.array(data.draw(st.lists(st.integers(-len(wide), len(wide) - 1), max_size=10)), np.int64)
    assert column[rows].tolist() == wide[rows].tolist()
    assert column[1:].tolist() == wide[1:].tolist()
    assert column[wide > 5].tolist() == wide[wide > 5].tolist()
    assert [int(column[row]) for row in range(len(wide))] == numbers
    assert np.asarray(column).tolist() == numbers
    places = addresses(column.values, column.large_at, column.large)
    assert [kernels.whole_number(places, 0, column.values.itemsize, row) for row in range(len(wide))] == numbers


@settings(deadline=None)
@given(st.lists(st.tuples(NUMBER, NUMBER, NUMBER), max_size=12), ITEM, st.integers(1, 5))
def test_tables_are_written_in_chunks(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[tuple[int, int, int]], item: type, chunk: int
) -> None:
    folder = tmp_path_factory.mktemp("column")
    wide = np.array(numbers, np.int64).reshape(-1, 3)
    writer = NarrowWriter(folder, "x/table", wide.shape, item)
    for begin in range(0, len(wide), chunk):
        writer.add(wide[begin : begin + chunk])
    writer.finish()
    column = NarrowColumn.open(ArrayFolder(folder), "x/table", item, np.int64, 2)
    assert column.shape == wide.shape
    assert column[:].tolist() == wide.tolist()
    assert column[np.arange(len(wide))[::-1]].tolist() == wide[::-1].tolist()


def test_less_than_unknown_is_refused() -> None:
    with pytest.raises(ValueError, match="-2"):
        NarrowColumn.of(np.array([-2]), np.uint8, np.int64)


def test_a_table_of_large_numbers_that_does_not_fit_is_named(tmp_path: Path) -> None:
    writer = NarrowWriter(tmp_path, "x", (2,), np.uint8)
    writer.add(np.array([1, 1000]))
    writer.finish()
    np.save(tmp_path / "x.large_at.npy", np.array([2]))
    with pytest.raises(CorruptError, match=r"x\.large_at\.npy"):
        NarrowColumn.open(ArrayFolder(tmp_path), "x", np.uint8, np.int64)
    np.save(tmp_path / "x.large.npy", np.empty(0, np.int64))
    with pytest.raises(CorruptError, match=r"x\.large\.npy holds 0 rows, not 1"):
        NarrowColumn.open(ArrayFolder(tmp_path), "x", np.uint8, np.int64)
