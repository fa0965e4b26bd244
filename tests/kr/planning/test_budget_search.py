"""The choice under a budget against every possible choice, on problems small enough to try them all."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kr.planning import budget_search
from kr.planning.budget_search import BudgetProblem, best_set, concave_hull, frontier

Pairs = list[tuple[int, int, list[tuple[float, float]]]]
"""Item, query, and (value, cost) at each bid."""


@st.composite
def problems(draw: st.DrawFn) -> tuple[BudgetProblem, Pairs, int]:
    """A few items that share queries; values and costs rise with the bid, costs faster, as auctions make them."""
    items, bids = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    pairs: Pairs = []
    for item in range(items):
        for query in sorted(draw(st.sets(st.integers(0, 4), min_size=1, max_size=3))):
            steps = [tuple(draw(st.integers(0, most)) / 100 for most in (500, 900)) for _ in range(bids)]
            levels = np.cumsum(np.array(steps), axis=0).tolist()
            pairs.append((item, query, [(value, cost) for value, cost in levels]))
    return made(pairs, items), pairs, items


def made(pairs: Pairs, items: int) -> BudgetProblem:
    levels = np.array([each for _, _, each in pairs], np.float64)
    return BudgetProblem.of(
        np.array([item for item, _, _ in pairs]),
        np.array([query for _, query, _ in pairs]),
        items,
        levels[:, :, 0],
        levels[:, :, 1],
    )


def totals(pairs: Pairs, choice: tuple[int, ...]) -> tuple[float, float]:
    """Value and cost as the definition says: a query is served by the first item bought that reaches it."""
    served: dict[int, tuple[float, float]] = {}
    for item, query, levels in pairs:
        if choice[item] >= 0 and query not in served:
            served[query] = levels[choice[item]]
    return sum(value for value, _ in served.values()), sum(cost for _, cost in served.values())


def best_of_all(pairs: Pairs, items: int, budget: float) -> float:
    bids = len(pairs[0][2])
    found = (totals(pairs, choice) for choice in product(range(-1, bids), repeat=items))
    return max(value for value, cost in found if cost <= budget * (1 + 1e-12))


@settings(max_examples=200, deadline=None)
@given(problems(), st.floats(0.5, 60))
def test_small_problems_are_solved_exactly_and_proven(drawn: tuple[BudgetProblem, Pairs, int], budget: float) -> None:
    problem, pairs, items = drawn
    found = best_set(problem, budget)
    best = best_of_all(pairs, items, budget)
    value, cost = totals(pairs, tuple(found.choice.tolist()))
    assert np.isclose(value, found.value) and np.isclose(cost, found.cost)
    assert cost <= budget * (1 + 1e-9)
    assert value >= best * (1 - 1e-6) - 1e-9 and found.proven
    assert found.bound >= best * (1 - 1e-9)


@settings(max_examples=100, deadline=None)
@given(problems(), st.floats(0.5, 60))
def test_the_bound_of_large_problems_is_never_below_the_best_set(
    drawn: tuple[BudgetProblem, Pairs, int], budget: float
) -> None:
    problem, pairs, items = drawn
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budget_search, "EXACT_ITEMS", 0)
        found = best_set(problem, budget)
    best = best_of_all(pairs, items, budget)
    assert found.bound >= best * (1 - 1e-9)
    assert found.value <= best * (1 + 1e-9) and found.cost <= budget * (1 + 1e-9)


def test_without_branch_and_bound_sets_of_a_dozen_are_within_a_percent_on_average() -> None:
    generator = np.random.default_rng(5)
    shares = []
    for _ in range(25):
        cost = np.cumsum(generator.gamma(2.0, 1.0, (12, 3)), axis=1)
        value = np.cumsum(generator.gamma(2.0, 1.0, (12, 3)) * np.array([1.0, 0.6, 0.3]), axis=1)
        problem = BudgetProblem.of(np.arange(12), np.arange(12), 12, value, cost)
        exact = best_set(problem, 12.0)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(budget_search, "EXACT_ITEMS", 0)
            shares.append(best_set(problem, 12.0).value / exact.value)
    assert np.mean(shares) >= 0.99


@settings(max_examples=60, deadline=None)
@given(problems())
def test_the_frontier_rises_with_falling_slope_and_holds_sets_that_exist(
    drawn: tuple[BudgetProblem, Pairs, int],
) -> None:
    problem, pairs, items = drawn
    points = frontier(problem)
    assert points[0] == (0.0, 0.0, 0) or points[0][0] == 0.0
    slopes = [(b[1] - a[1]) / max(b[0] - a[0], 1e-12) for a, b in pairwise(points)]
    assert all(left >= right * (1 - 1e-9) for left, right in pairwise(slopes))
    for cost, value, _ in points:
        assert value <= best_of_all(pairs, items, cost + 1e-9) * (1 + 1e-9)


def test_overlap_counts_once() -> None:
    exact_then_broad: Pairs = [(0, 0, [(4.0, 2.0)]), (1, 0, [(3.0, 1.0)]), (1, 1, [(3.0, 1.0)])]
    problem = made(exact_then_broad, 2)
    assert problem.totals(np.array([0, 0])) == (7.0, 3.0)
    assert problem.totals(np.array([-1, 0])) == (6.0, 2.0)
    assert best_set(problem, 2.0).choice.tolist() == [-1, 0]
    assert best_set(problem, 3.0).choice.tolist() == [0, 0]


def test_the_same_problem_gives_the_same_set() -> None:
    generator = np.random.default_rng(1)
    item, query = np.repeat(np.arange(300), 3), generator.integers(0, 500, 900)
    value, cost = np.cumsum(generator.random((2, 900, 6)), axis=2)
    first, second = (best_set(BudgetProblem.of(item, query, 300, value, cost), 50.0) for _ in range(2))
    assert first.choice.tolist() == second.choice.tolist() and first.value == second.value
    assert 0 < first.value <= first.bound


def test_nothing_to_buy_and_no_money_give_an_empty_set() -> None:
    empty = np.empty(0, np.int64)
    nothing = BudgetProblem.of(empty, empty, 2, np.empty((0, 3)), np.empty((0, 3)))
    assert best_set(nothing, 10.0).choice.tolist() == [-1, -1]
    assert frontier(nothing) == [(0.0, 0.0, 0)]


def test_what_is_not_a_number_is_refused() -> None:
    one = np.zeros(1, np.int64)
    with pytest.raises(ValueError, match="finite"):
        BudgetProblem.of(one, one, 1, np.array([[np.nan]]), np.array([[1.0]]))


def test_a_hull_leaves_out_points_below_a_mixture() -> None:
    points = [(0.0, 0.0, 0), (1.0, 1.0, 1), (2.0, 1.5, 2), (3.0, 4.0, 3), (4.0, 3.0, 4)]
    assert concave_hull(points) == [(0.0, 0.0, 0), (3.0, 4.0, 3)]
