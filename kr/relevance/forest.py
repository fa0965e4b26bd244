"""The trees: LightGBM's text models, as they travel with the model."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexes.arrays import Array
from kr.relevance.presets import Preset

if TYPE_CHECKING:
    import lightgbm


@dataclass(frozen=True)
class Forest:
    """Several boosters whose outputs are averaged."""

    boosters: tuple["lightgbm.Booster", ...]
    texts: tuple[str, ...]

    @staticmethod
    def of_boosters(boosters: list["lightgbm.Booster"]) -> "Forest":
        """Of trained boosters."""
        return Forest(tuple(boosters), tuple(booster.model_to_string() for booster in boosters))

    def predict(self, features: Array) -> Array:
        """Raw outputs float64 (n, outputs): class probabilities, or one grade."""
        parts = [booster.predict(features, num_threads=1).reshape(len(features), -1) for booster in self.boosters]
        return np.mean(parts, axis=0)

    def write(self, folder: Path) -> None:
        """Write `trees-0.txt` and so on."""
        for number, text in enumerate(self.texts):
            (folder / f"trees-{number}.txt").write_text(text, encoding="utf-8")

    @staticmethod
    def read(folder: Path) -> "Forest":
        """Read what `write` wrote."""
        import lightgbm

        files = sorted(folder.glob("trees-*.txt"), key=lambda file: int(file.stem.split("-")[1]))
        if not files:
            raise ValueError("it has no trees-0.txt")
        texts = tuple(file.read_text(encoding="utf-8") for file in files)
        return Forest(tuple(lightgbm.Booster(model_str=text) for text in texts), texts)


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

    parameters = {
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
