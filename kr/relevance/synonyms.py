"""Groups of words that mean the same: read from a file, kept as arrays, asked by token.

A line is a group, its words separated by blanks: `价格 价钱 费用`. An optional code in front places the group in a
tree of meanings, as in Cilin (Mei et al. 1983, extended): `Dj06A01= 价格 价钱`. A code has five levels, a letter, a
letter, two digits, a letter, two digits; then `=` where the words mean the same, `#` where they are related, `@` where
a word stands alone and only has its place. Groups without a code mean the same and have no place in the tree.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexes.arrays import Array, offsets_from_counts
from indexes.errors import UsageError
from indexes.text import normalise, words
from kr.relevance.text_lines import numbered_lines

RELATION_BITS = 2
SAME, RELATED, ALONE = 0, 1, 2
PLACE_BITS = 29
"""Above them stands the number, from 1, of a group without a code: such groups share no class with any other."""
_CODE = re.compile(r"([A-Z])([a-z])(\d\d)([A-Z])(\d\d)([=#@])")
_RELATIONS = {"=": SAME, "#": RELATED, "@": ALONE}
_SHAPE = "Write a group a line, its words separated by blanks, with or without a code such as Aa01A01= in front."


@dataclass(frozen=True)
class SynonymGroup:
    """`sense` is the group's class and relation as one number (`sense_of`); `words` are normalised, in order."""

    sense: int
    words: tuple[str, ...]


@dataclass(frozen=True)
class Senses:
    """The groups of each lexeme as CSR: `senses` int64, ascending by lexeme, from `offsets` int64 (lexemes + 2,).

    Lexeme 0, which stands for all words that no lexicon holds, has none.
    """

    offsets: Array
    senses: Array


def sense_of(code: "re.Match[str]") -> int:
    """A code as a number whose higher bits are the higher classes; the lowest two bits are the relation."""
    upper, lower, two, third, last = code.group(1, 2, 3, 4, 5)
    place = ord(upper) - ord("A")
    for letter, bits in ((ord(lower) - ord("a"), 5), (int(two), 7), (ord(third) - ord("A"), 5), (int(last), 7)):
        place = place << bits | letter
    return place << RELATION_BITS | _RELATIONS[code.group(6)]


def read_synonyms(files: Sequence[Path]) -> list[SynonymGroup]:
    """The groups of these files in order; UsageError names the file, the line and the mistake."""
    groups: list[SynonymGroup] = []
    for file in files:
        before = len(groups)
        for number, line in numbered_lines(file, "file of synonyms", "--synonyms"):
            groups.append(_group(line.split(), f"{file}, line {number}", len(groups)))
        if len(groups) == before:
            raise UsageError(f"{file} holds no synonyms.", _SHAPE)
    return groups


def _group(fields: list[str], place: str, number: int) -> SynonymGroup:
    code = _CODE.fullmatch(fields[0])
    if code is None and fields[0][-1] in _RELATIONS:
        raise UsageError(f"{place}: {fields[0]} is no code.", _SHAPE)
    held = fields[1:] if code else fields
    if not held or (code is None and len(held) < 2):
        raise UsageError(f"{place}: a group of {len(held)} words.", _SHAPE)
    spelt = []
    for word in held:
        text = normalise(word)
        if not words(text):
            raise UsageError(f"{place}: {word} has no letters or digits.", "Remove the word or mend it.")
        spelt.append(text)
    return SynonymGroup(sense_of(code) if code else (number + 1) << PLACE_BITS << RELATION_BITS, tuple(spelt))


def single_word(text: str) -> str | None:
    """The one word, as a token, that a normalised text is; None if it is several, which no token can be."""
    found = words(text)
    return found[0] if len(found) == 1 else None


def senses_of(groups: Iterable[SynonymGroup], lexemes: dict[str, int]) -> Senses:
    """The senses by lexeme; every word of the groups that is a single token must have its number in `lexemes`."""
    pairs = {
        (lexemes[token], group.sense)
        for group in groups
        for word in group.words
        if (token := single_word(word)) is not None
    }
    ordered = np.array(sorted(pairs), np.int64).reshape(-1, 2)
    counts = np.bincount(ordered[:, 0], minlength=len(lexemes) + 1)
    return Senses(offsets_from_counts(counts), np.ascontiguousarray(ordered[:, 1]))
