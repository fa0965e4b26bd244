"""How the values of a form are read: each mistake becomes a message at its field, and the value counts as left out."""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from indexes.text import normalise
from webui.limits import MAX_FILTER_CHARS, MAX_FILTER_WORDS, MAX_NUMBER

MICROS = 1_000_000
_WORD_SEPARATORS = re.compile(r"[,，、;；\s]+")

Errors = dict[str, str]
"""Field → message."""


def number(values: Mapping[str, str], name: str, errors: Errors, unit: int) -> int | None:
    """A field's number times a unit, as a whole number; None if the field is empty or wrong."""
    if name not in values:
        return None
    try:
        found = Decimal(unicodedata.normalize("NFKC", values[name])) * unit
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found < 0 or found > MAX_NUMBER:
        errors[name] = gettext("“%(text)s” is not a number from 0 up.", text=values[name][:40])
        return None
    return int(found)


def check_range(low: int | None, high: int | None, name: str, errors: Errors) -> None:
    """Report a range whose upper end lies below the lower one at the field `name`."""
    if low is not None and high is not None and low > high:
        errors[name] = gettext("The upper limit is below the lower one; exchange them or clear one.")


def choices(arguments: MultiDict[str, str], name: str, allowed: tuple[str, ...], errors: Errors) -> tuple[str, ...]:
    """Those of the allowed values that are chosen, in the order of the allowed ones: order and number don't matter."""
    chosen = [value for value in arguments.getlist(name) if value]
    unknown = [value for value in chosen if value not in allowed]
    if unknown:
        errors[name] = gettext("“%(value)s” is not one of the choices.", value=unknown[0][:40])
    return tuple(value for value in allowed if value in chosen)


def names(arguments: MultiDict[str, str], name: str, errors: Errors) -> tuple[str, ...]:
    """Values that are free text, normalised, each once."""
    chosen = tuple(dict.fromkeys(text for value in arguments.getlist(name) if (text := normalise(value))))
    if len(chosen) > MAX_FILTER_WORDS or any(len(text) > MAX_FILTER_CHARS for text in chosen):
        errors[name] = _too_many()
        return ()
    return chosen


def words(values: Mapping[str, str], name: str, errors: Errors) -> tuple[str, ...]:
    """The words of a field, normalised, each once."""
    text = values.get(name, "")
    found = tuple(dict.fromkeys(word for part in _WORD_SEPARATORS.split(text) if (word := normalise(part))))
    if len(found) > MAX_FILTER_WORDS or len(text) > MAX_FILTER_CHARS:
        errors[name] = _too_many()
        return ()
    return found


def whole(text: str, default: int) -> int:
    """A whole number, the default for an empty text, and 0, which no field allows, for anything else."""
    if not text.strip():
        return default
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text.strip()) else 0


def _too_many() -> str:
    return gettext(
        "At most %(count)d words and %(chars)d characters are possible here.",
        count=MAX_FILTER_WORDS,
        chars=MAX_FILTER_CHARS,
    )
