"""The formats of tables, the most particular first, and the names by which a person asks for them."""

from collections.abc import Sequence

from kr.planning.formats import google_ads_editor, google_keyword_planner, microsoft_bulk, plain
from kr.planning.formats.google_ads_editor import GOOGLE_ADS_EDITOR
from kr.planning.formats.google_ads_report import GOOGLE_ADS_REPORT, GOOGLE_ADS_REPORT_DUTCH
from kr.planning.formats.google_keyword_planner import GOOGLE_KEYWORD_PLANNER
from kr.planning.formats.microsoft_bulk import MICROSOFT_BULK
from kr.planning.formats.plain import PLAIN
from kr.planning.formats.plan_format import PlanFormat, WrittenFormat
from kr.planning.formats.semrush import SEMRUSH
from kr.planning.headers import field_of, heading_key

READ = (MICROSOFT_BULK, GOOGLE_ADS_EDITOR, GOOGLE_KEYWORD_PLANNER, SEMRUSH, GOOGLE_ADS_REPORT, GOOGLE_ADS_REPORT_DUTCH,
        PLAIN)  # fmt: skip
WRITTEN_TABLES: dict[str, WrittenFormat] = {
    "csv": plain.TABLE,
    "google_ads_editor": google_ads_editor.TABLE,
    "microsoft_bulk": microsoft_bulk.TABLE,
    "google_keyword_planner": google_keyword_planner.TABLE,
}

OWN_HEADINGS = frozenset({"source of figures", "数据来源", "other columns", "其他列"})
"""What only KR's plain tables have, whose other headings may look like a product's."""


def recognise(header: Sequence[object]) -> PlanFormat:
    """The format of a table with this header."""
    fields = frozenset(field for cell in header if (field := field_of(cell)[0]))
    keys = frozenset(map(heading_key, header))
    if keys & OWN_HEADINGS:
        return PLAIN
    return next(format for format in READ if format.recognises(fields, keys))
