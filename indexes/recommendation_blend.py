"""From what the origins of recommendations say to one order: the features of a learned blend, and the fixed blend.

Without a model the origins are joined by reciprocal rank fusion (Cormack, Clarke & Büttcher 2009): Σ w / (60 + rank)
over the origins that find a keyword, times √demand on the scale where the candidate most searched has 1. Weights are
1 but for the ones below.
"""

from dataclasses import dataclass

import numpy as np

from indexes.account_recall import ORIGINS, Recalled
from indexes.arrays import Array, ArrayReader
from indexes.errors import CorruptError
from indexes.keyword_stats import KeywordStats

RANK_OFFSET = 60
WEIGHTS = {"rising": 0.25, "buyer_factors": 0.5, "buyer_walks": 0.5}
"""Bursts fit few accounts; factors and walks read the same purchases as the two origins before them."""
DEMAND_POWER = 0.5

RELATIVE = ("same_buyers", "copurchase", "buyer_factors", "buyer_walks", "industry")
"""Compared with the account's best: how great they are at all depends on how much it owns."""
PLAIN = (
    "industry_count", "industry_size", "searched_together", "links", "content", "content_of_three", "content_of_all",
    "words", "words_of_all", "site", "language", "tokens", "owned", "liked", "disliked", "rising",
)  # fmt: skip
LOGARITHMIC = ("buyers", "similar_buyers")
DEMAND = ("searches", "searches_of_best", "users", "competition", "high_bid", "change_3m", "is_main_spelling")
FEATURES = (
    *(f"{name}_of_best" for name in RELATIVE),
    *PLAIN,
    "industry_share",
    *LOGARITHMIC,
    *DEMAND,
    "origins",
    "fixed_blend",
)
MODEL_FILE = "recommendation_blend.json"
FORMAT_VERSION = 1
TRAIN_AGAIN = "Train it again with manage.py train recommend, and build the snapshot with it."


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


@dataclass(frozen=True)
class BlendModel:
    """A learned blend: LightGBM's text model over FEATURES, and where its raw scores lie (5th and 95th percentile)."""

    trees: str
    low: float
    high: float
    sha256: str

    @staticmethod
    def of_document(document: dict[str, object], where: str) -> "BlendModel":
        """From a model's JSON. CorruptError if it is of another format or of other features than this code's."""
        try:
            if document["format_version"] != FORMAT_VERSION:
                raise CorruptError(
                    f"{where}: format version {document['format_version']}, this code reads {FORMAT_VERSION}.",
                    TRAIN_AGAIN,
                )
            if document["features"] != list(FEATURES):
                raise CorruptError(f"{where}: trained with other features than this code has.", TRAIN_AGAIN)
            low, high = (float(value) for value in document["scores"])  # type: ignore[attr-defined]
            return BlendModel(str(document["trees"]), low, high, str(document["sha256"]))
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptError(f"{where} is no recommendation model: {error}.", TRAIN_AGAIN) from None

    @staticmethod
    def open(reader: ArrayReader, facts: dict[str, object]) -> "BlendModel | None":
        """The model that the snapshot was built with, or None."""
        if facts.get("recommendation_model_sha256") is None:
            return None
        return BlendModel.of_document(reader.json(MODEL_FILE), MODEL_FILE)

    def scaled(self, raw: Array) -> Array:
        """Raw scores of the trees on a scale of 0..1, float64, in the same order."""
        width = max(self.high - self.low, 1e-9)
        return 1.0 / (1.0 + np.exp(-4.0 * ((np.asarray(raw, np.float64) - self.low) / width - 0.5)))
