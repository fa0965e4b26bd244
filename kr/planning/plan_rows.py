"""A plan from rows of a keyword file, and rows from a plan: nothing that a row says is lost on the way."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

from kr.planning.json_rows import row_as_dict, row_from_dict
from kr.planning.plan import Plan, PlanEditor, PlanKeyword
from kr.planning.plan_row import PlanRow

_KEPT_APART = frozenset({"keyword", "campaign", "ad_group", "match_type", "negative", "max_cpc_micros", "final_url",
                         "status", "labels", "line", "sheet", "duplicate"})  # fmt: skip
"""Fields of a row that an item of a plan has itself, or that tell where in a file the row stood."""


def add_rows(editor: PlanEditor, rows: Iterable[PlanRow]) -> int:
    """Add rows as keywords; campaigns and ad groups are made by their names. Returns how many were added.

    A negative row without an ad group is its campaign's, without a campaign all campaigns'. A keyword to bid on always
    has both, if need be without a name.
    """
    count = 0
    for row in rows:
        campaign = ad_group = None
        if row.campaign or row.ad_group or not row.negative:
            campaign = editor.campaign_named(row.campaign)
        if campaign is not None and (row.ad_group or not row.negative):
            ad_group = editor.ad_group_named(campaign, row.ad_group)
        facts = {name: value for name, value in row_as_dict(row).items() if name not in _KEPT_APART and value}
        editor.add_keyword(
            row.keyword,
            campaign,
            ad_group,
            match_type=row.match_type,
            negative=row.negative,
            bid_micros=row.max_cpc_micros,
            status=row.status,
            labels=row.labels,
            final_url=row.final_url,
            facts=facts,
        )
        count += 1
    return count


def plan_rows(plan: Plan) -> Iterator[PlanRow]:
    """A row a keyword, in their order; bids of ad groups stand at the keywords that have none."""
    for keyword in plan.keywords.values():
        yield plan_row(plan, keyword)


def plan_row(plan: Plan, keyword: PlanKeyword) -> PlanRow:
    """The row of one keyword."""
    told: dict[str, Any] = {
        **keyword.facts,
        "keyword": keyword.text,
        "campaign": plan.campaigns[keyword.campaign].name if keyword.campaign is not None else "",
        "ad_group": plan.ad_groups[keyword.ad_group].name if keyword.ad_group is not None else "",
        "match_type": keyword.match_type,
        "negative": keyword.negative,
        "max_cpc_micros": keyword.bid_micros if keyword.negative else plan.bid_of(keyword),
        "final_url": keyword.final_url,
        "status": keyword.status,
        "labels": list(keyword.labels),
    }
    return row_from_dict(told)


def months_of(plan: Plan) -> tuple[str, ...]:
    """The months that any keyword's row tells, in order."""
    return tuple(sorted({month for keyword in plan.keywords.values() for month in keyword.facts.get("months", ())}))


def fact(keyword: PlanKeyword, metric: str) -> float | None:
    """A figure that the imported row told of a keyword, if it is a number."""
    value = keyword.facts.get("metrics", {}).get(metric)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
