"""CSV in every shape that it comes in: separators found out, quotes that nobody closed, lines without end.

A row that cannot be taken apart costs that row and no more: reading goes on with the line after the one it began in.
"""

import csv
import io
from collections import Counter, deque
from collections.abc import Iterator

from kr.planning.accounting import Rejection
from kr.planning.encodings import find_encoding
from kr.planning.headers import header_score
from kr.planning.records import MAX_CELL_CHARS, Cell, Record
from kr.planning.source_file import SourceFile

DELIMITERS = "\t,;|"
SAMPLE_LINES = 200
LONGEST_LINE_CHARS = 2**20
LONGEST_ROW_LINES = 100
"""A quoted cell that runs on over more lines is a quote that somebody forgot to close."""
FITTING_SHARE = 0.8
"""The share of lines without a header that must split into equally many cells for the text to be a table at all."""

csv.field_size_limit(max(csv.field_size_limit(), LONGEST_ROW_LINES * LONGEST_LINE_CHARS))


class DelimitedFile:
    """A text file of rows, as a container (`kr.planning.records.Container`)."""

    kind = "csv"
    ragged = False
    sheets = ("",)

    def __init__(self, source: SourceFile, encoding: str | None = None) -> None:
        """UsageError if the encoding is none that is known."""
        self._source = source
        self.encoding: str | None = find_encoding(source, encoding)
        self.delimiter: str | None = self._find_delimiter()

    def records(self, sheet: str = "") -> Iterator[Record | Rejection]:
        """All rows; those that cannot be taken apart as rejections."""
        with self._text() as text:
            lines = _Lines(text)
            while (line := lines.take()) is not None:
                yield self._record(lines, line)

    def _record(self, lines: "_Lines", line: str) -> Record | Rejection:
        number, start = lines.number, line[:MAX_CELL_CHARS]
        if lines.was_cut:
            return Rejection(number, "huge_row", value=start)
        torn = not line.endswith("\n")
        bare = line.rstrip("\n")
        if self.delimiter is None:
            return Record(number, [_unquoted(bare)], torn=torn)
        if '"' not in bare:
            return Record(number, list(bare.split(self.delimiter)), torn=torn)
        try:
            cells = next(csv.reader(lines.from_line(line), delimiter=self.delimiter, strict=True))
        except StopIteration:
            return Record(number, [], torn=torn)
        except csv.Error as error:
            lines.keep_first()
            # A bare `5" pipe` in an unquoted cell is no mistake to csv; text after a closing quote is.
            reason = "malformed_quote" if "expected after" in str(error) else "unbalanced_quote"
            return Rejection(number, reason, value=start.rstrip("\n"))
        return Record(number, list(cells), torn=lines.ended_torn)

    def other_split(self, record: Record, width: int) -> list[Cell] | None:
        """The cells if exactly one other separator gives as many as there should be."""
        texts = [str(cell) for cell in record.cells]
        joined = (self.delimiter or "").join(texts)
        if '"' in joined:
            return None
        fitting = [other for other in DELIMITERS if other != self.delimiter and joined.count(other) == width - 1]
        return list(joined.split(fitting[0])) if len(fitting) == 1 else None

    def _text(self) -> "_OpenText":
        return _OpenText(self._source, self.encoding or "utf-8-sig")

    def _find_delimiter(self) -> str | None:
        """The separator under which a header is found, else the one under which most lines have equally many cells.

        None if the lines hold one cell each: a list of keywords, in which a comma is a comma.
        """
        with self._text() as text:
            lines = _Lines(text)
            sample = [line for _ in range(SAMPLE_LINES) if (line := lines.take()) is not None and line.strip()]
        split = {mark: [_cells_of(line, mark) for line in sample] for mark in DELIMITERS}
        scores = {mark: max(map(header_score, rows), default=0) for mark, rows in split.items()}
        best = max(DELIMITERS, key=lambda mark: (scores[mark], max(map(len, split[mark]), default=0)))
        if scores[best] > 1:
            return best
        if any(header_score([line]) for line in sample[:1]):
            return None
        counts = {mark: Counter(len(row) for row in rows if len(row) > 1) for mark, rows in split.items()}
        usual = {mark: count.most_common(1)[0] for mark, count in counts.items() if count}
        if not usual:
            return None
        main = max(usual, key=lambda mark: usual[mark][1])
        width = usual[main][0]
        fitting = sum(any(len(split[mark][place]) == width for mark in DELIMITERS) for place in range(len(sample)))
        return main if fitting >= FITTING_SHARE * len(sample) else None


def _cells_of(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _unquoted(line: str) -> str:
    """A cell that stands alone: quoted as in CSV, or as it is."""
    inner = line.strip()
    if len(inner) > 1 and inner[0] == inner[-1] == '"' and '"' not in inner[1:-1].replace('""', ""):
        return inner[1:-1].replace('""', '"')
    return line


class _OpenText:
    """The decoded text of a file. Bytes that are no text become U+FFFD, for which a row is rejected later."""

    def __init__(self, source: SourceFile, encoding: str) -> None:
        self._opening = source.open()
        self._encoding = encoding

    def __enter__(self) -> io.TextIOWrapper:
        self._wrapper = io.TextIOWrapper(self._opening.__enter__(), self._encoding, errors="replace", newline=None)
        return self._wrapper

    def __exit__(self, *error: object) -> None:
        self._wrapper.detach()
        self._opening.__exit__(*error)  # type: ignore[arg-type]


class _Lines:
    """Numbered lines of bounded length; those of the row that csv is at can be given back."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._waiting: deque[str] = deque()
        self._row: list[str] = []
        self.number = 0
        self.was_cut = False

    def take(self) -> str | None:
        """The next line with its end, None after the last. Of one longer than any row only the beginning: `was_cut`."""
        self.was_cut = False
        line = self._waiting.popleft() if self._waiting else self._text.readline(LONGEST_LINE_CHARS)
        if not line:
            return None
        self.number += 1
        self._row = [line]
        piece = line
        while len(piece) == LONGEST_LINE_CHARS and not piece.endswith("\n"):
            self.was_cut = True
            piece = self._text.readline(LONGEST_LINE_CHARS)
        return line

    def from_line(self, line: str) -> Iterator[str]:
        """A line that was taken and those after it, as long as a row may be."""
        yield line
        while len(self._row) < LONGEST_ROW_LINES:
            following = self._waiting.popleft() if self._waiting else self._text.readline(LONGEST_LINE_CHARS)
            if not following:
                return
            self._row.append(following)
            self.number += 1
            yield following
        raise csv.Error("the row runs on")

    def keep_first(self) -> None:
        """Give back the lines of the row but the first."""
        self._waiting.extendleft(reversed(self._row[1:]))
        self.number -= len(self._row) - 1
        del self._row[1:]

    @property
    def ended_torn(self) -> bool:
        """Whether the row's last line lacks its end."""
        return not self._row[-1].endswith("\n")
