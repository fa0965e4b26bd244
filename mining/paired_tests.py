"""Whether one system is better than another on the same questions: intervals and paired tests, by user.

What one user asks is alike, so users are drawn and flipped whole, never single questions.
"""

from collections.abc import Sequence

import numpy as np

from indexes.arrays import Array

RESAMPLES = 1000
FLIPS = 5000
AT_A_TIME = 100
SEED = 20240630


def sums_by_user(values: Array, user: Array) -> Array:
    """The sums of each user's rows of values (n, columns), float64 (users, columns), users in ascending order."""
    _, place = np.unique(user, return_inverse=True)
    columns = [np.bincount(place, weights=column) for column in values.T]
    return np.stack(columns, axis=1) if columns else np.zeros((int(place.max(initial=-1)) + 1, 0))


def bootstrap_intervals(values: Array, user: Array) -> list[list[float] | None]:
    """The 95 % bootstrap interval of the mean of each column of values (n, columns), users drawn with replacement.

    NaN is no value; a column without any has no interval.
    """
    known = ~np.isnan(values)
    sums, counts = sums_by_user(np.where(known, values, 0.0), user), sums_by_user(known.astype(np.float64), user)
    users = len(sums)
    generator = np.random.default_rng(SEED)
    means = []
    for _ in range(RESAMPLES // AT_A_TIME):
        drawn = [np.bincount(generator.integers(0, users, users), minlength=users) for _ in range(AT_A_TIME)]
        times = np.stack(drawn).astype(np.float64)
        with np.errstate(invalid="ignore"):  # a draw may hold no user of a rare band
            means.append((times @ sums) / (times @ counts))
    spread = np.concatenate(means)
    has_values = [bool(column.any()) for column in known.T]
    return [
        [round(float(bound), 4) for bound in np.nanpercentile(spread[:, column], [2.5, 97.5])] if any_known else None
        for column, any_known in enumerate(has_values)
    ]


def sign_flip_p(differences: Array, user: Array) -> list[float]:
    """The two-sided p of the mean of each column of paired differences (n, columns) being 0.

    The signs of users are flipped at random. The smallest p that can come out is 1 / (FLIPS + 1).
    """
    sums = sums_by_user(differences, user)
    observed = np.abs(sums.sum(axis=0)) * (1 - 1e-9)  # sums in another order differ in their last bits
    generator = np.random.default_rng(SEED)
    beyond = np.zeros(sums.shape[1], np.int64)
    for _ in range(FLIPS // AT_A_TIME):
        signs = generator.integers(0, 2, (AT_A_TIME, len(sums)), np.int8) * 2.0 - 1.0
        beyond += (np.abs(signs @ sums) >= observed).sum(axis=0)
    return [float(p) for p in (beyond + 1) / (FLIPS + 1)]


def holm(p_values: Sequence[float]) -> list[float]:
    """The same p-values corrected for their number by Holm's step-down method (1979), in the order given."""
    corrected = [0.0] * len(p_values)
    greatest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        greatest = max(greatest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = greatest
    return corrected
