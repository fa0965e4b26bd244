"""The one row that every format is read into and written from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kr.relevance.match import MatchType

__all__ = ["METRICS", "Kind", "MatchType", "Metric", "MetricValue", "PlanRow", "Status"]

MetricValue = int | float | str


class Status(StrEnum):
    """Whether the advertiser lets the keyword run: Google Ads' names."""

    ENABLED = "ENABLED"
    PAUSED = "PAUSED"
    REMOVED = "REMOVED"


class Kind(StrEnum):
    """How a metric's value is written: see `kr.planning.values`."""

    NUMBER = "number"
    FRACTION = "fraction"
    """1 is a whole; infinity where there was nothing to compare with. Written as a percentage."""
    MICROS = "micros"
    """Millionths of the row's currency, whole. Written as an amount."""
    LEVEL = "level"
    """LOW, MEDIUM or HIGH."""


@dataclass(frozen=True)
class Metric:
    """What is known of a keyword: how its value is written, and the headings of its column in plain tables."""

    kind: Kind
    heading_en: str
    heading_zh: str


METRICS: dict[str, Metric] = {
    "avg_monthly_searches": Metric(Kind.NUMBER, "Searches a month", "月均搜索量"),
    "min_monthly_searches": Metric(Kind.NUMBER, "Searches a month, from", "月均搜索量下限"),
    "max_monthly_searches": Metric(Kind.NUMBER, "Searches a month, to", "月均搜索量上限"),
    "change_3m": Metric(Kind.FRACTION, "Change in 3 months", "三个月变化"),
    "change_yoy": Metric(Kind.FRACTION, "Change in a year", "同比变化"),
    "competition": Metric(Kind.LEVEL, "Competition", "竞争度"),
    "competition_index": Metric(Kind.NUMBER, "Competition index", "竞争指数"),
    "low_top_of_page_bid_micros": Metric(Kind.MICROS, "Top-of-page bid, low", "页首出价(低)"),
    "high_top_of_page_bid_micros": Metric(Kind.MICROS, "Top-of-page bid, high", "页首出价(高)"),
    "cpc_micros": Metric(Kind.MICROS, "Cost per click", "每次点击费用"),
    "relevance": Metric(Kind.NUMBER, "Relevance", "相关度"),
    "keyword_difficulty": Metric(Kind.NUMBER, "Keyword difficulty", "关键词难度"),
    "results": Metric(Kind.NUMBER, "Results", "结果数"),
    "impressions": Metric(Kind.NUMBER, "Impressions", "展示次数"),
    "clicks": Metric(Kind.NUMBER, "Clicks", "点击次数"),
    "ctr": Metric(Kind.FRACTION, "CTR", "点击率"),
    "cost_micros": Metric(Kind.MICROS, "Cost", "费用"),
    "conversions": Metric(Kind.NUMBER, "Conversions", "转化次数"),
    "average_position": Metric(Kind.NUMBER, "Average position", "平均排名"),
    "quality_score": Metric(Kind.NUMBER, "Quality score", "质量得分"),
}


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One keyword of a plan. Texts are trimmed, empty where there is none; None is unknown.

    A negative keyword without an ad group is the campaign's. `months` maps `2024-03` to searches, `metrics` names of
    METRICS to values, of which `source` says where they come from; `other` keeps, under the heading as it was written,
    the text of every cell that has no place here. `line`, `sheet` and `duplicate` (an earlier row of the file says the
    same) tell where the row was found; two rows are equal whatever they say.
    """

    keyword: str
    campaign: str = ""
    ad_group: str = ""
    match_type: MatchType | None = None
    negative: bool = False
    max_cpc_micros: int | None = None
    currency: str = ""
    final_url: str = ""
    status: Status | None = None
    labels: tuple[str, ...] = ()
    metrics: Mapping[str, MetricValue] = field(default_factory=dict)
    months: Mapping[str, MetricValue] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    source: str = ""
    other: Mapping[str, str] = field(default_factory=dict)
    line: int = field(default=0, compare=False)
    sheet: str = field(default="", compare=False)
    duplicate: bool = field(default=False, compare=False)
