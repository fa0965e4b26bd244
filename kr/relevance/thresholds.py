"""From which relevance on a pair is admitted, chosen for each use on out-of-fold scores; travels with the model.

Keyword search wants recall: later stages and the reader choose. Related searches are few and unasked for, and want
precision. A pair is positive as in evaluation: above the lowest class, or above the middle of the scale of grades.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from indexes.arrays import Array

BARS = np.arange(1, 1000) / 1000
"""What is tried. A bar of three decimals can be read, set and said again."""
RECALL_WANTED = 0.95
LEAST_PRECISION = 0.5
"""Keyword search gives up recall, but not below `LEAST_RECALL`, before it shows more wrong than right."""
LEAST_RECALL = 0.8
PRECISION_WANTED = 0.9
LEAST_SUPPORT, LEAST_SUPPORT_SHARE = 30, 0.01
"""Fewest admitted pairs, and their fewest share of all, by which a precision is believed."""
RESAMPLES = 200


class Use(StrEnum):
    """What admits by relevance."""

    KEYWORD_SEARCH = "keyword_search"
    RELATED_SEARCHES = "related_searches"


@dataclass(frozen=True)
class Threshold:
    """A bar and what it does to pairs; intervals are 95 %, resampling whole queries.

    `rule` says how the bar was chosen and `reached` whether that is what its use wishes for, None on other pairs than
    those it was chosen by. A share of nothing is None.
    """

    bar: float
    rule: str
    reached: bool | None
    admitted: int
    precision: float | None
    precision_interval: list[float] | None
    recall: float | None
    recall_interval: list[float] | None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


def choose_thresholds(relevance: Array, positive: Array, groups: Array) -> dict[Use, Threshold]:
    """Of out-of-fold relevance float64 (n,), what is positive, bool (n,), and the query of each pair, int64 (n,).

    At least one pair must be positive.
    """
    admitted, right = _admitted(relevance, positive)
    precision = right / np.maximum(admitted, 1)
    recall = right / positive.sum()
    chosen = {
        Use.KEYWORD_SEARCH: _for_recall(precision, recall),
        Use.RELATED_SEARCHES: _for_precision(precision, admitted, len(relevance)),
    }
    # The few are among the many.
    first, second = chosen[Use.KEYWORD_SEARCH], chosen[Use.RELATED_SEARCHES]
    if second[0] < first[0]:
        chosen[Use.RELATED_SEARCHES] = (first[0], second[1], second[2])
    return {
        use: admission_at(float(BARS[place]), relevance, positive, groups, rule, reached)
        for use, (place, rule, reached) in chosen.items()
    }


def admission_at(
    bar: float, relevance: Array, positive: Array, groups: Array, rule: str = "given", reached: bool | None = None
) -> Threshold:
    """What a bar admits of pairs, whose arguments are those of `choose_thresholds`; none need be positive."""
    count = int(groups.max()) + 1
    kept = relevance >= bar
    by_query = np.stack([np.bincount(groups, rows, count) for rows in (kept, kept & positive, positive)])
    # How often each query is drawn, instead of the draws themselves: the sums are the same.
    drawn = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    admitted, right, wanted = (drawn @ of_query for of_query in by_query)
    precision, precision_interval = _share(by_query[1], by_query[0], right, admitted)
    recall, recall_interval = _share(by_query[1], by_query[2], right, wanted)
    return Threshold(bar, rule, reached, int(kept.sum()), precision, precision_interval, recall, recall_interval)


def _share(
    parts: Array, wholes: Array, drawn_parts: Array, drawn_wholes: Array
) -> tuple[float | None, list[float] | None]:
    """A share and its interval, None if it is of nothing."""
    if not wholes.any():
        return None, None
    drawn = drawn_wholes > 0
    edges = np.quantile(drawn_parts[drawn] / drawn_wholes[drawn], (0.025, 0.975))
    return float(parts.sum() / wholes.sum()), [float(edge) for edge in edges]


def _admitted(relevance: Array, positive: Array) -> tuple[Array, Array]:
    """At each bar: how many pairs are admitted, and how many of them are positive."""
    every, right = np.sort(relevance), np.sort(relevance[positive])
    return len(every) - np.searchsorted(every, BARS), len(right) - np.searchsorted(right, BARS)


def _for_recall(precision: Array, recall: Array) -> tuple[int, str, bool]:
    """The highest bar with the recall wanted; a higher one where that admits more wrong than right."""
    wanted = _last(recall >= RECALL_WANTED)
    if precision[wanted] >= LEAST_PRECISION:
        return wanted, f"highest bar with recall of {RECALL_WANTED:g}", bool(recall[wanted] >= RECALL_WANTED)
    lowest = _last(recall >= LEAST_RECALL)
    enough = np.flatnonzero(precision[wanted : lowest + 1] >= LEAST_PRECISION)
    if len(enough):
        return wanted + int(enough[0]), f"lowest bar with precision of {LEAST_PRECISION:g}", False
    return lowest, f"highest bar with recall of {LEAST_RECALL:g}", False


def _for_precision(precision: Array, admitted: Array, count: int) -> tuple[int, str, bool]:
    """The lowest bar with the precision wanted; where there is none, that of the best precision with enough support."""
    supported = admitted >= max(LEAST_SUPPORT, LEAST_SUPPORT_SHARE * count)
    enough = np.flatnonzero(supported & (precision >= PRECISION_WANTED))
    if len(enough):
        return int(enough[0]), f"lowest bar with precision of {PRECISION_WANTED:g}", True
    if not supported.any():
        return len(BARS) // 2, "the middle: too few pairs to choose by", False
    return int(np.where(supported, precision, -1.0).argmax()), "best precision with enough support", False


def _last(holds: Array) -> int:
    """The last place where it holds, 0 if nowhere."""
    places = np.flatnonzero(holds)
    return int(places[-1]) if len(places) else 0
