"""The Sogou adapter: every line accounted for, searches as runs of lines, encodings, torn and broken lines."""

import gzip
import re
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.errors import CorruptError, UsageError
from mining.ingest import IngestReport, TooManyRejectsError, ingest, log_parts

Run = Callable[..., IngestReport]
Rows = Callable[[Path, str], list[dict[str, Any]]]
Rejects = Callable[[Path], list[dict[str, Any]]]
LINE = "00:00:{second:02}\t{user}\t[{query}]\t{rank} {order}\twww.example.com/{url}"
CHINA = timedelta(hours=8)


def line(second: int = 0, user: str = "u1", query: str = "鲜花", rank: int = 1, order: int = 1, url: str = "a") -> str:
    return LINE.format(second=second, user=user, query=query, rank=rank, order=order, url=url)


def write(path: Path, lines: list[str], encoding: str = "gb18030", end: str = "\n") -> Path:
    path.write_bytes(("\n".join(lines) + end).encode(encoding))
    return path


def reasons_by_line(rejects: list[dict[str, Any]]) -> dict[int, str]:
    return {record["line"]: record["reason"] for record in rejects}


@pytest.mark.shared_data
def test_every_line_of_the_real_sample_is_accounted_for(
    run: Run, rows: Rows, rejects: Rejects, shared_data: Path, tmp_path: Path
) -> None:
    sample = shared_data / "logs/sogouq/SogouQ.sample"
    report = run("sogouq", sample)
    lines = sample.read_bytes().decode("gb18030").splitlines()
    assert report.read == len(lines) == 10_000
    assert report.kept + report.rejected == report.read

    # Counted apart from ingest: a line whose time, user, query, URL and rank were there before is a duplicate.
    pattern = re.compile(r"(\d\d:\d\d:\d\d)\t(\w+)\t\[(.*)\]\t(\d+) \d+\t(.*)")
    keys, repeated = set(), []
    for number, text in enumerate(lines, 1):
        match = pattern.fullmatch(text)
        assert match is not None
        if match.groups() in keys:
            repeated.append(number)
        keys.add(match.groups())
    listed = rejects(tmp_path / "out")
    assert [record["line"] for record in listed] == repeated
    assert {record["reason"] for record in listed} == {"duplicate"}
    assert len(rows(tmp_path / "out", "clicks")) == len(keys) == report.kept
    quake = [click for click in rows(tmp_path / "out", "clicks") if click["query"] == "汶川地震原因"]
    assert {user for _, user, query, _, _ in keys if query == "汶川地震原因"} == {click["user_id"] for click in quake}


users = st.sampled_from(["u1", "u2"])
queries = st.sampled_from(["鲜花", "北京 酒店", "flowers"])
clicked = st.tuples(st.integers(0, 3), users, queries, st.integers(1, 2), st.sampled_from("ab"))


@settings(max_examples=30, deadline=None)
@given(clicks=st.lists(clicked, min_size=1, max_size=25))
def test_searches_are_the_runs_of_one_user_and_query(clicks: list[tuple[int, str, str, int, str]]) -> None:
    kept, seen, searches = [], set(), []
    latest: dict[str, tuple[str, int]] = {}
    for number, (second, user, query, rank, url) in enumerate(clicks, 1):
        if (second, user, query, rank, url) in seen:
            continue
        seen.add((second, user, query, rank, url))
        if user not in latest or latest[user][0] != query:
            latest[user] = (query, number)
            searches.append((number, user, query, second))
        kept.append((latest[user][1], second, user, query, rank, f"http://www.example.com/{url}"))
    with tempfile.TemporaryDirectory() as name:
        log = write(Path(name) / "log", [line(s, u, q, r, 1, url) for s, u, q, r, url in clicks])
        report = ingest("sogouq", log, Path(name) / "out", max_rejected=1.0)
        parts = log_parts(Path(name) / "out")
        found_clicks = pq.read_table(parts["clicks"][0]).to_pylist()
        found_searches = pq.read_table(parts["searches"][0]).to_pylist()
    assert (report.read, report.kept) == (len(clicks), len(kept))
    assert report.tables()["searches"] == {"read": None, "kept": None, "rejected": None, "rows": len(searches)}
    start = datetime(2008, 6, 1, tzinfo=UTC) - CHINA
    number_of = {search["search_id"]: int(search["search_id"].rpartition("-")[2]) for search in found_searches}
    assert [
        (number_of[click["search_id"]], click["ts"], click["user_id"], click["query"], click["rank"], click["url"])
        for click in found_clicks
    ] == [(n, start + timedelta(seconds=s), u, q, r, url) for n, s, u, q, r, url in kept]
    assert [
        (number_of[search["search_id"]], search["user_id"], search["query"], search["ts"]) for search in found_searches
    ] == [(n, u, q, start + timedelta(seconds=s)) for n, u, q, s in searches]


def test_a_torn_last_line_is_rejected_with_its_number(run: Run, rejects: Rejects, tmp_path: Path) -> None:
    whole = [line(second) for second in range(40)]
    for torn in ("00:00:41\tu1\t[鲜", "00:00:41\tu1\t[鲜花]\t1 1\t", "00:00:41\tu1\t[鲜花]\t1"):
        log = write(tmp_path / "log", [*whole, torn], end="")
        report = run("sogouq", log)
        assert (report.read, report.kept, report.reasons) == (41, 40, {"torn_line": 1})
        assert reasons_by_line(rejects(tmp_path / "out")) == {41: "torn_line"}


def test_a_last_line_cut_inside_a_character_is_torn(run: Run, rejects: Rejects, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes("\n".join([*map(line, range(40)), "00:00:41\tu1\t[鲜花"]).encode("gb18030")[:-1])
    assert run("sogouq", log).reasons == {"torn_line": 1}
    assert reasons_by_line(rejects(tmp_path / "out")) == {41: "torn_line"}


def test_a_complete_last_line_without_a_line_end_is_kept(run: Run, tmp_path: Path) -> None:
    report = run("sogouq", write(tmp_path / "log", [line(0), line(1)], end=""))
    assert (report.read, report.kept) == (2, 2)


def test_undecodable_lines_are_rejects_with_their_numbers(
    run: Run, rejects: Rejects, rows: Rows, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    encoded = [line(second % 60, query=f"鲜花{second}").encode("gb18030") for second in range(60)]
    encoded[6] = encoded[6].replace("鲜".encode("gb18030"), b"\xff\xff")
    log.write_bytes(b"\n".join(encoded) + b"\n")
    report = run("sogouq", log)
    assert report.reasons == {"undecodable": 1}
    assert reasons_by_line(rejects(tmp_path / "out")) == {7: "undecodable"}
    assert "鲜花5" in {click["query"] for click in rows(tmp_path / "out", "clicks")}


def test_broken_lines_each_have_their_reason(run: Run, rejects: Rejects, tmp_path: Path) -> None:
    broken = {
        "": "wrong_columns",
        "just text": "wrong_columns",
        line().replace("[鲜花]", "鲜花"): "unbracketed_query",
        line().replace("\t1 1\t", "\tone 1\t"): "not_rank_and_order",
        line().replace("00:00:00", "25:00:00"): "not_a_timestamp",
        line().replace("00:00:00", "0:0"): "not_a_timestamp",
        line(rank=0): "below_minimum",
        line(query=" "): "missing_value",
        line(query="花" * 1001): "too_long",
        line().replace("www.example.com/a", " "): "missing_value",
        line(user=""): "missing_value",
    }
    report = run("sogouq", write(tmp_path / "log", [line(1), *broken, line(2)]), max_rejected=1.0)
    assert reasons_by_line(rejects(tmp_path / "out")) == dict(enumerate(broken.values(), 2))
    assert (report.read, report.kept) == (len(broken) + 2, 2)


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("gzipped", [False, True])
def test_encodings_are_found_out_and_gzip_is_opened(
    run: Run, rows: Rows, tmp_path: Path, encoding: str, gzipped: bool
) -> None:
    content = "".join(f"{line(second, query=f'汶川地震{second}')}\r\n" for second in range(5)).encode(encoding)
    log = tmp_path / "log"
    log.write_bytes(gzip.compress(content) if gzipped else content)
    assert run("sogouq", log).kept == 5
    clicks = rows(tmp_path / "out", "clicks")
    assert [click["query"] for click in clicks] == [f"汶川地震{second}" for second in range(5)]
    assert clicks[0]["url"] == "http://www.example.com/a"


def test_a_wrong_encoding_is_named_and_the_right_one_suggested(run: Run, tmp_path: Path) -> None:
    log = write(tmp_path / "log", [line(second, query="汶川地震原因分析") for second in range(9)])
    with pytest.raises(UsageError, match=r"log is not utf-8 text: 9 of 9 lines .* --encoding gb18030"):
        run("sogouq", log, encoding="utf-8")
    with pytest.raises(UsageError, match="utf-16, in which a line end is not one byte"):
        run("sogouq", log, encoding="utf-16")
    with pytest.raises(UsageError, match="there is no text encoding 'gb18o3o'"):
        run("sogouq", log, encoding="gb18o3o")
    with pytest.raises(UsageError, match="is UTF-16 text"):
        run("sogouq", write(tmp_path / "wide", [line()], "utf-16"))
    with pytest.raises(UsageError, match="holds NUL bytes"):
        run("sogouq", write(tmp_path / "wide", [line()], "utf-16-le"))
    assert not list((tmp_path / "out").rglob("*.parquet"))


def test_a_stretch_of_nul_bytes_that_a_crash_left_costs_one_line(run: Run, rejects: Rejects, tmp_path: Path) -> None:
    lines = [line(second).encode() for second in range(30)]
    (tmp_path / "log").write_bytes(b"\n".join([*lines[:9], b"\0" * 4096, *lines[9:]]) + b"\n")
    assert run("sogouq", tmp_path / "log").reasons == {"wrong_columns": 1}
    assert reasons_by_line(rejects(tmp_path / "out")) == {10: "wrong_columns"}


def test_one_bad_byte_does_not_turn_a_utf_8_log_into_gibberish(run: Run, rows: Rows, tmp_path: Path) -> None:
    lines = [line(second, query="汶川地震").encode() for second in range(30)]
    lines[3] = lines[3].replace("川".encode(), b"\x80")
    (tmp_path / "log").write_bytes(b"\n".join(lines) + b"\n")
    assert run("sogouq", tmp_path / "log").reasons == {"undecodable": 1}
    assert {click["query"] for click in rows(tmp_path / "out", "clicks")} == {"汶川地震"}


def test_the_day_comes_from_the_option_or_the_file_name_and_is_china_s(run: Run, rows: Rows, tmp_path: Path) -> None:
    log = write(tmp_path / "access_log.20080602.decode.filter", [line(5)])
    run("sogouq", log)
    assert rows(tmp_path / "out", "clicks")[0]["ts"] == datetime(2008, 6, 1, 16, 0, 5, tzinfo=UTC)
    run("sogouq", log, date=date(2009, 1, 1))
    assert rows(tmp_path / "out", "searches")[0]["ts"] == datetime(2008, 12, 31, 16, 0, 5, tzinfo=UTC)


def test_six_columns_and_full_times_of_other_years_are_read(run: Run, rows: Rows, tmp_path: Path) -> None:
    older = line(1).replace("\t1 1\t", "\t7\t2\t")
    later = "20111230000005\tabc\t奇艺高清\t3\t1\thttp://www.qiyi.com/"
    run("sogouq", write(tmp_path / "log", [older, later], "utf-8"))
    first, second = rows(tmp_path / "out", "clicks")
    assert (first["rank"], second["rank"], second["query"]) == (7, 3, "奇艺高清")
    assert second["ts"] == datetime(2011, 12, 29, 16, 0, 5, tzinfo=UTC)
    assert second["url"] == "http://www.qiyi.com/"


def test_lines_dated_in_the_future_are_rejected(run: Run, tmp_path: Path) -> None:
    log = write(tmp_path / "log", [line(1), line(2)])
    with pytest.raises(TooManyRejectsError, match=r"2 of 2 rows were rejected \(100.0%.*timestamp_in_future 2"):
        run("sogouq", log, date=date(2026, 6, 4))
    assert run("sogouq", log, date=date(2026, 6, 2)).kept == 2


def test_a_folder_is_all_its_files_and_a_file_twice_is_all_duplicates(
    run: Run, rejects: Rejects, tmp_path: Path
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    write(folder / "day-20080602", [line(second) for second in range(3)])
    write(folder / "day-20080601", [line(second) for second in range(5)])
    (folder / ".hidden").write_text("no log")
    report = run("sogouq", folder)
    assert [(file.record.name, file.record.read) for file in report.files] == [("day-20080601", 5), ("day-20080602", 3)]
    (folder / "day-20080602.copy").write_bytes((folder / "day-20080602").read_bytes())
    again = run("sogouq", folder, max_rejected=0.5)
    assert (again.read, again.reasons) == (11, {"duplicate": 3})
    assert {record["text"] for record in rejects(tmp_path / "out")} == {"A row of day-20080602 has the same key."}


def test_a_log_without_rows_and_a_missing_path_are_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="empty holds no rows"):
        run("sogouq", tmp_path / "empty")
    with pytest.raises(UsageError, match="folder holds no files"):
        run("sogouq", tmp_path / "folder")
    with pytest.raises(UsageError, match="--mapping and --table mean nothing for sogouq"):
        run("sogouq", tmp_path / "empty", table="clicks")


def test_a_truncated_gzip_file_is_called_corrupt(run: Run, tmp_path: Path) -> None:
    content = gzip.compress("\n".join(line(n % 60, query=f"{n}") for n in range(999)).encode())
    (tmp_path / "log.gz").write_bytes(content[: len(content) // 2])
    with pytest.raises(CorruptError, match=r"log.gz cannot be decompressed"):
        run("sogouq", tmp_path / "log.gz")
    assert not list((tmp_path / "out").rglob("*.parquet"))
