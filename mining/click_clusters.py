"""The click graph and the clusters of its keywords (Beeferman & Berger 2000; SPEC §1.4).

An edge joins a keyword and a URL that enough users clicked often enough after searching it. URLs that are clicked for
very many keywords are left out. `mining.agglomeration` says exactly how clusters come about; it is not relational and
runs in this process, as compiled kernels: seconds for a million edges, growing with the edges and with the sizes of the
clusters.
"""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mining.agglomeration import agglomerate
from mining.engines import Engine
from mining.settings import MiningSettings
from mining.time_decay import UNIT, Decay

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ClickGraph:
    """Edges in the order of (keyword, url), all arrays int64, and for every keyword of the graph its cluster."""

    edge_keyword: IntArray  # keyword_id of each edge
    edge_url: IntArray  # url_id of each edge
    keywords: IntArray  # the distinct keyword_ids, ascending
    clusters: IntArray  # of each of those the lowest keyword_id in its cluster

    def clusters_to_write(self) -> pa.Table:
        """The rows of the mined table click_clusters: clusters of two or more, numbered by their lowest keyword."""
        _, place, sizes = np.unique(self.clusters, return_inverse=True, return_counts=True)
        number = np.cumsum(sizes > 1) - 1
        kept = sizes[place] > 1
        return pa.table(
            {
                "keyword_id": self.keywords[kept],
                "cluster_id": number[place[kept]],
                "cluster_size": sizes[place[kept]],
            }
        )


def number_urls(engine: Engine, clicks: ir.Table) -> ir.Table:
    """Every URL of the clicks: (url, url_id), numbered in code point order."""
    urls = clicks.select("url").distinct()
    return engine.materialise("urls", urls.mutate(url_id=ibis.row_number().over(order_by=urls.url)))


def count_edge_users(engine: Engine, clicks: ir.Table, urls: ir.Table, fading: Decay | None = None) -> ir.Table:
    """Who clicked what: keyword_id, url_id, user_no, clicks, first_date, last_date; a row a keyword, URL and user.

    If clicks fade, also `recent`: the weights of the clicks' days, in the unit of mining.time_decay.
    """
    clicks = clicks.join(urls, "url").mutate(day=ibis._.ts.date())
    counted = {"clicks": clicks.count(), "first_date": clicks.day.min(), "last_date": clicks.day.max()}
    if fading is not None:
        # Clicks after the last search are of its day: they come from the last session.
        clicks = clicks.left_join(fading.days, clicks.day == fading.days.date)
        weight = clicks.day_weight.fill_null((clicks.day > fading.last).ifelse(UNIT, 0))
        counted = {
            "clicks": clicks.count(),
            "first_date": clicks.day.min(),
            "last_date": clicks.day.max(),
            "recent": weight.sum(),
        }
    return engine.materialise("edge_users", clicks.group_by("keyword_id", "url_id", "user_no").agg(**counted))


def find_edges(engine: Engine, edge_users: ir.Table, settings: MiningSettings) -> ir.Table:
    """The edges of the click graph: keyword_id, url_id."""
    edges = _often_clicked(edge_users, settings)
    edges = edges.mutate(keywords=edges.count().over(ibis.window(group_by=edges.url_id)))
    return engine.materialise(
        "click_edges", edges.filter(edges.keywords <= settings.url_max_keywords).select("keyword_id", "url_id")
    )


def urls_of_everything(edge_users: ir.Table, settings: MiningSettings) -> ir.IntegerScalar:
    """How many URLs are left out because they are clicked for too many keywords."""
    by_url = _often_clicked(edge_users, settings).group_by("url_id").agg(keywords=ibis._.count())
    return by_url.filter(by_url.keywords > settings.url_max_keywords).count()


def _often_clicked(edge_users: ir.Table, settings: MiningSettings) -> ir.Table:
    edges = edge_users.group_by("keyword_id", "url_id").agg(clicks=edge_users.clicks.sum(), users=edge_users.count())
    return edges.filter(edges.clicks >= settings.edge_min_clicks, edges.users >= settings.edge_min_users)


def cluster(edges: pa.Table, settings: MiningSettings) -> ClickGraph:
    """Cluster the keywords of the click graph; `edges` are the rows of find_edges by (keyword_id, url_id)."""
    edge_keyword = edges["keyword_id"].to_numpy().astype(np.int64)
    edge_url = edges["url_id"].to_numpy().astype(np.int64)
    keywords, keyword_places = np.unique(edge_keyword, return_inverse=True)
    _, url_places = np.unique(edge_url, return_inverse=True)
    labels, _ = agglomerate(keyword_places, url_places, settings.cluster_similarity)
    return ClickGraph(edge_keyword, edge_url, keywords, keywords[labels])
