"""Why a keyword is shown for a page: which of its words the page says, and where they stood."""

from collections.abc import Sequence
from typing import Any

from indexes.text import tokens
from kr.pages.stop_words import FUNCTION_WORDS
from kr.reasons import PLACE_TEXTS, REASON_TEXTS, Reason
from kr.types import PageTopic

MOST_WORDS = 4
MOST_PLACES = 3
_OF_WORDS = frozenset(("exact", "token_match"))
"""Sources whose reasons are about words in common."""
SOURCE = "url_topics"

Row = dict[str, Any]


def with_page_reasons(
    topics: Sequence[PageTopic], texts: Sequence[str], reasons: Sequence[list[Row]]
) -> list[list[Row]]:
    """The reasons of each row, those about words in common told as what the page says.

    Every row has one that names words of the page and their places: its own words, or the topic that led to it.
    """
    of_page = {topic.text for topic in topics}
    return [_of_row(topics, of_page, text, own) for text, own in zip(texts, reasons, strict=True)]


def _of_row(topics: Sequence[PageTopic], of_page: set[str], text: str, reasons: list[Row]) -> list[Row]:
    kept = [reason for reason in reasons if not (reason["source"] in _OF_WORDS and reason["seed"] in of_page)]
    said = _said(topics, text)
    if said is not None:
        return [said, *kept]
    led = next((topic for reason in kept if (topic := _topic_of(topics, reason["seed"])) is not None), None)
    return [_near(led), *kept] if led is not None else kept


def _said(topics: Sequence[PageTopic], text: str) -> Row | None:
    """What the page says of a keyword's words: the topics that hold them, without repeating a word."""
    own = _content(text)
    content = {topic: _content(topic.text) for topic in topics}

    def rank(topic: PageTopic) -> tuple[bool, int, float]:
        # Topics that the keyword holds whole before those of which it holds a part, the longest first.
        whole = own >= content[topic]
        return not whole, -len(content[topic]) if whole else 0, -topic.weight

    left = set(own)
    words: list[str] = []
    places: list[str] = []
    for topic in sorted(topics, key=rank):
        common = left & content[topic]
        if common and len(words) < MOST_WORDS:
            left -= common
            words += [topic.text] if common == content[topic] else sorted(common, key=tokens(topic.text).index)
            places += topic.places
    if not words:
        return None
    # Of the overlapping tokens of a Chinese word the longest says it all.
    longest = [word for word in words if not any(word != other and word in other for other in words)]
    return _row(Reason.PAGE_SAYS, None, longest[:MOST_WORDS], places)


def _content(text: str) -> frozenset[str]:
    return frozenset(tokens(text)) - FUNCTION_WORDS


def _near(topic: PageTopic) -> Row:
    return _row(Reason.PAGE_TOPIC, topic.text, [topic.text], topic.places)


def _topic_of(topics: Sequence[PageTopic], seed: str | None) -> PageTopic | None:
    """The topic that a seed or an anchor stands for: it, or the one with most words in common."""
    if seed is None:
        return None
    own = _content(seed)
    best = max(topics, key=lambda topic: (topic.text == seed, len(own & _content(topic.text)), topic.weight))
    return best if own & _content(best.text) else None


def _row(code: Reason, topic: str | None, words: Sequence[str], places: Sequence[str]) -> Row:
    shown = list(dict.fromkeys(places))[:MOST_PLACES]
    text_en, text_zh = REASON_TEXTS[code]
    return {
        "code": code.value,
        "source": SOURCE,
        "seed": topic,
        "text_en": text_en.format(
            topic=topic,
            words=", ".join(f"“{word}”" for word in words),
            places=", ".join(PLACE_TEXTS[place][0] for place in shown),
        ),
        "text_zh": text_zh.format(
            topic=topic,
            words="、".join(f"“{word}”" for word in words),
            places="、".join(PLACE_TEXTS[place][1] for place in shown),
        ),
        "evidence": {"words": list(words), "places": shown},
    }
