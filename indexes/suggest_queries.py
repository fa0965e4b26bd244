"""What people type before they have typed a keyword: the queries of `bench suggest`, the same ones every time."""

from collections.abc import Callable, Sequence

import numpy as np

from indexes.prefixes_query import DOUBLE_INITIALS, MIN_LETTERS_WITH_TYPO

Characters = Sequence[tuple[str, str]]
"""A keyword's characters with their readings."""
MOST_CHARACTERS = 8
"""Of a keyword that are typed, or have begun to be."""
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def string(characters: Characters, generator: np.random.Generator) -> str | None:
    """The first one to eight characters; without Latin letters, which may be pinyin too."""
    typed = "".join(character for character, _ in characters[: _how_many(generator)])
    return None if typed.isascii() or any(character in _ALPHABET for character in typed) else typed


def latin(characters: Characters, generator: np.random.Generator) -> str | None:
    """The first letters of a keyword in Latin letters."""
    typed = "".join(character for character, _ in characters[: _how_many(generator)])
    return typed if typed.isascii() else None


def pinyin(characters: Characters, generator: np.random.Generator) -> str | None:
    """The full pinyin of the first characters, the last one cut anywhere."""
    return _typed(characters, generator, lambda: _FULL)


def initials(characters: Characters, generator: np.random.Generator) -> str | None:
    """The first letters of the first characters, now and then zh, ch or sh."""
    return _typed(characters, generator, lambda: _INITIAL)


def mixed(characters: Characters, generator: np.random.Generator) -> str | None:
    """Each character in its own way: itself, its pinyin, or its initial."""
    return _typed(characters, generator, lambda: int(generator.integers(3)))


def typo(characters: Characters, generator: np.random.Generator) -> str | None:
    """Full pinyin or Latin letters with one letter left out, doubled by another, replaced or swapped with the next."""
    typed = "".join(reading for _, reading in characters[: _how_many(generator)])
    if not typed.isascii() or len(typed) < MIN_LETTERS_WITH_TYPO + 1:
        return None
    place = int(generator.integers(1, len(typed) - 1))
    letter = _ALPHABET[int(generator.integers(26))]
    return (
        typed[:place] + typed[place + 1 :],
        typed[:place] + letter + typed[place:],
        typed[:place] + letter + typed[place + 1 :],
        typed[:place] + typed[place + 1] + typed[place] + typed[place + 2 :],
    )[int(generator.integers(4))]


KINDS: dict[str, Callable[[Characters, np.random.Generator], str | None]] = {
    kind.__name__: kind for kind in (string, latin, pinyin, initials, mixed, typo)
}
_ITSELF, _FULL, _INITIAL = 0, 1, 2


def _how_many(generator: np.random.Generator) -> int:
    return int(generator.integers(1, MOST_CHARACTERS + 1))


def _typed(characters: Characters, generator: np.random.Generator, way: Callable[[], int]) -> str | None:
    """The first characters typed in the ways drawn; None for a keyword that does not begin with a Chinese one."""
    if characters[0][0] == characters[0][1]:
        return None
    chosen = characters[: _how_many(generator)]
    pieces = []
    for place, (character, reading) in enumerate(chosen):
        match way():
            case 0:
                pieces.append(character)
            case 1:
                is_last = place == len(chosen) - 1
                pieces.append(reading[: generator.integers(1, len(reading) + 1)] if is_last else reading)
            case _:
                is_double = reading[:2] in DOUBLE_INITIALS and generator.random() < 0.3
                pieces.append(reading[: 2 if is_double else 1])
    return "".join(pieces)
