"""How numbers, money, months and text are shown to a person, in the language of the page."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel.dates import format_skeleton
from babel.numbers import get_currency_precision
from flask import Flask, current_app
from flask_babel import get_locale, gettext
from markupsafe import Markup

MICROS = 1_000_000

# Controls, bidirectional marks and overrides, other invisible format characters, lone surrogates: none of them may
# change how the page around them reads, so each is shown as a visible replacement mark.
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def shown(text: object) -> str:
    """The text with every control, bidirectional mark and lone surrogate replaced by U+FFFD."""
    return _UNSHOWABLE.sub("\ufffd", str(text))


def shown_lines(text: str) -> str:
    """The same of several lines, which stay lines."""
    return "\n".join(shown(line) for line in text.splitlines())


def whole_number(value: float) -> str:
    """A count in groups of three digits, rounded to a whole number: 12,345. English and Chinese write it alike."""
    return f"{round(value):,}"


def mean_number(value: float) -> str:
    """A mean of counts: whole from 10 on, below with one decimal, so that little demand does not read as none."""
    if value >= 10 or value == 0:
        return whole_number(value)
    return f"{value:.1f}" if value >= 0.1 else "<0.1"


def percent(fraction: float) -> str:
    """The size of a fraction as a whole percentage: -0.123 → 12%. English and Chinese write it alike."""
    return f"{abs(fraction):,.0%}"


def share(fraction: float) -> str:
    """A score between 0 and 1 with two decimals."""
    return f"{fraction:.2f}"


def money(micros: int) -> str:
    """Millionths of the platform's currency as an amount with that currency's decimals: 800000 → 0.80.

    The currency itself stands in the column's heading. English and Chinese write amounts alike.
    """
    digits = get_currency_precision(current_app.config["KR"].currency)
    return f"{Decimal(micros) / MICROS:,.{digits}f}"


def month_names(months: Iterable[tuple[int, int]]) -> list[str]:
    """Years and months in the page's language: Mar 2024, 2024年3月."""
    locale = str(get_locale())
    return [_month_name(year, month, locale) for year, month in months]


@lru_cache(maxsize=1024)
def _month_name(year: int, month: int, locale: str) -> str:
    return format_skeleton("yMMM", date(year, month, 1), locale=locale)


def language_name(code: str) -> str:
    """The name of a keyword's language in the page's language."""
    return {"zh": gettext("Chinese"), "en": gettext("English")}.get(code) or gettext("Other")


def competition_name(code: str) -> str:
    """The word for a competition class in the page's language."""
    return {"LOW": gettext("Low"), "MEDIUM": gettext("Medium"), "HIGH": gettext("High")}[code]


def moment(time: datetime) -> Markup:
    """An instant to the minute in UTC, as every other time on these pages: 2026-03-01 12:30 UTC."""
    return Markup('<time datetime="{}">{} UTC</time>').format(time.isoformat(), f"{time:%Y-%m-%d %H:%M}")


FILTERS: dict[str, Any] = {
    "shown": shown,
    "shown_lines": shown_lines,
    "whole_number": whole_number,
    "mean_number": mean_number,
    "money": money,
    "percent": percent,
    "share": share,
    "language_name": language_name,
    "competition_name": competition_name,
    "moment": moment,
}


def register(app: Flask) -> None:
    """Make the formats available to the templates."""
    app.jinja_env.filters.update(FILTERS)
