"""A learned blend of recommendations as a snapshot keeps it: the features that it reads, and LightGBM's text model."""

from dataclasses import dataclass

import numpy as np

from indexes.arrays import Array, ArrayReader
from indexes.errors import CorruptError

RELATIVE = ("same_buyers", "copurchase", "buyer_factors", "buyer_walks", "industry")
"""Compared with the account's best: how great they are at all depends on how much it owns."""
PLAIN = (
    "buyers_share", "confidence", "supports", "industry_count", "industry_size", "searched_together", "links",
    "content", "content_of_three", "content_of_all", "words", "words_of_all", "site", "language", "tokens", "owned",
    "liked", "disliked", "rising",
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


@dataclass(frozen=True)
class BlendModel:
    """A learned blend: LightGBM's text model over FEATURES, and where its raw scores lie (5th and 99th percentile)."""

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
