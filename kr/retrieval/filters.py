"""The stage that keeps what the caller's filters allow."""

from collections.abc import Sequence

import numpy as np

from indexes.arrays import Array
from indexes.keyword_stats import LANGUAGES
from indexes.opened import Indexes
from indexes.text import normalise
from indexes.text.segment import simplified
from kr.reasons import Removal
from kr.types import Candidates, Filters, Request, StageResult

COMPETITION_LEVELS = ("UNKNOWN", "LOW", "MEDIUM", "HIGH")


class RequestFilters:
    """Removes what is outside the request's filters; a row that fails several is counted under the first.

    A filter on a number removes rows whose number is unknown. Searches are per month where the log covers a whole
    month, else in the whole log.
    """

    name = "filters"
    needs: Sequence[str] = ()
    adds: Sequence[str] = ()

    def __init__(self, indexes: Indexes) -> None:
        self._indexes = indexes

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        filters = request.filters
        if filters == Filters():
            return StageResult.keeping_all(candidates)
        codes = np.zeros(len(candidates), np.int16)
        for code, allowed in self._checks(filters, candidates.keyword_id):
            codes[(codes == 0) & ~allowed] = code
        return StageResult.split(candidates, codes == 0, codes)

    def _checks(self, filters: Filters, ids: Array) -> list[tuple[Removal, Array]]:
        stats = self._indexes.stats
        checks = []
        if filters.min_searches is not None or filters.max_searches is not None:
            demand = monthly_demand(self._indexes, ids)
            checks.append((Removal.FILTER_SEARCHES, _within(demand, filters.min_searches, filters.max_searches)))
        if filters.competition:
            levels = [COMPETITION_LEVELS.index(level) for level in filters.competition]
            checks.append((Removal.FILTER_COMPETITION, np.isin(stats.competition_level(ids), levels)))
        if filters.min_bid_micros is not None or filters.max_bid_micros is not None:
            bid = stats.high_bid_micros[ids].astype(np.float64)
            bid[bid < 0] = np.nan
            checks.append((Removal.FILTER_BID, _within(bid, filters.min_bid_micros, filters.max_bid_micros)))
        if filters.languages:
            wanted = [LANGUAGES.index(name) for name in filters.languages]
            checks.append((Removal.FILTER_LANGUAGE, np.isin(stats.language[ids], wanted)))
        if filters.must_contain or filters.must_not_contain:
            texts = [simplified(text) for text in self._indexes.keywords.take(ids)]
            required = [simplified(normalise(text)) for text in filters.must_contain]
            excluded = [simplified(normalise(text)) for text in filters.must_not_contain]
            has = np.fromiter((all(part in text for part in required) for text in texts), bool, len(texts))
            lacks = np.fromiter((not any(part in text for part in excluded) for text in texts), bool, len(texts))
            checks += [(Removal.FILTER_MUST_CONTAIN, has), (Removal.FILTER_MUST_NOT_CONTAIN, lacks)]
        return checks


def monthly_demand(indexes: Indexes, ids: Array) -> Array:
    """Searches a month, float64; where the log covers no whole month, the searches of the whole log."""
    average = indexes.stats.avg_monthly_searches[ids].astype(np.float64)
    return np.where(np.isnan(average), indexes.stats.searches[ids], average)


def _within(values: Array, low: int | None, high: int | None) -> Array:
    """Where known values lie between the bounds, both included; NaN is outside."""
    inside = ~np.isnan(values)
    if low is not None:
        inside &= values >= low
    if high is not None:
        inside &= values <= high
    return inside
