"""Bursts: what is one and what is not, and the scan against a search of all intervals."""

from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from math import log
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mining import bursts
from mining.bursts import Intervals, expectation, levels, scan
from mining.settings import MiningSettings

FIRST = date(2024, 1, 1)  # a Monday
SETTINGS = MiningSettings()


def found_in(*series: np.ndarray, market: np.ndarray | None = None, **values: Any) -> Intervals:
    """The bursts of keywords with these users a day; the market is the keywords together unless it is given."""
    counts = np.stack(series).astype(np.int64)
    row, day = np.nonzero(counts)
    whole = counts.sum(axis=0).astype(float) if market is None else market
    return scan(row, day, counts[row, day], whole, FIRST, MiningSettings.model_validate(values))


def poisson(mean: Any, days: int = 200, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).poisson(mean, days)


QUIET_MARKET = np.full(1000, 5000.0)


def test_a_planted_rise_is_found_on_its_days() -> None:
    usual = poisson(4.0)
    usual[100:107] += 16
    found = found_in(usual, market=QUIET_MARKET[:200])
    assert (found.first.tolist(), found.last.tolist()) == ([100], [106])
    assert found.observed[0] == usual[100:107].sum()
    assert found.expected[0] == pytest.approx(28, rel=0.25)


def test_a_rise_of_a_rare_keyword_is_found_and_chance_is_not() -> None:
    rare = [poisson(0.1, seed=seed) for seed in range(50)]
    rare[7][55:70] = 0
    rare[7][60:64] = 6
    found = found_in(*rare, market=QUIET_MARKET[:200])
    assert (found.row.tolist(), found.first.tolist(), found.last.tolist()) == ([7], [60], [63])


@pytest.mark.parametrize(
    "mean",
    [
        np.full(400, 300.0),
        300 * np.where(np.arange(400) % 7 >= 5, 3.0, 1.0),
        300 * (1.5 + np.sin(np.arange(400) / 365 * 2 * np.pi)),
        300 * np.exp(np.arange(400) / 200),
    ],
    ids=["always large", "on weekends", "in its season", "growing"],
)
def test_what_is_always_large_or_weekly_or_seasonal_or_grows_is_no_burst(mean: np.ndarray) -> None:
    assert len(found_in(poisson(mean, 400), market=QUIET_MARKET[:400]).row) == 0


def test_noise_that_is_greater_than_chance_is_no_burst() -> None:
    generator = np.random.default_rng(3)
    noisy = generator.poisson(20 * generator.gamma(4, 1 / 4, 300))
    calm = generator.poisson(20, 300)
    for series in (noisy, calm):
        series[200:203] = 55
    rows = set(found_in(noisy, calm, market=QUIET_MARKET[:300]).row.tolist())
    assert rows == {1}


def test_a_day_on_which_everything_rises_is_the_markets() -> None:
    mean = np.where((np.arange(200) >= 90) & (np.arange(200) < 93), 20.0, 5.0)
    series = [poisson(mean, seed=seed) for seed in range(40)]
    assert len(found_in(*series).row) == 0
    series[0][90:93] *= 5
    assert found_in(*series).row.tolist() == [0]


def test_a_log_of_one_keyword_still_has_bursts() -> None:
    alone = poisson(5.0)
    alone[150:154] += 20
    found = found_in(alone)
    assert (found.first.tolist(), found.last.tolist()) == ([150], [153])


def test_a_peak_of_every_year_is_a_burst_the_first_time_only() -> None:
    days = 52 * 7 + 150
    yearly = poisson(6.0, days)
    for year in (0, 52 * 7):
        yearly[year + 60 : year + 67] += 30
    found = found_in(yearly, market=QUIET_MARKET[:days])
    assert found.first.tolist() == [60]
    yearly[52 * 7 + 100 : 52 * 7 + 105] += 30
    assert found_in(yearly, market=QUIET_MARKET[:days]).first.tolist() == [60, 52 * 7 + 100]


def test_a_log_of_less_than_four_weeks_has_none() -> None:
    assert len(found_in(np.array([1] * 20 + [500] * 7)).row) == 0
    assert len(scan(*(np.empty(0, np.int64),) * 3, np.zeros(100), FIRST, SETTINGS).row) == 0


def test_a_level_is_the_interquartile_mean_of_the_weeks_around() -> None:
    weeks = np.array([7.0, 7, 14, 700, 21, 0, 14])
    level = levels(np.repeat(weeks / 7, 7)[None, :], 3)[0]
    assert level[3 * 7] == pytest.approx(np.mean([7, 7, 14, 14, 21]) / 7)
    assert level[0] == pytest.approx(np.mean([7, 14]) / 7)
    assert levels(np.zeros((1, 30)), 3)[0].tolist() == [0.5 / 7] * 30


@settings(max_examples=30)
@given(
    counts=st.lists(st.lists(st.sampled_from([0, 0, 1, 2, 9]), min_size=35, max_size=35), min_size=1, max_size=3),
    longest=st.integers(1, 10),
    score=st.sampled_from([0.5, 3.0]),
    cells=st.sampled_from([1, 10**6]),
)
def test_the_scan_keeps_the_best_of_overlapping_intervals(
    counts: list[list[int]], longest: int, score: float, cells: int
) -> None:
    chosen = {"burst_max_days": longest, "burst_min_score": score, "burst_min_users": 3, "burst_min_factor": 1.5}
    series = np.array(counts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bursts, "CELLS_A_BLOCK", cells)
        found = found_in(*series, **chosen)
    market = series.sum(axis=0).astype(float)
    weekday = np.arange(35) % 7
    setting = MiningSettings.model_validate(chosen)
    expected, dispersion = expectation(
        series.astype(float), market, bursts.market_expectation(market, weekday, setting), weekday, setting
    )
    naive = []
    for row in range(len(series)):
        intervals = []
        for first, end in combinations(range(36), 2):
            n, e = int(series[row, first:end].sum()), float(expected[row, first:end].sum())
            if end - first <= longest and n >= 3 and n >= 1.5 * e:
                value = (n * log(n / e) - n + e) / dispersion[row]
                if value >= score:
                    intervals.append((-round(value, 9), first, end - first, n, e))
        kept: list[Any] = []
        for interval in sorted(intervals):
            if all(interval[1] >= one[1] + one[2] or one[1] >= interval[1] + interval[2] for one in kept):
                kept.append(interval)
        naive += [
            (row, first, first + length - 1, n) for _, first, length, n, _ in sorted(kept, key=lambda one: one[1])
        ]
    assert naive == list(zip(*(c.tolist() for c in (found.row, found.first, found.last, found.observed)), strict=True))


START = datetime(2024, 1, 1, tzinfo=UTC)


def search(day: int, user: str, query: str) -> dict[str, Any]:
    return {"ts": START + timedelta(days=day, minutes=len(user)), "user_id": user, "query": query}


def test_the_table_counts_searches_and_people_and_leaves_one_persons_flood_out(each_engine: Any) -> None:
    rows = [search(day, f"w{day}", query) for day in range(0, 84, 3) for query in ("roses", "snow", "rain")]
    rows += [search(day, f"v{number}", "snow") for day in (40, 41, 42) for number in range(8 * day, 8 * day + 8)]
    rows.append(search(42, "v336", "snow"))
    # One person with a hundred searches a day, for two weeks: fourteen users by day, one person.
    rows += [search(day, "flood", "rain") for day in range(40, 54) for _ in range(100)]
    result = each_engine.mined({"searches": rows}, "bursts")
    [burst] = result.tables["bursts"]
    assert (burst["keyword"], burst["first_date"], burst["last_date"]) == ("snow", date(2024, 2, 10), date(2024, 2, 12))
    assert (burst["searches"], burst["users"], burst["observed"]) == (26, 25, 25)
    assert burst["factor"] == burst["observed"] / burst["expected"]
    assert burst["factor"] > 2 and burst["score"] >= 15


def test_planted_bursts_of_the_simulated_market_are_found(small_market: Any) -> None:
    from mining.burst_evaluation import burst_rows

    [row] = burst_rows(small_market / "mined", small_market / "truth")
    assert row["precision"] >= 0.6
    assert row["recall"] >= 0.25
