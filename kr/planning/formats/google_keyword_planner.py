"""Google Keyword Planner's table of keyword ideas: UTF-16LE, tabs, lines of preamble, `∞`, ` --` and blanks."""

from collections.abc import Sequence

from kr.planning.formats.plan_format import Column, PlanFormat, WrittenFormat, metric_column, month_column
from kr.planning.headers import MONTH_NAMES
from kr.planning.plan_row import PlanRow


def _competition(row: PlanRow) -> str:
    return str(row.metrics.get("competition", "unknown")).title()


def _columns(months: Sequence[str]) -> list[Column]:
    return [
        Column("Keyword", "keyword", lambda row: row.keyword),
        Column("Currency", "currency", lambda row: row.currency),
        metric_column("avg_monthly_searches", "Avg. monthly searches"),
        metric_column("change_3m", "Three month change", unknown=" --"),
        metric_column("change_yoy", "YoY change", unknown=" --"),
        Column("Competition", "metric:competition", _competition),
        metric_column("competition_index", "Competition (indexed value)"),
        metric_column("low_top_of_page_bid_micros", "Top of page bid (low range)"),
        metric_column("high_top_of_page_bid_micros", "Top of page bid (high range)"),
        *(month_column(month, f"Searches: {MONTH_NAMES[int(month[5:]) - 1]} {month[:4]}") for month in months),
    ]


_OWN_FIELDS = {"metric:competition", "metric:change_3m", "metric:low_top_of_page_bid_micros", "currency",
               "metric:min_monthly_searches"}  # fmt: skip

GOOGLE_KEYWORD_PLANNER = PlanFormat(
    "google_keyword_planner",
    lambda fields, keys: bool({"metric:avg_monthly_searches", "metric:min_monthly_searches"} & fields)
    and bool(_OWN_FIELDS & fields)
    and bool({"avg. monthly searches", "min search volume", "平均每月搜索量",
              "avg. monthly searches (exact match only)"} & keys),
)  # fmt: skip
TABLE = WrittenFormat(_columns, encoding="utf-16-le", delimiter="\t")
