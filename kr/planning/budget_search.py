"""The search for the set with bids that brings the most within a budget: a knapsack with shared demand.

At a price of money (value a micro must bring) each item takes the bid that is worth most beside the others; the price
is lowered until the budget is used (Everett 1963; on the concave hull of each bid curve this is the greedy by marginal
value). What is left of the budget is filled by single changes and exchanges, and small problems are solved exactly by
branch and bound. The bound holds for every set: the Lagrangian relaxation in which each query is served by whichever
item and bid is best for it, at the price where it is lowest. Everything is deterministic.
"""

from dataclasses import dataclass

import numpy as np

from indexes.arrays import Array
from kr.planning import budget_kernels as kernels

PASSES = 12
FRONTIER_PRICES = 96
FILLS = 400
EXCHANGE_WORK = 30_000_000
"""Pairs times bids that may be looked at by exchanges."""
EXACT_ITEMS = 48
EXACT_NODES = 400_000


@dataclass(frozen=True)
class BudgetProblem:
    """See `budget_kernels`: items in order of who serves first; arrays as there, `query` int64 numbered from 0."""

    offsets: Array
    item: Array
    query: Array
    queries: int
    before: Array
    after: Array
    first: Array
    value: Array
    cost: Array

    @staticmethod
    def of(item: Array, query: Array, items: int, value: Array, cost: Array) -> "BudgetProblem":
        """From pairs sorted by item. Values and costs must be finite and not negative."""
        if not (
            np.isfinite(value).all() and np.isfinite(cost).all() and value.min(initial=0) >= 0 <= cost.min(initial=0)
        ):
            raise ValueError("values and costs must be finite and not negative")
        numbers, query = np.unique(query, return_inverse=True)
        order = np.lexsort((item, query))
        after, before = np.full(len(item), -1, np.int64), np.full(len(item), -1, np.int64)
        same = query[order[1:]] == query[order[:-1]]
        after[order[:-1][same]] = order[1:][same]
        before[order[1:][same]] = order[:-1][same]
        return BudgetProblem(
            offsets=np.searchsorted(item, np.arange(items + 1)).astype(np.int64),
            item=item.astype(np.int64),
            query=query.astype(np.int64),
            queries=len(numbers),
            before=before,
            after=after,
            first=np.flatnonzero(before < 0).astype(np.int64),
            value=np.ascontiguousarray(value, np.float64),
            cost=np.ascontiguousarray(cost, np.float64),
        )

    @property
    def items(self) -> int:
        """How many items."""
        return len(self.offsets) - 1

    def totals(self, choice: Array) -> tuple[float, float]:
        """Value and cost of a choice."""
        return kernels.totals(self.offsets, self.item, self.before, self.value, self.cost, choice)

    def at_price(self, price: float, choice: Array) -> Array:
        """The choice that `ascend` reaches from another at this price."""
        found = choice.copy()
        kernels.ascend(price, self.offsets, self.item, self.before, self.after, self.value, self.cost, found, PASSES)
        return found

    def gains(self, own: int, choice: Array) -> tuple[Array, Array]:
        """What each bid of an item would add to the rest of a choice: value and cost, float64 (bids,)."""
        gained, spent = np.empty(self.value.shape[1]), np.empty(self.value.shape[1])
        kernels.gains(
            own, self.offsets, self.item, self.before, self.after, self.value, self.cost, choice, gained, spent
        )
        return gained, spent


@dataclass(frozen=True)
class FoundSet:
    """A choice int64 (items,) and what it is; `price` is the value that the last micro brings."""

    choice: Array
    value: float
    cost: float
    price: float
    bound: float
    proven: bool


def best_set(problem: BudgetProblem, budget: float) -> FoundSet:
    """The best set found within a budget (micros)."""
    nothing = np.full(problem.items, -1, np.int64)
    if not len(problem.item) or budget <= 0:
        return FoundSet(nothing, 0.0, 0.0, 0.0, 0.0, True)
    bound, price = _bound(problem, budget)
    high, low = _highest_price(problem), 0.0
    chosen = nothing
    everything = problem.at_price(0.0, nothing)
    if problem.totals(everything)[1] <= budget:
        chosen, high = everything, 0.0
    else:
        for _ in range(50):
            middle = _between(low, high)
            tried = problem.at_price(middle, chosen)
            value, cost = problem.totals(tried)
            if cost <= budget:
                high = middle
                if value >= problem.totals(chosen)[0]:
                    chosen = tried
            else:
                low = middle
            if high <= low * (1 + 1e-10):
                break
    filled = [_exchanged(problem, budget, _filled(problem, budget, chosen, by_value)) for by_value in (False, True)]
    chosen = max(filled, key=lambda choice: problem.totals(choice)[0])
    value, cost = problem.totals(chosen)
    proven = value >= bound * (1 - 1e-9)
    if not proven and problem.items <= EXACT_ITEMS:
        improved = chosen.copy()
        _, proven = kernels.branch_and_bound(
            budget, price, problem.offsets, problem.item, problem.after, problem.query, problem.queries,
            problem.value, problem.cost, improved, value, EXACT_NODES,
        )  # fmt: skip
        chosen = improved
        value, cost = problem.totals(chosen)
        bound = value if proven else bound
    return FoundSet(chosen, value, cost, price, max(bound, value), proven)


def frontier(problem: BudgetProblem) -> list[tuple[float, float, int]]:
    """Cost, value and size of the best sets from nothing to everything worth buying, on their concave hull."""
    points = [(0.0, 0.0, 0)]
    if len(problem.item):
        choice = np.full(problem.items, -1, np.int64)
        top = _highest_price(problem)
        for step in range(FRONTIER_PRICES):
            price = top * 1e-5 ** (step / (FRONTIER_PRICES - 2)) if step < FRONTIER_PRICES - 1 else 0.0
            choice = problem.at_price(price, choice)
            value, cost = problem.totals(choice)
            points.append((cost, value, int((choice >= 0).sum())))
    return concave_hull(points)


def concave_hull(points: list[tuple[float, float, int]]) -> list[tuple[float, float, int]]:
    """The points whose value no mixture of others reaches at their cost, by cost, with rising value."""
    hull: list[tuple[float, float, int]] = []
    for point in sorted(points, key=lambda each: (each[0], -each[1])):
        if hull and point[1] <= hull[-1][1]:
            continue
        while len(hull) >= 2 and (hull[-1][1] - hull[-2][1]) * (point[0] - hull[-1][0]) <= (point[1] - hull[-1][1]) * (
            hull[-1][0] - hull[-2][0]
        ):
            hull.pop()
        hull.append(point)
    return hull


def _highest_price(problem: BudgetProblem) -> float:
    """A price at which nothing is worth buying; free value has none, so its cost counts as a micro."""
    return float((problem.value / np.maximum(problem.cost, 1.0)).max()) * 1.000001 + 1e-30


def _between(low: float, high: float) -> float:
    """A price between two, whatever their scale; `low` may be 0."""
    return (low * high) ** 0.5 if low > 0 else high / 16


def _bound(problem: BudgetProblem, budget: float) -> tuple[float, float]:
    """The least Lagrangian bound, and its price: bisection on whether the relaxed choice costs more than the budget."""
    low, high = 0.0, _highest_price(problem)
    best, best_price = float("inf"), high
    for step in range(80):
        price = 0.0 if step == 0 else _between(low, high)
        worth, cost = kernels.relaxed(price, problem.first, problem.after, problem.value, problem.cost)
        if worth + price * budget < best:
            best, best_price = worth + price * budget, price
        if cost <= budget:
            if step == 0:
                break
            high = price
        else:
            low = price
    return float(best), best_price


def _filled(problem: BudgetProblem, budget: float, choice: Array, by_value: bool) -> Array:
    """Single changes while one gains within what is left."""
    found = choice.copy()
    _, cost = problem.totals(found)
    for _ in range(FILLS):
        own, bid, _, extra = kernels.best_move(
            budget - cost, -1, problem.offsets, problem.item, problem.before, problem.after, problem.value,
            problem.cost, found, by_value,
        )  # fmt: skip
        if own < 0:
            break
        found[own] = bid
        cost += extra
    return found


def _exchanged(problem: BudgetProblem, budget: float, choice: Array) -> Array:
    """One item lowered or given up, another bought for it, while that gains; as long as the work is small."""
    bids = problem.value.shape[1]
    bought = int((choice >= 0).sum())
    if bought * bids * len(problem.item) * bids > EXCHANGE_WORK:
        return choice
    found = choice.copy()
    value, _ = problem.totals(found)
    for _ in range(PASSES):
        better = None
        for own in np.flatnonzero(found >= 0).tolist():
            for bid in range(-1, int(found[own])):
                lowered = found.copy()
                lowered[own] = bid
                # Giving up an item may cost: what served its queries more dearly serves them again.
                room = budget - problem.totals(lowered)[1]
                if room < 0:
                    continue
                other, other_bid, _, _ = kernels.best_move(
                    room, own, problem.offsets, problem.item, problem.before, problem.after, problem.value,
                    problem.cost, lowered, True,
                )  # fmt: skip
                if other >= 0:
                    lowered[other] = other_bid
                    exchanged, cost = problem.totals(lowered)
                    if exchanged > value * (1 + 1e-9) and cost <= budget:
                        value, better = exchanged, lowered
        if better is None:
            break
        found = _filled(problem, budget, better, True)
        value, _ = problem.totals(found)
    return found
