"""From a typed text to what the index of prefixes is asked: the ways in which the text may be read.

**What matches.** A keyword is a row of characters; white space and apostrophes are passed over. A character is matched
by itself in simplified form; a Chinese one also by its toneless pinyin, or by its initial: the first letter, and zh, ch
and sh. The last piece of the query may be any beginning of the pinyin. The query matches if it is consumed by a prefix
of the keyword. No piece goes across white space or an apostrophe of the query: `xi'an` is 西安, not 先.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from indexes.arrays import Array
from indexes.text import normalise
from indexes.text.confusable_syllables import LONGEST_SYLLABLE, confusable
from indexes.text.readings import folded, is_separator

MOST_UNITS = 60
"""Characters of a query; nothing begins with a longer one, as far as suggestion is concerned."""
MIN_LETTERS_WITH_TYPO = 4
"""Shorter queries are not mended: too much lies one letter away."""
DOUBLE_INITIALS = frozenset({"zh", "ch", "sh"})
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True)
class Query:
    """A typed text: its characters, folded and without separators, and the places before which a separator stood."""

    normalised: str
    units: str
    borders: frozenset[int]

    @staticmethod
    def of(text: str) -> "Query":
        """Any text; very long ones are not looked at beyond what can match."""
        if len(text) > 20 * MOST_UNITS:
            return Query("", "x" * (MOST_UNITS + 1), frozenset())
        normalised = normalise(text)
        units: list[str] = []
        borders = set()
        for character in folded(normalised):
            if is_separator(character):
                borders.add(len(units))
            else:
                units.append(character)
        return Query(normalised, "".join(units), frozenset(borders - {0, len(units)}))

    @property
    def is_too_long(self) -> bool:
        return len(self.units) > MOST_UNITS


@dataclass(frozen=True)
class Symbols:
    """Characters and readings by symbol, see `indexes.prefixes`; symbol 0 has neither."""

    characters: Sequence[str]
    readings: Sequence[str]

    @cached_property
    def _of_character(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for symbol in range(1, len(self.characters)):
            found.setdefault(self.characters[symbol], []).append(symbol)
        return found

    @cached_property
    def pieces(self) -> tuple[Array, Array, Array, Array]:
        """The arrays of `indexes.prefixes_options.Pieces`."""
        nodes = {"": 0}
        children: list[list[int]] = [[-1] * len(_LETTERS)]
        lows, highs, exact_highs = [0], [0], [0]
        for symbol in range(1, len(self.readings)):
            reading = self.readings[symbol]
            if reading[0] not in _LETTERS:
                continue
            for end in range(1, len(reading) + 1):
                beginning = reading[:end]
                node = nodes.setdefault(beginning, len(nodes))
                if node == len(children):
                    children[nodes[beginning[:-1]]][ord(beginning[-1]) - ord("a")] = node
                    children.append([-1] * len(_LETTERS))
                    lows.append(symbol)
                    highs.append(symbol)
                    exact_highs.append(symbol)
                highs[node] = symbol + 1
            exact_highs[nodes[reading]] = symbol + 1
        return np.array(children), np.array(lows), np.array(highs), np.array(exact_highs)

    def _rows_of(self, unit: str) -> list[tuple[int, int, int, bool]]:
        """The rows of `Typed.others` for a character that is no letter."""
        rows = []
        children, lows, highs, _ = self.pieces
        for symbol in self._of_character.get(unit, ()):
            reading = self.readings[symbol]
            if reading[0] in _LETTERS:
                group = children[0, ord(reading[0]) - ord("a")]
                rows.append((symbol, int(lows[group]), int(highs[group]), False))
            else:
                rows.append((symbol, symbol, symbol + 1, True))
        return rows

    def typed(self, query: Query) -> tuple[tuple[Array, Array, Array, Array], bool] | None:
        """The arrays of `indexes.prefixes_options.Typed`, and whether each character is its own reading.

        If so, and if there are no borders, its letters are those of what it matches by full syllables. None if some
        character is in no keyword.
        """
        units, size = query.units, len(query.units)
        borders = np.zeros(size + 1, bool)
        if query.borders:
            borders[list(query.borders)] = True
        if units.isascii() and units.isalpha():
            letters = np.frombuffer(units.encode(), np.uint8).astype(np.int64) - ord("a")
            return (letters, borders, _NO_OFFSETS, _NO_OTHERS), True
        offsets = [0]
        others: list[tuple[int, int, int, bool]] = []
        for unit in units:
            if unit not in _LETTERS:
                rows = self._rows_of(unit)
                if not rows:
                    return None
                others += rows
            offsets.append(len(others))
        letters = np.array([ord(unit) - ord("a") if unit in _LETTERS else -1 for unit in units], np.int64)
        table = np.array(others, np.int64).reshape(len(others), 4)
        return (letters, borders, np.array(offsets, np.int64), table), all(row[3] for row in others)


_NO_OFFSETS = np.zeros(1, np.int64)
_NO_OTHERS = np.empty((0, 4), np.int64)


def with_wrong_syllable(letters: str) -> list[str]:
    """The letters with one syllable replaced by one that it may be taken for."""
    return [
        letters[:begin] + other + letters[end:]
        for begin in range(len(letters))
        for end in range(begin + 1, min(begin + LONGEST_SYLLABLE, len(letters)) + 1)
        for other in confusable(letters[begin:end])
    ]
