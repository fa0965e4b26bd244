"""Mining as a whole: the same bytes each time, whole or not at all, and clear words about bad input."""

import fcntl
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mining.click_clusters
from indexes.errors import CorruptError, KRError, NotFoundError, TryAgainError, UsageError
from mining.build import build
from mining.engines import open_engine
from mining.mine import mine
from mining.mined_tables import MINED_TABLES
from mining.schema import canonical_tables
from mining.settings import MiningSettings, mining_settings

PROJECT = Path(__file__).parents[2]
SETTINGS = MiningSettings(min_users=1)


@pytest.fixture
def logs(tmp_path: Path, written_logs: Callable[..., Path], at: Callable[[float], Any]) -> Path:
    """A log of a few searches and clicks."""
    searches = [{"ts": at(minute), "user_id": f"u{minute % 3}", "query": f"q{minute % 4}"} for minute in range(24)]
    clicks = [row | {"url": f"p{number % 5}"} for number, row in enumerate(searches)]
    return written_logs(tmp_path / "logs", {"searches": searches, "clicks": clicks})


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_the_same_logs_give_the_same_bytes_on_any_number_of_threads(small_market: Path, tmp_path: Path) -> None:
    mine(small_market / "logs", tmp_path / "one", MiningSettings(threads=1, memory_mb=512))
    mine(small_market / "logs", tmp_path / "five", MiningSettings(threads=5))
    first = hashes(small_market / "mined")
    assert first.keys() == {f"{name}.parquet" for name in MINED_TABLES} | {"mining_report.json"}
    assert hashes(tmp_path / "one") == hashes(tmp_path / "five") == first


def test_demand_alone_is_mined_as_it_is_with_the_rest(small_market: Path, tmp_path: Path) -> None:
    mine(small_market / "logs", tmp_path / "mined", MiningSettings(), demand_only=True)
    whole, alone = hashes(small_market / "mined"), hashes(tmp_path / "mined")
    assert whole.keys() == alone.keys()
    same = ("keyword_statistics", "keyword_months", "keyword_weeks", "slot_rates", "auction_pages", "match_shares")
    for name in same:
        assert whole[f"{name}.parquet"] == alone[f"{name}.parquet"], name
    assert pq.read_metadata(tmp_path / "mined" / "cooccurrence.parquet").num_rows == 0
    assert build(tmp_path / "mined", tmp_path / "store")["auction_landscape"]


def test_every_table_has_its_columns_and_is_sorted_by_a_unique_key(small_market: Path) -> None:
    for name, expected in MINED_TABLES.items():
        table = pq.read_table(small_market / "mined" / f"{name}.parquet")
        assert table.schema.equals(expected.schema), name
        # Without a model nothing is fused.
        assert bool(table.num_rows) == (name != "fused_pairs"), name
        keys = [tuple((row[part] is None, row[part]) for part in expected.key) for row in table.to_pylist()]
        assert keys == sorted(set(keys)), name


def test_every_keyword_of_every_table_has_statistics(small_market: Path) -> None:
    known = set(pq.read_table(small_market / "mined" / "keyword_statistics.parquet")["keyword"].to_pylist())
    for name, table in MINED_TABLES.items():
        for column in {"keyword", "neighbor"} & table.columns.keys():
            found = pq.read_table(small_market / "mined" / f"{name}.parquet", columns=[column])[column]
            assert set(found.to_pylist()) <= known, name


def test_the_report_accounts_for_every_search(small_market: Path) -> None:
    report = json.loads((small_market / "mined" / "mining_report.json").read_text("utf-8"))
    read = report["inputs"]["searches"]["rows"]
    set_aside = report["set_aside"]
    assert set_aside["robot_users"] > 0
    assert report["counts"]["searches"] + set_aside["robot_searches"] + set_aside["empty_query_searches"] == read
    searches = pq.read_table(small_market / "mined" / "keyword_statistics.parquet")["searches"].to_pylist()
    assert sum(searches) == report["counts"]["searches"]
    assert report["settings"] == MiningSettings().deciding()
    assert report["format_version"] == 1


def test_files_of_a_table_may_be_split_in_any_way(logs: Path, tmp_path: Path) -> None:
    mine(logs, tmp_path / "whole", SETTINGS)
    path = logs / "searches" / "part-0.parquet"
    table = pq.read_table(path)
    path.unlink()
    for number, (start, end) in enumerate([(13, 24), (0, 0), (5, 13), (0, 5)]):
        pq.write_table(table.slice(start, end - start), logs / "searches" / f"it's {number}.parquet")
    mine(logs, tmp_path / "split", SETTINGS)
    whole, split = hashes(tmp_path / "whole"), hashes(tmp_path / "split")
    assert whole.pop("mining_report.json") != split.pop("mining_report.json")
    assert whole == split


def test_without_clicks_there_are_empty_clusters_and_unknown_clicks(logs: Path, tmp_path: Path) -> None:
    (logs / "clicks" / "part-0.parquet").unlink()
    report = mine(logs, tmp_path / "mined", SETTINGS)
    assert report["counts"]["click_clusters"] == report["counts"]["click_neighbors"] == 0
    assert "clicks" not in report["inputs"]
    statistics = pq.read_table(tmp_path / "mined" / "keyword_statistics.parquet")
    assert statistics["clicks"].null_count == len(statistics)


def test_a_log_of_nothing_but_empty_queries_gives_empty_tables(
    tmp_path: Path, written_logs: Callable[..., Path], at: Callable[[float], Any]
) -> None:
    logs = written_logs(tmp_path / "logs", {"searches": [{"ts": at(0), "user_id": "u", "query": "\u200b"}]})
    report = mine(logs, tmp_path / "mined", SETTINGS)
    assert report["set_aside"]["empty_query_searches"] == 1
    assert {report["counts"][name] for name in MINED_TABLES} == {0}


def test_an_earlier_mining_is_replaced(logs: Path, tmp_path: Path) -> None:
    out = tmp_path / "mined"
    mine(logs, out, MiningSettings(min_users=3))
    (out / "old").write_text("gone with the earlier mining")
    mine(logs, out, SETTINGS)
    mine(logs, tmp_path / "fresh", SETTINGS)
    assert hashes(out) == hashes(tmp_path / "fresh")


def test_a_mining_that_fails_leaves_the_earlier_one_whole(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "mined"
    mine(logs, out, SETTINGS)
    before = hashes(out)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(mining.click_clusters, "agglomerate", interrupt)
    with pytest.raises(KeyboardInterrupt):
        mine(logs, out, SETTINGS)
    assert hashes(out) == before
    assert {path.name for path in tmp_path.iterdir()} == {"logs", "mined"}


def test_what_a_killed_mining_left_is_cleared_by_the_next(logs: Path, tmp_path: Path) -> None:
    for name in (".mined.partial", ".mined.old"):
        (tmp_path / name / "spill").mkdir(parents=True)
        (tmp_path / name / "cooccurrence.parquet").write_bytes(b"half")
    mine(logs, tmp_path / "mined", SETTINGS)
    assert {path.name for path in (tmp_path / "mined").iterdir()} == {
        *(f"{name}.parquet" for name in MINED_TABLES),
        "mining_report.json",
    }
    assert not (tmp_path / ".mined.partial").exists()


def test_two_minings_into_one_folder_do_not_mix(logs: Path, tmp_path: Path) -> None:
    partial = tmp_path / ".mined.partial"
    partial.mkdir()
    other = os.open(partial, os.O_RDONLY)
    try:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(TryAgainError, match="Another process"):
            mine(logs, tmp_path / "mined", SETTINGS)
    finally:
        os.close(other)
    mine(logs, tmp_path / "mined", SETTINGS)


def test_a_folder_of_something_else_is_left_alone(logs: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"cat")
    with pytest.raises(UsageError, match=r"photos exists and holds no mining_report\.json"):
        mine(logs, tmp_path / "photos", SETTINGS)
    assert (tmp_path / "photos" / "cat.jpg").read_bytes() == b"cat"


def test_a_folder_that_cannot_be_made_is_named(logs: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(KRError, match="file/mined cannot be written"):
        mine(logs, tmp_path / "file" / "mined", SETTINGS)


def test_a_full_disk_is_named_and_leaves_nothing(small_market: Path, tmp_path: Path) -> None:
    # A limit on the size of files stands for the disk: writing beyond it fails as on a full one.
    code = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); "
        f"sys.argv = ['manage.py', 'mine', '--logs', {str(small_market / 'logs')!r}, '--out', 'mined']; "
        f"runpy.run_path({str(PROJECT / 'manage.py')!r}, run_name='__main__')"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(PROJECT)}, capture_output=True
    )
    assert run.returncode == 1
    error = run.stderr.decode().splitlines()[-1]
    assert error.startswith("error: ") and "mined could not be written" in error and "free disk space" in error
    assert not list(tmp_path.iterdir())


def test_missing_logs_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"There is no folder .*/nowhere"):
        mine(tmp_path / "nowhere", tmp_path / "mined", SETTINGS)


@pytest.mark.parametrize(
    "address", ["s3a://bucket/logs", "s3://bucket", "hdfs://namenode:8020/logs", "gs://bucket/logs"]
)
def test_the_address_of_an_object_store_is_told_from_a_folder(tmp_path: Path, address: str) -> None:
    with pytest.raises(UsageError, match=r"address of an object store.*Mount the store or copy the logs"):
        mine(Path(address), tmp_path / "mined", SETTINGS)


def test_logs_without_searches_are_a_usage_error(tmp_path: Path, written_logs: Callable[..., Path]) -> None:
    with pytest.raises(UsageError, match="holds no searches"):
        mine(written_logs(tmp_path / "logs", {"searches": [], "clicks": []}), tmp_path / "mined", SETTINGS)
    assert not (tmp_path / "mined").exists()


def test_a_damaged_file_is_named(logs: Path, tmp_path: Path) -> None:
    path = logs / "clicks" / "part-0.parquet"
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(CorruptError, match=r"clicks/part-0\.parquet is no readable Parquet file"):
        mine(logs, tmp_path / "mined", SETTINGS)


def test_a_flipped_page_inside_a_file_is_an_error_and_no_table(logs: Path, tmp_path: Path) -> None:
    path = logs / "searches" / "part-0.parquet"
    damaged = bytearray(path.read_bytes())
    damaged[10:60] = bytes(50)
    path.write_bytes(damaged)
    with pytest.raises(KRError, match=r"searches|users|DuckDB"):
        mine(logs, tmp_path / "mined", SETTINGS)
    assert not (tmp_path / "mined").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop_columns(["url"]), "lacks the column url"),
        (lambda table: table.set_column(1, "ts", table["ts"].cast(pa.int64())), "holds ts as int64"),
    ],
)
def test_a_file_with_other_columns_is_named(
    logs: Path, tmp_path: Path, change: Callable[[pa.Table], pa.Table], message: str
) -> None:
    path = logs / "clicks" / "part-0.parquet"
    pq.write_table(change(pq.read_table(path)), path)
    with pytest.raises(CorruptError, match=f"{re.escape(str(path))} {message}"):
        mine(logs, tmp_path / "mined", SETTINGS)


def test_an_unknown_engine_is_a_usage_error_that_names_the_known(logs: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no engine 'spark:host:7077'.*--engine duckdb, local\[N\] or spark://HOST"):
        mine(logs, tmp_path / "mined", SETTINGS, engine="spark:host:7077")
    assert not (tmp_path / "mined").exists()


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("min_users", "no '=' found"),
        ("min_user=2", "no such setting. Known are session_gap_minutes"),
        ("min_users=0", "greater than or equal to 1.*distinct users"),
        ("cooccurrence_decay=1", "less than 1"),
        ("cooccurrence_form=linear", "'power' or 'cumulative'"),
        ("memory_mb=lots", "valid integer"),
    ],
)
def test_a_wrong_setting_is_named_with_what_it_may_be(assignment: str, message: str) -> None:
    with pytest.raises(UsageError, match=f"--set {assignment.partition('=')[0]}.*{message}"):
        mining_settings([assignment])


def test_settings_are_read_from_assignments_the_last_one_counts() -> None:
    chosen = mining_settings(["min_users=3", " min_users = 4", "cooccurrence_form=cumulative"])
    assert (chosen.min_users, chosen.cooccurrence_form) == (4, "cumulative")


def test_every_setting_has_a_sentence_and_a_default_in_its_range() -> None:
    MiningSettings.model_validate(MiningSettings().model_dump())
    for name, field in MiningSettings.model_fields.items():
        assert field.description and field.description.endswith("."), name


def test_the_engine_keeps_sums_in_64_bits_and_times_without_zone(
    tmp_path: Path, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    with open_engine("duckdb", tmp_path, 1, 256) as engine:
        searches = engine.read(canonical_tables()["searches"], [logs / "searches" / "part-0.parquet"])
        total = engine.materialise("total", searches.agg(total=searches.ts.day().cast("int64").sum()))
        first = engine.collect(searches.agg(first=searches.ts.min())).to_pylist()[0]["first"]
        assert engine.collect(total).schema.field("total").type == pa.int64()
    assert first.isoformat() == "2025-03-01T00:00:00"
