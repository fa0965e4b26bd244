"""Keywords as the words of the pages clicked for them (Baeza-Yates, Hurtado & Mendoza 2005; SPEC §1.6).

The vector of a keyword q has for each term t the weight Σ_u Pop(q, u) · Tf(t, u) / max_t Tf(t, u), summed over the
pages u clicked for q. Pop is the number of users who clicked u for q, so that nobody counts twice; Tf counts the
words of the page's title and of the start of its text. Words of very many pages ("the", what every page says) are
left out, and all but the heaviest terms of a keyword. Weights are whole multiples of 2⁻¹⁶ and the vectors of length 1
whole multiples of 2⁻¹⁵, so that sums are exact in any order and a cosine is the same from both sides.

Neighbours are the keywords with the greatest cosine, found exactly. Clusters form round leaders: keywords are taken by
their users, most first, and each that is in no cluster yet starts one and takes in whoever is in none and has a cosine
to it at the threshold or above. Members are ranked by cosine^(1 − p) · (users / the leader's users)^p.

The step runs in this process: time grows with Σ keywords² over the terms, which is why only so many
keywords get vectors (a setting); memory grows with the kept neighbours and what is near a block of keywords.
Reading the pages takes about a second for 15,000 pages.
"""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array

from indexes.text import normalise, words
from mining.engines import Engine
from mining.mined_tables import dictionary_of
from mining.near_rows import near_rows
from mining.nearest import among_nearest
from mining.settings import MiningSettings
from mining.time_decay import recency

IntArray = npt.NDArray[np.int64]
RealArray = npt.NDArray[np.float64]

WEIGHT_UNIT = 2**16
COSINE_UNIT = 2**15
FEW_PAGES = 20
"""Words of no more pages than this are never too common."""


@dataclass(frozen=True)
class PageNeighbors:
    """Pairs by (keyword, neighbor), and the cluster of every keyword; all are places in the arrays of keywords.

    `cosine` float64. `leader` int64 names each keyword's cluster, `leader_cosine` float64 is 1 for the leader itself.
    """

    keyword: IntArray
    neighbor: IntArray
    cosine: RealArray
    leader: IntArray
    leader_cosine: RealArray


def page_weights(titles: list[str], texts: list[str], settings: MiningSettings) -> csr_array:
    """Tf / max Tf of every page's words in multiples of 1 / WEIGHT_UNIT: int64, pages × terms."""
    rows = [words(normalise(f"{title}\n{text}")) for title, text in zip(titles, texts, strict=True)]
    page = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    flat = pa.chunked_array([pa.array([word for row in rows for word in row], pa.string())])
    distinct, term = dictionary_of(flat)
    matrix = csr_array(
        (np.ones(len(page), np.int64), (page, term.to_numpy().astype(np.int64))), shape=(len(rows), len(distinct))
    )
    matrix.sum_duplicates()
    most = max(FEW_PAGES, settings.page_term_max_share * len(rows))
    matrix = matrix[:, np.flatnonzero(np.bincount(matrix.indices, minlength=matrix.shape[1]) <= most)]
    greatest = np.repeat(matrix.max(axis=1).toarray().ravel(), np.diff(matrix.indptr)) if matrix.nnz else 1
    matrix.data = np.rint(matrix.data * WEIGHT_UNIT / greatest).astype(np.int64)
    return matrix


def keyword_vectors(users: csr_array, weights: csr_array, settings: MiningSettings) -> csr_array:
    """The keywords' vectors at length 1, in multiples of 1 / COSINE_UNIT: int64, keywords × terms.

    `users` (int64, keywords × pages) counts who clicked what, `weights` is what page_weights gives. A keyword whose
    pages say nothing has an empty row.
    """
    vectors = (users @ weights).tocsr()
    vectors.sort_indices()
    owner = np.repeat(np.arange(vectors.shape[0]), np.diff(vectors.indptr))
    terms = vectors.indices.astype(np.int64)
    kept = np.flatnonzero(among_nearest(owner, terms, vectors.data.astype(np.float64), settings.page_vector_terms))
    owner, term, weight = owner[kept], vectors.indices[kept], vectors.data[kept].astype(np.float64)
    length = np.sqrt(np.bincount(owner, weight * weight, vectors.shape[0]))
    rounded = np.rint(weight / length[owner] * COSINE_UNIT).astype(np.int32)
    return csr_array((rounded, (owner, term)), shape=vectors.shape)


def nearest_and_clusters(vectors: csr_array, users: IntArray, settings: MiningSettings) -> PageNeighbors:
    """The nearest neighbours of every keyword, and its cluster; `users` of each decides who leads."""
    count = vectors.shape[0]
    by_users = np.lexsort((np.arange(count), -users))
    ordered = vectors[by_users]
    unit = COSINE_UNIT * COSINE_UNIT
    least = round(settings.page_term_similarity * unit)
    least_joining = round(settings.page_cluster_similarity * unit)
    leader = np.full(count, -1, np.int64)
    leader_dot = np.zeros(count, np.int64)
    found: list[tuple[IntArray, IntArray, IntArray]] = [(np.empty(0, np.int64),) * 3]
    for start, end, row, other, dot in near_rows(ordered, min(least, least_joining), settings.threads):
        _lead(start, end, row, other, dot, least_joining, leader, leader_dot)
        found.append(_nearest(by_users, start, row, other, dot, least, settings.page_neighbors))
    keyword, neighbor, dot = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(keyword * count + neighbor)
    leaders, leader_dots = np.empty(count, np.int64), np.empty(count, np.int64)
    leaders[by_users], leader_dots[by_users] = by_users[leader], leader_dot
    return PageNeighbors(
        keyword[order], neighbor[order], np.minimum(dot[order] / unit, 1.0), leaders, np.minimum(leader_dots / unit, 1)
    )


def _lead(
    start: int,
    end: int,
    row: IntArray,
    other: IntArray,
    dot: IntArray,
    least: int,
    leader: IntArray,
    leader_dot: IntArray,
) -> None:
    """Let the rows of a block lead, in their order; fills `leader` and `leader_dot`."""
    joining = dot >= least
    row, other, dot = row[joining], other[joining], dot[joining]
    bounds = np.searchsorted(row, np.arange(start, end + 1))
    for place in range(start, end):
        if leader[place] >= 0:
            continue
        of_place = slice(bounds[place - start], bounds[place - start + 1])
        free = leader[other[of_place]] < 0
        members = other[of_place][free]
        leader[members], leader_dot[members] = place, dot[of_place][free]
        leader[place], leader_dot[place] = place, COSINE_UNIT * COSINE_UNIT


def _nearest(
    by_users: IntArray, start: int, row: IntArray, other: IntArray, dot: IntArray, least: int, most: int
) -> tuple[IntArray, IntArray, IntArray]:
    """The `most` greatest dot products of each row from `start` that are great enough, ties by the keyword's place."""
    kept = (dot >= least) & (row != other)
    row, keyword, neighbor, dot = row[kept], by_users[row[kept]], by_users[other[kept]], dot[kept]
    near = among_nearest(row - start, neighbor, dot.astype(np.float64), most)
    return keyword[near], neighbor[near], dot[near]


def rank_members(neighbors: PageNeighbors, users: IntArray, settings: MiningSettings) -> IntArray:
    """The rank from 1 of each keyword in its cluster: by cosine to the leader and by users, ties by place."""
    p = settings.page_rank_popularity
    score = neighbors.leader_cosine ** (1 - p) * (users / users[neighbors.leader]) ** p
    order = np.lexsort((np.arange(len(users)), -score, neighbors.leader))
    in_order = neighbors.leader[order]
    rank = np.empty(len(users), np.int64)
    rank[order] = np.arange(len(users)) - np.searchsorted(in_order, in_order) + 1
    return rank


def find_clicked_pages(
    engine: Engine, pages: ir.Table, urls: ir.Table, edges: ir.Table, settings: MiningSettings
) -> ir.Table:
    """The pages on edges of the click graph: url_id, title, text (its start)."""
    clicked = pages.join(urls, "url").semi_join(edges, "url_id")
    return engine.materialise(
        "clicked_pages",
        clicked.select("url_id", "title", text=clicked.text.left(settings.page_text_characters)),
    )


def count_popularity(
    engine: Engine,
    clicked: ir.Table,
    edges: ir.Table,
    edge_users: ir.Table,
    settings: MiningSettings,
    log_recency: float = 1.0,
) -> tuple[ir.Table, ir.Table]:
    """Users by keyword and page (keyword_id, url_id, users), and by keyword over all pages with dates and recency.

    `log_recency` is that of all clicks (mining.time_decay), if edge_users say how recent they are.
    Keywords of too few users are in neither, and only those of the most users if there are very many.
    """
    known = edge_users.semi_join(edges, ["keyword_id", "url_id"]).semi_join(clicked, "url_id")
    recent = known.recent.sum() if "recent" in known.columns else None
    by_keyword = known.group_by("keyword_id").agg(
        users=known.user_no.nunique(),
        first_date=known.first_date.min(),
        last_date=known.last_date.max(),
        recency=recency(recent, known.clicks.sum(), log_recency),
    )
    by_keyword = by_keyword.filter(by_keyword.users >= settings.min_users)
    most_users = ibis.window(order_by=[by_keyword.users.desc(), by_keyword.keyword_id])
    ranked = by_keyword.mutate(place=ibis.row_number().over(most_users))
    keyword_users = engine.materialise(
        "page_keyword_users", ranked.filter(ranked.place < settings.page_keywords).drop("place")
    )
    known = known.semi_join(keyword_users, "keyword_id")
    return known.group_by("keyword_id", "url_id").agg(users=known.count()), keyword_users


def neighbors_to_write(neighbors: PageNeighbors, about: pa.Table) -> pa.Table:
    """The rows of the mined table page_term_neighbors.

    `about` has keyword_id, users, dates and recency of the keywords. A pair rests on the users of the keyword that has
    fewer, and is as recent as the keyword that has faded more.
    """
    ids, users = about["keyword_id"].to_numpy(), about["users"].to_numpy()
    first, last = (about[name].to_numpy().astype("datetime64[D]") for name in ("first_date", "last_date"))
    keyword, neighbor = neighbors.keyword, neighbors.neighbor
    of_keyword, of_neighbor = (about["recency"].take(pa.array(side)) for side in (keyword, neighbor))
    return pa.table(
        {
            "keyword_id": ids[keyword],
            "neighbor_id": ids[neighbor],
            "similarity": neighbors.cosine,
            "users": np.minimum(users[keyword], users[neighbor]),
            "first_date": pa.array(np.minimum(first[keyword], first[neighbor])),
            "last_date": pa.array(np.maximum(last[keyword], last[neighbor])),
            "recency": pc.min_element_wise(of_keyword, of_neighbor),
        }
    )


def clusters_to_write(neighbors: PageNeighbors, about: pa.Table, settings: MiningSettings) -> pa.Table:
    """The rows of the mined table page_term_clusters: clusters of two or more, numbered by their first keyword."""
    ids, users = about["keyword_id"].to_numpy(), about["users"].to_numpy().astype(np.int64)
    _, first, place, sizes = np.unique(neighbors.leader, return_index=True, return_inverse=True, return_counts=True)
    by_first = np.argsort(first, kind="stable")
    number = np.empty(len(sizes), np.int64)
    number[by_first] = np.cumsum(sizes[by_first] > 1) - 1
    kept = np.flatnonzero(sizes[place] > 1)
    return pa.table(
        {
            "keyword_id": ids[kept],
            "cluster_id": number[place[kept]],
            "cluster_size": sizes[place[kept]],
            "rank": rank_members(neighbors, users, settings)[kept],
            "similarity": neighbors.leader_cosine[kept],
            "users": users[kept],
        }
    )
