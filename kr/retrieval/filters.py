"""The caller's filters: compiled once a request, for retrieval to ask and for the stage that keeps what they allow."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from indexes.arrays import Array
from indexes.errors import Message, UsageError
from indexes.keyword_filter import Check, Conditions, KeywordFilter
from indexes.keyword_stats import LANGUAGES
from indexes.opened import Indexes
from indexes.text import normalise
from kr.reasons import Removal
from kr.types import Candidates, Filters, Request, StageResult

COMPETITION_LEVELS = ("UNKNOWN", "LOW", "MEDIUM", "HIGH")
REMOVALS = {
    Check.SEARCHES: Removal.FILTER_SEARCHES,
    Check.COMPETITION: Removal.FILTER_COMPETITION,
    Check.BID: Removal.FILTER_BID,
    Check.LANGUAGE: Removal.FILTER_LANGUAGE,
    Check.DEVICE: Removal.FILTER_DEVICE,
    Check.REGION: Removal.FILTER_REGION,
    Check.OWNED: Removal.OWNED,
    Check.MUST_CONTAIN: Removal.FILTER_MUST_CONTAIN,
    Check.MUST_NOT_CONTAIN: Removal.FILTER_MUST_NOT_CONTAIN,
}


class FilterCompiler:
    """Makes the keyword filter of a request's filters; the answer for the last ones is kept."""

    def __init__(self, indexes: Indexes) -> None:
        self._indexes = indexes
        self.compiled = lru_cache(maxsize=64)(self._compiled)

    def _compiled(self, filters: Filters) -> KeywordFilter | None:
        """None if nothing is filtered. UsageError for devices and regions that the log doesn't have."""
        if filters == Filters():
            return None
        indexes = self._indexes
        own = np.concatenate([self.group_ids(filters.owned), self.group_ids(filters.dismissed)])
        conditions = Conditions(
            owned=tuple(own.tolist()),
            min_searches=filters.min_searches,
            max_searches=filters.max_searches,
            competition_levels=tuple(COMPETITION_LEVELS.index(level) for level in filters.competition),
            min_bid_micros=filters.min_bid_micros,
            max_bid_micros=filters.max_bid_micros,
            languages=tuple(LANGUAGES.index(name) for name in filters.languages),
            devices=_positions(Message("device"), filters.devices, indexes.devices),
            regions=_positions(Message("region"), filters.regions, indexes.regions),
            must_contain=tuple(map(normalise, filters.must_contain)),
            must_not_contain=tuple(map(normalise, filters.must_not_contain)),
        )
        return KeywordFilter(conditions, indexes.stats, indexes.keywords, indexes.unsafe_categories)

    def group_ids(self, keywords: Sequence[str]) -> Array:
        """The ids of normalised keywords and of all their close variants, int32, ascending; unknown ones have none."""
        found = (self._indexes.keywords.find(keyword) for keyword in keywords)
        known = np.array([keyword_id for keyword_id in found if keyword_id >= 0], np.int32)
        return np.union1d(known, self._indexes.close_variants_of(known)[1]).astype(np.int32)


class RequestFilters:
    """Removes what is outside the request's filters; a row that fails several is counted under the first.

    A filter on a number removes rows whose number is unknown. Searches are per month where the log covers a whole
    month, else in the whole log.
    """

    name = "filters"
    needs: Sequence[str] = ()
    adds: Sequence[str] = ()

    def __init__(self, filters: FilterCompiler) -> None:
        self._filters = filters

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        keyword_filter = self._filters.compiled(request.filters)
        if keyword_filter is None:
            return StageResult.keeping_all(candidates)
        failed = keyword_filter.failed(candidates.keyword_id)
        of_check = np.zeros(max(Check) + 1, np.int16)
        for check, removal in REMOVALS.items():
            of_check[check] = removal
        codes = of_check[failed]
        if request.filters.dismissed:
            dismissed = np.isin(candidates.keyword_id, self._filters.group_ids(request.filters.dismissed))
            codes[(failed == Check.OWNED) & dismissed] = Removal.DISMISSED
        return StageResult.split(candidates, failed == 0, codes)


def monthly_demand(indexes: Indexes, ids: Array) -> Array:
    """Searches a month, float64; where the log covers no whole month, the searches of the whole log."""
    return indexes.stats.monthly_demand(ids)


def _positions(kind: Message, wanted: tuple[str, ...], known: tuple[str, ...]) -> tuple[int, ...]:
    for name in wanted:
        if name not in known:
            raise UsageError(
                "The log knows no {kind} “{name}”.",
                "Name one of: {choices}.",
                kind=kind,
                name=name,
                choices=", ".join(known) or Message("none"),
            )
    return tuple(known.index(name) for name in wanted)
