"""A quick grouping of one result: each keyword belongs to the word that most of the result's keywords share with it.

The words of the search itself, and function words, make no group. It is made from the forward index alone, for any
result, while somebody waits; ad groups, which are measured and never mix intents, are made by planning.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from indexes.arrays import Array
from indexes.opened import Indexes
from indexes.text import tokens
from kr.pages.stop_words import FUNCTION_WORDS
from kr.relevance.match import PARTICLES
from kr.types import Request

LEAST_IN_GROUP = 3
"""A word that fewer keywords share makes no group."""
_NO_TERMS = np.empty(0, np.int64)


@dataclass(frozen=True)
class SharedTerms:
    """Which terms the keywords of a result share.

    `term` int64 (t,) ascending; `count` int64 (t,) of keywords that hold it, a keyword once; `head` int64 (n,) the
    position in `term` of each keyword's group, -1 where it has none.
    """

    term: Array
    count: Array
    head: Array


def known_terms(indexes: Indexes, request: Request) -> Array:
    """Ids of the terms by which a request says already what it wants, and of words that say nothing; int64, sorted."""
    asked = [token for text in (*request.seeds, *request.filters.must_contain) for token in tokens(text)]
    return np.unique(np.array(indexes.token_ids((*asked, *FUNCTION_WORDS, *PARTICLES)), np.int64))


def shared_terms(indexes: Indexes, request: Request, keyword_ids: Array) -> SharedTerms:
    """The terms that the keywords of a result share, and the group of each."""
    counts, flat = indexes.forward.tokens_of(keyword_ids)
    owner = np.repeat(np.arange(len(keyword_ids), dtype=np.int64), counts)
    telling = ~np.isin(flat, known_terms(indexes, request))
    pairs = np.unique(owner[telling] * len(indexes.terms) + flat[telling])
    owner, flat = pairs // max(1, len(indexes.terms)), pairs % max(1, len(indexes.terms))
    head = np.full(len(keyword_ids), -1, np.int64)
    if not len(flat):
        return SharedTerms(_NO_TERMS, _NO_TERMS, head)
    term, place, count = np.unique(flat, return_inverse=True, return_counts=True)
    # Single characters and letters (好, 哪, s) are parts of too many words to name anything.
    words = np.array([len(name) > 1 for name in indexes.terms.take(term)], bool)
    kept = words[place]
    owner, place = owner[kept], (np.cumsum(words) - 1)[place[kept]]
    term, count = term[words], count[words]
    enough = count[place] >= LEAST_IN_GROUP
    # Of each keyword the most shared term, of equals the first: the last written counts.
    order = np.lexsort((-place[enough], count[place[enough]]))
    head[owner[enough][order]] = place[enough][order]
    return SharedTerms(term, count, head)


def group_names(indexes: Indexes, shared: SharedTerms) -> list[str | None]:
    """The name of each keyword's group."""
    names: dict[int, str | None] = {
        place: indexes.terms[int(shared.term[place])] for place in np.unique(shared.head).tolist() if place >= 0
    }
    return [names.get(place) for place in shared.head.tolist()]


def in_groups(indexes: Indexes, shared: SharedTerms, groups: Sequence[str]) -> Array:
    """Which keywords are of one of these groups, bool (n,)."""
    wanted = np.array([indexes.terms.find(group) for group in groups], np.int64)
    ids = np.append(shared.term, -2)[shared.head]
    return np.isin(ids, wanted[wanted >= 0])
