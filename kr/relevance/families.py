"""The source article's table: features only added, family by family, each row cross-validated alike."""

from typing import Any

import numpy as np

from indexes.arrays import Array
from kr.relevance.calibration import fit_calibration
from kr.relevance.evaluation import measure
from kr.relevance.model import interpret
from kr.relevance.pairs import LabelledPairs
from kr.relevance.presets import Preset
from kr.relevance.text_knowledge import TextKnowledge
from kr.relevance.training import TrainingSet, cross_validate, held_out_scores, training_set


def family_table(pairs: LabelledPairs, knowledge: TextKnowledge, preset: Preset) -> list[dict[str, Any]]:
    """The rows for these pairs."""
    data = training_set(pairs, knowledge, preset)
    return family_rows(data, preset, held_out_scores(data, preset))


def family_rows(data: TrainingSet, preset: Preset, scores_by_fold: list[Array]) -> list[dict[str, Any]]:
    """A row a family in the order of the columns: `added`, `features` so far, and the measures without intervals."""
    families = list(dict.fromkeys(feature.family for feature in data.features))
    rows: list[dict[str, Any]] = []
    for count in range(1, len(families) + 1):
        added = families[:count]
        columns = np.array([place for place, feature in enumerate(data.features) if feature.family in added])
        raw, _ = cross_validate(data, preset, columns, scores_by_fold)
        calibration = fit_calibration(raw, data.targets)
        measures = measure(data.pairs, interpret(raw, data.labels, calibration), data.labels, resamples=0)
        measures.pop("intervals")
        rows.append({"added": added[-1], "features": len(columns), **measures})
    return rows
