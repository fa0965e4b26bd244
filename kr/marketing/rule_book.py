"""Editing the operators' rules: each change is a version of all of them, and goes live only when asked to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from indexes.errors import UsageError
from kr.marketing.in_force import StoredRule, decode_rules, encode_rules, together
from kr.marketing.rules import MAX_RULES, Rule
from kr.store.accounts import NoSuchRecord
from kr.store.changes import Change, ChangeKind
from kr.store.control_versions import Author, go_live, head, live, save
from kr.store.operator_schema import Control
from kr.store.schema import new_id


@dataclass(frozen=True)
class RuleBook:
    """What operators edit and what is in force. `version` is the latest version's number, 0 before the first."""

    version: int
    rules: tuple[StoredRule, ...]
    live_version: int
    live_rules: tuple[StoredRule, ...]
    live_since: datetime | None

    @property
    def differs(self) -> bool:
        """Whether there are changes that are not in force."""
        return self.rules != self.live_rules

    def find(self, rule_id: str) -> StoredRule:
        """One of the rules that are edited. NoSuchRecord."""
        found = next((stored for stored in self.rules if stored.id == rule_id), None)
        if found is None:
            raise NoSuchRecord("There is no such rule.")
        return found

    def state(self, stored: StoredRule) -> Literal["new", "changed", "same"]:
        """How a rule stands to what is in force: `new`, `changed`, or `same`."""
        in_force = next((each for each in self.live_rules if each.id == stored.id), None)
        return "new" if in_force is None else "same" if in_force == stored else "changed"

    @property
    def dropped(self) -> list[StoredRule]:
        """Rules in force that the latest version has no longer."""
        kept = {stored.id for stored in self.rules}
        return [stored for stored in self.live_rules if stored.id not in kept]


def read_book(session: Session, source_names: tuple[str, ...]) -> RuleBook:
    """The latest version and the one in force. UsageError if this version of KR does not know what they say."""
    latest, in_force = head(session, Control.RULES), live(session, Control.RULES)
    return RuleBook(
        latest.number if latest else 0,
        decode_rules(latest.content, source_names) if latest else (),
        in_force.number if in_force else 0,
        decode_rules(in_force.content, source_names) if in_force else (),
        in_force.ts if in_force else None,
    )


def add_rule(session: Session, book: RuleBook, seen: int, rule: Rule, author: Author) -> StoredRule:
    """A new rule, the last one. StaleControl; UsageError if there are too many."""
    if len(book.rules) >= MAX_RULES:
        raise UsageError(
            "There are {most} rules, which is the most.", "Merge some, or delete those that are over.", most=MAX_RULES
        )
    stored = StoredRule(new_id(), rule)
    _save(session, seen, (*book.rules, stored), Change(ChangeKind.RULE_ADDED, rule.name), author, None, stored)
    return stored


def change_rule(session: Session, book: RuleBook, seen: int, rule_id: str, rule: Rule, author: Author) -> StoredRule:
    """Another content for a rule, at its place. StaleControl, NoSuchRecord."""
    before = book.find(rule_id)
    after = replace(before, rule=rule)
    rules = tuple(after if stored.id == rule_id else stored for stored in book.rules)
    _save(session, seen, rules, Change(ChangeKind.RULE_CHANGED, rule.name), author, before, after)
    return after


def switch_rule(session: Session, book: RuleBook, seen: int, rule_id: str, enabled: bool, author: Author) -> StoredRule:
    """Switch a rule on or off. StaleControl, NoSuchRecord."""
    before = book.find(rule_id)
    after = replace(before, rule=before.rule.model_copy(update={"enabled": enabled}))
    rules = tuple(after if stored.id == rule_id else stored for stored in book.rules)
    _save(
        session,
        seen,
        rules,
        Change(ChangeKind.RULE_ON if enabled else ChangeKind.RULE_OFF, before.rule.name),
        author,
        before,
        after,
    )
    return after


def remove_rule(session: Session, book: RuleBook, seen: int, rule_id: str, author: Author) -> None:
    """Take a rule out; an earlier version has it still. StaleControl, NoSuchRecord."""
    before = book.find(rule_id)
    rules = tuple(stored for stored in book.rules if stored.id != rule_id)
    _save(session, seen, rules, Change(ChangeKind.RULE_REMOVED, before.rule.name), author, before, None)


def move_rule(session: Session, book: RuleBook, seen: int, rule_id: str, place: int, author: Author) -> None:
    """Move a rule to a place, from 1; beyond an end is that end. StaleControl, NoSuchRecord."""
    moved = book.find(rule_id)
    rules = [stored for stored in book.rules if stored.id != rule_id]
    rules.insert(max(0, place - 1), moved)
    order = [_named(book.rules), _named(rules)]
    change = Change(ChangeKind.RULE_MOVED, moved.rule.name, str(rules.index(moved) + 1))
    save(session, Control.RULES, seen, encode_rules(rules), change, author, *order)


def replace_rules(session: Session, seen: int, rules: Sequence[Rule], change: Change, author: Author) -> None:
    """All rules anew, from a file for instance. StaleControl."""
    content = encode_rules([StoredRule(new_id(), rule) for rule in rules])
    save(session, Control.RULES, seen, content, change, author)


def put_rules_live(
    session: Session, source_names: tuple[str, ...], from_file: Sequence[Rule], seen: int, author: Author
) -> int:
    """Put the version that was seen in force; every worker applies it from its next request on. Returns its number.

    StaleControl; UsageError if there are too many with those of the file.
    """
    book = read_book(session, source_names)
    together(from_file, [stored.rule for stored in book.rules], 0)
    return go_live(session, Control.RULES, seen, author).number


def _save(
    session: Session,
    seen: int,
    rules: Sequence[StoredRule],
    change: Change,
    author: Author,
    before: StoredRule | None,
    after: StoredRule | None,
) -> None:
    save(session, Control.RULES, seen, encode_rules(rules), change, author, _text(before), _text(after))


def _text(stored: StoredRule | None) -> str | None:
    if stored is None:
        return None
    return json.dumps(stored.rule.model_dump(mode="json", by_alias=True, exclude_defaults=True), ensure_ascii=False)


def _named(rules: Sequence[StoredRule]) -> str:
    return json.dumps([stored.rule.name for stored in rules], ensure_ascii=False)
