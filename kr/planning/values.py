"""Numbers as products and countries write them: 1.696 and 1,696, 0,32 and 0.32, 900 %, ∞, --, `10 – 100`, 1万."""

import math
import re
import unicodedata
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from kr.planning.plan_row import Kind, MetricValue

MICROS = 1_000_000
MOST_MICROS = 2**53 - 1
INFINITE = frozenset({"∞", "+∞"})
UNKNOWN = frozenset({"", "-", "--", "–", "—", "n/a", "na", "null", "none", "unknown", "未知", "onbekend", "nan"})
LEVELS = {
    **dict.fromkeys(("low", "laag", "低", "l"), "LOW"),
    **dict.fromkeys(("medium", "gemiddeld", "中", "m"), "MEDIUM"),
    **dict.fromkeys(("high", "hoog", "高", "h"), "HIGH"),
}
_SCALES = {"k": 1_000, "m": 1_000_000, "万": 10_000, "萬": 10_000, "亿": 100_000_000}
_MONEY_SIGNS = re.compile(
    r"^(?:[A-Za-z]{0,3}[$€£¥￥₹₩]|[A-Z]{3}(?![A-Za-z]))\s*|\s*(?:[$€£¥￥₹₩]|(?<![A-Za-z])[A-Z]{3})$"
)
_NOTE = re.compile(r"\s*\([^()]*\)$")
_RANGE = re.compile(r"^([\d.,\s]+[a-z万萬亿]?)\s*[-–—~]\s*([\d.,\s]+[a-z万萬亿]?)$", re.IGNORECASE)
_GROUPED = {
    mark: re.compile(rf"[+-]?\d{{1,3}}(?:(?P<g>[{marks}])\d{{3}})(?:(?P=g)\d{{3}})*(?:{re.escape(mark)}\d+)?")
    for mark, marks in ((".", ",'’ \u202f\u00a0"), (",", ".'’ \u202f\u00a0"))
}
_PLAIN = {
    mark: re.compile(rf"[+-]?(?:\d+(?:{re.escape(mark)}\d*)?|{re.escape(mark)}\d+)(?:[eE][+-]?\d{{1,3}})?")
    for mark in ".,"
}
_COMMA_DECIMAL = re.compile(r"\d,(?:\d{1,2}|\d{4,})(?!\d)")
_POINT_DECIMAL = re.compile(r"\d\.(?:\d{1,2}|\d{4,})(?!\d)")

Cell = str | int | float


def decide_decimal_mark(texts: Iterable[str], default: str) -> str:
    """The decimal mark of a file, from a sample of its numbers: the one that all unambiguous ones use, else `default`.

    `1,234` says nothing; `0,32`, `1.234,5` and `12,3456` speak for the comma, `0.32` and `1,234.5` for the point.
    """
    commas = points = 0
    for text in texts:
        last_comma, last_point = text.rfind(","), text.rfind(".")
        if last_comma >= 0 and last_point >= 0:
            commas += last_comma > last_point
            points += last_point > last_comma
        else:
            commas += bool(_COMMA_DECIMAL.search(text))
            points += bool(_POINT_DECIMAL.search(text))
    if bool(commas) == bool(points):
        return default
    return "," if commas else "."


def plain(cell: Cell) -> str:
    """A cell's text, full-width digits and signs made plain, trimmed."""
    return (
        cell.strip() if isinstance(cell, str) and cell.isascii() else unicodedata.normalize("NFKC", str(cell)).strip()
    )


def is_unknown(cell: Cell) -> bool:
    """Whether a cell says that its value is not known."""
    return isinstance(cell, str) and plain(cell).casefold() in UNKNOWN


def number(cell: Cell, mark: str) -> Decimal:
    """The number in a cell. ValueError if it holds none. Typed cells of spreadsheets have no mark to misread."""
    if isinstance(cell, int | float):
        if not math.isfinite(cell):
            raise ValueError(cell)
        return Decimal(repr(cell))
    text = plain(cell).replace("\u2212", "-")
    scale = _SCALES.get(text[-1:].casefold(), 1)
    if scale != 1:
        text = text[:-1].rstrip()
    if _GROUPED[mark].fullmatch(text):
        text = re.sub(rf"[^\d{mark}+-]", "", text)
    elif not _PLAIN[mark].fullmatch(text):
        raise ValueError(cell)
    try:
        return Decimal(text.replace(",", ".")) * scale
    except InvalidOperation:
        raise ValueError(cell) from None


def micros(cell: Cell, mark: str) -> int:
    """An amount of money in micros, rounded half to even; currency signs and a note in parentheses are passed over."""
    if isinstance(cell, str):
        cell = _MONEY_SIGNS.sub("", _NOTE.sub("", plain(cell)))
    amount = number(cell, mark)
    if not 0 <= amount <= MOST_MICROS / MICROS:
        raise ValueError(cell)
    return int((amount * MICROS).to_integral_value(ROUND_HALF_EVEN))


def fraction(cell: Cell, mark: str) -> float:
    """A percentage or a fraction as a fraction; ∞ is infinity."""
    if isinstance(cell, str):
        text = plain(cell)
        if text in INFINITE:
            return math.inf
        if text.endswith("%"):
            return float(number(text[:-1].rstrip(), mark).scaleb(-2))
    return float(number(cell, mark))


def level(cell: Cell) -> str:
    """LOW, MEDIUM or HIGH."""
    try:
        return LEVELS[plain(cell).casefold()]
    except KeyError:
        raise ValueError(cell) from None


def whole_or_float(value: Decimal) -> int | float:
    """A whole number as int, any other as float. ValueError beyond what a float holds."""
    if value == value.to_integral_value() and abs(value) <= MOST_MICROS:
        return int(value)
    result = float(value)
    if not math.isfinite(result):
        raise ValueError(value)
    return result


def read_metric(kind: Kind, cell: Cell, mark: str) -> MetricValue:
    """A metric's value from a cell. ValueError if the cell holds none of its kind."""
    if kind is Kind.MICROS:
        return micros(cell, mark)
    if kind is Kind.FRACTION:
        return fraction(cell, mark)
    if kind is Kind.LEVEL:
        return level(cell)
    return whole_or_float(number(cell, mark))


def read_range(cell: Cell, mark: str) -> tuple[int | float, int | float] | None:
    """Both ends of `10 – 100` or `1K – 10K`; None if the cell is no range."""
    found = _RANGE.fullmatch(plain(cell))
    if not found:
        return None
    try:
        low, high = (whole_or_float(number(text.strip(), mark)) for text in found.groups())
    except ValueError:
        return None
    return (low, high) if low <= high else None


def write_number(value: int | float) -> str:
    """A number with a decimal point and neither groups nor exponent; `number` gives it back."""
    return f"{value}" if isinstance(value, int) else f"{Decimal(repr(value)):f}".removesuffix(".0")


def write_micros(value: int) -> str:
    """An amount with as many decimals as it needs, at least two."""
    text = f"{Decimal(value) / MICROS:.6f}"
    return text[:-4] + text[-4:].rstrip("0")


def write_fraction(value: float) -> str:
    """A percentage, or ∞."""
    return "∞" if math.isinf(value) else f"{Decimal(repr(value)).scaleb(2):f}%"
