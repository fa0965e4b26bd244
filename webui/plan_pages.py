"""Plans: all of them, and one with its ad groups, which are edited by ticking and choosing from menus."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from flask import Response as FlaskResponse
from flask_babel import gettext
from werkzeug.wrappers import Response

from indexes.errors import UsageError
from kr.planning.exporting import FORMATS, Export
from kr.planning.plan import Plan, PlanKeyword
from kr.planning.plan_rows import months_of, plan_rows
from kr.planning.source_file import SourceFile
from kr.store import plans as store
from kr.store.accounts import NoSuchRecord, utc_now
from kr.store.lists import find_list, keywords_of, lists_of
from webui import plans
from webui.exports import content_disposition
from webui.identity import current_database, signed_in
from webui.languages import page_language, said
from webui.pages import page_url
from webui.plan_forms import operations_of

blueprint = Blueprint("plans", __name__, url_prefix="/plans")
PAGE_KEYWORDS = 100


@blueprint.get("")
def overview() -> str:
    """All plans, and how to make one."""
    return _overview()


@blueprint.post("")
def make() -> Response:
    """A new plan: empty, or from one of the organisation's lists."""
    mine, now = signed_in().organisation_id, utc_now()
    list_id = request.form.get("list", "")
    try:
        with current_database().writing() as session:
            name = request.form.get("name", "").strip()
            listed = None
            if list_id:
                listed = find_list(session, mine, list_id)
                rows = keywords_of(session, mine, list_id)
            made = store.create_plan(session, mine, name or (listed.name if listed else ""), now)
            if listed and rows:
                texts = [row.keyword for row in rows]
                seeds = [row.query or row.keyword for row in rows]
                operations = plans.additions(texts, seeds, made.name, listed.name)
                store.add_to_plan(session, mine, made.id, operations, signed_in().user_id, now)
    except NoSuchRecord:
        raise
    except UsageError as error:
        return make_response(_overview(said(error)), error.http_status)
    return redirect(page_url("plans.one", plan_id=made.id), 303)


@blueprint.post("/upload")
def upload() -> Response:
    """A new plan from a keyword file, whatever its format."""
    try:
        source = plans.uploaded("file")
        if source is None:
            raise UsageError(gettext("No file was chosen."), gettext("Choose one, then press the button."))
        return _upload(source)
    except UsageError as error:
        return make_response(_overview(said(error)), error.http_status)


def _upload(source: SourceFile) -> Response:
    mine = signed_in().organisation_id
    with current_database().writing() as session:
        name = request.form.get("name", "").strip() or _free_name(source.name)
        made = store.create_plan(session, mine, name, utc_now())
    try:
        count, importing = plans.import_file(made.id, source)
        if not count:
            raise UsageError(
                "None of the {read} rows of {file} holds a keyword.",
                "Name a column Keyword in its first row, or write a keyword a line.",
                read=importing.report.read,
                file=source.name,
            )
    except UsageError:
        with current_database().writing() as session:
            store.delete_plan(session, mine, made.id, made.version)
        raise
    report = importing.report
    return redirect(
        page_url("plans.one", plan_id=made.id, read=report.read, kept=report.kept, rejected=report.rejected), 303
    )


@blueprint.get("/<plan_id>")
def one(plan_id: str) -> str:
    """A plan: its campaigns and ad groups, and the keywords of the one that the address names."""
    return _one(plan_id)


@blueprint.post("/<plan_id>/change")
def change(plan_id: str) -> Response:
    """Do what the button says with what is ticked."""
    return changed(
        plan_id,
        lambda version: plans.change(
            plan_id, operations_of(request.form, plans.open_plan(plan_id).plan, plans.planner()), version
        ),
        request.form.get("back", ""),
    )


@blueprint.post("/<plan_id>/undo")
def undo(plan_id: str) -> Response:
    """Take back the last change that was not taken back yet."""
    return changed(plan_id, lambda version: plans.undo(plan_id, version), request.form.get("back", ""))


@blueprint.post("/<plan_id>/rename")
def rename(plan_id: str) -> Response:
    """Give the plan another name."""

    def do(version: int) -> object:
        with current_database().writing() as session:
            return store.rename_plan(
                session, signed_in().organisation_id, plan_id, request.form.get("name", ""), version
            )

    return changed(plan_id, do)


@blueprint.post("/<plan_id>/delete")
def delete(plan_id: str) -> Response:
    """Delete the plan; it cannot come back, so the page asks first."""

    def do(version: int) -> None:
        with current_database().writing() as session:
            store.delete_plan(session, signed_in().organisation_id, plan_id, version)

    done = changed(plan_id, do)
    return redirect(page_url("plans.overview"), 303) if done.status_code == 303 else done


@blueprint.get("/<plan_id>/export")
def export(plan_id: str) -> Response:
    """The whole plan as a file."""
    opened = plans.open_plan(plan_id)
    return plan_file(opened.plan, opened.stored.name, request.args.get("format", "csv"), page_language())


def plan_file(plan: Plan, name: str, format: str, language: str) -> Response:
    """A plan in a format. UsageError for one that is not written."""
    if format not in FORMATS:
        raise UsageError(
            "“{format}” is not a format.", "Use one of {choices}.", format=format[:40], choices=", ".join(FORMATS)
        )
    written = Export(format, months_of(plan), language)
    charset = f"; charset={written.charset}" if written.charset else ""
    response = FlaskResponse(written.chunks(plan_rows(plan)), content_type=written.media_type + charset)
    response.headers["Content-Disposition"] = content_disposition((name,), written)
    return response


def changed(plan_id: str, do: Callable[[int], object], back: str = "") -> Response:
    """Make a change to the version that the form was shown with, and go back to where it was."""
    version = request.form.get("version", type=int)
    try:
        if version is None:
            raise UsageError(gettext("The form lacks the version of the plan."), gettext("Load the page again."))
        do(version)
    except UsageError as error:
        return make_response(_one(plan_id, said(error)), error.http_status)
    endpoint, _, group = back.partition(":")
    if endpoint in ("groupings", "negatives", "diagnosis", "forecast"):
        return redirect(page_url(f"plan_analysis.{endpoint}", plan_id=plan_id, done=1), 303)
    parameters: dict[str, Any] = {"group": group} if group.isdecimal() else {}
    return redirect(page_url("plans.one", plan_id=plan_id, **parameters), 303)


def _overview(error: str | None = None) -> str:
    mine = signed_in().organisation_id
    with current_database().reading() as session:
        found = store.plans_of(session, mine)
        lists = [summary for summary in lists_of(session, mine) if summary.keywords]
    return render_template("plans.html", plans=found, lists=lists, error=error)


def _one(plan_id: str, error: str | None = None) -> str:
    opened = plans.open_plan(plan_id)
    plan = opened.plan
    number = request.values.get("group", type=int) or _back_group()
    group = plan.ad_groups.get(number) if number else None
    facts = plans.planner().facts(plan.positive())
    keywords = [item for item in plan.keywords_of(group.id) if not item.negative] if group else []
    keywords.sort(key=lambda item: (-(facts[item.id]["avg_monthly_searches"] or 0), item.id))
    pages = max(1, -(-len(keywords) // PAGE_KEYWORDS))
    page = min(max(request.args.get("page", 1, type=int), 1), pages)
    shown = keywords[(page - 1) * PAGE_KEYWORDS : page * PAGE_KEYWORDS]
    suggested = plans.planner().bids(plan, shown) if shown else {}
    return render_template(
        "plan.html",
        stored=opened.stored,
        plan=plan,
        last_change=opened.last_change,
        campaigns=[(campaign, _groups(plan, campaign.id, facts)) for campaign in plan.campaigns.values()],
        group=group,
        keywords=shown,
        facts=facts,
        suggested=suggested,
        page=page,
        pages=pages,
        negatives=_negatives(plan, group.id if group else None),
        counts={"keywords": len(plan.positive()), "negatives": len(plan.negative())},
        imported={name: request.args.get(name, type=int) for name in ("read", "kept", "rejected")},
        error=error,
        asks_to_delete=request.args.get("delete") == "1",
    )


def _back_group() -> int | None:
    text = request.form.get("back", "").removeprefix("group:")
    return int(text) if text.isdecimal() and len(text) < 12 else None


def _groups(plan: Plan, campaign: int, facts: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """The ad groups of a campaign with what they hold, the most searched first."""
    inside: dict[int, list[PlanKeyword]] = {
        group.id: [] for group in plan.ad_groups.values() if group.campaign == campaign
    }
    for item in plan.keywords.values():
        if item.ad_group in inside:
            inside[item.ad_group].append(item)
    rows = []
    for number, items in inside.items():
        bid_on = [item for item in items if not item.negative]
        intents = Counter(facts[item.id]["intent"] for item in bid_on)
        rows.append(
            {
                "group": plan.ad_groups[number],
                "keywords": len(bid_on),
                "negatives": len(items) - len(bid_on),
                "intents": [intent for intent, _ in sorted(intents.items(), key=lambda pair: (-pair[1], pair[0]))],
                "searches": sum(facts[item.id]["avg_monthly_searches"] or 0 for item in bid_on),
            }
        )
    return sorted(rows, key=lambda row: (-row["searches"], row["group"].id))


def _negatives(plan: Plan, group: int | None) -> list[PlanKeyword]:
    """Those of an ad group, or those of no ad group."""
    return [item for item in plan.negative() if item.ad_group == group]


def _free_name(name: str) -> str:
    with current_database().reading() as session:
        taken = {summary.plan.name for summary in store.plans_of(session, signed_in().organisation_id)}
    found, number = name, 2
    while found in taken:
        found = f"{name} {number}"
        number += 1
    return found
