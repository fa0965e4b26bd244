"""Rules as the TOML file that `kr.marketing.rules` reads: what `rules export` writes and people keep elsewhere."""

import json
from collections.abc import Sequence
from typing import Any

from kr.marketing.rules import Rule


def rules_as_toml(rules: Sequence[Rule]) -> str:
    """The file's text; reading it gives the same rules."""
    return "\n".join(_table(rule) for rule in rules)


def _table(rule: Rule) -> str:
    written = rule.model_dump(by_alias=True, exclude_defaults=True)
    keywords = written.pop("keywords", {})
    rows = [f"{name} = {_value(value)}" for name, value in written.items()]
    rows += [f"keywords.{name} = {_value(value)}" for name, value in keywords.items()]
    return "\n".join(["[[rule]]", *rows]) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, str):
        # A JSON string is a TOML string, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else str(value)
