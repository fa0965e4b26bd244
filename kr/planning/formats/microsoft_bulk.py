"""Microsoft Advertising bulk files, format version 6.0: every line says in `Type` what it describes.

Lines of other types (campaigns, ads, labels …) are counted as `not_a_keyword`. Labels are lines of their own that refer
to keywords by id; they are neither read nor written.
"""

from collections.abc import Sequence

from kr.planning.formats.plan_format import Column, PlanFormat, WrittenFormat, status_words
from kr.planning.plan_row import Kind, PlanRow

FORMAT_VERSION = "6.0"


def _type(row: PlanRow) -> str:
    if not row.negative:
        return "Keyword"
    return "Ad Group Negative Keyword" if row.ad_group else "Campaign Negative Keyword"


def _columns(months: Sequence[str]) -> list[Column]:
    return [
        Column("Type", "negative", _type),
        Column("Status", "status", status_words("Active", "Paused", "Deleted")),
        Column("Id", "", lambda row: None),
        Column("Parent Id", "", lambda row: None),
        Column("Campaign", "campaign", lambda row: row.campaign),
        Column("Ad Group", "ad_group", lambda row: row.ad_group),
        Column("Keyword", "keyword", lambda row: row.keyword),
        Column("Match Type", "match_type", lambda row: row.match_type.title() if row.match_type else None),
        Column("Bid", "max_cpc_micros", lambda row: row.max_cpc_micros, Kind.MICROS),
        Column("Name", "", lambda row: None),
        Column("Final Url", "final_url", lambda row: row.final_url),
    ]


def _format_version(columns: Sequence[Column]) -> list[list[str]]:
    told = {"Type": "Format Version", "Name": FORMAT_VERSION}
    return [[told.get(column.heading, "") for column in columns]]


MICROSOFT_BULK = PlanFormat(
    "microsoft_bulk",
    lambda fields, keys: {"type", "keyword", "match type"} <= keys and bool({"parent id", "bid"} & keys),
    headings={"type": "entity"},
    entities={
        "format version": None,
        "keyword": False,
        "ad group negative keyword": True,
        "negative keyword": True,
        "campaign negative keyword": True,
    },
)
TABLE = WrittenFormat(_columns, first_rows=_format_version)
