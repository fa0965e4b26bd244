"""Seasons of pools and levels of keywords on made demand, and rates of words on made counts."""

import numpy as np
from scipy.sparse import csr_array

from mining.demand_levels import Weeks, choose_levels, choose_pools, levels_of, pool_demand, tier_of
from mining.log_rates import posterior, word_effects

WEEKS = 62


def made_weeks(generator: np.random.Generator, keywords: int, season: np.ndarray, level: float) -> np.ndarray:
    return generator.poisson(level * season[None, :], (keywords, len(season))).astype(np.float64)


def test_a_season_of_last_year_is_forecast_for_the_words_that_had_it() -> None:
    generator = np.random.default_rng(0)
    flat = np.ones(WEEKS + 8)
    peak = flat.copy()
    # The weeks after the log are those of last year from week 10 on.
    peak[10:14] = peak[62:66] = 3.0
    searches = np.concatenate([made_weeks(generator, 40, peak, 5.0), made_weeks(generator, 40, flat, 5.0)])
    words = csr_array(np.kron(np.eye(2), np.ones((40, 1))))
    weeks = Weeks(csr_array(searches[:, :WEEKS]), 0)
    pools = choose_pools(words, weeks)
    assert pools.count == 3 and len(set(pools.of_keyword[:40].tolist())) == 1
    demand = pool_demand(weeks, pools, 8)[:, WEEKS:]
    seasonal, plain = demand[pools.of_keyword[0]], demand[pools.of_keyword[40]]
    assert seasonal[1:3].mean() > 2.0 and 0.8 < plain[1:3].mean() < 1.2 and seasonal[6:].mean() < 1.3


def test_a_keyword_that_was_searched_more_has_a_higher_and_surer_level() -> None:
    generator = np.random.default_rng(1)
    true = np.array([0.05, 0.5, 5.0, 50.0])
    searches = generator.poisson(true[:, None] * np.ones(WEEKS)[None, :]).astype(np.float64)
    weeks = Weeks(csr_array(np.tile(searches, (50, 1))), 0)
    words = csr_array(np.ones((200, 1)))
    pools = choose_pools(words, weeks)
    demand = pool_demand(weeks, pools, 4)
    model = choose_levels(weeks.before(WEEKS - 4), demand, pools, np.asarray(searches[:, -4:].sum(axis=1)).repeat(50),
                          np.full(200, 4.0))  # fmt: skip
    shape, rate = levels_of(weeks, demand, pools, model)
    mean = (shape / rate)[:4]
    assert (np.diff(mean) > 0).all() and (np.diff(shape[:4]) > 0).all()
    assert abs(mean[3] / 50 - 1) < 0.1


def test_tiers_begin_at_their_bounds() -> None:
    assert tier_of(np.array([0.0, 0.49, 0.5, 2.99, 3.0, 99.0])).tolist() == [0, 0, 1, 1, 2, 2]


def test_words_are_given_the_effects_that_made_the_counts() -> None:
    generator = np.random.default_rng(2)
    words = (generator.random((4000, 6)) < 0.3).astype(np.float64)
    true = np.array([0.7, -0.5, 0.0, 0.3, -0.9, 0.2])
    exposure = generator.gamma(2.0, 20.0, 4000)
    events = generator.poisson(exposure * 0.1 * np.exp(words @ true)).astype(np.float64)
    market, effects = word_effects(csr_array(words), events, exposure)
    assert np.allclose(effects, true, atol=0.08) and abs(market - np.log(0.1)) < 0.1
    fitted = exposure * np.exp(market + words @ effects)
    assert np.isclose(fitted.sum(), events.sum())


def test_without_events_no_word_has_an_effect() -> None:
    market, effects = word_effects(csr_array(np.ones((3, 2))), np.zeros(3), np.array([1.0, 2.0, 0.0]))
    assert not effects.any() and np.isfinite(market)


def test_a_posterior_lies_between_its_prior_and_what_was_seen() -> None:
    events, exposure, prior = np.array([0.0, 30.0, 3000.0]), np.array([0.0, 100.0, 10_000.0]), np.full(3, 0.1)
    value, shape, _ = posterior(events, exposure, prior, spread=10.0)
    assert value[0] == 0.1 and 0.1 < value[1] < 0.3 and abs(value[2] - 0.3) < 0.005
    assert shape.tolist() == [10.0, 40.0, 3010.0]
