"""Keywords alike in what they say and in what is clicked for them (Wen, Nie & Zhang 2002; SPEC §1.5).

sim = α · content + (1 − α) · click. Content is the number of shared terms over the larger number of terms, click the
number of shared clicked URLs over the larger number of clicked URLs; terms are the distinct words of a keyword, URLs
its edges in the click graph. Clusters are DBSCAN's (Ester et al. 1996) over that similarity: a keyword with enough
others at the threshold or nearer is a core; cores within the threshold of each other are one cluster; a keyword that is
no core joins the cluster of its nearest core, the lowest keyword first among equals; the rest is in no cluster.

Only keywords of enough users are compared, and only pairs that share a URL or a term that few enough keywords have (a
setting): a pair that has nothing in common but words like "price" is not looked at. Within that the result is exact,
popular terms and URLs count in both similarities.

The step runs in this process: time grows with Σ keywords² over the terms and URLs that are not cut, memory with the
pairs that reach the threshold.
"""

from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import csr_array, hstack
from scipy.sparse.csgraph import connected_components

from indexes.text import words
from mining.engines import Engine
from mining.mined_tables import dictionary_of
from mining.nearest import among_nearest
from mining.settings import MiningSettings
from mining.similar_rows import URL_UNIT, similar_rows

IntArray = npt.NDArray[np.int64]
RealArray = npt.NDArray[np.float64]

ROUNDING = 1e-9
NO_CLUSTER = -1


@dataclass(frozen=True)
class SimilarPairs:
    """Pairs of places low < high that reach the threshold, in that order: shared terms and URLs int64, similarity."""

    low: IntArray
    high: IntArray
    shared_terms: IntArray
    shared_urls: IntArray
    content: RealArray
    click: RealArray
    similarity: RealArray

    def only(self, kept: npt.NDArray[np.bool_] | IntArray) -> "SimilarPairs":
        """Some of the pairs, by a mask or by their places."""
        return SimilarPairs(*(column[kept] for column in vars(self).values()))


def term_matrix(texts: list[str]) -> csr_array:
    """Which keyword has which word: int64 ones, keywords × distinct words."""
    rows = [sorted(set(words(text))) for text in texts]
    counts = np.fromiter(map(len, rows), np.int64, len(rows))
    flat = pa.chunked_array([pa.array([word for row in rows for word in row], pa.string())])
    distinct, places = dictionary_of(flat)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    ones = np.ones(len(places), np.int64)
    return csr_array((ones, places.to_numpy().astype(np.int64), offsets), shape=(len(rows), len(distinct)))


def url_matrix(keywords: IntArray, edge_keyword: IntArray, edge_url: IntArray) -> csr_array:
    """Which of the keywords (ascending ids) has which clicked URL: int64 ones, keywords × distinct URLs."""
    place = np.searchsorted(keywords, edge_keyword)
    known = place < len(keywords)
    known[known] = keywords[place[known]] == edge_keyword[known]
    urls, column = np.unique(edge_url[known], return_inverse=True)
    ones = np.ones(len(column), np.int64)
    return csr_array((ones, (place[known], column)), shape=(len(keywords), len(urls)))


def similar_pairs(terms: csr_array, urls: csr_array, settings: MiningSettings) -> SimilarPairs:
    """All pairs of keywords that reach the threshold and share a URL or a term that is not too popular."""
    sizes = (np.maximum(np.diff(terms.indptr), 1), np.maximum(np.diff(urls.indptr), 1))
    most = settings.content_click_max_keywords
    (rare_terms, popular_terms), (rare_urls, popular_urls) = _split(terms, most), _split(urls, most)
    units = hstack([rare_terms, rare_urls * URL_UNIT], format="csr").astype(np.int64)
    popular = hstack([popular_terms, popular_urls * URL_UNIT], format="csr").astype(np.int64)
    low, high, shared = similar_rows(
        units,
        popular,
        np.diff(popular_terms.indptr) + URL_UNIT * np.diff(popular_urls.indptr).astype(np.int64),
        np.stack(sizes).astype(np.int64),
        settings.content_weight,
        # The kernel may round the sum of both parts otherwise than numpy, which decides.
        settings.content_click_similarity - ROUNDING,
    )
    shared_terms, shared_urls = shared % URL_UNIT, shared // URL_UNIT
    content, click = (
        count / np.maximum(size[low], size[high])
        for count, size in zip((shared_terms, shared_urls), sizes, strict=True)
    )
    similarity = settings.content_weight * content + (1 - settings.content_weight) * click
    pairs = SimilarPairs(low, high, shared_terms, shared_urls, content, click, similarity)
    return pairs.only(similarity >= settings.content_click_similarity)


def _split(matrix: csr_array, most: int) -> tuple[csr_array, csr_array]:
    """The columns that at most so many rows have, and the others."""
    rare = np.bincount(matrix.indices, minlength=matrix.shape[1]) <= most
    return matrix[:, np.flatnonzero(rare)], matrix[:, np.flatnonzero(~rare)]


def density_clusters(pairs: SimilarPairs, count: int, min_points: int) -> IntArray:
    """The cluster of each of `count` keywords, as the lowest core in it; NO_CLUSTER for the rest."""
    neighbors = np.bincount(pairs.low, minlength=count) + np.bincount(pairs.high, minlength=count)
    core = neighbors >= min_points
    between = core[pairs.low] & core[pairs.high]
    links = csr_array(
        (np.ones(int(between.sum()), np.int8), (pairs.low[between], pairs.high[between])), shape=(count, count)
    )
    _, component = connected_components(links, directed=False)
    cluster = np.full(count, NO_CLUSTER, np.int64)
    cores = np.flatnonzero(core)
    _, first, place = np.unique(component[cores], return_index=True, return_inverse=True)
    cluster[cores] = cores[first][place]
    at, to = np.concatenate([pairs.low, pairs.high]), np.concatenate([pairs.high, pairs.low])
    similarity = np.concatenate([pairs.similarity, pairs.similarity])
    border = ~core[at] & core[to]
    at, to, similarity = at[border], to[border], similarity[border]
    order = np.lexsort((to, -similarity, at))
    edge, nearest = np.unique(at[order], return_index=True)
    cluster[edge] = cluster[to[order][nearest]]
    return cluster


def clusters_to_write(keywords: IntArray, clusters: IntArray, clustered: IntArray) -> pa.Table:
    """The rows of the mined table content_click_clusters, numbered by their lowest core."""
    _, number, sizes = np.unique(clusters[clustered], return_inverse=True, return_counts=True)
    return pa.table({"keyword_id": keywords[clustered], "cluster_id": number, "cluster_size": sizes[number]})


@dataclass(frozen=True)
class ChosenPairs:
    """Pairs to write, and for each whether it is written from low to high, and from high to low."""

    pairs: SimilarPairs
    forward: npt.NDArray[np.bool_]
    backward: npt.NDArray[np.bool_]


def choose_pairs(pairs: SimilarPairs, clusters: IntArray, settings: MiningSettings) -> ChosenPairs:
    """Pairs inside a cluster: the nearest ones of each keyword by similarity, ties by the neighbour's place."""
    pairs = pairs.only((clusters[pairs.low] == clusters[pairs.high]) & (clusters[pairs.low] != NO_CLUSTER))
    own, other = np.concatenate([pairs.low, pairs.high]), np.concatenate([pairs.high, pairs.low])
    similarity = np.concatenate([pairs.similarity, pairs.similarity])
    near = among_nearest(own, other, similarity, settings.content_click_neighbors)
    forward, backward = near[: len(pairs.low)], near[len(pairs.low) :]
    kept = forward | backward
    return ChosenPairs(pairs.only(kept), forward[kept], backward[kept])


def register_pairs(engine: Engine, keywords: IntArray, chosen: ChosenPairs) -> ir.Table:
    """The engine's table of the pairs that share URLs: pair_id (their place), low_id, high_id."""
    pairs = chosen.pairs
    sharing = np.flatnonzero(pairs.shared_urls)
    return engine.register(
        "content_click_pairs",
        pa.table(
            {"pair_id": sharing, "low_id": keywords[pairs.low[sharing]], "high_id": keywords[pairs.high[sharing]]}
        ),
    )


def pairs_to_write(keywords: IntArray, chosen: ChosenPairs, evidence: pa.Table, settings: MiningSettings) -> pa.Table:
    """The rows of the mined table content_click_neighbors.

    `evidence` is what mining.click_neighbors.weigh_pairs gave, in the order of pair_id. Pairs that would not reach the
    threshold without the clicks of fewer users than the minimum are left out.
    """
    pairs = chosen.pairs
    row_of = np.full(len(pairs.low), -1, np.int64)
    row_of[evidence["pair_id"].to_numpy()] = np.arange(len(evidence))
    rows = pa.array(row_of, mask=row_of < 0)
    found = {name: evidence[name].take(rows) for name in ("clicks", "users", "first_date", "last_date", "recency")}
    users = found["users"].fill_null(0).to_numpy()
    by_words = settings.content_weight * pairs.content >= settings.content_click_similarity
    enough = (users >= settings.min_users) | by_words
    forward, backward = np.flatnonzero(chosen.forward & enough), np.flatnonzero(chosen.backward & enough)
    keyword = keywords[np.concatenate([pairs.low[forward], pairs.high[backward]])]
    neighbor = keywords[np.concatenate([pairs.high[forward], pairs.low[backward]])]
    order = np.lexsort((neighbor, keyword))
    both = np.concatenate([forward, backward])[order]
    taken = pa.array(both)
    return pa.table(
        {
            "keyword_id": keyword[order],
            "neighbor_id": neighbor[order],
            "similarity": pairs.similarity[both],
            "content": pairs.content[both],
            "click": pairs.click[both],
            "shared_terms": pairs.shared_terms[both],
            "shared_urls": pairs.shared_urls[both],
            "clicks": found["clicks"].fill_null(0).take(taken),
            "users": found["users"].fill_null(0).take(taken),
            "first_date": found["first_date"].take(taken),
            "last_date": found["last_date"].take(taken),
            "recency": found["recency"].take(taken),
        }
    )
