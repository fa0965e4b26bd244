"""Kernel: the best keywords that match a query without a mistake. Imports numba.

A query of n units comes as its *options* (CSR by the unit they begin at): one says that the keyword's next symbol is in
`low[o]..high[o] - 1` if the query goes on at unit `next[o]`. `group_low` and `group_high` enclose the symbols of the
same initial. Queries have at most 60 units: those reached are bits of a number of 64.
"""

from typing import Any, NamedTuple

import numpy as np

from indexes.arrays import Array
from indexes.compiled import njit
from indexes.prefixes_letters import LetterLists, offer_letters
from indexes.prefixes_options import Options, Pieces, Typed, options_of
from indexes.prefixes_ranges import insert, offer_range, symbol_at
from indexes.prefixes_write import BLOCK, INLINE_SYMBOLS

SMALL_RANGE = 24
"""Ranges of so many rows are looked through at once."""
MOST_STEPS = 3000
"""After so many steps the ranges met are looked through, however big: it bounds what a query of many readings costs."""
ROWS_WORTH_A_SEARCH = 400
"""So many rows are looked through in the time of looking one text up in the list by string."""


class ExactLists(NamedTuple):
    """The mapped arrays that `offer_exact` reads."""

    starts: Array
    symbols: Array
    string_ranks: Array
    string_minima: Array
    string_directory: Array
    initials_ranks: Array
    initials_minima: Array
    initials_symbols: Array


@njit
def row_symbol(lists: ExactLists, row: int, depth: int) -> int:
    """Symbol of a row of the list by initials."""
    if depth < INLINE_SYMBOLS:
        symbol: Any = np.int64(lists.initials_symbols[depth, row])
        return symbol
    return symbol_at(lists.starts, lists.symbols, lists.initials_ranks[row], depth)


@njit
def _goes_on(lists: ExactLists, options: Options, units: int, rank: int, depth: int, unit: int) -> bool:
    """Whether a keyword from a depth on consumes a query from a unit on: all ways are followed at once."""
    reached = np.uint64(1) << np.uint64(unit)
    goal = np.uint64(1) << np.uint64(units)
    if reached == goal:
        return True
    for at in range(np.int64(lists.starts[rank]) + depth, np.int64(lists.starts[rank + 1])):
        symbol = np.int64(lists.symbols[at])
        following = np.uint64(0)
        for place in range(unit, units):
            if reached >> np.uint64(place) & np.uint64(1):
                for option in range(options.offsets[place], options.offsets[place + 1]):
                    if options.low[option] <= symbol < options.high[option]:
                        following |= np.uint64(1) << np.uint64(options.next[option])
        if following & goal:
            return True
        if following == 0:
            return False
        reached = following
    return False


@njit
def _fits(lists: ExactLists, options: Options, path: Array, first: int, depth: int, row: int) -> bool:
    """Whether a row's symbols first to depth - 1 are those of the options of a path."""
    for place in range(first, depth):
        symbol = row_symbol(lists, row, place)
        if symbol < options.low[path[place]] or symbol >= options.high[path[place]]:
            return False
    return True


@njit
def _first_initial(lists: ExactLists, low: int, high: int, depth: int, symbol: int) -> int:
    """The first row of a range, whose rows have the same initials before, with a symbol not below a group's first."""
    while low < high:
        middle = (low + high) // 2
        if row_symbol(lists, middle, depth) < symbol:
            low = middle + 1
        else:
            high = middle
    return low


@njit
def _first_string(lists: ExactLists, low: int, high: int, depth: int, symbol: int) -> int:
    """The same in the list by string."""
    while low < high:
        middle = (low + high) // 2
        if symbol_at(lists.starts, lists.symbols, lists.string_ranks[middle], depth) < symbol:
            low = middle + 1
        else:
            high = middle
    return low


@njit
def _scan(lists: ExactLists, options: Options, path: Array, depth: int, low: int, high: int, best: Array) -> None:
    """Offer the rows of a range by initials whose symbols fit the options of the path.

    Blocks without a symbol that fits the narrowest option are passed over, and so are blocks of worse ranks: both are
    seen without a branch a row.
    """
    narrowest = 0
    for place in range(1, min(depth, INLINE_SYMBOLS)):
        if _width(options, path[place]) < _width(options, path[narrowest]):
            narrowest = place
    column = lists.initials_symbols[narrowest]
    # Of the column's type, so that many symbols are compared at once.
    bounds = np.empty(2, column.dtype)
    bounds[0], bounds[1] = options.low[path[narrowest]], options.high[path[narrowest]] - 1
    first, last = bounds[0], bounds[1]
    ranks = lists.initials_ranks
    begin = low
    while begin < high:
        end = min((begin // BLOCK + 1) * BLOCK, high)
        if lists.initials_minima[begin // BLOCK] < best[-1]:
            is_hit = False
            for row in range(begin, end):
                is_hit |= (column[row] >= first) & (column[row] <= last)
            if is_hit:
                for row in range(begin, end):
                    is_better = first <= column[row] <= last and ranks[row] < best[-1]
                    if is_better and _fits(lists, options, path, 0, depth, row):
                        insert(best, ranks[row])
        begin = end


@njit
def _width(options: Options, option: int) -> int:
    return options.high[option] - options.low[option]


@njit
def _is_whole_group(options: Options, option: int) -> bool:
    return options.low[option] == options.group_low[option] and options.high[option] == options.group_high[option]


@njit
def _offer_path(
    lists: ExactLists, options: Options, path: Array, depth: int, low: int, high: int, skips_full: bool, best: Array
) -> None:
    """Offer the keywords that fit the options of a path; rows low to high - 1 by initials are those of its initials."""
    is_initials, is_string, is_full = True, True, True
    for place in range(depth):
        option = path[place]
        is_initials &= _is_whole_group(options, option)
        is_full &= options.is_full[option]
        if 0 < place < depth - 1:
            is_string &= _width(options, option) == 1
    firsts = _width(options, path[0])
    if is_initials:
        offer_range(lists.initials_ranks, lists.initials_minima, low, high, best)
    elif is_full and skips_full:
        return
    elif is_string and (firsts == 1 or high - low > ROWS_WORTH_A_SEARCH * firsts):
        for symbol in range(options.low[path[0]], options.high[path[0]]):
            _offer_string(lists, options, path, depth, symbol, best)
    else:
        _scan(lists, options, path, depth, low, high, best)


@njit
def _offer_string(lists: ExactLists, options: Options, path: Array, depth: int, symbol: int, best: Array) -> None:
    """Offer the keywords that begin with a symbol and fit a path, with one symbol a place between it and the last."""
    low, high = lists.string_directory[symbol], lists.string_directory[symbol + 1]
    for place in range(1, depth):
        option = path[place]
        high = _first_string(lists, low, high, place, options.high[option])
        low = _first_string(lists, low, high, place, options.low[option])
    offer_range(lists.string_ranks, lists.string_minima, low, high, best)


class InitialRanges(NamedTuple):
    """The rows by initials whose first two, and three, initials are letters: int64 (26^2, 2) and (26^3, 2)."""

    pairs: Array
    triples: Array


@njit
def initial_ranges(lists: ExactLists, pieces: Pieces) -> InitialRanges:
    """Look them up once, so that queries need not."""
    pairs, triples = np.zeros((26**2, 2), np.int64), np.zeros((26**3, 2), np.int64)
    for first in range(26):
        node = pieces.child[0, first]
        if node < 0:
            continue
        low = lists.string_directory[pieces.low[node]]
        high = lists.string_directory[pieces.high[node]]
        _look_up(lists, pieces, low, high, 1, pairs[first * 26 : first * 26 + 26])
        for second in range(26):
            pair = first * 26 + second
            _look_up(lists, pieces, pairs[pair, 0], pairs[pair, 1], 2, triples[pair * 26 : pair * 26 + 26])
    return InitialRanges(pairs, triples)


@njit
def _look_up(lists: ExactLists, pieces: Pieces, low: int, high: int, depth: int, found: Array) -> None:
    """The part of a range for each letter that may follow."""
    for letter in range(26):
        node = pieces.child[0, letter]
        if node >= 0 and low < high:
            low = _first_initial(lists, low, high, depth, pieces.low[node])
            found[letter, 0] = low
            low = _first_initial(lists, low, high, depth, pieces.high[node])
            found[letter, 1] = low


@njit
def offer_exact(
    lists: ExactLists, known: InitialRanges, letters: Array, options: Options, skips_full: bool, best: Array
) -> None:
    """Offer every keyword of which a prefix consumes the query; with `skips_full` not those by full syllables only.

    The ways to read the query are followed through the list by initials, as in a trie; a way that nobody's initials go
    is left at once.
    """
    units = len(options.offsets) - 1
    most = units + 1
    path = np.empty(most, np.int64)
    lows, highs = np.empty(most, np.int64), np.empty(most, np.int64)
    cursors, units_at = np.empty(most, np.int64), np.empty(most, np.int64)
    depth = 0
    lows[0], highs[0], units_at[0], cursors[0] = 0, len(lists.initials_ranks), 0, options.offsets[0]
    # The range of the group met last at each depth: the pieces that begin at one letter are of one group.
    groups, group_lows, group_highs = np.full(most, -1), np.empty(most, np.int64), np.empty(most, np.int64)
    # The initials met as a number in base 26, -1 once another character is among them.
    codes = np.zeros(most + 1, np.int64)
    steps = 0
    while depth >= 0:
        option = cursors[depth]
        if option == options.offsets[units_at[depth] + 1]:
            depth -= 1
            continue
        cursors[depth] += 1
        steps += 1
        if groups[depth] != options.group_low[option]:
            groups[depth] = options.group_low[option]
            letter = letters[units_at[depth]]
            codes[depth + 1] = codes[depth] * 26 + letter if letter >= 0 and codes[depth] >= 0 else -1
            if depth == 0:
                # By string and by initials the keywords of one first initial are the same rows.
                low = lists.string_directory[options.group_low[option]]
                high = lists.string_directory[options.group_high[option]]
            elif depth == 1 and codes[2] >= 0:
                low, high = known.pairs[codes[2], 0], known.pairs[codes[2], 1]
            elif depth == 2 and codes[3] >= 0:
                low, high = known.triples[codes[3], 0], known.triples[codes[3], 1]
            else:
                low = _first_initial(lists, lows[depth], highs[depth], depth, options.group_low[option])
                high = _first_initial(lists, low, highs[depth], depth, options.group_high[option])
            group_lows[depth], group_highs[depth] = low, high
        low, high = group_lows[depth], group_highs[depth]
        if low == high:
            continue
        path[depth] = option
        if high - low <= SMALL_RANGE or steps > MOST_STEPS:
            for row in range(low, high):
                rank = lists.initials_ranks[row]
                if (
                    rank < best[-1]
                    and _fits(lists, options, path, 0, depth + 1, row)
                    and _goes_on(lists, options, units, rank, depth + 1, options.next[option])
                ):
                    insert(best, rank)
        elif options.next[option] == units:
            _offer_path(lists, options, path, depth + 1, low, high, skips_full, best)
        else:
            depth += 1
            lows[depth], highs[depth], groups[depth] = low, high, -1
            units_at[depth] = options.next[option]
            cursors[depth] = options.offsets[units_at[depth]]


@njit
def offer_query(
    lists: ExactLists,
    known: InitialRanges,
    letter_lists: LetterLists,
    pieces: Pieces,
    typed: Typed,
    text: Array,
    best: Array,
) -> None:
    """Offer every keyword that matches without a mistake.

    `text` are the query's bytes if its letters are those of what it matches by full syllables, else none.
    """
    if len(text):
        offer_letters(letter_lists, text, best)
    offer_exact(lists, known, typed.letters, options_of(typed, pieces), len(text) > 0, best)
