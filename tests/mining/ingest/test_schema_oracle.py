"""Random rows with random defects, in every format, against a validator in plain Python written from the schema."""

import csv
import json
import tempfile
import unicodedata
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mining.ingest import ingest, log_parts
from mining.schema import Column, Table, canonical_tables

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
LIMITS = {"int32": (-(2**31), 2**31 - 1), "int64": (None, None)}
TABLES = ("searches", "clicks", "ad_events", "bids", "advertisers", "weekly_budgets", "user_events")

good_times = st.datetimes(datetime(1990, 1, 1), datetime(2026, 6, 2, 12))
odd_texts = st.sampled_from(
    ["", " ", "\t\u3000", "0", "-1", "12.5", "3.0", "1e3", "99999999999", "9" * 30, "nan", "é", "e\u0301", "ＡＢ",
     "鲜花", "x" * 1001, "鲜" * 1001, "true", "a|b", "| |", "desktop", "Desktop", "\x00", "👨\u200d👩", "line\nend",
     'quote"inside', "0001-01-01T00:00:00", "2026-06-02T12:00:00.000001Z", "2026-06-02T12:00:00Z",
     "1989-12-31T23:59:59Z", "2008-02-30T00:00:00", "2008-02-29T24:00:00", "2008-06-01 08:00:00+08:00", "2008-06-01",
     "2008-06-01T08:00"]
)  # fmt: skip


def good_text(column: Column) -> st.SearchStrategy[str]:
    if column.choices:
        return st.sampled_from(column.choices)
    return {
        "timestamp": good_times.map(lambda time: time.isoformat()),
        "date": st.dates(date(1990, 1, 1), date(2100, 1, 1)).map(str),
        "bool": st.sampled_from(["true", "false", "1", "0", "True"]),
        "int32": st.integers(1, 1000).map(str),
        "int64": st.integers(1, 10**15).map(str),
        "string_list": st.lists(st.sampled_from(["上海", "London", "e\u0301"]), max_size=3).map("|".join),
        "string": st.sampled_from(["a", "b", "鲜花", "e\u0301clair", "cheap flights"]),
    }[column.type]


@st.composite
def raw_tables(draw: st.DrawFn) -> tuple[Table, list[dict[str, str]]]:
    table = canonical_tables()[draw(st.sampled_from(TABLES))]
    count = draw(st.integers(1, 12))
    rows = []
    for _ in range(count):
        row = {column.name: draw(good_text(column)) for column in table.columns}
        for name in draw(st.lists(st.sampled_from(table.column_names), max_size=1)):
            row[name] = draw(odd_texts)
        rows.append(row)
    rows += draw(st.lists(st.sampled_from(rows), max_size=3))
    return table, rows


def convert(column: Column, text: str) -> tuple[Any, str | None]:
    """(value, what is wrong) for one raw text."""
    if text == "" or text.isspace():
        return None, None if column.nullable else "missing_value"
    text = unicodedata.normalize("NFC", text)
    if column.type in ("string", "choice"):
        if column.choices and text not in column.choices:
            return None, "not_a_choice"
        if column.max_chars is not None and len(text) > column.max_chars:
            return None, "too_long"
        return text, None
    if column.type == "string_list":
        return [part.strip(" ") for part in text.split("|") if part.strip(" ")], None
    text = text.strip(" \t\r\n\u00a0\u3000")
    if column.type == "bool":
        value = {"true": True, "1": True, "false": False, "0": False}.get(text.lower())
        return value, "not_a_boolean" if value is None else None
    if column.type == "date":
        try:
            return datetime.strptime(text, "%Y-%m-%d").date(), None
        except ValueError:
            return None, "not_a_date"
    if column.type == "timestamp":
        return convert_time(text)
    whole, _, fraction = text.partition(".")
    digits = whole.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18) or ("." in text and set(fraction) != {"0"}):
        return None, "not_a_number"
    number = int(whole)
    smallest, largest = LIMITS[column.type]
    smallest = smallest if column.min is None else column.min
    if smallest is not None and number < smallest:
        return None, "below_minimum"
    return (None, "above_maximum") if largest is not None and number > largest else (number, None)


def convert_time(text: str) -> tuple[datetime | None, str | None]:
    if len(text) < 16 or text[10] not in "T ":
        return None, "not_a_timestamp"
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None, "not_a_timestamp"
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    if time > NOW + timedelta(days=1):
        return None, "timestamp_in_future"
    return (None, "timestamp_before_1990") if time.year < 1990 else (time, None)


def oracle(table: Table, raw: list[dict[str, str]]) -> tuple[list[dict[str, Any]], dict[int, str]]:
    """(kept rows, reason by row number from 1)."""
    kept: list[dict[str, Any]] = []
    wrong: dict[int, str] = {}
    seen = set()
    for number, row in enumerate(raw, 1):
        values = {column.name: convert(column, row[column.name]) for column in table.columns}
        reason = next((reason for _, reason in values.values() if reason), None)
        key = tuple(values[name][0] for name in table.key)
        if reason is None and key in seen:
            reason = "duplicate"
        if reason is not None:
            wrong[number] = reason
            continue
        seen.add(key)
        kept.append({name: value for name, (value, _) in values.items()})
    return kept, wrong


def write(folder: Path, raw_format: str, table: Table, raw: list[dict[str, str]]) -> tuple[Path, list[int]]:
    """(file, the line on which each row starts)."""
    path = folder / f"{table.name}.{raw_format}"
    if raw_format == "parquet":
        pq.write_table(pa.Table.from_pylist(raw), path)
        return path, list(range(1, len(raw) + 1))
    with path.open("w", encoding="utf-8", newline="") as file:
        if raw_format == "jsonl":
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in raw)
            return path, list(range(1, len(raw) + 1))
        writer = csv.DictWriter(file, table.column_names, lineterminator="\n")
        writer.writeheader()
        starts, line = [], 2
        for row in raw:
            starts.append(line)
            writer.writerow(row)
            line += 1 + sum(value.count("\n") for value in row.values())
        return path, starts


@pytest.mark.parametrize("raw_format", ["csv", "jsonl", "parquet"])
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=raw_tables())
def test_what_is_kept_and_why_the_rest_is_not_is_what_plain_python_says(
    raw_format: str, data: tuple[Table, list[dict[str, str]]]
) -> None:
    table, raw = data
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, lines = write(folder, raw_format, table, raw)
        report = ingest(raw_format, path, folder / "out", now=NOW, max_rejected=1.0)
        kept, wrong = oracle(table, raw)
        assert (report.read, report.kept, report.rejected) == (len(raw), len(kept), len(wrong))
        assert sum(report.reasons.values()) == report.rejected
        published = [row for part in log_parts(folder / "out")[table.name] for row in pq.read_table(part).to_pylist()]
        assert published == kept
        assert pq.read_schema(log_parts(folder / "out")[table.name][0]).equals(table.arrow_schema)
        listed = {}
        if wrong:
            text = (folder / "out" / str(report.files[0].record.rejects)).read_text("utf-8")
            listed = {record["line"]: record["reason"] for record in map(json.loads, text.splitlines())}
        assert listed == {lines[number - 1]: reason for number, reason in wrong.items()}
