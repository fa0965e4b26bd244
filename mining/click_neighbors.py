"""Neighbours of a keyword in its click cluster, with the clicks that link them.

First come the members that share a URL with the keyword, by the Jaccard overlap of their clicked URLs, then by the
number of shared URLs. Members that share none were joined through others; for those the link is a path of clicks,
keyword, URL, keyword, …: a shortest one through members of the cluster. Members that only keywords of other clusters
lead to are reached by a shortest path that takes those too, as long as it stays on the URLs of the cluster.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import csr_array

from indexes.arrays import offsets_from_counts, ranges
from mining.click_clusters import ClickGraph, IntArray
from mining.cluster_paths import ClickPaths, find_paths
from mining.engines import Engine
from mining.nearest import among_nearest
from mining.settings import MiningSettings
from mining.sparse_blocks import blocks_of_product
from mining.time_decay import recency


@dataclass(frozen=True)
class Neighbors:
    """Chosen neighbours in the order of (keyword_id, neighbor_id), int64, and the paths of those that share no URL.

    The paths hold ids, not places. Of two paths between the same keywords, one found from each, the first counts.
    """

    keyword: IntArray
    neighbor: IntArray
    shared_urls: IntArray
    union_urls: IntArray  # URLs that either of the two clicked
    paths: ClickPaths

    @property
    def low(self) -> IntArray:
        return np.minimum(self.keyword, self.neighbor)

    @property
    def high(self) -> IntArray:
        return np.maximum(self.keyword, self.neighbor)

    @property
    def pair_id(self) -> IntArray:
        """The number of each row's pair, from 0, the same in both directions."""
        _, number = np.unique(_joined(self.low, self.high), return_inverse=True)
        return number.astype(np.int64)


def choose_neighbors(graph: ClickGraph, settings: MiningSettings) -> Neighbors:
    """The neighbours of every keyword of the graph in its cluster, at most so many as the settings say."""
    if not len(graph.keywords):
        nothing = np.empty(0, np.int64)
        return Neighbors(
            nothing, nothing, nothing, nothing, ClickPaths(nothing, nothing, np.zeros(1, np.int64), nothing)
        )
    blocks = list(_sharing_members(graph, settings.click_neighbors))
    keyword, neighbor, shared, union = (np.concatenate([block[column] for block in blocks]) for column in range(4))
    paths = _find_paths(graph, keyword, settings)
    keyword = np.concatenate([keyword, paths.keyword])
    neighbor = np.concatenate([neighbor, paths.member])
    nothing = np.zeros(len(paths.keyword), np.int64)
    shared, union = np.concatenate([shared, nothing]), np.concatenate([union, nothing])
    order = np.lexsort((neighbor, keyword))
    return Neighbors(keyword[order], neighbor[order], shared[order], union[order], paths)


def _joined(left: IntArray, right: IntArray) -> IntArray:
    """Two columns of ids below 2³¹ as one, for sorting."""
    return (left << 32) | right


def _sharing_members(graph: ClickGraph, most: int) -> Iterator[tuple[IntArray, ...]]:
    """Blocks of (keyword, neighbor, shared URLs, URLs of either), the `most` nearest of each keyword."""
    place = np.searchsorted(graph.keywords, graph.edge_keyword)
    # A column is a URL as seen from one cluster, so that only members of the same cluster meet.
    _, column = np.unique(_joined(graph.clusters[place], graph.edge_url), return_inverse=True)
    ones = np.ones(len(place), np.int64)
    matrix = csr_array((ones, (place, column)), shape=(len(graph.keywords), int(column.max(initial=0)) + 1))
    sizes = np.diff(matrix.indptr)
    for row, other, shared in blocks_of_product(matrix, matrix.T.tocsr()):
        different = row != other
        row, other, shared = row[different], other[different], shared[different]
        union = sizes[row] + sizes[other] - shared
        # Of equal overlaps those of more shared URLs, then the lowest keyword.
        kept = among_nearest(row - row.min(initial=len(sizes)), other - (shared << 32), shared / union, most)
        yield graph.keywords[row[kept]], graph.keywords[other[kept]], shared[kept], union[kept].astype(np.int64)


def _find_paths(graph: ClickGraph, keyword: IntArray, settings: MiningSettings) -> ClickPaths:
    """Paths, with ids for places, from keywords that have room; `keyword` has a row for each sharing neighbour."""
    place = np.searchsorted(graph.keywords, graph.edge_keyword)
    urls, url_place = np.unique(graph.edge_url, return_inverse=True)
    roots, number, sizes = np.unique(graph.clusters, return_inverse=True, return_counts=True)
    sharing = np.bincount(np.searchsorted(graph.keywords, keyword), minlength=len(graph.keywords))
    # A keyword with room has been given all members that share a URL; the others are strangers.
    room = np.minimum(settings.click_paths, settings.click_neighbors - sharing)
    room = np.maximum(np.minimum(room, sizes[number] - 1 - sharing), 0)
    found = find_paths(place, url_place.astype(np.int64), np.searchsorted(graph.keywords, roots)[number], room)
    at_url = _places_in_paths(found.offsets) % 2 == 1
    steps = np.empty(len(found.steps), np.int64)
    steps[at_url], steps[~at_url] = urls[found.steps[at_url]], graph.keywords[found.steps[~at_url]]
    return ClickPaths(graph.keywords[found.keyword], graph.keywords[found.member], found.offsets, steps)


def _places_in_paths(offsets: IntArray) -> IntArray:
    """The position in its path of each step."""
    return np.arange(offsets[-1]) - np.repeat(offsets[:-1], np.diff(offsets))


def _chosen_paths(paths: ClickPaths, low: IntArray, high: IntArray) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """For pairs of keywords the path that links each, the first found, and whether it begins at the higher."""
    keys = _joined(np.minimum(paths.keyword, paths.member), np.maximum(paths.keyword, paths.member))
    distinct, first = np.unique(keys, return_index=True)
    chosen = first[np.searchsorted(distinct, _joined(low, high))]
    return chosen, paths.keyword[chosen] > paths.member[chosen]


def register_pairs(engine: Engine, neighbors: Neighbors) -> tuple[ir.Table, ir.Table]:
    """The engine's tables of the pairs that share URLs and of the steps of paths, by pair_id.

    The first has the columns pair_id, low_id, high_id (keywords), the second pair_id, keyword_id, url_id, a row a step.
    """
    pair_id, rows = np.unique(neighbors.pair_id, return_index=True)
    low, high, sharing = neighbors.low[rows], neighbors.high[rows], neighbors.shared_urls[rows] > 0
    paths = neighbors.paths
    chosen, _ = _chosen_paths(paths, low[~sharing], high[~sharing])
    lengths = np.diff(paths.offsets)[chosen]
    places = ranges(paths.offsets[chosen], lengths)
    at_url = _places_in_paths(paths.offsets)[places] % 2 == 1
    urls, pair = places[at_url], np.repeat(pair_id[~sharing], lengths)[at_url]
    steps = {
        "pair_id": np.concatenate([pair, pair]),
        "keyword_id": np.concatenate([paths.steps[urls - 1], paths.steps[urls + 1]]),
        "url_id": np.concatenate([paths.steps[urls], paths.steps[urls]]),
    }
    return (
        engine.register(
            "click_pairs",
            pa.table({"pair_id": pair_id[sharing], "low_id": low[sharing], "high_id": high[sharing]}),
        ),
        engine.register("path_steps", pa.table(steps)),
    )


def weigh_pairs(
    pairs: ir.Table,
    path_steps: ir.Table | None,
    edges: ir.Table,
    edge_users: ir.Table,
    log_recency: float = 1.0,
) -> ir.Table:
    """The clicks that link each pair: pair_id, clicks, users, first_date, last_date, recency.

    Of pairs that share URLs: both keywords' clicks on those. Of the others: the clicks on each step of the path.
    `log_recency` is that of all clicks (mining.time_decay), if edge_users say how recent they are.
    """
    low = edges.select(low_id="keyword_id", url_id="url_id")
    high = edges.select(high_id="keyword_id", url_id="url_id")
    shared = pairs.join(low, "low_id").join(high, ["high_id", "url_id"])
    links = shared.select("pair_id", keyword_id="low_id", url_id="url_id").union(
        shared.select("pair_id", keyword_id="high_id", url_id="url_id")
    )
    if path_steps is not None:
        links = links.union(path_steps, distinct=True)
    clicked = links.join(edge_users, ["keyword_id", "url_id"])
    return clicked.group_by("pair_id").agg(
        clicks=clicked.clicks.sum(),
        users=clicked.user_no.nunique(),
        first_date=clicked.first_date.min(),
        last_date=clicked.last_date.max(),
        recency=recency(
            clicked.recent.sum() if "recent" in clicked.columns else None, clicked.clicks.sum(), log_recency
        ),
    )


def neighbors_to_write(neighbors: Neighbors, evidence: pa.Table, keywords: pa.Array, urls: pa.Array) -> pa.Table:
    """The rows of the mined table click_neighbors; `evidence` is what weigh_pairs gave, in the order of pair_id."""
    similarity = neighbors.shared_urls / np.maximum(neighbors.union_urls, 1)
    rows = pa.array(neighbors.pair_id)
    found = {name: evidence[name].take(rows) for name in ("clicks", "users", "first_date", "last_date", "recency")}
    return pa.table(
        {
            "keyword_id": neighbors.keyword,
            "neighbor_id": neighbors.neighbor,
            "similarity": similarity,
            "shared_urls": neighbors.shared_urls,
            **found,
            "path": _path_texts(neighbors, keywords, urls),
        }
    )


def _path_texts(neighbors: Neighbors, keywords: pa.Array, urls: pa.Array) -> pa.Array:
    """For each row the texts along its path, null where the two share a URL."""
    paths = neighbors.paths
    rows = np.flatnonzero(neighbors.shared_urls == 0)
    chosen, from_higher = _chosen_paths(paths, neighbors.low[rows], neighbors.high[rows])
    backwards = from_higher != (neighbors.keyword[rows] > neighbors.neighbor[rows])
    counts = np.diff(paths.offsets)[chosen]
    offsets = offsets_from_counts(counts)
    forth = _places_in_paths(offsets)
    back = np.repeat(counts - 1, counts) - forth
    places = np.repeat(paths.offsets[chosen], counts) + np.where(np.repeat(backwards, counts), back, forth)
    # The even steps are keywords, the odd ones URLs; URLs are numbered after the keywords.
    steps = paths.steps[places] + np.where(forth % 2 == 1, len(keywords), 0)
    lengths = np.zeros(len(neighbors.keyword), np.int64)
    lengths[rows] = counts
    texts = pa.chunked_array([keywords, urls]).take(pa.array(steps, pa.int64())).combine_chunks()
    return pa.ListArray.from_arrays(
        pa.array(offsets_from_counts(lengths), pa.int32()), texts, mask=pa.array(lengths == 0)
    )
