"""From arrays of numbers to Arrow columns of text, without a Python object a row."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from mining.schema import canonical_tables


def numbered(prefix: str, numbers: np.ndarray, width: int) -> pa.Array:
    """Identifiers such as u0000042: the prefix and the number with leading zeros, `width` digits."""
    head = np.frombuffer(prefix.encode(), dtype=np.uint8)
    text = np.empty((len(numbers), len(head) + width), dtype=np.uint8)
    text[:, : len(head)] = head
    rest = numbers.astype(np.int64)
    for column in range(text.shape[1] - 1, len(head) - 1, -1):
        rest, digit = np.divmod(rest, 10)
        text[:, column] = digit + ord("0")
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * np.int32(text.shape[1])
    return pa.StringArray.from_buffers(len(numbers), pa.py_buffer(offsets), pa.py_buffer(text))


def chosen(codes: np.ndarray, words: Sequence[str]) -> pa.Array:
    """Words of a short list by position; a position of -1 is null."""
    # What lies under a null must be a position too: the Parquet writer looks it up.
    indices = pa.array(np.maximum(codes, 0).astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(words, pa.string()))


def looked_up(codes: np.ndarray, words: pa.Array) -> pa.Array:
    """Words of a long list by position; the dictionary holds only those that occur."""
    used, indices = np.unique(codes, return_inverse=True)
    return pa.DictionaryArray.from_arrays(pa.array(indices.astype(np.int32)), words.take(pa.array(used)))


def timestamps(micros: np.ndarray) -> pa.Array:
    """Microseconds since 1970 as UTC timestamps."""
    return pa.array(micros).view(pa.timestamp("us", tz="UTC"))


def amounts(values: np.ndarray) -> pa.Array:
    """Whole numbers; -1 is null."""
    return pa.array(values, mask=values < 0)


def addresses(numbers: np.ndarray) -> pa.Array:
    """Network addresses in 10.0.0.0/8; equal numbers give equal addresses, near ones addresses that lie apart."""
    used, indices = np.unique(numbers, return_inverse=True)
    scattered = (used.astype(np.uint64) * np.uint64(2654435761)) % np.uint64(1 << 24)
    words = [f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in scattered.tolist()]
    return pa.DictionaryArray.from_arrays(pa.array(indices.astype(np.int32)), pa.array(words, pa.string()))


def table(name: str, columns: dict[str, pa.Array]) -> pa.Table:
    """A canonical table; a column may be a dictionary of what the schema says, and one that is not given is null."""
    count = len(next(iter(columns.values())))
    arrays, fields = [], []
    for column in canonical_tables()[name].columns:
        array = columns.get(column.name)
        if array is None:
            array = pa.nulls(count, column.arrow_type)
        arrays.append(array)
        fields.append(pa.field(column.name, array.type, column.nullable))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def plain(rows: pa.Table) -> pa.Table:
    """The table with dictionaries replaced by their words."""
    schema = pa.schema(
        [
            field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
            for field in rows.schema
        ]
    )
    return rows.cast(schema)
