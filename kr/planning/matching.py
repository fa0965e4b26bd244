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

from collections.abc import Sequence
from functools import lru_cache

from indexes.text import fingerprint, normalise, tokens, words
from kr.planning.plan import PlanKeyword
from kr.planning.plan_row import MatchType

_REMEMBERED = 131_072
"""Texts whose words are remembered: a plan's keywords are compared with the same searches again and again."""
_words = lru_cache(maxsize=_REMEMBERED)(words)


@lru_cache(maxsize=_REMEMBERED)
def _word_set(text: str) -> frozenset[str]:
    """The words of a search, with the parts of long Chinese ones."""
    return frozenset(tokens(text)) | frozenset(_words(text))


def triggers(text: str, match_type: MatchType | None, search: str) -> bool:
    """Whether a normalised keyword would show an ad for a normalised search."""
    if match_type is MatchType.EXACT:
        return fingerprint(text) == fingerprint(search)
    if match_type is MatchType.PHRASE:
        return _holds_in_order(_words(search), _words(text)) or _holds_text(search, text)
    return _word_set(search).issuperset(_words(text))


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


@lru_cache(maxsize=_REMEMBERED)
def _plain_words(text: str) -> tuple[str, ...]:
    """Words as they are: Latin ones with their plural, Chinese ones as they are cut, with the parts of long ones."""
    pieces: list[str] = []
    for piece in text.split():
        pieces += [piece] if piece.isascii() else tokens(piece) or (piece,)
    return tuple(pieces)


def _holds_in_order(there: Sequence[str], wanted: Sequence[str]) -> bool:
    count = len(wanted)
    first = wanted[0] if count else None
    return count > 0 and any(
        there[start] == first and tuple(there[start : start + count]) == tuple(wanted)
        for start in range(len(there) - count + 1)
    )


def _holds_text(search: str, text: str) -> bool:
    """Whether a Chinese text stands in a search; Latin text may stand inside a word that means something else."""
    return not text.isascii() and text.replace(" ", "") in search.replace(" ", "")
