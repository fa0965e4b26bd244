"""Plans as they are stored: each change makes a version, and changes are taken back one after the other.

Adding keywords never conflicts; every other change names the version that was seen, and is refused if somebody changed
the plan since. A change is kept with the edits that it made, so that undoing it gives the plan as it was before.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from indexes.errors import Message, UsageError
from kr.planning.operations import MOST_KEYWORDS, Operation, perform
from kr.planning.plan import (
    AdGroup,
    Campaign,
    Edit,
    Plan,
    PlanEditor,
    PlanKeyword,
    edits_as_json,
    edits_from_json,
    inverted,
)
from kr.planning.plan_row import MatchType, PlanRow, Status
from kr.planning.plan_rows import add_rows
from kr.store.named_versions import NamedVersions
from kr.store.schema import (
    PlanAdGroup,
    PlanCampaign,
    PlanChange,
    StoredPlan,
    StoredPlanKeyword,
)

KEPT_CHANGES = 100
"""Changes of a plan that are kept to be undone."""
UNDO = "undo"
_ROWS_AT_ONCE = 1_000
_TABLES: dict[str, Any] = {"campaign": PlanCampaign, "ad_group": PlanAdGroup, "keyword": StoredPlanKeyword}
_AS_JSON = frozenset({"labels", "facts"})


PLANS = NamedVersions(StoredPlan, Message("plan"), most=1_000)


@dataclass(frozen=True)
class PlanSummary:
    """A plan with how much it holds, and the change that undoing would take back, if there is one."""

    plan: StoredPlan
    ad_groups: int
    keywords: int
    negatives: int


def plans_of(session: Session, organisation_id: str) -> list[PlanSummary]:
    """The organisation's plans, the one that was changed last first."""
    plans = session.scalars(
        select(StoredPlan)
        .where(StoredPlan.organisation_id == organisation_id)
        .order_by(StoredPlan.changed_at.desc(), StoredPlan.name)
    ).all()
    mine = select(StoredPlan.id).where(StoredPlan.organisation_id == organisation_id)
    groups = dict(
        session.execute(
            select(PlanAdGroup.plan_id, func.count()).where(PlanAdGroup.plan_id.in_(mine)).group_by(PlanAdGroup.plan_id)
        ).all()
    )
    counts = session.execute(
        select(StoredPlanKeyword.plan_id, StoredPlanKeyword.negative, func.count())
        .where(StoredPlanKeyword.plan_id.in_(mine))
        .group_by(StoredPlanKeyword.plan_id, StoredPlanKeyword.negative)
    )
    keywords = {(row[0], bool(row[1])): row[2] for row in counts}
    return [
        PlanSummary(plan, groups.get(plan.id, 0), keywords.get((plan.id, False), 0), keywords.get((plan.id, True), 0))
        for plan in plans
    ]


def find_plan(session: Session, organisation_id: str, plan_id: str, for_change: bool = False) -> StoredPlan:
    """One of the organisation's plans; NoSuchRecord for others too."""
    return PLANS.find(session, organisation_id, plan_id, for_change)


def create_plan(session: Session, organisation_id: str, name: str, now: datetime) -> StoredPlan:
    """A new, empty plan. UsageError if the name is taken or there are too many plans."""
    name = PLANS.free_name(session, organisation_id, name)
    PLANS.check_room(session, organisation_id)
    made = StoredPlan(
        organisation_id=organisation_id, name=name, version=1, next_item=1, created_at=now, changed_at=now
    )
    session.add(made)
    session.flush()
    return made


def plan_named(session: Session, organisation_id: str, name: str, now: datetime) -> StoredPlan:
    """The organisation's plan of this name, made if there is none."""
    named = (StoredPlan.organisation_id == organisation_id, StoredPlan.name == " ".join(name.split()))
    return session.scalar(select(StoredPlan).where(*named)) or create_plan(session, organisation_id, name, now)


def rename_plan(session: Session, organisation_id: str, plan_id: str, name: str, version: int) -> StoredPlan:
    """Give a plan another name. StaleVersion, UsageError if the name is taken."""
    found = PLANS.seen(session, organisation_id, plan_id, version)
    found.name = PLANS.free_name(session, organisation_id, name, but=found.id)
    found.version += 1
    return found


def delete_plan(session: Session, organisation_id: str, plan_id: str, version: int) -> None:
    """Delete a plan and what it holds. StaleVersion."""
    found = PLANS.seen(session, organisation_id, plan_id, version)
    for table in (*_TABLES.values(), PlanChange):
        session.execute(delete(table).where(table.plan_id == found.id))
    session.delete(found)


def read_plan(session: Session, found: StoredPlan) -> Plan:
    """What a plan holds."""
    campaigns = session.execute(
        select(PlanCampaign.item, PlanCampaign.name, PlanCampaign.daily_budget_micros)
        .where(PlanCampaign.plan_id == found.id)
        .order_by(PlanCampaign.item)
    )
    groups = session.execute(
        select(PlanAdGroup.item, PlanAdGroup.campaign, PlanAdGroup.name, PlanAdGroup.bid_micros)
        .where(PlanAdGroup.plan_id == found.id)
        .order_by(PlanAdGroup.item)
    )
    row = StoredPlanKeyword
    keywords = session.execute(
        select(
            row.item, row.text, row.campaign, row.ad_group, row.match_type, row.negative, row.bid_micros, row.status,
            row.labels, row.final_url, row.facts,
        )
        .where(row.plan_id == found.id)
        .order_by(row.item)
    )  # fmt: skip
    return Plan(
        {item[0]: Campaign(*item) for item in campaigns},
        {item[0]: AdGroup(*item) for item in groups},
        {item[0]: _keyword(*item) for item in keywords},
        found.next_item,
    )


def change_plan(
    session: Session,
    organisation_id: str,
    plan_id: str,
    operations: Sequence[Operation],
    version: int,
    user_id: str | None,
    now: datetime,
    action: str | None = None,
) -> StoredPlan:
    """Do operations to the version that was seen: all of them, or none. StaleVersion; UsageError if one cannot be.

    `action` names the change to people; without it the first operation's name does. Nothing changed: no new version.
    """
    found = PLANS.seen(session, organisation_id, plan_id, version)
    edits = perform(read_plan(session, found), operations)
    _keep(session, found, edits, action or operations[0].op, user_id, now)
    return found


def add_to_plan(
    session: Session,
    organisation_id: str,
    plan_id: str,
    operations: Sequence[Operation],
    user_id: str | None,
    now: datetime,
) -> StoredPlan:
    """Do operations that only add, to whatever version there is."""
    found = find_plan(session, organisation_id, plan_id, for_change=True)
    edits = perform(read_plan(session, found), operations)
    _keep(session, found, edits, operations[0].op, user_id, now)
    return found


def import_rows(
    session: Session,
    organisation_id: str,
    plan_id: str,
    rows: Iterable[PlanRow],
    user_id: str | None,
    now: datetime,
) -> int:
    """Add the rows of a keyword file to whatever version there is; how many. UsageError for too many."""
    found = find_plan(session, organisation_id, plan_id, for_change=True)
    editor = PlanEditor(read_plan(session, found))
    count = add_rows(editor, rows)
    if len(editor.keywords) > MOST_KEYWORDS:
        raise UsageError(
            "A plan has at most {most:,} keywords.", "Split the file, a campaign each.", most=MOST_KEYWORDS
        )
    _keep(session, found, editor.edits(), "import", user_id, now)
    return count


def undo_last_change(
    session: Session, organisation_id: str, plan_id: str, version: int, user_id: str | None, now: datetime
) -> PlanChange:
    """Take back the last change that was not taken back yet; returns it. StaleVersion; UsageError if there is none."""
    found = PLANS.seen(session, organisation_id, plan_id, version)
    change = last_change(session, found.id)
    if change is None:
        raise UsageError(
            "There is no change of this plan left to undo.",
            "The last {most} can be.",
            most=KEPT_CHANGES,
        )
    edits = inverted(edits_from_json(json.loads(change.edits)))
    read_plan(session, found).edited(edits)  # fails, rather than half undo, if the tables were changed by hand
    _keep(session, found, edits, UNDO, user_id, now)
    change.undone_in = found.version
    return change


def last_change(session: Session, plan_id: str) -> PlanChange | None:
    """The change that undoing would take back."""
    return session.scalar(
        select(PlanChange)
        .where(PlanChange.plan_id == plan_id, PlanChange.undone_in.is_(None), PlanChange.action != UNDO)
        .order_by(PlanChange.version.desc())
        .limit(1)
    )


def _keep(
    session: Session, found: StoredPlan, edits: Sequence[Edit], action: str, user_id: str | None, now: datetime
) -> None:
    """Write edits to the tables as a new version."""
    if not edits:
        return
    found.version += 1
    found.changed_at = now
    found.next_item = max([found.next_item, *(edit.id + 1 for edit in edits)])
    new: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _TABLES}
    gone: dict[str, list[int]] = {kind: [] for kind in _TABLES}
    alike: dict[tuple[str, str], list[int]] = {}
    for edit in edits:
        if edit.after is None:
            gone[edit.kind].append(edit.id)
        elif edit.before is None:
            new[edit.kind].append({"plan_id": found.id, "item": edit.id, **_columns(edit.after)})
        else:
            # Items that get the same values are changed by one statement.
            values = json.dumps(_columns(edit.after), sort_keys=True)
            alike.setdefault((edit.kind, values), []).append(edit.id)
    for kind, items in gone.items():
        table = _TABLES[kind]
        for some in _chunks(items):
            session.execute(delete(table).where(table.plan_id == found.id, table.item.in_(some)))
    for (kind, values), items in alike.items():
        table = _TABLES[kind]
        for some in _chunks(items):
            changed = update(table).where(table.plan_id == found.id, table.item.in_(some))
            session.execute(changed.values(**json.loads(values)), execution_options={"synchronize_session": False})
    for kind, rows in new.items():
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            session.execute(insert(_TABLES[kind]), rows[start : start + _ROWS_AT_ONCE])
    session.add(
        PlanChange(
            plan_id=found.id,
            version=found.version,
            ts=now,
            user_id=user_id,
            action=action[:60],
            edits=json.dumps(edits_as_json(edits), ensure_ascii=False),
        )
    )
    session.execute(
        delete(PlanChange).where(PlanChange.plan_id == found.id, PlanChange.version <= found.version - KEPT_CHANGES)
    )
    session.flush()


def _columns(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: json.dumps(value, ensure_ascii=False, sort_keys=True) if name in _AS_JSON else value
        for name, value in values.items()
    }


def _keyword(
    item: int,
    text: str,
    campaign: int | None,
    ad_group: int | None,
    match_type: str | None,
    negative: bool,
    bid_micros: int | None,
    status: str | None,
    labels: str,
    final_url: str,
    facts: str,
) -> PlanKeyword:
    return PlanKeyword(
        item,
        text,
        campaign,
        ad_group,
        MatchType(match_type) if match_type else None,
        bool(negative),
        bid_micros,
        Status(status) if status else None,
        tuple(json.loads(labels)),
        final_url,
        json.loads(facts),
    )


def _chunks(items: Sequence[int]) -> Iterable[Sequence[int]]:
    return (items[start : start + _ROWS_AT_ONCE] for start in range(0, len(items), _ROWS_AT_ONCE))
