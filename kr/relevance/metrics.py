"""How good predictions are; each measure as a plain function of arrays."""

import numpy as np

from indexes.arrays import Array

CALIBRATION_BINS = 15
CUT = 10


def accuracy(truth: Array, chosen: Array) -> float:
    """Share of rows whose class was chosen."""
    return float(np.mean(truth == chosen))


def macro_f1(truth: Array, chosen: Array, classes: int) -> float:
    """Mean over the classes that occur of F1."""
    both = np.bincount(truth[truth == chosen], minlength=classes)
    either = np.bincount(truth, minlength=classes) + np.bincount(chosen, minlength=classes)
    occur = either > 0
    return float(np.mean(2 * both[occur] / either[occur]))


def auc(positive: Array, scores: Array, weights: Array | None = None) -> float | None:
    """Probability that a positive row scores above another, ties half; None if all rows are of one kind."""
    weights = np.ones(len(scores)) if weights is None else weights
    order = np.argsort(scores, kind="stable")
    ranked, good = scores[order], positive[order]
    up, down = weights[order] * good, weights[order] * ~good
    if not up.sum() or not down.sum():
        return None
    starts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
    ups, downs = np.add.reduceat(up, starts), np.add.reduceat(down, starts)
    below = np.cumsum(downs) - downs
    return float((ups * (below + downs / 2)).sum() / (ups.sum() * downs.sum()))


def rmse(labels: Array, grades: Array) -> float:
    """Root of the mean squared error, in the labels' unit."""
    return float(np.sqrt(np.mean((labels - grades) ** 2)))


def calibration_error(confidence: Array, outcome: Array) -> float:
    """Expected calibration error: mean |confidence − outcome| over bins of equal count, weighted by rows."""
    order = np.argsort(confidence, kind="stable")
    bins = [rows for rows in np.array_split(order, CALIBRATION_BINS) if len(rows)]
    gaps = [abs(float(confidence[rows].mean() - outcome[rows].mean())) * len(rows) for rows in bins]
    return float(sum(gaps) / len(order))


def ndcg_of_queries(groups: Array, gains: Array, scores: Array) -> Array:
    """NDCG@10 of each group that has at least two rows and two different gains; gains are 2^label − 1 or alike.

    Ties stand by row. Returns float64, one value a group counted, in the order of the group numbers.
    """
    order = np.lexsort((np.arange(len(groups)), groups))
    values = []
    for rows in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        of_group = gains[rows]
        if len(rows) < 2 or of_group.min() == of_group.max():
            continue
        discounts = 1 / np.log2(np.arange(2, min(len(rows), CUT) + 2))
        ranked = of_group[np.argsort(-scores[rows], kind="stable")][:CUT]
        ideal = np.sort(of_group)[::-1][:CUT]
        values.append(float((ranked * discounts).sum() / (ideal * discounts).sum()))
    return np.array(values)
