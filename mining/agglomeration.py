"""Agglomerative clustering of a bipartite graph (Beeferman & Berger 2000; SPEC §1.4), exact and fast.

What is computed. The graph has keywords on one side and URLs on the other; an edge is a click. Vertices are numbered
from 0 on each side. Two vertices of the same side resemble each other by the Jaccard overlap of their neighbours,
|N(a) ∩ N(b)| / |N(a) ∪ N(b)|. Turns alternate, keywords first: a turn merges the pair of its side with the greatest
overlap that reaches the threshold; of several such pairs the one with the smallest (lower number, higher number). The
merged vertex keeps the lower number and has the neighbours of both, so the neighbours on the other side see one
vertex where they saw two. A side without such a pair passes; when both pass in a row, the clustering is finished.
Turns are taken over the whole graph, as in the paper, and not component by component.

How. Comparing all pairs at each turn takes O(n³). Here every pair that reaches the threshold is *covered*: a heap
holds an entry with a bound at least as high as its overlap. An entry names a pair (it is verified when it comes up)
or is vague (it sorts before named pairs of the same bound, and is made precise when it comes up). So the first entry
that verifies is the nearest pair, ties included. Who covers a pair:

- Pairs that share exactly one neighbour y have overlap 1 / (s + l − 1), s and l being their sizes (numbers of
  neighbours), hence both are small. All such pairs with the same (y, s, l) are covered by one *stream*, whose first
  pair comes from the lowest members: a page clicked from 10,000 keywords has 50 million pairs, but a handful of
  streams.
- Twins (equal neighbours) are found by a hash of their neighbours that is updated as those change.
- Any other pair shares two neighbours or more and is covered by its lower vertex. A vertex is *scanned* when it
  changes: candidates come from its rarest neighbours only, by the prefix and position filters of set-similarity joins
  (Bayardo et al. 2007, Xiao et al. 2008), and pairs with lower vertices are reported to those.
- A large vertex changes with every merge on the other side, but its overlaps move slowly: after k merges there, an
  overlap of at most j over s neighbours is at most (j·s + k) / (s − k). It is scanned again only when that ceiling
  matters.
"""

import gc
from collections import defaultdict
from heapq import heapify, heappop, heappush
from math import ceil

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.integer]
Owner = int | tuple[int, int, int]
"""Of a heap entry: a vertex, or the stream (y, smaller size, larger size)."""

LARGE = 64
"""Vertices with at least this many neighbours are scanned lazily, under a ceiling."""
NEAR = 0.75
"""Scans of large vertices look for overlaps down to this part of the threshold, so that their ceilings last."""
REGISTER_FACTOR = 8
"""Large candidates come from the register by size when it is this many times shorter than the neighbours' lists."""
SLACK = 1e-9
"""Added to bounds computed in floating point, so that rounding never hides a pair; overlaps themselves are exact."""
VAGUE = -1
"""Stands for the pair of an entry that has only a bound."""


def agglomerate(keyword_ids: IntArray, url_ids: IntArray, threshold: float) -> tuple[IntArray, IntArray]:
    """Cluster the keywords and the URLs of a click graph.

    `keyword_ids` and `url_ids` (equal length, an edge a row, no edge twice) number the vertices of each side from 0
    without gaps. `threshold` lies in (0, 1]. Returns for every keyword and for every URL the lowest number in its
    cluster, int64. The module's docstring says what is merged when; tests compare with an implementation of those
    words.
    """
    keywords = _Side(_adjacency(keyword_ids, url_ids), threshold)
    urls = _Side(_adjacency(url_ids, keyword_ids), threshold)
    keywords.face(urls)
    urls.face(keywords)
    _take_turns(keywords, urls)
    return keywords.labels(), urls.labels()


def _take_turns(turn: "_Side", waiting: "_Side") -> None:
    # Millions of sets live here and none is part of a cycle; looking for cycles would take a tenth of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        passed = 0
        while passed < 2:
            pair = turn.nearest()
            if pair is None:
                passed += 1
            else:
                turn.merge(*pair)
                passed = 0
            turn, waiting = waiting, turn
    finally:
        if collecting:
            gc.enable()


def _adjacency(from_ids: IntArray, to_ids: IntArray) -> list[set[int]]:
    order = np.argsort(from_ids, kind="stable")
    ends = np.cumsum(np.bincount(from_ids)).tolist()
    flat = to_ids[order].tolist()
    starts = [0, *ends][:-1]
    return [set(flat[start:end]) for start, end in zip(starts, ends, strict=True)]


class _Side:
    """The vertices of one side: their neighbours, and the heap that knows the nearest pair."""

    def __init__(self, neighbors: list[set[int]], threshold: float) -> None:
        count = len(neighbors)
        self.neighbors = neighbors  # of a vertex that was merged away: empty
        self.sizes = list(map(len, neighbors))
        self.threshold = threshold
        self.merges = 0
        self._merged_into = list(range(count))
        # Random numbers of the vertices; the hash of a set of them is their exclusive or.
        self._salt: list[int] = np.random.default_rng(count).integers(1, 2**63, count).tolist()
        self._heap: list[tuple[float, int, int, int, Owner]] = []  # (−bound, lower, higher, serial, owner)
        self._serial = 0
        self._current: dict[Owner, int] = {}  # serial of each owner's one valid entry
        self._bounds = [0.0] * count
        self._partners = [VAGUE] * count  # the higher vertex of the entry that a vertex owns
        self._twins: dict[int, list[int]] = defaultdict(list)  # heaps of vertices by hash, with stale members
        self._hashes: list[int] = []
        # A pair sharing one neighbour reaches the threshold only if s + l − 1 is at most this.
        self._most_single = int(1 / threshold + SLACK)
        self._vague_streams: set[Owner] = set()
        self._few: dict[tuple[int, int], list[int]] = defaultdict(list)  # heaps of vertices by (neighbour, size)
        self._large: dict[int, set[int]] = defaultdict(set)  # large vertices by bit length of their size
        self._ceilings: dict[int, tuple[float, int, int]] = {}  # (overlap, size, merges of the other side) when scanned

    def face(self, other: "_Side") -> None:
        """Learn the other side and cover all pairs."""
        self.other = other
        for vertex, neighbors in enumerate(self.neighbors):
            value = 0
            for y in neighbors:
                value ^= other._salt[y]
            self._hashes.append(value)
            size = self.sizes[vertex]
            if 1 < size < LARGE:
                self._twins[value].append(vertex)
            if size >= LARGE:
                self._large[size.bit_length()].add(vertex)
            if size <= self._most_single:
                for y in neighbors:
                    self._few[y, size].append(vertex)
        for y, size in sorted(self._few):
            heapify(self._few[y, size])
            self._refresh_streams(y, size)
        for vertex in range(len(self.neighbors)):
            self._scan(vertex)

    def labels(self) -> IntArray:
        """For each vertex the lowest number in its cluster, int64."""
        labels = list(self._merged_into)
        for vertex, target in enumerate(labels):
            labels[vertex] = labels[target]  # targets are lower, hence already final
        return np.array(labels, np.int64)

    def nearest(self) -> tuple[int, int] | None:
        """The pair to merge next, (lower, higher), or None if no pair reaches the threshold."""
        heap = self._heap
        while heap:
            negative, lower, higher, serial, owner = heap[0]
            if self._current.get(owner) == serial:
                if lower != VAGUE and self._overlap(lower, higher) == -negative:
                    return lower, higher
                heappop(heap)
                if isinstance(owner, tuple):
                    self._advance_stream(owner)
                else:
                    self._scan(owner)
            else:
                heappop(heap)
        return None

    def merge(self, lower: int, higher: int) -> None:
        """Make one vertex of two, and cover again the pairs that this brings nearer, on both sides."""
        other = self.other
        kept, gone = self.neighbors[lower], self.neighbors[higher]
        shared, only_kept, only_gone = kept & gone, kept - gone, gone - kept
        self.merges += 1
        self._merged_into[higher] = lower
        self._forget(higher)
        size_before = len(kept)
        kept |= gone
        self.neighbors[higher] = set()
        self.sizes[lower], self.sizes[higher] = len(kept), 0
        if only_gone:
            value = self._hashes[lower]
            for y in only_gone:
                value ^= other._salt[y]
            self._resize(lower, size_before, value)
        for y in only_gone:
            other._rename(y, higher, lower, self._salt[higher] ^ self._salt[lower])
        for y in shared:
            other._shrink(y, higher, self._salt[higher])
        self._scan(lower)
        for y in shared:
            other._scan_if_near(y)
        other._cover_products(only_kept, only_gone)

    def _overlap(self, a: int, b: int) -> float:
        left, right = self.neighbors[a], self.neighbors[b]
        shared = len(left & right)
        return shared / (len(left) + len(right) - shared) if shared else 0.0

    # Entries of the heap.

    def _push(self, bound: float, lower: int, higher: int, owner: Owner) -> None:
        self._serial += 1
        self._current[owner] = self._serial
        heappush(self._heap, (-bound, lower, higher, self._serial, owner))

    def _cover(self, lower: int, higher: int, overlap: float) -> None:
        """Let the lower vertex cover a pair, unless it covers a nearer one."""
        bound = self._bounds[lower]
        if overlap > bound or (overlap == bound and higher < self._partners[lower]):
            self._bounds[lower] = overlap
            self._partners[lower] = higher
            self._push(overlap, lower, higher, lower)

    def _forget(self, vertex: int) -> None:
        self._current.pop(vertex, None)
        self._ceilings.pop(vertex, None)
        self._bounds[vertex] = 0.0
        size = self.sizes[vertex]
        if size >= LARGE:
            self._large[size.bit_length()].discard(vertex)

    # Changes of a vertex.

    def _rename(self, vertex: int, old: int, new: int, salt: int) -> None:
        neighbors = self.neighbors[vertex]
        neighbors.remove(old)
        neighbors.add(new)
        self._rehash(vertex, self._hashes[vertex] ^ salt)
        if self.sizes[vertex] <= self._most_single:
            self._join(new, vertex)

    def _shrink(self, vertex: int, gone: int, salt: int) -> None:
        self.neighbors[vertex].remove(gone)
        self.sizes[vertex] -= 1
        self._resize(vertex, self.sizes[vertex] + 1, self._hashes[vertex] ^ salt)

    def _resize(self, vertex: int, size_before: int, value: int) -> None:
        self._rehash(vertex, value)
        size = self.sizes[vertex]
        if size <= self._most_single:
            for y in self.neighbors[vertex]:
                self._join(y, vertex)
        if size_before >= LARGE:
            self._large[size_before.bit_length()].discard(vertex)
        if size >= LARGE:
            self._large[size.bit_length()].add(vertex)
        else:
            self._ceilings.pop(vertex, None)

    def _rehash(self, vertex: int, value: int) -> None:
        self._hashes[vertex] = value
        if 1 < self.sizes[vertex] < LARGE:
            heappush(self._twins[value], vertex)

    # Pairs that share one neighbour.

    def _join(self, y: int, vertex: int) -> None:
        size = self.sizes[vertex]
        heappush(self._few[y, size], vertex)
        self._refresh_streams(y, size)

    def _refresh_streams(self, y: int, size: int) -> None:
        for other_size in range(1, self._most_single + 2 - size):
            stream = (y, min(size, other_size), max(size, other_size))
            members = len(self._few.get((y, other_size), ()))
            if members > (size == other_size) and stream not in self._vague_streams:
                self._vague_streams.add(stream)
                self._push(1 / (size + other_size - 1), VAGUE, VAGUE, stream)

    def _advance_stream(self, stream: tuple[int, int, int]) -> None:
        """Name the lowest pair of a stream, or end it if there is none."""
        self._vague_streams.discard(stream)
        y, small, large = stream
        first = self._lowest(y, small, 2 if small == large else 1)
        pair = first if small == large else first + self._lowest(y, large, 1)
        if len(pair) == 2:
            self._push(1 / (small + large - 1), min(pair), max(pair), stream)
        else:
            self._current.pop(stream, None)

    def _lowest(self, y: int, size: int, count: int) -> list[int]:
        """The lowest `count` vertices with y among exactly `size` neighbours; fewer if there are fewer."""
        heap = self._few[y, size]
        found: list[int] = []
        while heap and len(found) < count:
            vertex = heappop(heap)
            if self.sizes[vertex] == size and y in self.neighbors[vertex] and vertex not in found:
                found.append(vertex)
        for vertex in found:
            heappush(heap, vertex)
        return found

    # Pairs that share more.

    def _scan(self, vertex: int) -> None:
        """Cover every pair of a vertex that shares two neighbours or more and reaches the threshold."""
        self._current.pop(vertex, None)
        self._bounds[vertex] = 0.0
        self._partners[vertex] = VAGUE
        neighbors, size = self.neighbors[vertex], self.sizes[vertex]
        if size < 2:
            return
        if size < LARGE and (twins := self._twin_pair(vertex)):
            # Nothing is nearer than a twin; the vertex is scanned again when it has none.
            self._bounds[vertex] = 1.0
            if vertex == twins[0]:
                self._partners[vertex] = twins[1]
            self._push(1.0, *twins, vertex)
            return
        reach = self.threshold * (NEAR if size >= LARGE * NEAR * self.threshold else 1)
        least = reach * size - SLACK
        greatest = max(reach, 1 / size)  # pairs that share one neighbour are not looked at
        threshold = self.threshold
        for candidate in self._candidates(vertex, reach):
            other_size = self.sizes[candidate]
            if other_size >= least:
                shared = len(neighbors & self.neighbors[candidate])
                overlap = shared / (size + other_size - shared)
                if overlap >= reach:
                    greatest = max(greatest, overlap)
                    if other_size >= LARGE and overlap > self._ceiling(candidate):
                        self._ceilings[candidate] = (overlap, other_size, self.other.merges)
                    if overlap >= threshold:
                        self._cover(min(vertex, candidate), max(vertex, candidate), overlap)
        if size >= LARGE:
            self._ceilings[vertex] = (greatest, size, self.other.merges)

    def _candidates(self, vertex: int, reach: float) -> set[int]:
        """Every vertex that may share two neighbours or more and overlap by `reach`, and some that do not."""
        size, sizes = self.sizes[vertex], self.sizes
        other_neighbors, other_sizes = self.other.neighbors, self.other.sizes
        # Neighbours that no other vertex has can be shared with none; they count as the rarest.
        common = [y for y in self.neighbors[vertex] if other_sizes[y] > 1]
        if len(common) < max(2, reach * size - SLACK):
            return set()
        common.sort(key=other_sizes.__getitem__)
        # Whoever shares `needed` neighbours shares two of all but the last needed − 2, which are the longest to read.
        needed = max(2, ceil(reach * size - SLACK))
        rarest = [other_neighbors[y] for y in common[: len(common) - needed + 2]]
        if reach * size >= LARGE:
            lengths = range(int(reach * size).bit_length(), int(size / reach + 1).bit_length() + 1)
            if REGISTER_FACTOR * sum(len(self._large[n]) for n in lengths) < sum(map(len, rarest)):
                return set().union(*(self._large[n] for n in lengths)) - {vertex}
        once: set[int] = set()
        candidates: set[int] = set()
        for rank, sharers in enumerate(rarest):
            # One who is met for the second time here shares at most this many, which bounds its size from above.
            most_shared = len(common) - rank + 1
            most = most_shared * (1 + reach) / reach - size + SLACK
            candidates.update([w for w in once & sharers if sizes[w] <= most])
            if rank < len(rarest) - 1:
                once |= sharers
        candidates.discard(vertex)
        return candidates

    def _twin_pair(self, vertex: int) -> tuple[int, int] | None:
        """The lowest pair of the vertex and one of its twins."""
        value = self._hashes[vertex]
        heap = self._twins[value]
        found: list[int] = []
        while heap and found in ([], [vertex]):
            candidate = heappop(heap)
            if self._hashes[candidate] == value and self.neighbors[candidate] and candidate not in found:
                found.append(candidate)
        for candidate in found:
            heappush(heap, candidate)
        twin = found[-1] if found else vertex
        if twin == vertex or self.neighbors[twin] != self.neighbors[vertex]:
            return None
        return min(vertex, twin), max(vertex, twin)

    def _ceiling(self, vertex: int) -> float:
        """What no overlap of a large vertex exceeds by now."""
        if vertex not in self._ceilings:
            return 1.0
        overlap, size, merges_then = self._ceilings[vertex]
        merges = self.other.merges - merges_then
        return min(1.0, (overlap * size + merges) / (size - merges) + SLACK) if merges < size else 1.0

    def _scan_if_near(self, vertex: int) -> None:
        """Scan a vertex that has lost a neighbour and so come nearer to others; a large one only when it matters."""
        if self.sizes[vertex] < LARGE:
            self._scan(vertex)
            return
        ceiling = self._ceiling(vertex)
        if ceiling >= self.threshold and ceiling > self._bounds[vertex]:
            self._bounds[vertex] = ceiling
            self._partners[vertex] = VAGUE
            self._push(ceiling, VAGUE, VAGUE, vertex)

    def _cover_products(self, left: set[int], right: set[int]) -> None:
        """Cover the pairs of two sets of vertices, whose neighbours have become one."""
        for a in left:
            neighbors, size = self.neighbors[a], self.sizes[a]
            least, most = self.threshold * size - SLACK, size / self.threshold + SLACK
            for b in right:
                if least <= self.sizes[b] <= most:
                    shared = len(neighbors & self.neighbors[b])
                    overlap = shared / (size + self.sizes[b] - shared)
                    if overlap >= self.threshold and shared > 1:
                        self._cover(min(a, b), max(a, b), overlap)
