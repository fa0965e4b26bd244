"""One side of the bipartite graph that `mining.agglomeration` clusters: its neighbours, and the heap of its pairs.

Everything lies in arrays of a length that is known at the start, since merging only takes edges away. A vertex is a
row of `start` and `size`, which say where its neighbours stand in `pool`, in ascending order. An entry of the heap
belongs to an *owner*: a vertex of this side, or −1 − y for the vertex y of the other side that covers the pairs sharing
only y. Each owner has at most one valid entry, the one with its serial number; others are dropped when they come up.
"""

from typing import NamedTuple

import numpy as np

from indexes.arrays import Array
from indexes.compiled import inner_njit

VAGUE = -1
"""Stands for the pair of an entry that has only a bound."""

# Places in `Side.state`.
POOL_END, HEAP_LENGTH, SERIAL, MERGES, LARGE_COUNT, TICK = range(6)


VERTEX = np.dtype(
    [
        ("start", np.int64),
        ("size", np.int64),  # 0 once merged away
        ("salt", np.uint64),  # random
        ("hash", np.uint64),  # exclusive or of the neighbours' salts
        ("bound", np.float64),  # of the entry, as are partner and serial
        ("partner", np.int64),  # the higher vertex
        ("serial", np.int64),  # 0 without an entry
        ("ceiling_overlap", np.float64),  # greatest overlap when a large vertex was scanned; -1 if unknown
        ("ceiling_size", np.int64),  # its size at that time
        ("ceiling_merges", np.int64),  # merges of the other side at that time
        ("merged_into", np.int64),
        ("register_place", np.int64),  # place in the register, or -1
        ("met", np.int64),  # when it was last met in a scan
        ("chosen", np.int64),  # when it last became a candidate
    ]
)
PAGE = np.dtype(
    [
        ("bound", np.float64),  # of the entry of the pairs that share only this neighbour
        ("serial", np.int64),
        ("vague", np.bool_),
        ("held", np.int64),  # when this was last a neighbour of the vertex at hand
    ],
    align=True,
)
ENTRY = np.dtype(
    [("bound", np.float64), ("lower", np.int64), ("higher", np.int64), ("serial", np.int64), ("owner", np.int64)]
)


class Side(NamedTuple):
    """n vertices whose neighbours are the m vertices of the other side.

    Few arrays of records and not many of numbers: each takes time to compile wherever a side is handed on.
    """

    threshold: float
    large: int
    """From this size on a vertex is scanned lazily."""
    register_factor: int
    most_single: int
    """Pairs that share one neighbour reach the threshold only if their sizes add up to at most this + 1."""
    pool: Array  # int32, neighbours of all vertices
    vertices: Array  # VERTEX (n)
    pages: Array  # PAGE (m), vertices of the other side
    few: Array  # int32 (m, most_single + 1): how many vertices of each size have this neighbour
    heap: Array  # ENTRY
    register: Array  # int64 (n), the large vertices, in no order
    candidates: Array  # int64 (n), those of the scan at hand
    state: Array  # int64, see above


def make_side(own: Array, others: Array, threshold: float, large: int, register_factor: int) -> Side:
    """The side of the vertices `own`, an edge a row; `others` are the neighbours. Nothing is covered yet."""
    n, m = (int(ids.max(initial=-1)) + 1 for ids in (own, others))
    pool = np.empty(2 * len(own), np.int32)
    pool[: len(own)] = others[np.lexsort((others, own))]
    vertices = np.zeros(n, VERTEX)
    vertices["size"] = np.bincount(own, minlength=n)
    vertices["start"] = np.cumsum(vertices["size"]) - vertices["size"]
    vertices["salt"] = np.random.default_rng(n).integers(1, 2**63, n)
    vertices["merged_into"] = np.arange(n)
    vertices["ceiling_overlap"] = vertices["register_place"] = -1
    most_single = int(1 / threshold) + 1
    while 1 / most_single < threshold:
        most_single -= 1
    return Side(
        threshold=float(threshold),
        large=large,
        register_factor=register_factor,
        most_single=most_single,
        pool=pool,
        vertices=vertices,
        pages=np.zeros(m, PAGE),
        few=np.zeros((m, most_single + 1), np.int32),
        heap=np.empty(2 * (n + m) + 1024, ENTRY),
        register=np.empty(n, np.int64),
        candidates=np.empty(n, np.int64),
        state=np.array([len(own), 0, 0, 0, 0, 0], np.int64),
    )


# Neighbours.


@inner_njit
def neighbors(side: Side, vertex: int) -> Array:
    """Those of a vertex, ascending; a view that the next change may spoil."""
    return side.pool[side.vertices[vertex].start : side.vertices[vertex].start + side.vertices[vertex].size]


@inner_njit
def overlap(side: Side, a: int, b: int) -> float:
    """The Jaccard overlap of two vertices' neighbours."""
    left, right = neighbors(side, a), neighbors(side, b)
    shared = i = j = 0
    while i < len(left) and j < len(right):
        if left[i] == right[j]:
            shared += 1
            i += 1
            j += 1
        elif left[i] < right[j]:
            i += 1
        else:
            j += 1
    return shared / (len(left) + len(right) - shared) if shared else 0.0


@inner_njit
def room(side: Side, length: int) -> int:
    """Where `length` neighbours can be written; what is in use never exceeds half of the pool."""
    if side.state[POOL_END] + length > len(side.pool):
        end = 0
        for vertex in np.argsort(side.vertices["start"]):
            length_there = side.vertices[vertex].size
            if length_there:
                start = side.vertices[vertex].start
                for k in range(length_there):  # to the left, or to the same place
                    side.pool[end + k] = side.pool[start + k]
                side.vertices[vertex].start = end
                end += length_there
        side.state[POOL_END] = end
    place = side.state[POOL_END]
    side.state[POOL_END] += length
    return place


@inner_njit
def remove_neighbor(side: Side, vertex: int, gone: int) -> None:
    """Take one neighbour away; the size shrinks."""
    row = neighbors(side, vertex)
    for k in range(np.searchsorted(row, gone), len(row) - 1):
        row[k] = row[k + 1]
    side.vertices[vertex].size -= 1


@inner_njit
def replace_neighbor(side: Side, vertex: int, old: int, new: int) -> None:
    """Put `new` for `old`, which is higher."""
    row = neighbors(side, vertex)
    k = np.searchsorted(row, old)
    while k > 0 and row[k - 1] > new:
        row[k] = row[k - 1]
        k -= 1
    row[k] = new


# The heap.


@inner_njit
def _before(side: Side, i: int, j: int) -> bool:
    if side.heap[i].bound != side.heap[j].bound:
        return side.heap[i].bound > side.heap[j].bound
    if side.heap[i].lower != side.heap[j].lower:
        return side.heap[i].lower < side.heap[j].lower
    if side.heap[i].higher != side.heap[j].higher:
        return side.heap[i].higher < side.heap[j].higher
    return side.heap[i].serial < side.heap[j].serial


@inner_njit
def _swap(side: Side, i: int, j: int) -> None:
    a, b = side.heap[i], side.heap[j]
    a.bound, b.bound = b.bound, a.bound
    a.lower, b.lower = b.lower, a.lower
    a.higher, b.higher = b.higher, a.higher
    a.serial, b.serial = b.serial, a.serial
    a.owner, b.owner = b.owner, a.owner


@inner_njit
def _sink(side: Side, i: int) -> None:
    length = side.state[HEAP_LENGTH]
    while True:
        first = i
        for child in (2 * i + 1, 2 * i + 2):
            if child < length and _before(side, child, first):
                first = child
        if first == i:
            return
        _swap(side, i, first)
        i = first


@inner_njit
def is_valid(side: Side, i: int) -> bool:
    """Whether an entry is the one that its owner has now."""
    owner = side.heap[i].owner
    current = side.vertices[owner].serial if owner >= 0 else side.pages[-1 - owner].serial
    return current == side.heap[i].serial


@inner_njit
def pop(side: Side) -> None:
    """Drop the first entry."""
    side.state[HEAP_LENGTH] -= 1
    if side.state[HEAP_LENGTH]:
        _swap(side, 0, side.state[HEAP_LENGTH])
        _sink(side, 0)


@inner_njit
def push(side: Side, bound: float, lower: int, higher: int, owner: int) -> None:
    """Give an owner a new entry in place of the one it has."""
    if side.state[HEAP_LENGTH] == len(side.heap):
        _drop_invalid(side)
    side.state[SERIAL] += 1
    if owner >= 0:
        side.vertices[owner].serial = side.state[SERIAL]
    else:
        side.pages[-1 - owner].serial = side.state[SERIAL]
    i = side.state[HEAP_LENGTH]
    side.state[HEAP_LENGTH] += 1
    side.heap[i].bound = bound
    side.heap[i].lower = lower
    side.heap[i].higher = higher
    side.heap[i].serial = side.state[SERIAL]
    side.heap[i].owner = owner
    while i and _before(side, i, (i - 1) // 2):
        _swap(side, i, (i - 1) // 2)
        i = (i - 1) // 2


@inner_njit
def _drop_invalid(side: Side) -> None:
    """Owners are fewer than half of the heap's places, so this leaves room."""
    kept = 0
    for i in range(side.state[HEAP_LENGTH]):
        if is_valid(side, i):
            _swap(side, i, kept)
            kept += 1
    side.state[HEAP_LENGTH] = kept
    for i in range(kept // 2 - 1, -1, -1):
        _sink(side, i)


# The register of large vertices.


@inner_njit
def note_size(side: Side, vertex: int) -> None:
    """Enter a vertex that has become large, strike off one that no longer is."""
    place = side.vertices[vertex].register_place
    if side.vertices[vertex].size >= side.large:
        if place < 0:
            place = side.state[LARGE_COUNT]
            side.state[LARGE_COUNT] += 1
            side.register[place] = vertex
            side.vertices[vertex].register_place = place
    else:
        side.vertices[vertex].ceiling_overlap = -1.0
        if place >= 0:
            side.state[LARGE_COUNT] -= 1
            last = side.register[side.state[LARGE_COUNT]]
            side.register[place] = last
            side.vertices[last].register_place = place
            side.vertices[vertex].register_place = -1
