"""From ranked candidates to the rows of a reply.

Columns become dictionaries only here, for the rows of one page; every column is read once for the whole page.
"""

from collections.abc import Sequence
from copy import copy
from functools import lru_cache
from typing import Any

import numpy as np

from indexes.arrays import Array
from indexes.keyword_stats import LANGUAGES
from indexes.opened import Indexes
from kr.marketing.rules import Rule
from kr.relevance.match import Variant, suggested_match_type, variant_of
from kr.row_matches import RowMatcher, SeedMatch
from kr.row_reasons import ReasonWriter, iso_days
from kr.types import Candidates, Request

COMPETITION_LEVELS = (None, "LOW", "MEDIUM", "HIGH")


class RowWriter:
    """Writes rows with attributes, their stand to the seeds, close variants and reasons. Unknown numbers are None."""

    def __init__(self, indexes: Indexes, miners: tuple[str, ...], rules: tuple[Rule, ...]) -> None:
        self._indexes = indexes
        self._matches = RowMatcher(indexes, miners)
        self.reasons = ReasonWriter(indexes, miners, rules)

    def with_rules(self, rules: tuple[Rule, ...]) -> "RowWriter":
        """The same writer for rows that other rules touched."""
        other = copy(self)
        other.reasons = self.reasons.with_rules(rules)
        return other

    def rows(self, request: Request, candidates: Candidates) -> tuple[dict[str, Any], ...]:
        """One dictionary a candidate, in their order."""
        ids = candidates.keyword_id
        texts = self._indexes.keywords.take(ids)
        matches = self._matches.of_page(request, candidates, texts)
        columns: dict[str, list[Any]] = {
            "text": texts,
            "language": self._languages(ids),
            "relevance": _known(candidates["relevance"], 4),
            **self._numbers(ids),
            "monthly_search_volumes": self._months(ids),
            "searches_by_device": self._by_device(ids),
            "close_variants": self._variants(ids, texts),
            **self._stand(request, candidates, matches),
            "reasons": self.reasons.of_page(request, candidates, matches),
        }
        return tuple(dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))

    def without_seeds(self, candidates: Candidates) -> list[dict[str, Any]]:
        """One dictionary a candidate with everything but its stand to seeds and its reasons."""
        ids = candidates.keyword_id
        texts = self._indexes.keywords.take(ids)
        columns: dict[str, list[Any]] = {
            "text": texts,
            "language": self._languages(ids),
            "relevance": _known(candidates["relevance"], 4),
            **self._numbers(ids),
            "monthly_search_volumes": self._months(ids),
            "searches_by_device": self._by_device(ids),
            "close_variants": self._variants(ids, texts),
        }
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    def _stand(self, request: Request, candidates: Candidates, matches: Sequence[SeedMatch]) -> dict[str, list[Any]]:
        """How each keyword stands to the seed that it is closest to, and the match type that follows from it."""
        found = [match for _, match in matches]
        relevance = candidates["relevance"].tolist()
        monthly = self._indexes.stats.avg_monthly_searches[candidates.keyword_id].tolist()
        return {
            "closest_seed": [request.seeds[place] for place, _ in matches],
            "direction": [match.direction.value for match in found],
            "suggested_match_type": [
                suggested_match_type(match, score, None if searches != searches else searches).value
                for match, score, searches in zip(found, relevance, monthly, strict=True)
            ],
            "variant_of_seed": [match.variant and match.variant.value for match in found],
            "matched_terms": [match.matched for match in found],
            "missed_terms": [match.missed for match in found],
            "added_terms": [match.added for match in found],
        }

    def attributes(self, ids: Array, months: bool = False) -> list[dict[str, Any]]:
        """What is known of each keyword, whatever it was searched for; with `months` the searches of each month too."""
        columns: dict[str, list[Any]] = {
            "text": self._indexes.keywords.take(ids),
            "language": self._languages(ids),
            **self._numbers(ids),
            **({"monthly_search_volumes": self._months(ids)} if months else {}),
        }
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    def complete_attributes(self, ids: Array) -> list[dict[str, Any]]:
        """The same with months, devices and close variants."""
        texts = self._indexes.keywords.take(ids)
        more: dict[str, list[Any]] = {
            "monthly_search_volumes": self._months(ids),
            "searches_by_device": self._by_device(ids),
            "close_variants": self._variants(ids, texts),
        }
        rest = [dict(zip(more, values, strict=True)) for values in zip(*more.values(), strict=True)]
        return [{**row, **others} for row, others in zip(self.attributes(ids), rest, strict=True)]

    def _languages(self, ids: Array) -> list[str]:
        return [LANGUAGES[code] for code in self._indexes.stats.language[ids].tolist()]

    def _numbers(self, ids: Array) -> dict[str, list[Any]]:
        stats = self._indexes.stats
        return {
            "searches": stats.searches[ids].tolist(),
            "own_searches": stats.own_searches[ids].tolist(),
            "users": stats.users[ids].tolist(),
            "first_date": iso_days(stats.first_day[ids]),
            "last_date": iso_days(stats.last_day[ids]),
            "avg_monthly_searches": _known(stats.avg_monthly_searches[ids], 1),
            "change_3m": _known(stats.change_3m[ids], 4),
            "change_yoy": _known(stats.change_yoy[ids], 4),
            "competition": [COMPETITION_LEVELS[level] for level in stats.competition_level(ids).tolist()],
            "competition_index": _known(stats.competition_index[ids], 1),
            "low_top_of_page_bid_micros": _counted(stats.low_bid_micros[ids]),
            "high_top_of_page_bid_micros": _counted(stats.high_bid_micros[ids]),
            "advertisers": _counted(stats.advertisers[ids]),
            "clicks": _counted(stats.clicks[ids]),
            "ad_ctr": _known(stats.ad_ctr[ids], 4),
        }

    def _months(self, ids: Array) -> list[list[dict[str, Any]]]:
        months = [
            (month.year, month.month, complete)
            for month, complete in zip(self._indexes.months, self._indexes.complete_months, strict=True)
        ]
        return [
            [
                {"year": year, "month": month, "complete": complete, "searches": searches}
                for (year, month, complete), searches in zip(months, counts, strict=True)
            ]
            for counts in self._indexes.stats.monthly_searches[ids].tolist()
        ]

    def _by_device(self, ids: Array) -> list[dict[str, int] | None]:
        devices = self._indexes.devices
        if not devices:
            return [None] * len(ids)
        return [dict(zip(devices, row, strict=True)) for row in self._indexes.stats.searches_by_device[ids].tolist()]

    def _variants(self, ids: Array, texts: Sequence[str]) -> list[list[dict[str, Any]]]:
        """The close variants of each keyword, the most searched first, without the keyword itself."""
        counts, members = self._indexes.close_variants_of(ids)
        owners = np.repeat(np.arange(len(ids)), counts)
        others = members != ids[owners]
        owners, members = owners[others], members[others]
        variants: list[list[dict[str, Any]]] = [[] for _ in texts]
        searches = self._indexes.stats.own_searches[members].tolist()
        spellings = self._indexes.keywords.take(members)
        for owner, text, count in zip(owners.tolist(), spellings, searches, strict=True):
            kind = kind_in_group(texts[owner], text)
            variants[owner].append({"text": text, "searches": count, "kind": kind.value})
        return variants


@lru_cache(maxsize=16_384)
def kind_in_group(keyword: str, variant: str) -> Variant:
    """In what two close variants of one group differ. What no other step explains is how they are read: groups are
    made of fingerprints and of sounds, and a variant may differ in both."""
    return variant_of(keyword, variant, same_terms=True) or Variant.PINYIN


def _known(column: Array, digits: int) -> list[float | None]:
    """Numbers rounded, NaN as None."""
    return [None if value != value else round(value, digits) for value in column.astype(np.float64).tolist()]


def _counted(column: Array) -> list[int | None]:
    """Counts, the unknown ones as None."""
    return [None if value < 0 else value for value in column.tolist()]
