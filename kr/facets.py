"""What a whole result is made of, counted: words, groups, intents, languages, competition.

Counts are of all rows of the result (`Settings.max_rows` at most), not of the page that is shown.
"""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from indexes.keyword_stats import LANGUAGES
from indexes.opened import Indexes
from indexes.text.simplified import with_simplified_characters
from kr.grouping import SharedTerms, shared_terms
from kr.keyword_intents import KeywordIntents
from kr.planning.intents import INTENT_NAMES, Intent
from kr.rows import COMPETITION_LEVELS
from kr.types import Array, Request

MOST_WORDS = 20
MOST_GROUPS = 12
LEAST_ROWS = 2
"""A word that only one keyword of the result has refines nothing."""
NEARLY = 0.9
"""A word that stands in another is told by it alone if it has so many of the same rows."""
_WORDS_LOOKED_AT = 3 * MOST_WORDS


@dataclass(frozen=True)
class FacetCount:
    """A value that rows of the result have, and how many have it."""

    value: str
    count: int


@dataclass(frozen=True)
class Facets:
    """The counts of one result; `rows` are all that were counted. The most frequent values come first.

    `words`: rows whose text contains it, as the filters must_contain and must_not_contain read it. `groups`: see
    `kr.grouping`; the rows of no group are not listed. Unknown competition is the value UNKNOWN.
    """

    rows: int
    words: tuple[FacetCount, ...]
    groups: tuple[FacetCount, ...]
    intents: tuple[FacetCount, ...]
    languages: tuple[FacetCount, ...]
    competition: tuple[FacetCount, ...]

    def as_data(self) -> dict[str, Any]:
        """What the API and the command line show of it."""
        data = asdict(self)
        for name in ("words", "groups", "languages", "competition"):
            data[name] = list(data[name])
        data["intents"] = [
            {**asdict(count), "text_en": INTENT_NAMES[Intent(count.value)][0], "text_zh": text_zh}
            for count in self.intents
            for text_zh in (INTENT_NAMES[Intent(count.value)][1],)
        ]
        return data


def count_facets(indexes: Indexes, intents: KeywordIntents, request: Request, keyword_ids: Array) -> Facets:
    """Count the keywords of a whole result; the request is the one that found them."""
    texts = indexes.keywords.take(keyword_ids)
    shared = shared_terms(indexes, request, keyword_ids)
    purposes = Counter(intent.value for intent in intents.named(keyword_ids))
    languages = Counter(LANGUAGES[code] for code in indexes.stats.language[keyword_ids].tolist())
    levels = indexes.stats.competition_level(keyword_ids).tolist()
    competition = Counter(COMPETITION_LEVELS[level] or "UNKNOWN" for level in levels)
    return Facets(
        len(keyword_ids),
        _words(indexes, shared, texts),
        _groups(indexes, shared),
        _counts(purposes),
        _counts(languages),
        _counts(competition),
    )


def _counts(counter: "Counter[str]") -> tuple[FacetCount, ...]:
    return tuple(FacetCount(*item) for item in sorted(counter.items(), key=lambda item: (-item[1], item[0])))


def _words(indexes: Indexes, shared: SharedTerms, texts: list[str]) -> tuple[FacetCount, ...]:
    """The words that most rows contain, but none that all have; of two with nearly the same rows the longer."""
    likely = np.lexsort((shared.term, -shared.count))[:_WORDS_LOOKED_AT]
    names = indexes.terms.take(shared.term[likely])
    simplified = [with_simplified_characters(text) for text in texts]
    # Counted as the filter reads it, so that choosing a word brings what its count says.
    found = {name: sum(name in text for text in simplified) for name in names}
    words: list[FacetCount] = []
    for name, count in sorted(found.items(), key=lambda item: (-item[1], -len(item[0]), item[0])):
        if not LEAST_ROWS <= count < len(texts):
            continue
        alike = next((place for place, word in enumerate(words) if _are_alike(word, name, count)), None)
        if alike is None:
            words.append(FacetCount(name, count))
        elif len(name) > len(words[alike].value):
            words[alike] = FacetCount(name, count)
    return tuple(words[:MOST_WORDS])


def _are_alike(word: FacetCount, name: str, count: int) -> bool:
    return (name in word.value or word.value in name) and count >= NEARLY * word.count


def _groups(indexes: Indexes, shared: SharedTerms) -> tuple[FacetCount, ...]:
    heads, counts = np.unique(shared.head[shared.head >= 0], return_counts=True)
    order = np.lexsort((heads, -counts))[:MOST_GROUPS]
    names = indexes.terms.take(shared.term[heads[order]])
    return tuple(FacetCount(name, count) for name, count in zip(names, counts[order].tolist(), strict=True))
