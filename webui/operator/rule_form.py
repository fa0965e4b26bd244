"""The form of one marketing rule: from fields to a rule, or to what is wrong with each field, and back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import gettext
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from indexes.text import normalise
from kr.marketing.rules import ATTRIBUTES, MAX_FACTOR, MAX_POSITION, Rule, zone_of
from kr.mistakes import message_of
from kr.pipelines.keyword_search import SOURCES
from webui.languages import said
from webui.operator.acting import lines

ACTIONS = ("boost", "bury", "pin", "block", "quota", "floor")
LANGUAGES = ("zh", "en", "other")
_TEXTS = ("name", "factor", "position", "source", "most", "attribute", "least", "from", "until", "time_zone")
_OF_ACTION: Mapping[str, tuple[str, ...]] = {
    "boost": ("factor",),
    "bury": ("factor",),
    "pin": ("position",),
    "block": (),
    "quota": ("source", "most"),
    "floor": ("attribute", "least"),
}


@dataclass
class RuleForm:
    """The fields as they were typed, what is wrong with them, and the rule if nothing is."""

    action: str
    values: dict[str, str]
    languages: tuple[str, ...]
    enabled: bool
    errors: dict[str, str] = field(default_factory=dict)
    rule: Rule | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that only this action has."""
        return _OF_ACTION[self.action]


def action_name(action: str) -> str:
    """What an action is called, in the page's language."""
    return {
        "boost": gettext("Boost"),
        "bury": gettext("Bury"),
        "pin": gettext("Pin"),
        "block": gettext("Block"),
        "quota": gettext("Quota for a source"),
        "floor": gettext("Floor for an attribute"),
    }[action]


def action_meaning(action: str) -> str:
    """What an action does, in the page's language."""
    return {
        "boost": gettext("multiplies the score by more than 1: the keywords rise"),
        "bury": gettext("multiplies the score by less than 1: the keywords sink"),
        "pin": gettext("puts keywords that were found anyway at a place of the list"),
        "block": gettext("takes keywords out of every list"),
        "quota": gettext("lets only so many rows in that one source alone found"),
        "floor": gettext("takes out rows with less of an attribute, or with an unknown one"),
    }[action]


def attribute_name(attribute: str) -> str:
    """What an attribute is called, in the page's language."""
    return {
        "searches": gettext("Searches a month"),
        "relevance": gettext("Relevance, 0 to 1"),
        "competition": gettext("Competition, 0 to 100"),
        "bid": gettext("High top-of-page bid, in micros"),
        "users": gettext("Users"),
    }[attribute]


def empty_form(action: str) -> RuleForm:
    """A form to fill in."""
    return RuleForm(action, {"time_zone": "UTC"}, (), True)


def form_of(rule: Rule) -> RuleForm:
    """The form of a rule that there is."""
    written = rule.model_dump(mode="json", by_alias=True)
    values = {name: number_text(written[name]) for name in _TEXTS}
    values |= {
        "seeds": "\n".join(rule.seeds),
        "equals": "\n".join(rule.keywords.equals),
        "contains": "\n".join(rule.keywords.contains),
    }
    return RuleForm(rule.action, values, rule.keywords.languages, rule.enabled, rule=rule)


def read_rule_form(fields: MultiDict[str, str], action: str) -> RuleForm:
    """What was sent; every field is checked, so that all mistakes are told at once."""
    values = {name: fields.get(name, "").strip() for name in (*_TEXTS, "seeds", "equals", "contains")}
    languages = tuple(code for code in LANGUAGES if code in fields.getlist("languages"))
    form = RuleForm(action, values, languages, fields.get("enabled") == "1")
    keywords: dict[str, Any] = {name: _keywords(form, name) for name in ("equals", "contains")}
    table: dict[str, Any] = {
        "name": " ".join(values["name"].split()),
        "action": action,
        "enabled": form.enabled,
        "from": _day(form, "from"),
        "until": _day(form, "until"),
        "time_zone": values["time_zone"] or "UTC",
        "seeds": _keywords(form, "seeds"),
        "keywords": {**keywords, "languages": languages},
        **{name: _field_of_action(form, name) for name in form.fields},
    }
    if not 1 <= len(table["name"]) <= 200:
        form.errors["name"] = gettext("Give it a name of 1 to 200 characters: the rows that it touches will say it.")
    if zone_of(table["time_zone"]) is None:
        form.errors["time_zone"] = gettext("There is no such time zone; write it like Asia/Shanghai or UTC.")
    first, last = table["from"], table["until"]
    if first and last and last < first:
        form.errors["until"] = gettext("The last day is before the first; change one of them.")
    if action == "pin" and not keywords["equals"] and "equals" not in form.errors:
        form.errors["equals"] = gettext("Name the keywords that are to stand there.")
    if action == "block" and not any(keywords.values()) and not languages and not table["seeds"]:
        form.errors["equals"] = gettext("Without any condition it would block every keyword; name some.")
    if not form.errors:
        try:
            form.rule = Rule.model_validate(table)
        except ValidationError as error:
            for mistake in error.errors():
                where = str(mistake["loc"][-1]) if mistake["loc"] else "name"
                form.errors[where if where in values else "name"] = said(message_of(mistake))
    return form


def _keywords(form: RuleForm, name: str) -> list[str]:
    found = lines(form.values[name])
    for text in found:
        if not normalise(text):
            form.errors[name] = gettext("“%(text)s” holds no character that can be matched; take it out.", text=text)
    return found


def _day(form: RuleForm, name: str) -> date | None:
    text = form.values[name]
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        form.errors[name] = gettext("This is no day; write it like 2026-12-31.")
        return None


def _field_of_action(form: RuleForm, name: str) -> Any:
    text = form.values[name]
    if name == "source":
        if text not in SOURCES:
            form.errors[name] = gettext("Choose one of the sources.")
        return text
    if name == "attribute":
        if text not in ATTRIBUTES:
            form.errors[name] = gettext("Choose one of the attributes.")
        return text
    return _number(form, name, text)


def _number(form: RuleForm, name: str, text: str) -> float | int | None:
    whole = name in ("position", "most")
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        number = float("nan")
    wrong = {
        "factor": lambda: _wrong_factor(form.action, number),
        "position": lambda: (
            gettext("Write a whole place from 1 to %(most)s.", most=MAX_POSITION)
            if not 1 <= number <= MAX_POSITION
            else None
        ),
        "most": lambda: gettext("Write how many rows, a whole number from 0.") if not number >= 0 else None,
        "least": lambda: gettext("Write a number, such as 5 or 0.5.") if not abs(number) < float("inf") else None,
    }[name]()
    if wrong:
        form.errors[name] = wrong
        return None
    return number


def _wrong_factor(action: str, number: float) -> str | None:
    if action == "boost" and not 1 < number <= MAX_FACTOR:
        return gettext("A boost multiplies by more than 1 and at most %(most)s; to lower, use bury.", most=MAX_FACTOR)
    if action == "bury" and not 0 < number < 1:
        return gettext("Bury multiplies by a number between 0 and 1, such as 0.5; to raise, use boost.")
    return None


def number_text(value: Any) -> str:
    """A number as it is typed, none as nothing."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
