"""The operator's industry tree as a forest that can be walked; how many advertisers stand in and below each node."""

from collections.abc import Mapping

import ibis.expr.types as ir
import pyarrow as pa

from mining.engines import Engine
from mining.mined_tables import MINED_TABLES
from mining.recall_tables import industries_above, industry_graph

Node = tuple[str | None, str | None, str | None]
"""parent_id, name_en, name_zh."""


def collect_industries(engine: Engine, industries: ir.Table, advertisers: ir.Table) -> pa.Table:
    """The rows of the mined table industries."""
    columns = ("industry_id", "parent_id", "name_en", "name_zh")
    rows = engine.collect(industries.select(*columns).order_by("industry_id")).to_pylist()
    named = advertisers.filter(advertisers.industry_id.notnull())
    counts = engine.collect(named.group_by("industry_id").agg(advertisers=named.count()).order_by("industry_id"))
    own = dict(zip(counts["industry_id"].to_pylist(), counts["advertisers"].to_pylist(), strict=True))
    return forest({row["industry_id"]: (row["parent_id"], row["name_en"], row["name_zh"]) for row in rows}, own)


def forest(nodes: Mapping[str, Node], advertisers: Mapping[str, int]) -> pa.Table:
    """The rows of the mined table industries, from the tree as written and the advertisers that name each industry.

    An industry that only a parent or an advertiser names is a node without a name. Of a circle of parents the first in
    the order of ids becomes a root.
    """
    import networkx as nx

    known = dict(nodes)
    for name in [*advertisers, *(parent for parent, _, _ in nodes.values() if parent is not None)]:
        known.setdefault(name, (None, None, None))
    parents = {name: node[0] for name, node in known.items()}
    for circle in list(nx.simple_cycles(industry_graph(parents))):
        parents[min(circle)] = None
    totals = dict.fromkeys(known, 0)
    for industry, above in industries_above(parents):
        totals[above] += advertisers.get(industry, 0)
    names = sorted(known)
    columns = {
        "industry_id": names,
        "parent_id": [parents[name] for name in names],
        "name_en": [known[name][1] for name in names],
        "name_zh": [known[name][2] for name in names],
        "advertisers": [totals[name] for name in names],
    }
    return pa.table(columns, schema=MINED_TABLES["industries"].schema)
