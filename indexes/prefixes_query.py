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
    def _of_beginning(self) -> dict[str, tuple[int, int]]:
        """The symbols whose reading begins with a text."""
        found: dict[str, tuple[int, int]] = {}
        for symbol in range(1, len(self.readings)):
            reading = self.readings[symbol]
            for end in range(1, len(reading) + 1):
                beginning = reading[:end]
                found[beginning] = (found[beginning][0] if beginning in found else symbol, symbol + 1)
        return found

    @cached_property
    def _of_reading(self) -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        for symbol in range(1, len(self.readings)):
            reading = self.readings[symbol]
            found[reading] = (found[reading][0] if reading in found else symbol, symbol + 1)
        return found

    @cached_property
    def longest_reading(self) -> int:
        return max(map(len, self.readings), default=0)

    def is_read_as_typed(self, query: Query) -> bool:
        """Whether every character of the query is its own reading: then its letters are those of what it matches."""
        return not query.borders and all(
            unit in _LETTERS or all(self.readings[symbol] == unit for symbol in self._of_character.get(unit, ()))
            for unit in query.units
        )

    def options(self, query: Query) -> tuple[Array, ...] | None:
        """The arrays of `indexes.prefixes_exact.Options`; None if some character is in no keyword."""
        units, size = query.units, len(query.units)
        beginnings, syllables = self._of_beginning, self._of_reading
        offsets = [0]
        rows: list[tuple[int, int, int, int, int, bool]] = []
        for place, unit in enumerate(units):
            if unit not in _LETTERS:
                symbols = self._of_character.get(unit)
                if symbols is None:
                    return None
                for symbol in symbols:
                    reading = self.readings[symbol]
                    rows.append((place + 1, symbol, symbol + 1, *beginnings[reading[0]], reading == unit))
                offsets.append(len(rows))
                continue
            group = beginnings.get(unit)
            if group is not None:
                for end in range(place + 1, min(place + self.longest_reading, size) + 1):
                    piece = units[place:end]
                    if end > place + 1 and (end - 1 in query.borders or units[end - 1] not in _LETTERS):
                        break
                    if end == size or end == place + 1 or piece in DOUBLE_INITIALS:
                        found, is_full = beginnings.get(piece), end == size
                    else:
                        found, is_full = syllables.get(piece), True
                    if found is not None:
                        rows.append((end, *found, *group, is_full))
            offsets.append(len(rows))
        columns = np.array(rows, np.int64).reshape(len(rows), 6).T.copy()
        return np.array(offsets, np.int64), *columns


def with_wrong_syllable(letters: str) -> list[str]:
    """The letters with one syllable replaced by one that it may be taken for."""
    return [
        letters[:begin] + other + letters[end:]
        for begin in range(len(letters))
        for end in range(begin + 1, min(begin + LONGEST_SYLLABLE, len(letters)) + 1)
        for other in confusable(letters[begin:end])
    ]
