"""Neighbours of a keyword in its click cluster, with the clicks that link them.

First come the members that share a URL with the keyword, by the Jaccard overlap of their clicked URLs, then by the
number of shared URLs. Members that share none were joined through others; for those the link is a path of clicks,
keyword, URL, keyword, …: a shortest one through members of the cluster. Members that only keywords of other clusters
lead to are reached by a shortest path that takes those too, as long as it stays on the URLs of the cluster.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass

import ibis.expr.types as ir
import networkx as nx
import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array

from mining.click_clusters import ClickGraph, IntArray
from mining.engines import Engine
from mining.settings import MiningSettings
from mining.sparse_blocks import blocks_of_product
from mining.time_decay import recency

Path = tuple[int, ...]
"""keyword_id, url_id, keyword_id, …, keyword_id."""


@dataclass(frozen=True)
class Neighbors:
    """Chosen neighbours in the order of (keyword_id, neighbor_id), int64, and the paths of those that share no URL."""

    keyword: IntArray
    neighbor: IntArray
    shared_urls: IntArray
    union_urls: IntArray  # URLs that either of the two clicked
    paths: dict[tuple[int, int], Path]  # by (lower, higher) keyword, from the lower

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
        return Neighbors(nothing, nothing, nothing, nothing, {})
    blocks = list(_sharing_members(graph, settings.click_neighbors))
    keyword, neighbor, shared, union = (np.concatenate([block[column] for block in blocks]) for column in range(4))
    directed, paths = _paths(graph, keyword, neighbor, settings)
    ends = np.array(directed, np.int64).reshape(-1, 2)
    nothing = np.zeros(len(ends), np.int64)
    keyword = np.concatenate([keyword, ends[:, 0]])
    neighbor = np.concatenate([neighbor, ends[:, 1]])
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
        order = np.lexsort((other, -shared, -(shared / union), row))
        row, other, shared, union = row[order], other[order], shared[order], union[order]
        first = np.searchsorted(row, row)
        kept = np.arange(len(row)) - first < most
        yield graph.keywords[row[kept]], graph.keywords[other[kept]], shared[kept], union[kept].astype(np.int64)


def _paths(
    graph: ClickGraph, keyword: IntArray, neighbor: IntArray, settings: MiningSettings
) -> tuple[list[tuple[int, int]], dict[tuple[int, int], Path]]:
    """For keywords that have room: (keyword, member) that share no URL, and the path of each such pair, either way."""
    directed: list[tuple[int, int]] = []
    paths: dict[tuple[int, int], Path] = {}
    if not settings.click_paths:
        return directed, paths
    members_of: dict[int, list[int]] = defaultdict(list)
    for member, root in zip(graph.keywords.tolist(), graph.clusters.tolist(), strict=True):
        members_of[root].append(member)
    urls_of, keywords_of = (
        _adjacency(graph.edge_keyword, graph.edge_url),
        _adjacency(graph.edge_url, graph.edge_keyword),
    )
    sharing = _adjacency(keyword, neighbor)
    for members in members_of.values():
        # A keyword with as many sharing members as there are others has no use for paths.
        wanting = {
            member: min(settings.click_paths, settings.click_neighbors - len(sharing.get(member, ())))
            for member in members
            if len(sharing.get(member, ())) < len(members) - 1
        }
        if not any(room > 0 for room in wanting.values()):
            continue
        clicks = _links_inside(members, urls_of)
        links = [nx.to_dict_of_lists(clicks)]
        inside = set(members)
        for member, room in wanting.items():
            strangers = inside.difference(sharing.get(member, ()), [member])
            found = list(_nearest_paths(links[0], member, strangers, room))
            if len(found) < min(room, len(strangers)):
                if len(links) == 1:
                    links.append(nx.to_dict_of_lists(_links_outside(clicks, members, urls_of, keywords_of)))
                strangers.difference_update(path[-1] for path in found)
                found += _nearest_paths(links[1], member, strangers, room - len(found))
            for path in found:
                end = path[-1]
                directed.append((member, end))
                paths.setdefault((min(member, end), max(member, end)), path if member < end else path[::-1])
    return directed, paths


def _adjacency(from_ids: IntArray, to_ids: IntArray) -> dict[int, list[int]]:
    """For each id the ids that it goes to, ascending."""
    adjacency: dict[int, list[int]] = defaultdict(list)
    order = np.lexsort((to_ids, from_ids))
    for start, end in zip(from_ids[order].tolist(), to_ids[order].tolist(), strict=True):
        adjacency[start].append(end)
    return adjacency


def _links_inside(members: list[int], urls_of: dict[int, list[int]]) -> nx.Graph:
    """The clicks of the members of a cluster; URL u is node −1 − u."""
    links = nx.Graph()
    links.add_edges_from((member, -1 - url) for member in members for url in urls_of[member])
    return links


def _links_outside(
    inside: nx.Graph, members: list[int], urls_of: dict[int, list[int]], keywords_of: dict[int, list[int]]
) -> nx.Graph:
    """The clicks on the URLs of a cluster by its members, and by whoever clicked two of them."""
    urls = sorted({url for member in members for url in urls_of[member]})
    clicked = Counter(keyword for url in urls for keyword in keywords_of[url])
    links = inside.copy()
    links.add_edges_from((keyword, -1 - url) for url in urls for keyword in keywords_of[url] if clicked[keyword] > 1)
    return links


def _nearest_paths(links: dict[int, list[int]], start: int, wanted: set[int], most: int) -> Iterator[Path]:
    """Shortest paths from a keyword to the `most` nearest of the wanted ones; `links` lists the neighbours of nodes."""
    before = {start: start}
    waiting = deque([start])
    while waiting and most > 0:
        node = waiting.popleft()
        for reached in links[node]:
            if reached not in before:
                before[reached] = node
                waiting.append(reached)
                if most > 0 and reached in wanted:
                    yield _path(before, reached)
                    most -= 1


def _path(before: dict[int, int], end: int) -> Path:
    """The way to a node from the one that nothing comes before."""
    steps = [end]
    while before[steps[-1]] != steps[-1]:
        steps.append(before[steps[-1]])
    return tuple(step if step >= 0 else -1 - step for step in reversed(steps))


def register_pairs(engine: Engine, neighbors: Neighbors) -> tuple[ir.Table, ir.Table]:
    """The engine's tables of the pairs that share URLs and of the steps of paths, by pair_id.

    The first has the columns pair_id, low_id, high_id (keywords), the second pair_id, keyword_id, url_id, a row a step.
    """
    pair_id, rows = np.unique(neighbors.pair_id, return_index=True)
    low, high, sharing = neighbors.low[rows], neighbors.high[rows], neighbors.shared_urls[rows] > 0
    steps: list[tuple[int, int, int]] = []
    for pair, *ends in zip(*(column[~sharing].tolist() for column in (pair_id, low, high)), strict=True):
        path = neighbors.paths[ends[0], ends[1]]
        for place in range(1, len(path), 2):
            steps += [(pair, path[place - 1], path[place]), (pair, path[place + 1], path[place])]
    columns = list(np.array(steps, np.int64).reshape(-1, 3).T)
    return (
        engine.register(
            "click_pairs",
            pa.table({"pair_id": pair_id[sharing], "low_id": low[sharing], "high_id": high[sharing]}),
        ),
        engine.register("path_steps", pa.table(columns, names=["pair_id", "keyword_id", "url_id"])),
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
    steps: list[int] = []
    lengths = np.zeros(len(neighbors.keyword), np.int64)
    rows = np.flatnonzero(neighbors.shared_urls == 0)
    ends = zip(rows.tolist(), neighbors.keyword[rows].tolist(), neighbors.neighbor[rows].tolist(), strict=True)
    for row, keyword, neighbor in ends:
        path = neighbors.paths[min(keyword, neighbor), max(keyword, neighbor)]
        # The even steps are keywords, the odd ones URLs; URLs are numbered after the keywords.
        whole = [step + len(keywords) if place % 2 else step for place, step in enumerate(path)]
        steps += whole if path[0] == keyword else whole[::-1]
        lengths[row] = len(path)
    texts = pa.chunked_array([keywords, urls]).take(pa.array(steps, pa.int64())).combine_chunks()
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    return pa.ListArray.from_arrays(offsets, texts, mask=pa.array(lengths == 0))
