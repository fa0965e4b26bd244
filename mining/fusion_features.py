"""What the fusion reads of a pair: a list of numbers, each with the miner that it comes from and its direction.

Numbers of a miner are 0 where it does not have the pair. The last four are of the keywords themselves: how alike their
vectors are, how many words they share, and how often each is searched. A pair of rare keywords is seldom seen again,
however close, and one of frequent keywords may meet by chance; with the demand beside the evidence the trees can tell.
"""

from dataclasses import dataclass

import numpy as np

from indexes.arrays import Array

UP, EITHER = 1, 0


@dataclass(frozen=True)
class Feature:
    """A column of the matrix. `direction` 1: more of it never lowers the strength; 0: either way."""

    name: str
    miner: str
    column: str
    direction: int
    meaning: str
    logarithm: bool = False
    """ln(1 + x) is taken: for counts, where the tenth says less than the second."""


def _counts(miner: str, column: str, meaning: str, direction: int = UP) -> Feature:
    return Feature(f"{miner}.{column}", miner, column, direction, meaning, logarithm=True)


def _share(miner: str, column: str, meaning: str) -> Feature:
    return Feature(f"{miner}.{column}", miner, column, UP, meaning)


STRENGTH = "strength"
"""The column that `mining.pair_strength` makes of a miner's others."""

MINED_FEATURES = (
    _share("cooccurrence", STRENGTH, "normalised mutual information of their sessions, shrunk"),
    _counts("cooccurrence", "weight", "their steps in sessions, with decay"),
    _counts("cooccurrence", "sessions", "sessions that hold both"),
    _counts("cooccurrence", "users", "users of these"),
    _share("association_rules", STRENGTH, "the same of rules"),
    _share("association_rules", "confidence", "share of the keyword's sessions that hold the neighbour"),
    _counts("association_rules", "significance", "log-likelihood ratio of the rule"),
    _share("click_clusters", STRENGTH, "shared clicked pages, shrunk"),
    _share("click_clusters", "similarity", "Jaccard overlap of the clicked pages"),
    _counts("click_clusters", "shared_urls", "pages clicked for both"),
    _counts("click_clusters", "users", "users who clicked these"),
    _share("content_click", STRENGTH, "shared words and clicked pages, shrunk"),
    _share("content_click", "similarity", "shared words and clicked pages"),
    _share("content_click", "click", "shared clicked pages over the larger number"),
    _share("page_terms", STRENGTH, "words of clicked pages in common, shrunk"),
    _share("page_terms", "similarity", "cosine of the words of clicked pages"),
    _counts("page_terms", "users", "users who clicked, of the rarer keyword"),
    _share("copurchase", STRENGTH, "buyers in common"),
    _share("buyer_factors", STRENGTH, "likeness in the factors of who buys what"),
    _share("buyer_walks", STRENGTH, "walks between buyers and keywords"),
)
OWN_FEATURES = (
    Feature("embeddings.similarity", "embeddings", "similarity", UP, "cosine of the keywords' vectors"),
    Feature("words.shared", "words", "shared", UP, "shared words over the larger number of words"),
    Feature("keyword.searches", "keyword", "searches", EITHER, "searches of the keyword", logarithm=True),
    Feature("neighbor.searches", "neighbor", "searches", UP, "searches of the neighbour", logarithm=True),
)
FEATURES = MINED_FEATURES + OWN_FEATURES
NAMES = tuple(feature.name for feature in FEATURES)
PLAIN_NAMES = tuple(name.replace(".", "_") for name in NAMES)
"""The same as LightGBM takes them."""
DIRECTIONS = tuple(feature.direction for feature in FEATURES)
DEMAND = tuple(place for place, feature in enumerate(FEATURES) if feature.column == "searches")
"""Places of the two features that are no evidence of a relation."""


def transformed(feature: Feature, values: Array) -> Array:
    """The numbers as the trees read them, float32."""
    values = np.nan_to_num(values.astype(np.float64))
    return (np.log1p(np.maximum(values, 0.0)) if feature.logarithm else values).astype(np.float32)
