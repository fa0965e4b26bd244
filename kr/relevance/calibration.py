"""From raw model output to numbers that mean what they say, fitted on out-of-fold predictions.

Classes: vector scaling (Guo et al. 2017), p ∝ exp(t · s + b) of the raw scores s, one t and a b a class, by maximum
likelihood; then decision weights of the classes that make macro F1 largest while accuracy stays within
`ACCURACY_GIVEN_UP` of its best. Grades: isotonic regression, joined by straight lines.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import scipy.optimize

from indexes.arrays import Array
from kr.relevance.metrics import accuracy, macro_f1

LEAST_PROBABILITY = 1e-9
DECISION_STEPS = np.round(np.arange(-0.8, 0.85, 0.1), 2)
ACCURACY_GIVEN_UP = 0.005
"""Share of rows that may be decided worse for the sake of rare classes."""
KNOTS = 64


@dataclass(frozen=True)
class ClassCalibration:
    """`sharpness` t and `bias` b (classes,) of vector scaling; `decision` (classes,) added to log p to decide."""

    sharpness: float
    bias: Array
    decision: Array

    def probabilities(self, raw: Array) -> Array:
        """Calibrated probabilities (n, classes) that sum to one."""
        scores = self.sharpness * raw + self.bias
        scores -= scores.max(axis=1, keepdims=True)
        powers = np.exp(scores)
        return powers / powers.sum(axis=1, keepdims=True)

    def decide(self, probabilities: Array) -> Array:
        """The class that each row is given, int64 (n,)."""
        return np.argmax(np.log(np.maximum(probabilities, LEAST_PROBABILITY)) + self.decision, axis=1)

    def as_json(self) -> dict[str, Any]:
        """What `of_json` reads."""
        return {"sharpness": self.sharpness, "bias": self.bias.tolist(), "decision": self.decision.tolist()}

    @staticmethod
    def of_json(document: Mapping[str, Any]) -> "ClassCalibration":
        """Read what `as_json` gave."""
        return ClassCalibration(
            float(document["sharpness"]), np.array(document["bias"]), np.array(document["decision"])
        )


def fit_class_calibration(raw: Array, classes: Array) -> ClassCalibration:
    """Fit on out-of-fold raw scores (n, C) and the classes 0 … C − 1 that were true."""
    count = raw.shape[1]
    truth = np.eye(count)[classes]

    def loss(parameters: Array) -> float:
        scores = parameters[0] * raw + np.append(0.0, parameters[1:])
        scores = scores - scores.max(axis=1, keepdims=True)
        value = np.log(np.exp(scores).sum(axis=1)) - (truth * scores).sum(axis=1)
        return float(value.mean()) + 1e-4 * float((parameters[1:] ** 2).sum())

    found = scipy.optimize.minimize(loss, np.append(1.0, np.zeros(count - 1)), method="BFGS").x
    calibration = ClassCalibration(float(found[0]), np.append(0.0, found[1:]), np.zeros(count))
    probabilities = calibration.probabilities(raw)
    return ClassCalibration(calibration.sharpness, calibration.bias, _best_decision(probabilities, classes))


def _best_decision(probabilities: Array, classes: Array) -> Array:
    """Log weights of the classes, the most frequent one's zero."""
    count = probabilities.shape[1]
    logs = np.log(np.maximum(probabilities, LEAST_PROBABILITY))
    fixed = int(np.bincount(classes, minlength=count).argmax())
    free = [place for place in range(count) if place != fixed]
    tried: list[tuple[float, float, Array]] = []
    # In order of distance from no change, so that of equals the smaller one is kept.
    for steps in sorted(product(DECISION_STEPS, repeat=len(free)), key=lambda steps: (np.abs(steps).sum(), steps)):
        decision = np.zeros(count)
        decision[free] = steps
        chosen = np.argmax(logs + decision, axis=1)
        tried.append((accuracy(classes, chosen), macro_f1(classes, chosen, count), decision))
    least = max(exact for exact, _, _ in tried) - ACCURACY_GIVEN_UP
    return max((row for row in tried if row[0] >= least), key=lambda row: row[1])[2]


@dataclass(frozen=True)
class GradeCalibration:
    """A rising line through `knots` (raw) and `values` (labels)."""

    knots: Array
    values: Array

    def grades(self, raw: Array) -> Array:
        """Calibrated labels (n,)."""
        return np.interp(raw, self.knots, self.values)

    def as_json(self) -> dict[str, Any]:
        """What `of_json` reads."""
        return {"knots": self.knots.tolist(), "values": self.values.tolist()}

    @staticmethod
    def of_json(document: Mapping[str, Any]) -> "GradeCalibration":
        """Read what `as_json` gave."""
        return GradeCalibration(np.array(document["knots"]), np.array(document["values"]))


def fit_grade_calibration(raw: Array, labels: Array) -> GradeCalibration:
    """Isotonic regression of labels on out-of-fold predictions, averaged in bins of equal count first."""
    order = np.argsort(raw, kind="stable")
    bins = np.array_split(order, min(KNOTS, len(order)))
    knots = np.array([raw[rows].mean() for rows in bins])
    means = np.array([labels[rows].mean() for rows in bins])
    weights = np.array([len(rows) for rows in bins], np.float64)
    fitted = scipy.optimize.isotonic_regression(means, weights=weights).x
    return GradeCalibration(knots, np.asarray(fitted))


def fit_calibration(raw: Array, targets: Array) -> ClassCalibration | GradeCalibration:
    """Fit on out-of-fold raw scores and one-hot classes (n, classes), or labels (n, 1)."""
    if targets.shape[1] > 1:
        return fit_class_calibration(raw, targets.argmax(axis=1))
    return fit_grade_calibration(raw[:, 0], targets[:, 0])
