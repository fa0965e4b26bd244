"""Sorting and cutting: the only places that order rows and that end the list."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from indexes.arrays import Array
from indexes.opened import Indexes
from kr.reasons import Removal
from kr.retrieval.filters import monthly_demand
from kr.types import Candidates, Request, StageResult

SORTS = ("rank", "searches", "competition", "bid", "relevance", "trend", "keyword")


class Order:
    """Puts rows in the order of the request's `sort`; unknown numbers come last either way, ties stand by keyword id.

    `rank` is best first; a column is ascending, or descending with `-` in front.
    """

    name = "order"
    needs: Sequence[str] = ("score", "relevance")
    adds: Sequence[str] = ()

    def __init__(self, indexes: Indexes) -> None:
        stats = indexes.stats
        self._columns: Mapping[str, Callable[[Candidates], Array]] = {
            "searches": lambda c: monthly_demand(indexes, c.keyword_id),
            "competition": lambda c: stats.competition_index[c.keyword_id].astype(np.float64),
            "bid": lambda c: np.where(
                stats.high_bid_micros[c.keyword_id] < 0, np.nan, stats.high_bid_micros[c.keyword_id]
            ),
            "relevance": lambda c: c["relevance"].astype(np.float64),
            "trend": lambda c: stats.change_3m[c.keyword_id].astype(np.float64),
            # Keyword ids ascend with the text.
            "keyword": lambda c: c.keyword_id.astype(np.float64),
        }

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        if request.sort == "rank":
            key = -candidates["score"]
        else:
            descending = request.sort.startswith("-")
            key = self._columns[request.sort.removeprefix("-")](candidates)
            key = -key if descending else key
        key = np.where(np.isfinite(key), key, np.inf)
        return StageResult.keeping_all(candidates.take(np.lexsort((candidates.keyword_id, key))))


class CutToLimit:
    """Leaves the rows of the page that was asked for."""

    name = "cut_to_limit"
    needs: Sequence[str] = ()
    adds: Sequence[str] = ()

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        rows = np.arange(len(candidates))
        keep = (rows >= request.offset) & (rows < request.offset + request.limit)
        return StageResult.split(candidates, keep, Removal.CUT_TO_LIMIT)
