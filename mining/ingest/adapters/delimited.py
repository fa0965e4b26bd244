"""CSV files: a header, quoted fields that may hold line ends, any delimiter and encoding, and rows that are broken.

A block in which every row stands on a line of its own and every quote in its place is split by Arrow; any other block
is read row by row by the csv module, with the same outcome. A row that cannot be taken apart costs that row and no
more: where a quote is opened and never closed, its line is rejected and reading goes on with the line after it.
"""

import csv
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from indexes.errors import UsageError
from indexes.terminal import Advance
from mining.ingest.adapters.header import constant_columns, raw_columns
from mining.ingest.batch import Batch, Stretch, text_array
from mining.ingest.inputs import Input
from mining.ingest.mapping import TableMapping
from mining.ingest.reasons import Reject
from mining.ingest.text_input import find_encoding, has_lone_surrogate, open_bytes

BLOCK_CHARS = 4 * 2**20
"""How much of a file is looked at together."""
LONGEST_ROW_LINES = 10_000
"""A quoted field that runs on over more lines is a quote that somebody forgot to close."""
LONGEST_FIELD_CHARS = 16 * 2**20

csv.field_size_limit(max(csv.field_size_limit(), LONGEST_FIELD_CHARS))


def read_delimited(item: Input, mapping: TableMapping, advance: Advance) -> Iterator[Stretch]:
    """The rows of a CSV file. Raises UsageError for a header or an encoding that does not fit."""
    encoding = find_encoding(item.path, item.encoding, fallback=None, line_based=False)
    delimiter = mapping.delimiter or ("\t" if ".tsv" in item.path.suffixes else ",")
    if delimiter == mapping.quote:
        raise UsageError(f"The delimiter and the quote are both {delimiter!r}.", "Correct the mapping.")
    with open_bytes(item.path, advance) as file:
        text = io.TextIOWrapper(
            file, "utf-8-sig" if encoding == "utf-8" else encoding, errors="surrogateescape", newline="\n"
        )
        lines = _Lines(text)
        header = next((row for row in _rows(lines, delimiter, mapping.quote) if isinstance(row, _Row)), None)
        if header is None:
            return
        names = [name.strip() for name in header.fields]
        layout = _Layout(mapping, names, raw_columns(item.path, mapping, names), delimiter)
        while lines.fill():
            yield (layout.batch_of_block(lines) or layout.batch_by_rows(lines),)


@dataclass(slots=True)
class _Row:
    """One row as taken apart, and its text with the line end, which only the last of a file may lack."""

    line: int
    fields: list[str]
    raw: str


class _Lines:
    """The lines of a file, a block of them at a time, and those of the row that csv.reader is at: reading can go back
    into a broken row. A row may run on into the next block."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._waiting: deque[str] = deque()
        self._number = 0
        self.row_lines: list[str] = []

    def fill(self) -> bool:
        """Have lines waiting, unless the file is at its end."""
        if not self._waiting:
            self._waiting.extend(self._text.readlines(BLOCK_CHARS))
        return bool(self._waiting)

    def take_block(self) -> tuple[int, list[str]]:
        """All waiting lines and the number of the first."""
        first, lines = self._number + 1, list(self._waiting)
        self._number += len(lines)
        self._waiting.clear()
        return first, lines

    def give_back(self, lines: list[str]) -> None:
        """Have lines wait that were taken last."""
        self._waiting.extendleft(reversed(lines))
        self._number -= len(lines)

    @property
    def at_block_end(self) -> bool:
        return not self._waiting

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if len(self.row_lines) >= LONGEST_ROW_LINES:
            raise csv.Error("the row is too long")
        if not self._waiting and not self.fill():
            raise StopIteration
        line = self._waiting.popleft()
        self._number += 1
        self.row_lines.append(line)
        return line

    @property
    def row_start(self) -> int:
        """The number of the first line of the row."""
        return self._number - len(self.row_lines) + 1

    def keep_only_first(self) -> None:
        """Give back all lines of the row but the first."""
        self.give_back(self.row_lines[1:])
        del self.row_lines[1:]


def _rows(lines: _Lines, delimiter: str, quote: str) -> Iterator[_Row | Reject]:
    """Rows and broken rows; blank lines are none."""
    reader = (
        csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True)
        if quote
        else csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
    )
    while True:
        lines.row_lines.clear()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            after_quote = "expected after" in str(error)
            lines.keep_only_first()
            raw = lines.row_lines[0]
            torn = not raw.endswith("\n")
            reason = "torn_line" if torn else "malformed_quote" if after_quote else "unclosed_quote"
            yield Reject(lines.row_start, reason, raw.rstrip("\r\n"))
            continue
        if fields:
            yield _Row(lines.row_start, fields, "".join(lines.row_lines))


class _Layout:
    """How the rows of one file become batches: `feeding` maps canonical names to names in the header."""

    def __init__(self, mapping: TableMapping, names: list[str], feeding: dict[str, str], delimiter: str) -> None:
        self._mapping = mapping
        self._table = mapping.table.name
        self._names = names
        self._feeding = feeding
        self._delimiter = delimiter

    def batch_of_block(self, lines: _Lines) -> Batch | None:
        """The waiting block as a batch, if its rows are lines and its quotes are in order; otherwise the lines stay."""
        first, block = lines.take_block()
        joined = "".join(block).replace("\r\n", "\n")
        torn = not joined.endswith("\n")
        fields = None
        if "\r" not in joined and self._delimiter.isascii() and self._mapping.quote.isascii():
            content = joined.encode("utf-8", "surrogatepass") + (b"\n" if torn else b"")
            fields = _fields_by_line(content, self._delimiter.encode(), self._mapping.quote.encode())
        if fields is None or has_lone_surrogate(joined):
            lines.give_back(block)
            return None
        right = fields == len(self._names)
        if not right.all():
            content = b"".join(line for line, is_right in zip(content.splitlines(True), right, strict=True) if is_right)
        columns = self._split(content) if content else {}
        rejects = [
            self._wrong_length(first + position, block[position], int(fields[position]))
            for position in np.flatnonzero(~right & (fields > 0)).tolist()
        ]
        positions = np.flatnonzero(right)
        columns |= constant_columns(self._mapping, len(positions))
        numbers = positions + first
        return Batch(
            self._table,
            numbers,
            columns,
            lambda wanted: [block[positions[position]].rstrip("\r\n") for position in wanted],
            rejects,
        )

    def _split(self, content: bytes) -> dict[str, pa.Array]:
        places = [f"{place}" for place in range(len(self._names))]
        wanted = {raw: places[self._names.index(raw)] for raw in sorted(set(self._feeding.values()))}
        read = pa_csv.read_csv(
            io.BytesIO(content),
            pa_csv.ReadOptions(column_names=places, block_size=len(content)),
            pa_csv.ParseOptions(
                delimiter=self._delimiter, quote_char=self._mapping.quote or False, ignore_empty_lines=False
            ),
            pa_csv.ConvertOptions(
                column_types=dict.fromkeys(wanted.values(), pa.string()),
                include_columns=list(wanted.values()),
                strings_can_be_null=False,
            ),
        ).combine_chunks()
        return {canonical: read[wanted[raw]].chunk(0) for canonical, raw in self._feeding.items()}

    def batch_by_rows(self, lines: _Lines) -> Batch:
        """The rows up to the end of a block, one by one."""
        good: list[_Row] = []
        rejects: list[Reject] = []
        for row in _rows(lines, self._delimiter, self._mapping.quote):
            if isinstance(row, Reject):
                rejects.append(Reject(row.line, row.reason, row.raw, self._table))
            elif len(row.fields) != len(self._names):
                rejects.append(self._wrong_length(row.line, row.raw, len(row.fields)))
            else:
                good.append(row)
            if lines.at_block_end:
                break
        places = {canonical: self._names.index(raw) for canonical, raw in self._feeding.items()}
        try:
            columns = {name: text_array([row.fields[place] for row in good]) for name, place in places.items()}
        except UnicodeEncodeError:
            bad = [any(has_lone_surrogate(row.fields[place]) for place in places.values()) for row in good]
            undecodable = [row for row, is_bad in zip(good, bad, strict=True) if is_bad]
            rejects += [Reject(row.line, "undecodable", row.raw.rstrip("\r\n"), self._table) for row in undecodable]
            rejects.sort(key=lambda reject: reject.line)
            good = [row for row, is_bad in zip(good, bad, strict=True) if not is_bad]
            columns = {name: text_array([row.fields[place] for row in good]) for name, place in places.items()}
        columns |= constant_columns(self._mapping, len(good))
        numbers = np.array([row.line for row in good], np.int64)
        return Batch(
            self._table,
            numbers,
            columns,
            lambda wanted: [good[position].raw.rstrip("\r\n") for position in wanted],
            rejects,
        )

    def _wrong_length(self, line: int, raw: str, fields: int) -> Reject:
        torn = not raw.endswith("\n") and fields < len(self._names)
        detail = None if torn else f"The row has {fields} columns, the header {len(self._names)}."
        reason = "torn_line" if torn else "wrong_columns"
        return Reject(line, reason, raw.rstrip("\r\n"), self._table, detail=detail)


def _fields_by_line(content: bytes, delimiter: bytes, quote: bytes) -> np.ndarray | None:
    """How many fields each line has, int64, 0 for a blank line; None unless lines are rows and quotes are in order.

    In order means: a quote opens a field at its very start and closes it at its very end, or two stand for one inside.
    """
    text = np.frombuffer(content, np.uint8)
    ends = np.flatnonzero(text == ord("\n"))
    separates = text == ord(delimiter)
    if quote and quote in content:
        is_quote = text == ord(quote)
        inside = np.bitwise_xor.accumulate(is_quote)
        if inside[ends].any():
            return None
        at = np.flatnonzero(is_quote)
        opening, closing = at[0::2], at[1::2]
        borders = separates | is_quote | (text == ord("\n"))
        if not (borders[opening - 1] | (opening == 0)).all() or not borders[closing + 1].all():
            return None
        separates &= ~inside
    counts = np.diff(np.searchsorted(np.flatnonzero(separates), ends), prepend=0) + 1
    counts[np.diff(ends, prepend=-1) == 1] = 0
    return counts
