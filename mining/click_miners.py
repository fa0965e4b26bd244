"""The miners that read clicks: clusters, content and click similarity, page term vectors, seed URLs.

What they compute of arrays is announced at once (`mining.computations`) and written, in order, when it is asked for.
"""

from collections.abc import Callable

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array

from mining import click_clusters, click_neighbors, content_click_similarity, page_term_vectors, seed_urls
from mining.click_clusters import ClickGraph, IntArray
from mining.click_neighbors import Neighbors
from mining.computations import Computation, Computations
from mining.content_click_similarity import ChosenPairs
from mining.settings import MiningSettings
from mining.table_writer import TableWriter
from mining.time_decay import average


class ClickMiners:
    """One run over the clicks: `edge_users` and `urls` are those of mining.click_clusters.

    `demand` has the keywords' users, `pages` is None if the log has none; both are read at once, and so are the edges,
    while the computations run beside what the engine does next.
    """

    def __init__(
        self,
        writer: TableWriter,
        computations: Computations,
        edge_users: ir.Table,
        urls: ir.Table,
        demand: ir.Table,
        pages: ir.Table | None,
        settings: MiningSettings,
    ) -> None:
        self.writer, self.engine, self.settings = writer, writer.engine, settings
        fades = "recent" in edge_users.columns
        self.log_recency = average(self.engine, edge_users, "recent", edge_users.clicks.sum()) if fades else 1.0
        self.edge_users, self.urls = edge_users, urls
        self.edges = click_clusters.find_edges(self.engine, edge_users, settings)
        edges = self.engine.collect(self.edges.order_by("keyword_id", "url_id"))
        self.writer.counts["click_edges"] = edges.num_rows
        self._clusters = computations.announce("click clusters", lambda: _cluster(edges, settings))
        self._similarity: Computation[_Similar] | None = None
        self._page_terms: Computation[tuple[pa.Table, pa.Table]] | None = None
        if edges.num_rows:
            compute_pairs = self._content_and_clicks(edges, demand)
            self._similarity = computations.announce("content and click similarity", compute_pairs)
            if pages is not None:
                self._page_terms = computations.announce("page term vectors", self._page_vectors(pages))

    def write_clusters(self) -> None:
        """Write click_clusters and click_neighbors."""
        graph, neighbors = self._clusters.result()
        self.writer.write_rows("click_clusters", graph.clusters_to_write())
        pairs, path_steps = click_neighbors.register_pairs(self.engine, neighbors)
        evidence = click_neighbors.weigh_pairs(pairs, path_steps, self.edges, self.edge_users, self.log_recency)
        rows = click_neighbors.neighbors_to_write(
            neighbors,
            self.engine.collect(evidence.order_by("pair_id")),
            self.writer.keywords,
            self.engine.collect(self.urls.order_by("url_id"))["url"].combine_chunks(),
        )
        self.writer.write_rows("click_neighbors", rows)
        self.engine.drop("click_pairs", "path_steps")

    def write_content_and_clicks(self) -> None:
        """Write content_click_clusters and content_click_neighbors."""
        if self._similarity is None:
            self.writer.write_nothing("content_click_clusters", "content_click_neighbors")
            return
        keywords, clusters, chosen = self._similarity.result()
        clustered = np.flatnonzero(clusters != content_click_similarity.NO_CLUSTER)
        self.writer.write_rows(
            "content_click_clusters", content_click_similarity.clusters_to_write(keywords, clusters, clustered)
        )
        registered = content_click_similarity.register_pairs(self.engine, keywords, chosen)
        evidence = self.engine.collect(
            click_neighbors.weigh_pairs(registered, None, self.edges, self.edge_users, self.log_recency).order_by(
                "pair_id"
            )
        )
        self.writer.write_rows(
            "content_click_neighbors",
            content_click_similarity.pairs_to_write(keywords, chosen, evidence, self.settings),
        )

    def write_page_terms(self) -> None:
        """Write page_term_clusters and page_term_neighbors."""
        if self._page_terms is None:
            self.writer.write_nothing("page_term_clusters", "page_term_neighbors")
            return
        clusters, neighbors = self._page_terms.result()
        self.writer.write_rows("page_term_clusters", clusters)
        self.writer.write_rows("page_term_neighbors", neighbors)

    def mine_seed_urls(self, crawled: ir.Table) -> None:
        """Write seed_urls and seed_url_keywords; `crawled` are the pages of the log."""
        pages, keywords = seed_urls.find_seed_pages(self.engine, self.edges, self.edge_users, self.urls, self.settings)
        self.writer.write("seed_urls", seed_urls.with_titles(pages, crawled))
        self.writer.write("seed_url_keywords", keywords)
        self.engine.drop("seed_pages")

    def _content_and_clicks(self, edges: pa.Table, demand: ir.Table) -> Callable[[], "_Similar"]:
        settings, texts = self.settings, self.writer.keywords
        compared = self.engine.collect(
            demand.filter(demand.users >= settings.min_users).select("keyword_id").order_by("keyword_id")
        )["keyword_id"]
        return lambda: _similar(edges, compared, texts, settings)

    def _page_vectors(self, pages: ir.Table) -> Callable[[], tuple[pa.Table, pa.Table]]:
        engine, settings = self.engine, self.settings
        clicked = page_term_vectors.find_clicked_pages(engine, pages, self.urls, self.edges, settings)
        popularity, keyword_users = page_term_vectors.count_popularity(
            engine, clicked, self.edges, self.edge_users, settings, self.log_recency
        )
        texts = engine.collect(clicked.select("url_id", "title", "text").order_by("url_id"))
        about = engine.collect(keyword_users.order_by("keyword_id"))
        clicks = engine.collect(popularity.order_by("keyword_id", "url_id"))
        engine.drop("clicked_pages", "page_keyword_users")
        return lambda: _page_terms(texts, about, clicks, settings)


_Similar = tuple[IntArray, IntArray, ChosenPairs]
"""The ids of the keywords compared, the cluster of each, and the pairs to write."""


def _cluster(edges: pa.Table, settings: MiningSettings) -> tuple[ClickGraph, Neighbors]:
    graph = click_clusters.cluster(edges, settings)
    return graph, click_neighbors.choose_neighbors(graph, settings)


def _similar(edges: pa.Table, compared: pa.ChunkedArray, texts: pa.Array, settings: MiningSettings) -> _Similar:
    keywords = compared.to_numpy().astype(np.int64)
    terms = content_click_similarity.term_matrix(texts.take(compared.combine_chunks()).to_pylist())
    urls = content_click_similarity.url_matrix(keywords, *(_numbers(edges, n) for n in ("keyword_id", "url_id")))
    pairs = content_click_similarity.similar_pairs(terms, urls, settings)
    clusters = content_click_similarity.density_clusters(pairs, len(keywords), settings.content_click_min_points)
    return keywords, clusters, content_click_similarity.choose_pairs(pairs, clusters, settings)


def _page_terms(
    texts: pa.Table, about: pa.Table, clicked: pa.Table, settings: MiningSettings
) -> tuple[pa.Table, pa.Table]:
    weights = page_term_vectors.page_weights(texts["title"].to_pylist(), texts["text"].to_pylist(), settings)
    keywords, users = _numbers(about, "keyword_id"), _numbers(about, "users")
    places = (
        np.searchsorted(keywords, _numbers(clicked, "keyword_id")),
        np.searchsorted(_numbers(texts, "url_id"), _numbers(clicked, "url_id")),
    )
    clicks = csr_array((_numbers(clicked, "users"), places), shape=(len(keywords), weights.shape[0]))
    vectors = page_term_vectors.keyword_vectors(clicks, weights, settings)
    neighbors = page_term_vectors.nearest_and_clusters(vectors, users, settings)
    return (
        page_term_vectors.clusters_to_write(neighbors, about, settings),
        page_term_vectors.neighbors_to_write(neighbors, about),
    )


def _numbers(table: pa.Table, name: str) -> IntArray:
    return table[name].to_numpy().astype(np.int64)
