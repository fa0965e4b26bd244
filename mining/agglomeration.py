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
  neighbours), hence both are small. All such pairs are covered by y, which counts its small neighbours by size and
  names the lowest pair of the smallest sizes: a page clicked from 10,000 keywords has 50 million pairs, but one entry.
- Twins (equal neighbours) are known by a hash of their neighbours that is updated as those change.
- Any other pair shares two neighbours or more and is covered by its lower vertex. A vertex is *scanned* when it
  changes: candidates come from its rarest neighbours only, by the prefix and position filters of set-similarity joins
  (Bayardo et al. 2007, Xiao et al. 2008), and pairs with lower vertices are reported to those.
- A large vertex changes with every merge on the other side, but its overlaps move slowly: after k merges there, an
  overlap of at most j over s neighbours is at most (j·s + k) / (s − k). It is scanned again only when that ceiling
  matters.

The turns are compiled kernels: `agglomeration_side` keeps neighbours and heaps, `agglomeration_turns` scans and merges.
"""

import numpy as np
import numpy.typing as npt

from mining.agglomeration_side import Side, make_side
from mining.agglomeration_turns import cover_all, take_turns

IntArray = npt.NDArray[np.integer]

LARGE = 64
"""Vertices with at least this many neighbours are scanned lazily, under a ceiling."""
REGISTER_FACTOR = 8
"""Large candidates come from the register of these when it is so many times shorter than the neighbours' lists."""
TURNS_AT_ONCE = 100_000
"""Between as many turns the clustering can be interrupted."""


def agglomerate(keyword_ids: IntArray, url_ids: IntArray, threshold: float) -> tuple[IntArray, IntArray]:
    """Cluster the keywords and the URLs of a click graph.

    `keyword_ids` and `url_ids` (equal length, an edge a row, no edge twice) number the vertices of each side from 0
    without gaps. `threshold` lies in (0, 1]. Returns for every keyword and for every URL the lowest number in its
    cluster, int64. The module's docstring says what is merged when; tests compare with an implementation of those
    words.
    """
    keywords = make_side(keyword_ids, url_ids, threshold, LARGE, REGISTER_FACTOR)
    urls = make_side(url_ids, keyword_ids, threshold, LARGE, REGISTER_FACTOR)
    cover_all(keywords, urls)
    cover_all(urls, keywords)
    state = np.zeros(2, np.int64)
    while not take_turns(keywords, urls, state, TURNS_AT_ONCE):
        pass
    return _labels(keywords), _labels(urls)


def _labels(side: Side) -> IntArray:
    """For each vertex the lowest number in its cluster, int64."""
    labels = side.vertices["merged_into"]
    while True:  # chains halve in length each time
        further = labels[labels]
        if np.array_equal(further, labels):
            return labels
        labels = further
