"""What `POST /api/v1/forecast` and `POST /api/v1/budget` accept and answer.

Names are those of Google Ads' KeywordForecastMetrics where it has one.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from kr.planning.forecast import MOST_BID_MICROS, MOST_KEYWORDS
from kr.planning.forecast_types import MOST_WEEKS, PlannedKeyword
from kr.relevance.match import MatchType as PlannedMatchType
from webui.api.models import MatchType, Meta
from webui.limits import MAX_FILTER_CHARS, MAX_NAME_CHARS

Micros = Annotated[int, Field(ge=1, le=MOST_BID_MICROS)]


class _Question(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ForecastKeyword(_Question):
    """One keyword of the set."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_FILTER_CHARS)]
    match_type: MatchType = "EXACT"
    max_cpc_bid_micros: Micros | None = Field(
        None, description="Forecast: without it the usual top-of-page bid. Budget: the most to bid, without it any."
    )

    group: str = Field("", max_length=MAX_NAME_CHARS, description="Keywords of one group get a total of their own.")

    def planned(self) -> PlannedKeyword:
        """As the forecast takes it."""
        return PlannedKeyword(self.text, PlannedMatchType(self.match_type), self.max_cpc_bid_micros, self.group)


class _Period(_Question):
    keywords: list[ForecastKeyword] = Field(min_length=1, max_length=MOST_KEYWORDS)
    start: date | None = Field(None, description="First day; default the day after the log's last.")
    weeks: int = Field(4, ge=1, le=MOST_WEEKS)

    def planned(self) -> list[PlannedKeyword]:
        """The keywords as the forecast takes them."""
        return [keyword.planned() for keyword in self.keywords]


class ForecastRequest(_Period):
    """A set of keywords, forecast together: a search that several of them reach is counted once."""


class BudgetRequest(_Period):
    """Candidates, of which the best set under a budget is chosen, with bids."""

    budget_micros: int = Field(ge=1, le=10**15, description="For the whole period.")
    goal: Literal["clicks", "conversions", "value_micros"] = "clicks"


class ForecastRange(BaseModel):
    """Expected value, and the range that holds 80 % of what may happen."""

    mean: float
    low: float
    high: float
    sd: float = Field(description="Standard deviation.")


class ForecastNote(BaseModel):
    """Something that a row has to say."""

    code: str
    text_en: str
    text_zh: str


class ForecastMetrics(BaseModel):
    """Over the period; null is unknown. Money in micros."""

    impressions: ForecastRange | None
    clicks: ForecastRange | None
    cost_micros: ForecastRange | None
    conversions: ForecastRange | None
    value_micros: ForecastRange | None


class ForecastWeek(ForecastMetrics):
    """One week of the set."""

    week: date = Field(description="The Monday that it begins on.")


class ForecastGroup(ForecastMetrics):
    """The keywords of the set that name this group."""

    group: str


class KeywordForecastRow(ForecastMetrics):
    """One keyword: what it alone serves, after narrower keywords of the set took their searches."""

    text: str
    match_type: MatchType
    bid_micros: int | None
    basis: Literal["own_history", "pooled", "no_history"]
    basis_text_en: str
    basis_text_zh: str
    searches: ForecastRange | None
    click_through_rate: float | None
    average_cpc_micros: float | None
    conversion_rate: float | None
    average_cpa_micros: float | None
    average_position: float | None
    impression_share: float | None
    overlap: float = Field(description="Share of the searches in reach that other keywords of the set serve.")
    evidence: dict[str, int] = Field(description="What the log has of it: searches, pages, ad_clicks, conversions, …")
    notes: list[ForecastNote]


class Forecast(BaseModel):
    """A forecast of a set."""

    start: date
    weeks: int
    interval: float = Field(description="Share of what may happen that the ranges hold.")
    total: ForecastMetrics
    groups: list[ForecastGroup]
    weekly: list[ForecastWeek]
    keywords: list[KeywordForecastRow] = Field(description="In the order asked.")
    unknown_keywords: int = Field(description="Never searched in the log; the total leaves them out.")
    data_until: date
    method: str


class ForecastReply(BaseModel):
    """The envelope."""

    data: Forecast
    meta: Meta


class BudgetKeyword(BaseModel):
    """One candidate, in the order asked: its bid, null unless chosen, and why."""

    text: str
    match_type: MatchType
    bid_micros: int | None
    decision: Literal["chosen", "too_costly", "served_by_others", "over_budget", "nothing_expected", "no_history"]
    text_en: str
    text_zh: str
    cost_micros: int | None
    value: float | None = Field(description="Of the goal.")
    marginal_cost: int | None = Field(description="Micros that the last unit of the goal costs.")


class BudgetExpectation(BaseModel):
    """Of the chosen set over the period."""

    cost_micros: float
    clicks: float
    conversions: float
    value_micros: float


class BudgetFrontierPoint(BaseModel):
    """The most that so much money buys."""

    cost_micros: int
    value: float
    keywords: int


class Budget(BaseModel):
    """The set chosen, and the curve of value over budget."""

    goal: str
    budget_micros: int
    start: date
    weeks: int
    expected: BudgetExpectation
    marginal_cost: int | None
    bound: float = Field(description="Of the goal, more than which no set can bring.")
    gap: float = Field(description="How far below the bound the set is, as a share of it.")
    keywords: list[BudgetKeyword]
    frontier: list[BudgetFrontierPoint]
    data_until: date
    method: str


class BudgetReply(BaseModel):
    """The envelope."""

    data: Budget
    meta: Meta
