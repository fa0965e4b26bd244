"""The bootstrap interval of a share."""

import numpy as np

SEED = 20240630
RESAMPLES = 1000


def share_interval(right: int, count: int) -> list[float] | None:
    """The 95 % bootstrap interval of a share: a resample of `count` ones and zeros has a binomial number of ones."""
    if not count:
        return None
    shares = np.random.default_rng(SEED).binomial(count, right / count, RESAMPLES) / count
    return [round(float(bound), 4) for bound in np.percentile(shares, [2.5, 97.5])]
