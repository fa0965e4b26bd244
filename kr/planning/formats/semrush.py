"""SEMrush's keyword export. Competitive density, 0 to 1, is read as a competition index of 0 to 100."""

from kr.planning.formats.plan_format import PlanFormat

SEMRUSH = PlanFormat(
    "semrush",
    lambda fields, keys: (
        "metric:avg_monthly_searches" in fields
        and bool({"competitive density", "serp features", "serp features by keyword"} & keys)
    ),
    headings={"competitive density": "competition_density", "com.": "competition_density"},
)
