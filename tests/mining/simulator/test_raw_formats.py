"""The raw formats are what ingest reads, and hold the same log."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mining.ingest import ingest
from mining.schema import canonical_tables
from mining.simulator import FORMATS

TABULAR = ("parquet", "csv", "jsonl")


def read_log(logs: Path, table: str) -> list[dict[str, object]]:
    rows = [row for part in sorted((logs / table).glob("*.parquet")) for row in pq.read_table(part).to_pylist()]
    return sorted(rows, key=lambda row: [str(row[name]) for name in canonical_tables()[table].key])


def read_raw(folder: Path, table: str) -> list[dict[str, object]]:
    return [
        row for file in sorted((folder / "raw").glob(f"{table}-*.parquet")) for row in pq.read_table(file).to_pylist()
    ]


def test_parquet_csv_and_json_lines_ingest_into_the_same_tables_without_a_reject(tmp_path: Path, tiny_markets) -> None:
    read: dict[str, list[list[dict[str, object]]]] = {}
    for raw_format in TABULAR:
        (folder, summary), logs = tiny_markets[raw_format], tmp_path / raw_format
        report = ingest(raw_format, folder / "raw", logs, mapping=folder / "raw" / "mapping.toml")
        assert sum(file.record.rejected for file in report.files) == 0
        for table, count in summary["rows"].items():
            rows = read_log(logs, table)
            assert len(rows) == count, (raw_format, table)
            read.setdefault(table, []).append(rows)
    for parquet, csv, jsonl in read.values():
        assert parquet == csv == jsonl


def test_user_behavior_insights_ingest_into_the_same_searches_and_clicks(tmp_path: Path, tiny_markets) -> None:
    folder, summary = tiny_markets["ubi"]
    assert set(summary["rows"]) == {"searches", "clicks"}
    ingest("ubi", folder / "raw", tmp_path / "logs")
    for table, kept in (
        ("searches", ("search_id", "user_id", "query")),
        ("clicks", ("search_id", "query", "url", "rank")),
    ):
        plain = read_raw(tiny_markets["parquet"][0], table)
        expected = sorted(tuple(str(row[name]) for name in kept) for row in plain)
        assert sorted(tuple(str(row[name]) for name in kept) for row in read_log(tmp_path / "logs", table)) == expected


def test_ubi_objects_have_what_the_1_3_schemas_require(tiny_markets) -> None:
    folder, _ = tiny_markets["ubi"]
    queries, events = (
        [json.loads(line) for line in (folder / "raw" / name).read_bytes().splitlines()]
        for name in ("ubi_queries.jsonl", "ubi_events.jsonl")
    )
    shown = {query["query_id"]: query["query_response_hit_ids"] for query in queries}
    assert all(len(set(urls)) == 10 for urls in shown.values())
    assert {event["action_name"] for event in events} == {"click", "impression"}
    odd = 0
    for event in events:
        attributes = event["event_attributes"]
        ordinal = attributes["position"]["ordinal"]
        odd += shown[event["query_id"]][ordinal - 1] != attributes["object"]["object_id"]
        assert event["timestamp"].endswith("Z")
    assert odd / len(events) < 0.05


def test_sogouq_files_hold_every_click_in_the_layout_of_the_log(tmp_path: Path, tiny_markets) -> None:
    folder, summary = tiny_markets["sogouq"]
    files = sorted((folder / "raw").glob("sogouq-*.txt"))
    lines = [line for file in files for line in file.read_text(encoding="gb18030").splitlines()]
    assert len(lines) == summary["rows"]["clicks"]
    assert all(len(line.split("\t")) == 5 and line.split("\t")[2][0] == "[" for line in lines)
    (tmp_path / "some").mkdir()
    for file in files[:5]:
        shutil.copy(file, tmp_path / "some" / file.name)
    report = ingest("sogouq", tmp_path / "some", tmp_path / "logs")
    assert sum(file.record.rejected for file in report.files) == 0
    clicks = {(row["query"], row["url"], row["rank"]) for row in read_log(tmp_path / "logs", "clicks")}
    plain = read_raw(tiny_markets["parquet"][0], "clicks")
    known = {(row["query"].strip(), row["url"].split("//")[1], row["rank"]) for row in plain}
    assert clicks
    assert {(str(query).strip(), str(url).split("//")[-1], rank) for query, url, rank in clicks} <= known


@pytest.mark.parametrize("raw_format", FORMATS)
def test_no_truth_stands_beside_the_raw_files(tiny_markets, raw_format: str) -> None:
    folder, _ = tiny_markets[raw_format]
    assert sorted(path.name for path in folder.iterdir()) == ["raw", "truth"]
    names = {path.name.split("-")[0].split(".")[0] for path in (folder / "raw").iterdir()}
    assert not names & {"keywords", "robots", "fraud", "bursts", "needs", "truth"}
