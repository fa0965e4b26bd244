"""The marketing rules in force: those of the file and, after them, those that an operator put live."""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from indexes.errors import KRError, Message, UsageError
from indexes.text import normalise
from kr.marketing.rules import MAX_RULES, Rule, load_rules, read_rule
from kr.store.live_controls import ControlsUnreadable, LiveControls
from kr.store.operator_schema import Control


@dataclass(frozen=True)
class StoredRule:
    """A rule of the database; the identifier stays with it when it is changed or moved."""

    id: str
    rule: Rule


@dataclass(frozen=True)
class RuleSet:
    """Rules in the order in which they apply, those of the file first. `sequence` is what the operators' had live."""

    rules: tuple[Rule, ...]
    from_file: int
    sequence: int


def encode_rules(rules: Sequence[StoredRule]) -> str:
    """The content of a version: canonical, so that equal rules are equal texts."""
    rows = [{"id": stored.id, **_plain(stored.rule)} for stored in rules]
    return json.dumps(rows, ensure_ascii=False, indent=1)


def decode_rules(content: str, source_names: tuple[str, ...]) -> tuple[StoredRule, ...]:
    """The rules of a version. UsageError naming the rule, if this version of KR does not know what it says."""
    rows = json.loads(content) if content else []
    return tuple(
        StoredRule(
            row["id"],
            read_rule(
                {key: row[key] for key in row if key != "id"}, Message("rule {number}", number=number), source_names
            ),
        )
        for number, row in enumerate(rows, start=1)
    )


def together(from_file: Sequence[Rule], stored: Sequence[Rule], sequence: int) -> RuleSet:
    """The rules of both. UsageError if they are more than a row can name."""
    if len(from_file) + len(stored) > MAX_RULES:
        raise UsageError(
            "{from_file} rules of the file and {from_database} of the database: {most} fit.",
            "Merge some, or delete those that are over.",
            from_file=len(from_file),
            from_database=len(stored),
            most=MAX_RULES,
        )
    return RuleSet((*from_file, *stored), len(from_file), sequence)


class RulesInForce:
    """Follows what operators put live, at each request. Safe to call from any thread.

    While the database cannot be read, the last rules that were read hold: none is switched off by a failure. Before any
    were read, nothing is answered.
    """

    def __init__(self, path: Path | None, source_names: tuple[str, ...], controls: LiveControls) -> None:
        """Read the file. UsageError names its mistake."""
        self._path = path
        self._source_names = source_names
        self._controls = controls
        self._lock = threading.Lock()
        self._from_file = load_rules(path, source_names)
        self._known: RuleSet | None = None
        self._problem: str | None = None

    @property
    def from_file(self) -> tuple[Rule, ...]:
        """The rules of the file as it was last read."""
        return self._from_file

    @property
    def problem(self) -> str | None:
        """Why what operators put live last may not be in force, for the operator; None if all is well."""
        return self._problem

    def read_file_again(self) -> None:
        """Take over the file as it is now. UsageError names its mistake."""
        from_file = load_rules(self._path, self._source_names)
        with self._lock:
            if from_file != self._from_file:
                self._from_file, self._known = from_file, None

    def now(self) -> RuleSet:
        """The rules to apply now. TryAgainError if they were never read and cannot be."""
        known = self._known
        try:
            sequence = self._controls.sequences()[Control.RULES]
            if known is None or known.sequence != sequence:
                known = self._read(sequence)
            self._problem = None
        except ControlsUnreadable as error:
            if known is None:
                raise
            self._problem = str(error)
        return known

    def _read(self, sequence: int) -> RuleSet:
        with self._lock:
            content = ""
            if sequence:
                sequence, content = self._controls.content(Control.RULES)
            if self._known is None or self._known.sequence != sequence:
                try:
                    stored = decode_rules(content, self._source_names)
                    self._known = together(self._from_file, [each.rule for each in stored], sequence)
                except (KRError, ValueError, KeyError, TypeError) as error:
                    raise ControlsUnreadable(f"The rules that went live cannot be used: {error}") from error
            return self._known


def rules_in_time(rules: Sequence[Rule], now: datetime) -> list[bool]:
    """Which of the rules are switched on and on one of their days."""
    return [rule.enabled and rule.is_in_time(now) for rule in rules]


def rule_of_keyword(keyword: str, why: str) -> Rule:
    """A rule that blocks one keyword, named after it."""
    return Rule.model_validate(
        {"name": f"{why}: {keyword}"[:200], "action": "block", "keywords": {"equals": [normalise(keyword)]}}
    )


def _plain(rule: Rule) -> dict[str, Any]:
    return rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)
