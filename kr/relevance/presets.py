"""How a relevance model is trained: named settings, each with its reason."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """Sizes of everything that training fits."""

    name: str
    rounds: int
    """Boosting rounds; with classes each round grows a tree a class."""
    leaves: int
    least_rows: int
    """Fewest training pairs in a leaf."""
    learning_rate: float
    row_fraction: float
    feature_fraction: float
    seeds: int
    """Models that differ in their seed only; their outputs are averaged."""
    vector_size: int
    folds: int
    substitution_penalty: float


PRESETS = {
    # 20 trees and fractions of 0.65 are the source article's.
    "fast": Preset("fast", 20, 31, 20, 0.2, 0.65, 0.65, 1, 32, 5, 0.1),
    "best": Preset("best", 220, 15, 30, 0.05, 0.65, 0.4, 3, 64, 5, 0.1),
}
