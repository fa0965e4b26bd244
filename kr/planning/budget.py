"""Which keywords to buy, at which bids, under a budget (SPEC §2.10), with the reason for each candidate."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from indexes.arrays import Array
from indexes.auction_landscape import RATES
from indexes.errors import UsageError
from kr.planning.bid_curves import CLICKED, COST, SHOWN, curves_at
from kr.planning.budget_search import BudgetProblem, FoundSet, best_set, frontier
from kr.planning.budget_types import GOALS, BudgetChoice, CandidateDecision, Decision, FrontierPoint
from kr.planning.forecast import MOST_BID_MICROS, MOST_KEYWORDS, Forecaster, Period
from kr.planning.forecast_types import PlannedKeyword
from kr.planning.plan_reach import PlanReach, plan_reach

RATIOS = (1.0, 1.25, 1.5, 1.9, 2.4, 3.0, 4.0, 5.5, 8.0, 12.0)
"""Bids that are tried, over the least price of a click on the keyword's queries."""
MOST_BUDGET_MICROS = 10**15
METHOD = (
    "prices lowered until the budget is used, single changes and exchanges, branch and bound on small sets; "
    "the bound is the Lagrangian one; expected values of the forecast"
)
_CENT = 10_000


def choose_set(
    forecaster: Forecaster,
    candidates: Sequence[PlannedKeyword],
    budget_micros: int,
    goal: str = "clicks",
    start: date | None = None,
    weeks: int = 4,
) -> BudgetChoice:
    """The best set within a budget for the whole period; a candidate's bid, where given, is the most it may bid.

    UsageError for a bad goal, budget, period or candidate, naming it.
    """
    if goal not in GOALS:
        raise UsageError("{goal!r} is not a goal.", "Use one of {choices}.", goal=goal, choices=", ".join(GOALS))
    if not 0 < budget_micros <= MOST_BUDGET_MICROS:
        raise UsageError(
            "A budget of {budget_micros} micros is out of range.",
            "Give 1 to {most} micros.",
            budget_micros=budget_micros,
            most=MOST_BUDGET_MICROS,
        )
    if not 0 < len(candidates) <= MOST_KEYWORDS:
        raise UsageError(
            "{count:,} candidates were given.", "Give 1 to {most:,}.", count=len(candidates), most=MOST_KEYWORDS
        )
    period = forecaster.period(start, weeks)
    reach = plan_reach(forecaster.indexes, candidates)
    bids = bid_levels(forecaster, candidates, reach, period)
    units = _units(forecaster, candidates, reach, bids, period)
    # Items in the order in which they serve.
    order = np.argsort(reach.rank, kind="stable")
    rows = np.argsort(reach.rank[reach.item], kind="stable")
    item, query = reach.rank[reach.item[rows]], reach.query[rows]
    values, costs = units[goal][rows], units["cost_micros"][rows]
    problem = BudgetProblem.of(item, query, len(candidates), values, costs)
    found = best_set(problem, float(budget_micros))
    choice = np.empty(len(candidates), np.int64)
    choice[order] = found.choice
    expected = _expected(problem, found.choice, rows, units)
    decisions = tuple(
        _decision(reach, candidates, place, bids, problem, found, budget_micros) for place in range(len(candidates))
    )
    points = tuple(FrontierPoint(*point) for point in frontier(problem))
    return BudgetChoice(
        goal=goal,
        budget_micros=budget_micros,
        start=period.start,
        weeks=weeks,
        decisions=decisions,
        expected=expected,
        marginal_cost=1 / found.price if found.price > 0 else None,
        bound=found.bound,
        gap=0.0 if found.bound <= 0 else max(0.0, 1 - found.value / found.bound),
        frontier=points,
        data_until=date.fromisoformat(forecaster.model["data_until"]),
        method=METHOD,
        snapshot=forecaster.indexes.snapshot_id,
    )


def bid_levels(forecaster: Forecaster, candidates: Sequence[PlannedKeyword], reach: PlanReach, period: Period) -> Array:
    """The bids tried for each candidate, micros, float64 (candidates, RATIOS), rising; the last ones may be equal."""
    searched = np.maximum(forecaster.searches(reach.query, period), 1e-9)
    floor = forecaster.landscape.rates[reach.query, RATES.index("floor")].astype(np.float64)
    weight = np.bincount(reach.item, searched, len(candidates))
    usual = np.bincount(reach.item, searched * floor, len(candidates)) / np.maximum(weight, 1e-12)
    bids = np.ceil(usual[:, None] * np.array(RATIOS) / _CENT + 1e-9) * _CENT
    for place, candidate in enumerate(candidates):
        most = candidate.bid_micros
        if most is not None and not 0 < most <= MOST_BID_MICROS:
            raise UsageError(
                "The bid {bid} of {text!r} is out of range.",
                "Give micros from 1 to {most}.",
                bid=most,
                text=candidate.text,
                most=MOST_BID_MICROS,
            )
        if most is not None:
            bids[place] = np.minimum(bids[place], most)
    return bids


def _units(
    forecaster: Forecaster, candidates: Sequence[PlannedKeyword], reach: PlanReach, bids: Array, period: Period
) -> dict[str, Array]:
    """What each pair brings at each bid if it serves its query: float64 (pairs, bids) by metric."""
    landscape = forecaster.landscape
    searched = forecaster.searches(reach.query, period)
    shares = np.array([forecaster.model["match_shares"][each.match_type.value] for each in candidates])
    entered = searched * shares[reach.item]
    levels = bids.shape[1]
    query = np.repeat(reach.query, levels)
    curves = curves_at(landscape, query, bids[reach.item].ravel()).values
    rates = landscape.rates[reach.query].astype(np.float64)

    def each(column: int) -> Array:
        found: Array = entered[:, None] * curves[:, column].reshape(-1, levels)
        return found

    clicks = each(CLICKED)
    conversions = clicks * rates[:, RATES.index("conversions"), None]
    return {
        "impressions": each(SHOWN),
        "clicks": clicks,
        "cost_micros": each(COST),
        "conversions": conversions,
        "value_micros": conversions * rates[:, RATES.index("order_value"), None],
    }


def _expected(problem: BudgetProblem, choice: Array, rows: Array, units: dict[str, Array]) -> dict[str, float]:
    """Sums of all metrics over the queries that the chosen items serve."""
    bought = np.flatnonzero(choice[problem.item] >= 0)
    order = bought[np.lexsort((problem.item[bought], problem.query[bought]))]
    query = problem.query[order]
    first = np.ones(len(order), bool)
    first[1:] = query[1:] != query[:-1]
    served = order[first]
    bid = choice[problem.item[served]]
    return {name: float(unit[rows[served], bid].sum()) for name, unit in units.items() if name != "impressions"}


def _decision(
    reach: PlanReach,
    candidates: Sequence[PlannedKeyword],
    place: int,
    bids: Array,
    problem: BudgetProblem,
    found: FoundSet,
    budget: int,
) -> CandidateDecision:
    own = int(reach.rank[place])
    text, match_type = reach.texts[place], candidates[place].match_type
    if problem.offsets[own] == problem.offsets[own + 1]:
        return CandidateDecision(text, match_type, None, Decision.NO_HISTORY, None, None, None)
    gained, spent = problem.gains(own, found.choice)
    bid = int(found.choice[own])
    if bid >= 0:
        below = [(gained[bid], spent[bid])] + [
            (gained[bid] - gained[lower], spent[bid] - spent[lower])
            for lower in range(bid)
            if gained[bid] > gained[lower]
        ]
        steps = [more / gain for gain, more in below if gain > 0]
        return CandidateDecision(
            text, match_type, int(bids[place, bid]), Decision.CHOSEN, float(spent[bid]), float(gained[bid]),
            max(steps) if steps else None,
        )  # fmt: skip
    alone = problem.value[problem.offsets[own] : problem.offsets[own + 1]].sum(axis=0).max()
    if gained.max() <= 0:
        decision = Decision.SERVED_BY_OTHERS if alone > 0 else Decision.NOTHING_EXPECTED
        return CandidateDecision(text, match_type, None, decision, None, None, None)
    cost_of_one = np.where(gained > 0, np.maximum(spent, 0.0) / np.maximum(gained, 1e-300), np.inf)
    nearest = int(np.argmin(cost_of_one))
    dear = found.price > 0 and cost_of_one[nearest] * found.price > 1
    return CandidateDecision(
        text, match_type, None, Decision.TOO_COSTLY if dear else Decision.OVER_BUDGET,
        float(max(spent[nearest], 0.0)), float(gained[nearest]), float(cost_of_one[nearest]),
    )  # fmt: skip
