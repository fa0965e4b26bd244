"""Parquet files: read in bounded batches, only the columns that a canonical column needs."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from indexes.errors import CorruptError
from indexes.terminal import Advance
from mining.ingest.adapters.header import constant_columns, raw_columns
from mining.ingest.batch import Batch, Stretch
from mining.ingest.inputs import Input
from mining.ingest.mapping import TableMapping
from mining.ingest.parts import BATCH_ROWS
from mining.ingest.reasons import RAW_CHARS, Reject
from mining.ingest.validation import raw_kind, require_readable


def read_parquet(item: Input, mapping: TableMapping, advance: Advance) -> Iterator[Stretch]:
    """The rows of a Parquet file; a row's number stands for its line.

    Raises CorruptError for a file that is not Parquet or is damaged, UsageError for a column of an unusable type.
    """
    try:
        yield from _batches(item, mapping, advance)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise CorruptError(
            f"{item.path} cannot be read as Parquet: {error}.", "Fetch or write the file again."
        ) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise CorruptError(f"{item.path} is damaged: {error}.", "Fetch or write the file again.") from error


def _batches(item: Input, mapping: TableMapping, advance: Advance) -> Iterator[Stretch]:
    with pq.ParquetFile(item.path) as file:
        schema = file.schema_arrow
        feeding = raw_columns(item.path, mapping, schema.names)
        for canonical, raw in feeding.items():
            raw_type = _decoded_type(schema.field(raw).type)
            place = f"{item.path} ({mapping.table.name}.{canonical})"
            require_readable(place, mapping.table[canonical], raw_type, mapping[canonical])
        rows, share = 0, item.bytes / max(1, file.metadata.num_rows)
        for batch in file.iter_batches(BATCH_ROWS, columns=sorted(set(feeding.values()))):
            yield (_batch(mapping, feeding, batch, rows),)
            advance(int((rows + len(batch)) * share) - int(rows * share))
            rows += len(batch)


def _decoded_type(raw_type: pa.DataType) -> pa.DataType:
    """The type of a column after `_decoded`."""
    if pa.types.is_dictionary(raw_type):
        raw_type = raw_type.value_type
    return pa.string() if _is_text(raw_type) else raw_type


def _is_text(raw_type: pa.DataType) -> bool:
    """Text in any of Arrow's layouts; some writers store text as bytes and do not say that it is text."""
    tests = (
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_string_view,
        pa.types.is_binary,
        pa.types.is_large_binary,
        pa.types.is_binary_view,
    )
    return any(test(raw_type) for test in tests)


def _batch(mapping: TableMapping, feeding: dict[str, str], batch: pa.RecordBatch, before: int) -> Batch:
    table = mapping.table.name
    lines = np.arange(before + 1, before + 1 + len(batch), dtype=np.int64)
    decoded = {}
    undecodable = np.zeros(len(batch), bool)
    for raw in sorted(set(feeding.values())):
        decoded[raw], bad = _decoded(batch[raw])
        undecodable |= bad
    rows = pa.table(decoded)
    rejects = []
    if undecodable.any():
        wrong = np.flatnonzero(undecodable)
        texts = _raw_text(rows, wrong.tolist())
        rejects = [
            Reject(int(lines[position]), "undecodable", text, table)
            for position, text in zip(wrong, texts, strict=True)
        ]
        rows, lines = rows.filter(pa.array(~undecodable)), lines[~undecodable]
    columns = {canonical: _one_chunk(rows[raw]) for canonical, raw in feeding.items()}
    columns |= constant_columns(mapping, len(lines))
    return Batch(table, lines, columns, lambda wanted: _raw_text(rows, wanted), rejects)


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _decoded(array: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """The column with text as text, and which rows hold bytes that are not UTF-8 (null in the column)."""
    bad = np.zeros(len(array), bool)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if not _is_text(array.type):
        return _decoded_lists(array) if raw_kind(array.type) == "text_list" else (array, bad)
    # Nothing has looked at the bytes yet, and DuckDB trusts that text is UTF-8.
    text = (
        array.view(pa.string())
        if array.type in (pa.string(), pa.binary())
        else array.cast(pa.binary()).view(pa.string())
    )
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        binary = text.view(pa.binary())
        bad = np.array([value is not None and not _is_utf8(value) for value in binary.to_pylist()])
        text = pc.if_else(pa.array(bad), pa.scalar(None, pa.binary()), binary).view(pa.string())
    return text, bad


def _decoded_lists(array: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """The same for lists of texts."""
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        lists = array.cast(pa.list_(pa.binary())).to_pylist()
        bad = np.array([not all(part is None or _is_utf8(part) for part in parts or ()) for parts in lists])
        kept = [None if is_bad else parts for parts, is_bad in zip(lists, bad, strict=True)]
        return pa.array(kept, pa.list_(pa.binary())).cast(pa.list_(pa.string())), bad
    return array, np.zeros(len(array), bool)


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _raw_text(rows: pa.Table, positions: Sequence[int]) -> list[str]:
    """The raw rows as JSON, for a rejects file; what was undecodable shows as null."""
    wanted = rows.take(pa.array(positions, pa.int64()))
    for number, field in enumerate(wanted.schema):
        # Python has no year 10000 and no nanoseconds, and a rejected time may have either.
        if pa.types.is_timestamp(field.type):
            local = wanted[number].cast(pa.timestamp(field.type.unit))
            wanted = wanted.set_column(number, field.name, local.cast(pa.string()))
    return [json.dumps(_shortened(row), ensure_ascii=False, default=str) for row in wanted.to_pylist()]


def _shortened(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value[:RAW_CHARS] if isinstance(value, str) else value for name, value in row.items()}
