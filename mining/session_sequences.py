"""What people did in a folder of logs, as arrays: the sessions that the miners read, and which pages were clicked."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from indexes.arrays import Array, offsets_from_counts
from mining import sessions
from mining.canonical_logs import find_log_files
from mining.engines import Engine, open_engine
from mining.keywords import distinct_queries, number_keywords
from mining.robots import find_robots
from mining.settings import MiningSettings

READ_TABLES = ("searches", "clicks", "ad_events", "bids")


@dataclass(frozen=True)
class SessionSequences:
    """Sessions of people as CSR: session i is `keyword[offsets[i]:offsets[i + 1]]`, repeats in a row merged.

    `keyword` int32 are places in `keywords`, which ascend in code point order; `user` int64 (sessions,) tells users
    apart. Robots and sessions that are too long are left out, as by the miners.
    """

    keywords: pa.Array
    offsets: Array
    keyword: Array
    user: Array

    def __len__(self) -> int:
        return len(self.user)

    @property
    def owner(self) -> Array:
        """The session of each search, int64."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def within(self, keywords: pa.Array) -> Array:
        """For each search the place of its keyword among other keywords, int64; −1 where it is none of them."""
        return places_among(self.keywords, keywords)[self.keyword]


def places_among(texts: pa.Array, keywords: pa.Array) -> Array:
    """The place of each text among the keywords, int64; −1 where it is none of them."""
    return pc.index_in(texts, value_set=keywords).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)


@dataclass(frozen=True)
class PeopleLog:
    """A folder of logs opened in an engine, robots known."""

    engine: Engine
    tables: dict[str, ir.Table]
    queries: ir.Table
    keywords: pa.Array
    searches: ir.Table
    robots: ir.Table
    settings: MiningSettings

    def sessions(self) -> SessionSequences:
        """The sessions, in the order of users and times."""
        people = self.searches.anti_join(self.robots, "user_no")
        every = sessions.summarise_sessions(self.engine, people)
        events, _ = sessions.list_session_events(self.engine, people, every, self.settings)
        rows = self.engine.collect(events.order_by("session", "position"))
        session = rows["session"].to_numpy()
        starts = np.flatnonzero(np.diff(session, prepend=session[:1] - 1))
        return SessionSequences(
            keywords=self.keywords,
            offsets=offsets_from_counts(np.diff(starts, append=len(session))),
            keyword=rows["keyword_id"].to_numpy().astype(np.int32),
            user=rows["user_no"].to_numpy()[starts].astype(np.int64),
        )

    def clicked(self) -> pa.Table:
        """Who is linked by which page: keyword_id and url, each once, without the URLs of very many keywords."""
        clicks = self.tables["clicks"].anti_join(self.robots, "user_id").join(self.queries, "query")
        edges = clicks.select("keyword_id", "url").distinct()
        popular = edges.group_by("url").agg(keywords=edges.count())
        edges = edges.anti_join(popular.filter(popular.keywords > self.settings.url_max_keywords), "url")
        return self.engine.collect(edges.order_by("keyword_id", "url"))

    def purchases(self) -> pa.Table:
        """Who bought what, as the miners of buyers see it: advertiser_id and keyword_id, each once."""
        bids, ad_events = self.tables["bids"], self.tables["ad_events"].anti_join(self.robots, "user_id")
        each = [
            table.join(self.queries.select("keyword_id", keyword="query"), "keyword").select(
                "advertiser_id", "keyword_id"
            )
            for table in (bids.filter(bids.status != "removed"), ad_events)
        ]
        bought = each[0].union(each[1], distinct=True)
        return self.engine.collect(bought.order_by("advertiser_id", "keyword_id"))


@contextmanager
def open_people_log(logs: Path, settings: MiningSettings, engine: str = "duckdb") -> Iterator[PeopleLog]:
    """Open the logs, split their searches into sessions and find the robots."""
    files = {name: find_log_files(logs, name) for name in READ_TABLES}
    with (
        tempfile.TemporaryDirectory(prefix="kr-people-") as spill,
        open_engine(engine, Path(spill), settings.threads, settings.memory_mb) as opened,
    ):
        tables = {name: opened.read(found.table, found.files) for name, found in files.items()}
        users = sessions.number_users(opened, tables["searches"], tables["clicks"])
        queries, keywords = number_keywords(
            opened, distinct_queries(*(tables[name] for name in ("searches", "clicks", "ad_events", "bids")))
        )
        searches = sessions.place_in_sessions(opened, tables["searches"], users, queries, settings)
        clicks = tables["clicks"] if files["clicks"].files else None
        robots = find_robots(opened, searches, users, clicks, settings)
        yield PeopleLog(opened, tables, queries, keywords, searches, robots, settings)


def read_sessions(logs: Path, settings: MiningSettings, engine: str = "duckdb") -> SessionSequences:
    """The sessions of the logs."""
    with open_people_log(logs, settings, engine) as log:
        return log.sessions()
