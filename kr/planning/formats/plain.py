"""Plain tables: any columns with known headings, or a list of keywords without any. Written, they hold a whole row."""

import json
from collections.abc import Sequence

from kr.planning.formats.plan_format import (
    Column,
    PlanFormat,
    WrittenFormat,
    decorated_if_literal,
    metric_column,
    month_column,
)
from kr.planning.plan_row import METRICS, Kind, PlanRow

REASON_SEPARATOR = " | "


def plain_columns(months: Sequence[str], language: str = "en") -> list[Column]:
    """Every field, in English or Chinese headings; both are read back."""
    chinese = language == "zh"
    return [
        Column("关键词" if chinese else "Keyword", "keyword", decorated_if_literal),
        Column(
            "匹配方式" if chinese else "Match type", "match_type", lambda row: row.match_type and row.match_type.lower()
        ),
        Column("否定" if chinese else "Negative", "negative", lambda row: "yes" if row.negative else None),
        Column("广告系列" if chinese else "Campaign", "campaign", lambda row: row.campaign),
        Column("广告组" if chinese else "Ad group", "ad_group", lambda row: row.ad_group),
        Column("出价" if chinese else "Max CPC", "max_cpc_micros", lambda row: row.max_cpc_micros, Kind.MICROS),
        Column("货币" if chinese else "Currency", "currency", lambda row: row.currency),
        Column("最终到达网址" if chinese else "Final URL", "final_url", lambda row: row.final_url),
        Column("状态" if chinese else "Status", "status", lambda row: row.status and row.status.lower()),
        Column("标签" if chinese else "Labels", "labels", lambda row: ";".join(row.labels)),
        *(metric_column(name, metric.heading_zh if chinese else metric.heading_en) for name, metric in METRICS.items()),
        Column("推荐理由" if chinese else "Reasons", "reasons", lambda row: REASON_SEPARATOR.join(row.reasons)),
        Column("数据来源" if chinese else "Source of figures", "source", lambda row: row.source),
        *(month_column(month, _month_heading(month, chinese)) for month in months),
        Column("其他列" if chinese else "Other columns", "other", _other),
    ]


IDEA_FIELDS = {"keyword", "match_type", "campaign", "ad_group", "currency", "reasons", "source", "months"} | {
    f"metric:{name}"
    for name in ("avg_monthly_searches", "change_3m", "change_yoy", "competition", "competition_index", "relevance",
                 "low_top_of_page_bid_micros", "high_top_of_page_bid_micros", "ctr")
}  # fmt: skip
"""What keyword ideas fill in: the columns of their plain tables."""


def idea_columns(months: Sequence[str], language: str = "en") -> list[Column]:
    """The columns that keyword ideas fill in."""
    return [column for column in plain_columns(months, language) if column.holds in IDEA_FIELDS]


def _month_heading(month: str, chinese: bool) -> str:
    return f"搜索次数: {month[:4]}年{int(month[5:])}月" if chinese else f"Searches: {month}"


def _other(row: PlanRow) -> str | None:
    return json.dumps(dict(row.other), ensure_ascii=False) if row.other else None


PLAIN = PlanFormat("plain", lambda fields, keys: True, decorated=True)
TABLE = WrittenFormat(plain_columns, guard="apostrophe")
