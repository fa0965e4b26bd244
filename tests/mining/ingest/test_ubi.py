"""User Behavior Insights 1.3: queries become searches, click events clicks, and what needs another row finds it."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexes.errors import CorruptError, UsageError
from mining.ingest import IngestReport, TooManyRejectsError

Run = Callable[..., IngestReport]
Rows = Callable[[Path, str], list[dict[str, Any]]]
Rejects = Callable[[Path], list[dict[str, Any]]]


def query(number: int, **more: Any) -> dict[str, Any]:
    return {
        "application": "shop",
        "query_id": f"q{number}",
        "client_id": f"c{number}",
        "user_query": f"鲜花 {number}",
        "timestamp": f"2025-02-18T10:00:{number:02}Z",
        "query_response_hit_ids": ["sku-1", "sku-2"],
    } | more


def event(number: int, action: str = "click", **more: Any) -> dict[str, Any]:
    return {
        "action_name": action,
        "query_id": f"q{number}",
        "client_id": f"c{number}",
        "timestamp": f"2025-02-18T10:01:{number:02}.123Z",
        "event_attributes": {"object": {"object_id": f"sku-{number}"}, "position": {"ordinal": 1 + number}},
    } | more


def write(path: Path, values: list[Any]) -> Path:
    path.write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values), "utf-8")
    return path


def test_queries_become_searches_and_clicks_find_their_query(run: Run, rows: Rows, tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    # The events come first by name: what a click was about is found in another, later file.
    write(folder / "events.ndjson", [event(1, session_id="visit-1"), event(2, "click_through", client_id=None)])
    write(folder / "queries.ndjson", [query(1), query(2, query_attributes={"session_id": "visit-2"}), query(3)])
    report = run("ubi", folder)
    assert (report.read, report.kept, report.rejected) == (5, 5, 0)
    assert report.tables() == {
        "clicks": {"read": 2, "kept": 2, "rejected": 0, "rows": 2},
        "searches": {"read": 3, "kept": 3, "rejected": 0, "rows": 3},
    }
    searches = rows(tmp_path / "out", "searches")
    assert [(row["search_id"], row["user_id"], row["session_id"], row["query"], row["client"]) for row in searches] == [
        ("q1", "c1", "visit-1", "鲜花 1", "shop"),
        ("q2", "c2", "visit-2", "鲜花 2", "shop"),
        ("q3", "c3", None, "鲜花 3", "shop"),
    ]
    assert {row["results"] for row in searches} == {None}
    clicks = rows(tmp_path / "out", "clicks")
    assert [(row["search_id"], row["user_id"], row["query"], row["url"], row["rank"]) for row in clicks] == [
        ("q1", "c1", "鲜花 1", "sku-1", 2),
        ("q2", "c2", "鲜花 2", "sku-2", 3),
    ]
    assert clicks[0]["ts"].isoformat() == "2025-02-18T10:01:01.123000+00:00"


def test_events_without_a_table_are_listed_but_not_held_against_the_log(
    run: Run, rejects: Rejects, tmp_path: Path
) -> None:
    values = [query(1), event(1), *[event(1, "impression", session_id="visit") for _ in range(50)]]
    report = run("ubi", write(tmp_path / "log.ndjson", values))
    assert (report.read, report.kept, report.reasons) == (52, 2, {"event_without_table": 50})
    assert report.rejected_share == 0.0
    assert [record["line"] for record in rejects(tmp_path / "out")] == list(range(3, 53))
    # With them left out, one bad row of three is too many again.
    write(tmp_path / "log.ndjson", [*values, {"neither": 1}])
    with pytest.raises(TooManyRejectsError, match=r"1 of 53 rows were rejected \(33.3%.*not_ubi 1"):
        run("ubi", tmp_path / "log.ndjson")


def test_broken_objects_each_have_their_reason(run: Run, rejects: Rejects, tmp_path: Path) -> None:
    values = [
        query(1),
        event(9),
        {key: value for key, value in event(1).items() if key != "query_id"},
        event(1, event_attributes={"object": {}}),
        event(1, timestamp="yesterday"),
        event(1, event_attributes={"object": {"object_id": "x"}, "position": {"ordinal": 0}}),
        query(2, user_query=None),
        query(3, client_id=None),
        query(1),
        event(1),
        event(1),
        query(4, timestamp="2036-01-01T00:00:00Z"),
        [],
        event(1, "purchase"),
    ]
    report = run("ubi", write(tmp_path / "log.ndjson", values), max_rejected=1.0)
    assert {record["line"]: record["reason"] for record in rejects(tmp_path / "out")} == {
        2: "unknown_query",
        3: "unknown_query",
        4: "missing_value",
        5: "not_a_timestamp",
        6: "below_minimum",
        7: "missing_value",
        8: "missing_value",
        9: "duplicate",
        11: "duplicate",
        12: "timestamp_in_future",
        13: "not_an_object",
        14: "event_without_table",
    }
    assert (report.read, report.kept) == (14, 2)
    assert [record["line"] for record in rejects(tmp_path / "out")] == sorted(
        record["line"] for record in rejects(tmp_path / "out")
    )


def test_times_in_milliseconds_and_urls_before_ids(run: Run, rows: Rows, tmp_path: Path) -> None:
    attributes = {"object": {"object_id": 17, "url": "https://shop.example/17"}, "position": {"xy": {"x": 1, "y": 2}}}
    run("ubi", write(tmp_path / "log", [query(1, timestamp=1_739_872_800_000), event(1, event_attributes=attributes)]))
    click = rows(tmp_path / "out", "clicks")[0]
    assert (click["url"], click["rank"]) == ("https://shop.example/17", None)
    assert rows(tmp_path / "out", "searches")[0]["ts"].isoformat() == "2025-02-18T10:00:00+00:00"
    run("ubi", write(tmp_path / "log", [query(1), event(1, event_attributes={"object": {"object_id": 17}})]))
    assert rows(tmp_path / "out", "clicks")[0]["url"] == "17"


def test_arrays_bulk_files_wrapped_exports_and_gzip_are_the_same_log(run: Run, rows: Rows, tmp_path: Path) -> None:
    values = [query(1), event(1), query(2)]
    lines = "".join(json.dumps(value) + "\n" for value in values)
    bulk = "".join('{"index": {"_index": "ubi"}}\n' + json.dumps(value) + "\n" for value in values)
    wrapped = "".join(json.dumps({"_index": "ubi", "_id": "1", "_source": value}) + "\n" for value in values)
    written = {
        "lines": lines.encode(),
        "gzip": gzip.compress(lines.encode()),
        "bulk": bulk.encode(),
        "wrapped": wrapped.encode(),
        "array": json.dumps(values, ensure_ascii=False, indent=2).encode(),
        "dense": json.dumps(values, separators=(",", ":")).encode(),
    }
    for name, content in written.items():
        (tmp_path / name).write_bytes(content)
        assert run("ubi", tmp_path / name, out=tmp_path / f"out-{name}").read == 3, name
        for table in ("searches", "clicks"):
            assert rows(tmp_path / f"out-{name}", table) == rows(tmp_path / "out-lines", table), name


def test_an_array_that_was_cut_off_loses_its_last_object_only(run: Run, rejects: Rejects, tmp_path: Path) -> None:
    text = json.dumps([query(number) for number in range(40)], indent=1, ensure_ascii=False)
    (tmp_path / "log").write_text(text[: text.rindex("shop")], "utf-8")
    report = run("ubi", tmp_path / "log")
    assert (report.read, report.reasons) == (40, {"torn_line": 1})
    assert rejects(tmp_path / "out")[0]["line"] == text[: text.rindex("{")].count("\n") + 1


def test_an_array_with_text_behind_it_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(json.dumps([query(1)]) + "[]")
    with pytest.raises(CorruptError, match="text follows the end of the array"):
        run("ubi", tmp_path / "log")


def test_a_changed_query_file_changes_the_clicks_of_the_other_file(run: Run, rows: Rows, tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    write(folder / "events", [event(1)])
    write(folder / "queries", [query(1)])
    run("ubi", folder)
    write(folder / "queries", [query(1, user_query="roses")])
    report = run("ubi", folder)
    assert {file.record.name: file.status for file in report.files} == {"events": "replaced", "queries": "replaced"}
    assert [row["query"] for row in rows(tmp_path / "out", "clicks")] == ["roses"]
    with pytest.raises(UsageError, match="--date means nothing for ubi"):
        run("ubi", folder, date=1)
