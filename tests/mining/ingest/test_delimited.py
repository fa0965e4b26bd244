"""CSV: quotes, line ends inside fields, rows of the wrong length, encodings, and damage that must cost one row only."""

import csv
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.errors import UsageError
from mining.ingest import IngestReport, TooManyRejectsError, ingest, log_parts
from mining.ingest.adapters.delimited import _Layout

Run = Callable[..., IngestReport]
Rows = Callable[[Path, str], list[dict[str, Any]]]
Rejects = Callable[[Path], list[dict[str, Any]]]
HEADER = "search_id,ts,user_id,query"
DAY = "2020-01-01T00:00:00Z"


def write(folder: Path, lines: list[str], name: str = "searches.csv", encoding: str = "utf-8", end: str = "\n") -> Path:
    path = folder / name
    path.write_bytes(("\n".join(lines) + end).encode(encoding))
    return path


def good(number: int) -> str:
    return f"s{number},{DAY},u,鲜花{number}"


def found(rejects: list[dict[str, Any]]) -> dict[int, str]:
    return {record["line"]: record["reason"] for record in rejects}


def test_short_long_and_blank_lines_are_told_apart(run: Run, rejects: Rejects, tmp_path: Path) -> None:
    source = write(tmp_path, [HEADER, good(1), "s2,too,short", "", good(3), good(4) + ",long", good(5)])
    report = run("csv", source, max_rejected=1.0)
    assert (report.read, report.kept, report.reasons) == (5, 3, {"wrong_columns": 2})
    assert found(rejects(tmp_path / "out")) == {3: "wrong_columns", 6: "wrong_columns"}
    assert rejects(tmp_path / "out")[0]["text"] == "The row has 3 columns, the header 4."
    assert rejects(tmp_path / "out")[0]["raw"] == "s2,too,short"


def test_line_numbers_count_lines_inside_quotes(run: Run, rejects: Rejects, rows: Rows, tmp_path: Path) -> None:
    source = write(tmp_path, [HEADER, f's1,{DAY},u,"two', 'lines ""quoted"""', "s2,no time,u,q", good(3)])
    run("csv", source, max_rejected=1.0)
    assert found(rejects(tmp_path / "out")) == {4: "not_a_timestamp"}
    assert rows(tmp_path / "out", "searches")[0]["query"] == 'two\nlines "quoted"'


def test_a_quote_that_is_never_closed_costs_its_own_line(run: Run, rejects: Rejects, tmp_path: Path) -> None:
    lines = [HEADER, good(1), f's2,{DAY},u,"open', *(good(number) for number in range(3, 40))]
    report = run("csv", write(tmp_path, lines), max_rejected=1.0)
    assert found(rejects(tmp_path / "out")) == {3: "unclosed_quote"}
    assert (report.read, report.kept) == (39, 38)


def test_text_after_a_closing_quote_costs_its_own_line(run: Run, rejects: Rejects, tmp_path: Path) -> None:
    lines = [HEADER, f's1,{DAY},u,"a"b', good(2), f's3,{DAY},u,"open', f's4,{DAY},"u",q', good(5)]
    report = run("csv", write(tmp_path, lines), max_rejected=1.0)
    assert found(rejects(tmp_path / "out")) == {2: "malformed_quote", 4: "malformed_quote"}
    assert report.kept == 3


@pytest.mark.parametrize("torn", ["s9,2020", f's9,{DAY},u,"鲜'])
def test_a_torn_last_line_is_rejected_with_its_number(run: Run, rejects: Rejects, tmp_path: Path, torn: str) -> None:
    source = write(tmp_path, [HEADER, *map(good, range(30)), torn], end="")
    assert run("csv", source).reasons == {"torn_line": 1}
    assert found(rejects(tmp_path / "out")) == {32: "torn_line"}


fields = st.text(st.sampled_from('ab,"\n\r 花'), min_size=1, max_size=5).filter(lambda text: not text.isspace())


@settings(max_examples=25, deadline=None)
@given(queries=st.lists(fields, min_size=1, max_size=8), damaged=st.sets(st.integers(0, 7), max_size=3))
def test_rows_around_damaged_ones_come_through_as_they_were_written(queries: list[str], damaged: set[int]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(HEADER.split(","))
    for number, query in enumerate(queries):
        writer.writerow([f"s{number}", DAY, "u", query])
        if number in damaged:
            text.write(f"bad{number},row\n")
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "searches.csv"
        path.write_bytes(text.getvalue().encode())
        report = ingest("csv", path, Path(name) / "out", max_rejected=1.0)
        kept = [row for part in log_parts(Path(name) / "out")["searches"] for row in pq.read_table(part).to_pylist()]
    assert [(row["search_id"], row["query"]) for row in kept] == [(f"s{n}", query) for n, query in enumerate(queries)]
    assert report.rejected == len(damaged & set(range(len(queries))))


blocks = st.lists(
    st.one_of(
        st.sampled_from([f"s1,{DAY},u,q", f's2,{DAY},u,"a,b"', f's3,{DAY},u,"x""y"', '"",,,', f's4,"{DAY}",u,a"b']),
        st.text(st.sampled_from('as,",\n\r花\udc80'), max_size=9),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=25, deadline=None)
@given(lines=blocks, end=st.sampled_from(["", "\n", "\r\n"]), quote=st.sampled_from(['"', ""]))
def test_reading_a_block_at_once_and_reading_it_row_by_row_agree(lines: list[str], end: str, quote: str) -> None:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        # Enough lines of good UTF-8 that a bad byte is a bad byte, not another encoding.
        content = "\n".join([HEADER, *(f"c{number},{DAY},u,花" for number in range(70)), *lines]) + end
        (folder / "searches.csv").write_bytes(content.encode("utf-8", "surrogateescape"))
        (folder / "mapping.toml").write_text(f"[tables.searches]\nfiles = \"*.csv\"\nquote = '{quote}'\n")
        ingest("csv", folder, folder / "blocks", max_rejected=1.0)
        patch.setattr(_Layout, "batch_of_block", lambda self, lines: None)
        ingest("csv", folder, folder / "rows", max_rejected=1.0)
        outcomes = [
            {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
            for out in (folder / "blocks", folder / "rows")
        ]
        assert outcomes[0] == outcomes[1]


def test_marks_encodings_and_delimiters(run: Run, rows: Rows, tmp_path: Path) -> None:
    lines = [HEADER, good(1)]
    for name, encoding, option in [
        ("searches-a.csv", "utf-8-sig", None),
        ("searches-b.csv", "utf-16", None),
        ("searches-c.csv", "gb18030", "gb18030"),
        ("searches-d.csv", "utf-16-le", "utf-16-le"),
    ]:
        out = tmp_path / name.removesuffix(".csv")
        run("csv", write(tmp_path, lines, name, encoding), encoding=option, out=out)
        assert [row["query"] for row in rows(out, "searches")] == ["鲜花1"]
    tabs = [text.replace(",", "\t") for text in lines]
    run("csv", write(tmp_path, tabs, "searches.tsv"), out=tmp_path / "tabs")
    assert [row["query"] for row in rows(tmp_path / "tabs", "searches")] == ["鲜花1"]


def test_a_file_in_another_encoding_is_refused_with_the_one_it_looks_like(run: Run, tmp_path: Path) -> None:
    source = write(tmp_path, [HEADER, *map(good, range(9))], encoding="gb18030")
    with pytest.raises(UsageError, match=r"is not utf-8 text: 9 of 9 lines .* say --encoding gb18030"):
        run("csv", source)


def test_a_bad_byte_costs_one_row(run: Run, rejects: Rejects, tmp_path: Path) -> None:
    source = write(tmp_path, [HEADER, *map(good, range(40))])
    source.write_bytes(source.read_bytes().replace("鲜花7\n".encode(), b"\xe9\xb2\n", 1))
    assert run("csv", source).reasons == {"undecodable": 1}
    assert found(rejects(tmp_path / "out")) == {9: "undecodable"}


def test_one_bad_byte_in_a_log_of_plain_ascii_costs_one_row(run: Run, tmp_path: Path) -> None:
    source = write(tmp_path, [HEADER, *(f"s{number},{DAY},u,caf" for number in range(40))])
    source.write_bytes(source.read_bytes().replace(b"s7,2020", b"s7\xe9,2020"))
    assert run("csv", source).reasons == {"undecodable": 1}


def test_a_header_alone_is_no_rows_and_a_wrong_header_is_named(run: Run, tmp_path: Path) -> None:
    for lines in ([HEADER], [""]):
        with pytest.raises(UsageError, match="holds no rows"):
            run("csv", write(tmp_path, lines))
    with pytest.raises(UsageError, match=r"has no column 'query', which searches requires. Did you mean querry"):
        run("csv", write(tmp_path, ["search_id,ts,user_id,querry", good(1)]))
    with pytest.raises(UsageError, match="two columns named 'query'"):
        run("csv", write(tmp_path, [HEADER + ",query", good(1) + ",x"]))


def test_more_rejects_than_allowed_fail_after_they_were_listed(run: Run, rejects: Rejects, tmp_path: Path) -> None:
    source = write(tmp_path, [HEADER, *map(good, range(90)), *["short"] * 6, *["s9,no time,u,q"] * 4])
    with pytest.raises(TooManyRejectsError) as failure:
        run("csv", source)
    assert failure.value.exit_code == 1
    message = str(failure.value)
    assert "10 of 100 rows were rejected (10.0%, allowed are 5.0%): wrong_columns 6, not_a_timestamp 4" in message
    listed = next((tmp_path / "out" / "rejects").glob("*.jsonl"))
    assert str(listed) in message
    assert "--max-rejected 0.11" in message
    assert len(rejects(tmp_path / "out")) == 10
    assert failure.value.report.as_dict()["rejected"] == 10
    assert not list((tmp_path / "out").glob("*/*.parquet"))
    assert not (tmp_path / "out" / "ingest.json").exists()
    assert run("csv", source, max_rejected=0.11).kept == 90
