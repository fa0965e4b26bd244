"""The SQL that each miner runs on each engine, written down, so that a change of it is seen and meant.

After a change that is meant: `KR_UPDATE_GOLDEN=1 pytest tests/mining/test_golden_sql.py`, and review the difference.
"""

import os
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest

from mining import (
    association_rules,
    auction_landscape,
    bursts,
    buyer_copurchase,
    click_clusters,
    click_neighbors,
    cooccurrence,
    day_sessions,
    embeddings,
    keyword_statistics,
    page_term_vectors,
    recall_tables,
    robots,
    seed_urls,
    sessions,
)
from mining.engines import Engine
from mining.engines.engine import canonical_schema, sql_of
from mining.keywords import distinct_queries
from mining.schema import Table, canonical_tables
from mining.settings import MiningSettings

GOLDEN = Path(__file__).parents[1] / "golden" / "sql"
SETTINGS = MiningSettings()
QUERIES = ibis.table({"query": "string", "query_id": "int32", "keyword_id": "int32"}, name="queries")


class WritingEngine(Engine):
    """Compiles every step to an engine's SQL and runs nothing."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.steps: list[str] = []

    def read(self, table: Table, files: Sequence[Path] = ()) -> ir.Table:
        return ibis.table(canonical_schema(table), name=table.name)

    def register(self, name: str, rows: pa.Table) -> ir.Table:
        return ibis.table(ibis.schema(rows.schema), name=name)

    def materialise(self, name: str, expression: ir.Table) -> ir.Table:
        self.note(name, expression)
        return ibis.table(expression.schema(), name=name)

    def drop(self, *names: str) -> None: ...

    def stream(self, expression: ir.Table) -> Iterator[pa.RecordBatch]:
        # What is collected in between has no rows; the SQL does not depend on it.
        yield from expression.schema().to_pyarrow().empty_table().to_batches()

    def close(self) -> None: ...

    def note(self, name: str, expression: ir.Table) -> None:
        self.steps.append(f"-- step: {name}\n{sql_of(expression, self.dialect)};\n")

    def log(self, name: str) -> ir.Table:
        return self.read(canonical_tables()[name])

    def searches(self) -> ir.Table:
        users = sessions.number_users(self, self.log("searches"), self.log("clicks"))
        return sessions.place_in_sessions(self, self.log("searches"), users, QUERIES, SETTINGS)


USERS = ibis.table({"user_id": "string", "user_no": "int64"}, name="users")


def write_sessions(engine: WritingEngine) -> None:
    engine.note(
        "distinct_queries", distinct_queries(*(engine.log(n) for n in ("searches", "clicks", "ad_events", "bids")))
    )
    counted = engine.searches()
    every = sessions.summarise_sessions(engine, counted)
    sessions.list_session_events(engine, counted, every, SETTINGS)
    engine.note("sessions", sessions.sessions_to_write(every, USERS, SETTINGS))


def write_day_sessions(engine: WritingEngine) -> None:
    placed = day_sessions.place_days(engine, engine.log("searches"), [date(2025, 3, 1), date(2025, 3, 2)], SETTINGS)
    engine.note("day_searches", placed)
    stored = engine.read(day_sessions.DAY_SEARCHES).join(USERS, "user_id").join(QUERIES, "query")
    ends = stored.select(*day_sessions.END_COLUMNS)
    continued = engine.register("continued_days", day_sessions.continued_days(engine.collect(ends), 0, SETTINGS))
    day_sessions.join_rows(engine, stored, continued, first_day=20148)


def write_robots(engine: WritingEngine) -> None:
    searches = engine.searches()
    engine.steps.clear()
    robots.find_robots(engine, searches, USERS, engine.log("clicks"), SETTINGS)


def session_pairs(engine: WritingEngine) -> tuple[ir.Table, ir.Table]:
    counted = engine.searches()
    every = sessions.summarise_sessions(engine, counted)
    events, keywords = sessions.list_session_events(engine, counted, every, SETTINGS)
    engine.steps.clear()
    keyword_sessions = cooccurrence.count_keyword_sessions(engine, keywords)
    decay = cooccurrence.register_decay(engine, SETTINGS)
    pairs = cooccurrence.find_session_pairs(engine, events, keywords, keyword_sessions, decay, SETTINGS)
    return pairs, keyword_sessions


def write_cooccurrence(engine: WritingEngine) -> None:
    pairs, _ = session_pairs(engine)
    engine.note("cooccurrence", cooccurrence.cooccurrence_to_write(pairs))


def write_association_rules(engine: WritingEngine) -> None:
    pairs, keyword_sessions = session_pairs(engine)
    engine.steps.clear()
    engine.note("association_rules", association_rules.find_rules(pairs, keyword_sessions, 1000, SETTINGS))


def write_keyword_statistics(engine: WritingEngine) -> None:
    counted = engine.searches()
    engine.steps.clear()
    months = keyword_statistics.months_between(date(2024, 1, 1), date(2025, 3, 31))
    keyword_months = keyword_statistics.count_months(
        engine, counted, keyword_statistics.register_months(engine, months)
    )
    engine.note("keyword_segments", keyword_statistics.count_segments(counted))
    engine.note("keyword_spellings", keyword_statistics.count_spellings(counted, QUERIES))
    demand = keyword_statistics.count_demand(engine, counted, keyword_months, len(months))
    ad_events = engine.log("ad_events").join(QUERIES, "query")
    bids = engine.log("bids").join(QUERIES.select("keyword_id", keyword="query"), "keyword")
    auction = keyword_statistics.count_auction(engine, ad_events, bids, SETTINGS)
    clicks = ibis.table({"keyword_id": "int32", "clicks": "int64"}, name="edge_users")
    engine.note("keyword_statistics", keyword_statistics.statistics_to_write(demand, clicks, auction, SETTINGS))


def write_click_clusters(engine: WritingEngine) -> None:
    clicks = engine.log("clicks").join(QUERIES, "query").join(USERS, "user_id")
    urls = click_clusters.number_urls(engine, clicks)
    edge_users = click_clusters.count_edge_users(engine, clicks, urls)
    edges = click_clusters.find_edges(engine, edge_users, SETTINGS)
    pairs = ibis.table({"pair_id": "int64", "low_id": "int64", "high_id": "int64"}, name="click_pairs")
    steps = ibis.table({"pair_id": "int64", "keyword_id": "int64", "url_id": "int64"}, name="path_steps")
    engine.note("click_neighbors", click_neighbors.weigh_pairs(pairs, steps, edges, edge_users))


def write_embeddings(engine: WritingEngine) -> None:
    counted = engine.searches()
    every = sessions.summarise_sessions(engine, counted)
    events, _ = sessions.list_session_events(engine, counted, every, SETTINGS)
    clicks = engine.log("clicks").join(QUERIES, "query").join(USERS, "user_id")
    urls = click_clusters.number_urls(engine, clicks)
    edge_users = click_clusters.count_edge_users(engine, clicks, urls)
    engine.steps.clear()
    engine.note("session_queries", embeddings.draw_session_queries(events, 3))
    engine.note("page_queries", embeddings.draw_page_queries(edge_users, 2))
    engine.note("titles", embeddings.draw_titles(engine.log("pages"), urls, 2))


EDGES = ibis.table({"keyword_id": "int32", "url_id": "int64"}, name="click_edges")
EDGE_USERS = ibis.table(
    {
        "keyword_id": "int32",
        "url_id": "int64",
        "user_no": "int64",
        "clicks": "int64",
        "first_date": "date",
        "last_date": "date",
    },
    name="edge_users",
)


def write_page_term_vectors(engine: WritingEngine) -> None:
    urls = ibis.table({"url": "string", "url_id": "int64"}, name="urls")
    clicked = page_term_vectors.find_clicked_pages(engine, engine.log("pages"), urls, EDGES, SETTINGS)
    popularity, _ = page_term_vectors.count_popularity(engine, clicked, EDGES, EDGE_USERS, SETTINGS)
    engine.note("page_popularity", popularity)


def write_seed_urls(engine: WritingEngine) -> None:
    urls = ibis.table({"url": "string", "url_id": "int64"}, name="urls")
    pages, keywords = seed_urls.find_seed_pages(engine, EDGES, EDGE_USERS, urls, SETTINGS)
    engine.note("seed_urls", seed_urls.with_titles(pages, engine.log("pages")))
    engine.note("seed_url_keywords", keywords)


def purchases(engine: WritingEngine) -> tuple[ir.Table, ir.Table, ir.Table]:
    bought = QUERIES.select("keyword_id", keyword="query")
    logs = (engine.log(name).join(bought, "keyword") for name in ("bids", "ad_events"))
    found, accounts = buyer_copurchase.find_purchases(engine, *logs, SETTINGS)
    return found, accounts, buyer_copurchase.count_buyers(engine, found)


def write_buyer_copurchase(engine: WritingEngine) -> None:
    bought, _, buyers = purchases(engine)
    engine.note("copurchase", buyer_copurchase.find_copurchases(engine, bought, buyers, SETTINGS))
    pairs = ibis.table({"keyword_id": "int32", "neighbor_id": "int32", "similarity": "float64"}, name="factor_pairs")
    engine.note("buyer_factors", buyer_copurchase.weigh_pairs(pairs, bought, buyers))


def write_recall_tables(engine: WritingEngine) -> None:
    bought, accounts, buyers = purchases(engine)
    engine.steps.clear()
    placed = ibis.table({"advertiser_no": "int64", "industry_id": "string"}, name="account_industries")
    found = recall_tables.find_industry_keywords(engine, bought, buyers, placed, SETTINGS)
    engine.note("industry_keywords", found)
    columns = {"advertiser_no": "int64", "keyword_id": "int32", "score": "float64", "walk": "float64"}
    candidates = ibis.table({**columns, "factor": "float64"}, name="account_candidates")
    found = recall_tables.find_account_evidence(engine, candidates, bought, accounts, buyers)
    engine.note("account_keywords", found)


def write_auction_landscape(engine: WritingEngine) -> None:
    counted = engine.searches()
    engine.steps.clear()
    ad_events = engine.log("ad_events").join(QUERIES, "query")
    weeks = auction_landscape.count_searched_weeks(engine, counted)
    ad_events = auction_landscape.without_repeated_clicks(engine, ad_events, SETTINGS)
    quality = auction_landscape.rank_advertisers(engine, ad_events, SETTINGS)
    slots = auction_landscape.count_slots(engine, ad_events, quality)
    engine.note("keyword_weeks", auction_landscape.count_weeks(engine, weeks, ad_events, quality, slots))
    searches = engine.log("searches").join(QUERIES, "query")
    pages = auction_landscape.sample_pages(engine, searches, ad_events, engine.log("bids"), quality, SETTINGS)
    engine.note("auction_pages", pages)
    totals = ibis.table({"keyword_id": "int32", "searches": "int64"}, name="keyword_totals")
    engine.note("match_shares", auction_landscape.count_match_shares(ad_events, totals, SETTINGS))


def write_bursts(engine: WritingEngine) -> None:
    counted = engine.searches()
    engine.steps.clear()
    bursts.count_days(engine, counted)
    columns = {"keyword_id": "int64", "first_date": "date", "last_date": "date", "observed": "int64"}
    intervals = ibis.table({**columns, "expected": "float64", "score": "float64"}, name="burst_intervals")
    engine.note("bursts", bursts.weigh_bursts(counted, intervals, SETTINGS))


MINERS = {
    "sessions": write_sessions,
    "day_sessions": write_day_sessions,
    "robots": write_robots,
    "cooccurrence": write_cooccurrence,
    "association_rules": write_association_rules,
    "keyword_statistics": write_keyword_statistics,
    "click_clusters": write_click_clusters,
    "embeddings": write_embeddings,
    "page_term_vectors": write_page_term_vectors,
    "seed_urls": write_seed_urls,
    "buyer_copurchase": write_buyer_copurchase,
    "recall_tables": write_recall_tables,
    "bursts": write_bursts,
    "auction_landscape": write_auction_landscape,
}


DIALECTS = {"duckdb": "duckdb", "spark": "pyspark"}


@pytest.mark.parametrize("engine_name", DIALECTS)
@pytest.mark.parametrize("miner", MINERS)
def test_the_sql_of_a_miner_is_the_one_written_down(miner: str, engine_name: str) -> None:
    if engine_name == "spark":
        pytest.importorskip("pyspark", reason="pyspark is not installed: pip install 'kr[spark]'")
    engine = WritingEngine(DIALECTS[engine_name])
    MINERS[miner](engine)
    sql = "\n".join(engine.steps)
    path = GOLDEN / f"{miner}.{engine_name}.sql"
    if os.environ.get("KR_UPDATE_GOLDEN"):
        path.write_text(sql, encoding="utf-8")
    assert path.is_file(), f"{path.name} is not written down yet: run with KR_UPDATE_GOLDEN=1"
    assert sql == path.read_text(encoding="utf-8")


def test_every_written_sql_belongs_to_a_miner() -> None:
    written = {f"{miner}.{engine_name}.sql" for miner in MINERS for engine_name in DIALECTS}
    assert {path.name for path in GOLDEN.iterdir()} == written
