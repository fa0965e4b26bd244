"""KR's co-occurrence step beside hand-written DuckDB SQL for the same pairs, in one run, on sessions made for it."""

import hashlib
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from indexes.bench_process import peak_mb
from indexes.bench_table import bench_row
from indexes.errors import KRError
from indexes.terminal import step
from mining import cooccurrence
from mining.cooccurrence import WEIGHT_SCALE
from mining.engines import open_engine
from mining.schema import Column, Table
from mining.settings import MiningSettings, mining_settings

ROUNDS = 3
"""Runs of each system, in turn; of Spark's one."""
OURS, PEER, SPARK = "KR on DuckDB", "hand-written DuckDB SQL", "KR on Spark"
SPARK_MASTER = "local[2]"

MEAN_QUERIES = 3.0
"""Searches a session, geometric."""
MOST_QUERIES = 100
ROWS_A_USER = 25
ROWS_A_KEYWORD = 10
SKEW = 0.8
"""Keywords are drawn by Zipf's law with this exponent."""
DAYS = 400
FIRST_DAY = date(2024, 1, 1)
CHUNK_ROWS = 1_000_000

TYPES = {"session": "int64", "user_no": "int64", "keyword_id": "int32", "position": "int32", "day": "date"}
EVENTS = Table("session_events", "Searches in sessions.", (), tuple(Column(name, of) for name, of in TYPES.items()))
RESULT = ["low_id", "high_id", "weight", "sessions", "users", "first_date", "last_date"]

PEER_SQL = f"""
CREATE TEMP TABLE frequent AS
SELECT keyword_id FROM events GROUP BY keyword_id HAVING count(DISTINCT user_no) >= $min_users;
CREATE TEMP TABLE kept AS
SELECT *, position = min(position) OVER (PARTITION BY session, keyword_id) AS is_first
FROM events SEMI JOIN frequent USING (keyword_id);
CREATE TEMP TABLE pairs AS
SELECT
    least(a.keyword_id, b.keyword_id) AS low_id,
    greatest(a.keyword_id, b.keyword_id) AS high_id,
    sum(round(pow($decay, b.position - a.position) * {WEIGHT_SCALE})::BIGINT) AS weight,
    count(*) FILTER (a.is_first AND b.is_first) AS sessions,
    count(DISTINCT a.user_no) AS users,
    min(b.day) AS first_date,
    max(b.day) AS last_date
FROM kept a JOIN kept b ON a.session = b.session AND a.position < b.position AND a.keyword_id <> b.keyword_id
GROUP BY ALL HAVING count(DISTINCT a.user_no) >= $min_users
"""


def run_cooccurrence_bench(rows: int, folder: Path, spark: bool) -> list[dict[str, Any]]:
    """Make `rows` searches in sessions under `folder` and find their pairs with each system, in a process each time.

    Timed is from the Parquet file to the table of pairs in the engine, with the default threads and memory. A row a
    system: `mean_ms` and percentiles over the rounds, `cpu_ms` of all threads (Spark's are another process's and not
    counted), `rss_mb` the peak of the process, `ratio` how many times KR's mean it takes; `agrees` if every pair and
    column is KR's.
    """
    with step(f"make {rows:,} searches in sessions"):
        _in_own_process(_write_events, rows, folder / "events.parquet")
    measured: dict[str, list[dict[str, Any]]] = {OURS: [], PEER: []}
    for _ in range(ROUNDS):
        for name in measured:
            with step(name):
                measured[name].append(_measured(name, folder))
    if spark:
        with step(f"{SPARK} {SPARK_MASTER}"):
            measured[SPARK] = [_measured(SPARK, folder)]
    table: list[dict[str, Any]] = []
    for name, runs in measured.items():
        row = bench_row(name, np.array([run["ms"] for run in runs]))
        row["cpu_ms"] = None if name == SPARK else float(np.mean([run["cpu_ms"] for run in runs]))
        row["rss_mb"] = max(run["rss_mb"] for run in runs)
        row["pairs"] = runs[0]["pairs"]
        row["agrees"] = all(run["digest"] == measured[OURS][0]["digest"] for run in runs)
        row["ratio"] = row["mean_ms"] / table[0]["mean_ms"] if table else 1.0
        table.append(row)
    return table


def _measured(name: str, folder: Path) -> dict[str, Any]:
    _in_own_process(_measure, name, folder)
    measured: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return measured


def _measure(name: str, folder: Path) -> None:
    scratch = folder / "scratch"
    scratch.mkdir()
    settings = mining_settings(())
    run = _run_by_hand if name == PEER else _run_steps
    started, cpu = time.perf_counter(), time.process_time()
    measured: dict[str, Any] = {}

    def done() -> None:
        measured.update(ms=(time.perf_counter() - started) * 1000, cpu_ms=(time.process_time() - cpu) * 1000)
        measured["rss_mb"] = peak_mb()

    pairs = run(name, folder / "events.parquet", scratch, settings, done)
    measured |= {"pairs": len(pairs), "digest": _digest(pairs)}
    scratch.rmdir()
    (folder / "run.json").write_text(json.dumps(measured), encoding="utf-8")


def _run_steps(
    name: str, events_file: Path, scratch: Path, settings: MiningSettings, done: Callable[[], None]
) -> pa.Table:
    """KR's own steps on one of its engines."""
    master = SPARK_MASTER if name == SPARK else "duckdb"
    with open_engine(master, scratch, settings.threads, settings.memory_mb) as engine:
        events = engine.read(EVENTS, [events_file])
        keywords = engine.materialise(
            "session_keywords",
            events.group_by("session", "keyword_id").agg(
                user_no=events.user_no.min(), first_position=events.position.min(), day=events.day.min()
            ),
        )
        keyword_sessions = cooccurrence.count_keyword_sessions(engine, keywords)
        decay = cooccurrence.register_decay(engine, settings)
        pairs = cooccurrence.find_session_pairs(engine, events, keywords, keyword_sessions, decay, settings)
        done()
        return engine.collect(pairs.select(*RESULT).order_by("low_id", "high_id"))


def _run_by_hand(
    _: str, events_file: Path, scratch: Path, settings: MiningSettings, done: Callable[[], None]
) -> pa.Table:
    import duckdb

    config: dict[str, Any] = {
        "threads": settings.threads,
        "memory_limit": f"{settings.memory_mb}MiB",
        "temp_directory": str(scratch),
        "preserve_insertion_order": False,
    }
    with duckdb.connect(config=config) as db:
        db.read_parquet(str(events_file)).create_view("events")
        values = {"min_users": settings.min_users, "decay": settings.cooccurrence_decay}
        for statement in PEER_SQL.split(";"):
            db.execute(statement, {name: value for name, value in values.items() if f"${name}" in statement})
        done()
        return db.sql(f"SELECT {', '.join(RESULT)} FROM pairs ORDER BY low_id, high_id").to_arrow_table()


def _digest(pairs: pa.Table) -> str:
    digest = hashlib.sha256()
    for name in RESULT:
        column = pairs[name].cast(pa.date32()) if name.endswith("date") else pairs[name].cast(pa.int64())
        digest.update(column.to_numpy().tobytes())
    return digest.hexdigest()


def _write_events(rows: int, path: Path) -> None:
    """Searches in sessions, none a repeat of the one before: the same every time."""
    batches = _events(rows)
    first = next(batches)
    with pq.ParquetWriter(path, first.schema, compression="zstd") as writer:
        writer.write_batch(first)
        for batch in batches:
            writer.write_batch(batch)


def _events(rows: int) -> Iterator[pa.RecordBatch]:
    generator = np.random.default_rng(0)
    keywords = max(rows // ROWS_A_KEYWORD, 2)
    weights = np.arange(1, keywords + 1) ** -SKEW
    cumulated = np.cumsum(weights) / weights.sum()
    sessions = written = 0
    while written < rows:
        lengths = np.minimum(generator.geometric(1 / MEAN_QUERIES, CHUNK_ROWS), MOST_QUERIES)
        lengths = lengths[: int(np.searchsorted(np.cumsum(lengths), min(rows - written, CHUNK_ROWS))) + 1]
        users = generator.integers(0, max(rows // ROWS_A_USER, 1), len(lengths))
        days = generator.integers(0, DAYS, len(lengths))
        session = np.repeat(np.arange(len(lengths)), lengths)[: rows - written]
        keyword = np.searchsorted(cumulated, generator.random(len(session)))
        keyword = np.minimum(keyword, keywords - 1)
        repeats = np.flatnonzero((session[1:] == session[:-1]) & (keyword[1:] == keyword[:-1])) + 1
        while len(repeats):
            keyword[repeats] = (keyword[repeats] + 1) % keywords
            repeats = np.flatnonzero((session[1:] == session[:-1]) & (keyword[1:] == keyword[:-1])) + 1
        columns = {
            "session": session + sessions,
            "user_no": users[session],
            "keyword_id": keyword.astype(np.int32),
            "position": np.arange(written, written + len(session), dtype=np.int32),
            "day": (np.datetime64(FIRST_DAY, "D") + days[session]),
        }
        yield pa.record_batch(columns)
        sessions += len(lengths)
        written += len(session)


def _in_own_process(function: Callable[..., None], *arguments: Any) -> None:
    process = multiprocessing.get_context("spawn").Process(target=function, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        raise KRError(f"{function.__name__} ended with exit code {process.exitcode}.", "See its message above.")
