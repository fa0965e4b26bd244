"""The trees: trained by LightGBM, kept as its text models, walked by an own kernel."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexes.arrays import Array
from kr.relevance.presets import Preset
from kr.relevance.tree_kernel import Trees, read_trees

if TYPE_CHECKING:
    import lightgbm


@dataclass(frozen=True)
class Forest:
    """Boosters whose raw scores are averaged: their texts, and all their trees as one, which read wider rows."""

    texts: tuple[str, ...]
    trees: Trees

    @staticmethod
    def of_texts(texts: tuple[str, ...], columns: Array) -> "Forest":
        """Of LightGBM's text models, trained on these columns, int64, of the rows that `predict` is given.

        So no row need be gathered for the trees. ValueError if there is no model or one cannot be walked.
        """
        if not texts:
            raise ValueError("it has no trees-0.txt")
        trees = read_trees(texts)
        return Forest(texts, replace(trees, feature=columns[trees.feature].astype(np.uint32)))

    def predict(self, features: Array) -> Array:
        """Raw scores float64 (n, outputs), log odds of classes or one grade, of rows float32 (n, all columns)."""
        return self.trees.scores(features) / len(self.texts)

    def write(self, folder: Path) -> None:
        """Write `trees-0.txt` and so on."""
        for number, text in enumerate(self.texts):
            (folder / f"trees-{number}.txt").write_text(text, encoding="utf-8")

    @staticmethod
    def read(folder: Path, columns: Array) -> "Forest":
        """Read what `write` wrote; `columns` as in `of_texts`."""
        files = sorted(folder.glob("trees-*.txt"), key=lambda file: int(file.stem.split("-")[1]))
        return Forest.of_texts(tuple(file.read_text(encoding="utf-8") for file in files), columns)


def fit_booster(
    features: Array,
    target: Array,
    preset: Preset,
    outputs: int,
    seed: int,
    constraints: list[int] | None,
    rows: Array,
) -> "lightgbm.Booster":
    """Boost trees on the rows where the mask is true; `outputs` > 1 are classes."""
    import lightgbm

    parameters: dict[str, object] = {
        "objective": "multiclass" if outputs > 1 else "regression",
        "num_leaves": preset.leaves,
        "min_data_in_leaf": preset.least_rows,
        "learning_rate": preset.learning_rate,
        "bagging_fraction": preset.row_fraction,
        "bagging_freq": 1,
        "feature_fraction": preset.feature_fraction,
        "lambda_l2": 1.0,
        "num_threads": 1,
        "deterministic": True,
        "seed": seed + 1,
        "verbose": -1,
    }
    if outputs > 1:
        parameters["num_class"] = outputs
    if constraints is not None and any(constraints):
        parameters["monotone_constraints"] = constraints
    return lightgbm.train(parameters, lightgbm.Dataset(features[rows], target[rows]), preset.rounds)
