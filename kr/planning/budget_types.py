"""What a choice under a budget is asked and what it answers. Money is in micros of the account's currency."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from kr.planning.forecast_types import PlannedKeyword
from kr.relevance.match import MatchType

GOALS = ("clicks", "conversions", "value_micros")


class Decision(StrEnum):
    """Why a candidate was chosen, or left out; texts in `kr.planning.forecast_texts`."""

    CHOSEN = "chosen"
    """What its last step costs for each unit of the goal is within the price at which the budget is used up."""
    TOO_COSTLY = "too_costly"
    """Even its cheapest bid costs more for each unit of the goal than what is chosen."""
    SERVED_BY_OTHERS = "served_by_others"
    """Other chosen keywords serve the searches that it reaches."""
    OVER_BUDGET = "over_budget"
    """It would be worth it, but costs more than what is left of the budget."""
    NOTHING_EXPECTED = "nothing_expected"
    """At no bid is anything of the goal expected."""
    NO_HISTORY = "no_history"
    """Its demand is unknown, so nothing can be promised."""


@dataclass(frozen=True)
class CandidateDecision:
    """One candidate. `bid_micros` is None unless chosen.

    `cost_micros` and `value` (of the goal) are expected over the period: of the chosen bid, or of the bid that came
    nearest. `marginal_cost` is what the last unit of the goal costs there (micros), None if nothing is expected.
    """

    text: str
    match_type: MatchType
    bid_micros: int | None
    decision: Decision
    cost_micros: float | None
    value: float | None
    marginal_cost: float | None

    def as_dict(self) -> dict[str, Any]:
        """The JSON of API and command line."""
        return {
            "text": self.text,
            "match_type": str(self.match_type.value),
            "bid_micros": self.bid_micros,
            "decision": self.decision.value,
            "cost_micros": None if self.cost_micros is None else round(self.cost_micros),
            "value": None if self.value is None else round(self.value, 4),
            "marginal_cost": None if self.marginal_cost is None else round(self.marginal_cost),
        }


@dataclass(frozen=True)
class FrontierPoint:
    """The best set found that costs no more than so much: its expected cost and value, and how many keywords it has."""

    cost_micros: float
    value: float
    keywords: int


@dataclass(frozen=True)
class BudgetChoice:
    """The set chosen among the candidates."""

    goal: str
    budget_micros: int
    start: date
    weeks: int
    decisions: tuple[CandidateDecision, ...]
    expected: Mapping[str, float]
    """cost_micros, clicks, conversions, value_micros of the set."""
    marginal_cost: float | None
    """Micros for one more unit of the goal at this budget: the price that decides."""
    bound: float
    """Of the goal, more than which no set of these candidates can bring within the budget."""
    gap: float
    """(bound − value) / bound, at most; 0 where the set is proven best."""
    frontier: tuple[FrontierPoint, ...]
    """Value over budget, from nothing to everything worth buying; concave, so that its slope diminishes."""
    data_until: date
    method: str
    snapshot: str

    @property
    def chosen(self) -> tuple[PlannedKeyword, ...]:
        """The set, with its bids, in the order of the candidates."""
        return tuple(
            PlannedKeyword(row.text, row.match_type, row.bid_micros)
            for row in self.decisions
            if row.decision is Decision.CHOSEN
        )

    def as_dict(self) -> dict[str, Any]:
        """The JSON of API and command line."""
        return {
            "goal": self.goal,
            "budget_micros": self.budget_micros,
            "start": self.start.isoformat(),
            "weeks": self.weeks,
            "expected": {name: round(value, 3) for name, value in self.expected.items()},
            "marginal_cost": None if self.marginal_cost is None else round(self.marginal_cost),
            "bound": round(self.bound, 4),
            "gap": round(self.gap, 6),
            "keywords": [row.as_dict() for row in self.decisions],
            "frontier": [
                {"cost_micros": round(point.cost_micros), "value": round(point.value, 4), "keywords": point.keywords}
                for point in self.frontier
            ],
            "data_until": self.data_until.isoformat(),
            "method": self.method,
        }
