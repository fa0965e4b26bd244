"""A plan's keywords as a forecast and a budget choice take them, and what these mean for the plan."""

from collections.abc import Callable, Sequence

from kr.planning.budget_types import BudgetChoice, Decision
from kr.planning.findings import Code, Finding
from kr.planning.forecast_types import PlanForecast, PlannedKeyword
from kr.planning.operations import ChangeKeywords, Operation
from kr.planning.plan import Plan, PlanKeyword
from kr.planning.plan_row import MatchType, Status

MICROS = 1_000_000
DAYS_OF_WEEK = 7


def forecast_items(plan: Plan, with_paused: bool = False) -> list[PlanKeyword]:
    """The keywords of a plan that a forecast is made of: those that run, for a choice the paused ones too."""
    left_out = {Status.REMOVED} if with_paused else {Status.REMOVED, Status.PAUSED}
    return [item for item in plan.positive() if item.status not in left_out]


def planned(plan: Plan, items: Sequence[PlanKeyword], with_bids: bool = True) -> list[PlannedKeyword]:
    """Keywords with their bids, by ad group. One without a match type counts as broad, as the platforms take it."""
    return [
        PlannedKeyword(
            item.text,
            item.match_type or MatchType.BROAD,
            plan.bid_of(item) if with_bids else None,
            str(item.ad_group or ""),
        )
        for item in items
    ]


def set_of_choice(items: Sequence[PlanKeyword], choice: BudgetChoice) -> list[Operation]:
    """Operations that make a choice the plan: the chosen keywords run at their bids, the others pause."""
    by_bid: dict[int | None, list[int]] = {}
    for item, decision in zip(items, choice.decisions, strict=True):
        bid = decision.bid_micros if decision.decision is Decision.CHOSEN else None
        by_bid.setdefault(bid, []).append(item.id)
    operations: list[Operation] = []
    for bid, numbers in sorted(by_bid.items(), key=lambda pair: (pair[0] is None, pair[0] or 0)):
        if bid is None:
            operations.append(ChangeKeywords(keywords=tuple(numbers), status=Status.PAUSED))
        else:
            operations.append(ChangeKeywords(keywords=tuple(numbers), bid_micros=bid, status=Status.ENABLED))
    return operations


def budget_findings(plan: Plan, forecast: Callable[[list[PlannedKeyword]], PlanForecast]) -> list[Finding]:
    """Campaigns whose keywords are forecast to cost more a day than their budget; the fix raises it to the mean."""
    found = []
    for campaign in plan.campaigns.values():
        items = [item for item in forecast_items(plan) if item.campaign == campaign.id]
        if campaign.daily_budget_micros is None or not items:
            continue
        answer = forecast(planned(plan, items))
        cost = answer.total["cost_micros"]
        if cost is None:
            continue
        daily = cost.mean / (answer.weeks * DAYS_OF_WEEK)
        if daily > campaign.daily_budget_micros:
            raised = -(-round(daily) // MICROS) * MICROS
            evidence = {
                "cost": f"{daily / MICROS:,.2f}",
                "budget": f"{campaign.daily_budget_micros / MICROS:,.2f}",
                "low": f"{cost.low / (answer.weeks * DAYS_OF_WEEK) / MICROS:,.2f}",
                "high": f"{cost.high / (answer.weeks * DAYS_OF_WEEK) / MICROS:,.2f}",
            }
            fix = {"op": "set_budget", "campaign": campaign.id, "daily_budget_micros": raised}
            found.append(
                Finding(Code.OVER_BUDGET, campaign.id, None, tuple(item.id for item in items), evidence, (fix,))
            )
    return found
