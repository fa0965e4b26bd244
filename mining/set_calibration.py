"""How sure forecasts of sets may be: random sets of keywords in the backtests of `mining.forecast_calibration`.

The variance of a set adds what is each keyword's own, what the keywords of a pool share, and what the market shares, as
`kr.planning.forecast` does. Where the outcomes of the sets fell in these distributions says what else their keywords
have in common, or that they have less.
"""

from collections.abc import Mapping

import numpy as np

from indexes.arrays import Array
from indexes.predictive import amount_cdf, count_cdf, no_event

SET_SIZES = (5, 25, 100)
KEYWORDS_A_TIER = 500
"""Drawn of each tier, so that sets hold keywords that are searched often, sometimes and seldom, as plans do."""
PARTITIONS = 8
"""Times that the keywords drawn are dealt out into sets of a size."""
EVENTS_OF = {"cost_micros": "clicks", "value_micros": "conversions"}
"""What brings each amount of money."""

Moments = Mapping[str, tuple[Array, Array]]
"""Mean and variance of what is forecast, by metric: float64 arrays of one length."""


def place_of(name: str, actual: Array, moments: Moments, drawn: Array) -> Array:
    """Where outcomes of a metric fell in their predictive distributions, 0..1; `drawn` uniform numbers break ties."""
    mean, variance = moments[name]
    if name not in EVENTS_OF:
        below = count_cdf(actual - 1, mean, variance)
        found: Array = below + drawn * (count_cdf(actual, mean, variance) - below)
        return found
    nothing = no_event(*moments[EVENTS_OF[name]])
    return np.where(actual > 0, amount_cdf(actual, nothing, mean, variance), drawn * nothing)


def random_sets(generator: np.random.Generator, tier: Array, tiers: int, size: int) -> Array:
    """Sets of keywords, int64 (sets, size), of rows whose `tier` (int64, negative: never) is one of so many."""
    drawn = []
    for number in range(tiers):
        rows = np.flatnonzero(tier == number)
        drawn.append(generator.permutation(rows)[:KEYWORDS_A_TIER])
    members = np.concatenate(drawn)
    dealt = [generator.permutation(members)[: len(members) // size * size] for _ in range(PARTITIONS)]
    return np.concatenate(dealt).reshape(-1, size)


def moments_of_sets(moments: Moments, sets: Array, pool: Array, shared: Mapping[str, float]) -> Moments:
    """Means and variances of sums over sets, from those of each keyword's own; `pool` int64 says who shares shocks,
    `shared` squared coefficients of variation of shocks by metric, and of pools."""
    count, size = sets.shape
    number = np.repeat(np.arange(count), size)
    rows = sets.ravel()
    key, inverse = np.unique(number * (int(pool.max(initial=0)) + 1) + pool[rows], return_inverse=True)
    of_key = key // (int(pool.max(initial=0)) + 1)
    found = {}
    for name, (mean, variance) in moments.items():
        total = np.bincount(number, mean[rows], count)
        by_pool = np.square(np.bincount(inverse, mean[rows], len(key)))
        own = np.bincount(number, variance[rows], count)
        both = own + shared["pool"] * np.bincount(of_key, by_pool, count) + shared[name] * np.square(total)
        found[name] = (total, both)
    return found
