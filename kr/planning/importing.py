"""Reading a file of keywords, whatever its format: rows one by one, and an accounting that adds up."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

from indexes.errors import UsageError
from kr.planning import values
from kr.planning.accounting import ImportReport, Rejection
from kr.planning.delimited import DelimitedFile
from kr.planning.duplicates import SeenRows
from kr.planning.formats.known import recognise
from kr.planning.formats.plan_format import PlanFormat
from kr.planning.headers import header_score
from kr.planning.json_rows import JsonRows
from kr.planning.plan_row import PlanRow
from kr.planning.records import Container, Record
from kr.planning.row_reader import RowReader
from kr.planning.source_file import OLE_MAGIC, ZIP_MAGIC, SourceFile
from kr.planning.workbook_xls import XlsFile
from kr.planning.workbook_xlsx import XlsxFile

HEADER_LINES = 50
"""How many lines that hold something are searched for a header."""
SAMPLE_ROWS = 1_000
"""How many rows tell the decimal mark, or the column of keywords where there is no header."""


@dataclass(frozen=True)
class _Sheet:
    """A sheet with keywords: its header and where it stands (0: there is none), and how rows are read."""

    name: str
    header_line: int
    reader: RowReader


class PlanImport:
    """One import. Iterate it once; `report` is complete when the iteration is."""

    def __init__(
        self, source: SourceFile, *, max_rows: int, encoding: str | None = None, drop_duplicates: bool = False
    ) -> None:
        """Find out the format. UsageError for a file that is none of those that are read, or damaged."""
        self._source = source
        self._max_rows = max_rows
        self._drop_duplicates = drop_duplicates
        self._seen = SeenRows()
        self.report = ImportReport()
        start = source.head(8)
        if not start.strip():
            raise UsageError("{file} is empty.", "Name a file with a keyword a line.", file=source.name)
        if start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b'{"'):
            self._json: JsonRows | None = JsonRows(source)
            self.report.format, self.report.container, self.report.encoding = "kr_json_lines", "jsonl", "utf-8"
            return
        self._json = None
        self._container: Container
        if start.startswith(ZIP_MAGIC):
            self._container = XlsxFile(source)
        elif start.startswith(OLE_MAGIC):
            self._container = XlsFile(source)
        else:
            self._container = DelimitedFile(source, encoding)
        report, container = self.report, self._container
        report.container, report.encoding, report.delimiter = container.kind, container.encoding, container.delimiter
        self._sheets = self._find_tables()
        report.months = tuple(dict.fromkeys(month for sheet in self._sheets for month in sheet.reader.months))

    def _find_tables(self) -> list[_Sheet]:
        """The sheets that have a header with a keyword column; if none has, the first that holds anything."""
        heads = {name: self._head(name) for name in self._container.sheets}
        tables = []
        for name, head in heads.items():
            header = next((record for record in head if header_score(record.cells) > 1), None)
            if header is None and head and header_score(head[0].cells) == 1:
                header = head[0]
            if header:
                tables.append(self._table(name, header))
        if tables:
            return tables
        for name, head in heads.items():
            if head:
                return [self._table_without_header(name)]
        raise UsageError("{file} holds no keywords.", "Name a file with a keyword a line.", file=self._source.name)

    def _head(self, sheet: str) -> list[Record]:
        records = (r for r in self._container.records(sheet) if isinstance(r, Record) and not r.is_blank)
        return list(itertools.islice(records, HEADER_LINES))

    def _sample(self, sheet: str, after: int) -> list[Record]:
        records = (r for r in self._container.records(sheet) if isinstance(r, Record) and r.line > after)
        return list(itertools.islice((record for record in records if not record.is_blank), SAMPLE_ROWS))

    def _table(self, sheet: str, header: Record) -> _Sheet:
        format = recognise(header.cells)
        cells = header.cells
        if self._container.ragged:
            while cells and not str(cells[-1]).strip():
                cells = cells[:-1]
        reader = RowReader(format, cells, self.report, is_text=self._container.kind == "csv")
        numbers = (text for record in self._sample(sheet, header.line) for text in reader.numbers_in(record))
        default = "," if self._container.delimiter == ";" else format.decimal_mark
        self._name_format(format)
        self.report.decimal_mark = values.decide_decimal_mark(numbers, default)
        return _Sheet(sheet, header.line, reader)

    def _table_without_header(self, sheet: str) -> _Sheet:
        """Keywords stand in the column that holds letters most often, and among equals most different texts."""
        sample = self._sample(sheet, 0)
        width = max(len(record.cells) for record in sample)
        usual = max(set(lengths := [len(record.cells) for record in sample]), key=lengths.count)
        width = width if self._container.ragged else usual
        columns = [[str(r.cells[place]) for r in sample if place < len(r.cells)] for place in range(width)]
        lettered = [sum(any(map(str.isalpha, text)) for text in column) for column in columns]
        place = max(range(width), key=lambda place: (lettered[place], len(set(columns[place])), -place))
        header = ["keyword" if column == place else f"column {column + 1}" for column in range(width)]
        format = recognise(["keyword"])
        self._name_format(format)
        reader = RowReader(format, header, self.report, is_text=self._container.kind == "csv", has_header=False)
        return _Sheet(sheet, 0, reader)

    def _name_format(self, format: PlanFormat) -> None:
        self.report.format = self._container.kind if format.name == "plain" else format.name

    def __iter__(self) -> Iterator[PlanRow | Rejection]:
        """Every row of the file, taken or not. UsageError after the most rows that may be imported."""
        for item in self._json_items() if self._json else self._items():
            self.report.read += 1
            if self.report.read > self._max_rows:
                raise UsageError(
                    "{file} has more than {most:,} rows; nothing was imported.",
                    "Split it, or have the operator raise KR_PLAN_MAX_ROWS.",
                    file=self._source.name,
                    most=self._max_rows,
                )
            if isinstance(item, PlanRow):
                item = self._judge(item)
            if isinstance(item, Rejection):
                self.report.reasons[item.reason] += 1
            else:
                self.report.kept += 1
            yield item

    def _judge(self, row: PlanRow) -> PlanRow | Rejection:
        if not self._seen.add(row):
            return row
        if self._drop_duplicates:
            return Rejection(row.line, "duplicate", "keyword", row.keyword, row.sheet)
        self.report.warnings["duplicates"] += 1
        return replace(row, duplicate=True)

    def months(self) -> tuple[str, ...]:
        """The months whose searches the file tells; JSON lines, which have no header, are read through for them."""
        if self._json:
            found = {month for _, item in self._json.rows() if isinstance(item, PlanRow) for month in item.months}
            self.report.months = tuple(sorted(found))
        return self.report.months

    def _json_items(self) -> Iterator[PlanRow | Rejection]:
        assert self._json
        for number, item in self._json.rows():
            if item is None:
                self.report.set_aside["blank"] += 1
            elif isinstance(item, Rejection):
                yield item
            else:
                yield replace(item, line=number)

    def _items(self) -> Iterator[PlanRow | Rejection]:
        tables = {sheet.name: sheet for sheet in self._sheets}
        for name in self._container.sheets:
            if table := tables.get(name):
                yield from self._rows(table)
            else:
                for record in self._container.records(name):
                    is_blank = isinstance(record, Record) and record.is_blank
                    self.report.set_aside["blank" if is_blank else "sheet_without_keywords"] += 1

    def _rows(self, table: _Sheet) -> Iterator[PlanRow | Rejection]:
        set_aside, reader = self.report.set_aside, table.reader
        for record in self._container.records(table.name):
            if isinstance(record, Rejection):
                if record.line < table.header_line:
                    set_aside["preamble"] += 1
                else:
                    yield record
            elif record.is_blank:
                set_aside["blank"] += 1
            elif record.line <= table.header_line:
                set_aside["header" if record.line == table.header_line else "preamble"] += 1
            else:
                item = self._with_right_width(record, reader.width) or reader.read(record)
                if item is None:
                    set_aside["about_the_file"] += 1
                else:
                    yield item

    def _with_right_width(self, record: Record, width: int) -> Rejection | None:
        """Mend the record's cells where that is certain, or say why the row cannot be taken."""
        cells = record.cells
        if self._container.ragged or len(cells) == width:
            return None
        if len(cells) > width and not any(str(cell).strip() for cell in cells[width:]):
            record.cells = cells[:width]
            return None
        if (split := self._container.other_split(record, width)) is not None:
            self.report.warnings["other_separator"] += 1
            record.cells = split
            return None
        reason = "torn_line" if record.torn and len(cells) < width else "wrong_columns"
        shown = (self._container.delimiter or "").join(map(str, cells))
        return Rejection(record.line, reason, f"{len(cells)} of {width} columns", shown)
