"""Which keywords a caller wants: conditions on the statistics and the text, asked inside retrieval or of given ids.

Small indexes and the few candidates of other sources are asked with numpy (`failed`, `passing`). Compiled postings read
`numbers`: the conditions and the addresses of the mapped columns, so that a filter takes the same few hundred bytes
for ten keywords and for ten million, and finds all that pass, however rare they are.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np

from indexes.arrays import Array, offsets_from_counts
from indexes.keyword_stats import KeywordStats
from indexes.narrow_column import NarrowColumn
from indexes.text.simplified import simplified_characters, with_simplified_characters
from indexes.vocabulary import Vocabulary


class Check(IntEnum):
    """What a keyword fails; 0 is nothing. In the order in which failures are told."""

    SEARCHES = 1
    COMPETITION = 2
    BID = 3
    LANGUAGE = 4
    DEVICE = 5
    REGION = 6
    UNSAFE = 7
    OWNED = 8
    MUST_CONTAIN = 9
    MUST_NOT_CONTAIN = 10


@dataclass(frozen=True)
class Conditions:
    """What must hold of a keyword, all together; None or an empty tuple sets no condition. Bounds are included.

    A condition on a number fails where the number is unknown. Searches are per month where the log covers a whole
    month, else in the whole log. Texts must be normalised; characters are compared as simplified ones.
    """

    min_searches: int | None = None
    max_searches: int | None = None
    competition_levels: tuple[int, ...] = ()
    """0 unknown, 1 low, 2 medium, 3 high."""
    min_bid_micros: int | None = None
    max_bid_micros: int | None = None
    languages: tuple[int, ...] = ()
    """Positions in `keyword_stats.LANGUAGES`."""
    devices: tuple[int, ...] = ()
    """Columns of `searches_by_device`: searched on one of them at least once."""
    regions: tuple[int, ...] = ()
    unsafe_categories: int = 0
    """Bits; a keyword of one of these categories fails."""
    owned: tuple[int, ...] = ()
    """Keyword ids that fail."""
    must_contain: tuple[str, ...] = ()
    must_not_contain: tuple[str, ...] = ()


class KeywordFilter:
    """Conditions over one snapshot's columns. Never changes; safe in any thread."""

    def __init__(
        self, conditions: Conditions, stats: KeywordStats, keywords: Vocabulary, unsafe_categories: Array
    ) -> None:
        """`unsafe_categories` uint32 (keywords,) are bits."""
        self.conditions = conditions
        self._stats = stats
        self._keywords = keywords
        self._unsafe_categories = unsafe_categories
        self._owned = np.unique(np.array(conditions.owned, np.int32))
        self._required = [with_simplified_characters(text) for text in conditions.must_contain]
        self._excluded = [with_simplified_characters(text) for text in conditions.must_not_contain]

    def passing(self, keyword_ids: Array) -> Array:
        """Which of these keywords pass, bool."""
        return self.failed(keyword_ids) == 0

    def failed(self, keyword_ids: Array) -> Array:
        """The first check that each of these keywords fails, or 0; uint8."""
        wanted, stats = self.conditions, self._stats
        codes = np.zeros(len(keyword_ids), np.uint8)

        def check(code: Check, passes: Array) -> None:
            codes[(codes == 0) & ~passes] = code

        if wanted.min_searches is not None or wanted.max_searches is not None:
            demand = stats.monthly_demand(keyword_ids)
            check(Check.SEARCHES, _within(demand, wanted.min_searches, wanted.max_searches))
        if wanted.competition_levels:
            levels = stats.competition_level(keyword_ids)
            check(Check.COMPETITION, np.isin(levels, wanted.competition_levels))
        if wanted.min_bid_micros is not None or wanted.max_bid_micros is not None:
            bid = stats.high_bid_micros[keyword_ids]
            check(Check.BID, (bid >= 0) & _within(bid, wanted.min_bid_micros, wanted.max_bid_micros))
        if wanted.languages:
            check(Check.LANGUAGE, np.isin(stats.language[keyword_ids], wanted.languages))
        if wanted.devices:
            check(Check.DEVICE, stats.searches_by_device[keyword_ids][:, list(wanted.devices)].max(axis=1) > 0)
        if wanted.regions:
            check(Check.REGION, stats.searches_by_region[keyword_ids][:, list(wanted.regions)].max(axis=1) > 0)
        if wanted.unsafe_categories:
            check(Check.UNSAFE, self._unsafe_categories[keyword_ids] & np.uint32(wanted.unsafe_categories) == 0)
        if len(self._owned):
            check(Check.OWNED, ~np.isin(keyword_ids, self._owned))
        if self._required or self._excluded:
            rows = np.flatnonzero(codes == 0)
            texts = [with_simplified_characters(text) for text in self._keywords.take(keyword_ids[rows])]
            for row, text in zip(rows.tolist(), texts, strict=True):
                if not all(part in text for part in self._required):
                    codes[row] = Check.MUST_CONTAIN
                elif any(part in text for part in self._excluded):
                    codes[row] = Check.MUST_NOT_CONTAIN
        return codes

    @cached_property
    def numbers(self) -> Array:
        """What compiled kernels read, int64: see `keyword_filter_kernels`. Its size does not depend on the keywords."""
        # Imports numba, which small snapshots need not wait for.
        from indexes import keyword_filter_kernels as kernels
        from indexes.memory_kernels import addresses

        wanted, stats = self.conditions, self._stats
        checks = {
            kernels.CHECK_SEARCHES: wanted.min_searches is not None or wanted.max_searches is not None,
            kernels.CHECK_COMPETITION: bool(wanted.competition_levels),
            kernels.CHECK_BID: wanted.min_bid_micros is not None or wanted.max_bid_micros is not None,
            kernels.CHECK_LANGUAGE: bool(wanted.languages),
            kernels.CHECK_DEVICE: bool(wanted.devices),
            kernels.CHECK_REGION: bool(wanted.regions),
            kernels.CHECK_UNSAFE: bool(wanted.unsafe_categories),
            kernels.CHECK_OWNED: bool(len(self._owned)),
            kernels.CHECK_TEXT: bool(self._required or self._excluded),
        }
        searches, bid = _narrow(stats.searches), _narrow(stats.high_bid_micros)
        by_device, by_region = _narrow(stats.searches_by_device), _narrow(stats.searches_by_region)
        scalars = np.zeros(kernels.SCALARS, np.int64)
        scalars[kernels.CHECKS] = sum(bit for bit, is_set in checks.items() if is_set)
        scalars[kernels.MIN_SEARCHES : kernels.MAX_SEARCHES + 1] = _bounds(wanted.min_searches, wanted.max_searches)
        scalars[kernels.COMPETITION] = sum(1 << level for level in set(wanted.competition_levels))
        scalars[kernels.MIN_BID : kernels.MAX_BID + 1] = _bounds(wanted.min_bid_micros, wanted.max_bid_micros)
        scalars[kernels.LANGUAGES] = sum(1 << language for language in set(wanted.languages))
        scalars[kernels.CATEGORIES] = wanted.unsafe_categories
        columns = (searches, bid, by_device, by_region)
        scalars[kernels.SEARCHES_SIZE : kernels.REGION_SIZE + 1] = [column.values.itemsize for column in columns]
        scalars[kernels.DEVICES : kernels.REGIONS + 1] = by_device.shape[1], by_region.shape[1]
        scalars[kernels.REQUIRED] = len(self._required)
        parts = [np.array([ord(letter) for letter in part], np.int32) for part in (*self._required, *self._excluded)]
        text_offsets, utf8 = self._keywords.arrays
        # In the order of the slots; kept, since the kernels have their addresses alone.
        self._arrays = (
            _plain(stats.avg_monthly_searches, np.float64),
            _plain(stats.competition_index, np.float32),
            _plain(stats.language, np.uint8),
            _plain(self._unsafe_categories, np.uint32),
            text_offsets,
            utf8,
            np.concatenate([np.empty(0, np.int32), *parts]),
            offsets_from_counts(np.array([len(part) for part in parts], np.int64)),
            simplified_characters() if parts else np.empty(0, np.uint32),
            np.array(wanted.devices, np.int32),
            np.array(wanted.regions, np.int32),
            self._owned,
            *(array for column in columns for array in (column.values, column.large_at, column.large)),
        )
        return np.concatenate([scalars, addresses(*self._arrays)])


def _within(values: Array, low: int | None, high: int | None) -> Array:
    """Where values lie between the bounds."""
    inside = np.ones(len(values), bool)
    if low is not None:
        inside &= values >= low
    if high is not None:
        inside &= values <= high
    return inside


def _bounds(low: int | None, high: int | None) -> tuple[int, int]:
    """The bounds as int64, wide open where there is none."""
    least, most = -(2**63), 2**63 - 1
    return max(least, min(most, least if low is None else low)), max(least, min(most, most if high is None else high))


def _narrow(column: "Array | NarrowColumn") -> NarrowColumn:
    """The column as kernels read it; one that is mapped is narrow already."""
    return column if isinstance(column, NarrowColumn) else NarrowColumn.of(column, np.uint32, column.dtype)


def _plain(column: Array, dtype: type) -> Array:
    return np.ascontiguousarray(column, dtype)
