"""XLSX with text as text: inline strings, row by row, and cells that stay text when somebody edits them."""

import math
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import IO

from indexes.errors import UsageError
from kr.planning.formats.plan_format import Column, ColumnValue
from kr.planning.formula_safety import begins_like_a_formula
from kr.planning.plan_row import Kind, PlanRow
from kr.planning.values import MICROS

MOST_ROWS = 1_048_575
MOST_CELL_CHARS = 32_767
FILE_CHUNK_BYTES = 2**16
# XlsxWriter writes when the workbook was made; the same rows must give the same bytes.
_MADE = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_WIDTHS = {"keyword": 32, "reasons": 60, "campaign": 24, "ad_group": 24, "final_url": 40}


def xlsx_chunks(columns: Sequence[Column], rows: Iterable[PlanRow]) -> Iterator[bytes]:
    """The bytes of a workbook of one sheet. UsageError beyond what a sheet holds.

    The rows go to a temporary file first: a workbook is a zip file, whose beginning depends on its end.
    """
    with tempfile.TemporaryFile(prefix="kr-export-") as file:
        _write(file, columns, rows)
        file.seek(0)
        while chunk := file.read(FILE_CHUNK_BYTES):
            yield chunk


def _write(file: IO[bytes], columns: Sequence[Column], rows: Iterable[PlanRow]) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(
        file,
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False},
    )
    book.set_properties({"created": _MADE})
    heading, literal = book.add_format({"bold": True}), book.add_format({"quote_prefix": True})
    formats = {
        Kind.MICROS: book.add_format({"num_format": "0.00####"}),
        Kind.FRACTION: book.add_format({"num_format": "0%"}),
    }
    sheet = book.add_worksheet("Keywords")
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, _WIDTHS.get(column.holds, 14))
        sheet.write_string(0, place, column.heading, heading)
    for number, row in enumerate(rows, start=1):
        if number > MOST_ROWS:
            raise UsageError("A sheet holds at most {most:,} rows.", "Export as csv, or fewer rows.", most=MOST_ROWS)
        for place, column in enumerate(columns):
            value = column.value(row)
            if value is None or value == "":
                continue
            amount = _number(column, value)
            if amount is not None:
                sheet.write_number(number, place, amount, formats.get(column.kind) if column.kind else None)
                continue
            text = "∞" if column.kind else str(value)
            if len(text) > MOST_CELL_CHARS:
                raise UsageError(
                    "Row {number}: {heading} has {length:,} characters; a cell holds {most:,}.",
                    "Export as csv or jsonl.",
                    number=number,
                    heading=column.heading,
                    length=len(text),
                    most=MOST_CELL_CHARS,
                )
            sheet.write_string(number, place, text, literal if begins_like_a_formula(text) else None)
    book.close()


def _number(column: Column, value: ColumnValue) -> float | None:
    """What a cell of numbers holds; None for text and infinity."""
    if column.kind is None or value is None or math.isinf(float(value)):
        return None
    return float(value) / MICROS if column.kind is Kind.MICROS else float(value)
