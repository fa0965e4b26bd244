"""What is learned of pairs from everything that the miners say of them: trees, and what their output means.

Two questions, each with trees of its own:

    strength     how surely the two belong together, 0..1, whether or not anybody will type them soon. Trees give log
                 odds of how much a later log confirms the pair (`mining.fusion_labels`). These depend on how often both
                 keywords are searched, so the demand of both is put to `reference_demand`, that of frequent keywords,
                 the log odds to the share of frequent pairs that were confirmed at all (isotonic regression, fitted
                 out of fold), and this over the share of related pairs that a later log confirms
    next_share   of the searches that follow the keyword in a session, the share that is for the neighbour. Whether a
                 pair is confirmed cannot tell this: what is typed after a frequent keyword is nearly always confirmed

Kept as LightGBM's text and JSON; what is read with other features than these trees were trained with is refused.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from indexes.arrays import Array, write_json
from indexes.errors import CorruptError, NotFoundError
from mining.fusion_features import DEMAND, NAMES

if TYPE_CHECKING:
    import lightgbm

FORMAT_VERSION = 2
MODEL, TREES, NEXT_TREES = "fusion.json", "fusion-trees.txt", "fusion-next-trees.txt"
TRAIN_AGAIN = "Train it again with manage.py train fusion."
ORDER_SHARE = 0.01
"""Share of the plain probability in a strength: isotonic steps are flat, and pairs on one keep their order by it."""


@dataclass(frozen=True)
class FusionModel:
    """One model: LightGBM's text of the trees of both questions, and the calibration of the strength.

    `knots` and `levels` float64 (k,): log odds, ascending, and the probability that they stand for.
    """

    trees: str
    next_trees: str
    reference_demand: tuple[float, float]
    knots: Array
    levels: Array
    card: dict[str, Any]
    threads: int = 1

    @cached_property
    def _booster(self) -> "lightgbm.Booster":
        return _read_trees(self.trees)

    @cached_property
    def _next_booster(self) -> "lightgbm.Booster":
        return _read_trees(self.next_trees)

    def log_odds(self, features: Array) -> Array:
        """What the trees of the strength say of rows of features float32 (n, features), float64 (n,)."""
        return self._raw(self._booster, features)

    def _raw(self, booster: "lightgbm.Booster", features: Array) -> Array:
        if not len(features):
            return np.zeros(0)
        return np.asarray(booster.predict(features, raw_score=True, num_threads=self.threads), np.float64)

    def strength(self, features: Array) -> Array:
        """How surely pairs belong together, float32 (n,) in 0..1."""
        return self.calibrated(self.log_odds(at_demand(features, self.reference_demand)))

    def next_share(self, features: Array) -> Array:
        """Of the searches right after each pair's keyword, the share for its neighbour, float32 (n,) in 0..1."""
        return _probability(self._raw(self._next_booster, features)).astype(np.float32)

    def calibrated(self, log_odds: Array) -> Array:
        """The strength that log odds at the reference demand stand for, float32."""
        level = np.interp(log_odds, self.knots, self.levels)
        return ((1 - ORDER_SHARE) * level + ORDER_SHARE * _probability(log_odds)).astype(np.float32)

    @cached_property
    def sha256(self) -> str:
        """A hash over everything that decides what the model says."""
        parts = (json.dumps(self._document(), sort_keys=True), self.trees, self.next_trees)
        return hashlib.sha256("".join(parts).encode()).hexdigest()

    def _document(self) -> dict[str, Any]:
        return {
            "format_version": FORMAT_VERSION,
            "features": list(NAMES),
            "reference_demand": list(self.reference_demand),
            "knots": self.knots.tolist(),
            "levels": self.levels.tolist(),
        }

    def write(self, folder: Path) -> None:
        """Write into a folder that exists."""
        (folder / TREES).write_text(self.trees, encoding="utf-8")
        (folder / NEXT_TREES).write_text(self.next_trees, encoding="utf-8")
        write_json(folder, MODEL, {**self._document(), "card": self.card})

    @staticmethod
    def read(folder: Path, threads: int = 1) -> "FusionModel":
        """Open a model. NotFoundError, or CorruptError if it is damaged or reads other features than this code has."""
        file = folder / MODEL
        if not file.is_file():
            raise NotFoundError(f"{folder} holds no fusion model (no {MODEL}).", "Name a folder made by train fusion.")
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
            if document["format_version"] != FORMAT_VERSION:
                raise CorruptError(
                    f"{file} has format version {document['format_version']}, this KR reads {FORMAT_VERSION}.",
                    TRAIN_AGAIN,
                )
            _refuse_other_features(file, document["features"])
            keyword_demand, neighbor_demand = (float(value) for value in document["reference_demand"])
            knots, levels = (np.array(document[name], np.float64) for name in ("knots", "levels"))
            if knots.ndim != 1 or knots.shape != levels.shape or not len(knots) or (np.diff(knots) < 0).any():
                raise ValueError("its calibration is no ascending curve")
            model = FusionModel(
                (folder / TREES).read_text(encoding="utf-8"),
                (folder / NEXT_TREES).read_text(encoding="utf-8"),
                (keyword_demand, neighbor_demand),
                knots,
                levels,
                document["card"],
                threads,
            )
            for booster in (model._booster, model._next_booster):
                if booster.num_feature() != len(NAMES):
                    raise ValueError(f"its trees read {booster.num_feature()} features, not {len(NAMES)}")
            return model
        except CorruptError:
            raise
        except Exception as error:  # LightGBM raises its own errors for texts that are no trees
            raise CorruptError(f"The fusion model {folder} is damaged: {error}.", TRAIN_AGAIN) from None


def at_demand(features: Array, demand: tuple[float, float]) -> Array:
    """The same pairs as if their keywords were searched so often (as the features hold it)."""
    changed = features.copy()
    changed[:, DEMAND] = np.array(demand, np.float32)
    return changed


def _read_trees(text: str) -> "lightgbm.Booster":
    # Takes seconds to import.
    import lightgbm

    return lightgbm.Booster(model_str=text)


def _probability(log_odds: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-log_odds))


def _refuse_other_features(file: Path, of_model: list[str]) -> None:
    if of_model == list(NAMES):
        return
    unknown = [name for name in of_model if name not in NAMES]
    missing = [name for name in NAMES if name not in of_model]
    parts = [
        f"{what} {', '.join(names)}"
        for what, names in (("it reads, and this KR lacks,", unknown), ("it was trained without", missing))
        if names
    ]
    raise CorruptError(
        f"{file} was trained with other features: {'; '.join(parts) or 'their order is another'}.", TRAIN_AGAIN
    )
