"""Predictive distributions given by mean and variance, the same for calibration at build and for forecasts.

Counts are negative binomial: a Poisson count whose rate is gamma distributed. Amounts of money are nothing with the
probability that there was no event, else gamma distributed. All functions take and return float64 arrays that
broadcast; a mean of 0 is certain to be 0.
"""

import numpy as np
from scipy.special import betainc, gammainc, gammaincinv

from indexes.arrays import Array

_LARGEST_SHAPE = 1e6
"""From which on a negative binomial is a Poisson for all that a forecast can tell."""
_TINY = 1e-12


def count_cdf(count: Array, mean: Array, variance: Array) -> Array:
    """P(N ≤ count) of negative binomial counts; 0 below 0."""
    mean = np.maximum(mean, _TINY)
    shape = np.minimum(mean * mean / np.maximum(variance - mean, mean * mean / _LARGEST_SHAPE), _LARGEST_SHAPE)
    whole = np.floor(count)
    cdf: Array = np.where(whole < 0, 0.0, betainc(shape, np.maximum(whole, 0) + 1, shape / (shape + mean)))
    return cdf


def count_quantile(level: Array, mean: Array, variance: Array) -> Array:
    """The smallest count with P(N ≤ count) ≥ level, by bisection over whole numbers."""
    level, mean, variance = np.broadcast_arrays(*(np.asarray(each, np.float64) for each in (level, mean, variance)))
    low = np.full(mean.shape, -1.0)
    high = np.ceil(mean + 20 * np.sqrt(np.maximum(variance, mean)) + 20)
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        enough = count_cdf(middle, mean, variance) >= level
        high = np.where(enough, middle, high)
        low = np.where(enough, low, middle)
    return high


def amount_cdf(amount: Array, nothing: Array, mean: Array, variance: Array) -> Array:
    """P(X ≤ amount) of amounts that are 0 with the probability `nothing`; mean and variance are those of X."""
    shape, scale = _gamma_of_positive(nothing, mean, variance)
    positive = gammainc(shape, np.maximum(amount, 0.0) / scale)
    cdf: Array = np.where(np.asarray(amount) < 0, 0.0, nothing + (1 - nothing) * positive)
    return cdf


def amount_quantile(level: Array, nothing: Array, mean: Array, variance: Array) -> Array:
    """The smallest amount with P(X ≤ amount) ≥ level."""
    shape, scale = _gamma_of_positive(nothing, mean, variance)
    rest = np.clip((level - nothing) / np.maximum(1 - nothing, _TINY), 0.0, 1 - 1e-9)
    amount: Array = np.where((rest <= 0) | (np.asarray(mean) <= 0), 0.0, gammaincinv(shape, rest) * scale)
    return amount


def _gamma_of_positive(nothing: Array, mean: Array, variance: Array) -> tuple[Array, Array]:
    """Shape and scale of X where it is not 0."""
    some = np.maximum(1 - np.asarray(nothing, np.float64), _TINY)
    positive_mean = np.maximum(mean, _TINY) / some
    positive_variance = np.maximum((variance + np.square(mean)) / some - positive_mean**2, positive_mean**2 * 1e-6)
    return positive_mean**2 / positive_variance, positive_variance / positive_mean


def no_event(mean: Array, variance: Array) -> Array:
    """P(N = 0) of negative binomial counts."""
    return count_cdf(np.zeros_like(np.asarray(mean, np.float64)), mean, variance)
