"""Strings, mapped: id to text by slice, and for sorted strings text to id by binary search."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from indexes.array_writer import ArrayWriter
from indexes.arrays import Array, ArrayReader
from indexes.errors import CorruptError


class StringList:
    """Strings in any order; a string's id is its position. Opening is O(1). `name` is the part's folder."""

    def __init__(self, reader: ArrayReader, name: str) -> None:
        self._offsets = reader.array(f"{name}/offsets.npy")
        self._utf8_bytes = reader.array(f"{name}/utf8.npy")
        if self._offsets.ndim != 1 or not len(self._offsets) or int(self._offsets[-1]) != len(self._utf8_bytes):
            raise CorruptError(f"The strings of {name} do not fit their offsets.", "Rebuild with manage.py build.")
        self._view: memoryview = self._utf8_bytes.data if len(self._utf8_bytes) else memoryview(b"")
        # A number of a memoryview is a Python one at once: half the time of a binary search.
        self._bounds: memoryview = np.asarray(self._offsets).data

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @property
    def arrays(self) -> tuple[Array, Array]:
        """Where each string begins and the last ends, int64 (n + 1,), and all bytes, uint8: for compiled kernels."""
        return np.asarray(self._offsets), np.asarray(self._utf8_bytes)

    def __getitem__(self, string_id: int) -> str:
        if not 0 <= string_id < len(self):
            raise IndexError(f"id {string_id} is not in 0..{len(self) - 1}")
        return self.utf8(string_id).decode("utf-8")

    def __iter__(self) -> Iterator[str]:
        return (self[string_id] for string_id in range(len(self)))

    def utf8(self, string_id: int) -> bytes:
        """The UTF-8 bytes of one string."""
        return bytes(self._view[self._bounds[string_id] : self._bounds[string_id + 1]])

    def take(self, ids: Array) -> list[str]:
        """The strings with these ids, in the order given."""
        ids = np.asarray(ids)
        starts = self._offsets[ids].tolist()
        ends = self._offsets[ids + 1].tolist()
        view = self._view
        return [str(view[start:end], "utf-8") for start, end in zip(starts, ends, strict=True)]


class Vocabulary(StringList):
    """Distinct strings in ascending order of their UTF-8 bytes, so that a text's id is found in O(log n)."""

    def lower_bound(self, text: str) -> int:
        """The first id whose string is not less than the text; `len(self)` if there is none."""
        wanted = text.encode("utf-8")
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self.utf8(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low

    def find(self, text: str) -> int:
        """The id of the text, or -1."""
        position = self.lower_bound(text)
        return position if position < len(self) and self.utf8(position) == text.encode("utf-8") else -1


class StringWriter:
    """Writes a list of strings that never is in memory whole; a context manager, finished when the block ends well."""

    def __init__(self, folder: Path, name: str) -> None:
        self._offsets = ArrayWriter(folder, f"{name}/offsets.npy", np.int64)
        self._utf8_bytes = ArrayWriter(folder, f"{name}/utf8.npy", np.uint8)
        self._offsets.append(np.zeros(1, np.int64))

    def append(self, strings: Sequence[str]) -> None:
        """Add strings in the order given."""
        self._append_encoded([string.encode("utf-8") for string in strings])

    def _append_encoded(self, encoded: Sequence[bytes]) -> None:
        lengths = np.fromiter((len(item) for item in encoded), np.int64, len(encoded))
        self._offsets.append(self._utf8_bytes.length + np.cumsum(lengths))
        self._utf8_bytes.append_bytes(b"".join(encoded))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for writer in (self._offsets, self._utf8_bytes):
            if kind is None:
                writer.finish()
            else:
                writer.abandon()


class VocabularyWriter(StringWriter):
    """Writes a vocabulary: strings must be distinct and ascending by their UTF-8 bytes (as Python's `sorted` gives)."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder, name)
        self._last: bytes | None = None

    def append(self, strings: Sequence[str]) -> None:
        """Add strings; raises ValueError naming the first that is out of order."""
        encoded = [string.encode("utf-8") for string in strings]
        last = [] if self._last is None else [self._last]
        for previous, item in pairwise([*last, *encoded]):
            if item <= previous:
                raise ValueError(f"strings are not distinct and ascending: {previous!r} before {item!r}")
        self._append_encoded(encoded)
        self._last = encoded[-1] if encoded else self._last


def write_strings(folder: Path, name: str, strings: Sequence[str]) -> None:
    """Write strings in the order given."""
    with StringWriter(folder, name) as writer:
        writer.append(strings)


def write_vocabulary(folder: Path, name: str, strings: Sequence[str]) -> None:
    """Write strings, which must be distinct and ascending by their UTF-8 bytes (as Python's `sorted` gives)."""
    with VocabularyWriter(folder, name) as writer:
        writer.append(strings)
