"""From texts of mined tables to ids: an exact hash table over a mapped vocabulary.

8 to 16 bytes a text in memory, where a dictionary of Python strings takes 150. FNV-1a spreads the texts; a text is
found only if all its bytes are equal.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa

from indexes.arrays import Array, ArrayFolder
from indexes.compiled import njit
from indexes.errors import CorruptError

_EMPTY = -1


class TextIds:
    """Finds ids by text; `folder` holds the vocabulary `name` that `indexes.vocabulary` wrote."""

    def __init__(self, folder: Path, name: str = "keywords") -> None:
        reader = ArrayFolder(folder)
        self._name = name
        self._offsets = np.asarray(reader.array(f"{name}/offsets.npy"))
        self._bytes = np.asarray(reader.array(f"{name}/utf8.npy"))
        texts = len(self._offsets) - 1
        self._slots = np.full(1 << max(2 * texts - 1, 1).bit_length(), _EMPTY, np.int32)
        _fill(self._slots, self._offsets, self._bytes)

    def of(self, table: str, column: pa.ChunkedArray) -> Array:
        """The id of each text, int64. Raises CorruptError, naming the table, for a text that is not in it."""
        parts = [np.empty(0, np.int64)]
        for chunk in column.chunks:
            encoded = chunk if pa.types.is_dictionary(chunk.type) else chunk.dictionary_encode()
            texts = encoded.dictionary.cast(pa.large_string())
            if encoded.null_count:
                raise CorruptError(
                    f"The mined table {table} holds a row without a keyword.", "Run manage.py mine again."
                )
            ids = self._find(texts)
            found = ids[encoded.indices.to_numpy(zero_copy_only=False)]
            if len(found) and found.min() < 0:
                unknown = texts[int(np.flatnonzero(ids < 0)[0])].as_py()
                raise CorruptError(
                    f"The mined table {table} names {unknown!r}, which is not among the {self._name}.",
                    "Run manage.py mine again.",
                )
            parts.append(found)
        return np.concatenate(parts)

    def _find(self, texts: pa.LargeStringArray) -> Array:
        _, offsets, data = texts.buffers()
        found = np.empty(len(texts), np.int64)
        if len(texts):
            bounds = np.frombuffer(offsets, np.int64, len(texts) + 1, texts.offset * 8)
            text_bytes = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
            _look_up(bounds, text_bytes, self._slots, self._offsets, self._bytes, found)
        return found


@njit
def _slot_of(data: Array, start: int, end: int, slots: Array, offsets: Array, utf8: Array) -> int:
    """The slot that holds the keyword of these bytes, or the empty one where it belongs."""
    value = np.uint64(0xCBF29CE484222325)
    for place in range(start, end):
        value = (value ^ np.uint64(data[place])) * np.uint64(0x100000001B3)
    value ^= value >> np.uint64(32)
    last = np.uint64(len(slots) - 1)
    slot = value & last
    while slots[slot] >= 0:
        other = offsets[slots[slot]]
        if offsets[slots[slot] + 1] - other == end - start:
            same = 0
            while same < end - start and utf8[other + same] == data[start + same]:
                same += 1
            if same == end - start:
                break
        slot = (slot + np.uint64(1)) & last
    return int(slot)


@njit
def _fill(slots: Array, offsets: Array, utf8: Array) -> None:
    for keyword in range(len(offsets) - 1):
        slots[_slot_of(utf8, offsets[keyword], offsets[keyword + 1], slots, offsets, utf8)] = keyword


@njit
def _look_up(bounds: Array, data: Array, slots: Array, offsets: Array, utf8: Array, found: Array) -> None:
    for place in range(len(found)):
        found[place] = slots[_slot_of(data, bounds[place], bounds[place + 1], slots, offsets, utf8)]
