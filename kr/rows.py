"""From ranked candidates to the rows of a reply.

Columns become rows only here, for one page: every column is read once for the whole page, encoded, and the page is
written as JSON in one piece (`kr.json_rows`). Unknown numbers are null.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from functools import lru_cache
from typing import Any

import numpy as np
import orjson

from indexes.arrays import Array
from indexes.keyword_stats import LANGUAGES
from indexes.opened import Indexes
from kr.json_reasons import JsonReasons
from kr.json_rows import NULL, Encoded, JsonRows, RowTemplate, counts, numbers, rounded, texts
from kr.marketing.rules import Rule
from kr.relevance.match import Variant, suggested_match_type, variant_of
from kr.row_matches import RowMatcher, SeedMatch
from kr.row_reasons import ReasonWriter, day_of
from kr.types import Candidates, Request

COMPETITION_LEVELS = (None, "LOW", "MEDIUM", "HIGH")
_ENCODED_LEVELS = tuple(map(orjson.dumps, COMPETITION_LEVELS))
_ENCODED_LANGUAGES = texts(LANGUAGES)
NO_VARIANTS = b"[]"


class RowWriter:
    """Writes rows with attributes, their stand to the seeds, close variants and reasons."""

    def __init__(self, indexes: Indexes, miners: tuple[str, ...], rules: tuple[Rule, ...]) -> None:
        self._indexes = indexes
        self._matches = RowMatcher(indexes, miners)
        self.reasons = ReasonWriter(indexes, miners, rules)

    def with_rules(self, rules: tuple[Rule, ...]) -> "RowWriter":
        """The same writer for rows that other rules touched."""
        other = copy(self)
        other.reasons = self.reasons.with_rules(rules)
        return other

    def rows(self, request: Request, candidates: Candidates, more: Mapping[str, Encoded] | None = None) -> JsonRows:
        """A row a candidate, in their order; `more` are fields that stand at its end."""
        ids = candidates.keyword_id
        keywords = self._indexes.keywords.take(ids)
        matches = self._matches.of_page(request, candidates, keywords)
        row = self._row(ids, keywords, candidates["relevance"])
        row.fields(self._stand(request, candidates, matches))
        row.field("reasons", JsonReasons(self.reasons).of_page(request, candidates, matches))
        row.fields(more or {})
        return row.fill(len(ids))

    def without_seeds(self, candidates: Candidates) -> list[dict[str, Any]]:
        """One dictionary a candidate with everything but its stand to seeds and its reasons."""
        ids = candidates.keyword_id
        row = self._row(ids, self._indexes.keywords.take(ids), candidates["relevance"])
        return row.fill(len(ids)).as_dictionaries()

    def attributes(self, ids: Array, months: bool = False) -> list[dict[str, Any]]:
        """What is known of each keyword, whatever it was searched for; with `months` the searches of each month too."""
        row = RowTemplate()
        row.fields({"text": texts(self._indexes.keywords.take(ids)), "language": self._languages(ids)})
        row.fields(self._numbers(ids))
        if months:
            self._add_months(row, ids)
        return row.fill(len(ids)).as_dictionaries()

    def complete_attributes(self, ids: Array) -> list[dict[str, Any]]:
        """The same with months, devices and close variants."""
        return self._row(ids, self._indexes.keywords.take(ids), None).fill(len(ids)).as_dictionaries()

    def _row(self, ids: Array, keywords: Sequence[str], relevance: Array | None) -> RowTemplate:
        row = RowTemplate()
        row.fields({"text": texts(keywords), "language": self._languages(ids)})
        if relevance is not None:
            row.field("relevance", rounded(relevance, 4))
        row.fields(self._numbers(ids))
        self._add_months(row, ids)
        devices = self._indexes.devices
        if devices:
            row.field_of_counts("searches_by_device", devices, self._indexes.stats.searches_by_device[ids])
        else:
            row.field("searches_by_device", [NULL] * len(ids))
        row.field("close_variants", self._variants(ids, keywords))
        return row

    def _stand(self, request: Request, candidates: Candidates, matches: Sequence[SeedMatch]) -> dict[str, Encoded]:
        """How each keyword stands to the seed that it is closest to, and the match type that follows from it."""
        found = [match for _, match in matches]
        relevance = candidates["relevance"].tolist()
        monthly = self._indexes.stats.avg_monthly_searches[candidates.keyword_id].tolist()
        seeds = texts(request.seeds)
        terms = _EncodedTerms()
        return {
            "closest_seed": [seeds[place] for place, _ in matches],
            "direction": [b'"%b"' % match.direction.encode() for match in found],
            "suggested_match_type": [
                b'"%b"' % suggested_match_type(match, score, None if searches != searches else searches).encode()
                for match, score, searches in zip(found, relevance, monthly, strict=True)
            ],
            "variant_of_seed": [b'"%b"' % match.variant.encode() if match.variant else NULL for match in found],
            "matched_terms": [terms[match.matched] for match in found],
            "missed_terms": [terms[match.missed] for match in found],
            "added_terms": [terms[match.added] for match in found],
        }

    def _languages(self, ids: Array) -> list[bytes]:
        return [_ENCODED_LANGUAGES[code] for code in self._indexes.stats.language[ids].tolist()]

    def _numbers(self, ids: Array) -> dict[str, Encoded]:
        stats = self._indexes.stats
        return {
            "searches": numbers(stats.searches[ids]),
            "own_searches": numbers(stats.own_searches[ids]),
            "users": numbers(stats.users[ids]),
            "first_date": list(map(_encoded_day, stats.first_day[ids].tolist())),
            "last_date": list(map(_encoded_day, stats.last_day[ids].tolist())),
            "avg_monthly_searches": rounded(stats.avg_monthly_searches[ids], 1),
            "change_3m": rounded(stats.change_3m[ids], 4),
            "change_yoy": rounded(stats.change_yoy[ids], 4),
            "competition": [_ENCODED_LEVELS[level] for level in stats.competition_level(ids).tolist()],
            "competition_index": rounded(stats.competition_index[ids], 1),
            "low_top_of_page_bid_micros": counts(stats.low_bid_micros[ids]),
            "high_top_of_page_bid_micros": counts(stats.high_bid_micros[ids]),
            "advertisers": counts(stats.advertisers[ids]),
            "clicks": counts(stats.clicks[ids]),
            "ad_ctr": rounded(stats.ad_ctr[ids], 4),
        }

    def _add_months(self, row: RowTemplate, ids: Array) -> None:
        months = [
            {"year": month.year, "month": month.month, "complete": complete}
            for month, complete in zip(self._indexes.months, self._indexes.complete_months, strict=True)
        ]
        row.field_of_objects("monthly_search_volumes", months, "searches", self._indexes.stats.monthly_searches[ids])

    def _variants(self, ids: Array, keywords: Sequence[str]) -> list[bytes]:
        """The close variants of each keyword, the most searched first, without the keyword itself."""
        group_sizes, members = self._indexes.close_variants_of(ids)
        owners = np.repeat(np.arange(len(ids)), group_sizes)
        others = members != ids[owners]
        owners, members = owners[others], members[others]
        variants: dict[int, list[dict[str, Any]]] = {}
        searches = self._indexes.stats.own_searches[members].tolist()
        spellings = self._indexes.keywords.take(members)
        for owner, text, count in zip(owners.tolist(), spellings, searches, strict=True):
            kind = kind_in_group(keywords[owner], text)
            variants.setdefault(owner, []).append({"text": text, "searches": count, "kind": kind.value})
        encoded = [NO_VARIANTS] * len(ids)
        for owner, found in variants.items():
            encoded[owner] = orjson.dumps(found)
        return encoded


class _EncodedTerms(dict[tuple[str, ...], bytes]):
    """Terms as JSON: most rows of a page match and miss the same ones."""

    def __missing__(self, terms: tuple[str, ...]) -> bytes:
        encoded = self[terms] = orjson.dumps(terms)
        return encoded


@lru_cache(maxsize=16_384)
def kind_in_group(keyword: str, variant: str) -> Variant:
    """In what two close variants of one group differ. What no other step explains is how they are read: groups are
    made of fingerprints and of sounds, and a variant may differ in both."""
    return variant_of(keyword, variant, same_terms=True) or Variant.PINYIN


@lru_cache(maxsize=16_384)
def _encoded_day(days: int) -> bytes:
    return orjson.dumps(day_of(days).isoformat())
