"""The source article's table: features only added, family by family, each row cross-validated alike."""

from typing import Any

import numpy as np

from indexes.arrays import Array
from kr.relevance.calibration import fit_calibration
from kr.relevance.evaluation import measure
from kr.relevance.feature_list import FAMILIES
from kr.relevance.model import feature_names, interpret
from kr.relevance.presets import Preset
from kr.relevance.training import TrainingSet, cross_validate


def family_rows(data: TrainingSet, preset: Preset, scores_by_fold: list[Array]) -> list[dict[str, Any]]:
    """A row a family in the order of `FAMILIES`: `added`, `features` so far, and the measures without intervals."""
    names = feature_names(data.targets.shape[1])
    rows: list[dict[str, Any]] = []
    for count in range(1, len(FAMILIES) + 1):
        families = FAMILIES[:count]
        columns = np.array([place for place, feature in enumerate(names) if feature.family in families])
        raw, _ = cross_validate(data, preset, columns, scores_by_fold)
        calibration = fit_calibration(raw, data.targets)
        measures = measure(data.pairs, interpret(raw, data.labels, calibration), data.labels, resamples=0)
        measures.pop("intervals")
        rows.append({"added": families[-1], "features": len(columns), **measures})
    return rows
