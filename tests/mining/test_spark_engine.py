"""What the engine Spark promises beside the miners' own tests: types, files, errors with their remedy."""

import hashlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from indexes.errors import KRError, UsageError
from mining.engines import Engine, open_engine, spark_session
from mining.engines.spark_session import is_master
from mining.mine import mine
from mining.schema import canonical_tables
from mining.settings import MiningSettings


@pytest.fixture
def engine(local_spark: str, tmp_path: Path) -> Iterator[Engine]:
    (tmp_path / "scratch").mkdir()
    with open_engine(local_spark, tmp_path / "scratch", 2, 512) as opened:
        yield opened
    assert not list((tmp_path / "scratch").iterdir())


@pytest.fixture
def searches(tmp_path: Path, written_logs: Callable[..., Path], at: Callable[[float], Any]) -> Path:
    """A file of three searches."""
    rows = [{"ts": at(minute), "user_id": f"u{minute}", "query": "q"} for minute in range(3)]
    return written_logs(tmp_path / "logs", {"searches": rows}) / "searches" / "part-0.parquet"


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.mark.slow
def test_a_whole_market_gives_the_same_bytes_as_on_duckdb(small_market: Path, local_spark: str, tmp_path: Path) -> None:
    mine(small_market / "logs", tmp_path / "mined", MiningSettings(), local_spark)
    assert hashes(tmp_path / "mined") == hashes(small_market / "mined")


def test_sums_are_of_64_bits_and_times_without_zone(engine: Engine, searches: Path) -> None:
    table = engine.read(canonical_tables()["searches"], [searches])
    total = engine.materialise("total", table.agg(total=table.ts.day().cast("int64").sum()))
    assert engine.collect(total).schema.field("total").type == pa.int64()
    [row] = engine.collect(table.agg(first=table.ts.min())).to_pylist()
    assert row["first"].isoformat() == "2025-03-01T00:00:00"


def test_a_sum_beyond_64_bits_is_an_error_that_names_the_step(engine: Engine) -> None:
    table = engine.register("numbers", pa.table({"value": [2**62, 2**62, 2**62]}))
    with pytest.raises(KRError, match=r"Spark failed at the step total: .*overflow"):
        engine.materialise("total", table.agg(total=table.value.sum()))


def test_files_are_found_by_their_very_names(engine: Engine, searches: Path) -> None:
    names = ["it's [0].parquet", "{a,b}?.parquet", "50% of*.parquet"]
    files = [searches.with_name(name) for name in names]
    for file in files:
        file.write_bytes(searches.read_bytes())
    table = engine.read(canonical_tables()["searches"], files)
    assert engine.collect(table.agg(rows=table.count())).to_pylist() == [{"rows": 9}]


def test_a_table_without_files_has_no_rows(engine: Engine) -> None:
    table = engine.read(canonical_tables()["advertisers"], [])
    rows = engine.collect(table)
    assert rows.num_rows == 0
    assert rows.schema.field("regions").type == pa.list_(pa.string())


def test_rows_come_in_the_order_asked_for_by_code_points_nulls_last(engine: Engine) -> None:
    texts = ["b", None, "é", "Z", "\U0001f600", "\uffff", "", "鲜花"] * 500
    table = engine.register("texts", pa.table({"text": texts, "place": range(len(texts))}))
    found = engine.collect(table.order_by("text", "place"))["text"].to_pylist()
    assert found == sorted(filter(lambda text: text is not None, texts)) + [None] * 500


def test_a_dropped_step_leaves_no_file(engine: Engine, tmp_path: Path) -> None:
    table = engine.register("numbers", pa.table({"value": [1, 2]}))
    engine.materialise("doubled", table.select(value=table.value * 2))
    engine.drop("numbers", "doubled")
    assert not [path for path in (tmp_path / "scratch").iterdir() if path.is_dir()]


def test_a_damaged_file_is_an_error_and_not_fewer_rows(engine: Engine, searches: Path) -> None:
    damaged = bytearray(searches.read_bytes())
    damaged[10:60] = bytes(50)
    searches.write_bytes(damaged)
    table = engine.read(canonical_tables()["searches"], [searches])
    with pytest.raises(KRError, match=r"Spark failed at the step copy: .*part-0\.parquet"):
        engine.materialise("copy", table)


def test_a_process_that_runs_spark_elsewhere_says_so(local_spark: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"runs Spark on local\[2\] already"):
        open_engine("local[1]", tmp_path, 1, 512)


def test_a_master_that_cannot_be_reached_is_named_with_how_to_start_one(spark_installed: None, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(KRError, match=rf"127\.0\.0\.1:{port}: .*refused.*Start one: spark-class .*Master") as raised:
        spark_session._check_reachable(f"spark://127.0.0.1:{port}")
    assert raised.value.exit_code == 1


def test_one_master_of_several_is_enough(spark_installed: None) -> None:
    with socket.socket() as dead, socket.create_server(("127.0.0.1", 0)) as alive:
        dead.bind(("127.0.0.1", 0))
        addresses = (f"127.0.0.1:{each.getsockname()[1]}" for each in (dead, alive))
        spark_session._check_reachable(f"spark://{','.join(addresses)}")


def test_without_java_the_package_to_install_is_named(
    spark_installed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(KRError, match=r"no command java.*apt-get install default-jre-headless"):
        open_engine("local[2]", tmp_path, 2, 512)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(KRError, match=r"JAVA_HOME=.* holds none"):
        open_engine("local[2]", tmp_path, 2, 512)


def test_without_pyspark_the_extra_to_install_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_session, "find_spec", lambda name: None)
    with pytest.raises(KRError, match=r"needs the package pyspark.*pip install 'kr\[spark\]'"):
        open_engine("local[2]", tmp_path, 2, 512)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("local[2]", True),
        ("local[*]", True),
        ("spark://master:7077", True),
        ("spark://one:7077,two:7078", True),
        ("local", False),
        ("local[0]", False),
        ("spark://master", False),
        ("spark://a b:7077", False),
        ("yarn", False),
        ("duckdb", False),
    ],
)
def test_what_names_a_master(name: str, expected: bool) -> None:
    assert is_master(name) is expected


def test_the_views_of_an_engine_are_its_own(engine: Engine, local_spark: str) -> None:
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    assert running
    engine.register("mine_alone", pa.table({"value": [1]}))
    assert not running.catalog.tableExists("mine_alone")
