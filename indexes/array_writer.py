"""Writes `.npy` files whose length is not known beforehand, a part at a time: the bytes are those of `np.save`."""

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from indexes.arrays import Array


class ArrayWriter:
    """A one-dimensional array `folder/name` that grows; a context manager, finished when the block ends well."""

    def __init__(self, folder: Path, name: str, dtype: npt.DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        self.length = 0
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")
        self._write_header()
        self._data_begins = self._file.tell()

    def append(self, values: Array) -> None:
        """Add values; they are cast to the writer's dtype, which must hold them."""
        part = np.ascontiguousarray(values, self.dtype)
        self._file.write(part.data)
        self.length += part.size

    def append_bytes(self, data: bytes) -> None:
        """Add raw bytes; the dtype must be one byte wide."""
        self._file.write(data)
        self.length += len(data)

    def finish(self) -> None:
        """Write the final length into the header and close the file."""
        self._file.seek(0)
        self._write_header()
        # numpy leaves room in the header for the length to grow in place.
        if self._file.tell() != self._data_begins:
            raise ValueError(f"{self._file.name}: the header outgrew its place")
        self._file.close()

    def abandon(self) -> None:
        """Close the file as it is."""
        self._file.close()

    def _write_header(self) -> None:
        header: dict[str, Any] = {
            "descr": np.lib.format.dtype_to_descr(self.dtype),
            "fortran_order": False,
            "shape": (self.length,),
        }
        np.lib.format.write_array_header_1_0(self._file, header)

    def __enter__(self) -> "ArrayWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is None:
            self.finish()
        else:
            self.abandon()
