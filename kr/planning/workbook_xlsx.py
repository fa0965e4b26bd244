"""XLSX workbooks, checked before they are opened: what they unpack to is bounded, and their XML has no entities."""

import math
import re
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from xml.parsers import expat

from indexes.errors import KRError, UsageError
from kr.planning.accounting import Rejection
from kr.planning.records import MAX_COLUMNS, Cell, Record, UnusableCell
from kr.planning.source_file import SourceFile

MAX_SHEET_ROWS = 1_048_576
MAX_MEMBERS = 1_000
MAX_GAP_ROWS = 4 * MAX_SHEET_ROWS
"""Rows that a file only skips are read as blank ones; so many of them in all are an attack, not a table."""
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_XML_BLOCK = 2**16


class XlsxFile:
    """The sheets of a workbook, read row by row, as a container (`kr.planning.records.Container`).

    Shared strings, which most programs write, are held in memory; they count towards the source's limit.
    """

    kind = "xlsx"
    ragged = True
    encoding: str | None = None
    delimiter: str | None = None

    def __init__(self, source: SourceFile) -> None:
        """UsageError for what is no workbook, unpacks to more than allowed, or declares entities."""
        self._source = source
        self._gap_rows = 0
        with source.open() as file:
            try:
                with zipfile.ZipFile(file) as archive:
                    self._check(archive)
            except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError) as error:
                raise self._damaged(error) from error

    def _check(self, archive: zipfile.ZipFile) -> None:
        members = archive.infolist()
        # zipfile never unpacks more of a member than its directory declares, so that the sum bounds all reading.
        if sum(member.file_size for member in members) > self._source.most_bytes or len(members) > MAX_MEMBERS:
            raise UsageError(
                "{file} unpacks to more than {most:,} bytes or {most_parts:,} parts.",
                "Save the keywords alone in a new workbook, or as CSV.",
                file=self._source.name,
                most=self._source.most_bytes,
                most_parts=MAX_MEMBERS,
            )
        if "xl/workbook.xml" not in archive.namelist():
            raise UsageError(
                "{file} is a zip file but no XLSX workbook.", "Save it as .xlsx or .csv.", file=self._source.name
            )
        for member in members:
            if member.filename.endswith((".xml", ".rels", ".vml")):
                self._check_xml(archive, member)

    def _check_xml(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        """Refuse a document type, which alone can declare entities; it may only stand before the first element."""
        reached_element = False

        def element(*_: object) -> None:
            nonlocal reached_element
            reached_element = True

        def document_type(*_: object) -> None:
            raise UsageError(
                "{file}: {part} declares a document type; workbooks have none.",
                "Open it in a spreadsheet program and save it anew.",
                file=self._source.name,
                part=member.filename,
            )

        parser = expat.ParserCreate()
        parser.StartElementHandler = element
        parser.StartDoctypeDeclHandler = document_type
        with archive.open(member) as part:
            while not reached_element and (block := part.read(_XML_BLOCK)):
                try:
                    parser.Parse(block, False)
                except expat.ExpatError as error:
                    if not reached_element:
                        raise UsageError(
                            "{file}: {part} is not XML ({error}).",
                            "Save the workbook anew.",
                            file=self._source.name,
                            part=member.filename,
                            error=error,
                        ) from error

    @property
    def sheets(self) -> tuple[str, ...]:
        """The names of the sheets that hold cells."""
        with self._open() as book:
            return tuple(sheet.title for sheet in book.worksheets)

    def records(self, sheet: str) -> Iterator[Record | Rejection]:
        """The rows of a sheet."""
        with self._open() as book:
            yield from self._rows(book[sheet])

    @contextmanager
    def _open(self) -> Iterator[Any]:
        import openpyxl

        with self._source.open() as file:
            try:
                with closing(openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)) as book:
                    yield book
            except KRError:
                raise
            except Exception as error:  # openpyxl raises whatever a damaged part leads it to
                raise self._damaged(error) from error

    def _rows(self, sheet: Any) -> Iterator[Record]:
        from openpyxl.cell.read_only import EMPTY_CELL

        # The size that a sheet declares may be that of the whole grid, and a cell may claim any place in it.
        sheet.reset_dimensions()
        width, previous = 1, None
        rows = sheet.iter_rows(max_row=MAX_SHEET_ROWS, max_col=MAX_COLUMNS + 1)
        for number, row in enumerate(rows, start=1):
            if row is previous:
                # One tuple stands for all rows of a gap, which may be a million.
                self._count_gap()
                yield Record(number, [], sheet.title)
                continue
            previous = row
            if any(cell is not EMPTY_CELL for cell in row[width:]):
                filled = [place for place, cell in enumerate(row, start=1) if cell.value is not None]
                width = max([width, *filled])
            if width > MAX_COLUMNS:
                raise UsageError(
                    "{file}, sheet {sheet}, row {number} has more than {most_columns} columns.",
                    "Keep the columns that describe keywords.",
                    file=self._source.name,
                    sheet=sheet.title,
                    number=number,
                    most_columns=MAX_COLUMNS,
                )
            yield Record(number, [_cell(cell) for cell in row[:width]], sheet.title)

    def _count_gap(self) -> None:
        self._gap_rows += 1
        if self._gap_rows > MAX_GAP_ROWS:
            raise UsageError(
                "{file} has too many empty rows between its cells.",
                "Delete them, or save it as CSV.",
                file=self._source.name,
            )

    def other_split(self, record: Record, width: int) -> list[Cell] | None:
        """Cells of a sheet need no separator."""
        return None

    def _damaged(self, error: Exception) -> UsageError:
        return UsageError(
            "{file} cannot be read as XLSX: {reason}.",
            "Open it in a spreadsheet program and save it anew, or as CSV.",
            file=self._source.name,
            reason=error or type(error).__name__,
        )


def _cell(cell: Any) -> Cell:
    value, kind = cell.value, cell.data_type
    if value is None:
        return ""
    if kind == "f":
        return UnusableCell("formula", str(value))
    if kind == "e":
        return UnusableCell("error_value", str(value))
    if kind == "d":
        return UnusableCell("date", str(value))
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return value if math.isfinite(value) else UnusableCell("error_value", str(value))
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), str(value))
