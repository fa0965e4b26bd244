"""Which searches a keyword shows ads for, and which ones a negative keyword keeps away, as far as words tell.

A keyword matches a search (Google Ads' rules, without what a platform takes for related):

| match type | the search |
|---|---|
| EXACT | is the keyword or a close variant of it |
| PHRASE | holds the keyword's words side by side, in order |
| BROAD, unknown | holds all of the keyword's words |

A negative keyword is stricter: it knows no plural and no other variants, only its words as they are. Chinese is
written without spaces, so that its words are those of `indexes.text`.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from indexes.text import fingerprint, normalise, tokens, words
from indexes.text.segment import simplified
from kr.planning.plan import PlanKeyword
from kr.planning.plan_row import MatchType

REMEMBERED = 131_072
"""Texts whose words are remembered: a plan's keywords are compared with the same searches again and again."""
_CHINESE = re.compile("[\u4e00-\u9fff ]+")
_words = lru_cache(maxsize=REMEMBERED)(words)


@lru_cache(maxsize=REMEMBERED)
def _word_set(text: str) -> frozenset[str]:
    """The words of a search, with the parts of long Chinese ones."""
    return frozenset(tokens(text)) | frozenset(_words(text))


@lru_cache(maxsize=REMEMBERED)
def _is_plain_chinese(text: str) -> bool:
    """Whether a text is Chinese characters and spaces alone, simplified: then its words are the text itself, cut."""
    return bool(_CHINESE.fullmatch(text)) and simplified(text) == text


@lru_cache(maxsize=REMEMBERED)
def variant_of(text: str) -> str:
    """`fingerprint`, remembered."""
    return fingerprint(text, _words(text))


def triggers(text: str, match_type: MatchType | None) -> Callable[[str], bool]:
    """Whether a normalised keyword would show an ad for a normalised search: a question for many of them."""
    if match_type is MatchType.EXACT:
        variant = variant_of(text)
        return lambda search: variant_of(search) == variant
    wanted = _words(text)
    if match_type is not MatchType.PHRASE:
        return lambda search: _word_set(search).issuperset(wanted)
    if text.isascii():
        return lambda search: _holds_in_order(_words(search), wanted)
    together = text.replace(" ", "")
    if not _is_plain_chinese(text):
        return lambda search: together in search.replace(" ", "") or _holds_in_order(_words(search), wanted)
    # Where both are plain, words side by side are a part of the text: nothing has to be cut into words.
    return lambda search: (
        together in search.replace(" ", "")
        or (not _is_plain_chinese(search) and _holds_in_order(_words(search), wanted))
    )


def blocks(negative: PlanKeyword, search: str) -> bool:
    """Whether a negative keyword keeps its ads away from a search, which need not be normalised."""
    return blocks_text(normalise(negative.text), negative.match_type, normalise(search))


def blocks_text(negative: str, match_type: MatchType | None, search: str) -> bool:
    """Whether a normalised negative keyword keeps ads away from a normalised search."""
    if not negative:
        return False
    if match_type is MatchType.EXACT:
        return negative == search
    there, wanted = _plain_words(search), _plain_words(negative)
    if match_type is MatchType.PHRASE:
        return _holds_in_order(there, wanted) or _holds_text(search, negative)
    return bool(wanted) and set(wanted) <= set(there)


class NegativeKeywords:
    """Many negative keywords asked at once: whether one of them, as `blocks_text`, keeps ads away from a search."""

    def __init__(self, negatives: Iterable[tuple[str, MatchType | None]]) -> None:
        """Normalised negative keywords with their match types."""
        self._exact: set[str] = set()
        self._held: list[str] = []
        self._phrases: dict[str, list[tuple[str, ...]]] = {}
        self._sets: dict[str, list[frozenset[str]]] = {}
        for text, match_type in dict.fromkeys(negatives):
            wanted = _plain_words(text)
            if match_type is MatchType.EXACT:
                self._exact.add(text)
            elif match_type is MatchType.PHRASE:
                if not text.isascii():
                    self._held.append(text.replace(" ", ""))
                if wanted:
                    self._phrases.setdefault(wanted[0], []).append(wanted)
            elif wanted:
                self._sets.setdefault(wanted[0], []).append(frozenset(wanted))
        self._exact.discard("")

    def block(self, search: str) -> bool:
        """Whether one of them keeps ads away from a normalised search."""
        if search in self._exact:
            return True
        if self._held:
            together = search.replace(" ", "")
            if any(text in together for text in self._held):
                return True
        if not self._phrases and not self._sets:
            return False
        there = _plain_words(search)
        for start, word in enumerate(there):
            if any(there[start : start + len(wanted)] == wanted for wanted in self._phrases.get(word, ())):
                return True
            if any(wanted.issubset(there) for wanted in self._sets.get(word, ())):
                return True
        return False


@lru_cache(maxsize=REMEMBERED)
def _plain_words(text: str) -> tuple[str, ...]:
    """Words as they are: Latin ones with their plural, Chinese ones as they are cut, with the parts of long ones."""
    pieces: list[str] = []
    for piece in text.split():
        pieces += [piece] if piece.isascii() else tokens(piece) or (piece,)
    return tuple(pieces)


def _holds_in_order(there: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    count = len(wanted)
    if count < 2:
        return count == 1 and wanted[0] in there
    return any(there[start : start + count] == wanted for start in range(len(there) - count + 1))


def _holds_text(search: str, text: str) -> bool:
    """Whether a Chinese text stands in a search; Latin text may stand inside a word that means something else."""
    return not text.isascii() and text.replace(" ", "") in search.replace(" ", "")
