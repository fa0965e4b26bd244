"""Values that come with a type of their own, from Parquet and JSON: numbers, times, lists, bytes."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexes.errors import CorruptError, UsageError
from mining.ingest import IngestReport

Run = Callable[..., IngestReport]
Rows = Callable[[Path, str], list[dict[str, Any]]]
Rejects = Callable[[Path], list[dict[str, Any]]]
NOON = datetime(2020, 7, 1, 12, tzinfo=UTC)
SECONDS = int(NOON.timestamp())


def searches(count: int, **columns: Any) -> pa.Table:
    base = {
        "search_id": [f"s{number}" for number in range(count)],
        "ts": pa.array([NOON] * count, pa.timestamp("us", "UTC")),
        "user_id": ["u"] * count,
        "query": ["鲜花"] * count,
    }
    return pa.table(base | columns)


def write(folder: Path, table: pa.Table, mapping: str = "", **options: Any) -> Path:
    pq.write_table(table, folder / "searches.parquet", **options)
    if mapping:
        (folder / "mapping.toml").write_text(f'[tables.searches]\nfiles = "searches.parquet"\n{mapping}', "utf-8")
        return folder
    return folder / "searches.parquet"


def wrong(rejects: list[dict[str, Any]]) -> dict[int, tuple[str, str]]:
    return {record["line"]: (record["column"], record["reason"]) for record in rejects}


@pytest.mark.parametrize(
    ("values", "kind", "mapping"),
    [
        ([SECONDS], pa.int64(), 'ts = { column = "ts", unit = "s" }'),
        ([SECONDS * 1000], pa.int64(), 'ts = { column = "ts", unit = "ms" }'),
        ([SECONDS * 10**6], pa.uint64(), 'ts = { column = "ts", unit = "us" }'),
        ([float(SECONDS)], pa.float64(), 'ts = { column = "ts", unit = "s" }'),
        ([str(SECONDS)], pa.string(), 'ts = { column = "ts", unit = "s" }'),
        (["2020-07-01 20:00:00"], pa.string(), 'ts = { column = "ts", timezone = "Asia/Shanghai" }'),
        (["2020-07-01T12:00:00Z"], pa.string(), 'ts = { column = "ts", timezone = "Asia/Shanghai" }'),
        (
            ["01.07.2020 20h"],
            pa.string(),
            'ts = { column = "ts", timezone = "Asia/Shanghai", format = "%d.%m.%Y %Hh" }',
        ),
        (["01.07.2020 12h +0000"], pa.string(), 'ts = { column = "ts", format = "%d.%m.%Y %Hh %z" }'),
        ([datetime(2020, 7, 1, 20)], pa.timestamp("ms"), 'ts = { column = "ts", timezone = "Asia/Shanghai" }'),
        ([NOON], pa.timestamp("ns", "Europe/Paris"), 'ts = { column = "ts", timezone = "Asia/Shanghai" }'),
        ([NOON], pa.timestamp("s", "Asia/Shanghai"), ""),
        ([datetime(2020, 7, 1, 12)], pa.timestamp("us"), ""),
    ],
)
def test_a_time_is_the_same_instant_however_it_is_written(
    run: Run, rows: Rows, tmp_path: Path, values: list[Any], kind: pa.DataType, mapping: str
) -> None:
    table = searches(1, ts=pa.array(values, kind))
    run("parquet", write(tmp_path, table, f"[tables.searches.columns]\n{mapping}" if mapping else ""))
    assert rows(tmp_path / "out", "searches")[0]["ts"] == NOON


def test_a_wrong_unit_is_told_as_a_time_out_of_bounds(run: Run, rejects: Rejects, tmp_path: Path) -> None:
    times = pa.array([SECONDS, SECONDS * 1000, 2**62, -(2**62), None], pa.int64())
    mapping = '[tables.searches.columns]\nts = { column = "ts", unit = "ms" }'
    run("parquet", write(tmp_path, searches(5, ts=times), mapping), max_rejected=1.0)
    assert wrong(rejects(tmp_path / "out")) == {
        1: ("ts", "timestamp_before_1990"),
        3: ("ts", "not_a_timestamp"),
        4: ("ts", "not_a_timestamp"),
        5: ("ts", "missing_value"),
    }


def test_absurd_times_are_rejected_and_quoted(run: Run, rejects: Rejects, tmp_path: Path) -> None:
    for unit in ("ms", "us", "ns"):
        times = pa.array([2**62, -(2**62)], pa.int64()).cast(pa.timestamp(unit))
        run("parquet", write(tmp_path, searches(2, ts=times)), max_rejected=1.0, out=tmp_path / unit)
        reasons = {reason for _, reason in wrong(rejects(tmp_path / unit)).values()}
        assert reasons == {"timestamp_in_future", "timestamp_before_1990"}
        assert all('"ts"' in record["raw"] for record in rejects(tmp_path / unit))


def test_numbers_without_a_unit_are_no_times(run: Run, tmp_path: Path) -> None:
    source = write(tmp_path, searches(1, ts=[SECONDS]))
    with pytest.raises(UsageError, match=r'searches\.ts.*nothing says since when.*unit = "s"'):
        run("parquet", source)


def test_numbers_of_any_width_fit_or_are_rejected_for_the_right_reason(
    run: Run, rows: Rows, rejects: Rejects, tmp_path: Path
) -> None:
    results = pa.array([7.0, 7.5, -1.0, float("nan"), 3e9, None], pa.float64())
    shown = pa.array([1, 2, 3, 4, 5, 2**64 - 1], pa.uint64())
    source = write(tmp_path, searches(6, results=results, ads_shown=shown))
    run("parquet", source, max_rejected=1.0)
    assert [row["results"] for row in rows(tmp_path / "out", "searches")] == [7]
    assert wrong(rejects(tmp_path / "out")) == {
        2: ("results", "not_a_number"),
        3: ("results", "below_minimum"),
        4: ("results", "not_a_number"),
        5: ("results", "above_maximum"),
        6: ("ads_shown", "not_a_number"),
    }


@pytest.mark.parametrize("text", [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int8(), pa.string())])
def test_text_is_text_in_any_arrow_layout(run: Run, rows: Rows, tmp_path: Path, text: pa.DataType) -> None:
    queries = pa.array(["e\u0301clair", "鲜花", "  "], pa.string()).cast(text)
    report = run("parquet", write(tmp_path, searches(3, query=queries)), max_rejected=1.0)
    assert [row["query"] for row in rows(tmp_path / "out", "searches")] == ["\u00e9clair", "鲜花"]
    assert report.reasons == {"missing_value": 1}


def test_bytes_that_are_not_text_cost_their_row(run: Run, rejects: Rejects, tmp_path: Path) -> None:
    queries = pa.array([b"a", b"\xff\xfe", b"\xe9\xb2\x9c"], pa.binary())
    report = run("parquet", write(tmp_path, searches(3, query=queries)), max_rejected=1.0)
    assert (report.kept, report.reasons) == (2, {"undecodable": 1})
    assert rejects(tmp_path / "out")[0]["line"] == 2


def test_lists_of_bytes_that_are_not_text_cost_their_row(run: Run, rows: Rows, tmp_path: Path) -> None:
    offsets = pa.array([0, 1, 2, 2], pa.int32())
    broken = pa.StringArray.from_buffers(2, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pa.py_buffer(b"a\xff"))
    regions = pa.ListArray.from_arrays(offsets, broken)
    table = pa.table({"advertiser_id": ["a", "b", "c"], "name": ["n"] * 3, "regions": regions})
    pq.write_table(table, tmp_path / "advertisers.parquet")
    report = run("parquet", tmp_path / "advertisers.parquet", max_rejected=1.0)
    assert report.reasons == {"undecodable": 1}
    assert [row["regions"] for row in rows(tmp_path / "out", "advertisers")] == [["a"], []]


def test_whole_numbers_become_ids_and_other_types_are_refused(run: Run, rows: Rows, tmp_path: Path) -> None:
    run("parquet", write(tmp_path, searches(1, user_id=[12345])))
    assert rows(tmp_path / "out", "searches")[0]["user_id"] == "12345"
    with pytest.raises(UsageError, match=r"'user_id' is of type double; user_id needs string"):
        run("parquet", write(tmp_path, searches(1, user_id=[1.5])))


def test_the_line_of_a_reject_counts_rows_over_all_batches(run: Run, rejects: Rejects, tmp_path: Path) -> None:
    count = 300_000
    users = ["u"] * count
    for row in (0, 131_072, 299_999):
        users[row] = ""
    report = run("parquet", write(tmp_path, searches(count, user_id=users), row_group_size=50_000))
    assert (report.read, report.kept) == (count, count - 3)
    assert [record["line"] for record in rejects(tmp_path / "out")] == [1, 131_073, 300_000]


def test_what_is_not_parquet_is_called_corrupt(run: Run, tmp_path: Path) -> None:
    source = write(tmp_path, searches(5000))
    content = source.read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"search_id,ts\n", content[:100] + b"\0" * 400 + content[500:]):
        source.write_bytes(damaged)
        with pytest.raises(CorruptError, match=r"searches\.parquet"):
            run("parquet", source)
    assert not list((tmp_path / "out").glob("*/*.parquet"))


def test_json_values_keep_their_meaning(run: Run, rows: Rows, rejects: Rejects, tmp_path: Path) -> None:
    base = {"search_id": "s", "ts": NOON.isoformat(), "user_id": "u", "query": "鲜花"}
    lines: list[Any] = [
        base | {"search_id": 7, "results": 3.0, "device": None},
        base | {"search_id": True},
        base | {"search_id": "s2", "query": ["a"]},
        base | {"search_id": 1.5},
        base | {"search_id": "s3", "ts": SECONDS},
        ["no object"],
        base | {"search_id": "s4", "query": "\ud800"},
        base | {"search_id": "s5", "ads_shown": "3"},
    ]
    text = "\n".join([*map(json.dumps, lines), "", "{not json", '{"search_id": "torn'])
    (tmp_path / "searches.jsonl").write_text(text)
    report = run("jsonl", tmp_path / "searches.jsonl", max_rejected=1.0)
    assert report.read == 10
    assert [(row["search_id"], row["results"]) for row in rows(tmp_path / "out", "searches")] == [
        ("7", 3),
        ("s5", None),
    ]
    assert {line: reason for line, (_, reason) in wrong(rejects(tmp_path / "out")).items()} == {
        2: "wrong_type",
        3: "wrong_type",
        4: "wrong_type",
        5: "not_a_timestamp",
        6: "not_an_object",
        7: "not_json",
        10: "not_json",
        11: "torn_line",
    }


def test_lists_dates_and_nested_keys_in_json(run: Run, rows: Rows, rejects: Rejects, tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text(
        '[tables.advertisers]\nfiles = "a.jsonl"\n[tables.advertisers.columns]\nadvertiser_id = "account.id"\n'
        '[tables.weekly_budgets]\nfiles = "w.jsonl"\n'
    )
    accounts = [
        {"account": {"id": "a1"}, "name": "e\u0301", "regions": ["上海", " London ", ""]},
        {"account": {"id": "a2"}, "name": "n", "regions": "上海|London"},
        {"account": {"id": "a3"}, "name": "n", "regions": [1]},
        {"account": "a4", "name": "n"},
    ]
    budgets = [{"user_id": "u", "week": "2026-01-05", "budget": 3, "randomised": True}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, accounts)) + "\n")
    (tmp_path / "w.jsonl").write_text(json.dumps(budgets))
    report = run("jsonl", tmp_path, max_rejected=1.0)
    assert report.reasons == {"missing_value": 1, "wrong_type": 1}
    assert {row["advertiser_id"]: row["regions"] for row in rows(tmp_path / "out", "advertisers")} == {
        "a1": ["上海", "London"],
        "a2": ["上海", "London"],
    }
    assert rows(tmp_path / "out", "weekly_budgets") == [
        {"user_id": "u", "week": date(2026, 1, 5), "budget": 3, "randomised": True}
    ]
