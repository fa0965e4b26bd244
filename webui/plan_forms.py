"""What the buttons of a plan's page mean: from the fields of a form to operations."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from indexes.errors import UsageError
from kr.planning.operations import MOST_BID_MICROS, Operation, read_operations
from kr.planning.plan import Plan, PlanKeyword
from kr.planning.planner import Planner

MICROS = 1_000_000


def operations_of(form: MultiDict[str, str], plan: Plan, planner: Planner) -> tuple[Operation, ...]:
    """The operations that the button `act` asks for. UsageError for what the form lacks, or an unknown button."""
    act = form.get("act", "")
    whole: dict[str, Callable[[], dict[str, Any]]] = {
        "rename_campaign": lambda: {"campaign": _number(form, "campaign"), "name": form.get("name", "")},
        "set_budget": lambda: {
            "campaign": _number(form, "campaign"),
            "daily_budget_micros": micros_of(form.get("budget", "")),
        },
        "rename_ad_group": lambda: {"ad_group": _number(form, "ad_group"), "name": form.get("name", "")},
        "set_ad_group_bid": lambda: {
            "ad_group": _number(form, "ad_group"),
            "bid_micros": micros_of(form.get("group_bid", "")),
        },
        "merge_ad_groups": lambda: {"ad_groups": _numbers(form, "ad_groups"), "into": _number(form, "into")},
        "move_keywords": lambda: {"keywords": _numbers(form, "keyword"), "ad_group": _number(form, "to")},
        "split_ad_group": lambda: {"keywords": _numbers(form, "keyword"), "name": form.get("new_name", "")},
        "remove_keywords": lambda: {"keywords": _numbers(form, "keyword")},
        "add_keywords": lambda: {"keywords": _lines(form, "keywords"), "ad_group": _number(form, "ad_group")},
        "add_negatives": lambda: {
            "keywords": _lines(form, "keywords"),
            "match_type": form.get("match_type", ""),
            **_scope(form.get("scope", "")),
        },
    }
    if act in whole:
        return read_operations([{"op": act, **whole[act]()}])
    if act == "match_type":
        if form.get("match_type") == "suggested":
            chosen = _keywords(form, plan)
            types = planner.match_types(plan, chosen)
            return _each({number: {"match_type": kind.value} for number, kind in types.items()})
        return _same(form, match_type=form.get("match_type", ""))
    if act == "bid":
        return _same(form, bid_micros=micros_of(form.get("bid", "")))
    if act == "suggested_bid":
        bids = planner.bids(plan, _keywords(form, plan))
        if not bids:
            raise UsageError(gettext("Nothing is known of what others pay for these keywords."))
        return _each({number: {"bid_micros": bid.micros} for number, bid in bids.items()})
    if act in ("ENABLED", "PAUSED"):
        return _same(form, status=act)
    if act == "suggested_negatives":
        suggested = {_key(item.operation()): item.operation() for item in planner.negatives(plan)}
        chosen_keys = form.getlist("suggestion")
        if not chosen_keys:
            raise UsageError(gettext("Nothing was ticked."))
        if any(key not in suggested for key in chosen_keys):
            raise UsageError(gettext("A suggestion is not there any more."), gettext("Look at them again."))
        return tuple(suggested[key] for key in chosen_keys)
    raise UsageError(gettext("This button is unknown."), gettext("Load the page again."))


def micros_of(text: str) -> int | None:
    """An amount as a person types it, in micros; None for an empty field. UsageError for what is none."""
    plain = text.strip().replace(",", "").replace("，", "")
    if not plain:
        return None
    try:
        amount = Decimal(plain)
    except InvalidOperation:
        amount = Decimal(-1)
    micros = amount * MICROS if amount.is_finite() else Decimal(-1)
    if not 0 <= micros <= MOST_BID_MICROS:
        raise UsageError(gettext("“%(text)s” is not an amount.", text=text[:40]), gettext("Write it like 1.50."))
    return int(micros.to_integral_value())


def _key(operation: Operation) -> str:
    """What stands in a tick box for a suggestion."""
    return operation.model_dump_json()


def suggestion_key(operation: Operation) -> str:
    """The value of the tick box of a suggested operation."""
    return _key(operation)


def _same(form: MultiDict[str, str], **fields: object) -> tuple[Operation, ...]:
    return read_operations([{"op": "change_keywords", "keywords": _numbers(form, "keyword"), **fields}])


def _each(fields: dict[int, dict[str, object]]) -> tuple[Operation, ...]:
    """One operation for all keywords that get the same."""
    alike: dict[tuple[tuple[str, object], ...], list[int]] = {}
    for number, changes in fields.items():
        alike.setdefault(tuple(changes.items()), []).append(number)
    return read_operations(
        [{"op": "change_keywords", "keywords": numbers, **dict(changes)} for changes, numbers in alike.items()]
    )


def _keywords(form: MultiDict[str, str], plan: Plan) -> list[PlanKeyword]:
    return [plan.keywords[number] for number in _numbers(form, "keyword") if number in plan.keywords]


def _numbers(form: MultiDict[str, str], name: str) -> list[int]:
    found = [int(text) for text in form.getlist(name) if text.isdecimal() and len(text) < 12]
    if not found:
        raise UsageError(gettext("Nothing was ticked."), gettext("Tick some, then choose what to do with them."))
    return found


def _number(form: MultiDict[str, str], name: str) -> int:
    text = form.get(name, "")
    if not text.isdecimal() or len(text) > 11:
        raise UsageError(gettext("Nothing was chosen."), gettext("Choose from the list, then press the button."))
    return int(text)


def _lines(form: MultiDict[str, str], name: str) -> list[str]:
    found = [line.strip() for line in form.get(name, "").splitlines() if line.strip()]
    if not found:
        raise UsageError(gettext("There is no keyword in the box."), gettext("Write one a line."))
    return found


def _scope(text: str) -> dict[str, int]:
    """`ad_group:7`, `campaign:2`, or `all`."""
    kind, _, number = text.partition(":")
    return {kind: int(number)} if kind in ("ad_group", "campaign") and number.isdecimal() else {}
