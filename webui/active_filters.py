"""The filters of a search as a person reads them: each with the address that takes it off."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from kr.relaxations import ALL, Relaxation
from webui.formats import competition_name, language_name, shown, whole_number
from webui.names import device_name, intent_name, match_type_name
from webui.search_form import CHOSEN, FIELD_OF_FILTER, SearchForm


@dataclass(frozen=True)
class ActiveFilter:
    """One filter: what it says, and the parameters of the address without it."""

    text: str
    without: dict[str, Any]


def active_filters(form: SearchForm) -> list[ActiveFilter]:
    """Every filter that is set; of chosen values each is one."""
    found = []
    for name in ("min_searches", "max_searches", "min_bid", "max_bid"):
        if text := form.values.get(name):
            mark = "≥" if name.startswith("min") else "≤"
            found.append(ActiveFilter(f"{filter_name(name)} {mark} {shown(text)}", form.address(**{name: None})))
    for name, words in (("contain", form.filters.must_contain), ("not_contain", form.filters.must_not_contain)):
        for word in words:
            others = " ".join(one for one in words if one != word)
            text = f"{filter_name(name)}: {shown(word)}"
            found.append(ActiveFilter(text, form.address(**{name: others or None})))
    for name in CHOSEN:
        for value in getattr(form.filters, name):
            text = f"{filter_name(name)}: {shown(value_name(name, value))}"
            found.append(ActiveFilter(text, form.toggled(name, value)))
    if form.hide_saved:
        found.append(ActiveFilter(gettext("Hide what is on my lists"), form.address(hide_saved=None)))
    return found


def filter_name(name: str) -> str:
    """What a filter is called: by its field of `kr.types.Filters` or of the form, or `all`."""
    names: dict[str, str] = {
        "min_searches": gettext("Searches a month"),
        "max_searches": gettext("Searches a month"),
        "min_bid": gettext("Top-of-page bid"),
        "max_bid": gettext("Top-of-page bid"),
        "contain": gettext("Must contain"),
        "not_contain": gettext("Must not contain"),
        "competition": gettext("Competition"),
        "languages": gettext("Keyword language"),
        "devices": gettext("Device"),
        "regions": gettext("Region"),
        "intents": gettext("Intent"),
        "match_types": gettext("Match type"),
        "groups": gettext("Group"),
        "hide_saved": gettext("My lists"),
        ALL: gettext("All filters"),
    }
    return names[name]


def value_name(name: str, value: str) -> str:
    """What a chosen value of a filter is called."""
    called: dict[str, Callable[[str], str]] = {
        "competition": competition_name,
        "languages": language_name,
        "devices": device_name,
        "intents": intent_name,
        "match_types": match_type_name,
    }
    return called[name](value) if name in called else value


@dataclass(frozen=True)
class RelaxationLink:
    """What dropping a filter would bring, and the parameters of that search's address."""

    text: str
    total: str
    address: dict[str, Any]


def relaxation_links(form: SearchForm, relaxations: Sequence[Relaxation]) -> list[RelaxationLink]:
    """The relaxations of a reply (`kr.relaxations`) as links, in their order."""
    links = []
    for each in relaxations:
        field = FIELD_OF_FILTER.get(each.filter, each.filter)
        text = filter_name(field)
        if field in form.values:
            text = f"{text}: {shown(form.values[field])}"
        elif field in CHOSEN:
            values = (value_name(field, value) for value in getattr(form.filters, field))
            text = f"{text}: {shown(', '.join(values))}"
        links.append(RelaxationLink(text, whole_number(each.total), form.without_filter(each.filter)))
    return links
