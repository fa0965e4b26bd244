"""XLS workbooks of the time before 2007: at most 65,536 rows a sheet, read whole."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from indexes.errors import UsageError
from kr.planning.accounting import Rejection
from kr.planning.records import MAX_COLUMNS, Cell, Record, UnusableCell
from kr.planning.source_file import SourceFile


class XlsFile:
    """The sheets of a workbook, as a container (`kr.planning.records.Container`). The format tells results of formulas
    from typed values only in parts that are not read, so that results are taken as values."""

    kind = "xls"
    ragged = True
    encoding: str | None = None
    delimiter: str | None = None

    def __init__(self, source: SourceFile) -> None:
        """UsageError for what is no such workbook or is locked with a password."""
        import io

        import xlrd

        self._name = source.name
        with source.open() as file:
            try:
                # What xlrd has to say of odd files goes nowhere: it prints to stdout, which is for data.
                self._book = xlrd.open_workbook(file_contents=file.read(), logfile=io.StringIO(), ragged_rows=True)
            except Exception as error:  # xlrd raises whatever a damaged part leads it to
                raise UsageError(
                    "{file} cannot be read as XLS: {reason}.",
                    "If it is locked with a password, unlock it; else save it anew as .xlsx or .csv.",
                    file=source.name,
                    reason=error or type(error).__name__,
                ) from error

    @property
    def sheets(self) -> tuple[str, ...]:
        """The names of the sheets."""
        return tuple(self._book.sheet_names())

    def records(self, sheet: str) -> Iterator[Record | Rejection]:
        """The rows of a sheet."""
        found = self._book.sheet_by_name(sheet)
        if found.ncols > MAX_COLUMNS:
            raise UsageError(
                "{file}, sheet {sheet} has more than {most_columns} columns.",
                "Keep the columns that describe keywords.",
                file=self._name,
                sheet=sheet,
                most_columns=MAX_COLUMNS,
            )
        for place in range(found.nrows):
            yield Record(place + 1, [self._cell(cell) for cell in found.row(place)], sheet)

    def other_split(self, record: Record, width: int) -> list[Cell] | None:
        """Cells of a sheet need no separator."""
        return None

    def _cell(self, cell: Any) -> Cell:
        import xlrd

        if cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
            return ""
        if cell.ctype == xlrd.XL_CELL_ERROR:
            return UnusableCell("error_value", xlrd.error_text_from_code.get(cell.value, "#ERROR"))
        if cell.ctype == xlrd.XL_CELL_BOOLEAN:
            return "TRUE" if cell.value else "FALSE"
        if cell.ctype == xlrd.XL_CELL_DATE:
            return UnusableCell("date", self._date(cell.value))
        if cell.ctype == xlrd.XL_CELL_NUMBER:
            return float(cell.value)
        return str(cell.value)

    def _date(self, value: float) -> str:
        import xlrd

        try:
            return datetime(*xlrd.xldate_as_tuple(value, self._book.datemode)).isoformat(" ")
        except ValueError:  # a time without a date, or a number beyond the calendar
            return str(value)
