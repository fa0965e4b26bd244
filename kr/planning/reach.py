"""Which of the log's searches the keywords of an ad group or a campaign would show ads for."""

from collections.abc import Sequence
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


def reached(indexes: Indexes, keywords: Sequence[PlanKeyword], most: int, of_keyword: int = MOST_OF_KEYWORD) -> Reached:
    """What the keywords to bid on among these reach, the most searched: at most so many searches, and of one keyword.

    Each search is counted once, with its variants.
    """
    found: dict[int, str] = {}
    for words, keyword in sorted(_broadest(keywords).items(), key=lambda item: (len(item[0]), sorted(item[0]))):
        ids = indexes.token_ids(tuple(sorted(words)))
        if len(ids) < len(words):
            continue  # a word that nobody searched is in no search
        holders = indexes.postings.holding_all(ids, of_keyword)
        holders = holders[indexes.stats.canonical[holders] == holders]
        text = normalise(keyword.text)
        for holder, search in zip(holders.tolist(), indexes.keywords.take(holders), strict=True):
            if holder not in found and triggers(text, keyword.match_type, search):
                found[holder] = text
    reached_ids: Array = np.array(sorted(found), np.int64)
    demand = indexes.stats.monthly_demand(reached_ids)
    order = np.lexsort((reached_ids, -demand))[:most]
    ordered = reached_ids[order]
    by = tuple(found[number] for number in ordered.tolist())
    return Reached(ordered, tuple(indexes.keywords.take(ordered)), demand[order], by)


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
