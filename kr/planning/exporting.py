"""Writing rows as files, piece by piece: a million rows need no more memory than a thousand."""

import csv
import io
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from indexes.errors import UsageError
from kr.planning import values
from kr.planning.formats import plain
from kr.planning.formats.known import WRITTEN_TABLES
from kr.planning.formats.plan_format import Column, ColumnValue, WrittenFormat
from kr.planning.formula_safety import guard_with_apostrophe, guard_with_space
from kr.planning.json_rows import row_as_dict
from kr.planning.plan_row import Kind, PlanRow

CHUNK_CHARS = 2**16
FILE_CHUNK_BYTES = 2**16

FORMATS = ("csv", "xlsx", "google_ads_editor", "microsoft_bulk", "google_keyword_planner", "jsonl")
SUFFIXES = {"xlsx": ".xlsx", "jsonl": ".jsonl"}
MEDIA_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/jsonl",
}
CSV_MEDIA_TYPE = "text/csv"
_HELD = ("campaign", "ad_group", "match_type", "negative", "max_cpc_micros", "currency", "final_url", "status",
         "labels", "metrics", "months", "reasons", "other")  # fmt: skip


@dataclass
class ExportReport:
    """What was written: `rows`, and for how many of them a field had no place in the format."""

    format: str
    rows: int = 0
    not_held: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Export:
    """How rows are to be written. `only_ideas` leaves out the plain columns that keyword ideas never fill in."""

    format: str
    months: Sequence[str] = ()
    language: str = "en"
    only_ideas: bool = False

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise UsageError(
                "“{format}” is not a format that is written.",
                "Use one of {choices}.",
                format=self.format,
                choices=", ".join(FORMATS),
            )

    @property
    def suffix(self) -> str:
        """The ending of the file's name."""
        return SUFFIXES.get(self.format, ".csv")

    @property
    def media_type(self) -> str:
        """The type that HTTP declares."""
        return MEDIA_TYPES.get(self.format, CSV_MEDIA_TYPE)

    @property
    def charset(self) -> str | None:
        """The encoding that HTTP declares; None for what is no text."""
        if self.format == "xlsx":
            return None
        written = WRITTEN_TABLES.get(self.format)
        return written.encoding.removesuffix("-sig") if written else "utf-8"

    @property
    def columns(self) -> list[Column]:
        """The columns of the table."""
        if self.format in ("csv", "xlsx"):
            make = plain.idea_columns if self.only_ideas else plain.plain_columns
            return make(self.months, self.language)
        return WRITTEN_TABLES[self.format].columns(self.months)

    def chunks(self, rows: Iterable[PlanRow], report: ExportReport | None = None) -> Iterator[bytes]:
        """The file's bytes; the same rows give the same bytes. `report` is filled in on the way."""
        report = report or ExportReport(self.format)
        if self.format == "jsonl":
            return _json_chunks(_counted(rows, report, frozenset(_HELD)))
        columns = self.columns
        held = frozenset(column.holds.split(":")[0].replace("metric", "metrics") for column in columns)
        # A table tells a row's match type and whether it is negative in one column, or in two.
        held |= {"negative"} if self.format == "google_ads_editor" else set()
        rows = _counted(rows, report, held)
        if self.format == "xlsx":
            from kr.planning.workbook_writer import xlsx_chunks

            return xlsx_chunks(columns, rows)
        return _csv_chunks(WRITTEN_TABLES[self.format], columns, rows)

    def write(self, rows: Iterable[PlanRow], path: Path) -> ExportReport:
        """Write a file, whole or not at all: it gets its name when it is complete."""
        report = ExportReport(self.format)
        write_whole(path, self.chunks(rows, report))
        return report


def write_whole(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file under another name and rename it when all of it is written."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                Path(file.name).chmod(0o644)
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise UsageError(
            "{file} cannot be written: {strerror}.",
            "Name a file in a folder of yours.",
            file=path,
            strerror=error.strerror,
        ) from error


def _counted(rows: Iterable[PlanRow], report: ExportReport, held: frozenset[str]) -> Iterator[PlanRow]:
    without_place = [name for name in _HELD if name not in held]
    for row in rows:
        report.rows += 1
        for name in without_place:
            if getattr(row, name):
                report.not_held[name] += 1
        yield row


def _json_chunks(rows: Iterable[PlanRow]) -> Iterator[bytes]:
    lines: list[str] = []
    size = 0
    for row in rows:
        lines.append(json.dumps(row_as_dict(row), ensure_ascii=False, allow_nan=False))
        size += len(lines[-1])
        if size > CHUNK_CHARS:
            yield ("\n".join(lines) + "\n").encode()
            lines, size = [], 0
    if lines:
        yield ("\n".join(lines) + "\n").encode()


def _csv_chunks(table: WrittenFormat, columns: Sequence[Column], rows: Iterable[PlanRow]) -> Iterator[bytes]:
    encoding = table.encoding.removesuffix("-sig")
    buffer = io.StringIO()
    write = csv.writer(buffer, delimiter=table.delimiter, lineterminator="\r\n").writerow
    write([column.heading for column in columns])
    for first in table.first_rows(columns):
        write(first)
    yield "\ufeff".encode(encoding)
    for row in rows:
        write([_cell_text(column, column.value(row), table.guard) for column in columns])
        if buffer.tell() > CHUNK_CHARS:
            yield buffer.getvalue().encode(encoding)
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode(encoding)


def _cell_text(column: Column, value: ColumnValue, guard: str) -> str:
    if value is None:
        return column.unknown
    if column.kind is Kind.MICROS:
        return values.write_micros(int(value))
    if column.kind is Kind.FRACTION:
        return values.write_fraction(float(value))
    if column.kind is Kind.NUMBER:
        return values.write_number(value)  # type: ignore[arg-type]
    text = str(value)
    return guard_with_apostrophe(text) if guard == "apostrophe" else guard_with_space(text, column.holds == "keyword")
