"""The command line as scripts use it: exit codes, one JSON document on stdout, messages on stderr."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]


def run(*arguments: object, exit_code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROJECT / "manage.py"), *map(str, arguments)]
    result = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, timeout=300, env={**os.environ, **environment}
    )
    assert result.returncode == exit_code, result.stderr
    assert "Traceback" not in result.stderr
    return result


def test_search_prints_the_envelope_and_nothing_else(tiny_store: Path) -> None:
    result = run("search", "鲜花", "--store", tiny_store, "--json", "--limit", 3)
    document = json.loads(result.stdout)
    assert set(document) == {"data", "meta"}
    assert set(document["meta"]) == {"snapshot", "request_id", "degraded", "took_ms"}
    assert len(document["data"]["keyword_ideas"]) == 3 and document["data"]["total"] > 3
    assert result.stdout == run("search", "鲜花", "--store", tiny_store, "--json", "--limit", 3).stdout


def test_a_snapshot_may_be_named(tiny_store: Path) -> None:
    (snapshot,) = (tiny_store / "snapshots").iterdir()
    by_store = run("search", "鲜花", "--snapshot", tiny_store, "--json").stdout
    assert run("search", "鲜花", "--snapshot", snapshot, "--json").stdout == by_store


def test_search_for_people_shows_reasons_when_explaining(tiny_store: Path) -> None:
    result = run("search", "鲜花", "--store", tiny_store, "--explain")
    assert "Searched in the same session as “鲜花” in 60 sessions by 55 users" in result.stdout
    assert "low_relevance" in result.stderr


def test_the_store_may_come_from_the_environment(tiny_store: Path) -> None:
    assert run("search", "flowers", "--json", KR_STORE=str(tiny_store)).stdout


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (("search", "鲜花", "--store", "/nowhere"), 3, "make demo"),
        (("search", "鲜花", "--sort", "colour"), 2, "colour"),
        (("search", "x" * 300, "--store", "STORE"), 2, "300 characters"),
        (("search",), 2, "QUERY"),
        (("mine", "--logs", "/nowhere", "--out", "OUT"), 3, "/nowhere"),
        (("mine", "--logs", "/nowhere", "--out", "OUT", "--set", "speed=9"), 2, "speed"),
        (("build", "--mined", "/nowhere", "--store", "OUT"), 3, "/nowhere"),
        (("build", "--mined", "/nowhere", "--store", "OUT", "--lexicon", "/none.txt"), 3, "/nowhere"),
        (("ingest", "csv", "/nowhere", "--table", "searches", "--out", "OUT"), 3, "/nowhere"),
        (("evaluate", "miners", "--mined", "/nowhere", "--truth", "/nowhere"), 3, "/nowhere"),
        (("evaluate", "sessions", "--logs", "/nowhere"), 3, "/nowhere"),
        (("evaluate", "sessions", "--logs", "/nowhere", "--share", "1"), 2, "share"),
        (("train", "fusion", "--logs", "/nowhere", "--out", "OUT"), 3, "/nowhere"),
    ],
)
def test_mistakes_have_their_exit_code_and_say_what_is_wrong(
    tiny_store: Path, tmp_path: Path, arguments: tuple[str, ...], exit_code: int, message: str
) -> None:
    places = {"STORE": str(tiny_store), "OUT": str(tmp_path / "out")}
    result = run(*(places.get(argument, argument) for argument in arguments), exit_code=exit_code)
    assert message in result.stderr and not result.stdout


@pytest.mark.parametrize(
    ("content", "exit_code", "message"),
    [
        ("store = 5\n", 2, "store"),
        ("colour = 1\n", 2, "colour"),
        ("store = \n", 2, "TOML"),
        ('rules = "missing.toml"\n', 2, "cannot be read"),
        ('lexicons = ["missing.txt"]\n', 2, "missing.txt"),
        ("min_relevance = 7\n", 2, "min_relevance"),
    ],
)
def test_a_mistake_in_the_settings_file_names_the_setting(
    tiny_store: Path, tmp_path: Path, content: str, exit_code: int, message: str
) -> None:
    file = tmp_path / "kr.toml"
    file.write_text(content, encoding="utf-8")
    arguments = ("search", "鲜花") if content.startswith("store") else ("search", "鲜花", "--store", tiny_store)
    assert message in run(*arguments, exit_code=exit_code, KR_CONFIG=str(file)).stderr


def test_an_ingest_with_too_many_rejects_still_tells_the_counts(tmp_path: Path) -> None:
    log = tmp_path / "searches.csv"
    log.write_text("search_id,ts,user_id,query\n1,2024-01-01T00:00:00Z,u,flowers\n2,never,u,x\n", encoding="utf-8")
    result = run("ingest", "csv", log, "--table", "searches", "--out", tmp_path / "logs", "--json", exit_code=1)
    report = json.loads(result.stdout)
    assert (report["read"], report["kept"], report["rejected"]) == (2, 1, 1)
    assert sum(report["reasons"].values()) == 1 and "--max-rejected" in result.stderr


def test_evaluating_the_miners_prints_rows_with_intervals(small_market: Path) -> None:
    places = ("--mined", small_market / "mined", "--truth", small_market / "truth")
    rows = json.loads(run("evaluate", "miners", *places, "--json").stdout)["rows"]
    systems = {row["system"]: row for row in rows}
    assert {"cooccurrence", "association_rules", "click_clusters", "all together"} <= set(systems)
    for name in ("cooccurrence", "association_rules", "click_clusters", "all together"):
        low, high = systems[name]["ndcg_at_10_interval"]
        assert 0 <= low <= systems[name]["ndcg_at_10"] <= high <= 1
    assert "ndcg_at_10" in run("evaluate", "miners", *places).stdout


@pytest.mark.slow
def test_the_pipeline_bench_agrees_with_rank_bm25(tmp_path: Path) -> None:
    result = run("bench", "pipeline", "--size", "small", "--work", tmp_path, "--json")
    rows = {row["system"]: row for row in json.loads(result.stdout)["rows"]}
    assert rows["BM25 top 1,000, KR"]["agrees"] is True
    assert rows["whole path, 100 rows"]["p99_ms"] >= rows["whole path, 100 rows"]["p50_ms"] > 0
    assert rows["mine"]["rss_mb"] > 0 and rows["build"]["bytes"] > 0
