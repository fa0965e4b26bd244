"""What arrives broken is refused by name, costs its own row only, and never more memory than allowed."""

import gzip
import io
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from indexes.errors import KRError, UsageError
from kr.planning.importing import PlanImport
from kr.planning.records import MAX_CELL_CHARS
from kr.planning.source_file import SourceFile

Imported = Callable[..., Any]
CHINESE = "关键词,出价\n鲜花速递,1.5\n生日蛋糕预订,2\n英语培训班哪家好,3\n"


def test_more_rows_than_the_limit_are_refused_and_as_many_are_taken(imported: Imported) -> None:
    text = "".join(f"keyword {number}\n" for number in range(1_001))
    with pytest.raises(UsageError, match=r"more than 1,000 rows; nothing was imported.*KR_PLAN_MAX_ROWS"):
        imported(text, max_rows=1_000)
    assert imported(text, max_rows=1_001).report.kept == 1_001


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8-sig"), ("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030"), ("gb2312", "gb18030"),
        ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be"),
    ],
)  # fmt: skip
def test_chinese_text_is_recognised_in_its_encoding(imported: Imported, encoding: str, found: str) -> None:
    result = imported(CHINESE.encode(encoding))
    assert result.keywords == ["鲜花速递", "生日蛋糕预订", "英语培训班哪家好"]
    assert result.report.encoding == found and result.rows[0].max_cpc_micros == 1_500_000


def test_western_text_from_before_unicode_is_recognised(imported: Imported) -> None:
    result = imported("keyword;bid\ncafé één crème brûlée;1\nbücher für anfänger;2\n".encode("latin-1"))
    assert result.keywords == ["café één crème brûlée", "bücher für anfänger"] and result.report.encoding == "cp1252"


@pytest.mark.parametrize("encoding", ["big5", "shift_jis", "euc_kr", "koi8-r"])
def test_text_in_another_encoding_is_refused_with_its_line_and_read_when_it_is_named(
    imported: Imported, encoding: str
) -> None:
    words = {
        "big5": "鮮花禮盒訂購",
        "shift_jis": "花束の配達サービス",
        "euc_kr": "꽃배달서비스",
        "koi8-r": "доставка цветов",
    }
    content = f"keyword,bid\nroses,1\n{words[encoding]},1\n".encode(encoding)
    with pytest.raises(UsageError, match=r"line 3: .*neither UTF-8.*--encoding"):
        imported(content)
    assert imported(content, encoding=encoding).keywords == ["roses", words[encoding]]


def test_an_encoding_that_does_not_exist_is_refused(imported: Imported) -> None:
    for name in ("klingon", "base64", "hex"):
        with pytest.raises(UsageError, match=name):
            imported("鲜花\n", encoding=name)


def test_a_line_with_broken_bytes_costs_that_line(imported: Imported) -> None:
    lines = [f"鲜花{number}".encode() for number in range(100)]
    lines[40] = b"\xe9\xb2broken"
    result = imported(b"\n".join(lines) + b"\n")
    assert result.refused == [(41, "undecodable")] and result.report.kept == 99


def test_half_a_character_at_the_end_of_utf_16_costs_that_line(imported: Imported) -> None:
    result = imported("keyword\nroses\nlilies\n".encode("utf-16") + b"x")
    assert result.keywords == ["roses", "lilies"] and result.refused == [(4, "undecodable")]


@pytest.mark.parametrize("bad", ["a\0b", "a\x07b", "\x1b[31mred"])
def test_nul_and_control_characters_are_refused(imported: Imported, bad: str) -> None:
    result = imported(f"keyword,bid\nroses,1\n{bad},2\nlilies,3\n")
    assert result.keywords == ["roses", "lilies"] and result.refused == [(3, "control_character")]
    assert result.rejections[0].as_dict()["value"].isprintable()


def test_binary_files_are_refused(imported: Imported) -> None:
    with pytest.raises(UsageError, match="NUL bytes"):
        imported(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0\0\0\1\0\x08\x06\0\0\0" + bytes(range(256)) * 8)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b" , ,\n,,\n"])
def test_files_without_a_keyword_are_refused(imported: Imported, content: bytes) -> None:
    with pytest.raises(UsageError, match=r"empty|holds no keywords"):
        imported(content)


def test_rows_with_another_separator_are_read_and_counted(imported: Imported) -> None:
    result = imported("keyword,match type,bid\nroses,exact,1\nlilies;broad;2\ntulips\tphrase\t3\n")
    assert result.keywords == ["roses", "lilies", "tulips"]
    assert [row.max_cpc_micros for row in result.rows] == [1_000_000, 2_000_000, 3_000_000]
    assert result.report.warnings == {"other_separator": 2}


def test_rows_with_too_few_or_many_cells_are_refused_but_empty_ones_at_the_end_are_nothing(imported: Imported) -> None:
    result = imported("keyword,bid\nroses\nlilies,1,2,3\ntulips,1,,\n,,\n,1\ndaisies,1\n")
    assert result.refused == [(2, "wrong_columns"), (3, "wrong_columns"), (6, "no_keyword")]
    assert result.keywords == ["tulips", "daisies"]


def test_empty_columns_are_no_columns_to_miss(imported: Imported) -> None:
    result = imported("keyword,,bid,,\nroses,,1,,\n")
    assert result.rows[0].max_cpc_micros == 1_000_000 and not result.rows[0].other


def test_a_last_line_that_was_torn_off_is_refused(imported: Imported) -> None:
    result = imported("keyword,match type,bid\nroses,exact,1\nlilies,bro")
    assert result.keywords == ["roses"] and result.refused == [(3, "torn_line")]


def test_a_quote_that_nobody_closes_costs_one_line(imported: Imported) -> None:
    rows = "".join(f"rose {number},1\n" for number in range(300))
    result = imported(f'keyword,bid\n"red shoes,1\n{rows}"closed, here",2\n"text"after,3\n5" pipe,4\n')
    assert result.refused == [(2, "unbalanced_quote"), (304, "malformed_quote")]
    assert result.report.kept == 302 and result.keywords[-2:] == ["closed, here", '5" pipe']


def test_a_quoted_cell_may_hold_line_ends_and_lines_are_counted_on(imported: Imported) -> None:
    result = imported('keyword,note,bid\n"red\nshoes","a\nb",1\nroses,,x\n')
    assert result.keywords == ["red shoes"] and result.rows[0].other == {"note": "a\nb"}
    assert result.refused == [(5, "unreadable_bid")]


def test_a_huge_cell_and_a_huge_line_cost_their_rows_and_bounded_memory(imported: Imported) -> None:
    huge = b"x" * 12_000_000
    content = (
        b"keyword,bid\n"
        + b"y" * (MAX_CELL_CHARS + 1)
        + b",1\n"
        + huge
        + b",1\nroses,1\n"
        + b'"'
        + huge
        + b'",1\nlilies,1\n'
    )
    tracemalloc.start()
    result = imported(content, most_bytes=2**26)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.keywords == ["roses", "lilies"]
    assert [reason for _, reason in result.refused] == ["huge_cell", "huge_row", "huge_row"]
    # Text of the encoding sample and of one line, some copies of each, never the file's twelve megabytes.
    assert peak < 40_000_000


def test_duplicates_are_kept_and_marked_or_rejected_on_request(imported: Imported) -> None:
    text = "keyword,match type\nred shoes,exact\nRed  Shoes,exact\nred shoes,broad\nＲＥＤ shoes,exact\n"
    result = imported(text)
    assert [row.duplicate for row in result.rows] == [False, True, False, True]
    assert result.report.warnings == {"duplicates": 2}
    assert imported(text, drop_duplicates=True).refused == [(3, "duplicate"), (5, "duplicate")]


@given(st.lists(st.integers(0, 3_000), max_size=4_000))
def test_seen_rows_remembers_as_a_set_does(numbers: list[int]) -> None:
    from kr.planning.duplicates import SeenRows
    from kr.planning.plan_row import PlanRow

    seen, oracle = SeenRows(), set()
    for number in numbers:
        assert seen.add(PlanRow(f"keyword {number}")) == (number in oracle)
        oracle.add(number)


def test_fields_that_decide_about_money_are_read_or_the_row_is_refused(imported: Imported) -> None:
    result = imported(
        "keyword,match type,bid,volume\nroses,fuzzy,1,1\nlilies,exact,free,1\ntulips,exact,1,many\nroses,,--,n/a\n"
    )
    assert result.refused == [(2, "unknown_match_type"), (3, "unreadable_bid")]
    assert result.rows[0].other == {"volume": "many"} and result.report.warnings["kept_as_text"] == 1
    assert result.rows[1].max_cpc_micros is None and result.rows[1].metrics == {}


def test_a_header_in_the_middle_of_joined_files_is_no_row(imported: Imported) -> None:
    result = imported("keyword,bid\nroses,1\nkeyword,bid\nlilies,2\n")
    assert result.keywords == ["roses", "lilies"] and result.refused == [(3, "repeated_header")]


def test_a_gzip_bomb_and_a_damaged_gzip_are_refused(imported: Imported) -> None:
    with pytest.raises(UsageError, match="more than 1,048,576 bytes when unpacked"):
        imported(gzip.compress(b"roses\n" * 10_000_000), most_bytes=2**20)
    with pytest.raises(UsageError, match="damaged"):
        imported(gzip.compress(b"roses\n" * 1000)[:-9])


def simple_workbook() -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet()
    sheet.write_column(0, 0, ["keyword", "roses"])
    book.close()
    return file.getvalue()


def with_member(name: str, content: bytes) -> bytes:
    """A workbook in which one part is exchanged."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(simple_workbook())) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, content if member == name else old.read(member))
        if name not in old.namelist():
            new.writestr(name, content)
    return file.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
BOMB = (
    '<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    f"<worksheet {NAMESPACE}><sheetData><row><c t='inlineStr'><is><t>&b;</t></is></c></row></sheetData></worksheet>"
)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(imported: Imported) -> None:
    content = with_member(SHEET, b"<worksheet>" + b" " * 50_000_000)
    assert len(content) < 100_000
    tracemalloc.start()
    with pytest.raises(UsageError, match="unpacks to more than"):
        imported(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_a_workbook_of_thousands_of_parts_is_refused(imported: Imported) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(1_001):
            archive.writestr(f"part{number}", "")
    with pytest.raises(UsageError, match="1,000 parts"):
        imported(file.getvalue())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("member", [SHEET, "xl/workbook.xml", "xl/sharedStrings.xml", "[Content_Types].xml"])
def test_declared_entities_are_refused_in_every_part_and_encoding(
    imported: Imported, member: str, encoding: str
) -> None:
    with pytest.raises(UsageError, match="document type"):
        imported(with_member(member, BOMB.replace("{encoding}", encoding).encode(encoding)))


@pytest.mark.parametrize(
    "sheet",
    [
        "<row r='1'><c r='ZZZZZZ1' t='inlineStr'><is><t>keyword</t></is></c></row>",
        "<row r='999999999999'><c r='A999999999999' t='inlineStr'><is><t>keyword</t></is></c></row>",
        "<row r='1'><c r='IZ1' t='inlineStr'><is><t>keyword</t></is></c></row>",
        "<row r='1'><c r='A1' t='s'><v>77</v></c></row>",
        "<row r='1'><c r='A1'><v>text</v></c></row>",
    ],
)
def test_a_sheet_with_impossible_cells_is_refused(imported: Imported, sheet: str) -> None:
    content = f"<worksheet {NAMESPACE}><dimension ref='A1:XFD1048576'/><sheetData>{sheet}</sheetData></worksheet>"
    with pytest.raises(UsageError, match=r"cannot be read as XLSX|columns|no keywords"):
        imported(with_member(SHEET, content.encode()))


def test_a_zip_that_is_no_workbook_and_damaged_or_locked_ones_are_refused(imported: Imported) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("keywords.csv", "roses\n")
    for content, message in (
        (file.getvalue(), "no XLSX workbook"),
        (simple_workbook()[:-200], "cannot be read as XLSX"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 4096, "cannot be read as XLS: "),
    ):
        with pytest.raises(UsageError, match=message):
            imported(content)


STARTS = (b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x1f\x8b", b'{"', b"keyword,bid\n",
          b"Keyword\tCurrency\tAvg. monthly searches\n")  # fmt: skip


@given(st.binary(max_size=400), st.sampled_from(STARTS))
def test_whatever_the_bytes_are_rows_add_up_or_an_error_has_a_remedy(content: bytes, start: bytes) -> None:
    try:
        importing = PlanImport(SourceFile("keywords", content=start + content, most_bytes=2**20), max_rows=100)
        items = list(importing)
    except KRError as error:
        assert error.remedy
    else:
        assert importing.report.read == len(items) == importing.report.kept + importing.report.rejected


@pytest.mark.parametrize(
    "line",
    [
        '{"keyword": 5}', '{"keyword": ""}', '{"keyword": "a", "colour": 1}', '{"keyword": "a"', '["a"]', "[" * 100_000,
        '{"keyword": "a", "metrics": {"clicks": true}}', '{"keyword": "a", "status": "on"}',
    ],
)  # fmt: skip
def test_json_lines_that_are_no_rows_are_refused(imported: Imported, line: str) -> None:
    result = imported('{"keyword": "roses"}\n' + line + '\n\n{"keyword": "lilies"}\n')
    assert result.keywords == ["roses", "lilies"] and result.refused == [(2, "not_json")]


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    peaks = []
    for count in (1_000, 6_000):
        path = tmp_path / f"{count}.csv"
        path.write_text("keyword,bid\n" + "".join(f"keyword {number},1\n" for number in range(count)), encoding="utf-8")
        tracemalloc.start()
        importing = PlanImport(SourceFile.at(path, 2**24), max_rows=count)
        assert sum(1 for _ in importing) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # What is remembered of a row is 8 to 32 bytes, to know it again.
    assert peaks[1] - peaks[0] < 5_000 * 48


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KRError, match=r"There is no file .*nothing\.csv"):
        SourceFile.at(tmp_path / "nothing.csv", 1)
