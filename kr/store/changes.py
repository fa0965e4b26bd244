"""What made a version, as a code with its words, so that it can be told in English and in Chinese."""

import json
from dataclasses import dataclass
from enum import StrEnum


class ChangeKind(StrEnum):
    """What can happen to rules and lists."""

    RULE_ADDED = "rule_added"
    RULE_CHANGED = "rule_changed"
    RULE_ON = "rule_on"
    RULE_OFF = "rule_off"
    RULE_MOVED = "rule_moved"
    RULE_REMOVED = "rule_removed"
    LIST_ADDED = "list_added"
    LIST_CHANGED = "list_changed"
    LIST_REMOVED = "list_removed"
    TERM_ADDED = "term_added"
    READ_FROM_FILE = "read_from_file"
    SENT = "sent"
    TAKEN_UP_AGAIN = "taken_up_again"
    UNDONE = "undone"


_TEXTS: dict[ChangeKind, tuple[str, str]] = {
    ChangeKind.RULE_ADDED: ("added “{what}”", "新增“{what}”"),
    ChangeKind.RULE_CHANGED: ("changed “{what}”", "修改“{what}”"),
    ChangeKind.RULE_ON: ("switched on “{what}”", "启用“{what}”"),
    ChangeKind.RULE_OFF: ("switched off “{what}”", "停用“{what}”"),
    ChangeKind.RULE_MOVED: ("moved “{what}” to place {where}", "把“{what}”移到第 {where} 位"),
    ChangeKind.RULE_REMOVED: ("removed “{what}”", "移除“{what}”"),
    ChangeKind.LIST_ADDED: ("added the list “{what}”", "新增词表“{what}”"),
    ChangeKind.LIST_CHANGED: ("changed the list “{what}”", "修改词表“{what}”"),
    ChangeKind.LIST_REMOVED: ("removed the list “{what}”", "移除词表“{what}”"),
    ChangeKind.TERM_ADDED: ("added “{what}” to “{where}”", "把“{what}”加入“{where}”"),
    ChangeKind.READ_FROM_FILE: ("read from {what}", "从 {what} 读取"),
    ChangeKind.SENT: ("sent over the API", "通过 API 提交"),
    ChangeKind.TAKEN_UP_AGAIN: ("version {what} again", "重新取用版本 {what}"),
    ChangeKind.UNDONE: ("undone: back to version {what}", "撤销：回到版本 {what}"),
}


@dataclass(frozen=True)
class Change:
    """What was done, to what, and where."""

    kind: ChangeKind
    what: str = ""
    where: str = ""

    @property
    def text_en(self) -> str:
        return self._text(0)

    @property
    def text_zh(self) -> str:
        return self._text(1)

    def encode(self) -> str:
        """As it is stored."""
        return json.dumps([self.kind.value, self.what, self.where], ensure_ascii=False)

    @staticmethod
    def decode(stored: str) -> "Change":
        """What was stored."""
        kind, what, where = json.loads(stored)
        return Change(ChangeKind(kind), what, where)

    def _text(self, language: int) -> str:
        # Not by format: what somebody named may hold braces.
        text = _TEXTS[self.kind][language]
        before, marked, after = text.partition("{what}")
        text = before + (self.what if marked else "")
        return text + after.replace("{where}", self.where)
