"""The search form: everything that a search page shows is in its address, and this module reads and writes it.

Bad values are not guessed away: each becomes a message at its field, and the search waits until it is right.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from indexes.text import normalise
from kr.pages.address import looks_like_address
from kr.settings import Settings
from kr.types import Filters, Request
from webui.limits import (
    COMPETITIONS,
    LANGUAGES,
    MAX_FILTER_CHARS,
    MAX_FILTER_WORDS,
    MAX_ID_CHARS,
    MAX_NUMBER,
    ROWS_PER_PAGE,
    SORT_COLUMNS,
)

MICROS = 1_000_000
_SEPARATORS = re.compile(r"[,，、;；\n]")
_WORD_SEPARATORS = re.compile(r"[,，、;；\s]+")


@dataclass(frozen=True)
class SearchForm:
    """The fields as typed (`values`), as understood, and what is wrong with them (`errors`: field → message)."""

    query: str
    seeds: tuple[str, ...]
    filters: Filters
    values: Mapping[str, str]
    sort: str
    page: int
    rows: int
    balance: float | None
    explain: bool
    hide_saved: bool
    default_rows: int
    page_address: str = ""
    """The page whose address was typed instead of keywords; then there are no seeds."""
    industry: str = ""
    """Id of an industry whose keywords are asked for, with the seeds or alone."""
    fresh: bool = False
    """Whether the page is fetched even if the platform's crawl has it."""
    errors: Mapping[str, str] = field(default_factory=dict)

    def request(self) -> Request:
        """The question to the pipeline; the form must have no errors."""
        parameters = {} if self.balance is None else {"t": self.balance}
        offset = (self.page - 1) * self.rows
        industries = (self.industry,) if self.industry else ()
        return Request(
            self.seeds,
            self.filters,
            self.rows,
            offset,
            self.sort,
            parameters,
            self.explain,
            industry_seed=industries,
        )

    def active_filters(self) -> list[str]:
        """The names of the filter fields that are filled in."""
        names = ("min_searches", "max_searches", "min_bid", "max_bid", "contain", "not_contain")
        active = [name for name in names if self.values.get(name)]
        active += ["hide_saved"] if self.hide_saved else []
        return active + [name for name in ("competition", "languages") if getattr(self.filters, name)]

    def address(self, **changes: Any) -> dict[str, Any]:
        """The parameters of this search's address with some of them changed; None removes one. Defaults are left out.

        Any change but of the page starts again at page 1.
        """
        parameters: dict[str, Any] = {"q": self.query, **self.values}
        parameters["competition"] = list(self.filters.competition)
        parameters["languages"] = list(self.filters.languages)
        parameters["sort"] = self.sort if self.sort != "rank" else None
        parameters["rows"] = self.rows if self.rows != self.default_rows else None
        parameters["t"] = f"{self.balance:g}" if self.balance is not None else None
        parameters["explain"] = "1" if self.explain else None
        parameters["hide_saved"] = "1" if self.hide_saved else None
        parameters["industry"] = self.industry or None
        parameters["fresh"] = "1" if self.fresh else None
        parameters["page"] = self.page if not changes and self.page > 1 else None
        parameters.update(changes)
        if parameters.get("page") == 1:
            parameters["page"] = None
        return {name: value for name, value in parameters.items() if value not in (None, "", [])}


def read_search_form(arguments: MultiDict[str, str], default_rows: int, settings: Settings) -> SearchForm:
    """Read the form from the address of a request."""
    errors: dict[str, str] = {}
    values = {
        name: text
        for name in ("min_searches", "max_searches", "min_bid", "max_bid", "contain", "not_contain")
        if (text := arguments.get(name, "").strip())
    }
    query = arguments.get("q", "").strip()
    page_address = query if looks_like_address(query) else ""
    seeds = () if page_address else _seeds(query, settings, errors)
    filters = Filters(
        min_searches=_number(values, "min_searches", errors, 1),
        max_searches=_number(values, "max_searches", errors, 1),
        competition=_choices(arguments, "competition", COMPETITIONS, errors),
        min_bid_micros=_number(values, "min_bid", errors, MICROS),
        max_bid_micros=_number(values, "max_bid", errors, MICROS),
        languages=_choices(arguments, "languages", LANGUAGES, errors),
        must_contain=_words(values, "contain", errors),
        must_not_contain=_words(values, "not_contain", errors),
    )
    _check_range(filters.min_searches, filters.max_searches, "max_searches", errors)
    _check_range(filters.min_bid_micros, filters.max_bid_micros, "max_bid", errors)
    sort = arguments.get("sort", "").strip() or "rank"
    if sort != "rank" and sort.removeprefix("-") not in SORT_COLUMNS:
        errors["sort"] = gettext("Rows cannot be sorted by “%(column)s”; use the links above the columns.", column=sort)
    rows = _whole(arguments.get("rows", ""), default_rows)
    if rows != default_rows and rows not in ROWS_PER_PAGE:
        errors["rows"] = gettext("Choose 25, 50 or 100 rows a page.")
        rows = default_rows
    page = _whole(arguments.get("page", ""), 1)
    if page < 1 or page * rows > settings.max_rows:
        errors["page"] = gettext("There is no such page; pages go from 1 to %(last)d.", last=settings.max_rows // rows)
        page = 1
    return SearchForm(
        query,
        seeds,
        filters,
        values,
        sort,
        page,
        rows,
        _balance(arguments.get("t", ""), settings.quality_weight, errors),
        arguments.get("explain", "") == "1",
        arguments.get("hide_saved", "") == "1",
        default_rows,
        page_address,
        arguments.get("industry", "").strip()[:MAX_ID_CHARS],
        bool(page_address) and arguments.get("fresh", "") == "1",
        errors,
    )


def _seeds(query: str, settings: Settings, errors: dict[str, str]) -> tuple[str, ...]:
    """The seeds that a query names: parts between commas, normalised, each once."""
    if len(query) > settings.max_query_chars:
        errors["q"] = gettext(
            "The search has %(length)d characters; at most %(limit)d are possible. "
            "Shorten it to the words that name the product or service.",
            length=len(query),
            limit=settings.max_query_chars,
        )
        return ()
    seeds = tuple(dict.fromkeys(seed for part in _SEPARATORS.split(query) if (seed := normalise(part))))
    if len(seeds) > settings.max_seeds:
        errors["q"] = gettext(
            "The search has %(count)d keywords; at most %(limit)d are possible at once.",
            count=len(seeds),
            limit=settings.max_seeds,
        )
        return ()
    return seeds


def _number(values: Mapping[str, str], name: str, errors: dict[str, str], unit: int) -> int | None:
    """A field's number times a unit, as a whole number; None if the field is empty or wrong."""
    if name not in values:
        return None
    try:
        number = Decimal(unicodedata.normalize("NFKC", values[name])) * unit
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number < 0 or number > MAX_NUMBER:
        errors[name] = gettext("“%(text)s” is not a number from 0 up.", text=values[name][:40])
        return None
    return int(number)


def _check_range(low: int | None, high: int | None, name: str, errors: dict[str, str]) -> None:
    if low is not None and high is not None and low > high:
        errors[name] = gettext("The upper limit is below the lower one; exchange them or clear one.")


def _choices(
    arguments: MultiDict[str, str], name: str, allowed: tuple[str, ...], errors: dict[str, str]
) -> tuple[str, ...]:
    chosen = [value for value in arguments.getlist(name) if value]
    unknown = [value for value in chosen if value not in allowed]
    if unknown:
        errors[name] = gettext("“%(value)s” is not one of the choices.", value=unknown[0][:40])
    # All choices together filter nothing out that has a known value, so the order and number typed must not matter.
    return tuple(value for value in allowed if value in chosen)


def _words(values: Mapping[str, str], name: str, errors: dict[str, str]) -> tuple[str, ...]:
    text = values.get(name, "")
    words = tuple(dict.fromkeys(word for part in _WORD_SEPARATORS.split(text) if (word := normalise(part))))
    if len(words) > MAX_FILTER_WORDS or len(text) > MAX_FILTER_CHARS:
        errors[name] = gettext(
            "At most %(count)d words and %(chars)d characters are possible here.",
            count=MAX_FILTER_WORDS,
            chars=MAX_FILTER_CHARS,
        )
        return ()
    return words


def _whole(text: str, default: int) -> int:
    """A whole number, the default for an empty text, and 0, which no field allows, for anything else."""
    if not text.strip():
        return default
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text.strip()) else 0


def _balance(text: str, default: float, errors: dict[str, str]) -> float | None:
    """The dial, or None where it stands at the default."""
    if not text.strip():
        return None
    if not re.fullmatch(r"[01]|0?\.[0-9]{1,4}|1\.0{1,4}", text.strip()):
        errors["t"] = gettext("The balance is a number from 0 to 1.")
        return None
    return None if float(text) == default else float(text)
