"""Keywords for what somebody has typed so far: the account's own words first, then the most searched ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from indexes.arrays import Array
from indexes.opened import Indexes
from indexes.prefixes_match import Match, exact_match, matched_span, near_match
from indexes.prefixes_query import Query
from indexes.text import fingerprint, normalise
from indexes.text.readings import read_aloud
from kr.audit.stage import UnsafeKeywordAudit

MOST_OWN_WORDS = 2000
"""Own keywords, and recent queries, that are looked through; the others are passed over."""


@dataclass(frozen=True)
class SuggestRequest:
    """What somebody has typed, how many rows they want, and the account's words: `recent` the latest first."""

    query: str
    limit: int = 10
    own: tuple[str, ...] = ()
    recent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Suggestion:
    """One row. `avg_monthly_searches` None is unknown; `highlights` are offsets into the text, end not included.

    `kind` is own or recent for the account's words, popular where nothing was typed, else how the keyword matches:
    string, pinyin, initials, mixed or typo.
    """

    text: str
    avg_monthly_searches: float | None
    kind: str
    highlights: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class _OwnWord:
    text: str
    kind: str
    keyword_id: int


@lru_cache(maxsize=32_768)
def _read(text: str) -> tuple[tuple[str, str], ...]:
    return tuple(read_aloud(text))


class Suggester:
    """Suggests from one snapshot."""

    def __init__(self, indexes: Indexes, audit: UnsafeKeywordAudit) -> None:
        self._indexes = indexes
        self._audit = audit

    def suggest(self, request: SuggestRequest) -> list[Suggestion]:
        """At most `limit` rows: what matches exactly, own words first, and then what matches with one mistake.

        Each group of close variants is in it once. A query that is not safe to show has none. Raises TryAgainError
        while the lexicons cannot be read.
        """
        query = Query.of(request.query)
        if request.limit <= 0 or self._audit.unsafe_categories_of(query.normalised):
            return []
        rows: list[Suggestion] = []
        shown = _Shown(self._indexes)
        if not query.units:
            order = (("recent", request.recent), ("own", request.own))
            for word in self._words(order):
                self._add_own(rows, shown, word, None, request.limit)
            self._add_popular(rows, shown, request.limit)
            return rows
        words = list(self._words((("own", request.own), ("recent", request.recent))))
        others = []
        for word in words:
            if match := exact_match(query, _read(word.text)):
                self._add_own(rows, shown, word, match, request.limit)
            else:
                others.append(word)
        # Twice as many because each of the account's words may be one of them.
        ids, ranks, exact = self._safe_matches(query, request.limit * (2 if words else 1))
        self._add_found(rows, shown, query, ids[:exact], ranks[:exact], request.limit)
        if len(rows) < request.limit:
            for word in others:
                if match := near_match(query, _read(word.text)):
                    self._add_own(rows, shown, word, match, request.limit)
            self._add_found(rows, shown, query, ids[exact:], ranks[exact:], request.limit)
        return rows

    def _words(self, kinds: Sequence[tuple[str, Sequence[str]]]) -> Iterator[_OwnWord]:
        """The account's words, each once."""
        met = set()
        for kind, texts in kinds:
            for text in map(normalise, texts[:MOST_OWN_WORDS]):
                if text and text not in met:
                    met.add(text)
                    yield _OwnWord(text, kind, self._indexes.keywords.find(text))

    def _safe_matches(self, query: Query, wanted: int) -> tuple[Array, Array, int]:
        """Ids and ranks of at least so many keywords that may be shown now, if there are; the exact ones first."""
        asked = wanted
        while True:
            matches = self._indexes.prefixes.top(query, asked)
            safe = self._audit.is_shown(matches.ids)
            if safe.sum() >= wanted or len(matches.ids) < asked:
                return matches.ids[safe], matches.ranks[safe], int(safe[: matches.exact].sum())
            asked *= 4

    def _add_own(
        self, rows: list[Suggestion], shown: "_Shown", word: _OwnWord, match: Match | None, limit: int
    ) -> None:
        if len(rows) < limit and not self._audit.unsafe_categories_of(word.text) and shown.add(word):
            searches = self._searches(word.keyword_id) if word.keyword_id >= 0 else None
            rows.append(Suggestion(word.text, searches, word.kind, _spans(word.text, match)))

    def _add_found(
        self, rows: list[Suggestion], shown: "_Shown", query: Query, ids: Array, ranks: Array, limit: int
    ) -> None:
        for keyword_id, rank in zip(ids.tolist(), ranks.tolist(), strict=True):
            if len(rows) == limit:
                return
            text = self._indexes.keywords[keyword_id]
            if not shown.add_keyword(keyword_id, text):
                continue
            characters = self._indexes.prefixes.characters(rank)
            match = exact_match(query, characters) or near_match(query, characters)
            kind = match.kind.name.lower() if match else "typo"
            rows.append(Suggestion(text, self._searches(keyword_id), kind, _spans(text, match)))

    def _add_popular(self, rows: list[Suggestion], shown: "_Shown", limit: int) -> None:
        popular = np.asarray(self._indexes.popular)
        for keyword_id in popular[self._audit.is_shown(popular)].tolist():
            if len(rows) == limit:
                return
            text = self._indexes.keywords[keyword_id]
            if shown.add_keyword(keyword_id, text):
                rows.append(Suggestion(text, self._searches(keyword_id), "popular", ()))

    def _searches(self, keyword_id: int) -> float | None:
        average = float(self._indexes.stats.avg_monthly_searches[keyword_id])
        return None if average != average else round(average, 1)


class _Shown:
    """The groups of close variants that are shown already; those of words nobody searched, by fingerprint."""

    def __init__(self, indexes: Indexes) -> None:
        self._canonical = indexes.stats.canonical
        self._heads: set[int] = set()
        self._fingerprints: set[str] = set()

    def add(self, word: _OwnWord) -> bool:
        """Whether one of the account's words is new, which it then no longer is."""
        if word.keyword_id >= 0:
            return self.add_keyword(word.keyword_id, word.text)
        mark = fingerprint(word.text)
        if mark in self._fingerprints:
            return False
        self._fingerprints.add(mark)
        return True

    def add_keyword(self, keyword_id: int, text: str) -> bool:
        """The same of a keyword."""
        head = int(self._canonical[keyword_id])
        if head in self._heads or (self._fingerprints and fingerprint(text) in self._fingerprints):
            return False
        self._heads.add(head)
        return True


def _spans(text: str, match: Match | None) -> tuple[tuple[int, int], ...]:
    return (matched_span(text, match.characters),) if match else ()


def as_rows(suggestions: Sequence[Suggestion]) -> list[dict[str, Any]]:
    """The rows as the API gives them."""
    return [
        {
            "text": row.text,
            "avg_monthly_searches": row.avg_monthly_searches,
            "kind": row.kind,
            "highlights": [list(span) for span in row.highlights],
        }
        for row in suggestions
    ]
