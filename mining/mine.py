"""Mining: from the canonical logs to the mined tables, all miners in order.

One thread, this one, asks the engine and writes the tables, always in the same order. What is computed of arrays runs
beside it (`mining.computations`): announced as early as its input is known, written last.
"""

import json
import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import date, datetime
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from indexes.compile_kernels import compiling_beside
from indexes.errors import KRError, UsageError
from indexes.terminal import Advance, progress, say
from mining import (
    auction_landscape,
    bursts,
    click_clusters,
    cooccurrence,
    embeddings,
    keyword_statistics,
    sessions,
    time_decay,
    topics,
)
from mining.association_rules import find_rules
from mining.buyer_miners import ACCOUNT_TABLES, BUYER_TABLES, BuyerMiners
from mining.canonical_logs import LogFiles, find_log_files
from mining.click_miners import ClickMiners
from mining.computations import Computation, Computations
from mining.day_store import open_day_store
from mining.days import MinedDays, mine_days, read_days
from mining.engines import Engine, open_engine
from mining.fusion import FUSED_PAIRS, write_fused_pairs, write_no_fused_pairs
from mining.fusion_model import FusionModel
from mining.industries import collect_industries
from mining.keyword_statistics import Month, months_between
from mining.keywords import distinct_queries, number_keywords
from mining.mined_tables import MINED_TABLES
from mining.missing_days import find_missing_days
from mining.output_folder import output_folder
from mining.repeated_rows import require_rows_once
from mining.robots import find_robots
from mining.settings import MiningSettings
from mining.table_writer import TableWriter

FORMAT_VERSION = 1
REPORT = "mining_report.json"
READ_TABLES = ("searches", "clicks", "ad_events", "bids", "pages", "advertisers", "industries")
STAGES = 10
SHOWN_DAYS = 5
COMPILE_FROM = 100_000
"""Searches from which mining compiles its kernels beside its first stages."""
Words = tuple[pa.Table, pa.Table, pa.Table]
"""The rows of term_vectors, topic_terms and topics."""
LARGE_SHARE = 0.1
"""From this share of all searches on, one user is worth a word."""


def mine(
    logs: Path,
    out: Path,
    settings: MiningSettings,
    engine: str = "duckdb",
    days: Path | None = None,
    demand_only: bool = False,
) -> dict[str, Any]:
    """Mine the canonical tables under `logs`, write the mined tables to `out`, and return the mining report.

    `out` appears whole or not at all; an earlier mining there is replaced. The same logs and settings give the same
    bytes. Missing tables are unknowns, not errors, except searches. With a folder `days`, what is mined of each day
    alone is kept there and taken from there while the day does not change; the tables are the same, and the report that
    is returned also says how many days were mined and reused. With `demand_only` the tables of demand and of auctions
    are mined, and the others, of what keywords have to do with each other, have no rows. Raises NotFoundError if there
    is no `logs`, CorruptError if a file is damaged, UsageError if there is no search to mine, rows are in the logs
    twice, or `out` or `days` holds something else, and TryAgainError if another process is mining into `out` or with
    `days`.
    """
    files = {name: find_log_files(logs, name) for name in READ_TABLES}
    if not files["searches"].rows:
        raise UsageError(f"{logs} holds no searches, so there is nothing to mine.", "Ingest a log that has some.")
    # A model that cannot be used is better refused now than at the end.
    model = FusionModel.read(Path(settings.fusion_model), settings.threads) if settings.fusion_model else None
    require_rows_once(logs, files, settings)
    try:
        if days is None:
            return _mine_whole(files, out, settings, engine, None, model, demand_only)
        with open_day_store(days) as store:
            mined = mine_days(store, files["searches"], read_days(store, files["searches"], settings), settings, engine)
            return _mine_whole(files, out, settings, engine, mined, model, demand_only) | mined.summary
    except MemoryError as error:
        raise KRError(
            f"There was not enough memory to mine {logs}: {error}",
            "Mine fewer days with --set window_days=N, or on a machine with more memory.",
        ) from error


def _mine_whole(
    files: dict[str, LogFiles],
    out: Path,
    settings: MiningSettings,
    engine: str,
    days: MinedDays | None,
    model: FusionModel | None,
    demand_only: bool,
) -> dict[str, Any]:
    many = files["searches"].rows >= COMPILE_FROM
    with output_folder(out, REPORT) as folder, compiling_beside("mining.compile_kernels") if many else nullcontext():
        spill = folder / "spill"
        spill.mkdir()
        with (
            open_engine(engine, spill, settings.threads, settings.memory_mb) as opened,
            Computations(settings.threads) as computations,
            progress("mine", STAGES) as advance,
        ):
            report = _Mining(opened, computations, files, settings, folder, days).run(advance, demand_only)
        shutil.rmtree(spill)
        _write_report(folder, report)
        report["counts"][FUSED_PAIRS] = write_fused_pairs(folder, model) if model else write_no_fused_pairs(folder)
        report["fusion_model_sha256"] = model.sha256 if model else None
        _write_report(folder, report)
    return report


def _write_report(folder: Path, report: dict[str, Any]) -> None:
    (folder / REPORT).write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


class _Mining:
    """One run: the stages in order, and what they count on the way."""

    def __init__(
        self,
        engine: Engine,
        computations: Computations,
        files: dict[str, LogFiles],
        settings: MiningSettings,
        folder: Path,
        days: MinedDays | None,
    ) -> None:
        self.engine, self.files, self.settings, self.days = engine, files, settings, days
        self.computations = computations
        self.logs = {name: engine.read(found.table, found.files) for name, found in files.items()}
        self.has = {name: bool(found.files) for name, found in files.items()}
        self.set_aside: dict[str, int] = {}
        self._folder = folder

    def run(self, advance: Advance, demand_only: bool) -> dict[str, Any]:
        """Mine everything, or demand and auctions only; return the report."""
        window = self._window()
        missing = self._missing_days(window)
        months = months_between(window[0].date(), window[1].date(), missing)
        self.fading = time_decay.register_decay(
            self.engine, window[0].date(), window[1].date(), self.settings.half_life_days
        )
        robots, counted, users, queries = self._find_searches()
        self._finish_stage(advance)

        demand = self._mine_demand(counted, queries, months)
        self._finish_stage(advance)
        edge_users, urls, people_events = self._people(demand, robots, queries, users)
        if demand_only:
            self._write_statistics(demand, edge_users, people_events, queries)
            self._write_landscape(demand, robots, people_events, queries)
            self.writer.write_nothing(*(name for name in MINED_TABLES if name not in (*self.counts, FUSED_PAIRS)))
            return self._report(window, months, missing)
        clicks = self._read_clicks(demand, edge_users, urls)
        self._finish_stage(advance)
        words = self._read_words(self._mine_session_pairs(counted, users), edge_users, urls)
        self._finish_stage(advance)
        self._mine_bursts(counted, window)
        self.engine.drop("session_searches")
        self._finish_stage(advance)
        self._write_statistics(demand, edge_users, people_events, queries)
        self._write_landscape(demand, robots, people_events, queries)
        self._finish_stage(advance)
        clicks.mine_seed_urls(self.logs["pages"])
        self._keep_pages()
        self._mine_buyers(demand, robots, queries)
        self._finish_stage(advance)
        clicks.write_clusters()
        self._finish_stage(advance)
        clicks.write_content_and_clicks()
        clicks.write_page_terms()
        self._finish_stage(advance)
        self._write_words(words)
        self._finish_stage(advance)
        return self._report(window, months, missing)

    def _finish_stage(self, advance: Advance) -> None:
        self.computations.raise_failures()
        advance(1)

    def _find_searches(self) -> tuple[ir.Table, ir.Table, ir.Table, ir.Table]:
        """Number users and keywords, and tell people from robots: robots, people's searches, users, queries."""
        logs, engine, settings = self.logs, self.engine, self.settings
        users = sessions.number_users(engine, logs["searches"], logs["clicks"])
        queries, keywords = number_keywords(
            engine, distinct_queries(logs["searches"], logs["clicks"], logs["ad_events"], logs["bids"])
        )
        self.writer = TableWriter(engine, self._folder, keywords)
        self.counts = self.writer.counts
        if self.days:
            searches = self.days.place_searches(engine, users, queries, settings)
        else:
            searches = sessions.place_in_sessions(engine, logs["searches"], users, queries, settings)
        robots = find_robots(engine, searches, users, logs["clicks"] if self.has["clicks"] else None, settings)
        self.writer.write("robot_users", robots)
        counted = searches.anti_join(robots, "user_no")
        self._count_searches(searches, robots, counted)
        return robots, counted, users, queries

    def _window(self) -> tuple[datetime, datetime]:
        """The first and last search that are mined; what was logged before the window is left out from here on."""
        first, last, rows = self._span()
        self.set_aside["searches_before_window"] = 0
        if self.settings.window_days is not None:
            begin = ibis.timestamp(f"{self.settings.first_day(last.date()).isoformat()} 00:00:00")
            for name in ("searches", "clicks", "ad_events"):
                self.logs[name] = self.logs[name].filter(self.logs[name].ts >= begin)
            first, last, inside = self._span()
            self.set_aside["searches_before_window"] = rows - inside
        return first, last

    def _missing_days(self, window: tuple[datetime, datetime]) -> list[date]:
        first, last = (moment.date() for moment in window)
        missing = find_missing_days(self.engine, self.logs["searches"], first, last, self.settings)
        if missing:
            shown = ", ".join(str(day) for day in missing[:SHOWN_DAYS]) + (" …" if len(missing) > SHOWN_DAYS else "")
            say(f"  {len(missing):,} days have no searches ({shown}): their months do not count as complete")
        return missing

    def _span(self) -> tuple[datetime, datetime, int]:
        searches = self.logs["searches"]
        spanned = searches.agg(first=searches.ts.min(), last=searches.ts.max(), rows=searches.count())
        row = self.engine.collect(spanned).to_pylist()[0]
        return row["first"], row["last"], row["rows"]

    def _count_searches(self, searches: ir.Table, robots: ir.Table, counted: ir.Table) -> None:
        with_keyword = self.writer.number(searches.count())
        self.counts["searches"] = self.writer.number(counted.count())
        self.counts["users"] = self.writer.number(counted.user_no.nunique())
        in_window = self.files["searches"].rows - self.set_aside["searches_before_window"]
        self.set_aside["empty_query_searches"] = in_window - with_keyword
        by_user = counted.group_by("user_no").agg(searches=counted.count())
        busiest = self.counts["busiest_user_searches"] = self.writer.number(by_user.searches.max())
        if self.counts["users"] > 1 / LARGE_SHARE and busiest > LARGE_SHARE * self.counts["searches"]:
            say(
                f"  one user made {busiest:,} of {self.counts['searches']:,} searches and is not taken for a robot: "
                "volumes lean towards that user; see --set robot_daily_searches=N"
            )
        self.set_aside["robot_users"] = self.writer.number(robots.count())
        self.set_aside["robot_searches"] = with_keyword - self.counts["searches"]

    def _mine_demand(self, counted: ir.Table, queries: ir.Table, months: Sequence[Month]) -> ir.Table:
        calendar = keyword_statistics.register_months(self.engine, months)
        keyword_months = keyword_statistics.count_months(self.engine, counted, calendar)
        self.writer.write("keyword_months", keyword_months)
        self.writer.write("keyword_segments", keyword_statistics.count_segments(counted))
        self.writer.write("keyword_spellings", keyword_statistics.count_spellings(counted, queries))
        self.weeks = auction_landscape.count_searched_weeks(self.engine, counted)
        complete = sum(month.complete for month in months)
        return keyword_statistics.count_demand(self.engine, counted, keyword_months, complete)

    def _mine_session_pairs(self, counted: ir.Table, users: ir.Table) -> pa.Table:
        """Write what sessions tell; return the searches that embeddings learn from."""
        engine, settings = self.engine, self.settings
        all_sessions = sessions.summarise_sessions(engine, counted)
        self.writer.write("sessions", sessions.sessions_to_write(all_sessions, users, settings))
        too_long = all_sessions.filter(all_sessions.queries > settings.session_max_queries)
        self.set_aside["long_sessions"] = self.writer.number(too_long.count())
        self.set_aside["long_session_searches"] = self.writer.number(too_long.searches.sum())
        events, session_keywords = sessions.list_session_events(engine, counted, all_sessions, settings)
        keyword_sessions = cooccurrence.count_keyword_sessions(engine, session_keywords)
        decay = cooccurrence.register_decay(engine, settings)
        weights, log_recency = None, 1.0
        if self.fading:
            kept = all_sessions.filter(all_sessions.queries <= settings.session_max_queries)
            weights = self.fading.of_sessions(engine, kept)
            log_recency = time_decay.average(engine, weights, "day_weight", weights.count())
        pairs = cooccurrence.find_session_pairs(
            engine, events, session_keywords, keyword_sessions, decay, settings, weights, log_recency
        )
        self.writer.write("cooccurrence", cooccurrence.cooccurrence_to_write(pairs))
        rules = find_rules(pairs, keyword_sessions, self.counts["sessions"], settings)
        self.writer.write("association_rules", rules)
        every = embeddings.stride(self.writer.number(events.count()), settings.embedding_session_queries)
        drawn = embeddings.draw_session_queries(events, every)
        session_queries = engine.collect(drawn.order_by("session", "position"))
        engine.drop("all_sessions", "session_events", "session_keywords", "pairing_events", "session_pairs")
        return session_queries

    def _people(
        self, demand: ir.Table, robots: ir.Table, queries: ir.Table, users: ir.Table
    ) -> tuple[ir.Table, ir.Table, ir.Table]:
        """What people, not robots, did for keywords that they searched: who clicked what, the URLs, the ad events."""
        clicks, ad_events = (
            self.logs[name].anti_join(robots, "user_id").join(queries, "query").semi_join(demand, "keyword_id")
            for name in ("clicks", "ad_events")
        )
        clicks = clicks.join(users, "user_id")
        urls = click_clusters.number_urls(self.engine, clicks)
        return click_clusters.count_edge_users(self.engine, clicks, urls, self.fading), urls, ad_events

    def _write_statistics(self, demand: ir.Table, edge_users: ir.Table, ad_events: ir.Table, queries: ir.Table) -> None:
        bids = self.logs["bids"].join(queries.select("keyword_id", keyword="query"), "keyword")
        auction = keyword_statistics.count_auction(
            self.engine,
            ad_events if self.has["ad_events"] else None,
            bids if self.has["bids"] else None,
            self.settings,
        )
        clicks = edge_users if self.has["clicks"] else None
        self.writer.write(
            "keyword_statistics", keyword_statistics.statistics_to_write(demand, clicks, auction, self.settings)
        )

    def _write_landscape(self, demand: ir.Table, robots: ir.Table, ad_events: ir.Table, queries: ir.Table) -> None:
        """Write what forecasts are made from; without ads, only the weeks of searches."""
        engine, settings, writer = self.engine, self.settings, self.writer
        if not self.has["ad_events"]:
            writer.write("keyword_weeks", auction_landscape.count_weeks(engine, self.weeks))
            writer.write_nothing("slot_rates", "auction_pages", "match_shares")
            engine.drop("searched_weeks")
            return
        clicks = ad_events.filter(ad_events.event == "click").count()
        counted = auction_landscape.without_repeated_clicks(engine, ad_events, settings)
        kept = counted.filter(counted.event == "click").count()
        self.set_aside["repeated_ad_clicks"] = writer.number(clicks) - writer.number(kept)
        ad_events = counted
        quality = auction_landscape.rank_advertisers(engine, ad_events, settings)
        slots = auction_landscape.count_slots(engine, ad_events, quality)
        writer.write("slot_rates", slots)
        writer.write("keyword_weeks", auction_landscape.count_weeks(engine, self.weeks, ad_events, quality, slots))
        searches = self.logs["searches"].anti_join(robots, "user_id").join(queries, "query")
        pages = auction_landscape.sample_pages(engine, searches, ad_events, self.logs["bids"], quality, settings)
        writer.write("auction_pages", pages)
        writer.write("match_shares", auction_landscape.count_match_shares(ad_events, demand, settings))
        engine.drop(*auction_landscape.SCRATCH_TABLES)

    def _mine_bursts(self, counted: ir.Table, window: tuple[datetime, datetime]) -> None:
        days = bursts.count_days(self.engine, counted)
        first, last = (moment.date() for moment in window)
        self.writer.write("bursts", bursts.find_bursts(self.engine, counted, days, first, last, self.settings))
        self.engine.drop("keyword_days", "burst_intervals")

    def _read_words(self, session_queries: pa.Table, edge_users: ir.Table, urls: ir.Table) -> Computation[Words]:
        """Read what term vectors and topics are learned from, and announce the learning."""
        settings, keywords = self.settings, self.writer.keywords
        pairs = edge_users.select("url_id", "keyword_id").distinct()
        every = embeddings.stride(self.writer.number(pairs.count()), settings.embedding_page_queries)
        drawn = embeddings.draw_page_queries(edge_users, every)
        page_queries = self.engine.collect(drawn.order_by("url_id", "place"))
        titles = self.engine.collect(embeddings.draw_titles(self.logs["pages"], urls, every))

        def learn() -> Words:
            corpus = list(embeddings.sentences(page_queries, titles, session_queries, keywords))
            return embeddings.train(corpus, settings), *topics.train_topics(corpus, settings)

        return self.computations.announce("term vectors and topics", learn)

    def _write_words(self, words: Computation[Words]) -> None:
        for name, rows in zip(("term_vectors", "topic_terms", "topics"), words.result(), strict=True):
            self.writer.write_rows(name, rows)

    def _read_clicks(self, demand: ir.Table, edge_users: ir.Table, urls: ir.Table) -> ClickMiners:
        self.set_aside["urls_of_everything"] = self.writer.number(
            click_clusters.urls_of_everything(edge_users, self.settings)
        )
        pages = self.logs["pages"] if self.has["pages"] else None
        return ClickMiners(self.writer, self.computations, edge_users, urls, demand, pages, self.settings)

    def _keep_pages(self) -> None:
        """Write what an advertiser's page is answered from without fetching it (SPEC §2.9)."""
        if not self.has["pages"]:
            self.writer.write_nothing("crawled_pages")
            return
        pages = self.logs["pages"]
        beginning = pages.text.left(self.settings.crawled_text_characters)
        self.writer.write("crawled_pages", pages.select("url", "title", text=beginning))

    def _mine_buyers(self, demand: ir.Table, robots: ir.Table, queries: ir.Table) -> None:
        """Bids and shown ads by the keyword bid on, of keywords that people search."""
        tree = collect_industries(self.engine, self.logs["industries"], self.logs["advertisers"])
        self.writer.write_rows("industries", tree)
        if not (self.has["bids"] or self.has["ad_events"]):
            self.writer.write_nothing(*BUYER_TABLES, *ACCOUNT_TABLES)
            return
        bought = queries.select("keyword_id", keyword="query").semi_join(demand, "keyword_id")
        bids = self.logs["bids"].join(bought, "keyword")
        ad_events = self.logs["ad_events"].anti_join(robots, "user_id").join(bought, "keyword")
        buyers = BuyerMiners(self.writer, bids, ad_events, self.settings)
        self.counts["accounts"], self.set_aside["accounts_of_everything"] = buyers.count_accounts()
        buyers.run(self.logs["advertisers"], self.logs["industries"])

    def _report(
        self, window: tuple[datetime, datetime], months: Sequence[Month], missing: Sequence[date]
    ) -> dict[str, Any]:
        first, last = (f"{moment.isoformat(timespec='microseconds')}Z" for moment in window)
        return {
            "format_version": FORMAT_VERSION,
            "window": {"first_ts": first, "last_ts": last},
            "months": [{"month": month.first_day.isoformat(), "complete": month.complete} for month in months],
            "missing_days": [day.isoformat() for day in missing],
            "inputs": {name: found.description for name, found in self.files.items() if found.files},
            "settings": self.settings.deciding(),
            "set_aside": self.set_aside,
            "counts": {"keywords": self.counts["keyword_statistics"], **self.counts},
        }
