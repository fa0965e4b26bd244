"""Checking raw columns against the schema and converting them: Arrow cleans the text, one SQL query does the rest.

Text is put into NFC and blank text becomes "no value"; then DuckDB converts each value to its column's type (null where
it cannot be) and finds the first thing that is wrong with a row, column by column in the order of the schema. A row has
one reason or none, so that the counts add up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from indexes.errors import UsageError
from mining.ingest.batch import Batch
from mining.ingest.conversion import clock, convert, sql_text
from mining.ingest.mapping import ColumnMapping
from mining.ingest.reasons import Reject
from mining.schema import Column, Table

FUTURE_TOLERANCE = timedelta(days=1)
"""A clock that is a little fast, or a wrong time zone, is no reason to refuse a row."""
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""No search log is older; a time before it is nearly always seconds read as milliseconds."""
_INT_RANGE = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
_KINDS = (
    "missing_value",
    "wrong_type",
    "not_a_number",
    "not_a_timestamp",
    "not_a_date",
    "not_a_boolean",
    "below_minimum",
    "above_maximum",
    "not_a_choice",
    "too_long",
    "timestamp_in_future",
    "timestamp_before_1990",
)
_TAKES = {
    "string": ("text", "int"),
    "choice": ("text", "int"),
    "timestamp": ("text", "instant", "timestamp", "date", "int", "float"),
    "date": ("text", "date"),
    "int32": ("text", "int", "float", "decimal"),
    "int64": ("text", "int", "float", "decimal"),
    "float64": ("text", "int", "float", "decimal"),
    "bool": ("text", "bool", "int"),
    "string_list": ("text", "text_list"),
}


def raw_kind(raw_type: pa.DataType) -> str:
    """The kind of raw column that an Arrow type is: text, int, …; `other` for what no canonical column can hold."""
    tests = {
        "null": pa.types.is_null,
        "text": lambda t: pa.types.is_string(t) or pa.types.is_large_string(t),
        "int": pa.types.is_integer,
        "float": pa.types.is_floating,
        "decimal": pa.types.is_decimal,
        "bool": pa.types.is_boolean,
        "instant": lambda t: pa.types.is_timestamp(t) and t.tz is not None,
        "timestamp": pa.types.is_timestamp,
        "date": pa.types.is_date,
        "text_list": lambda t: (pa.types.is_list(t) or pa.types.is_large_list(t)) and raw_kind(t.value_type) == "text",
    }
    return next((kind for kind, test in tests.items() if test(raw_type)), "other")


def require_readable(place: str, column: Column, raw_type: pa.DataType, mapping: ColumnMapping) -> None:
    """Raise UsageError if no value of a raw column of this type could become a value of the canonical column."""
    kind = raw_kind(raw_type)
    if kind != "null" and kind not in _TAKES[column.type]:
        raise UsageError(
            f"{place}: the column {mapping.column!r} is of type {raw_type}; {column.name} needs {column.type}.",
            "Map another column, or convert it first.",
        )
    if column.type == "timestamp" and kind in ("int", "float") and mapping.unit is None:
        raise UsageError(
            f"{place}: the column {mapping.column!r} holds numbers, and nothing says since when they count.",
            f'Map it with a unit: {column.name} = {{ column = "{mapping.column}", unit = "s" }} (or "ms", "us").',
        )


@dataclass
class Checked:
    """The outcome for one batch: the rows that are right, in canonical types, and the rejects of the others."""

    kept: pa.Table
    lines: np.ndarray
    rejects: list[Reject]


class Validator:
    """Checks the batches of one table of one file. `now` bounds the times; `optional` columns may be null here even
    if the schema requires them, because a later step fills them in."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: Table,
        mappings: Mapping[str, ColumnMapping],
        now: datetime,
        optional: frozenset[str] = frozenset(),
        columns: tuple[str, ...] | None = None,
    ) -> None:
        self.connection = connection
        self.table = table
        self.mappings = mappings
        self.latest = (now + FUTURE_TOLERANCE).astimezone(UTC)
        self.optional = optional
        self.columns = tuple(column for column in table.columns if columns is None or column.name in columns)
        self.schema = pa.schema(
            [
                pa.field(column.name, column.arrow_type, column.nullable or column.name in optional)
                for column in self.columns
            ]
        )

    def check(self, batch: Batch) -> Checked:
        """Validate a batch; its own rejects and the new ones come back together in the order of the lines."""
        if len(batch.lines) == 0:
            return Checked(self.schema.empty_table(), batch.lines, batch.rejects)
        raw = {name: _cleaned(array, self.mappings.get(name)) for name, array in batch.columns.items()}
        rows = pa.table({"line": batch.lines, **raw})
        self.connection.register("raw_batch", rows)
        checked = self.connection.sql(self.query(rows.schema)).to_arrow_table()
        self.connection.unregister("raw_batch")
        # Text is handed on as it was cleaned: a copy through the query would cost more than all the checks.
        values = [checked[name] if name in checked.column_names else rows[name] for name in self.schema.names]
        table = pa.Table.from_arrays(values, self.schema.names)
        codes = checked["reason"].to_numpy()
        wrong = np.flatnonzero(codes)
        if len(wrong) == 0:
            return Checked(table.cast(self.schema), batch.lines, batch.rejects)
        kept = codes == 0
        rejects = [
            self._reject(int(batch.lines[position]), int(codes[position]), raw_text)
            for position, raw_text in zip(wrong, batch.raw(wrong.tolist()), strict=True)
        ]
        both = sorted([*batch.rejects, *rejects], key=lambda reject: reject.line)
        return Checked(table.filter(pa.array(kept)).cast(self.schema), batch.lines[kept], both)

    def _reject(self, line: int, code: int, raw: str) -> Reject:
        number, kind = divmod(code - 1, len(_KINDS))
        column, reason = self.columns[number], _KINDS[kind]
        return Reject(line, reason, raw, self.table.name, column.name, _detail(column, reason))

    def query(self, raw_schema: pa.Schema) -> str:
        """The SQL over `raw_batch`, whose columns are named as the canonical ones: the values that are not text
        already, and `reason`: 0 for a row that is right, else 1 + column number * number of kinds + kind.

        DuckDB keeps the order of the rows (preserve_insertion_order is on by default).
        """
        kinds = {field.name: raw_kind(field.type) for field in raw_schema}
        typed, whens, outputs = [], [], []
        for number, column in enumerate(self.columns):
            name, kind = f'"{column.name}"', kinds.get(column.name, "null")
            mapping = self.mappings.get(column.name, ColumnMapping(column=column.name))
            typed.append(f"{convert(column, kind, mapping)} AS {name}")
            typed.append(f'{"false" if kind == "null" else f"{name} IS NOT NULL"} AS "{column.name} given"')
            if not (kind == "text" and column.type in ("string", "choice")):
                outputs.append(name)
            for reason, condition in self._problems(column, clock(kind, mapping)):
                whens.append(f"WHEN {condition} THEN {1 + number * len(_KINDS) + _KINDS.index(reason)}")
        return (
            f"WITH typed AS (SELECT {', '.join(typed)} FROM raw_batch)\n"
            f"SELECT {''.join(f'{name}, ' for name in outputs)}"
            f"(CASE {' '.join(whens)} ELSE 0 END)::INTEGER AS reason FROM typed"
        )

    def _problems(self, column: Column, time_type: str) -> list[tuple[str, str]]:
        """(reason, SQL condition) for each thing that may be wrong with a value, the first that holds counts."""
        value, given = f'"{column.name}"', f'"{column.name} given"'
        problems = []
        if not (column.nullable or column.name in self.optional):
            problems.append(("missing_value", f"NOT {given}"))
        unconvertible = {
            "timestamp": "not_a_timestamp",
            "date": "not_a_date",
            "bool": "not_a_boolean",
            "int32": "not_a_number",
            "int64": "not_a_number",
            "float64": "not_a_number",
        }.get(column.type)
        if unconvertible:
            problems.append((unconvertible, f"{given} AND {value} IS NULL"))
        smallest, largest = _bounds(column)
        if smallest is not None:
            problems.append(("below_minimum", f"{value} < {smallest}"))
        if largest is not None:
            problems.append(("above_maximum", f"{value} > {largest}"))
        if column.choices:
            problems.append(("not_a_choice", f"{value} NOT IN ({', '.join(map(sql_text, column.choices))})"))
        if column.max_chars is not None:
            problems.append(("too_long", f"length({value}) > {column.max_chars}"))
        if column.type == "timestamp":
            problems.append(("timestamp_in_future", f"{value} > {time_type} '{self.latest.isoformat()}'"))
            problems.append(("timestamp_before_1990", f"{value} < {time_type} '{EARLIEST.isoformat()}'"))
        return problems


def open_connection(**config: Any) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection whose clock is UTC."""
    connection = duckdb.connect(config=config)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _cleaned(array: pa.Array, mapping: ColumnMapping | None) -> pa.Array:
    """Text in NFC, blank text as null, the mapping's words replaced; a dictionary column becomes its values."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_timestamp(array.type):
        return _microseconds(array, mapping.timezone if mapping is not None else "UTC")
    if raw_kind(array.type) != "text":
        return array
    blank = pc.or_(pc.equal(pc.binary_length(array), 0), pc.utf8_is_space(array))
    if pc.any(blank).as_py():
        array = pc.if_else(blank, pa.scalar(None, array.type), array)
    # Most columns are ASCII, which is NFC already, and the check is far cheaper than the normalising.
    if not pc.all(pc.string_is_ascii(array)).as_py():
        array = pc.utf8_normalize(array, "NFC")
    if mapping is not None and mapping.values:
        known = pa.array(sorted(mapping.values), array.type)
        found = pc.index_in(array, known)
        words = pa.array([mapping.values[word] for word in known.to_pylist()], array.type)
        array = pc.coalesce(words.take(found), array)
    return array


def _microseconds(array: pa.Array, zone: str) -> pa.Array:
    """The times in microseconds, as instants if they have a zone or that of the mapping is UTC, else as local times.

    Times outside the years 1 to 9999 are moved to the edge, where they are refused like any time of those years.
    """
    second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[array.type.unit]
    ticks = array.cast(pa.int64())
    for bound, nearer in ((-62_135_596_800, pc.max_element_wise), (253_402_300_799, pc.min_element_wise)):
        if -(2**63) <= bound * second < 2**63:
            ticks = nearer(ticks, pa.scalar(bound * second, pa.int64()), skip_nulls=False)
    has_zone = array.type.tz is not None or zone == "UTC"
    times = ticks.cast(pa.timestamp(array.type.unit)).cast(pa.timestamp("us"), safe=False)
    return times.cast(pa.timestamp("us", "UTC")) if has_zone else times


def _bounds(column: Column) -> tuple[int | None, int | None]:
    smallest, largest = _INT_RANGE.get(column.type, (None, None))
    if column.type == "int64":
        smallest = largest = None
    return (
        column.min if column.min is not None else smallest,
        column.max if column.max is not None else largest,
    )


def _detail(column: Column, reason: str) -> str | None:
    smallest, largest = _bounds(column)
    details = {
        "missing_value": "is required and missing or blank",
        "not_a_number": "is not a whole number" if column.type.startswith("int") else "is not a finite number",
        "below_minimum": f"is below {smallest}",
        "above_maximum": f"is above {largest}",
        "not_a_choice": f"is none of: {', '.join(column.choices)}",
        "too_long": f"is longer than {column.max_chars} characters",
        "timestamp_in_future": "lies more than one day after the ingest",
        "timestamp_before_1990": "lies before 1990; mostly a sign of a wrong unit",
        "not_a_timestamp": "is not a date and time in the expected form",
        "not_a_date": "is not a date of the form YYYY-MM-DD",
        "not_a_boolean": "is not true, false, 1 or 0",
    }
    return f"{column.name} {details[reason]}"
