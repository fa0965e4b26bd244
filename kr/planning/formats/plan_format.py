"""What a format is: how its files are recognised and read, and the columns that it is written in."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kr.planning.plan_row import METRICS, Kind, MatchType, Metric, PlanRow, Status

ColumnValue = str | int | float | None


@dataclass(frozen=True)
class Column:
    """A column to write: its heading, the field of the row that it holds, that field's value, and what kind of number
    it is; None for text. A value of None is an empty cell, or `unknown`."""

    heading: str
    holds: str
    value: Callable[[PlanRow], ColumnValue]
    kind: Kind | None = None
    unknown: str = ""


@dataclass(frozen=True)
class WrittenFormat:
    """How a table is written as text: its columns where rows tell these months, and what comes before the rows."""

    columns: Callable[[Sequence[str]], list[Column]]
    guard: str = "space"
    """What keeps spreadsheets from reading text as a formula: see `kr.planning.formula_safety`."""
    encoding: str = "utf-8-sig"
    delimiter: str = ","
    first_rows: Callable[[Sequence[Column]], list[list[str]]] = lambda columns: []


@dataclass(frozen=True)
class PlanFormat:
    """A format of keyword tables. `recognises` sees the known fields and all heading keys of a header."""

    name: str
    recognises: Callable[[frozenset[str], frozenset[str]], bool]
    headings: Mapping[str, str] = field(default_factory=dict)
    """Heading keys that mean something else here than elsewhere, or are known only here, and their fields."""
    decimal_mark: str = "."
    """Where the numbers of a file do not tell."""
    decorated: bool = False
    """Keywords may stand as [exact] and "phrase"."""
    entities: Mapping[str, bool | None] = field(default_factory=dict)
    """What the field `entity` may say, and whether such a row is a negative keyword; None for a line about the file."""


_EXACT = re.compile(r"\[(.*\S.*)\]")
_PHRASE = re.compile(r'"(.*\S.*)"')


def without_decoration(keyword: str, match_type: MatchType | None, is_told: bool) -> tuple[str, MatchType | None]:
    """The keyword inside [ ] or " ", where that agrees with the match type or no column tells the match type."""
    for pattern, meant in ((_EXACT, MatchType.EXACT), (_PHRASE, MatchType.PHRASE)):
        if (match_type is meant or (match_type is None and not is_told)) and (found := pattern.fullmatch(keyword)):
            return found[1].strip(), meant
    return keyword, match_type


def decorated_if_literal(row: PlanRow) -> str:
    """The keyword, decorated once if a reader would else take its own brackets or quotes for decoration."""
    if without_decoration(row.keyword, row.match_type, True)[0] == row.keyword:
        return row.keyword
    return f"[{row.keyword}]" if row.match_type is MatchType.EXACT else f'"{row.keyword}"'


def metric_column(name: str, heading: str, unknown: str = "") -> Column:
    """The column of a metric."""
    metric: Metric = METRICS[name]
    kind = None if metric.kind is Kind.LEVEL else metric.kind
    return Column(heading, f"metric:{name}", lambda row: row.metrics.get(name), kind, unknown)


def month_column(month: str, heading: str) -> Column:
    """The column of the searches of a month."""
    return Column(heading, "months", lambda row: row.months.get(month), Kind.NUMBER)


def status_words(enabled: str, paused: str, removed: str) -> Callable[[PlanRow], str | None]:
    """A column's value that writes the status in a product's words."""
    words = {Status.ENABLED: enabled, Status.PAUSED: paused, Status.REMOVED: removed}
    return lambda row: words[row.status] if row.status else None
