"""Which of the log's searches the keywords of an ad group or a campaign would show ads for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from indexes.arrays import Array
from indexes.opened import Indexes
from indexes.text import normalise, tokens
from kr.planning.matching import triggers
from kr.planning.plan import PlanKeyword
from kr.planning.plan_row import MatchType

MOST_OF_KEYWORD = 1_000
"""Searches that one keyword is taken to reach: the most searched ones that hold its words."""


@dataclass(frozen=True)
class Reached:
    """Searches, the most searched first: normalised `texts`, `demand` float64 searches a month with close variants,
    and `by`, the text of a keyword that reaches each, the broadest."""

    ids: Array
    texts: tuple[str, ...]
    demand: Array
    by: tuple[str, ...]


class SearchTexts:
    """The texts of searches by their ids, and the ids of words, each looked up once: ad groups of one campaign share
    them."""

    def __init__(self, indexes: Indexes) -> None:
        self._indexes = indexes
        self._known: dict[int, str] = {}
        self._token_ids: dict[str, int] = {}

    def token_ids(self, held: Iterable[str]) -> list[int]:
        """`Indexes.token_ids`."""
        found = []
        for token in held:
            number = self._token_ids.get(token)
            if number is None:
                number = self._token_ids[token] = self._indexes.terms.find(token)
            found.append(number)
        return [number for number in found if number >= 0]

    def take(self, ids: Sequence[int]) -> list[str]:
        """The texts with these ids, in their order."""
        new = [number for number in ids if number not in self._known]
        if new:
            self._known.update(zip(new, self._indexes.keywords.take(np.array(new)), strict=True))
        return [self._known[number] for number in ids]


def reached(
    indexes: Indexes,
    keywords: Sequence[PlanKeyword],
    most: int,
    of_keyword: int = MOST_OF_KEYWORD,
    texts: SearchTexts | None = None,
) -> Reached:
    """What the keywords to bid on among these reach, the most searched: at most so many searches, and of one keyword.

    Each search is counted once, with its variants.
    """
    texts = texts or SearchTexts(indexes)
    found: dict[int, str] = {}
    for words, keyword in sorted(_broadest(keywords).items(), key=lambda item: (len(item[0]), sorted(item[0]))):
        ids = texts.token_ids(sorted(words))
        if len(ids) < len(words):
            continue  # a word that nobody searched is in no search
        holders = indexes.postings.holding_all(ids, of_keyword)
        holders = holders[indexes.stats.canonical[holders] == holders]
        text = normalise(keyword.text)
        new = [holder for holder in holders.tolist() if holder not in found]
        is_triggered = triggers(text, keyword.match_type)
        found.update(
            (holder, text) for holder, search in zip(new, texts.take(new), strict=True) if is_triggered(search)
        )
    reached_ids: Array = np.array(sorted(found), np.int64)
    demand = indexes.stats.monthly_demand(reached_ids)
    order = np.lexsort((reached_ids, -demand))[:most]
    ordered = reached_ids[order]
    numbers = ordered.tolist()
    by = tuple(found[number] for number in numbers)
    return Reached(ordered, tuple(texts.take(numbers)), demand[order], by)


def _broadest(keywords: Sequence[PlanKeyword]) -> dict[frozenset[str], PlanKeyword]:
    """By its tokens, the keywords that no other makes needless: what 鲜花店 reaches, 鲜花 (broad) reaches too."""
    open_ones = [item for item in keywords if not item.negative and item.match_type is not MatchType.EXACT]
    sets = {frozenset(tokens(normalise(item.text))): item for item in reversed(open_ones)}
    kept: dict[frozenset[str], PlanKeyword] = {}
    singles: set[str] = set()
    for words, item in sorted(sets.items(), key=lambda pair: (len(pair[0]), sorted(pair[0]))):
        if words and not words & singles:
            kept[words] = item
            if len(words) == 1 and item.match_type is not MatchType.PHRASE:
                singles |= words
    return kept
