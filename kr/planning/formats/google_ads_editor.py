"""Google Ads Editor: `Campaign, Ad Group, Keyword, Criterion Type, Max CPC, Final URL, Status, Labels`.

Editor writes UTF-16LE with tabs and reads UTF-8 with commas as well; this is written in the latter, with a byte order
mark. A campaign's negative keyword has no ad group and the criterion type `Campaign Negative …`.
"""

from collections.abc import Sequence

from kr.planning.formats.plan_format import Column, PlanFormat, WrittenFormat, decorated_if_literal, status_words
from kr.planning.plan_row import Kind, PlanRow


def _criterion_type(row: PlanRow) -> str:
    level = "" if not row.negative else "Negative" if row.ad_group else "Campaign Negative"
    return f"{level} {row.match_type.title() if row.match_type else ''}".strip()


def _columns(months: Sequence[str]) -> list[Column]:
    return [
        Column("Campaign", "campaign", lambda row: row.campaign),
        Column("Ad Group", "ad_group", lambda row: row.ad_group),
        Column("Keyword", "keyword", decorated_if_literal),
        Column("Criterion Type", "match_type", _criterion_type),
        Column("Max CPC", "max_cpc_micros", lambda row: row.max_cpc_micros, Kind.MICROS),
        Column("Final URL", "final_url", lambda row: row.final_url),
        Column("Status", "status", status_words("Enabled", "Paused", "Removed")),
        Column("Labels", "labels", lambda row: ";".join(row.labels)),
    ]


GOOGLE_ADS_EDITOR = PlanFormat(
    "google_ads_editor",
    lambda fields, keys: "campaign" in fields and "criterion type" in keys,
    decorated=True,
)
TABLE = WrittenFormat(_columns)
