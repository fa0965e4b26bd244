"""Term features: whether both sides name the same place, brand or other listed thing, or different ones."""

import numpy as np

from indexes.arrays import Array
from indexes.compiled import inner_njit
from kr.relevance.token_kernel import MOST_TOKENS

MOST_THINGS = 8
"""Of one kind in one text."""
COLUMNS = 4
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@inner_njit
def next_node(node: int, lexeme: int, keys: Array, targets: Array) -> int:
    """The node after a lexeme, 0 for none; the table's first slot is `terms.slot_of`'s."""
    size = len(keys)
    bits = 0
    while 1 << bits < size:
        bits += 1
    key = np.int64(node) << 32 | np.int64(lexeme)
    place = np.int64((np.uint64(key) * _MULTIPLIER) >> np.uint64(64 - bits))
    while keys[place] >= 0:
        if keys[place] == key:
            return targets[place]
        place = (place + 1) & (size - 1)
    return 0


@inner_njit
def find_things(lexemes: Array, first: Array, keys: Array, targets: Array, things: Array, out: Array) -> None:
    """Write, for each kind, the distinct things that a text names: `out` int32 (kinds, 8), ended by 0 if fewer."""
    out[:] = 0
    count = min(len(lexemes), MOST_TOKENS)
    for kind in range(things.shape[1]):
        filled = 0
        start = 0
        while start < count and filled < MOST_THINGS:
            named, end = 0, start + 1
            node = first[lexemes[start]] if lexemes[start] else 0
            place = start
            while node:
                place += 1
                if things[node, kind]:
                    named, end = things[node, kind], place
                if place == count or not lexemes[place]:
                    break
                node = next_node(node, lexemes[place], keys, targets)
            start = end  # names inside a longer name say nothing
            if named:
                known = False
                for slot in range(filled):
                    known = known or out[kind, slot] == named
                if not known:
                    out[kind, filled] = named
                    filled += 1


@inner_njit
def term_features(query: Array, keyword: Array, out: Array) -> None:
    """Write four columns a kind from what each side names, int32 (kinds, 8): the same, different, only q, only k."""
    for kind in range(len(query)):
        same = False
        for one in query[kind]:
            for other in keyword[kind]:
                if one and one == other:
                    same = True
        asked, offered = query[kind, 0] != 0, keyword[kind, 0] != 0
        out[COLUMNS * kind] = same
        out[COLUMNS * kind + 1] = asked and offered and not same
        out[COLUMNS * kind + 2] = asked and not offered
        out[COLUMNS * kind + 3] = offered and not asked
