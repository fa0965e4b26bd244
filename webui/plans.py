"""Plans of the organisation that asks: reading and changing them, for pages and API alike."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app, request

from indexes.errors import UsageError
from indexes.text import normalise
from kr.planning.findings import Finding
from kr.planning.grouping import WAYS, By
from kr.planning.importing import PlanImport
from kr.planning.operations import MOST_KEYWORDS, AddKeywords, Operation
from kr.planning.plan import Plan
from kr.planning.plan_row import MatchType, PlanRow
from kr.planning.planner import Planner
from kr.planning.source_file import SourceFile
from kr.store import plans as store
from kr.store.accounts import utc_now
from kr.store.schema import PlanChange, StoredPlan
from webui.identity import current_database, signed_in
from webui.search_service import current_service


@dataclass(frozen=True)
class OpenPlan:
    """A plan as it is stored, what it holds, and the change that undoing would take back."""

    stored: StoredPlan
    plan: Plan
    last_change: PlanChange | None


def planner() -> Planner:
    """What the snapshot in use can tell for plans."""
    return current_service().planner


def open_plan(plan_id: str) -> OpenPlan:
    """One of the organisation's plans. NoSuchRecord for others'."""
    with current_database().reading() as session:
        found = store.find_plan(session, signed_in().organisation_id, plan_id)
        return OpenPlan(found, store.read_plan(session, found), store.last_change(session, found.id))


def change(plan_id: str, operations: Sequence[Operation], version: int, action: str | None = None) -> StoredPlan:
    """Do operations to the version that was seen. StaleVersion, UsageError."""
    if not operations:
        raise UsageError("There is nothing to do.", "Name what to change.")
    identity = signed_in()
    with current_database().writing() as session:
        return store.change_plan(
            session, identity.organisation_id, plan_id, operations, version, identity.user_id, utc_now(), action
        )


def add(plan_id: str, operations: Sequence[Operation]) -> StoredPlan:
    """Do operations that only add, whatever was seen."""
    identity = signed_in()
    with current_database().writing() as session:
        return store.add_to_plan(session, identity.organisation_id, plan_id, operations, identity.user_id, utc_now())


def undo(plan_id: str, version: int) -> StoredPlan:
    """Take back the last change that was not taken back. StaleVersion, UsageError."""
    identity = signed_in()
    with current_database().writing() as session:
        store.undo_last_change(session, identity.organisation_id, plan_id, version, identity.user_id, utc_now())
        return store.find_plan(session, identity.organisation_id, plan_id)


def regroup(plan_id: str, by: str, version: int, chinese: bool) -> StoredPlan:
    """Put the plan's keywords into new ad groups. StaleVersion, UsageError."""
    if by not in WAYS:
        raise UsageError(
            "Keywords are not grouped by {by!r}.", "Use one of {choices}.", by=by[:20], choices=", ".join(WAYS)
        )
    way: By = by
    return change(
        plan_id, planner().plan_grouping(open_plan(plan_id).plan, way, chinese).operations, version, "regroup"
    )


def fix(plan_id: str, keys: Sequence[str], version: int) -> StoredPlan:
    """Do the fixes of findings by their keys, in their order. StaleVersion; UsageError if one is not found any more."""
    opened = open_plan(plan_id)
    store.PLANS.check_version(opened.stored, version)
    by_key = {finding.key: finding for finding in findings(opened.plan)}
    missing = [key for key in keys if key not in by_key]
    if missing:
        raise UsageError("A finding is not there any more.", "Look at the diagnosis again.")
    chosen = [by_key[key] for key in keys]
    operations = [operation for finding in chosen for operation in finding.operations]
    return change(plan_id, operations, version, f"fix: {chosen[0].code.value}" if chosen else None)


def findings(plan: Plan) -> list[Finding]:
    """What is wrong with a plan."""
    return current_service().diagnose(plan)


def additions(keywords: Sequence[str], seeds: Sequence[str], campaign: str, ad_group: str) -> list[AddKeywords]:
    """Operations that add keywords with the match type suggested for each: by its stand to the seed beside it."""
    by_type: dict[MatchType, list[str]] = {}
    asked = planner()
    for keyword, seed in zip(keywords, seeds, strict=True):
        text = normalise(keyword)
        by_type.setdefault(asked.match_type_for(normalise(seed) or text, text), []).append(keyword)
    return [
        AddKeywords(
            keywords=tuple(texts),
            campaign_name=campaign[:200],
            ad_group_name=ad_group[:200],
            match_type=match_type,
        )
        for match_type, texts in sorted(by_type.items())
    ]


def import_file(plan_id: str, source: SourceFile) -> tuple[int, PlanImport]:
    """Add the rows of a keyword file to a plan; how many, and the accounting."""
    identity = signed_in()
    importing = PlanImport(source, max_rows=MOST_KEYWORDS)
    rows = (row for row in importing if isinstance(row, PlanRow))
    with current_database().writing() as session:
        count = store.import_rows(session, identity.organisation_id, plan_id, rows, identity.user_id, utc_now())
    return count, importing


def uploaded(name: str) -> SourceFile | None:
    """The file of a form, if one was chosen."""
    part = request.files.get(name)
    if part is None or not part.filename:
        return None
    shown = part.filename.replace("\\", "/").rpartition("/")[2][:60]
    return SourceFile(shown or "The file", content=part.read(), most_bytes=current_app.config["KR"].plan_max_bytes)
