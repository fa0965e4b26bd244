"""The types that travel along the online path.

A request is built once, at the edge. Candidates are columns, a row a keyword: no object per keyword anywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Filters:
    """What the caller wants to see; an empty tuple or None sets no limit. Bids are in micros, searches a month."""

    min_searches: int | None = None
    max_searches: int | None = None
    competition: tuple[str, ...] = ()
    min_bid_micros: int | None = None
    max_bid_micros: int | None = None
    languages: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    """Searched on one of these at least once; so with regions."""
    regions: tuple[str, ...] = ()
    must_contain: tuple[str, ...] = ()
    must_not_contain: tuple[str, ...] = ()
    owned: tuple[str, ...] = ()
    """Normalised keywords that the caller has already; they and their close variants are left out."""
    dismissed: tuple[str, ...] = ()
    """Normalised keywords that the caller never wants to see; so with their close variants."""
    intents: tuple[str, ...] = ()
    """Any of these of `kr.intent`."""
    match_types: tuple[str, ...] = ()
    """Suggested match types: any of EXACT, PHRASE, BROAD."""
    groups: tuple[str, ...] = ()
    """Any of these groups of the result: see `kr.grouping`."""


@dataclass(frozen=True)
class PageTopic:
    """A phrase of the caller's page: normalised text, weight in 0..1, and the places of the page where it stood."""

    text: str
    weight: float
    places: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """One question to the pipeline.

    `seeds` are normalised keywords. `sort` is `rank` or a column's name, with `-` in front for descending. `limit` rows
    are answered from row `offset` on. `parameters` are numbers that stages name, such as `t`, the balance of quality
    against value.
    """

    seeds: tuple[str, ...]
    filters: Filters = Filters()
    limit: int = 100
    offset: int = 0
    sort: str = "rank"
    parameters: Mapping[str, float] = field(default_factory=dict)
    explain: bool = False
    page_topics: tuple[PageTopic, ...] = ()
    """What the page or site says whose address the caller gave; the main ones are among `seeds`."""
    listed: tuple[str, ...] = ()
    """Normalised keywords to be scored, where the caller wants no others."""
    industry_seed: tuple[str, ...] = ()
    """Ids of industries whose advertisers' keywords are asked for."""
    industry_keywords: tuple[str, ...] = ()
    """Those of `seeds` that stand for the industries, which the caller did not type."""


@dataclass(frozen=True)
class Candidates:
    """An immutable batch of keywords.

    `keyword_id` int32 (n,), ascending until the rank stage orders it; `source_mask` uint32 (n,), a bit a source;
    `columns` named arrays of shape (n,) or (n, m).
    """

    keyword_id: Array
    source_mask: Array
    columns: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if set(map(len, self.columns.values())) <= {len(self.keyword_id)}:
            return
        for name, column in self.columns.items():
            if len(column) != len(self.keyword_id):
                raise ValueError(f"column {name} has {len(column)} rows, the batch has {len(self.keyword_id)}")

    def __len__(self) -> int:
        return len(self.keyword_id)

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]

    def take(self, rows: Array) -> "Candidates":
        """The rows at these positions, or where this mask is true, in the order given."""
        if rows.dtype == bool:
            # Found once, not once a column.
            rows = np.flatnonzero(rows)
        columns = {name: column[rows] for name, column in self.columns.items()}
        return Candidates(self.keyword_id[rows], self.source_mask[rows], columns)

    def with_columns(self, **columns: Array) -> "Candidates":
        """The same rows with columns added or replaced."""
        return Candidates(self.keyword_id, self.source_mask, {**self.columns, **columns})

    def none(self) -> "Candidates":
        """No rows, with the same columns."""
        columns = {name: column[:0] for name, column in self.columns.items()}
        return Candidates(self.keyword_id[:0], self.source_mask[:0], columns)

    @staticmethod
    def empty(columns: Mapping[str, "np.dtype[Any]"] | None = None) -> "Candidates":
        """No rows, with the columns named."""
        none = {name: np.empty(0, dtype) for name, dtype in (columns or {}).items()}
        return Candidates(np.empty(0, np.int32), np.empty(0, np.uint32), none)


@dataclass(frozen=True)
class StageResult:
    """What a stage kept, what it removed, and for each removed row the code of the reason (int16 (len(removed),)).

    Codes are the values of `kr.reasons.Removal`. Kept rows may be in a new order.
    """

    kept: Candidates
    removed: Candidates
    removal_codes: Array

    @staticmethod
    def keeping_all(candidates: Candidates) -> "StageResult":
        """Nothing removed."""
        return StageResult(candidates, candidates.none(), np.empty(0, np.int16))

    @staticmethod
    def split(candidates: Candidates, keep: Array, code: int | Array) -> "StageResult":
        """Keep the rows where the mask is true; the others go with one code, or with their row of an array of codes."""
        if keep.all():
            return StageResult.keeping_all(candidates)
        gone = ~keep
        codes = np.full(int(gone.sum()), code, np.int16) if np.isscalar(code) else np.asarray(code)[gone]
        return StageResult(candidates.take(keep), candidates.take(gone), codes.astype(np.int16))


class Source(Protocol):
    """Finds candidates for a request; may return keywords that later stages remove."""

    name: str
    adds: Mapping[str, "ColumnSpec"]

    def retrieve(self, request: Request) -> Candidates: ...


class Stage(Protocol):
    """One step after retrieval. It declares the columns that it needs and those that it adds."""

    name: str
    needs: Sequence[str]
    adds: Sequence[str]

    def run(self, request: Request, candidates: Candidates) -> StageResult: ...


@dataclass(frozen=True)
class ColumnSpec:
    """A column that a source adds: its dtype, and the value of rows that the source did not find."""

    dtype: str
    absent: float | int
