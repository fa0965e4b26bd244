"""The search form: everything that a search page shows is in its address, and this module reads and writes it.

Bad values are not guessed away: each becomes a message at its field, and the search waits until it is right.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from indexes.text import normalise
from kr.audit.stage import ADULT_PARAMETER
from kr.pages.address import looks_like_address
from kr.pages.site import SITE_PREFIX
from kr.settings import Settings
from kr.types import Filters, Request
from webui.columns import Columns, read_columns
from webui.form_values import MICROS, Errors, check_range, choices, names, number, whole, words
from webui.limits import COMPETITIONS, INTENTS, LANGUAGES, MATCH_TYPES, MAX_ID_CHARS, ROWS_PER_PAGE, SORT_COLUMNS

_SEPARATORS = re.compile(r"[,，、;；\n]")
TYPED = ("min_searches", "max_searches", "min_bid", "max_bid", "contain", "not_contain")
"""Filters that are typed; the address holds them as typed."""
CHOSEN = ("competition", "languages", "devices", "regions", "intents", "match_types", "groups")
"""Filters that are chosen, any number of each; fields of `Filters`."""
FIELD_OF_FILTER = {
    "min_bid_micros": "min_bid",
    "max_bid_micros": "max_bid",
    "must_contain": "contain",
    "must_not_contain": "not_contain",
    "owned": "hide_saved",
}
"""Where the address has another name for a field of `Filters`."""


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
    """The page whose address was typed among the keywords."""
    industry: str = ""
    """Id of an industry whose keywords are asked for, with the seeds or alone."""
    fresh: bool = False
    """Whether the page is fetched even if the platform's crawl has it."""
    errors: Mapping[str, str] = field(default_factory=dict)
    site: str = ""
    """The site that was typed as `site:host`."""
    list_id: str = ""
    """The organisation's list whose keywords are searched for."""
    adult: bool = False
    columns: Columns = field(default_factory=Columns)

    @property
    def asks(self) -> bool:
        """Whether there is anything to search for."""
        return bool(self.seeds or self.page_address or self.site or self.list_id or self.industry)

    def request(self) -> Request:
        """The question to the pipeline, without what pages, sites and lists add; the form must have no errors."""
        parameters = {} if self.balance is None else {"t": self.balance}
        if self.adult:
            parameters[ADULT_PARAMETER] = 1
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
        active = [name for name in TYPED if self.values.get(name)]
        active += ["hide_saved"] if self.hide_saved else []
        return active + [name for name in CHOSEN if getattr(self.filters, name)]

    def without_filters(self) -> dict[str, Any]:
        """The parameters of this search's address without any filter."""
        return self.address(**dict.fromkeys((*TYPED, *CHOSEN, "hide_saved")))

    def without_filter(self, name: str) -> dict[str, Any]:
        """The same without one of them, a field of `Filters` or `all`: see `kr.relaxations`."""
        return self.without_filters() if name == "all" else self.address(**{FIELD_OF_FILTER.get(name, name): None})

    def with_word(self, name: str, word: str) -> dict[str, Any]:
        """The same with a word more in `contain` or `not_contain`."""
        typed = self.values.get(name, "")
        return self.address(**{name: f"{typed} {word}".strip()})

    def toggled(self, name: str, value: str) -> dict[str, Any]:
        """The same with a choice made or, if it was made, taken back."""
        chosen = list(getattr(self.filters, name))
        return self.address(**{name: [one for one in chosen if one != value] if value in chosen else [*chosen, value]})

    def address(self, **changes: Any) -> dict[str, Any]:
        """The parameters of this search's address with some of them changed; None removes one. Defaults are left out.

        Any change but of the page starts again at page 1.
        """
        parameters: dict[str, Any] = {"q": self.query, "list": self.list_id, **self.values}
        parameters |= {name: list(getattr(self.filters, name)) for name in CHOSEN}
        parameters["sort"] = self.sort if self.sort != "rank" else None
        parameters["rows"] = self.rows if self.rows != self.default_rows else None
        parameters["t"] = f"{self.balance:g}" if self.balance is not None else None
        for name in ("explain", "hide_saved", "fresh", "adult"):
            parameters[name] = "1" if getattr(self, name) else None
        parameters["columns"] = self.columns.in_address
        parameters["industry"] = self.industry or None
        parameters["page"] = self.page if not changes and self.page > 1 else None
        parameters.update(changes)
        if parameters.get("page") == 1:
            parameters["page"] = None
        return {name: value for name, value in parameters.items() if value not in (None, "", [])}


@dataclass(frozen=True)
class _Asked:
    """What the search box names, taken apart."""

    seeds: tuple[str, ...] = ()
    page_address: str = ""
    site: str = ""


def read_search_form(
    arguments: MultiDict[str, str],
    default_rows: int,
    settings: Settings,
    devices: Sequence[str] = (),
    regions: Sequence[str] = (),
    remembered_columns: str | None = None,
) -> SearchForm:
    """Read the form from the address of a request; `devices` and `regions` are those that the log knows."""
    errors: Errors = {}
    values = {name: text for name in TYPED if (text := arguments.get(name, "").strip())}
    query = arguments.get("q", "").strip()
    asked = _asked(query, settings, errors)
    sort = arguments.get("sort", "").strip() or "rank"
    if sort != "rank" and sort.removeprefix("-") not in SORT_COLUMNS:
        errors["sort"] = gettext("Rows cannot be sorted by “%(column)s”; use the links above the columns.", column=sort)
    rows = whole(arguments.get("rows", ""), default_rows)
    if rows != default_rows and rows not in ROWS_PER_PAGE:
        errors["rows"] = gettext("Choose 25, 50 or 100 rows a page.")
        rows = default_rows
    page = whole(arguments.get("page", ""), 1)
    if page < 1 or page * rows > settings.max_rows:
        errors["page"] = gettext("There is no such page; pages go from 1 to %(last)d.", last=settings.max_rows // rows)
        page = 1
    list_id = arguments.get("list", "").strip()
    if len(list_id) > MAX_ID_CHARS:
        errors["list"], list_id = gettext("There is no such list."), ""
    form = SearchForm(
        query,
        asked.seeds,
        _filters(arguments, values, devices, regions, errors),
        values,
        sort,
        page,
        rows,
        _balance(arguments.get("t", ""), settings.quality_weight, errors),
        arguments.get("explain", "") == "1",
        arguments.get("hide_saved", "") == "1",
        default_rows,
        asked.page_address,
        arguments.get("industry", "").strip()[:MAX_ID_CHARS],
        bool(asked.page_address) and arguments.get("fresh", "") == "1",
        site=asked.site,
        list_id=list_id,
        adult=arguments.get("adult", "") == "1",
        columns=read_columns(arguments.getlist("columns"), remembered_columns, errors),
    )
    return replace(form, errors=errors)


def _filters(
    arguments: MultiDict[str, str],
    values: Mapping[str, str],
    devices: Sequence[str],
    regions: Sequence[str],
    errors: Errors,
) -> Filters:
    filters = Filters(
        min_searches=number(values, "min_searches", errors, 1),
        max_searches=number(values, "max_searches", errors, 1),
        competition=choices(arguments, "competition", COMPETITIONS, errors),
        min_bid_micros=number(values, "min_bid", errors, MICROS),
        max_bid_micros=number(values, "max_bid", errors, MICROS),
        languages=choices(arguments, "languages", LANGUAGES, errors),
        devices=choices(arguments, "devices", tuple(devices), errors),
        regions=choices(arguments, "regions", tuple(regions), errors),
        must_contain=words(values, "contain", errors),
        must_not_contain=words(values, "not_contain", errors),
        intents=choices(arguments, "intents", INTENTS, errors),
        match_types=choices(arguments, "match_types", MATCH_TYPES, errors),
        groups=names(arguments, "groups", errors),
    )
    check_range(filters.min_searches, filters.max_searches, "max_searches", errors)
    check_range(filters.min_bid_micros, filters.max_bid_micros, "max_bid", errors)
    return filters


def _asked(query: str, settings: Settings, errors: Errors) -> _Asked:
    """The parts between commas: keywords, each normalised and once; one page's address; one `site:`.

    A search that is an address as a whole is that, commas included.
    """
    if looks_like_address(query) and not any(looks_like_address(part.strip()) for part in _SEPARATORS.split(query)[1:]):
        parts = [query] if not _SEPARATORS.search(query) else _parts_of_address(query)
    else:
        parts = [part.strip() for part in _SEPARATORS.split(query)]
    pages = [part for part in parts if looks_like_address(part)]
    sites = [part[len(SITE_PREFIX) :].strip() for part in parts if part.casefold().startswith(SITE_PREFIX)]
    if len(pages) > 1 or len(sites) > 1:
        errors["q"] = gettext("Name one page and one site at most; take several pages of a site by site:example.com.")
        return _Asked()
    others = [part for part in parts if part not in pages and not part.casefold().startswith(SITE_PREFIX)]
    seeds = _seeds(others, settings, errors)
    return _Asked(seeds, pages[0] if pages else "", sites[0] if sites else "")


def _parts_of_address(query: str) -> list[str]:
    """An address may hold commas; with a space behind the comma, something else follows it."""
    address, *others = re.split(r"[,，、;；\n]\s+", query)
    return [address, *(part.strip() for other in others for part in _SEPARATORS.split(other))]


def _seeds(parts: Sequence[str], settings: Settings, errors: Errors) -> tuple[str, ...]:
    length = sum(map(len, parts)) + max(0, len(parts) - 1)
    if length > settings.max_query_chars * (1 if len(parts) == 1 else settings.max_seeds):
        errors["q"] = _too_long(length, settings.max_query_chars)
        return ()
    if any(len(part) > settings.max_query_chars for part in parts):
        errors["q"] = _too_long(max(map(len, parts)), settings.max_query_chars)
        return ()
    seeds = tuple(dict.fromkeys(seed for part in parts if (seed := normalise(part))))
    if len(seeds) > settings.max_seeds:
        errors["q"] = gettext(
            "The search has %(count)d keywords; at most %(limit)d are possible at once.",
            count=len(seeds),
            limit=settings.max_seeds,
        )
        return ()
    return seeds


def _too_long(length: int, limit: int) -> str:
    return gettext(
        "The search has %(length)d characters; at most %(limit)d are possible. "
        "Shorten it to the words that name the product or service.",
        length=length,
        limit=limit,
    )


def _balance(text: str, default: float, errors: Errors) -> float | None:
    """The dial, or None where it stands at the default."""
    if not text.strip():
        return None
    if not re.fullmatch(r"[01]|0?\.[0-9]{1,4}|1\.0{1,4}", text.strip()):
        errors["t"] = gettext("The balance is a number from 0 to 1.")
        return None
    return None if float(text) == default else float(text)
