"""From what the origins of recommendations say to one order: the features of a learned blend, and the fixed blend.

Without a model the origins are joined by reciprocal rank fusion (Cormack, Clarke & Büttcher 2009): Σ w / (60 + rank)
over the origins that find a keyword, times √demand on the scale where the candidate most searched has 1. Weights are
1 but for the ones below.
"""

import numpy as np

from indexes.account_recall import ORIGINS, Recalled
from indexes.arrays import Array
from indexes.blend_model import LOGARITHMIC, PLAIN, RELATIVE
from indexes.keyword_stats import KeywordStats

RANK_OFFSET = 60
WEIGHTS = {"rising": 0.25, "buyer_factors": 0.5, "buyer_walks": 0.5}
"""Bursts fit few accounts; factors and walks read the same purchases as the two origins before them."""
DEMAND_POWER = 0.5


def features(recalled: Recalled, stats: KeywordStats) -> Array:
    """What a learned blend reads of each candidate, float32 (n, len(FEATURES)), no NaN."""
    ids, known = recalled.keyword_id, recalled.known
    searches = np.log1p(np.asarray(stats.searches[ids], np.float64))
    bid = np.maximum(np.asarray(stats.high_bid_micros[ids], np.float64), 0.0)
    columns = [known[name] / max(float(known[name].max(initial=0.0)), 1e-12) for name in RELATIVE]
    columns += [known[name] for name in PLAIN]
    columns += [known["industry_count"] / np.maximum(known["industry_size"], 1.0)]
    columns += [np.log1p(known[name]) for name in LOGARITHMIC]
    columns += [
        searches,
        searches - searches.max(initial=0.0),
        np.log1p(np.asarray(stats.users[ids], np.float64)),
        stats.competition_index[ids],
        np.log1p(bid / 10_000),
        stats.change_3m[ids],
        (stats.canonical[ids] == ids).astype(np.float64),
        np.sum([recalled.scores[name] > 0 for name in ORIGINS], axis=0),
        fixed_blend(recalled, stats),
    ]
    return np.nan_to_num(np.stack([np.asarray(column, np.float64) for column in columns], axis=1)).astype(np.float32)


def fixed_blend(recalled: Recalled, stats: KeywordStats) -> Array:
    """The score without a model, float64 (n,) in 0..1, 1 for what would be first everywhere."""
    ids = recalled.keyword_id
    total = np.zeros(len(ids))
    for name in ORIGINS:
        score = recalled.scores[name]
        found = np.flatnonzero(score > 0)
        order = found[np.lexsort((ids[found], -score[found]))]
        total[order] += WEIGHTS.get(name, 1.0) / (RANK_OFFSET + 1 + np.arange(len(order)))
    most = sum(WEIGHTS.get(name, 1.0) for name in ORIGINS) / (RANK_OFFSET + 1)
    searches = np.log1p(np.asarray(stats.searches[ids], np.float64))
    demand = (searches / max(float(searches.max(initial=0.0)), 1e-12)) ** DEMAND_POWER
    return total / most * demand
