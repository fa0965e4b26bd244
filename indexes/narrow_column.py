"""Columns of counts in one, two or four bytes a number, exact for any number.

Most keywords are rarely searched: nearly all counts fit a byte or two, a few need more. So a column holds small
numbers; its greatest value says that the number stands in a table of large ones, the one below it that it is unknown.
"""

from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array, ArrayReader, checked, new_array, write_array
from indexes.errors import CorruptError

UNKNOWN = -1
"""Stands for null in columns of whole numbers."""


class NarrowColumn:
    """Whole numbers ≥ 0 or UNKNOWN, (n,) or (n, m), mapped; what is read is `dtype`.

    `values` uint8, uint16 or uint32; `large_at` int64 ascending, positions in the flattened column; `large` int64.
    """

    def __init__(self, values: Array, large_at: Array, large: Array, dtype: Any) -> None:
        self.values, self.large_at, self.large = values, large_at, large
        self.dtype = np.dtype(dtype)
        self._greatest = int(np.iinfo(values.dtype).max)

    @staticmethod
    def of(numbers: Any, item: Any, dtype: Any) -> "NarrowColumn":
        """Narrow an array to items of a type."""
        narrow, at, large = narrowed(numbers, item)
        return NarrowColumn(narrow, at, large, dtype)

    @staticmethod
    def open(reader: ArrayReader, name: str, item: Any, dtype: Any, ndim: int = 1) -> "NarrowColumn":
        """The column written as `name`; CorruptError if its files don't fit one another. O(1)."""
        values = checked(reader, name, item, ndim=ndim)
        large_at = checked(reader, f"{name}.large_at", np.int64)
        large = checked(reader, f"{name}.large", np.int64, len(large_at))
        if len(large_at) and not 0 <= large_at[0] <= large_at[-1] < values.size:
            raise CorruptError(f"{name}.large_at.npy does not fit {name}.npy.", "Build again with manage.py build.")
        return NarrowColumn(values, large_at, large, dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Any) -> Array:
        """The numbers at an index, at indices or in a slice of the first axis."""
        narrow = self.values[rows]
        wide: Array = narrow.astype(self.dtype)
        special = narrow >= self._greatest - 1
        if special.any():
            wide = np.where(narrow == self._greatest - 1, np.array(UNKNOWN, self.dtype), wide)
            width = self.values.shape[1] if self.values.ndim > 1 else 1
            first = np.asarray(np.arange(len(self.values))[rows] if isinstance(rows, slice) else rows)
            if first.dtype == bool:
                first = np.flatnonzero(first)
            first = np.asarray(np.where(first < 0, first + len(self.values), first)).astype(np.int64) * width
            places = np.asarray(first[..., None] + np.arange(width) if self.values.ndim > 1 else first)
            large = narrow == self._greatest
            wide[large] = self.large[np.searchsorted(self.large_at, places[large])]
        return wide

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """The whole column, for work that is offline: it allocates every row."""
        return self[:].astype(dtype or self.dtype)


def narrowed(numbers: Array, item: Any) -> tuple[Array, Array, Array]:
    """The values of a narrow column, the flat positions of its large numbers, and these."""
    greatest = int(np.iinfo(item).max)
    numbers = np.asarray(numbers, np.int64)
    if numbers.size and int(numbers.min()) < UNKNOWN:
        raise ValueError(f"a column holds {int(numbers.min())}: neither a count nor unknown")
    at = np.flatnonzero(numbers.reshape(-1) >= greatest - 1)
    narrow = np.where(numbers < 0, greatest - 1, np.minimum(numbers, greatest)).astype(item)
    narrow.reshape(-1)[at] = greatest
    return narrow, at, numbers.reshape(-1)[at]


class NarrowWriter:
    """Writes a column of a shape as its rows come; memory holds one chunk and the large numbers."""

    def __init__(self, folder: Path, name: str, shape: tuple[int, ...], item: Any) -> None:
        self._folder, self._name, self._item = folder, name, item
        self._values = new_array(folder, f"{name}.npy", item, shape)
        self._at, self._large = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        self._row = 0

    def add(self, rows: Array) -> None:
        """The next rows."""
        narrow, at, large = narrowed(rows, self._item)
        self._values[self._row : self._row + len(rows)] = narrow
        self._at.append(at + self._row * (rows.shape[1] if rows.ndim > 1 else 1))
        self._large.append(large)
        self._row += len(rows)

    def finish(self) -> None:
        """Write the table of large numbers, after all rows."""
        write_array(self._folder, f"{self._name}.large_at.npy", np.concatenate(self._at))
        write_array(self._folder, f"{self._name}.large.npy", np.concatenate(self._large))
