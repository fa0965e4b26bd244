"""Recall tables (SPEC §1.9): which keywords to think of for an account (u2i), a keyword (i2i) and an industry (c2i).

i2i are the tables of pairs. Nothing that an account owns is left out here: the online path knows what is owned today.

c2i: of an industry's a advertisers n buy a keyword, which has b buyers in all. The score is the cosine n / √(a · b),
shrunk as for copurchase. Advertisers count for every industry above their own.

u2i: keywords of the account's walk and of its factors, fused by reciprocal ranks (Cormack, Clarke & Büttcher 2009):
score = Σ 1 / (60 + rank) over the lists that hold the keyword. Evidence: how many advertisers buy the keyword, how many
of them are other advertisers that buy something that the account buys too, and whether the account buys the keyword.
Keywords of fewer advertisers than the minimum are in no list: they would tell one advertiser what another does.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from mining.buyer_factors import RankedList
from mining.engines import Engine
from mining.settings import MiningSettings

if TYPE_CHECKING:
    import networkx as nx

RANK_OFFSET = 60
"""The constant of reciprocal rank fusion, as its authors chose it."""


def industry_graph(parents: Mapping[str, str | None]) -> "nx.DiGraph[str]":
    """Each industry with an edge to the one above it, which need not be among them."""
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(parents)
    graph.add_edges_from((industry, parent) for industry, parent in parents.items() if parent is not None)
    return graph


def industries_above(parents: Mapping[str, str | None]) -> list[tuple[str, str]]:
    """(industry, itself or an industry above it) of each industry; a circle of parents ends where it closes."""
    import networkx as nx

    graph = industry_graph(parents)
    return [(industry, above) for industry in sorted(parents) for above in nx.dfs_preorder_nodes(graph, industry)]


def register_industries(
    engine: Engine, industries: ir.Table, advertisers: ir.Table, accounts: ir.Table
) -> tuple[ir.Table, ir.Table]:
    """The engine's table (advertiser_no, industry_id): each account under its industry and all above; and the same
    (advertiser_id, industry_id) of all advertisers.
    """
    tree = engine.collect(industries.select("industry_id", "parent_id").order_by("industry_id"))
    parents: dict[str, str | None] = dict(zip(*(tree[name].to_pylist() for name in tree.column_names), strict=True))
    # Advertisers may name industries that the tree does not have; they stand for themselves.
    named = engine.collect(advertisers.select("industry_id").distinct().order_by("industry_id"))["industry_id"]
    for industry in named.drop_null().to_pylist():
        parents.setdefault(industry, None)
    pairs = industries_above(parents)
    above = engine.register(
        "industries_above",
        pa.table(
            {
                "industry_id": pa.array([industry for industry, _ in pairs], pa.string()),
                "above_id": pa.array([above for _, above in pairs], pa.string()),
            }
        ),
    )
    placed = advertisers.join(above, "industry_id")
    everyone = engine.materialise(
        "advertiser_industries", placed.select("advertiser_id", industry_id=placed.above_id).distinct()
    )
    with_purchases = everyone.join(accounts, "advertiser_id").select("advertiser_no", "industry_id")
    return engine.materialise("account_industries", with_purchases), everyone


def find_industry_keywords(
    engine: Engine, purchases: ir.Table, buyers: ir.Table, account_industries: ir.Table, settings: MiningSettings
) -> ir.Table:
    """The rows of the mined table industry_keywords."""
    known = account_industries.semi_join(purchases, "advertiser_no")
    sizes = known.group_by("industry_id").agg(industry_advertisers=known.count())
    placed = purchases.join(account_industries, "advertiser_no")
    found = placed.group_by("industry_id", "keyword_id").agg(
        advertisers=placed.count(), first_date=placed.first_date.min(), last_date=placed.last_date.max()
    )
    found = found.filter(found.advertisers >= settings.min_advertisers)
    found = found.join(sizes, "industry_id").join(buyers.select("keyword_id", "buyers"), "keyword_id")
    common = found.advertisers.cast("float64")
    cosine = common / (found.industry_advertisers.cast("float64") * found.buyers.cast("float64")).sqrt()
    scored = engine.materialise(
        "scored_industry_keywords",
        found.mutate(score=cosine * common / (common + settings.copurchase_shrinkage)),
    )
    best_first = ibis.window(group_by=scored.industry_id, order_by=[scored.score.desc(), scored.keyword_id])
    ranked = scored.mutate(place=ibis.row_number().over(best_first))
    return ranked.filter(ranked.place < settings.recall_keywords).drop("place")


def fuse_account_lists(walks: RankedList, factors: RankedList, keyword_count: int, most: int) -> pa.Table:
    """Places of accounts and keywords with score, walk and factor (null where a list lacks the keyword).

    Columns: account, keyword, score, walk, factor; the `most` greatest scores of each account, by (account, keyword).
    """
    keys, ranks = [], []
    for account, keyword, _ in (walks, factors):
        keys.append(account * keyword_count + keyword)
        ranks.append(np.arange(len(account)) - np.searchsorted(account, account) + 1)
    distinct = np.unique(np.concatenate(keys))
    score = np.zeros(len(distinct))
    values = []
    for key, rank, (_, _, value) in zip(keys, ranks, (walks, factors), strict=True):
        place = np.searchsorted(distinct, key)
        score[place] += 1 / (RANK_OFFSET + rank)
        known = np.full(len(distinct), np.nan)
        known[place] = value
        values.append(pa.array(known, mask=np.isnan(known)))
    account, keyword = distinct // max(keyword_count, 1), distinct % max(keyword_count, 1)
    order = np.lexsort((keyword, -score, account))
    ranked = account[order]
    kept = np.sort(order[np.arange(len(order)) - np.searchsorted(ranked, ranked) < most])
    table = pa.table({"account": account, "keyword": keyword, "score": score, "walk": values[0], "factor": values[1]})
    return table.take(pa.array(kept))


def find_account_evidence(
    engine: Engine, candidates: ir.Table, purchases: ir.Table, accounts: ir.Table, buyers: ir.Table
) -> ir.Table:
    """The rows of the mined table account_keywords, from (advertiser_no, keyword_id, score, walk, factor)."""
    own, theirs = purchases, purchases.view()
    meeting = own.join(theirs, [own.keyword_id == theirs.keyword_id, own.advertiser_no != theirs.advertiser_no])
    similar = engine.materialise(
        "similar_accounts", meeting.select(own.advertiser_no, buyer_no=theirs.advertiser_no).distinct()
    )
    bought = purchases.select("keyword_id", buyer_no="advertiser_no")
    buying = candidates.select("advertiser_no", "keyword_id").join(bought, "keyword_id")
    buying = buying.semi_join(similar, ["advertiser_no", "buyer_no"])
    linked = engine.materialise(
        "similar_buyers", buying.group_by("advertiser_no", "keyword_id").agg(similar_advertisers=buying.count())
    )
    owned = purchases.select("advertiser_no", "keyword_id", owned=ibis.literal(True))
    rows = candidates.join(accounts, "advertiser_no").join(buyers, "keyword_id")
    for found in (linked, owned):
        wanted = [*rows.columns, found.columns[-1]]
        rows = rows.left_join(found, ["advertiser_no", "keyword_id"]).select(*wanted)
    return rows.select(
        "advertiser_id", "keyword_id", "score", "walk", "factor", "first_date", "last_date",
        owned=rows.owned.fill_null(False),
        similar_advertisers=rows.similar_advertisers.fill_null(0),
        advertisers=rows.buyers,
    )  # fmt: skip
