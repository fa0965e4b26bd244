"""The source that finds what a page says, in whatever order its words stand: keywords made of the page's words.

The page's main topics are seeds like any other; this source adds keywords that join words of several topics.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from indexes.arrays import Array
from indexes.opened import Indexes
from indexes.text import tokens
from kr.pages.stop_words import FUNCTION_WORDS
from kr.types import Candidates, ColumnSpec, PageTopic, Request

MOST_PAGE_TOKENS = 40
LEAST_SHARE = 0.5
"""Keywords of which the page says less are left to the other sources."""


class UrlTopicsSource:
    """Keywords at least half of which the page says; silent without a page. Adds no column."""

    name = "url_topics"
    adds: Mapping[str, ColumnSpec] = {}

    def __init__(self, indexes: Indexes, most: int) -> None:
        self._indexes = indexes
        self._most = most

    def retrieve(self, request: Request) -> Candidates:
        heaviest = tuple(token_weights(request.page_topics))[:MOST_PAGE_TOKENS]
        token_ids = sorted(self._indexes.token_ids(heaviest))
        if not token_ids:
            return Candidates.empty()
        found, _ = self._indexes.postings.top(token_ids, self._most)
        ids = np.sort(found)
        ids = ids[page_share(self._indexes, request.page_topics, ids) >= LEAST_SHARE].astype(np.int32)
        return Candidates(ids, np.zeros(len(ids), np.uint32))


def page_share(indexes: Indexes, topics: Sequence[PageTopic], keyword_ids: Array) -> Array:
    """How much of each keyword a page says: float64 (n,) in 0..1.

    The share of the keyword's idf whose words the page says, a word counting by the square root of the greatest weight
    of a topic that holds it: 1 if every word is one of the main topic's.
    """
    weights = {indexes.terms.find(token): weight for token, weight in token_weights(topics).items()}
    weights.pop(-1, None)
    if not weights or not len(keyword_ids):
        return np.zeros(len(keyword_ids))
    idf = np.abs(indexes.postings.idf)
    terms = np.array(sorted(weights), np.int64)
    values = np.sqrt(np.array([weights[term] for term in terms.tolist()]))
    counts, flat = indexes.forward.tokens_of(keyword_ids)
    owner = np.repeat(np.arange(len(keyword_ids)), counts)
    place = np.minimum(np.searchsorted(terms, flat), len(terms) - 1)
    said = np.where(terms[place] == flat, values[place], 0.0)
    total = np.bincount(owner, weights=idf[flat], minlength=len(keyword_ids))
    on_page = np.bincount(owner, weights=idf[flat] * said, minlength=len(keyword_ids))
    return np.divide(on_page, total, out=np.zeros(len(keyword_ids)), where=total > 0)


def token_weights(topics: Sequence[PageTopic]) -> dict[str, float]:
    """The page's tokens, the heaviest first, each with the greatest weight of a topic that holds it."""
    weights: dict[str, float] = {}
    for topic in topics:
        for token in set(tokens(topic.text)) - FUNCTION_WORDS:
            weights[token] = max(weights.get(token, 0.0), topic.weight)
    return dict(sorted(weights.items(), key=lambda item: (-item[1], item[0])))
