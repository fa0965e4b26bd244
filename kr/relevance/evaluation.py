"""Evaluation: every measure with a bootstrap interval over queries, and slices by language, length and overlap."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from indexes.arrays import Array
from indexes.text import language, normalise, tokens
from kr.relevance.metrics import accuracy, auc, calibration_error, macro_f1, ndcg_of_queries, rmse
from kr.relevance.model import Predictions
from kr.relevance.pairs import LabelledPairs

RESAMPLES = 200
LEVEL = 0.95
MEASURES = ("accuracy", "macro_f1", "auc", "rmse", "ndcg_at_10", "ece")
SHORT_QUERY_CHARS = 5
LONG_QUERY_CHARS = 12


def measure(
    pairs: LabelledPairs, predictions: Predictions, labels: Array, resamples: int = RESAMPLES
) -> dict[str, Any]:
    """`n`, the measures (None where one does not apply) and `intervals`: 95 % by resampling whole queries."""
    groups = pairs.groups()
    of_rows = _measures(pairs, predictions, labels, groups)
    result: dict[str, Any] = {"n": len(pairs), **of_rows(np.arange(len(pairs)))}
    rows_of_group = np.split(np.argsort(groups, kind="stable"), np.cumsum(np.bincount(groups))[:-1])
    generator = np.random.default_rng(0)
    drawn: dict[str, list[float]] = {name: [] for name in MEASURES if result[name] is not None}
    for _ in range(resamples if len(rows_of_group) > 1 else 0):
        chosen = generator.integers(0, len(rows_of_group), len(rows_of_group))
        values = of_rows(np.concatenate([rows_of_group[group] for group in chosen]))
        for name, found in drawn.items():
            value = values[name]
            if value is not None:
                found.append(value)
    edges = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    result["intervals"] = {
        name: [float(np.quantile(found, edge)) for edge in edges] if found else None for name, found in drawn.items()
    }
    return result


def is_positive(pairs: LabelledPairs, labels: Array, classes: bool) -> Array:
    """Which pairs count as relevant, bool (n,): above the lowest class, or above the middle of the scale of grades."""
    return pairs.labels > (labels[0] if classes else (labels[0] + labels[-1]) / 2)


def _measures(
    pairs: LabelledPairs, predictions: Predictions, labels: Array, groups: Array
) -> Callable[[Array], Mapping[str, float | None]]:
    """A function from rows, repeats allowed, to the measures over them."""
    truth = np.searchsorted(labels, pairs.labels) if predictions.chosen is not None else None
    scaled = (pairs.labels - labels[0]) / (labels[-1] - labels[0])
    positive = is_positive(pairs, labels, classes=truth is not None)
    ndcg = np.full(int(groups.max()) + 1, np.nan)
    for group, value in _ndcg_by_group(groups, scaled, predictions.relevance):
        ndcg[group] = value

    def of_rows(rows: Array) -> dict[str, float | None]:
        values: dict[str, float | None] = dict.fromkeys(MEASURES)
        if truth is not None and predictions.chosen is not None and predictions.probabilities is not None:
            chosen, probabilities = predictions.chosen[rows], predictions.probabilities[rows]
            values["accuracy"] = accuracy(truth[rows], chosen)
            values["macro_f1"] = macro_f1(truth[rows], chosen, len(labels))
            likeliest = probabilities.argmax(axis=1)
            values["ece"] = calibration_error(probabilities.max(axis=1), likeliest == truth[rows])
        else:
            assert predictions.grades is not None
            values["rmse"] = rmse(pairs.labels[rows], predictions.grades[rows])
            values["ece"] = calibration_error(predictions.relevance[rows], scaled[rows])
        values["auc"] = auc(positive[rows], predictions.relevance[rows])
        # A query drawn twice counts twice: by its rows' share of the group.
        sizes = np.bincount(groups, minlength=len(ndcg))
        times = np.bincount(groups[rows], minlength=len(ndcg)) / np.maximum(sizes, 1)
        counted = np.isfinite(ndcg) & (times > 0)
        values["ndcg_at_10"] = float(np.average(ndcg[counted], weights=times[counted])) if counted.any() else None
        return values

    return of_rows


def _ndcg_by_group(groups: Array, scaled: Array, relevance: Array) -> list[tuple[int, float]]:
    order = np.argsort(groups, kind="stable")
    found = []
    for rows in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        value = ndcg_of_queries(groups[rows], 2.0 ** (3 * scaled[rows]) - 1, relevance[rows])
        if len(value):
            found.append((int(groups[rows[0]]), float(value[0])))
    return found


def slices(pairs: LabelledPairs, predictions: Predictions, labels: Array) -> dict[str, Any]:
    """The measures, without intervals, of each language, length and overlap."""
    result: dict[str, Any] = {}
    for name, names in _slice_names(pairs).items():
        result[name] = {}
        for value in sorted(set(names)):
            rows = np.flatnonzero(np.array(names, object) == value)
            part = predictions.take(rows)
            measures = measure(pairs.take(rows), part, labels, resamples=0)
            result[name][value] = {key: measures[key] for key in ("n", *MEASURES)}
    return result


def _slice_names(pairs: LabelledPairs) -> dict[str, list[str]]:
    queries = [normalise(query) for query in pairs.queries]
    keywords = [normalise(keyword) for keyword in pairs.keywords]
    lengths = [
        "short" if len(query) <= SHORT_QUERY_CHARS else "long" if len(query) > LONG_QUERY_CHARS else "middle"
        for query in queries
    ]
    overlaps = []
    for query, keyword in zip(queries, keywords, strict=True):
        wanted, held = set(tokens(query)), set(tokens(keyword))
        overlaps.append("all" if wanted <= held else "some" if wanted & held else "none")
    return {"language": [language(query) for query in queries], "query_length": lengths, "overlap": overlaps}
