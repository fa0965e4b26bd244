"""Keywords alike in what they say and in what is clicked for them (Wen, Nie & Zhang 2002; SPEC §1.5).

sim = α · content + (1 − α) · click. Content is the number of shared terms over the larger number of terms, click the
number of shared clicked URLs over the larger number of clicked URLs; terms are the distinct words of a keyword, URLs
its edges in the click graph. Clusters are DBSCAN's (Ester et al. 1996) over that similarity: a keyword with enough
others at the threshold or nearer is a core; cores within the threshold of each other are one cluster; a keyword that is
no core joins the cluster of its nearest core, the lowest keyword first among equals; the rest is in no cluster.

Only keywords of enough users are compared, and only pairs that share a URL or a term that few enough keywords have (a
setting): a pair that has nothing in common but words like "price" is not looked at. Within that the result is exact,
popular terms and URLs count in both similarities.

The step runs in this process with scipy: time grows with Σ keywords² over the terms and URLs that are not cut, memory
with the pairs that reach the threshold; a block of the product is bounded.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import csr_array, hstack
from scipy.sparse.csgraph import connected_components

from indexes.arrays import ranges
from indexes.text import words
from mining.engines import Engine
from mining.mined_tables import dictionary_of
from mining.settings import MiningSettings
from mining.sparse_blocks import blocks_of_product

IntArray = npt.NDArray[np.int64]
RealArray = npt.NDArray[np.float64]

URL_UNIT = 2**20
"""One product counts both: shared terms as ones, shared URLs as multiples of this."""
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
    rare = hstack([rare_terms, rare_urls], format="csr").astype(np.int64)
    blocks = [
        _passing(low, high, shared, sizes, (popular_terms, popular_urls), settings)
        for low, high, shared in _candidates(units, rare.T.tocsr())
    ]
    nothing = SimilarPairs(*(np.empty(0, np.int64),) * 4, *(np.empty(0, np.float64),) * 3)
    columns = zip(*(vars(block).values() for block in [nothing, *blocks]), strict=True)
    pairs = SimilarPairs(*map(np.concatenate, columns))
    return pairs.only(np.lexsort((pairs.high, pairs.low)))


def _split(matrix: csr_array, most: int) -> tuple[csr_array, csr_array]:
    """The columns that at most so many rows have, and the others."""
    rare = np.bincount(matrix.indices, minlength=matrix.shape[1]) <= most
    return matrix[:, np.flatnonzero(rare)], matrix[:, np.flatnonzero(~rare)]


def _candidates(units: csr_array, transposed: csr_array) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
    for row, other, shared in blocks_of_product(units, transposed):
        upper = row < other
        yield row[upper], other[upper], shared[upper]


def _passing(
    low: IntArray,
    high: IntArray,
    shared: IntArray,
    sizes: tuple[IntArray, IntArray],
    popular: tuple[csr_array, csr_array],
    settings: MiningSettings,
) -> SimilarPairs:
    """The candidates that reach the threshold; `shared` counts what is not popular."""
    counts = [shared % URL_UNIT, shared // URL_UNIT]
    # No more popular ones can be shared than either has, which spares most pairs the exact count.
    most = [
        count + np.minimum(np.diff(matrix.indptr)[low], np.diff(matrix.indptr)[high])
        for count, matrix in zip(counts, popular, strict=True)
    ]
    possible = _similarity(low, high, most, sizes, settings)[2] >= settings.content_click_similarity
    low, high = low[possible], high[possible]
    counts = [count[possible] + _shared(matrix, low, high) for count, matrix in zip(counts, popular, strict=True)]
    content, click, similarity = _similarity(low, high, counts, sizes, settings)
    pairs = SimilarPairs(low, high, counts[0], counts[1], content, click, similarity)
    return pairs.only(similarity >= settings.content_click_similarity)


def _similarity(
    low: IntArray, high: IntArray, counts: list[IntArray], sizes: tuple[IntArray, IntArray], settings: MiningSettings
) -> tuple[RealArray, RealArray, RealArray]:
    content, click = (count / np.maximum(size[low], size[high]) for count, size in zip(counts, sizes, strict=True))
    return content, click, settings.content_weight * content + (1 - settings.content_weight) * click


def _shared(matrix: csr_array, low: IntArray, high: IntArray) -> IntArray:
    """How many columns both rows of each pair have."""
    if not len(low) or not matrix.nnz:
        return np.zeros(len(low), np.int64)
    counts = np.diff(matrix.indptr).astype(np.int64)[low]
    pair = np.repeat(np.arange(len(low)), counts)
    columns = matrix.indices[ranges(matrix.indptr[low].astype(np.int64), counts)].astype(np.int64)
    width = matrix.shape[1]
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    # Row and column as one number; the rows are ascending, so the numbers are once their columns are.
    known = np.sort(rows * width + matrix.indices)
    wanted = high[pair] * width + columns
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.bincount(pair, known[place] == wanted, len(low)).astype(np.int64)


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
    order = np.lexsort((other, -np.concatenate([pairs.similarity, pairs.similarity]), own))
    ordered = own[order]
    near = np.zeros(len(own), bool)
    near[order] = np.arange(len(own)) - np.searchsorted(ordered, ordered) < settings.content_click_neighbors
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
