"""What changed from one snapshot to another: keywords that came and went, and the biggest changes of demand."""

from dataclasses import dataclass

import numpy as np

from indexes.arrays import Array
from indexes.opened import Indexes
from kr.retrieval.filters import monthly_demand

MOST_WHOLE = 300_000
"""Keywords up to which both lists are compared whole; of larger ones so many are taken, evenly spread."""
MOST_SAMPLED = 50_000
SHOWN = 20


@dataclass(frozen=True)
class DemandChange:
    """Searches a month of a keyword in both; NaN-free: unknown counts as 0."""

    keyword: str
    before: float
    after: float


@dataclass(frozen=True)
class Comparison:
    """Counts are of the keywords looked at: all of both snapshots unless `sampled`. Examples: most searched first."""

    before: str
    after: str
    keywords_before: int
    keywords_after: int
    sampled: bool
    gained: int
    lost: int
    gained_examples: tuple[str, ...]
    lost_examples: tuple[str, ...]
    changes: tuple[DemandChange, ...]


def compare(before: Indexes, after: Indexes) -> Comparison:
    """Compare two opened snapshots."""
    whole = max(len(before.keywords), len(after.keywords)) <= MOST_WHOLE
    old_ids, new_ids = _looked_at(before, whole), _looked_at(after, whole)
    old, new = before.keywords.take(old_ids), after.keywords.take(new_ids)
    found_old = _ids_in(after, old, new if whole else None)
    found_new = _ids_in(before, new, old if whole else None)
    lost, gained = old_ids[found_old < 0], new_ids[found_new < 0]
    kept = found_old >= 0
    demand_before = np.nan_to_num(monthly_demand(before, old_ids[kept]).astype(np.float64))
    demand_after = np.nan_to_num(monthly_demand(after, found_old[kept].astype(np.int32)).astype(np.float64))
    texts = np.array(old, dtype=object)[kept]
    order = np.argsort(-np.abs(demand_after - demand_before), kind="stable")[:SHOWN]
    changes = tuple(
        DemandChange(str(texts[row]), float(demand_before[row]), float(demand_after[row]))
        for row in order.tolist()
        if demand_before[row] != demand_after[row]
    )
    return Comparison(
        before.snapshot_id,
        after.snapshot_id,
        len(before.keywords),
        len(after.keywords),
        not whole,
        len(gained),
        len(lost),
        _examples(after, gained),
        _examples(before, lost),
        changes,
    )


def _looked_at(indexes: Indexes, whole: bool) -> Array:
    count = len(indexes.keywords)
    return np.arange(0, count, 1 if whole else max(1, -(-count // MOST_SAMPLED)), dtype=np.int32)


def _ids_in(other: Indexes, texts: list[str], all_of_other: list[str] | None) -> Array:
    """The id of each text in the other snapshot, −1 where it has none, int64."""
    if all_of_other is None:
        return np.fromiter((other.keywords.find(text) for text in texts), np.int64, len(texts))
    ids = {text: place for place, text in enumerate(all_of_other)}
    return np.fromiter((ids.get(text, -1) for text in texts), np.int64, len(texts))


def _examples(indexes: Indexes, ids: Array) -> tuple[str, ...]:
    return tuple(indexes.keywords.take(ids[np.argsort(-indexes.stats.searches[ids], kind="stable")][:SHOWN]))
