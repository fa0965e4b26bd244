"""The mapping file: what it can say, and what is said about each mistake in it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexes.errors import NotFoundError, UsageError
from mining.ingest import IngestReport

Run = Callable[..., IngestReport]
Rows = Callable[[Path, str], list[dict[str, Any]]]
RAW = "id;when;who;what;kind\n1;2020-01-01 08:00:00;u;鲜花;PC\n2;2020-01-01 09:00:00;u;'a;b';mobile\n"
WORKING = """
[tables.searches]
files = "raw/searches-*.csv"
delimiter = ";"
quote = "'"
[tables.searches.columns]
search_id = "id"
ts = { column = "when", timezone = "Asia/Shanghai" }
user_id = "who"
query = "what"
device = { column = "kind", values = { PC = "desktop" } }
client = { value = "our shop" }
"""


def write(folder: Path, mapping: str) -> Path:
    (folder / "raw").mkdir(exist_ok=True)
    (folder / "raw" / "searches-1.csv").write_text(RAW, "utf-8")
    (folder / "mapping.toml").write_text(mapping, "utf-8")
    return folder


def test_a_mapping_renames_converts_and_fills_in(run: Run, rows: Rows, tmp_path: Path) -> None:
    run("csv", write(tmp_path, WORKING))
    first, second = rows(tmp_path / "out", "searches")
    assert (first["search_id"], first["device"], first["client"]) == ("1", "desktop", "our shop")
    assert (second["query"], second["device"]) == ("a;b", "mobile")
    assert first["ts"].isoformat() == "2020-01-01T00:00:00+00:00"


def test_the_mapping_may_be_named_by_itself_or_apart_from_the_data(run: Run, tmp_path: Path) -> None:
    folder = write(tmp_path, WORKING)
    direct = run("csv", folder / "mapping.toml", out=tmp_path / "a")
    elsewhere = (folder / "mapping.toml").rename(tmp_path / "other.toml")
    apart = run("csv", folder, mapping=elsewhere, out=tmp_path / "b")
    one_file = run("csv", folder / "raw" / "searches-1.csv", mapping=elsewhere, out=tmp_path / "c")
    assert direct.kept == apart.kept == one_file.kept == 2
    assert (tmp_path / "a" / "ingest.json").read_bytes() == (tmp_path / "b" / "ingest.json").read_bytes()


def test_tables_of_several_formats_come_in_one_run(run: Run, tmp_path: Path) -> None:
    (tmp_path / "raw.jsonl").write_text('{"industry_id": "i1"}\n')
    folder = write(tmp_path, WORKING + '[tables.industries]\nfiles = "*.jsonl"\nformat = "jsonl"\n')
    report = run("csv", folder)
    assert {name: counts["rows"] for name, counts in report.tables().items()} == {"industries": 1, "searches": 2}
    assert run("csv", folder, table="industries", out=tmp_path / "one").read == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "[tables.searches]",
            "[tables.serches]",
            r"mapping\.toml: tables\.serches is unknown\. Did you mean searches\?",
        ),
        ("[tables.searches]", "[table.searches]", r"mapping\.toml: table is unknown\. Did you mean tables\?"),
        ("files =", "file =", r"tables\.searches\.file is unknown\. Did you mean files\?"),
        ("delimiter =", "delimeter =", r"tables\.searches\.delimeter is unknown\. Did you mean delimiter\?"),
        ('delimiter = ";"', 'delimiter = ";;"', r"tables\.searches\.delimiter is ';;'\. It must be one character"),
        ('delimiter = ";"', "delimiter = 1", r"tables\.searches\.delimiter is not text"),
        ('delimiter = ";"', 'delimiter = "\'"', r"delimiter and the quote are both"),
        ('delimiter = ";"', 'format = "cvs"', r"tables\.searches\.format is 'cvs'\. Did you mean csv\?"),
        ('delimiter = ";"', 'format = "parquet"', r"tables\.searches\.quote means nothing for parquet files"),
        ('delimiter = ";"', 'encoding = "utf-9"', r"tables\.searches\.encoding: there is no text encoding 'utf-9'"),
        ("user_id =", "userid =", r"tables\.searches\.columns\.userid is unknown\. Did you mean user_id\?"),
        ('"who"', '"whoo"', r"has no column 'whoo' \(.*tables\.searches\.columns\.user_id\)\. Did you mean who\?"),
        ('"who"', "7", r"columns\.user_id is neither a raw column's name nor a table of options"),
        ("timezone =", "timezon =", r"columns\.ts has no option 'timezon'.*Did you mean timezone\?"),
        ('"Asia/Shanghai"', '"Asia/Shanghia"', r"columns\.ts\.timezone is 'Asia/Shanghia': Unknown TimeZone"),
        (
            'timezone = "Asia/Shanghai"',
            'format = "%Q"',
            r"columns\.ts\.format is '%Q': Failed to parse format specifier",
        ),
        ('timezone = "Asia/Shanghai"', 'unit = "sec"', r"columns\.ts\.unit is 'sec'"),
        ("timezone =", 'unit = "s", timezone =', r"columns\.ts has a unit, so it counts from 1970 in UTC"),
        ('value = "our shop"', 'value = "x", column = "y"', r"columns\.client needs either column or value"),
        ("values = { PC", 'unit = "s", x = { PC', r"columns\.device has no option 'unit'"),
        ('{ PC = "desktop" }', "{ PC = 1 }", r"columns\.device\.values is not a table of texts"),
        (
            "raw/searches-*.csv",
            "raw/serches-*.csv",
            r"tables\.searches\.files: nothing in .* matches 'raw/serches-\*\.csv'",
        ),
        ("raw/searches-*.csv", "/etc/*", r"tables\.searches\.files: .*Give a pattern relative to"),
        ('files = "raw/searches-*.csv"', "", r"tables\.searches\.files is missing"),
        ("[tables.searches]", "[tables.searches", r"mapping\.toml is not valid TOML: .*line 2"),
    ],
)
def test_each_mistake_is_named_with_its_place_and_the_remedy(
    run: Run, tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in WORKING
    with pytest.raises(UsageError, match=message):
        run("csv", write(tmp_path, WORKING.replace(old, new, 1)))
    assert not list(tmp_path.glob("out/*/*.parquet"))


def test_other_files_that_are_no_mapping_are_refused(run: Run, tmp_path: Path) -> None:
    folder = write(tmp_path, WORKING)
    with pytest.raises(NotFoundError, match="no mapping file"):
        run("csv", folder, mapping=tmp_path / "none.toml")
    with pytest.raises(UsageError, match="maps no table"):
        run("csv", write(tmp_path, "tables = {}"))
    (tmp_path / "mapping.toml").write_bytes("[tables.searches] # 鲜花".encode("gb18030"))
    with pytest.raises(UsageError, match=r"mapping\.toml is not UTF-8"):
        run("csv", folder)


def test_without_a_mapping_the_file_s_name_tells_the_table(run: Run, tmp_path: Path) -> None:
    line = "search_id,ts,user_id,query\ns{0},2020-01-01T00:00:00,u,q\n"
    for name in ("a/searches-2020.csv", "a/searches/part-1.csv", "b/mine.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(line.format(name))
    (tmp_path / "a" / "README").write_text("not a table")
    assert run("csv", tmp_path / "a").tables()["searches"]["rows"] == 2
    with pytest.raises(UsageError, match=r"name of .*mine\.csv does not tell which table"):
        run("csv", tmp_path / "b", out=tmp_path / "out-b")
    assert run("csv", tmp_path / "b", table="searches", out=tmp_path / "out-b").kept == 1
    with pytest.raises(UsageError, match=r"--table serches: there is no such table\. Did you mean searches"):
        run("csv", tmp_path / "b", table="serches")


def test_options_that_do_not_fit_are_refused(run: Run, tmp_path: Path) -> None:
    folder = write(tmp_path, WORKING)
    with pytest.raises(UsageError, match=r"no adapter 'cvs'\. Did you mean csv"):
        run("cvs", folder)
    with pytest.raises(UsageError, match="--max-rejected 5 is not a share"):
        run("csv", folder, max_rejected=5)
    with pytest.raises(UsageError, match="lies in the output folder"):
        run("csv", folder, out=folder / "raw")
    with pytest.raises(NotFoundError, match="There is no file or folder"):
        run("csv", tmp_path / "nothing")
