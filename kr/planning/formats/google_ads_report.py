"""Google Ads' keyword report: a title, a period, a header, keywords as [exact], "phrase" or +modified, and totals."""

from kr.planning.formats.plan_format import PlanFormat

_DUTCH = frozenset({"zoekwoord", "advertentiegroep", "campagne"})


def _is_report(fields: frozenset[str], keys: frozenset[str]) -> bool:
    return (
        {"keyword", "campaign", "ad_group"} <= fields
        and bool({"metric:clicks", "metric:impressions", "metric:cost_micros"} & fields)
        and bool({"match type", "search keyword match type", "opties voor zoekwoorden", "匹配类型"} & keys)
        and "keyword group" not in keys
    )


GOOGLE_ADS_REPORT = PlanFormat("google_ads_report", lambda fields, keys: _is_report(fields, keys) and not _DUTCH & keys,
                               headings={"search keyword match type": "match_type"}, decorated=True)  # fmt: skip
GOOGLE_ADS_REPORT_DUTCH = PlanFormat(
    "google_ads_report", lambda fields, keys: _is_report(fields, keys), decimal_mark=",", decorated=True
)
