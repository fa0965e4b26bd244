"""The stage that shows each group of close variants once."""

from collections.abc import Sequence

import numpy as np

from indexes.opened import Indexes
from kr.reasons import Removal
from kr.types import Candidates, Request, StageResult


class CloseVariantGrouping:
    """Keeps the most searched member of a group that is among the candidates; a seed itself is always kept.

    Demand is the group's, so that adding up the rows counts nobody's search twice.
    """

    name = "close_variants"
    needs: Sequence[str] = ("exact_seed",)
    adds: Sequence[str] = ()

    def __init__(self, indexes: Indexes) -> None:
        self._stats = indexes.stats

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        ids = candidates.keyword_id
        head = self._stats.canonical[ids]
        is_seed = candidates["exact_seed"] >= 0
        order = np.lexsort((ids, -self._stats.own_searches[ids], ~is_seed, head))
        first = np.ones(len(ids), bool)
        first[1:] = head[order][1:] != head[order][:-1]
        keep = np.zeros(len(ids), bool)
        keep[order[first]] = True
        return StageResult.split(candidates, keep, Removal.CLOSE_VARIANT)
