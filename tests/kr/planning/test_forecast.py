"""Forecasts and choices over the simulated small market."""

import dataclasses
import itertools
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from indexes.errors import NotFoundError, UsageError
from indexes.opened import Indexes
from kr.planning.bid_curves import CLICKED, COST, SHOWN, curves_at
from kr.planning.budget import choose_set
from kr.planning.budget_types import Decision
from kr.planning.forecast import Forecaster
from kr.planning.forecast_envelope import budget_envelope
from kr.planning.forecast_texts import BASIS_TEXTS, FORECAST_NOTES, decision_text
from kr.planning.forecast_types import METRICS, Basis, PlannedKeyword
from kr.planning.plan_reach import plan_reach
from kr.relevance.match import MatchType

BID = 4_000_000


@pytest.fixture(scope="module")
def forecaster(small_store: Path) -> Forecaster:
    return Forecaster(Indexes.open(small_store))


@pytest.fixture(scope="module")
def searched(forecaster: Forecaster) -> list[str]:
    """The most searched keywords, one of each group of close variants."""
    indexes = forecaster.indexes
    heads = list(dict.fromkeys(int(indexes.stats.canonical[row]) for row in indexes.popular[:200]))
    return [indexes.keywords[row] for row in heads]


def test_ranges_hold_their_means_and_rows_stand_in_the_order_asked(forecaster: Forecaster, searched: list[str]) -> None:
    found = forecaster.forecast([PlannedKeyword(text, bid_micros=BID) for text in searched[:50]])
    assert [row.text for row in found.keywords] == searched[:50]
    for row in (*(each.metrics for each in found.keywords), found.total):
        for name in METRICS:
            estimate = row[name]
            assert estimate is not None and 0 <= estimate.low <= estimate.high and estimate.mean >= 0
    assert found.total["impressions"].high > found.total["impressions"].mean > found.total["impressions"].low  # type: ignore[union-attr]


def test_a_set_adds_means_but_not_ends_of_ranges(forecaster: Forecaster, searched: list[str]) -> None:
    found = forecaster.forecast([PlannedKeyword(text, bid_micros=BID) for text in searched[:100]])
    for name in METRICS:
        assert np.isclose(
            found.total[name].mean,
            sum(row.metrics[name].mean for row in found.keywords),  # type: ignore[union-attr]
        )
    ends = sum(row.metrics["impressions"].high for row in found.keywords)  # type: ignore[union-attr]
    assert found.total["impressions"].high < ends  # type: ignore[union-attr]


def test_weeks_add_up_to_the_period(forecaster: Forecaster, searched: list[str]) -> None:
    found = forecaster.forecast([PlannedKeyword(text) for text in searched[:20]], weeks=6)
    assert len(found.weekly) == 6
    for name in METRICS:
        assert np.isclose(
            found.total[name].mean,
            sum(row[name].mean for _, row in found.weekly),  # type: ignore[union-attr]
        )


def test_groups_add_up_to_the_set(forecaster: Forecaster, searched: list[str]) -> None:
    keywords = [PlannedKeyword(text, bid_micros=BID, group=f"g{row % 3}") for row, text in enumerate(searched[:30])]
    found = forecaster.forecast(keywords)
    assert list(found.groups) == ["g0", "g1", "g2"]
    assert np.isclose(
        found.total["clicks"].mean,
        sum(row["clicks"].mean for row in found.groups.values()),  # type: ignore[union-attr]
    )


def test_a_search_is_counted_once_and_the_narrowest_match_serves_it(forecaster: Forecaster) -> None:
    broad = PlannedKeyword("鲜花", MatchType.BROAD, BID)
    exact = PlannedKeyword("鲜花", MatchType.EXACT, BID)
    alone = forecaster.forecast([broad]).keywords[0]
    both = forecaster.forecast([broad, exact])
    served, own = both.keywords
    assert served.overlap > 0 and own.overlap == 0
    assert np.isclose(served.searches.mean + own.searches.mean, alone.searches.mean)  # type: ignore[union-attr]


def test_the_same_keyword_twice_serves_once(forecaster: Forecaster) -> None:
    first, second = forecaster.forecast([PlannedKeyword("鲜花"), PlannedKeyword("鲜花")]).keywords
    assert first.metrics["clicks"].mean > 0 == second.metrics["clicks"].mean  # type: ignore[union-attr]
    assert "served_by_others" in second.notes


def test_phrase_reaches_less_than_broad_and_more_than_exact(forecaster: Forecaster) -> None:
    reach = plan_reach(
        forecaster.indexes,
        [PlannedKeyword("flower delivery", kind) for kind in (MatchType.EXACT, MatchType.PHRASE, MatchType.BROAD)],
    )
    exact, phrase, broad = (set(reach.query[reach.offsets[k] : reach.offsets[k + 1]].tolist()) for k in range(3))
    assert exact < phrase <= broad


def test_a_phrase_is_whole_words(forecaster: Forecaster) -> None:
    reach = plan_reach(forecaster.indexes, [PlannedKeyword("flower", MatchType.PHRASE)])
    texts = forecaster.indexes.keywords.take(reach.query)
    assert all("flower" in text for text in texts if text != "flowers")


def test_what_was_never_searched_is_unknown_and_says_so(forecaster: Forecaster) -> None:
    found = forecaster.forecast([PlannedKeyword("qqzz xxyy"), PlannedKeyword("鲜花")])
    unknown = found.keywords[0]
    assert unknown.basis is Basis.NO_HISTORY and unknown.searches is None
    assert all(estimate is None for estimate in unknown.metrics.values())
    assert unknown.notes == ("no_history",) and found.unknown_keywords == 1
    alone = forecaster.forecast([PlannedKeyword("qqzz xxyy")])
    assert all(estimate is None for estimate in alone.total.values()) and alone.weekly == ()


def test_seldom_searched_keywords_lean_on_others_and_say_so(forecaster: Forecaster) -> None:
    landscape = forecaster.landscape
    rare = int(np.flatnonzero(landscape.evidence[:, 0] == 1)[0])
    row = forecaster.forecast([PlannedKeyword(forecaster.indexes.keywords[rare])]).keywords[0]
    assert row.basis is Basis.POOLED and "few_searches" in row.notes
    assert row.searches is not None and 0 < row.searches.mean < 1


def test_a_higher_bid_never_brings_less(forecaster: Forecaster, searched: list[str]) -> None:
    query = np.array([forecaster.indexes.keywords.find(text) for text in searched[:100]], np.int64)
    query = forecaster.indexes.stats.canonical[query].astype(np.int64)
    before = np.zeros((len(query), 4))
    for bid in np.geomspace(10_000, 10**9, 40):
        now = curves_at(forecaster.landscape, query, np.full(len(query), bid)).values
        assert (now[:, [SHOWN, CLICKED, COST]] >= before[:, [SHOWN, CLICKED, COST]] - 1e-6).all()
        assert (now[:, COST] <= now[:, CLICKED] * bid * (1 + 1e-6)).all()
        before = now


@pytest.mark.parametrize(
    ("start", "weeks"), [(None, 0), (None, 27), (date(2024, 6, 30), 4), (date(2020, 1, 1), 1), (date(2030, 1, 1), 1)]
)
def test_periods_that_the_log_cannot_tell_of_are_refused(
    forecaster: Forecaster, start: date | None, weeks: int
) -> None:
    with pytest.raises(UsageError, match="week"):
        forecaster.forecast([PlannedKeyword("鲜花")], start, weeks)


def test_a_period_may_begin_within_a_week(forecaster: Forecaster) -> None:
    whole = forecaster.forecast([PlannedKeyword("鲜花")], weeks=2).keywords[0].searches
    shifted = forecaster.forecast([PlannedKeyword("鲜花")], date(2024, 7, 4), weeks=2)
    assert whole is not None and shifted.start == date(2024, 7, 4) and len(shifted.weekly) == 3
    assert 0.5 < shifted.keywords[0].searches.mean / whole.mean < 2  # type: ignore[union-attr]
    assert shifted.data_until < shifted.start <= shifted.data_until + timedelta(days=7)


@pytest.mark.parametrize("bid", [0, -5, 10**13])
def test_bids_out_of_range_are_refused_by_name(forecaster: Forecaster, bid: int) -> None:
    with pytest.raises(UsageError, match="鲜花"):
        forecaster.forecast([PlannedKeyword("鲜花", bid_micros=bid)])


def test_empty_keywords_and_plans_are_refused(forecaster: Forecaster) -> None:
    with pytest.raises(UsageError, match="Keyword 2 is empty"):
        forecaster.forecast([PlannedKeyword("鲜花"), PlannedKeyword("  ")])
    with pytest.raises(UsageError, match="0 keywords"):
        forecaster.forecast([])


def test_a_snapshot_without_ads_says_that_it_cannot_forecast(tiny_store: Path) -> None:
    indexes = Indexes.open(tiny_store)
    assert indexes.landscape is None
    with pytest.raises(NotFoundError, match="nothing to forecast"):
        Forecaster(indexes)


def test_a_choice_keeps_to_its_budget_and_its_forecast_agrees(forecaster: Forecaster, searched: list[str]) -> None:
    candidates = [PlannedKeyword(text, MatchType.BROAD if row % 9 == 0 else MatchType.EXACT)
                  for row, text in enumerate(searched[:120])]  # fmt: skip
    choice = choose_set(forecaster, candidates, 10_000_000)
    assert 0 < choice.expected["cost_micros"] <= 10_000_000 * (1 + 1e-9)
    assert choice.gap < 0.02 and choice.bound >= choice.expected["clicks"] * (1 - 1e-9)
    found = forecaster.forecast(choice.chosen)
    assert np.isclose(found.total["clicks"].mean, choice.expected["clicks"])  # type: ignore[union-attr]
    assert np.isclose(found.total["cost_micros"].mean, choice.expected["cost_micros"])  # type: ignore[union-attr]


def test_more_money_buys_more_and_each_micro_less(forecaster: Forecaster, searched: list[str]) -> None:
    candidates = [PlannedKeyword(text) for text in searched[:80]]
    found = [choose_set(forecaster, candidates, budget) for budget in (2_000_000, 4_000_000, 8_000_000)]
    values = [each.expected["clicks"] for each in found]
    assert values[0] < values[1] < values[2] and values[1] - values[0] > (values[2] - values[1]) / 2 * 0.98
    points = found[0].frontier
    assert points == found[2].frontier and all(a.value < b.value for a, b in itertools.pairwise(points))


def test_every_candidate_is_told_why_in_both_languages(forecaster: Forecaster, searched: list[str]) -> None:
    candidates = [PlannedKeyword(text) for text in [*searched[:60], searched[0], "qqzz xxyy"]]
    choice = choose_set(forecaster, candidates, 1_000_000)
    decisions = [row.decision for row in choice.decisions]
    assert decisions[-1] is Decision.NO_HISTORY and Decision.CHOSEN in decisions and Decision.TOO_COSTLY in decisions
    first, again = choice.decisions[0], choice.decisions[60]
    assert first.decision is not Decision.CHOSEN or again.decision is Decision.SERVED_BY_OTHERS
    for row in budget_envelope(choice, candidates)["data"]["keywords"]:
        assert row["text_en"] and row["text_zh"] and row["text_en"] != row["text_zh"]
    dear = next(row for row in choice.decisions if row.decision is Decision.TOO_COSTLY)
    assert "above" in decision_text(dear, "clicks", choice.marginal_cost)


def test_a_bid_of_a_candidate_is_the_most_it_may_bid(forecaster: Forecaster, searched: list[str]) -> None:
    most = 1_500_000
    choice = choose_set(forecaster, [PlannedKeyword(text, bid_micros=most) for text in searched[:40]], 10**9)
    assert choice.chosen and all(each.bid_micros is not None and each.bid_micros <= most for each in choice.chosen)


@pytest.mark.parametrize(("budget", "goal"), [(0, "clicks"), (-1, "clicks"), (10**16, "clicks"), (5, "fame")])
def test_budgets_and_goals_that_mean_nothing_are_refused(forecaster: Forecaster, budget: int, goal: str) -> None:
    with pytest.raises(UsageError):
        choose_set(forecaster, [PlannedKeyword("鲜花")], budget, goal)


def test_every_basis_and_note_has_texts() -> None:
    assert set(BASIS_TEXTS) == set(Basis)
    assert all(len(texts) == 2 and all(texts) for texts in FORECAST_NOTES.values())


def with_model(forecaster: Forecaster, **numbers: object) -> Forecaster:
    """A forecaster whose market's numbers are others; None leaves a number out."""
    changed = {name: value for name, value in (forecaster.model | numbers).items() if value is not None}
    landscape = dataclasses.replace(forecaster.landscape, model=changed)
    return Forecaster(dataclasses.replace(forecaster.indexes, landscape=landscape))


def test_ranges_widen_as_the_least_price_is_less_known(forecaster: Forecaster, searched: list[str]) -> None:
    keywords = [PlannedKeyword(text, bid_micros=10**9, group="all") for text in searched[:60]]
    widths = []
    for spread in (0.01, 0.2, 1.0):
        cost = with_model(forecaster, floor_spread=spread).forecast(keywords).total["cost_micros"]
        assert cost is not None
        widths.append(cost.sd / cost.mean)
    assert widths[0] < widths[1] < widths[2]


def test_a_bid_near_the_least_price_is_forecast_a_part(forecaster: Forecaster, searched: list[str]) -> None:
    query = np.array([forecaster.indexes.keywords.find(text) for text in searched[:100]], np.int64)
    query = forecaster.indexes.stats.canonical[query].astype(np.int64)
    floor = forecaster.landscape.rates[query, 2].astype(np.float64)
    below, above = (curves_at(forecaster.landscape, query, floor * ratio).reached for ratio in (0.9, 1.2))
    assert (below > 0).all() and (below < above).all() and (above < 1).all()


def test_an_older_snapshot_without_these_numbers_still_forecasts(forecaster: Forecaster, searched: list[str]) -> None:
    older = with_model(forecaster, floor_spread=None, set_calibration=None, set_sizes=None)
    found = older.forecast([PlannedKeyword(text, bid_micros=BID, group="g") for text in searched[:30]])
    assert found.total["clicks"] is not None and found.total["clicks"].high > found.total["clicks"].low
    choice = choose_set(older, [PlannedKeyword(text) for text in searched[:30]], 5_000_000)
    assert choice.chosen
