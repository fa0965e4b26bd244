"""Which column is which: headings as the products write them, in English, Dutch and Chinese.

Dutch headings are those of a real keyword report. Chinese ones are those of Google's Chinese interface; a heading that
is not here is no loss, its cells are kept under `other`.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from kr.planning.plan_row import METRICS

_SPACE = re.compile(r"\s+")
_CURRENCY = re.compile(r"\s*[(,]\s*([a-z]{3})\s*\)?$")
_CURRENCIES = frozenset(
    ("aud", "brl", "cad", "chf", "cny", "czk", "dkk", "eur", "gbp", "hkd", "huf", "idr", "inr", "jpy", "krw", "mxn",
     "myr", "nok", "nzd", "pln", "rub", "sek", "sgd", "thb", "try", "twd", "usd", "vnd", "zar")
)  # fmt: skip
_ISO_MONTH = re.compile(r"^searches:? (\d{4})-(\d{2})$")
_NAMED_MONTH = re.compile(r"^searches:? ([a-z]{3})[a-z]*\.? (\d{4})$")
_CHINESE_MONTH = re.compile(r"^搜索次数: ?(\d{4})年(\d{1,2})月$")
MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

HEADINGS: dict[str, tuple[str, ...]] = {
    "keyword": ("keyword", "keywords", "keyword text", "search keyword", "zoekwoord", "zoekwoorden", "关键字", "关键词",
                "關鍵字", "關鍵詞", "搜索关键字", "keyword (by relevance)", "关键字(按相关性排序)"),
    "campaign": ("campaign", "campaign name", "campagne", "广告系列", "广告计划", "推广计划"),
    "ad_group": ("ad group", "adgroup", "ad group name", "keyword group", "advertentiegroep", "广告组", "推广单元"),
    "match_type": ("match type", "criterion type", "keyword match type", "matchtype", "opties voor zoekwoorden",
                   "zoektype", "匹配类型", "匹配方式"),
    "negative": ("negative", "否定"),
    "max_cpc": ("max cpc", "max. cpc", "default max. cpc", "keyword max cpc", "bid", "search engine bid", "max. bid",
                "最高每次点击费用", "出价"),
    "currency": ("currency", "currency code", "valutacode", "货币", "货币代码", "币种"),
    "final_url": ("final url", "final urls", "landing page", "uiteindelijke url", "最终到达网址", "最终网址"),
    "status": ("status", "keyword status", "keyword state", "zoekwoordstatus", "状态", "关键字状态"),
    "labels": ("labels", "label", "labels on keyword", "标签"),
    "reasons": ("reasons", "why it is here", "推荐理由"),
    "source": ("source of figures", "数据来源"),
    "other": ("other columns", "其他列"),
    "metric:avg_monthly_searches": ("avg. monthly searches", "avg monthly searches", "average monthly searches",
                                    "avg. monthly searches (exact match only)", "searches a month", "volume",
                                    "search volume", "monthly searches", "平均每月搜索量", "月均搜索量"),
    "metric:min_monthly_searches": ("min search volume", "searches a month, from"),
    "metric:max_monthly_searches": ("max search volume", "searches a month, to"),
    "metric:change_3m": ("three month change", "change in 3 months", "三个月变化", "三个月内的变化"),
    "metric:change_yoy": ("yoy change", "change in a year", "年同比变化", "同比变化"),
    "metric:competition": ("competition", "竞争程度", "竞争度"),
    "metric:competition_index": ("competition (indexed value)", "competition index", "竞争程度(指数值)"),
    "metric:low_top_of_page_bid_micros": ("top of page bid (low range)", "top-of-page bid, low",
                                          "页首出价(低位区间)"),
    "metric:high_top_of_page_bid_micros": ("top of page bid (high range)", "top-of-page bid, high",
                                           "页首出价(高位区间)"),
    "metric:cpc_micros": ("cpc", "cost per click", "avg. cpc", "avg. cost per click", "average cpc", "gem. cpc",
                          "平均每次点击费用"),
    "metric:keyword_difficulty": ("keyword difficulty", "keyword difficulty index"),
    "metric:results": ("number of results", "results"),
    "metric:relevance": ("relevance",),
    "metric:impressions": ("impressions", "impr.", "vertoningen", "展示次数"),
    "metric:clicks": ("clicks", "aantal klikken", "klikken", "点击次数"),
    "metric:ctr": ("ctr", "点击率"),
    "metric:cost_micros": ("cost", "spend", "total cost", "kosten", "费用"),
    "metric:conversions": ("conversions", "conversies", "转化次数"),
    "metric:average_position": ("average position", "avg. position", "avg. pos."),
    "metric:quality_score": ("quality score", "kwaliteitsscore", "质量得分"),
}  # fmt: skip
"""Field → headings, as `heading_key` writes them."""

FIELDS: dict[str, str] = {heading: field for field, headings in HEADINGS.items() for heading in headings} | {
    heading.casefold(): f"metric:{name}"
    for name, metric in METRICS.items()
    for heading in (metric.heading_en, metric.heading_zh)
}


def heading_key(heading: object) -> str:
    """A heading without case, width, soft hyphens and superfluous space."""
    text = unicodedata.normalize("NFKC", str(heading)).casefold().replace("\u00ad", "").replace("\ufeff", "")
    return _SPACE.sub(" ", text).strip()


def field_of(heading: object, overrides: Mapping[str, str] | None = None) -> tuple[str | None, str]:
    """The field of a heading, and the currency that the heading names (`CPC (USD)`); None for headings not known."""
    key = heading_key(heading)
    currency = ""
    if (found := _CURRENCY.search(key)) and found[1] in _CURRENCIES:
        currency = found[1].upper()
        key = key[: found.start()]
    if month := _month_of(key):
        return f"month:{month}", ""
    return {**FIELDS, **overrides}.get(key) if overrides else FIELDS.get(key), currency


def header_score(cells: Sequence[object]) -> int:
    """How many headings of a row are known, each field once; 0 if none of them is the keyword's."""
    fields = {field for cell in cells if (field := field_of(cell)[0])}
    return len(fields) if "keyword" in fields else 0


def _month_of(key: str) -> str | None:
    if found := _ISO_MONTH.match(key) or _CHINESE_MONTH.match(key):
        year, month = int(found[1]), int(found[2])
    elif (found := _NAMED_MONTH.match(key)) and found[1].title() in MONTH_NAMES:
        year, month = int(found[2]), MONTH_NAMES.index(found[1].title()) + 1
    else:
        return None
    return f"{year:04d}-{month:02d}" if 1 <= month <= 12 else None
