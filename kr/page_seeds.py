"""From what a page says to a request: the page's main topics become seeds, all of them are told to the path."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from indexes.opened import Indexes
from indexes.text import fingerprint, tokens
from kr.types import PageTopic, Request

MOST_PAGE_SEEDS = 6
LEAST_SEED_WEIGHT = 0.25


def with_page(request: Request, topics: Sequence[PageTopic], indexes: Indexes) -> Request:
    """The request with the page's topics, and with those as seeds that the search log can say something about.

    A topic becomes a seed if it is heavy enough and was searched as it stands, or if a keyword holds each of its words;
    of topics with the same words the first counts. Words of a heavier phrase must have been searched as they stand:
    the "whole" of "whole foods" leads to life insurance. The caller's own seeds stay before them.
    """
    seeds = list(request.seeds)
    seen = {fingerprint(seed) for seed in seeds}
    added = 0
    for topic in topics:
        if added == MOST_PAGE_SEEDS or topic.weight < LEAST_SEED_WEIGHT:
            break
        own = set(tokens(topic.text))
        in_phrase = any(own < set(tokens(heavier.text)) for heavier in topics if heavier.weight > topic.weight)
        if fingerprint(topic.text) in seen or not _speaks(topic.text, indexes, alone=not in_phrase):
            continue
        seen.add(fingerprint(topic.text))
        seeds.append(topic.text)
        added += 1
    return replace(request, seeds=tuple(dict.fromkeys(seeds)), page_topics=tuple(topics))


def pooled_topics(read: Iterable[Sequence[PageTopic]]) -> tuple[PageTopic, ...]:
    """The topics of several readings as one, the heaviest first; each keeps its greatest weight and all its places."""
    pooled: dict[str, PageTopic] = {}
    for topics in read:
        for topic in topics:
            known = pooled.get(topic.text, topic)
            places = tuple(dict.fromkeys((*known.places, *topic.places)))
            pooled[topic.text] = PageTopic(topic.text, max(known.weight, topic.weight), places)
    return tuple(sorted(pooled.values(), key=lambda topic: -topic.weight))


def _speaks(text: str, indexes: Indexes, alone: bool) -> bool:
    if indexes.keywords.find(text) >= 0 or not alone:
        return indexes.keywords.find(text) >= 0
    distinct = tuple(dict.fromkeys(tokens(text)))
    known = indexes.token_ids(distinct)
    return len(known) == len(distinct) > 0 and len(indexes.postings.holding_all(known, 1)) > 0
