"""Predictive distributions against scipy's, and the laws that quantiles keep."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import gamma, nbinom, poisson

from indexes.predictive import amount_cdf, amount_quantile, count_cdf, count_quantile, no_event

MEANS = st.floats(1e-3, 1e4)
LEVELS = st.floats(0.01, 0.99)


@given(MEANS, st.floats(1.01, 50), st.integers(0, 20_000))
def test_counts_are_negative_binomial(mean: float, dispersion: float, count: int) -> None:
    variance = mean * dispersion
    shape = mean**2 / (variance - mean)
    expected = nbinom.cdf(count, shape, shape / (shape + mean))
    assert np.isclose(count_cdf(np.array([count]), np.array([mean]), np.array([variance]))[0], expected, atol=1e-9)


@given(MEANS, st.integers(0, 2000))
def test_counts_without_overdispersion_are_poisson(mean: float, count: int) -> None:
    found = count_cdf(np.array([count]), np.array([mean]), np.array([mean]))[0]
    assert np.isclose(found, poisson.cdf(count, mean), atol=2e-3)


@given(LEVELS, MEANS, st.floats(1.0, 50))
def test_a_count_quantile_is_the_smallest_count_that_reaches_the_level(
    level: float, mean: float, dispersion: float
) -> None:
    one = [np.array([value]) for value in (level, mean, mean * dispersion)]
    count = count_quantile(*one)
    assert count_cdf(count, *one[1:])[0] >= level
    assert count[0] == 0 or count_cdf(count - 1, *one[1:])[0] < level


@given(LEVELS, st.floats(0, 0.95), MEANS, st.floats(0.3, 5))
def test_an_amount_quantile_turns_its_distribution_round(
    level: float, nothing: float, mean: float, variation: float
) -> None:
    variance = mean**2 * (variation + nothing / (1 - nothing))
    one = [np.array([value]) for value in (nothing, mean, variance)]
    amount = amount_quantile(np.array([level]), *one)
    if level <= nothing:
        assert amount[0] == 0
    else:
        assert np.isclose(amount_cdf(amount, *one)[0], level, atol=1e-6)


def test_amounts_that_are_never_nothing_are_gamma() -> None:
    found = amount_cdf(np.array([3.0]), np.array([0.0]), np.array([2.0]), np.array([4.0]))[0]
    assert np.isclose(found, gamma.cdf(3.0, 1.0, scale=2.0))


def test_a_mean_of_nothing_is_surely_nothing() -> None:
    zero = np.zeros(1)
    assert count_quantile(np.array([0.99]), zero, zero)[0] == 0
    assert amount_quantile(np.array([0.99]), np.ones(1), zero, zero)[0] == 0
    assert np.isclose(no_event(zero, zero)[0], 1.0)
