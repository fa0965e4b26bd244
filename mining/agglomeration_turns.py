"""The turns of `mining.agglomeration`: finding the nearest pair, merging it, covering what that brings nearer.

Functions take the side whose vertices they change or compare and the other side, in this order.
"""

from math import ceil

import numpy as np

from indexes.arrays import Array
from indexes.compiled import inner_njit, njit
from mining.agglomeration_side import (
    HEAP_LENGTH,
    LARGE_COUNT,
    MERGES,
    TICK,
    VAGUE,
    Side,
    is_valid,
    neighbors,
    note_size,
    overlap,
    pop,
    push,
    remove_neighbor,
    replace_neighbor,
    room,
)

NEAR = 0.75
"""Scans of large vertices look for overlaps down to this part of the threshold, so that their ceilings last."""
SLACK = 1e-9
"""Added to bounds computed in floating point, so that rounding never hides a pair; overlaps themselves are exact."""


@njit
def cover_all(side: Side, other: Side) -> None:
    """Cover all pairs of a side at the start."""
    for vertex in range(len(side.vertices)):
        for y in neighbors(side, vertex):
            side.vertices[vertex].hash ^= other.vertices[y].salt
            if side.vertices[vertex].size <= side.most_single:
                side.few[y, side.vertices[vertex].size] += 1
        note_size(side, vertex)
    for y in range(len(side.pages)):
        _cover_single(side, y)
    for vertex in range(len(side.vertices)):
        _scan(side, other, vertex)


@njit
def take_turns(keywords: Side, urls: Side, state: Array, most: int) -> bool:
    """Take at most `most` turns; whether the clustering is finished. `state` int64 (2): turns passed in a row, whose
    turn it is; zeros at the start.
    """
    for _ in range(most):
        if state[1] == 0:
            lower, higher = _nearest(keywords, urls)
            if lower != VAGUE:
                _merge(keywords, urls, lower, higher)
        else:
            lower, higher = _nearest(urls, keywords)
            if lower != VAGUE:
                _merge(urls, keywords, lower, higher)
        state[0] = state[0] + 1 if lower == VAGUE else 0
        if state[0] == 2:
            return True
        state[1] = 1 - state[1]
    return False


@inner_njit
def _nearest(side: Side, other: Side) -> tuple[int, int]:
    """The pair to merge next, (lower, higher), or VAGUE if no pair reaches the threshold."""
    while side.state[HEAP_LENGTH]:
        if not is_valid(side, 0):
            pop(side)
            continue
        lower, higher, owner = side.heap[0].lower, side.heap[0].higher, side.heap[0].owner
        if lower != VAGUE and overlap(side, lower, higher) == side.heap[0].bound:
            return lower, higher
        pop(side)
        if owner >= 0:
            _scan(side, other, owner)
        else:
            _name_single(side, other, -1 - owner)
    return VAGUE, VAGUE


@inner_njit
def _merge(side: Side, other: Side, lower: int, higher: int) -> None:
    """Make one vertex of two, and cover again the pairs that this brings nearer, on both sides."""
    kept, gone = neighbors(side, lower).copy(), neighbors(side, higher).copy()
    shared, only_kept, only_gone = _in_both(kept, gone)

    side.state[MERGES] += 1
    side.vertices[higher].merged_into = lower
    _count_single(side, gone, len(gone), -1)
    side.vertices[higher].size = 0
    side.vertices[higher].serial = 0
    side.vertices[higher].bound = 0.0
    note_size(side, higher)
    if len(only_gone):
        _count_single(side, kept, len(kept), -1)
        side.vertices[lower].size = 0  # so that its neighbours need not be moved
        size = len(kept) + len(only_gone)
        start = room(side, size)
        side.vertices[lower].start, side.vertices[lower].size = start, size
        _unite(kept, only_gone, neighbors(side, lower))
        for y in only_gone:
            side.vertices[lower].hash ^= other.vertices[y].salt
        _count_single(side, neighbors(side, lower), size, 1)
        _cover_singles(side, neighbors(side, lower), size)
        note_size(side, lower)
    for y in only_gone:
        _rename(other, y, higher, lower, side.vertices[higher].salt ^ side.vertices[lower].salt)
    for y in shared:
        _shrink(other, y, higher, side.vertices[higher].salt)
    _scan(side, other, lower)
    for y in shared:
        _scan_if_near(other, side, y)
    _cover_products(other, only_kept, only_gone)


@inner_njit
def _in_both(left: Array, right: Array) -> tuple[Array, Array, Array]:
    """What two ascending rows share, what only the left has, and what only the right has."""
    shared, only_left, only_right = np.empty_like(left), np.empty_like(left), np.empty_like(right)
    i = j = both = 0
    while i < len(left) or j < len(right):
        if j == len(right) or (i < len(left) and left[i] < right[j]):
            only_left[i - both] = left[i]
            i += 1
        elif i == len(left) or left[i] > right[j]:
            only_right[j - both] = right[j]
            j += 1
        else:
            shared[both] = left[i]
            both += 1
            i += 1
            j += 1
    return shared[:both], only_left[: len(left) - both], only_right[: len(right) - both]


@inner_njit
def _unite(left: Array, right: Array, target: Array) -> None:
    """Write two ascending rows without a common member into one."""
    i = j = 0
    for k in range(len(target)):
        if j == len(right) or (i < len(left) and left[i] < right[j]):
            target[k] = left[i]
            i += 1
        else:
            target[k] = right[j]
            j += 1


@inner_njit
def _rename(side: Side, vertex: int, old: int, new: int, salt: int) -> None:
    """The neighbour `old` of a vertex is called `new` from now on."""
    size = side.vertices[vertex].size
    replace_neighbor(side, vertex, old, new)
    side.vertices[vertex].hash ^= salt
    if size <= side.most_single:
        side.few[old, size] -= 1
        side.few[new, size] += 1
        _cover_single(side, new)


@inner_njit
def _shrink(side: Side, vertex: int, gone: int, salt: int) -> None:
    """A vertex has the neighbour `gone` no longer."""
    size = side.vertices[vertex].size
    _count_single(side, neighbors(side, vertex), size, -1)
    remove_neighbor(side, vertex, gone)
    side.vertices[vertex].hash ^= salt
    _count_single(side, neighbors(side, vertex), size - 1, 1)
    _cover_singles(side, neighbors(side, vertex), size - 1)
    note_size(side, vertex)


# Pairs that share one neighbour.


@inner_njit
def _count_single(side: Side, row: Array, size: int, change: int) -> None:
    if size <= side.most_single:
        for y in row:
            side.few[y, size] += change


@inner_njit
def _cover_singles(side: Side, row: Array, size: int) -> None:
    if size <= side.most_single:
        for y in row:
            _cover_single(side, y)


@inner_njit
def _smallest_sizes(side: Side, y: int) -> tuple[int, int]:
    """The two smallest sizes of vertices that have the neighbour y; 0, 0 if no pair of them reaches the threshold."""
    for small in range(1, side.most_single + 1):
        if side.few[y, small]:
            if side.few[y, small] > 1:
                return (small, small) if 2 * small - 1 <= side.most_single else (0, 0)
            for large in range(small + 1, side.most_single + 2 - small):
                if side.few[y, large]:
                    return small, large
            return 0, 0
    return 0, 0


@inner_njit
def _cover_single(side: Side, y: int) -> None:
    """Cover the pairs that share only y; a vertex may have joined them."""
    small, large = _smallest_sizes(side, y)
    if small:
        bound = 1 / (small + large - 1)
        if side.pages[y].serial == 0 or bound != side.pages[y].bound or not side.pages[y].vague:
            side.pages[y].bound = bound
            side.pages[y].vague = True
            push(side, bound, VAGUE, VAGUE, -1 - y)


@inner_njit
def _name_single(side: Side, other: Side, y: int) -> None:
    """Name the first of the pairs that share y, or end their entry if there is none."""
    side.pages[y].serial = 0
    small, large = _smallest_sizes(side, y)
    if small == 0:
        return
    total = small + large
    first = np.full(total, -1, np.int64)  # the lowest vertex of each size, and the next
    second = np.full(total, -1, np.int64)
    for vertex in neighbors(other, y):
        size = side.vertices[vertex].size
        if size < total:
            if first[size] < 0:
                first[size] = vertex
            elif second[size] < 0:
                second[size] = vertex
                if total == 2:
                    break
    lower, higher = VAGUE, VAGUE
    for size in range(1, total // 2 + 1):
        a = first[size]
        b = second[size] if 2 * size == total else first[total - size]
        if a >= 0 and b >= 0:
            least, most = min(a, b), max(a, b)
            if lower == VAGUE or least < lower or (least == lower and most < higher):
                lower, higher = least, most
    side.pages[y].bound = 1 / (total - 1)
    side.pages[y].vague = False
    push(side, side.pages[y].bound, lower, higher, -1 - y)


# Pairs that share more.


@inner_njit
def _cover(side: Side, lower: int, higher: int, value: float) -> None:
    """Let the lower vertex cover a pair, unless it covers a nearer one."""
    bound = side.vertices[lower].bound
    if value > bound or (value == bound and higher < side.vertices[lower].partner):
        side.vertices[lower].bound = value
        side.vertices[lower].partner = higher
        push(side, value, lower, higher, lower)


@inner_njit
def _hold(side: Side, vertex: int) -> int:
    """Mark the neighbours of a vertex; the mark."""
    side.state[TICK] += 1
    tick = side.state[TICK]
    for y in neighbors(side, vertex):
        side.pages[y].held = tick
    return tick


@inner_njit
def _count_held(side: Side, vertex: int, tick: int) -> int:
    shared = 0
    for y in neighbors(side, vertex):
        shared += side.pages[y].held == tick
    return shared


@inner_njit
def _scan(side: Side, other: Side, vertex: int) -> None:
    """Cover every pair of a vertex that shares two neighbours or more and reaches the threshold."""
    side.vertices[vertex].serial = 0
    side.vertices[vertex].bound = 0.0
    side.vertices[vertex].partner = VAGUE
    size = side.vertices[vertex].size
    if size < 2:
        return
    if size < side.large:
        twin = _twin(side, other, vertex)
        if twin != VAGUE:
            # Nothing is nearer than a twin; the vertex is scanned again when it has none.
            side.vertices[vertex].bound = 1.0
            if vertex < twin:
                side.vertices[vertex].partner = twin
            push(side, 1.0, min(vertex, twin), max(vertex, twin), vertex)
            return
    reach = side.threshold * (NEAR if size >= side.large * NEAR * side.threshold else 1.0)
    least = reach * size - SLACK
    greatest = max(reach, 1 / size)  # pairs that share one neighbour are not looked at
    count = _find_candidates(side, other, vertex, reach)
    tick = _hold(side, vertex)
    for candidate in side.candidates[:count]:
        other_size = side.vertices[candidate].size
        if other_size >= least:
            shared = _count_held(side, candidate, tick)
            value = shared / (size + other_size - shared)
            if value >= reach:
                greatest = max(greatest, value)
                if other_size >= side.large and value > _ceiling(side, other, candidate):
                    _set_ceiling(side, other, candidate, value)
                if value >= side.threshold:
                    _cover(side, min(vertex, candidate), max(vertex, candidate), value)
    if size >= side.large:
        _set_ceiling(side, other, vertex, greatest)


@inner_njit
def _find_candidates(side: Side, other: Side, vertex: int, reach: float) -> int:
    """Write every vertex that may share two neighbours or more and overlap by `reach` into `side.candidates`, and some
    that do not; how many.
    """
    size = side.vertices[vertex].size
    # Neighbours that no other vertex has can be shared with none; they count as the rarest.
    row = neighbors(side, vertex)
    lengths = other.vertices["size"][row]
    common = row[lengths > 1]
    needed = max(2, ceil(reach * size - SLACK))
    if len(common) < needed:
        return 0
    # Whoever shares `needed` neighbours shares two of all but the last needed − 2, which are the longest to read.
    common = common[np.argsort(other.vertices["size"][common])]
    rarest = len(common) - needed + 2
    count = 0
    if reach * size >= side.large:
        entries = 0
        for y in common[:rarest]:
            entries += other.vertices[y].size
        if side.register_factor * side.state[LARGE_COUNT] < entries:
            for candidate in side.register[: side.state[LARGE_COUNT]]:
                if candidate != vertex and side.vertices[candidate].size <= size / reach + SLACK:
                    side.candidates[count] = candidate
                    count += 1
            return count
    side.state[TICK] += 1
    tick = side.state[TICK]
    for rank in range(rarest):
        # One who is met for the second time here shares at most this many, which bounds its size from above.
        most_shared = len(common) - rank + 1
        most = most_shared * (1 + reach) / reach - size + SLACK
        for w in neighbors(other, common[rank]):
            if side.vertices[w].met != tick:
                side.vertices[w].met = tick
            elif side.vertices[w].chosen != tick and side.vertices[w].size <= most and w != vertex:
                side.vertices[w].chosen = tick
                side.candidates[count] = w
                count += 1
    return count


@inner_njit
def _twin(side: Side, other: Side, vertex: int) -> int:
    """The lowest other vertex with the same neighbours, or VAGUE."""
    row = neighbors(side, vertex)
    rarest = row[0]
    for y in row:
        if other.vertices[y].size < other.vertices[rarest].size:
            rarest = y
    for w in neighbors(other, rarest):
        alike = side.vertices[w].hash == side.vertices[vertex].hash and side.vertices[w].size == len(row)
        if alike and w != vertex and overlap(side, w, vertex) == 1.0:
            return w
    return VAGUE


@inner_njit
def _set_ceiling(side: Side, other: Side, vertex: int, value: float) -> None:
    side.vertices[vertex].ceiling_overlap = value
    side.vertices[vertex].ceiling_size = side.vertices[vertex].size
    side.vertices[vertex].ceiling_merges = other.state[MERGES]


@inner_njit
def _ceiling(side: Side, other: Side, vertex: int) -> float:
    """What no overlap of a large vertex exceeds by now."""
    value, size = side.vertices[vertex].ceiling_overlap, side.vertices[vertex].ceiling_size
    merges = other.state[MERGES] - side.vertices[vertex].ceiling_merges
    if value < 0 or merges >= size:
        return 1.0
    return min(1.0, (value * size + merges) / (size - merges) + SLACK)


@inner_njit
def _scan_if_near(side: Side, other: Side, vertex: int) -> None:
    """Scan a vertex that has lost a neighbour and so come nearer to others; a large one only when it matters."""
    if side.vertices[vertex].size < side.large:
        _scan(side, other, vertex)
        return
    ceiling = _ceiling(side, other, vertex)
    if ceiling >= side.threshold and ceiling > side.vertices[vertex].bound:
        side.vertices[vertex].bound = ceiling
        side.vertices[vertex].partner = VAGUE
        push(side, ceiling, VAGUE, VAGUE, vertex)


@inner_njit
def _cover_products(side: Side, left: Array, right: Array) -> None:
    """Cover the pairs of two sets of vertices, whose neighbours have become one."""
    for a in left:
        size = side.vertices[a].size
        least, most = side.threshold * size - SLACK, size / side.threshold + SLACK
        tick = _hold(side, a)
        for b in right:
            if least <= side.vertices[b].size <= most:
                shared = _count_held(side, b, tick)
                value = shared / (size + side.vertices[b].size - shared)
                if value >= side.threshold and shared > 1:
                    _cover(side, min(a, b), max(a, b), value)
