"""The pairs of keywords that each miner found, with their strength: one list of miners for whoever reads them all."""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from indexes.arrays import Array
from mining.pair_strength import (
    buyer_factor_strength,
    buyer_walk_strength,
    click_cluster_strength,
    content_click_strength,
    cooccurrence_strength,
    copurchase_strength,
    page_term_strength,
    rule_strength,
)
from mining.time_decay import faded


@dataclass(frozen=True)
class Demand:
    """What strengths may need of the log beside the pairs: searches of both keywords of each pair, and all sessions."""

    keyword_searches: Array
    neighbor_searches: Array
    sessions: int


@dataclass(frozen=True)
class PairMiner:
    """A miner of pairs: its mined table, and the strength (float32) of that table's rows."""

    table: str
    strength: Callable[[pa.Table, Demand], Array]


def _columns(rows: pa.Table, *names: str) -> list[Array]:
    return [rows[name].to_numpy() for name in names]


PAIR_MINERS = {
    "cooccurrence": PairMiner(
        "cooccurrence",
        lambda rows, demand: faded(
            cooccurrence_strength(
                rows["sessions"].to_numpy(),
                rows["users"].to_numpy(),
                demand.keyword_searches,
                demand.neighbor_searches,
                demand.sessions,
            ),
            rows["recency"],
        ),
    ),
    "association_rules": PairMiner(
        "association_rules",
        lambda rows, _: faded(rule_strength(*_columns(rows, "lift", "support", "users")), rows["recency"]),
    ),
    "click_clusters": PairMiner(
        "click_neighbors",
        lambda rows, _: faded(
            click_cluster_strength(*_columns(rows, "similarity", "shared_urls", "users")), rows["recency"]
        ),
    ),
    "content_click": PairMiner(
        "content_click_neighbors",
        lambda rows, _: faded(content_click_strength(*_columns(rows, "similarity", "users")), rows["recency"]),
    ),
    "page_terms": PairMiner(
        "page_term_neighbors",
        lambda rows, _: faded(page_term_strength(*_columns(rows, "similarity", "users")), rows["recency"]),
    ),
    "copurchase": PairMiner("copurchase", lambda rows, _: copurchase_strength(*_columns(rows, "weight"))),
    "buyer_factors": PairMiner(
        "buyer_factors", lambda rows, _: buyer_factor_strength(*_columns(rows, "similarity", "advertisers"))
    ),
    "buyer_walks": PairMiner(
        "buyer_walks", lambda rows, _: buyer_walk_strength(*_columns(rows, "probability", "advertisers"))
    ),
}
"""Every miner of pairs by the name that it has in evaluations and in snapshots."""
