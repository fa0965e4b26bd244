"""Kernel: the ways in which a typed text may be read, by the definition of `indexes.prefixes_query`. Imports numba."""

from typing import NamedTuple

import numpy as np

from indexes.arrays import Array
from indexes.compiled import njit

LONGEST_READING = 6
H, Z, C, S = (ord(letter) - ord("a") for letter in "hzcs")


class Pieces(NamedTuple):
    """The beginnings of all readings in letters as a trie: node 0 is the empty one, `child[node, letter]` or -1.

    Symbols low to high - 1 have a reading that begins so; of these the first ones, up to exact_high - 1, have no other.
    """

    child: Array
    low: Array
    high: Array
    exact_high: Array


class Typed(NamedTuple):
    """A query of n units: `letters` int64 (n,) are 0 to 25, -1 for other characters; `borders` bool (n + 1,).

    The symbols of unit u that is no letter are rows `other_offsets[u]:other_offsets[u + 1]` of `others` int64 (m, 4):
    the symbol, low and high of its initial's group, and whether the unit is its own reading.
    """

    letters: Array
    borders: Array
    other_offsets: Array
    others: Array


class Options(NamedTuple):
    """See the top of the module. `is_full` marks full syllables, the last unit's beginnings among them."""

    offsets: Array
    next: Array
    low: Array
    high: Array
    group_low: Array
    group_high: Array
    is_full: Array


@njit
def options_of(typed: Typed, pieces: Pieces) -> Options:
    """The options of a query, by the definition of `indexes.prefixes_query`."""
    size = len(typed.letters)
    most = size * LONGEST_READING + len(typed.others)
    offsets = np.zeros(size + 1, np.int64)
    following, low, high = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    group_low, group_high = np.empty(most, np.int64), np.empty(most, np.int64)
    is_full = np.empty(most, np.bool_)
    count = 0
    for unit in range(size):
        if typed.letters[unit] < 0:
            for row in range(typed.other_offsets[unit], typed.other_offsets[unit + 1]):
                following[count] = unit + 1
                low[count], high[count] = typed.others[row, 0], typed.others[row, 0] + 1
                group_low[count], group_high[count] = typed.others[row, 1], typed.others[row, 2]
                is_full[count] = typed.others[row, 3] != 0
                count += 1
            offsets[unit + 1] = count
            continue
        node, group = 0, 0
        for end in range(unit + 1, min(unit + LONGEST_READING, size) + 1):
            letter = typed.letters[end - 1]
            if letter < 0 or (end > unit + 1 and typed.borders[end - 1]):
                break
            node = pieces.child[node, letter]
            if node < 0:
                break
            if end == unit + 1:
                group = node
            is_last = end == size
            is_double = end == unit + 2 and letter == H and (typed.letters[unit] in (Z, C, S))
            if is_last or end == unit + 1 or is_double:
                to_symbol = pieces.high[node]
            else:
                to_symbol = pieces.exact_high[node]
                if to_symbol == pieces.low[node]:
                    continue
            following[count] = end
            low[count], high[count] = pieces.low[node], to_symbol
            group_low[count], group_high[count] = pieces.low[group], pieces.high[group]
            is_full[count] = is_last or not (end == unit + 1 or is_double)
            count += 1
        offsets[unit + 1] = count
    return Options(offsets, following, low, high, group_low, group_high, is_full)
