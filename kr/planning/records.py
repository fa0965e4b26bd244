"""What every container, text or spreadsheet, is taken apart into: records of cells."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from kr.planning.accounting import Rejection

MAX_CELL_CHARS = 10_000
MAX_COLUMNS = 256


@dataclass(frozen=True, slots=True)
class UnusableCell:
    """A cell that a spreadsheet holds something else than text or a number in: the reason, and what stands there."""

    reason: str
    text: str

    def __str__(self) -> str:
        return self.text


Cell = str | int | float | UnusableCell


@dataclass(slots=True)
class Record:
    """One row as it stands in the file. `line` is the number of its first line, or of the row of a sheet, from 1."""

    line: int
    cells: list[Cell]
    sheet: str = ""
    torn: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether no cell holds anything."""
        return not any(cell.strip() if isinstance(cell, str) else True for cell in self.cells)


class Container(Protocol):
    """A file that is taken apart. `kind` is csv, xlsx or xls; rows of a ragged container may be short."""

    kind: str
    ragged: bool
    encoding: str | None
    delimiter: str | None

    @property
    def sheets(self) -> tuple[str, ...]:
        """The names of the sheets; text is one without a name."""
        ...

    def records(self, sheet: str) -> Iterator[Record | Rejection]:
        """All records of a sheet in order, blank ones too, each time from the beginning."""
        ...

    def other_split(self, record: Record, width: int) -> list[Cell] | None:
        """The cells of a record that has the wrong number of them, if another separator gives the right number."""
        ...
