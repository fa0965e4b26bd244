"""What a forecast is asked and what it answers: plain immutable values, which pages, API and command line share.

Money is in micros of the account's currency. Unknown is None, never zero. Ranges hold 80 % of what may happen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from kr.relevance.match import MatchType

METRICS = ("impressions", "clicks", "cost_micros", "conversions", "value_micros")
"""What is forecast, for each keyword and for the set."""
MOST_WEEKS = 26


class Basis(StrEnum):
    """What a keyword's forecast rests on."""

    OWN_HISTORY = "own_history"
    """The keyword (with its close variants) was searched often enough to speak for itself."""
    POOLED = "pooled"
    """Seldom searched: mostly what keywords with the same words do, so the ranges are wide."""
    NO_HISTORY = "no_history"
    """Never searched in the log: demand is unknown, and every metric is None. Rates are those of its words."""


@dataclass(frozen=True)
class PlannedKeyword:
    """One keyword of a plan. `bid_micros` None: the bid that usually reaches the top of the page is taken.

    Keywords of one `group` (an ad group, or whatever the caller likes) get a total of their own.
    """

    text: str
    match_type: MatchType = MatchType.EXACT
    bid_micros: int | None = None
    group: str = ""


@dataclass(frozen=True)
class Estimate:
    """Expected value, 80 % range and standard deviation of one metric over the whole period: counts, or micros."""

    mean: float
    low: float
    high: float
    sd: float


@dataclass(frozen=True)
class KeywordForecast:
    """One keyword of the set: what it alone serves, after narrower keywords of the set took their searches.

    `metrics` has a key for each of METRICS; `searches` are those of the queries that are left to it. Rates are None
    where nothing is expected to be divided by. `overlap` is the share 0..1 of the searches that it could reach which
    other keywords of the set serve. `evidence` counts what of its own the log has: searches, pages, ad_clicks,
    conversions, queries (that it reaches).
    """

    text: str
    match_type: MatchType
    bid_micros: int | None
    basis: Basis
    searches: Estimate | None
    metrics: Mapping[str, Estimate | None]
    click_through_rate: float | None
    average_cpc_micros: float | None
    conversion_rate: float | None
    average_cpa_micros: float | None
    average_position: float | None
    impression_share: float | None
    overlap: float
    evidence: Mapping[str, int]
    notes: tuple[str, ...]
    """Codes of FORECAST_NOTES."""

    def as_dict(self) -> dict[str, Any]:
        """The JSON of API and command line; names as in Google Ads' KeywordForecastMetrics where it has one."""
        return {
            "text": self.text,
            "match_type": str(self.match_type.value),
            "bid_micros": self.bid_micros,
            "basis": self.basis.value,
            "searches": _estimate(self.searches),
            **{name: _estimate(self.metrics[name]) for name in METRICS},
            "click_through_rate": _rounded(self.click_through_rate, 6),
            "average_cpc_micros": _rounded(self.average_cpc_micros, 0),
            "conversion_rate": _rounded(self.conversion_rate, 6),
            "average_cpa_micros": _rounded(self.average_cpa_micros, 0),
            "average_position": _rounded(self.average_position, 2),
            "impression_share": _rounded(self.impression_share, 4),
            "overlap": round(self.overlap, 4),
            "evidence": dict(self.evidence),
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class PlanForecast:
    """A forecast of a set of keywords, rows in the order asked.

    `total` has a key for each of METRICS: demand counted once, ranges with the weeks' shared ups and downs. `weekly`
    has the same estimates a week, oldest first, with the Monday that each begins on.
    """

    start: date
    weeks: int
    keywords: tuple[KeywordForecast, ...]
    total: Mapping[str, Estimate | None]
    groups: Mapping[str, Mapping[str, Estimate | None]]
    """The same for each group that keywords name, by name; without those that have no known keyword."""
    weekly: tuple[tuple[date, Mapping[str, Estimate | None]], ...]
    unknown_keywords: int
    """Keywords without history, which the total leaves out."""
    data_until: date
    """The last day of the log that the forecast knows."""
    method: str
    snapshot: str

    def as_dict(self) -> dict[str, Any]:
        """The JSON of API and command line."""
        return {
            "start": self.start.isoformat(),
            "weeks": self.weeks,
            "interval": 0.8,
            "total": {name: _estimate(self.total[name]) for name in METRICS},
            "groups": [
                {"group": group, **{name: _estimate(row[name]) for name in METRICS}}
                for group, row in self.groups.items()
            ],
            "weekly": [
                {"week": week.isoformat(), **{name: _estimate(row[name]) for name in METRICS}}
                for week, row in self.weekly
            ],
            "keywords": [row.as_dict() for row in self.keywords],
            "unknown_keywords": self.unknown_keywords,
            "data_until": self.data_until.isoformat(),
            "method": self.method,
        }


def _estimate(estimate: Estimate | None) -> dict[str, float] | None:
    if estimate is None:
        return None
    return {name: round(getattr(estimate, name), 3) for name in ("mean", "low", "high", "sd")}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
