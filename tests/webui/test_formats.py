"""How numbers and text are shown."""

import re
from decimal import Decimal

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from kr.settings import Settings
from webui.application import create_app
from webui.formats import mean_number, money, month_names, percent, shown, whole_number


@given(st.text(st.characters()))
def test_shown_text_is_visible_the_same_length_and_else_unchanged(text: str) -> None:
    result = shown(text)
    assert len(result) == len(text)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\ud800-\udfff\x00\x1b]", result)
    assert all(after in (before, "\ufffd") for before, after in zip(text, result, strict=True))


@given(st.floats(0, 1e12, exclude_min=True))
def test_a_mean_above_zero_never_reads_as_zero(value: float) -> None:
    text = mean_number(value)
    assert text.strip("0.,"), text
    number = float(text.lstrip("<").replace(",", ""))
    assert number == pytest.approx(value, rel=0.06, abs=0.51 if value >= 10 else 0.1)


def test_zero_searches_in_a_known_month_are_zero() -> None:
    assert mean_number(0) == "0" and whole_number(1234567.4) == "1,234,567" and percent(-0.126) == "13%"


@given(st.integers(0, 10**15))
def test_amounts_are_micros_in_the_decimals_of_their_currency(micros: int) -> None:
    for currency, digits in (("CNY", 2), ("JPY", 0), ("KWD", 3)):
        application = Flask("empty")
        application.config["KR"] = Settings(currency=currency)
        with application.app_context():
            text = money(micros).replace(",", "")
        assert abs(Decimal(text) - Decimal(micros) / 1_000_000) <= Decimal(1) / 10**digits / 2
        assert len(text.partition(".")[2]) == digits


def test_months_are_named_in_the_language_of_the_page() -> None:
    application = create_app(Settings())
    for language, name in (("en", "Mar 2024"), ("zh", "2024年3月")):
        with application.test_request_context(f"/?lang={language}"):
            assert month_names([(2024, 3)]) == [name]
