"""Which queries a plan's keywords reach, and which keyword of the plan serves each: demand is counted once.

An exact keyword reaches its close variants; a phrase keyword also queries that say it in one piece; a broad one those
that hold all its words. Queries are canonical keywords of the snapshot. Each is served by one keyword of the plan, the
narrowest match; among equals the one with more words, then the one that stands first in the plan.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from indexes.arrays import Array
from indexes.errors import UsageError
from indexes.opened import Indexes
from indexes.text import normalise, tokens
from kr.planning.forecast_types import PlannedKeyword
from kr.relevance.match import MatchType

MOST_QUERIES = 20_000
"""Queries that one phrase or broad keyword is taken to reach: the most searched ones."""
_NARROWNESS = {MatchType.EXACT: 0, MatchType.PHRASE: 1, MatchType.BROAD: 2}


@dataclass(frozen=True)
class PlanReach:
    """Pairs of a keyword of the plan (`item` int64, its place) and a query that it reaches (`query` int64, keyword id).

    Sorted by item, then query. `offsets` int64 (items + 1,). `rank` int64 (items,): who serves first. `texts` are the
    normalised keywords.
    """

    texts: tuple[str, ...]
    item: Array
    query: Array
    offsets: Array
    rank: Array

    def owned(self, chosen: Array | None = None) -> Array:
        """Which pairs serve their query, bool, if only the `chosen` items (bool; None: all) are bought."""
        alive = np.arange(len(self.item)) if chosen is None else np.flatnonzero(chosen[self.item])
        order = alive[np.lexsort((self.rank[self.item[alive]], self.query[alive]))]
        query = self.query[order]
        first = np.ones(len(order), bool)
        first[1:] = query[1:] != query[:-1]
        owned = np.zeros(len(self.item), bool)
        owned[order[first]] = True
        return owned


def plan_reach(indexes: Indexes, keywords: Sequence[PlannedKeyword]) -> PlanReach:
    """The reach of each keyword. UsageError for a keyword without a letter or digit, naming its place."""
    canonical = indexes.stats.canonical
    texts, reached, lengths = [], [], []
    for place, keyword in enumerate(keywords, 1):
        text = normalise(keyword.text)
        if not text:
            raise UsageError(
                "Keyword {place} is empty: {text!r}.", "Give each keyword some text.", place=place, text=keyword.text
            )
        texts.append(text)
        words = tokens(text)
        lengths.append(len(words))
        own = indexes.keywords.find(text)
        found = canonical[own : own + 1].astype(np.int64) if own >= 0 else np.empty(0, np.int64)
        if keyword.match_type is not MatchType.EXACT:
            found = np.concatenate([found, _holding(indexes, text, words, keyword.match_type)])
        reached.append(np.unique(found))
    counts = np.array([len(found) for found in reached], np.int64)
    narrowness = np.array([_NARROWNESS[keyword.match_type] for keyword in keywords], np.int64)
    order = np.lexsort((np.arange(len(texts)), -np.array(lengths, np.int64), narrowness))
    rank = np.empty(len(texts), np.int64)
    rank[order] = np.arange(len(texts))
    return PlanReach(
        texts=tuple(texts),
        item=np.repeat(np.arange(len(texts)), counts),
        query=np.concatenate([np.empty(0, np.int64), *reached]),
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        rank=rank,
    )


def _holding(indexes: Indexes, text: str, words: tuple[str, ...], match_type: MatchType) -> Array:
    """Canonical ids of the queries that say the words of a keyword: in one piece for PHRASE, anywhere for BROAD."""
    token_ids = indexes.token_ids(words)
    if len(token_ids) < len(words) or not token_ids:
        return np.empty(0, np.int64)
    found = indexes.postings.holding_all(token_ids, MOST_QUERIES)
    if match_type is MatchType.PHRASE:
        says = [_says(query, text) for query in indexes.keywords.take(found)]
        found = found[np.array(says, bool)]
    return indexes.stats.canonical[found].astype(np.int64)


def _says(query: str, text: str) -> bool:
    """Whether a query holds a text as a run of whole words; Chinese characters need no space round them."""
    place = query.find(text)
    while place >= 0:
        before, after = query[place - 1 : place], query[place + len(text) : place + len(text) + 1]
        if _parts(before, text[0]) and _parts(text[-1], after):
            return True
        place = query.find(text, place + 1)
    return False


def _parts(left: str, right: str) -> bool:
    """Whether a word may end between two characters, either of which may be missing."""
    return not (left and right and left.isascii() and right.isascii() and left.isalnum() and right.isalnum())
