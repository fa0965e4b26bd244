"""Marketing rules as the operator writes them: a TOML file, one `[[rule]]` a rule, in the order in which they apply."""

import tomllib
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from indexes.errors import Message, UsageError
from indexes.text import normalise
from kr.mistakes import message_of

MAX_RULES = 64
MAX_FACTOR = 100
MAX_POSITION = 100
ATTRIBUTES = ("searches", "relevance", "competition", "bid", "users")

_NEEDED: dict[str, tuple[str, ...]] = {
    "boost": ("factor",),
    "bury": ("factor",),
    "pin": ("position",),
    "block": (),
    "quota": ("source", "most"),
    "floor": ("attribute", "least"),
}


class KeywordMatch(BaseModel):
    """Which rows a rule touches: all conditions that are given must hold; none given means every row."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    equals: tuple[str, ...] = Field(default=(), description="The keyword is one of these.")
    contains: tuple[str, ...] = Field(default=(), description="The keyword holds one of these texts.")
    languages: tuple[Literal["zh", "en", "other"], ...] = Field(
        default=(), description="The keyword is in one of these."
    )

    @model_validator(mode="after")
    def _texts_are_keywords(self) -> "KeywordMatch":
        for field in ("equals", "contains"):
            texts = tuple(normalise(text) for text in getattr(self, field))
            if not all(texts):
                raise ValueError(Message("{field} holds a text without any character that can be matched", field=field))
            object.__setattr__(self, field, texts)
        return self


class Rule(BaseModel):
    """One rule. Its days begin and end in its time zone, and both are counted."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str = Field(min_length=1, max_length=200, description="What the rows that it touches will say.")
    action: Literal["boost", "bury", "pin", "block", "quota", "floor"]
    enabled: bool = True
    first_day: date | None = Field(default=None, alias="from", description="First day on which the rule holds.")
    last_day: date | None = Field(default=None, alias="until", description="Last day on which the rule holds.")
    time_zone: str = Field(default="UTC", max_length=64, description="Where its days begin: an IANA name.")
    seeds: tuple[str, ...] = Field(default=(), description="Only requests with a seed that holds one of these texts.")
    keywords: KeywordMatch = KeywordMatch()
    factor: float | None = Field(
        default=None, gt=0, le=MAX_FACTOR, description="boost, bury: the score is multiplied by this."
    )
    position: int | None = Field(default=None, ge=1, le=MAX_POSITION, description="pin: the row's place, from 1.")
    source: str | None = Field(default=None, description="quota: rows that only this source found.")
    most: int | None = Field(default=None, ge=0, description="quota: how many such rows a list may hold.")
    attribute: Literal["searches", "relevance", "competition", "bid", "users"] | None = None
    least: float | None = Field(default=None, description="floor: rows with less of the attribute, or unknown, go.")

    @model_validator(mode="after")
    def _is_whole(self) -> "Rule":
        given = {key for keys in _NEEDED.values() for key in keys if getattr(self, key) is not None}
        needed = set(_NEEDED[self.action])
        if missing := sorted(needed - given):
            raise ValueError(
                Message("the action {action} needs {fields}", action=self.action, fields=", ".join(missing))
            )
        if surplus := sorted(given - needed):
            raise ValueError(
                Message("the action {action} takes no {fields}", action=self.action, fields=", ".join(surplus))
            )
        if self.action == "boost" and self.factor is not None and self.factor <= 1:
            raise ValueError(Message("boost needs a factor above 1; to lower a score use bury"))
        if self.action == "bury" and self.factor is not None and self.factor >= 1:
            raise ValueError(Message("bury needs a factor below 1; to raise a score use boost"))
        if self.action == "pin" and not self.keywords.equals:
            raise ValueError(Message("pin needs keywords.equals: which keyword is to be pinned"))
        if self.first_day and self.last_day and self.last_day < self.first_day:
            raise ValueError(Message("until {last} is before from {first}", last=self.last_day, first=self.first_day))
        if zone_of(self.time_zone) is None:
            raise ValueError(
                Message("there is no time zone {zone}; write it like Asia/Shanghai or UTC", zone=self.time_zone)
            )
        seeds = tuple(normalise(seed) for seed in self.seeds)
        if not all(seeds):
            raise ValueError(Message("{field} holds a text without any character that can be matched", field="seeds"))
        object.__setattr__(self, "seeds", seeds)
        return self

    def is_in_time(self, now: datetime) -> bool:
        """Whether this instant is on one of the rule's days."""
        today = now.astimezone(zone_of(self.time_zone)).date()
        in_time = (self.first_day is None or today >= self.first_day) and (
            self.last_day is None or today <= self.last_day
        )
        return in_time

    def holds(self, now: datetime, seeds: tuple[str, ...]) -> bool:
        """Whether the rule applies to a request with these normalised seeds at this instant."""
        asked = not self.seeds or any(part in seed for part in self.seeds for seed in seeds)
        return self.enabled and asked and self.is_in_time(now)


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo | None:
    """The time zone of an IANA name; None if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def load_rules(path: Path | None, source_names: tuple[str, ...]) -> tuple[Rule, ...]:
    """The rules of a file, or none. UsageError names the file, the rule and the mistake; none is skipped silently."""
    if path is None:
        return ()
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            "The rules file {file} cannot be read: {strerror}.", "Mend the path.", file=path, strerror=error.strerror
        ) from None
    except UnicodeDecodeError as error:
        raise UsageError(
            "The rules file {file} is not TOML: {error}.", "Mend that line.", file=path, error=error
        ) from None
    return rules_of_toml(text, Message("The rules file {file}", file=path), source_names)


def rules_of_toml(text: str, place: str | Message, source_names: tuple[str, ...]) -> tuple[Rule, ...]:
    """The rules of a file's text. UsageError names the place (`place`: rule N), the field and the mistake."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError("{place} is not TOML: {error}.", "Mend that line.", place=place, error=error) from None
    if unknown := sorted(set(document) - {"rule"}):
        raise UsageError(
            "{place} has the unknown key {key}.", "Write rules as [[rule]] tables.", place=place, key=unknown[0]
        )
    tables = document.get("rule", [])
    if not isinstance(tables, list) or len(tables) > MAX_RULES:
        raise UsageError(
            "{place} must hold at most {most} [[rule]] tables.", "Merge some.", place=place, most=MAX_RULES
        )
    return tuple(
        read_rule(table, Message("{place}: rule {number}", place=place, number=number), source_names)
        for number, table in enumerate(tables, 1)
    )


def read_rule(table: Any, place: str | Message, source_names: tuple[str, ...]) -> Rule:
    """One rule of a file or of the database. UsageError names the place, the field and the mistake."""
    try:
        rule = Rule.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or Message("the rule")
        called = f" ({table['name']})" if isinstance(table, dict) and table.get("name") else ""
        raise UsageError(
            "{place}{called}: {where}: {reason}.",
            "Mend it.",
            place=place,
            called=called,
            where=where,
            reason=message_of(first),
        ) from None
    if rule.source is not None and rule.source not in source_names:
        known = ", ".join(source_names)
        raise UsageError(
            "{place} ({name}): no source {source}.",
            "Sources: {known}.",
            place=place,
            name=rule.name,
            source=rule.source,
            known=known,
        )
    return rule
