"""Numbers as countries and products write them."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kr.planning import values
from kr.planning.plan_row import Kind


@pytest.mark.parametrize(
    ("text", "mark", "expected"),
    [
        ("1,696", ".", 1696),
        ("1.696", ",", 1696),
        ("1.696", ".", "1.696"),
        ("1 234 567,5", ",", "1234567.5"),
        ("1\u00a0234", ",", 1234),
        ("1'234'567.25", ".", "1234567.25"),
        ("1487,67", ",", "1487.67"),
        ("０．３２", ".", "0.32"),
        ("-90", ".", -90),
        ("\u22125", ".", -5),
        ("1K", ".", 1000),
        ("1.5M", ".", 1_500_000),
        ("1万", ".", 10_000),
        (6.25, ",", "6.25"),
    ],
)
def test_a_number_is_read_by_the_decimal_mark_of_its_file(text: values.Cell, mark: str, expected: object) -> None:
    assert values.number(text, mark) == Decimal(str(expected))


@pytest.mark.parametrize("text", ["0,32", "1,23,4", "12,34", "abc", "1.2.3", "", "1 2", "< 10%", "1,2345"])
def test_what_is_no_number_under_that_mark_is_refused_and_not_guessed(text: str) -> None:
    with pytest.raises(ValueError):
        values.number(text, ".")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1,234", "0.5"], "."),
        (["1.234", "0,5"], ","),
        (["1.234,5"], ","),
        (["1,234.5"], "."),
        (["1,234", "5"], "default"),
        (["0,5", "0.5"], "default"),
        ([], "default"),
        (["8,97%", "0,32 (verbeterd)"], ","),
    ],
)
def test_the_decimal_mark_is_told_by_numbers_that_can_be_read_in_one_way_only(texts: list[str], expected: str) -> None:
    assert values.decide_decimal_mark(texts, "default") == expected


@pytest.mark.parametrize(
    ("text", "micros"),
    [("€ 1,50", 1_500_000), ("0,32 (verbeterd)", 320_000), ("USD 2", 2_000_000), ("7,1415926535", 7_141_593),
     ("3 CNY", 3_000_000)],
)  # fmt: skip
def test_money_is_whole_micros_without_signs_and_notes(text: str, micros: int) -> None:
    assert values.micros(text, ",") == micros


@pytest.mark.parametrize("text", ["-1", "1e300", "9999999999999", "free"])
def test_money_that_nobody_can_bid_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        values.micros(text, ".")


def test_changes_are_fractions_and_a_change_from_nothing_is_infinite() -> None:
    assert values.fraction("900%", ".") == 9.0
    assert values.fraction("-90％", ".") == -0.9
    assert values.fraction("∞", ".") == math.inf
    assert values.fraction(0.25, ".") == 0.25


def test_a_range_of_searches_has_two_ends() -> None:
    assert values.read_range("10 – 100", ".") == (10, 100)
    assert values.read_range("1K–10K", ".") == (1000, 10_000)
    assert values.read_range("100-1万", ".") == (100, 10_000)
    assert values.read_range("100 - 10", ".") is None
    assert values.read_range("12", ".") is None


@given(st.integers(0, values.MOST_MICROS))
def test_an_amount_that_is_written_is_read_back(micros: int) -> None:
    assert values.micros(values.write_micros(micros), ".") == micros


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_that_is_written_is_read_back(number: float) -> None:
    text = values.write_number(number)
    assert "e" not in text.lower() and "," not in text
    assert values.read_metric(Kind.NUMBER, text, ".") == number


@given(st.floats(allow_nan=False, min_value=-1e6, max_value=1e6) | st.just(math.inf))
def test_a_fraction_that_is_written_is_read_back(fraction: float) -> None:
    assert values.fraction(values.write_fraction(fraction), ".") == fraction


def test_a_level_is_read_in_every_language_of_the_table_and_nothing_else() -> None:
    assert [values.level(text) for text in ("Low", "laag", "中", "HIGH")] == ["LOW", "LOW", "MEDIUM", "HIGH"]
    with pytest.raises(ValueError):
        values.level("0.85")
