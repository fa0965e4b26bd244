"""JSON lines with a mapping: the keys of each object feed the canonical columns."""

from collections.abc import Iterator
from types import NoneType
from typing import Any

import numpy as np
import pyarrow as pa

from indexes.terminal import Advance
from mining.ingest.adapters.header import constant_columns
from mining.ingest.adapters.json_records import Record, json_records
from mining.ingest.batch import Batch, Stretch
from mining.ingest.inputs import Input
from mining.ingest.mapping import LIST_SEPARATOR, TableMapping
from mining.ingest.reasons import Reject
from mining.schema import Column

BATCH_ROWS = 32_768


def read_json_lines(item: Input, mapping: TableMapping, advance: Advance) -> Iterator[Stretch]:
    """The objects of a file as rows; a key that is not there is null."""
    table = mapping.table.name
    records: list[Record] = []
    rejects: list[Reject] = []
    for record in json_records(item.path, item.encoding, advance):
        if isinstance(record, Reject):
            rejects.append(Reject(record.line, record.reason, record.raw, table, detail=record.detail))
        else:
            records.append(record)
        if len(records) + len(rejects) >= BATCH_ROWS:
            yield (_batch(mapping, records, rejects),)
            records, rejects = [], []
    if records or rejects:
        yield (_batch(mapping, records, rejects),)


def _batch(mapping: TableMapping, records: list[Record], rejects: list[Reject]) -> Batch:
    raw = {
        column.name: _values(records, key)
        for column in mapping.table.columns
        if (key := mapping[column.name].column) is not None
    }
    return typed_batch(mapping.table.name, mapping.table.columns, raw, records, rejects, mapping)


def typed_batch(
    table: str,
    columns: tuple[Column, ...],
    raw: dict[str, list[Any]],
    records: list[Record],
    rejects: list[Reject],
    mapping: TableMapping | None = None,
) -> Batch:
    """A batch from the JSON values of each canonical column; a row with a value of a wrong JSON type is a reject."""
    wrong: dict[int, str] = {}
    arrays: dict[str, pa.Array] = {}
    for column in columns:
        if column.name in raw:
            separator = mapping[column.name].separator if mapping is not None else LIST_SEPARATOR
            arrays[column.name], bad = _array(column, raw[column.name], separator)
            for position in bad:
                wrong.setdefault(position, column.name)
    if mapping is not None:
        arrays |= constant_columns(mapping, len(records))
    lines = np.array([record.line for record in records], np.int64)
    if wrong:
        rejects = rejects + [
            Reject(
                records[position].line, "wrong_type", records[position].text, table, name, f"{name} is of a wrong type"
            )
            for position, name in wrong.items()
        ]
        rejects.sort(key=lambda reject: reject.line)
        right = np.ones(len(records), bool)
        right[list(wrong)] = False
        records = [record for position, record in enumerate(records) if right[position]]
        arrays = {name: array.filter(pa.array(right)) for name, array in arrays.items()}
        lines = lines[right]
    return Batch(table, lines, arrays, lambda wanted: [records[position].text for position in wanted], rejects)


def _array(column: Column, values: list[Any], separator: str) -> tuple[pa.Array, list[int]]:
    """The values in a type that the validator reads, and the positions of those that the column cannot hold (null)."""
    kinds = set(map(type, values))
    is_list = column.type == "string_list"
    # Nearly every column has values of one type, which Arrow takes in one go.
    if not is_list and kinds <= {str, NoneType}:
        return pa.array(values, pa.string()), []
    if column.type in ("int32", "int64") and kinds <= {int, NoneType}:
        try:
            return pa.array(values, pa.int64()), []
        except OverflowError:
            pass
    converted: list[Any] = []
    wrong = []
    for position, value in enumerate(values):
        try:
            converted.append(_parts(value, separator) if is_list else _text(value, column))
        except TypeError:
            wrong.append(position)
            converted.append(None)
    return pa.array(converted, pa.list_(pa.string()) if is_list else pa.string()), wrong


def _values(records: list[Record], key: str) -> list[Any]:
    if "." in key:
        return [_value(record.value, key) for record in records]
    return [record.value.get(key) for record in records]


def _value(record: dict[str, Any], key: str) -> Any:
    """The value of a key; "a.b" is the key b of the object a, unless there is a key "a.b"."""
    if key in record:
        return record[key]
    value: Any = record
    for part in key.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value


def _text(value: Any, column: Column) -> str | None:
    """A JSON scalar as the text that the validator reads; raises TypeError for what the column cannot hold."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        if column.type != "bool":
            raise TypeError
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and column.type not in ("string", "choice"):
        return f"{value:.9f}" if column.type == "timestamp" else repr(value)
    raise TypeError


def _parts(value: Any, separator: str) -> list[str] | None:
    """A JSON list of texts, or one text that is split like a CSV field; raises TypeError for anything else."""
    if isinstance(value, str):
        return value.split(separator) if value and not value.isspace() else None
    if value is None or (isinstance(value, list) and all(isinstance(part, str) for part in value)):
        return value
    raise TypeError
