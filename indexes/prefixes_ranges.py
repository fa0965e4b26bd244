"""Kernels: the best ranks of ranges of a list, by the smallest rank of each block. Imports numba.

`best` int32 (k,) holds the smallest ranks met so far, ascending, each once; places that are free hold `NONE`. So
`best[-1]` is the bar that a rank has to pass.
"""

from typing import Any

import numpy as np

from indexes.arrays import Array
from indexes.compiled import njit
from indexes.prefixes_write import BLOCK

NONE = 2**31 - 1
MOST_LEVELS = 8


@njit
def insert(best: Array, rank: int) -> None:
    """Put a rank into `best` unless it is there or worse than all of them."""
    place = len(best) - 1
    if rank >= best[place]:
        return
    while place > 0 and best[place - 1] >= rank:
        place -= 1
    if best[place] == rank:
        return
    for later in range(len(best) - 1, place, -1):
        best[later] = best[later - 1]
    best[place] = rank


@njit
def insert_node(minima: Array, nodes: Array, count: int, minimum: int, node: int) -> int:
    """Keep the `len(nodes)` nodes of the smallest minima, ascending; returns how many there are now."""
    if count == len(nodes):
        if minimum >= minima[count - 1]:
            return count
        place = count - 1
    else:
        place = count
        count += 1
    while place > 0 and minima[place - 1] > minimum:
        minima[place] = minima[place - 1]
        nodes[place] = nodes[place - 1]
        place -= 1
    minima[place] = minimum
    nodes[place] = node
    return count


@njit
def offer_range(ranks: Array, block_minima: Array, low: int, high: int, best: Array) -> None:
    """Offer the ranks of rows low to high - 1.

    The k best rows lie in the k blocks of the smallest minima of each level, so that much is read: level by level from
    the top, the children of those blocks, and the blocks at both ends of the range whose parents reach beyond it.
    """
    if high - low <= 2 * BLOCK:
        for row in range(low, high):
            if ranks[row] < best[-1]:
                insert(best, ranks[row])
        return
    level_starts = np.empty(MOST_LEVELS, np.int64)
    level_sizes = np.empty(MOST_LEVELS, np.int64)
    edges = np.empty((MOST_LEVELS, 2, 2), np.int64)
    # Level 0 are the rows themselves; the others stand in `block_minima` one after the other.
    top = 0
    level_sizes[0], level_starts[0] = len(ranks), 0
    start = 0
    begin, end = low, high
    while True:
        size = (level_sizes[top] + BLOCK - 1) // BLOCK
        parent_begin = (begin + BLOCK - 1) // BLOCK
        parent_end = size if end == level_sizes[top] else end // BLOCK
        if level_sizes[top] <= BLOCK or parent_end - parent_begin < 2:
            break
        edges[top, 0, 0], edges[top, 0, 1] = begin, parent_begin * BLOCK
        edges[top, 1, 0], edges[top, 1, 1] = min(parent_end * BLOCK, end), end
        top += 1
        level_sizes[top], level_starts[top] = size, start
        start += size
        begin, end = parent_begin, parent_end
    edges[top, 0, 0], edges[top, 0, 1] = begin, end
    edges[top, 1, 0], edges[top, 1, 1] = end, end

    k = len(best)
    minima, nodes = np.empty(k, np.int64), np.empty(k, np.int64)
    next_minima, next_nodes = np.empty(k, np.int64), np.empty(k, np.int64)
    count = 0
    for level in range(top, 0, -1):
        offset = level_starts[level]
        below = level_sizes[level]
        next_count = 0
        for edge in range(2):
            for node in range(edges[level, edge, 0], edges[level, edge, 1]):
                if block_minima[offset + node] < best[-1]:
                    next_count = insert_node(next_minima, next_nodes, next_count, block_minima[offset + node], node)
        for parent in range(count):
            for node in range(nodes[parent] * BLOCK, min(nodes[parent] * BLOCK + BLOCK, below)):
                if block_minima[offset + node] < best[-1]:
                    next_count = insert_node(next_minima, next_nodes, next_count, block_minima[offset + node], node)
        minima, next_minima = next_minima, minima
        nodes, next_nodes = next_nodes, nodes
        count = next_count
    for edge in range(2):
        for row in range(edges[0, edge, 0], edges[0, edge, 1]):
            if ranks[row] < best[-1]:
                insert(best, ranks[row])
    for parent in range(count):
        if minima[parent] >= best[-1]:
            break
        for row in range(nodes[parent] * BLOCK, min(nodes[parent] * BLOCK + BLOCK, len(ranks))):
            if ranks[row] < best[-1]:
                insert(best, ranks[row])


@njit
def symbol_at(starts: Array, symbols: Array, rank: int, depth: int) -> int:
    """A keyword's symbol at a depth, 0 if it has ended."""
    at = np.int64(starts[rank]) + depth
    symbol: Any = np.int64(0)
    if at < np.int64(starts[rank + 1]):
        symbol = np.int64(symbols[at])
    return symbol
