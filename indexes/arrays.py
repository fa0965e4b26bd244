"""How index parts are written to a folder and read from one: plain `.npy` arrays and JSON, no pickle."""

import json
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from indexes.errors import CorruptError

Array = npt.NDArray[Any]


class ArrayReader(Protocol):
    """Whatever gives named arrays and JSON documents; names are paths relative to the snapshot, with their ending."""

    def array(self, name: str) -> Array: ...

    def json(self, name: str) -> Any: ...


class ArrayFolder:
    """A plain folder as an `ArrayReader`; a published snapshot is read through `indexes.snapshot` instead."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def array(self, name: str) -> Array:
        return np.load(self.path / name, mmap_mode="r", allow_pickle=False)

    def json(self, name: str) -> Any:
        return json.loads((self.path / name).read_text(encoding="utf-8"))


def write_array(folder: Path, name: str, array: Array) -> None:
    """Write one array as `folder/name`, which ends in `.npy`; folders in between are made."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.ascontiguousarray(array), allow_pickle=False)


def new_array(folder: Path, name: str, dtype: Any, shape: tuple[int, ...]) -> Array:
    """An array `folder/name` to be filled in place; an empty one cannot be mapped and is written at once."""
    if 0 in shape:
        write_array(folder, name, np.empty(shape, dtype))
        return np.empty(shape, dtype)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    return np.lib.format.open_memmap(folder / name, "w+", np.dtype(dtype), shape)


def write_json(folder: Path, name: str, document: Any) -> None:
    """Write one JSON document with sorted keys, so that equal documents are equal bytes."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1) + "\n", encoding="utf-8")


def sorted_distinct(values: Array) -> Array:
    """The distinct values, ascending: `np.unique` by sorting, which beats its hashing for small whole numbers."""
    ordered = np.sort(values)
    keep = np.ones(len(ordered), bool)
    keep[1:] = ordered[1:] != ordered[:-1]
    return ordered[keep]


def ranges(starts: Array, counts: Array) -> Array:
    """The positions of several slices, one after the other: `ranges([5, 9], [2, 3])` is `[5, 6, 9, 10, 11]`."""
    total = int(counts.sum())
    if not total:
        return np.empty(0, np.int64)
    ends = np.cumsum(counts)
    return np.arange(total, dtype=np.int64) + np.repeat(starts - (ends - counts), counts)


def offsets_from_counts(counts: Array) -> Array:
    """CSR offsets int64 (n + 1,) of rows with these counts."""
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets


def checked(reader: ArrayReader, name: str, dtype: Any, length: int | None = None, ndim: int = 1) -> Array:
    """A part's array as a plain one over the mapped memory; CorruptError if its type or length is another. O(1)."""
    array = reader.array(f"{name}.npy")
    if array.dtype != np.dtype(dtype) or array.ndim != ndim or not array.flags.c_contiguous:
        what = f"holds {array.ndim}-dimensional {array.dtype}, not {ndim}-dimensional {np.dtype(dtype)}"
    elif length is not None and len(array) != length:
        what = f"holds {len(array):,} rows, not {length:,}"
    else:
        return np.asarray(array)
    raise CorruptError(f"{name}.npy {what}.", "Serve another snapshot, or build again with manage.py build.")
