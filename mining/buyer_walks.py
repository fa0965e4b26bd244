"""Personalised PageRank between accounts and the keywords that they buy (SPEC §1.8).

A walk starts at an account or keyword, goes from a keyword to one of its buyers and from an account to one of its
keywords, each with equal probability, and returns to its start with probability 1 − d at each step. The share of time
that it spends at a keyword says how near that is through all chains of purchases, not only through common buyers.

Power iteration, stopped when what is still on its way is less than `walk_precision`. After each step what is less than
`walk_precision` at a node is dropped, which bounds a walk to 1 / `walk_precision` nodes whatever the size of the graph:
time grows with the number of starts, not with its square. With a precision of 0 nothing is dropped.
"""

from math import ceil, log

import numpy as np
import numpy.typing as npt
from scipy.sparse import block_array, csr_array, diags_array

from mining.buyer_factors import RankedList
from mining.settings import MiningSettings

IntArray = npt.NDArray[np.int64]

STARTS_A_BLOCK = 1024
MOST_STEPS = 1000


def transitions(bought: csr_array) -> csr_array:
    """The probability of each step: accounts first, then keywords; rows of nodes without purchases are empty."""
    graph = csr_array(block_array([[None, bought], [bought.T, None]], format="csr", dtype=np.float64))
    degrees = np.diff(graph.indptr)
    return csr_array(diags_array(1.0 / np.maximum(degrees, 1)) @ graph)


def walk(steps: csr_array, starts: IntArray, damping: float, precision: float) -> csr_array:
    """The share of time that the walk of each start spends at each node: float64, starts × nodes."""
    number = MOST_STEPS if precision == 0 else max(1, ceil(log(precision) / log(damping)))
    ones = np.ones(len(starts))
    here = csr_array((ones, (np.arange(len(starts)), starts)), shape=(len(starts), steps.shape[0]))
    spent = here * (1 - damping)
    for _ in range(number):
        here = csr_array(here @ steps) * damping
        here.data[here.data < precision] = 0
        here.eliminate_zeros()
        if not here.nnz:
            break
        spent = spent + here * (1 - damping)
    return csr_array(spent)


def nearest_keywords(
    bought: csr_array, starts: IntArray, shown: IntArray, least: float, most: int, settings: MiningSettings
) -> RankedList:
    """(place in `starts`, keyword, share of time): the keywords where each walk is most, ties by the keyword's place.

    `bought` is accounts × keywords; starts are nodes, accounts first, then keywords. Only `shown` keywords (places,
    ascending) with a share of at least `least` are named, no start is its own neighbour. Shares are rounded to nine
    digits.
    """
    accounts = bought.shape[0]
    steps = transitions(bought)
    found: list[RankedList] = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    for begin in range(0, len(starts), STARTS_A_BLOCK):
        block = starts[begin : begin + STARTS_A_BLOCK]
        spent = walk(steps, block, settings.walk_damping, settings.walk_precision)
        part = spent[:, accounts + shown].tocoo()
        row, keyword, value = part.row.astype(np.int64), shown[part.col], np.round(part.data, 9)
        other = (keyword + accounts != block[row]) & (value > 0) & (value >= least)
        row, keyword, value = row[other], keyword[other], value[other]
        order = np.lexsort((keyword, -value, row))
        row, keyword, value = row[order], keyword[order], value[order]
        kept = np.arange(len(row)) - np.searchsorted(row, row) < most
        found.append((row[kept] + begin, keyword[kept], value[kept]))
    start, keyword, value = (np.concatenate(column) for column in zip(*found, strict=True))
    return start, keyword, value
