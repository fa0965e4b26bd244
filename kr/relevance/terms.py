"""Lists of things with names, such as places and brands, and the trie that finds the names in texts.

A line names one thing; other names of the same thing follow after tabs: `北京	北京市	beijing`. A name of one word is
found wherever that token stands, a name of several where its tokens stand side by side; of names that begin at the same
token the longest counts. A name that stands for two things of one kind means the first.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexes.arrays import Array
from indexes.errors import UsageError
from indexes.text import normalise, tokens, words
from kr.relevance.text_lines import numbered_lines

PLACE = "place"
PLACES_FILE = Path(__file__).parent / "word_lists" / "places.txt"
"""Provinces, municipalities and prefectures of China, and large cities of the world."""
_KIND = re.compile(r"[a-z][a-z0-9_]*")
_SHAPE = "Write one name a line; other names of the same thing after tabs."
MULTIPLIER = 0x9E3779B97F4A7C15


@dataclass(frozen=True)
class NamedTerms:
    """The things of one kind: each with its names as sequences of tokens."""

    kind: str
    things: tuple[tuple[tuple[str, ...], ...], ...]


@dataclass(frozen=True)
class Trie:
    """Sequences of lexemes. Node 0 is the root, and no target.

    `first` int32 (lexemes + 1,) is the node after a first lexeme, 0 for none. Longer sequences go on through a hash
    table with linear probing: `keys` int64 (2^k,), node << 32 | lexeme, −1 where empty, and `targets` int32 beside
    them. `things` int32 (nodes, kinds) numbers from 1 the thing of each kind that a node's sequence names, 0 for none.
    """

    first: Array
    keys: Array
    targets: Array
    things: Array


def read_terms(named: Sequence[tuple[str, Path]]) -> tuple[NamedTerms, ...]:
    """Lists by kind, kinds in alphabetic order; files of one kind are read one after the other.

    UsageError names a kind that is no name, or the file, the line and the mistake.
    """
    things: dict[str, list[tuple[tuple[str, ...], ...]]] = {}
    for kind, file in named:
        if not _KIND.fullmatch(kind):
            raise UsageError(f"{kind!r} is no kind of term.", "Name it in small letters, such as brand=FILE.")
        found = things.setdefault(kind, [])
        before = len(found)
        for number, line in numbered_lines(file, "list of terms", "--terms"):
            names = []
            for name in line.split("\t"):
                text = normalise(name)
                if not words(text):
                    raise UsageError(f"{file}, line {number}: {name!r} has no letters or digits.", _SHAPE)
                names.append(token_key(text))
            found.append(tuple(dict.fromkeys(names)))
        if len(found) == before:
            raise UsageError(f"{file} holds no terms.", _SHAPE)
    return tuple(NamedTerms(kind, tuple(things[kind])) for kind in sorted(things))


def token_key(text: str) -> tuple[str, ...]:
    """The tokens by which a normalised name is found: a single word is itself, without the words inside it."""
    whole = words(text)
    return whole if len(whole) == 1 else tokens(text)


def trie_of(terms: Iterable[NamedTerms], lexemes: Mapping[str, int]) -> Trie:
    """The trie over all kinds; every token of a name must have its number in `lexemes`."""
    kinds = list(terms)
    first = np.zeros(len(lexemes) + 1, np.int32)
    nodes: dict[tuple[int, int], int] = {}
    named: list[dict[int, int]] = []
    count = 1
    for kind in kinds:
        of_kind: dict[int, int] = {}
        for number, names in enumerate(kind.things, 1):
            for name in names:
                node = 0
                for token in name:
                    following = nodes.get((node, lexemes[token]))
                    if following is None:
                        following = nodes[node, lexemes[token]] = count
                        count += 1
                    node = following
                of_kind.setdefault(node, number)
        named.append(of_kind)
    things = np.zeros((count, len(kinds)), np.int32)
    for column, of_kind in enumerate(named):
        if of_kind:
            things[list(of_kind), column] = list(of_kind.values())
    deeper = []
    for (node, lexeme), target in nodes.items():
        if node:
            deeper.append((node << 32 | lexeme, target))
        else:
            first[lexeme] = target
    size = 1 << max(2 * len(deeper), 1).bit_length()
    keys, targets = np.full(size, -1, np.int64), np.zeros(size, np.int32)
    for key, target in deeper:
        place = slot_of(key, size)
        while keys[place] >= 0:
            place = (place + 1) & (size - 1)
        keys[place], targets[place] = key, target
    return Trie(first, keys, targets, things)


def slot_of(key: int, size: int) -> int:
    """Where a key's probing starts, in a table of a power of two."""
    return ((key * MULTIPLIER) & 0xFFFFFFFFFFFFFFFF) >> (64 - (size.bit_length() - 1)) if size > 1 else 0
