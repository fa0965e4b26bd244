"""How one keyword matches a query, by the definitions of `indexes.prefixes_query` and `Prefixes.near`.

It is what the index answers in bulk, for words that are in no index, and tells what of a keyword is matched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from indexes.prefixes_query import DOUBLE_INITIALS, MIN_LETTERS_WITH_TYPO, Query, with_wrong_syllable
from indexes.text.readings import is_separator, pinyin

_TYPED_WRONG = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_ITSELF, _SYLLABLE, _INITIAL, _BEGINNING = 1, 2, 4, 8
"""How Chinese characters were matched, as bits; a beginning may be one of a syllable or an initial."""


class Kind(IntEnum):
    """How a query matches; of several ways the first of these counts."""

    STRING = 0
    PINYIN = 1
    INITIALS = 2
    MIXED = 3
    TYPO = 4


@dataclass(frozen=True, order=True)
class Match:
    """How a query matches a keyword: the first `characters` ones of those that are matched at all."""

    kind: Kind
    characters: int


def exact_match(query: Query, characters: Sequence[tuple[str, str]]) -> Match | None:
    """How a keyword, given as its characters with readings, matches without a mistake; None if it doesn't."""
    units, size = query.units, len(query.units)
    if not size or query.is_too_long:
        return None
    best: Match | None = None
    reached = {(0, 0)}
    for depth, (character, reading) in enumerate(characters, 1):
        following = set()
        for at, ways in reached:
            for piece, way in _pieces(character, reading, units[at:]):
                end = at + len(piece)
                if any(at < border < end for border in query.borders):
                    continue
                if end < size:
                    following.add((end, ways | way))
                else:
                    match = Match(_kind(ways | way), depth)
                    best = match if best is None else min(best, match)
        if not following:
            break
        reached = following
    return best


def _pieces(character: str, reading: str, rest: str) -> list[tuple[str, int]]:
    """The pieces that stand for a character and that the rest of a query begins with, and how each matches."""
    if character == reading:
        return [(character, 0)] if rest.startswith(character) else []
    pieces = [(character, _ITSELF), (reading, _SYLLABLE), (reading[0], _INITIAL)]
    if reading[:2] in DOUBLE_INITIALS:
        pieces.append((reading[:2], _INITIAL))
    if reading.startswith(rest) and rest != reading:
        is_initial = len(rest) == 1 or rest in DOUBLE_INITIALS
        pieces.append((rest, _BEGINNING if is_initial else _SYLLABLE))
    return [(piece, way) for piece, way in pieces if rest.startswith(piece)]


def _kind(ways: int) -> Kind:
    by_letters = ways & ~_ITSELF
    if not by_letters:
        return Kind.STRING
    if ways & _ITSELF:
        return Kind.MIXED
    if not by_letters & _INITIAL:
        return Kind.PINYIN
    return Kind.MIXED if by_letters & _SYLLABLE else Kind.INITIALS


def near_match(query: Query, characters: Sequence[tuple[str, str]]) -> Match | None:
    """How a keyword matches with one mistake, or by sound."""
    if query.is_too_long:
        return None
    letters, others = _meant(query.normalised)
    if len(letters) < MIN_LETTERS_WITH_TYPO:
        return None
    spelled = "".join(reading for _, reading in characters)
    ends = [end for end in (_end_with_mistake(letters, spelled),) if end is not None]
    ends += [len(other) for other in others if spelled.startswith(other)]
    if not ends:
        return None
    count, covered = 0, 0
    while covered < min(ends):
        covered += len(characters[count][1])
        count += 1
    return Match(Kind.TYPO, count)


@lru_cache(maxsize=256)
def _meant(normalised: str) -> tuple[str, tuple[str, ...]]:
    """A query's letters, and these with one syllable replaced."""
    letters = pinyin(normalised)
    return letters, tuple(with_wrong_syllable(letters))


def _end_with_mistake(letters: str, spelled: str) -> int | None:
    """How long a beginning of `spelled` is at most one mistake away from the letters; twin of `is_near`."""
    size = len(letters)
    place = next((at for at in range(size) if letters[at] != spelled[at : at + 1]), size)
    if place == size:
        return size
    if place == 0:
        return None
    typed, meant = letters[place], spelled[place : place + 1]
    if typed in _TYPED_WRONG and spelled.startswith(letters[place + 1 :], place):
        return size - 1
    if meant not in _TYPED_WRONG or not meant:
        return None
    if spelled.startswith(letters[place:], place + 1):
        return size + 1
    if typed in _TYPED_WRONG and spelled.startswith(letters[place + 1 :], place + 1):
        return size
    following = letters[place + 1 : place + 2]
    swapped = following + typed + letters[place + 2 :]
    if {typed, following} <= _TYPED_WRONG and spelled.startswith(swapped, place):
        return size
    return None


def matched_span(text: str, characters: int) -> tuple[int, int]:
    """Where in a keyword its first so many matched characters stand: offsets of the first and after the last."""
    places = [place for place, character in enumerate(text) if not is_separator(character)]
    return places[0], places[characters - 1] + 1
