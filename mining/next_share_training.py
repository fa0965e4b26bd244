"""Learning what is searched next: of the searches that follow a keyword in later sessions, the share for a neighbour.

A later log confirms nearly everything that the miners say of frequent keywords, so whether a pair is confirmed tells
nothing of the order of their neighbours; how often it is confirmed does. The trees are fitted by cross entropy to these
shares, a keyword counting as often as a search followed it, which makes their output a conditional probability: what
several keywords of a session say can be added up.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from indexes.arrays import Array
from mining.fusion_features import DIRECTIONS, PLAIN_NAMES
from mining.fusion_labels import Confirmations
from mining.pair_evidence import PairEvidence

MOST_PAIRS = 400_000
"""Keywords are drawn, frequently followed ones more surely, so that about so many pairs are learned from."""
SEED = 20240630
ROUNDS = 300
PARAMETERS: dict[str, object] = {
    "objective": "cross_entropy",
    "num_leaves": 31,
    "learning_rate": 0.04,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.8,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "num_threads": 1,
    "deterministic": True,
    "seed": 1,
    "verbose": -1,
    "monotone_constraints": list(DIRECTIONS),
}


@dataclass(frozen=True)
class FollowedPairs:
    """Pairs of keywords that something followed in the later log.

    `features` float32 (n, features); `share` float64 (n,) of these searches that were for the neighbour; `weight`
    float64 (n,): how many they were, over the chance of the keyword to be drawn.
    """

    features: Array
    share: Array
    weight: Array
    card: dict[str, Any]


def followed_pairs(evidence: PairEvidence, confirmations: Confirmations) -> FollowedPairs:
    """The pairs of keywords drawn by how often they were followed, about MOST_PAIRS."""
    followed = confirmations.followed
    pairs_of = np.zeros(len(followed), np.int64)
    for pairs in evidence.pairs():
        pairs_of += np.bincount(pairs.keyword, minlength=len(followed))
    chance = chance_to_be_drawn(followed, pairs_of, MOST_PAIRS)
    drawn = np.random.default_rng(SEED).random(len(followed)) < chance
    features, shares, weights = [np.empty((0, len(DIRECTIONS)), np.float32)], [np.empty(0)], [np.empty(0)]
    hits = 0
    for pairs in evidence.pairs():
        rows = np.flatnonzero(drawn[pairs.keyword])
        keyword = pairs.keyword[rows]
        counts = confirmations.next_counts(keyword, pairs.neighbor[rows])
        hits += int(counts.sum())
        features.append(pairs.features[rows])
        shares.append(counts / followed[keyword])
        weights.append(followed[keyword] / chance[keyword])
    card = {
        "keywords": int((drawn & (pairs_of > 0)).sum()),
        "pairs": sum(map(len, shares)),
        "searches": int(followed[drawn].sum()),
        "found": hits,
    }
    return FollowedPairs(np.concatenate(features), np.concatenate(shares), np.concatenate(weights), card)


def chance_to_be_drawn(followed: Array, pairs_of: Array, most: int) -> Array:
    """The chance of each keyword, float64: in proportion to how often it was followed, at most 1.

    Drawn so, about `most` pairs are to be expected, or all that there are.
    """
    wanted = pairs_of[followed > 0].sum()
    if wanted <= most:
        return (followed > 0).astype(np.float64)
    low, high = 0.0, 1.0
    for _ in range(60):
        rate = (low + high) / 2
        low, high = (rate, high) if (pairs_of * np.minimum(1.0, followed * rate)).sum() <= most else (low, rate)
    return np.minimum(1.0, followed * low)


def fit_next_share(pairs: FollowedPairs) -> str:
    """The text of the trees."""
    import lightgbm

    data = lightgbm.Dataset(pairs.features, pairs.share, weight=pairs.weight, feature_name=list(PLAIN_NAMES))
    return lightgbm.train(PARAMETERS, data, ROUNDS).model_to_string()
