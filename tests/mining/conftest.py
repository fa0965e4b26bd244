"""What the tests of the miners share: logs written from plain rows, and mined tables read back as plain rows.

How the two engines are covered. A test with `each_engine` has one body, which compares mined tables with plain Python.
On DuckDB it runs on many random logs, and everything is mined from each. On Spark, where a step on a few rows takes
as long as on a million, it runs on the largest of as many random logs, and mining leaves out the stages whose tables
the body does not read. That Spark mines all tables of a whole market to the very bytes of DuckDB is tested in
test_spark_engine, and again on a cluster, with a worker killed on the way, in test_spark_cluster.
"""

import importlib.util
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, given, settings
from hypothesis.strategies import SearchStrategy

from mining.buyer_miners import ACCOUNT_TABLES, BUYER_TABLES
from mining.click_miners import ClickMiners
from mining.mine import _Mining, mine
from mining.mined_tables import MINED_TABLES
from mining.schema import canonical_tables
from mining.settings import MiningSettings
from mining.table_writer import TableWriter

START = datetime(2025, 3, 1, tzinfo=UTC)
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Mined:
    """The mined tables of a log as rows, by name, and the report."""

    tables: dict[str, Rows]
    report: dict[str, Any]

    def by(self, name: str, *key: str) -> dict[Any, dict[str, Any]]:
        """The rows of a table by one column, or by several as tuples."""
        return {row[key[0]] if len(key) == 1 else tuple(row[part] for part in key): row for row in self.tables[name]}


def moment(minutes: float) -> datetime:
    """A time so many minutes after the start of the tests' logs, 2025-03-01 UTC."""
    return START + timedelta(minutes=minutes)


def write_logs(folder: Path, tables: dict[str, Rows]) -> Path:
    """Write canonical tables from rows; columns left out are null, and search_id counts up if left out."""
    for name, rows in tables.items():
        schema = canonical_tables()[name].arrow_schema
        whole = [
            {"search_id": f"s{number:04d}"} | row if name == "searches" else row for number, row in enumerate(rows)
        ]
        columns = {field.name: pa.array([row.get(field.name) for row in whole], field.type) for field in schema}
        (folder / name).mkdir(parents=True)
        pq.write_table(pa.table(columns, schema=schema), folder / name / "part-0.parquet")
    return folder


def read_mined(folder: Path) -> dict[str, Rows]:
    return {name: pq.read_table(folder / f"{name}.parquet").to_pylist() for name in MINED_TABLES}


@pytest.fixture(scope="session")
def at() -> Callable[[float], datetime]:
    return moment


@pytest.fixture(scope="session")
def written_logs() -> Callable[[Path, dict[str, Rows]], Path]:
    return write_logs


def mine_rows(tables: dict[str, Rows], engine: str = "duckdb", **settings: Any) -> Mined:
    """Mine rows with settings given by name; robots are let through unless a test sets their thresholds."""
    lenient = {"robot_daily_searches": 10**6, "robot_gap_variation": 0, "robot_click_rate": 0}
    with tempfile.TemporaryDirectory() as name:
        folder = write_logs(Path(name) / "logs", tables)
        report = mine(folder, Path(name) / "mined", MiningSettings.model_validate(lenient | settings), engine)
        return Mined(read_mined(Path(name) / "mined"), report)


@pytest.fixture(scope="session")
def mined() -> Callable[..., Mined]:
    """Mines rows on the default engine."""
    return mine_rows


@pytest.fixture(scope="session")
def spark_installed() -> None:
    """Skips a test where Spark cannot run."""
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("pyspark is not installed: pip install 'kr[spark]'")
    if shutil.which("java") is None:
        pytest.skip("Java is not installed; on Debian: apt-get install default-jre-headless")


@pytest.fixture(scope="session")
def local_spark(spark_installed: None) -> Iterator[str]:
    """The master of the one Spark of a test run; engines find it running and leave it so."""
    from pyspark.sql import SparkSession

    chosen = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "1g",
        # Tests have few rows and many steps: compiling each step's code would take most of the time.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.log.level": "ERROR",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.enabled": "false",
    }
    session = SparkSession.builder.master("local[2]").config(map=chosen).getOrCreate()
    yield session.sparkContext.master
    session.stop()


CLICK_STAGES = {
    "write_clusters": ("click_clusters", "click_neighbors"),
    "write_content_and_clicks": ("content_click_clusters", "content_click_neighbors"),
    "write_page_terms": ("page_term_clusters", "page_term_neighbors"),
    "mine_seed_urls": ("seed_urls", "seed_url_keywords"),
}
CLICK_READING = {"write_content_and_clicks": "_content_and_clicks", "write_page_terms": "_page_vectors"}
"""What reads the input of a stage and gives what computes on it."""
CLICK_TABLES = tuple(chain.from_iterable(CLICK_STAGES.values()))
STAGES = {
    "_mine_bursts": ("bursts",),
    "_write_statistics": ("keyword_statistics",),
    "_write_landscape": ("keyword_weeks", "slot_rates", "auction_pages", "match_shares"),
    "_keep_pages": ("crawled_pages",),
    "_mine_buyers": ("industries", *BUYER_TABLES, *ACCOUNT_TABLES),
    "_write_words": ("term_vectors", "topics", "topic_terms"),
}
"""The stages of mining that no later stage needs, with the tables they write."""


def without_clicks(run: _Mining, *_: object) -> ClickMiners:
    """The miners of clicks before they have read any; with all of their stages left out they read none."""
    clicks = object.__new__(ClickMiners)
    clicks.writer = run.writer
    return clicks


@contextmanager
def mining_only(wanted: Collection[str]) -> Iterator[None]:
    """Leave out stages of which no table is wanted, and of the others the tables that are not: they have no rows."""
    assert set(wanted) <= MINED_TABLES.keys()
    write = TableWriter.write

    def write_wanted(writer: TableWriter, name: str, rows: Any) -> None:
        # Rules are shares of the sessions that were written.
        if name in wanted or name == "sessions":
            write(writer, name, rows)
        else:
            writer.write_nothing(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TableWriter, "write", write_wanted)
        for owner, stages in ((_Mining, STAGES), (ClickMiners, CLICK_STAGES)):
            for stage, names in stages.items():
                if set(names) & set(wanted):
                    continue
                patch.setattr(owner, stage, lambda run, *_, names=names: run.writer.write_nothing(*names))
                if stage in CLICK_READING:
                    patch.setattr(owner, CLICK_READING[stage], lambda *_: lambda: None)
                if stage == "_write_words":
                    patch.setattr(owner, "_read_words", lambda *_: None)
        if not set(CLICK_TABLES) & set(wanted):
            patch.setattr(_Mining, "_read_clicks", without_clicks)
        yield


@dataclass(frozen=True)
class EngineUnderTest:
    """One engine for a test body that all of them run."""

    engine: str

    def mined(self, tables: dict[str, Rows], *wanted: str, **settings: Any) -> Mined:
        """Mine rows on this engine; on Spark only the tables that are wanted."""
        if self.engine == "duckdb":
            return mine_rows(tables, self.engine, **settings)
        with mining_only(wanted):
            return mine_rows(tables, self.engine, **settings)

    def check(self, body: Callable[..., None], *wanted: str, examples: int, **strategies: SearchStrategy[Any]) -> None:
        """Run a body, whose first parameter mines, on random examples; on Spark on the largest of them."""

        def mined(tables: dict[str, Rows], **settings: Any) -> Mined:
            return self.mined(tables, *wanted, **settings)

        if self.engine == "duckdb":

            @settings(max_examples=examples)
            @given(**strategies)
            def example(**drawn: Any) -> None:
                body(mined, **drawn)

            example()
            return

        found: list[dict[str, Any]] = []

        @settings(max_examples=examples, phases=[Phase.generate], database=None)
        @given(**strategies)
        def find(**drawn: Any) -> None:
            found.append(drawn)

        find()
        largest = max(found, key=lambda drawn: len(repr(drawn)))
        try:
            body(mined, **largest)
        except BaseException as error:
            error.add_note(f"On Spark, of the example {largest!r}")
            raise


@pytest.fixture(scope="session", params=["duckdb", "spark"])
def each_engine(request: pytest.FixtureRequest) -> EngineUnderTest:
    """The engines in turn."""
    return EngineUnderTest("duckdb" if request.param == "duckdb" else request.getfixturevalue("local_spark"))
