"""Sets of keywords in the backtests: their variance against drawn outcomes, and that nothing later is looked at."""

import numpy as np
from scipy.sparse import csr_array

from indexes.arrays import Array
from mining.demand_levels import LevelModel
from mining.forecast_calibration import HORIZON, METRICS, WeekCounts, _backtest, backtests
from mining.forecast_part import COUNTED
from mining.set_calibration import PARTITIONS, SET_SIZES, moments_of_sets, place_of, random_sets

WEEKS, HEADS = 40, 300


def made_counts(generator: np.random.Generator, later: int | None = None) -> WeekCounts:
    """Weeks of ads on keywords; those from `later` on differ from call to call, the others do not."""
    row, week = (each.ravel() for each in np.meshgrid(np.arange(HEADS), np.arange(WEEKS), indexing="ij"))
    level = np.geomspace(0.1, 20, HEADS)[row]
    searches = np.random.default_rng(1).poisson(level).astype(np.float64)
    if later is not None:
        searches = np.where(week >= later, generator.poisson(3 * level), searches)
    clicks = np.floor(searches / 3)
    columns = dict.fromkeys(COUNTED, clicks) | {"searches": searches, "impressions": 2 * searches}
    columns |= {"expected_clicks_micros": clicks * 1e6, "cost_micros": clicks * 2e6, "last_cost_micros": clicks * 1e6}
    return WeekCounts(np.arange(HEADS), row, week, columns, WEEKS, 4)


def words() -> csr_array:
    return csr_array(np.eye(10)[np.arange(HEADS) % 10])


def test_a_forecast_knows_nothing_of_the_weeks_that_it_is_judged_by() -> None:
    generator, origin = np.random.default_rng(2), WEEKS - HORIZON
    levels = LevelModel((0.985,) * 3, 0.4, 0.5)
    one, other = (_backtest(made_counts(generator, origin), words(), origin, levels) for _ in range(2))
    assert not np.array_equal(one.actual["searches"], other.actual["searches"])
    assert np.array_equal(one.mean, other.mean) and np.array_equal(one.shape, other.shape)
    for name, rate in one.rates.of.items():
        assert np.array_equal(rate.value, other.rates.of[name].value), name


def test_a_calibration_has_a_band_for_each_metric_and_size() -> None:
    found = backtests(made_counts(np.random.default_rng(3)), words()).as_dict()
    assert found["set_sizes"] == list(SET_SIZES)
    for name in METRICS:
        assert len(found["set_calibration"][name]) == len(SET_SIZES)
        assert all(0 < low < 0.5 < high < 1 for low, high in found["set_calibration"][name])


def test_the_variance_of_sets_is_that_of_sums_of_keywords_that_share_shocks() -> None:
    generator = np.random.default_rng(4)
    mean, pool = np.array([3.0, 5.0, 8.0, 2.0, 4.0, 6.0]), np.array([0, 0, 1, 1, 2, 2])
    own, shared = np.square(mean) * 0.05, {"pool": 0.04, "searches": 0.02}
    sets = np.array([[0, 1, 2], [3, 5, 4]])
    total, variance = moments_of_sets({"searches": (mean, own)}, sets, pool, shared)["searches"]
    draws = 200_000
    market = 1 + 0.02**0.5 * generator.normal(size=(draws, 1))
    pools = 0.04**0.5 * generator.normal(size=(draws, 3))
    outcome = mean * (market + pools[:, pool] + 0.05**0.5 * generator.normal(size=(draws, 6)))
    drawn = np.stack([outcome[:, rows].sum(axis=1) for rows in sets], axis=1)
    assert np.allclose(total, [16.0, 12.0])
    assert np.allclose(variance, drawn.var(axis=0), rtol=0.02)


def test_more_in_common_makes_ranges_of_sets_wider() -> None:
    moments: dict[str, tuple[Array, Array]] = {"searches": (np.full(10, 4.0), np.full(10, 5.0))}
    sets = np.arange(10)[None, :]
    found = [
        moments_of_sets(moments, sets, np.zeros(10, np.int64), {"pool": pool, "searches": market})["searches"][1][0]
        for pool, market in ((0.0, 0.0), (0.1, 0.0), (0.1, 0.1))
    ]
    assert found[0] == 50.0 and found[0] < found[1] < found[2]


def test_random_sets_deal_out_each_keyword_once_a_time() -> None:
    tier = np.array([-1, 0, 0, 1, 1, 2, 2, 2, -1])
    sets = random_sets(np.random.default_rng(5), tier, 3, 2)
    assert sets.shape == (3 * PARTITIONS, 2)
    for dealt in sets.reshape(PARTITIONS, -1):
        assert len(set(dealt.tolist())) == 6 and set(dealt.tolist()) <= set(range(1, 8))


def test_outcomes_of_a_right_forecast_fall_evenly() -> None:
    generator = np.random.default_rng(6)
    clicks = generator.poisson(2.0, 6000).astype(np.float64)
    # Each click costs 3, with the variance 3: a gamma amount.
    cost = generator.gamma(np.maximum(clicks, 1e-9) * 3.0, 1.0)
    cost[clicks == 0] = 0.0
    moments = {
        "clicks": (np.full(6000, 2.0), np.full(6000, 2.0)),
        "cost_micros": (np.full(6000, 6.0), np.full(6000, 2.0 * 3.0 + 2.0 * 9.0)),
    }
    for name, actual in (("clicks", clicks), ("cost_micros", cost)):
        place = place_of(name, actual, moments, generator.random(6000))
        assert abs(((place > 0.1) & (place < 0.9)).mean() - 0.8) < 0.03
