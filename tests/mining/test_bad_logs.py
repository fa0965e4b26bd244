"""Logs that go wrong in ways that logs do: each is mined to something sensible, or refused with the remedy."""

import hashlib
import os
import resource
import shutil
import signal
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mining.click_clusters
from indexes.errors import KRError, UsageError
from mining.build import build
from mining.ingest import ingest
from mining.mine import mine
from mining.mined_tables import MINED_TABLES
from mining.schema import canonical_tables
from mining.settings import MiningSettings

Rows = list[dict[str, Any]]
NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
SETTINGS = MiningSettings(min_users=1)


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def searches(people: int = 6, day: int = 0) -> Rows:
    """Two searches of each of some people on one day."""
    return [
        {"ts": NOON + timedelta(days=day, minutes=place), "user_id": f"u{user} {day}", "query": query}
        for user in range(people)
        for place, query in enumerate(("roses", "tulips"))
    ]


@pytest.mark.parametrize("by_days", [False, True])
def test_a_session_of_ten_thousand_queries_is_set_aside_and_counted(
    tmp_path: Path, written_logs: Callable[..., Path], by_days: bool
) -> None:
    endless = [
        {"ts": NOON + timedelta(seconds=7 * place + place % 5), "user_id": "endless", "query": f"q{place}"}
        for place in range(10_000)
    ]
    logs = written_logs(tmp_path / "logs", {"searches": [*searches(), *endless]})
    lenient = SETTINGS.model_copy(update={"robot_daily_searches": 10**6, "robot_gap_variation": 0.0})
    report = mine(logs, tmp_path / "mined", lenient, days=tmp_path / "days" if by_days else None)
    assert (report["set_aside"]["long_sessions"], report["set_aside"]["long_session_searches"]) == (1, 10_000)
    assert (report["counts"]["sessions"], report["counts"]["cooccurrence"]) == (6, 2)
    assert report["counts"]["searches"] == 10_012
    # Unless the setting lets it pass, the same user is a robot, of whom nothing is counted.
    report = mine(logs, tmp_path / "mined", SETTINGS)
    assert (report["set_aside"]["robot_users"], report["set_aside"]["robot_searches"]) == (1, 10_000)
    assert report["counts"]["searches"] == 12


def test_a_user_who_is_a_third_of_the_log_is_told_and_makes_no_pair_alone(
    tmp_path: Path, written_logs: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    eager = [
        {"ts": NOON + timedelta(hours=3 * place, minutes=part * (place % 7)), "user_id": "eager", "query": query}
        for place in range(6)
        for part, query in enumerate(("brakes", "tyres", "roses"))
    ]
    logs = written_logs(tmp_path / "logs", {"searches": [*searches(18), *eager]})
    report = mine(logs, tmp_path / "mined", MiningSettings())
    assert (report["counts"]["busiest_user_searches"], report["counts"]["searches"]) == (18, 54)
    assert report["set_aside"]["robot_users"] == 0
    assert "one user made 18 of 54 searches" in capsys.readouterr().err
    pairs = pq.read_table(tmp_path / "mined" / "cooccurrence.parquet").to_pylist()
    assert {(row["keyword"], row["neighbor"]) for row in pairs} == {("roses", "tulips"), ("tulips", "roses")}
    statistics = pq.read_table(tmp_path / "mined" / "keyword_statistics.parquet").to_pylist()
    assert {row["keyword"]: row["users"] for row in statistics}["brakes"] == 1


def test_a_page_that_everybody_clicks_links_nothing_and_is_counted(
    tmp_path: Path, written_logs: Callable[..., Path]
) -> None:
    rows = [row | {"query": f"{row['query']} {number}"} for number, row in enumerate(searches())]
    clicks = [row | {"url": "https://portal.example/"} for row in rows]
    clicks += [row | {"url": "https://roses.example/"} for row in rows[:2]]
    logs = written_logs(tmp_path / "logs", {"searches": rows, "clicks": clicks})
    report = mine(logs, tmp_path / "mined", SETTINGS.model_copy(update={"url_max_keywords": 11}))
    assert report["set_aside"]["urls_of_everything"] == 1
    assert report["counts"]["click_edges"] == 2
    linked = pq.read_table(tmp_path / "mined" / "click_neighbors.parquet").to_pylist()
    assert {(row["keyword"], row["neighbor"]) for row in linked} == {("roses 0", "tulips 1"), ("tulips 1", "roses 0")}
    # The clicks themselves are clicks.
    statistics = pq.read_table(tmp_path / "mined" / "keyword_statistics.parquet").to_pylist()
    assert sum(row["clicks"] for row in statistics) == 14


@pytest.mark.parametrize("by_days", [False, True])
def test_a_log_of_one_query_has_statistics_and_no_relations_and_can_be_served(
    tmp_path: Path, written_logs: Callable[..., Path], by_days: bool
) -> None:
    rows = [row | {"query": "roses"} for row in searches()]
    clicks = [row | {"url": "https://roses.example/"} for row in rows]
    logs = written_logs(tmp_path / "logs", {"searches": rows, "clicks": clicks})
    report = mine(logs, tmp_path / "mined", MiningSettings(), days=tmp_path / "days" if by_days else None)
    one_row = {"keyword_statistics", "keyword_months", "keyword_segments", "keyword_spellings"}
    counts = {name: report["counts"][name] for name in MINED_TABLES}
    assert {name for name, count in counts.items() if count} == one_row | {"sessions", "keyword_weeks"}
    assert {counts[name] for name in one_row} == {1}
    facts = build(tmp_path / "mined", tmp_path / "store")
    assert facts["keywords"] == 1


def test_a_missing_day_is_named_and_its_month_counts_for_no_average(
    tmp_path: Path, written_logs: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    delivered = [day for day in range(-5, 70) if day != 10]
    logs = written_logs(tmp_path / "logs", {"searches": [row for day in delivered for row in searches(2, day)]})
    report = mine(logs, tmp_path / "mined", SETTINGS.model_copy(update={"missing_day_searches": 4}))
    assert report["missing_days"] == ["2025-03-11"]
    assert "1 days have no searches (2025-03-11): their months do not count as complete" in capsys.readouterr().err
    assert {month["month"]: month["complete"] for month in report["months"]} == {
        "2025-02-01": False,
        "2025-03-01": False,
        "2025-04-01": True,
        "2025-05-01": False,
    }
    statistics = pq.read_table(tmp_path / "mined" / "keyword_statistics.parquet").to_pylist()
    assert {row["avg_monthly_searches"] for row in statistics} == {60.0}
    # Where days have few searches anyway, one without any is nothing to speak of.
    report = mine(logs, tmp_path / "mined", SETTINGS.model_copy(update={"missing_day_searches": 5}))
    assert report["missing_days"] == [] and report["months"][1]["complete"]


def write_searches(path: Path, rows: Rows, first: int = 0) -> None:
    schema = canonical_tables()["searches"].arrow_schema
    whole = [row | {"search_id": f"s{first + number}"} for number, row in enumerate(rows)]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(whole, schema=schema), path)


@pytest.mark.parametrize("again", ["the same file", "other bytes", "with more"])
def test_a_day_that_is_delivered_twice_counts_once_after_ingest_and_is_refused_without(
    tmp_path: Path, again: str
) -> None:
    raw = tmp_path / "raw"
    write_searches(raw / "searches" / "a.parquet", searches())
    if again == "the same file":
        shutil.copy(raw / "searches" / "a.parquet", raw / "searches" / "b.parquet")
    else:
        write_searches(raw / "searches" / "b.parquet", searches()[:: -1 if again == "other bytes" else 1], 0)
        if again == "with more":
            write_searches(raw / "searches" / "b.parquet", [*searches()[6:], *searches(3, day=1)], 6)
    repeated = 6 if again == "with more" else 12
    for days in (None, tmp_path / "days"):
        with pytest.raises(UsageError) as refused:
            mine(raw, tmp_path / "mined", SETTINGS, days=days)
        told = "is the same file as a.parquet" if again == "the same file" else f"holds {repeated} searches twice"
        assert told in refused.value.message and "b.parquet" in refused.value.message
        assert "manage.py ingest parquet" in refused.value.remedy
    assert not (tmp_path / "mined").exists()
    counted = ingest("parquet", raw, tmp_path / "logs", max_rejected=1)
    assert counted.reasons == {"duplicate": repeated}
    report = mine(tmp_path / "logs", tmp_path / "mined", SETTINGS)
    assert report["counts"]["searches"] == (18 if again == "with more" else 12)


def test_a_file_that_repeats_itself_is_named(tmp_path: Path) -> None:
    write_searches(tmp_path / "logs" / "searches" / "a.parquet", searches())
    table = pq.read_table(tmp_path / "logs" / "searches" / "a.parquet")
    pq.write_table(pa.concat_tables([table, table.slice(0, 2)]), tmp_path / "logs" / "searches" / "a.parquet")
    with pytest.raises(UsageError, match=r"2 searches twice.*a\.parquet repeats itself"):
        mine(tmp_path / "logs", tmp_path / "mined", SETTINGS)


@pytest.mark.parametrize("by_days", [False, True])
def test_too_little_memory_for_the_engine_is_named_and_the_old_tables_stay(
    tmp_path: Path, written_logs: Callable[..., Path], by_days: bool
) -> None:
    out = tmp_path / "mined"
    mine(written_logs(tmp_path / "older", {"searches": searches()}), out, SETTINGS)
    before = hashes(out)
    rows = [row | {"query": f"{row['query']} {number}"} for number, row in enumerate(searches(2000))]
    logs = written_logs(tmp_path / "logs", {"searches": rows})
    starved = SETTINGS.model_copy(update={"memory_mb": 1})
    with pytest.raises(KRError, match=r"(?s)ran out of memory at the step .*--set memory_mb") as raised:
        mine(logs, out, starved, days=tmp_path / "days" if by_days else None)
    assert raised.value.exit_code == 1
    assert hashes(out) == before
    report = mine(logs, out, SETTINGS, days=tmp_path / "days" if by_days else None)
    assert report["counts"]["searches"] == 4000


def test_too_little_memory_for_a_step_of_this_process_is_named(
    tmp_path: Path, written_logs: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = written_logs(tmp_path / "logs", {"searches": searches()})
    mine(logs, tmp_path / "mined", SETTINGS)
    before = hashes(tmp_path / "mined")

    def run_out(*_: object) -> None:
        raise MemoryError("Unable to allocate 99 GiB")

    monkeypatch.setattr(mining.click_clusters, "agglomerate", run_out)
    with pytest.raises(KRError, match=r"not enough memory to mine .*Unable to allocate 99 GiB.*--set window_days=N"):
        mine(logs, tmp_path / "mined", SETTINGS)
    assert hashes(tmp_path / "mined") == before


@pytest.mark.parametrize("limit", [0, 500, 2500])
def test_a_disk_that_fills_up_while_days_are_mined_is_named_and_keeps_what_was_there(
    tmp_path: Path, written_logs: Callable[..., Path], limit: int
) -> None:
    older = written_logs(tmp_path / "older", {"searches": searches()})
    mine(older, tmp_path / "mined", SETTINGS, days=tmp_path / "days")
    before = hashes(tmp_path / "mined")
    logs = written_logs(tmp_path / "logs", {"searches": [row for day in range(4) for row in searches(9, day)]})
    read_end, write_end = os.pipe()

    def mine_under_limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        # A limit on the size of files stands for the disk: writing beyond it fails as on a full one.
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        try:
            mine(logs, tmp_path / "mined", SETTINGS, days=tmp_path / "days")
            os.write(write_end, b"no error")
        except BaseException as error:
            os.write(write_end, f"{type(error).__name__}: {error}".encode())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        try:
            mine_under_limit()
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    assert told.startswith("KRError: ") and "could not" in told and "disk space" in told
    assert hashes(tmp_path / "mined") == before
    report = mine(logs, tmp_path / "mined", SETTINGS, days=tmp_path / "days")
    mine(logs, tmp_path / "whole", SETTINGS)
    assert hashes(tmp_path / "mined") == hashes(tmp_path / "whole")
    assert report["days_mined"] + report["days_reused"] == 4
