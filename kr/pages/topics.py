"""A page's topics: the words and phrases that say what it offers, each with its weight and where it stood.

1. Candidates are runs of one to four words of the places that name things (product name, brand, title, headings,
   breadcrumbs, key words), whole short names among them, and for Chinese pages the key words that `jieba.analyse` finds
   in all of the text.
2. A word's weight is the sum, over the blocks that hold it, of the block's place weight × (½ + the BM25 score of the
   word in the block; `rank_bm25`, the page's blocks being the corpus), × its idf in the search log, so that what every
   page says and what every search holds counts little.
3. A candidate's weight is the mean of its words' × the places in which it stands whole.
4. Topics are chosen one by one, the heaviest first, words that chosen ones hold counting half as much each time: so
   twenty topics cover the page and don't repeat its title twenty times.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from indexes.text import normalise, tokens, words
from kr.pages.document import Block, PageDocument, Place
from kr.pages.stop_words import FUNCTION_WORDS, SHOP_WORDS, STOP_WORDS
from kr.types import PageTopic

MOST_TOPICS = 20
MOST_WORDS = 4
MOST_WORDS_OF_A_NAME = 7
MOST_CANDIDATES = 600
MOST_TOPIC_CHARS = 80
JIEBA_KEY_WORDS = 20
REPEATED = 0.5
"""What a word counts in the next topic, of what it counted in this one."""
PRESENT = 0.5
"""What a word counts in a block for standing in it, beside its BM25 score."""
WEAK_WORD = 0.3
"""What a number, or a word that every shop says, counts of another word."""
SITE_NAME_FACTOR = 0.15
SEARCHED_BONUS = 1.3
"""A candidate that people search for as it stands."""
PLACE_WEIGHTS = {
    Place.PRODUCT_NAME: 1.0,
    Place.BRAND: 1.0,
    Place.TITLE: 0.9,
    Place.H1: 0.9,
    Place.OG_TITLE: 0.6,
    Place.CATEGORY: 0.6,
    Place.BREADCRUMB: 0.5,
    Place.KEYWORDS: 0.4,
    Place.DESCRIPTION: 0.4,
    Place.HEADING: 0.2,
    Place.MAIN: 0.1,
}
_NAMING_PLACES = frozenset(set(Place) - {Place.MAIN, Place.DESCRIPTION})
_BORDERS = re.compile(
    r"[|>/\\,;:()\[\]{}\"!?~_«»›‹、。【】「」『』《》“”•·～—–]|\s-+\s|(?<=[\u4e00-\u9fff])-|-(?=[\u4e00-\u9fff])"
)
"""What ends a phrase, after normalisation has made full-width punctuation plain."""
_HAN_RANGES = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAN = re.compile(f"[{_HAN_RANGES}]")
_OTHER = rf"(?:(?![{_HAN_RANGES}])[^\W_])+"
_PIECE = re.compile(rf"([{_HAN_RANGES}]+)|({_OTHER}(?:[.'’&+-]{_OTHER})*)")

TokenIdf = Callable[[str], float]
IsSearched = Callable[[str], bool]


@dataclass(frozen=True)
class _Word:
    """A word as written (normalised), and the tokens by which it is retrieved."""

    text: str
    tokens: tuple[str, ...]
    is_han: bool


@dataclass
class _Candidate:
    words: tuple[_Word, ...]
    places: set[Place] = field(default_factory=set)


def find_topics(
    document: PageDocument,
    idf: TokenIdf = lambda token: 1.0,
    is_searched: IsSearched = lambda text: False,
    most: int = MOST_TOPICS,
    host: str = "",
) -> tuple[PageTopic, ...]:
    """The topics of a page, the heaviest first.

    `idf` is a token's weight in the search log, `is_searched` whether a text is a keyword of it; without a log every
    word counts the same. `host` is the name of the page's site, which is a topic only if it is the brand too.
    Deterministic.
    """
    blocks = [(block.place, _segments(block.text)) for block in document.blocks]
    token_weights = _token_weights(blocks, idf)
    candidates = _candidates(document, blocks, is_searched)
    site_names = _site_names(document.site, host)
    base: dict[str, float] = {}
    for text, candidate in candidates.items():
        places = _support(text, candidate, document.blocks)
        candidate.places |= places
        factor = SEARCHED_BONUS if is_searched(text) else 1.0
        if _squeezed(text) in site_names and Place.BRAND not in candidate.places:
            factor *= SITE_NAME_FACTOR
        base[text] = factor * sum(PLACE_WEIGHTS[place] for place in candidate.places)
    chosen = _cover(candidates, base, token_weights, most)
    if not chosen:
        return ()
    heaviest = max(weight for _, weight in chosen)
    order = [place.value for place in Place]
    return tuple(
        PageTopic(
            text,
            round(weight / heaviest, 4),
            tuple(sorted((place.value for place in candidates[text].places), key=order.index)),
        )
        for text, weight in chosen
    )


def _segments(text: str) -> list[list[_Word]]:
    """The words of a text, in runs that no punctuation interrupts."""
    found = []
    for part in _BORDERS.split(normalise(text)):
        run: list[_Word] = []
        for chinese, other in _PIECE.findall(part):
            if chinese:
                run += [_Word(word, tokens(word), True) for word in words(chinese)]
            elif own := tokens(other):
                run.append(_Word(other, own, False))
        if run:
            found.append(run)
    return found


def _token_weights(blocks: Sequence[tuple[Place, list[list[_Word]]]], idf: TokenIdf) -> dict[str, float]:
    """Σ over blocks of place weight × BM25, × idf."""
    import numpy as np
    from rank_bm25 import BM25Okapi

    corpus = [[token for run in runs for word in run for token in word.tokens] for _, runs in blocks]
    known = sorted({token for block in corpus for token in block})
    if not known:
        return {}
    bm25 = BM25Okapi(corpus)
    place_weights = np.array([PLACE_WEIGHTS[place] for place, _ in blocks])
    holds = [frozenset(block) for block in corpus]
    weights = {}
    for token in known:
        if token in FUNCTION_WORDS or (len(token) == 1 and not _HAN.match(token)):
            weights[token] = 0.0
            continue
        # BM25 is nothing or less for a word of most blocks; of a page of few blocks that may be the best word.
        present = np.array([token in block for block in holds])
        score = float(place_weights @ np.where(present, np.maximum(bm25.get_scores([token]), 0) + PRESENT, 0))
        weights[token] = score * idf(token) * (WEAK_WORD if token.isdigit() or token in SHOP_WORDS else 1.0)
    return weights


def _candidates(
    document: PageDocument, blocks: Sequence[tuple[Place, list[list[_Word]]]], is_searched: IsSearched
) -> dict[str, _Candidate]:
    found: dict[str, _Candidate] = {}

    def add(run: Sequence[_Word], place: Place) -> None:
        text = _joined(run)
        if len(text) <= MOST_TOPIC_CHARS and (text in found or len(found) < MOST_CANDIDATES):
            found.setdefault(text, _Candidate(tuple(run))).places.add(place)

    for place, runs in blocks:
        if place not in _NAMING_PLACES:
            continue
        for run in runs:
            if place in (Place.PRODUCT_NAME, Place.BRAND, Place.H1) and 1 < len(run) <= MOST_WORDS_OF_A_NAME:
                add(run, place)
            for start in range(len(run)):
                for end in range(start + 1, min(start + MOST_WORDS, len(run)) + 1):
                    part = run[start:end]
                    if _may_be_topic(part) or (len(part) > 1 and is_searched(_joined(part))):
                        add(part, place)
    for word in _jieba_key_words(document):
        runs = _segments(word)
        if len(runs) == 1 and _may_be_topic(runs[0]):
            add(runs[0], Place.MAIN)
    return found


def _may_be_topic(run: Sequence[_Word]) -> bool:
    if run[0].text in STOP_WORDS or run[-1].text in STOP_WORDS:
        return False
    if len(run) == 1 and (len(run[0].text) < 2 or run[0].text.isdigit()):
        return False
    return any(not word.text.isdigit() for word in run)


def _jieba_key_words(document: PageDocument) -> list[str]:
    """The key words of a page that is mostly Chinese, by jieba's TF-IDF; none of others."""
    text = normalise(" ".join(block.text for block in document.blocks))
    han = len(_HAN.findall(text))
    if han < 10 or han < 0.15 * len(text):
        return []
    import logging

    import jieba.analyse

    jieba.setLogLevel(logging.WARNING)
    return [normalise(word) for word in jieba.analyse.extract_tags(text, topK=JIEBA_KEY_WORDS)]


def _site_names(site: str, host: str) -> frozenset[str]:
    """What the site is called: its own name for itself, its host, and the host's main label."""
    labels = host.split(".")
    main = max(labels[:-1], key=len, default="") if "." in host else ""
    bare = host.removeprefix("www.")
    return frozenset(filter(None, map(_squeezed, (site, host, bare, main))))


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", normalise(text))


def _support(text: str, candidate: _Candidate, blocks: Iterable[Block]) -> set[Place]:
    """The places in which a candidate found elsewhere stands too: the main text and the description."""
    return {block.place for block in blocks if block.place not in _NAMING_PLACES and text in normalise(block.text)}


def _cover(
    candidates: dict[str, _Candidate], base: dict[str, float], token_weights: dict[str, float], most: int
) -> list[tuple[str, float]]:
    """The candidates one by one, each time the one that says most of what was not said yet; ties by text."""
    said: dict[str, int] = {}
    left = sorted(text for text, candidate in candidates.items())
    chosen: list[tuple[str, float]] = []
    while left and len(chosen) < most:
        gains = {text: base[text] * _mean_weight(candidates[text].words, token_weights, said) for text in left}
        best = max(left, key=lambda text: gains[text])
        if gains[best] <= 0:
            break
        chosen.append((best, gains[best]))
        left.remove(best)
        for token in {token for word in candidates[best].words for token in word.tokens}:
            said[token] = said.get(token, 0) + 1
    return chosen


def _mean_weight(run: Sequence[_Word], token_weights: dict[str, float], said: dict[str, int]) -> float:
    """The mean weight of a phrase's words but for function words; longer phrases, which say more, a little more."""
    own = [
        max((token_weights.get(token, 0.0) * REPEATED ** said.get(token, 0) for token in word.tokens), default=0.0)
        for word in run
        if word.text not in FUNCTION_WORDS
    ]
    return sum(own) / math.sqrt(len(own)) if own else 0.0


def _joined(run: Sequence[_Word]) -> str:
    """The words as a person would type them: no space between Chinese ones."""
    text = run[0].text
    for before, word in pairwise(run):
        text += word.text if before.is_han and word.is_han else f" {word.text}"
    return text
