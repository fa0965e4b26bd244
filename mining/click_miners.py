"""The miners that read clicks, in order: clusters, content and click similarity, page term vectors, seed URLs."""

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array

from mining import click_clusters, click_neighbors, content_click_similarity, page_term_vectors, seed_urls
from mining.click_clusters import IntArray
from mining.settings import MiningSettings
from mining.table_writer import TableWriter
from mining.time_decay import average


class ClickMiners:
    """One run over the clicks: `edge_users` and `urls` are those of mining.click_clusters."""

    def __init__(self, writer: TableWriter, edge_users: ir.Table, urls: ir.Table, settings: MiningSettings) -> None:
        self.writer, self.engine, self.settings = writer, writer.engine, settings
        fades = "recent" in edge_users.columns
        self.log_recency = average(self.engine, edge_users, "recent", edge_users.clicks.sum()) if fades else 1.0
        self.edge_users, self.urls = edge_users, urls
        self.edges = click_clusters.find_edges(self.engine, edge_users, settings)

    def mine_clusters(self) -> None:
        """Write click_clusters and click_neighbors."""
        graph = click_clusters.cluster(self.engine, self.edges, self.settings)
        self.writer.counts["click_edges"] = len(graph.edge_keyword)
        self.writer.write_rows("click_clusters", graph.clusters_to_write())
        neighbors = click_neighbors.choose_neighbors(graph, self.settings)
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

    def mine_content_and_clicks(self, demand: ir.Table) -> None:
        """Write content_click_clusters and content_click_neighbors; `demand` has the keywords' users."""
        compared = self.engine.collect(
            demand.filter(demand.users >= self.settings.min_users).select("keyword_id").order_by("keyword_id")
        )["keyword_id"]
        keywords = compared.to_numpy().astype(np.int64)
        edges = self.engine.collect(self.edges.order_by("keyword_id", "url_id"))
        terms = content_click_similarity.term_matrix(self.writer.keywords.take(compared.combine_chunks()).to_pylist())
        urls = content_click_similarity.url_matrix(keywords, *(_numbers(edges, n) for n in ("keyword_id", "url_id")))
        pairs = content_click_similarity.similar_pairs(terms, urls, self.settings)
        clusters = content_click_similarity.density_clusters(
            pairs, len(keywords), self.settings.content_click_min_points
        )
        clustered = np.flatnonzero(clusters != content_click_similarity.NO_CLUSTER)
        self.writer.write_rows(
            "content_click_clusters", content_click_similarity.clusters_to_write(keywords, clusters, clustered)
        )
        chosen = content_click_similarity.choose_pairs(pairs, clusters, self.settings)
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

    def mine_seed_urls(self, crawled: ir.Table) -> None:
        """Write seed_urls and seed_url_keywords; `crawled` are the pages of the log."""
        pages, keywords = seed_urls.find_seed_pages(self.engine, self.edges, self.edge_users, self.urls, self.settings)
        self.writer.write("seed_urls", seed_urls.with_titles(pages, crawled))
        self.writer.write("seed_url_keywords", keywords)
        self.engine.drop("seed_pages")

    def mine_page_terms(self, pages: ir.Table) -> None:
        """Write page_term_clusters and page_term_neighbors."""
        engine, settings = self.engine, self.settings
        clicked = page_term_vectors.find_clicked_pages(engine, pages, self.urls, self.edges, settings)
        popularity, keyword_users = page_term_vectors.count_popularity(
            engine, clicked, self.edges, self.edge_users, settings, self.log_recency
        )
        texts = engine.collect(clicked.select("url_id", "title", "text").order_by("url_id"))
        weights = page_term_vectors.page_weights(texts["title"].to_pylist(), texts["text"].to_pylist(), settings)
        about = engine.collect(keyword_users.order_by("keyword_id"))
        rows = engine.collect(popularity.order_by("keyword_id", "url_id"))
        keywords, users = _numbers(about, "keyword_id"), _numbers(about, "users")
        places = (
            np.searchsorted(keywords, _numbers(rows, "keyword_id")),
            np.searchsorted(_numbers(texts, "url_id"), _numbers(rows, "url_id")),
        )
        clicks = csr_array((_numbers(rows, "users"), places), shape=(len(keywords), weights.shape[0]))
        vectors = page_term_vectors.keyword_vectors(clicks, weights, settings)
        neighbors = page_term_vectors.nearest_and_clusters(vectors, users, settings)
        self.writer.write_rows("page_term_clusters", page_term_vectors.clusters_to_write(neighbors, about, settings))
        self.writer.write_rows("page_term_neighbors", page_term_vectors.neighbors_to_write(neighbors, about))


def _numbers(table: pa.Table, name: str) -> IntArray:
    return table[name].to_numpy().astype(np.int64)
