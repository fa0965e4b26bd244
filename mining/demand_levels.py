"""Weekly demand: seasons of pools of keywords, and each keyword's level within its pool.

A keyword belongs to the pool of one of its words, the least searched of those that are searched enough to show a
season, or to the whole market. Demand of a pool in a week is 1 where it is that of its average week of the past year.
A keyword's searches are Poisson with mean level · demand of its pool; the level is gamma distributed, and what is known
of it fades from week to week by a discount (Harvey & Fernandes 1989), so that the newest weeks count most.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import gammaln

from indexes.arrays import Array
from indexes.auction_landscape import WEEKS_AHEAD

YEAR = 52
RECENT = 4
"""Weeks whose mean is where a forecast starts from."""
POOL_SHARE = 0.002
POOL_SEARCHES = 600
"""Words of so many searches, and such a share of all, have a pool."""
POOL_SHRINKAGE = 40.0
"""Searches a week with which a pool's own ups and downs count half, the market's the other half."""
SEASON_SHRINKAGE = 150.0
"""Searches in the weeks compared, with which a pool's own season counts half."""
DISCOUNTS = (0.94, 0.97, 0.985, 0.995, 1.0)
PRIOR_SHAPES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
PRIOR_LEVELS = (0.25, 0.5, 1.0, 2.0)
"""Prior levels, as multiples of the mean keyword's."""


@dataclass(frozen=True)
class Weeks:
    """Counts of keywords (rows) by whole weeks: `searches` csr (keywords × weeks), float64; `first` is the Monday's
    number of days since 1970-01-01."""

    searches: csr_array
    first: int

    def __len__(self) -> int:
        return int(self.searches.shape[1])

    def before(self, week: int) -> "Weeks":
        """The same, as it was known when so many weeks had passed."""
        return Weeks(self.searches[:, :week], self.first)


@dataclass(frozen=True)
class Pools:
    """`of_keyword` int64 (keywords,), `of_word` int64 (words,), -1: none; pool 0 is the whole market."""

    of_keyword: Array
    of_word: Array
    count: int


def choose_pools(words: csr_array, weeks: Weeks) -> Pools:
    """The pool of every keyword; `words` (keywords × words) says which words it has."""
    searched = np.asarray(weeks.searches.sum(axis=1)).ravel()
    volume = words.T @ searched
    large = np.flatnonzero(volume >= max(POOL_SEARCHES, POOL_SHARE * searched.sum()))
    of_word = np.full(words.shape[1], -1, np.int64)
    of_word[large] = np.arange(1, len(large) + 1)
    entry_pool = of_word[words.indices]
    entry_volume = np.where(entry_pool > 0, volume[words.indices], np.inf)
    row = np.repeat(np.arange(words.shape[0]), np.diff(words.indptr))
    order = np.lexsort((words.indices, entry_volume, row))
    first = np.unique(row[order], return_index=True)[1]
    of_keyword = np.zeros(words.shape[0], np.int64)
    chosen = order[first]
    of_keyword[row[chosen]] = np.maximum(entry_pool[chosen], 0)
    return Pools(of_keyword, of_word, len(large) + 1)


def pool_demand(weeks: Weeks, pools: Pools, ahead: int = WEEKS_AHEAD) -> Array:
    """Demand of each pool in every week of the log and so many after it: float64 (pools, weeks + ahead).

    Of the same weeks a year ago, how they stood to the weeks before them; without a year of log, as the latest weeks.
    """
    known = len(weeks)
    member = csr_array(
        (np.ones(len(pools.of_keyword)), (pools.of_keyword, np.arange(len(pools.of_keyword)))),
        shape=(pools.count, len(pools.of_keyword)),
    )
    counted = np.asarray((member @ weeks.searches).todense(), np.float64)
    whole = np.maximum(counted.sum(axis=0), 1e-9)
    counted[0] = whole
    past = counted[:, max(0, known - YEAR) :].mean(axis=1, keepdims=True)
    share = past / max(float(whole[max(0, known - YEAR) :].mean()), 1e-9)
    weight = past / (past + POOL_SHRINKAGE)
    smooth = weight * counted + (1 - weight) * share * whole[None, :]
    demand = smooth / np.maximum(past, 1e-9)
    latest = demand[:, -RECENT:].mean(axis=1, keepdims=True)
    future = np.repeat(latest, ahead, axis=1)
    start = known - YEAR
    if start >= RECENT:
        for step in range(ahead):
            # Beyond a year ahead the same season serves again.
            place = start + step % YEAR
            around = slice(max(place - 1, 0), min(place + 2, known))
            own_now, own_then = counted[:, start - RECENT : start].sum(axis=1), counted[:, around].sum(axis=1)
            length = around.stop - around.start
            ratio = (own_then / length + 1e-9) / (own_now / RECENT + 1e-9)
            weight_own = np.minimum(own_now, own_then)
            weight_own = weight_own / (weight_own + SEASON_SHRINKAGE)
            future[:, step] = latest[:, 0] * np.exp(weight_own * np.log(ratio) + (1 - weight_own) * np.log(ratio[0]))
    return np.concatenate([demand, future], axis=1)


@dataclass(frozen=True)
class LevelModel:
    """The choice that forecast held-out weeks best: discounts by tier, and the prior's shape and mean level."""

    discounts: tuple[float, ...]
    shape: float
    level: float


TIERS = (0.5, 3.0)
"""Searches a week from which a keyword is torso, and head."""


def tier_of(weekly: Array) -> Array:
    """0 tail, 1 torso, 2 head, by expected searches a week; int64."""
    return np.searchsorted(np.array(TIERS), weekly, side="right")


def evidence_of(weeks: Weeks, demand: Array, pools: Pools, discount: float) -> tuple[Array, Array]:
    """Discounted searches of each keyword, and discounted demand of its pool in the same weeks; float64."""
    fading = discount ** np.arange(len(weeks) - 1, -1, -1.0)
    return np.asarray(weeks.searches @ fading).ravel(), (demand[:, : len(weeks)] @ fading)[pools.of_keyword]


def levels_of(weeks: Weeks, demand: Array, pools: Pools, model: LevelModel) -> tuple[Array, Array]:
    """Shape and rate of each keyword's level, float64 (keywords,)."""
    found = [evidence_of(weeks, demand, pools, discount) for discount in model.discounts]
    plain = [(model.shape + a) / (model.shape / model.level + b) for a, b in found]
    tier = tier_of(plain[0])
    a, b = (np.choose(tier, [each[side] for each in found]) for side in (0, 1))
    return model.shape + a, model.shape / model.level + b


def choose_levels(weeks: Weeks, demand: Array, pools: Pools, held_out: Array, future: Array) -> LevelModel:
    """The model under which the searches `held_out` (keywords,) of the weeks after are most likely.

    `future` float64 (keywords,) is the demand of each keyword's pool summed over these weeks.
    """
    seen = np.flatnonzero(np.asarray(weeks.searches.sum(axis=1)).ravel() > 0)
    if not len(seen):
        return LevelModel((1.0, 1.0, 1.0), 1.0, 1.0)
    evidence = {discount: evidence_of(weeks, demand, pools, discount) for discount in DISCOUNTS}
    a, b = evidence[1.0]
    mean_level = float(a[seen].sum() / max(float(b[seen].sum()), 1e-9))

    def likelihood(discount: float, shape: float, level: float) -> Array:
        own_shape = shape + evidence[discount][0][seen]
        own_rate = shape / level + evidence[discount][1][seen]
        return log_likelihood(held_out[seen], own_shape, own_rate, future[seen])

    priors = [(shape, scale * mean_level) for shape in PRIOR_SHAPES for scale in PRIOR_LEVELS]
    best = max(priors, key=lambda prior: round(float(likelihood(0.985, *prior).sum()), 6))
    tier = tier_of((best[0] + a[seen]) / (best[0] / best[1] + b[seen]))
    discounts = []
    for number in range(len(TIERS) + 1):
        own = tier == number
        each = {discount: round(float(likelihood(discount, *best)[own].sum()), 6) for discount in DISCOUNTS}
        discounts.append(max(DISCOUNTS, key=lambda discount: (each[discount], discount)))
    return LevelModel(tuple(discounts), *best)


def log_likelihood(count: Array, shape: Array, rate: Array, exposure: Array) -> Array:
    """Of Poisson counts whose rate is gamma distributed (a negative binomial), but for the count's factorial."""
    found: Array = (
        gammaln(shape + count) - gammaln(shape)
        + shape * np.log(rate / (rate + exposure))
        + count * np.log(np.maximum(exposure, 1e-12) / (rate + exposure))
    )  # fmt: skip
    return found
