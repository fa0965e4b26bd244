"""Keyword ideas as rows of a plan: what a search answers, ready to be exported."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kr.planning.plan_row import MatchType, MetricValue, PlanRow

_METRICS = {
    "avg_monthly_searches": "avg_monthly_searches",
    "change_3m": "change_3m",
    "change_yoy": "change_yoy",
    "competition": "competition",
    "competition_index": "competition_index",
    "low_top_of_page_bid_micros": "low_top_of_page_bid_micros",
    "high_top_of_page_bid_micros": "high_top_of_page_bid_micros",
    "relevance": "relevance",
    "ad_ctr": "ctr",
}


def idea_rows(
    ideas: Iterable[Mapping[str, Any]],
    *,
    currency: str,
    source: str,
    language: str = "en",
    campaign: str = "",
    ad_group: str = "",
    match_type: MatchType | None = None,
) -> Iterator[PlanRow]:
    """A row an idea (`kr.rows.RowWriter.rows`), with the reasons in a language; unknown figures are left out.

    No bid is set: what others pay at the top of the page is among the figures, and the bid is the advertiser's choice.
    """
    for idea in ideas:
        metrics: dict[str, MetricValue] = {
            name: idea[field] for field, name in _METRICS.items() if idea[field] is not None
        }
        yield PlanRow(
            keyword=idea["text"],
            campaign=campaign,
            ad_group=ad_group,
            match_type=match_type or MatchType(idea["suggested_match_type"]),
            currency=currency,
            metrics=metrics,
            months={f"{m['year']:04d}-{m['month']:02d}": m["searches"] for m in idea["monthly_search_volumes"]},
            reasons=tuple(reason[f"text_{language}"].replace(" | ", " ¦ ") for reason in idea["reasons"]),
            source=source,
        )
