"""`/api/v1/plans…`: everything that the pages of plans do; all of it is the key's organisation's."""

import time
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, g, request
from pydantic import BaseModel
from sqlalchemy.orm import Session

from indexes.errors import Message, UsageError
from kr.planning.exporting import FORMATS
from kr.planning.forecast_envelope import budget_envelope, forecast_envelope
from kr.planning.plan_forecast import forecast_items, planned
from kr.planning.source_file import SourceFile
from kr.store import plans as store
from kr.store.accounts import utc_now
from kr.store.schema import StoredPlan
from webui import plans
from webui.api.exchange import parameter_problem, read_body, read_parameters, send
from webui.api.plans_models import (
    DiagnosisData,
    DiagnosisReply,
    FindingModel,
    FixRequest,
    GroupingModel,
    GroupingsData,
    GroupingsReply,
    GroupModel,
    ImportedData,
    ImportedReply,
    MeasureModel,
    NegativeModel,
    NegativesData,
    NegativesReply,
    NewPlan,
    PlanAdGroupModel,
    PlanBudgetParameters,
    PlanCampaignModel,
    PlanChangeRequest,
    PlanForecastParameters,
    PlanKeywordModel,
    PlanModel,
    PlanReply,
    PlansData,
    PlansReply,
    PlanSummaryModel,
    PlanVersion,
    RegroupRequest,
    UseSetRequest,
)
from webui.api.problems import INVALID_REQUEST, ApiProblem
from webui.identity import current_database, signed_in
from webui.plan_analysis import best_set
from webui.plan_pages import plan_file
from webui.search_service import current_service

blueprint = Blueprint("plans_api", __name__, url_prefix="/api/v1/plans")
LANGUAGES = ("en", "zh")


@blueprint.get("")
def all_plans() -> Response:
    """The organisation's plans."""
    with current_database().reading() as session:
        rows = [
            PlanSummaryModel(
                id=item.plan.id,
                name=item.plan.name,
                version=item.plan.version,
                ad_groups=item.ad_groups,
                keywords=item.keywords,
                negatives=item.negatives,
                created_at=item.plan.created_at,
                changed_at=item.plan.changed_at,
            )
            for item in store.plans_of(session, signed_in().organisation_id)
        ]
    return _send(PlansReply(data=PlansData(plans=rows)))


@blueprint.post("")
def make_plan() -> Response:
    """A new plan, filled by operations if any are sent."""
    body, identity, now = read_body(NewPlan), signed_in(), utc_now()
    with current_database().writing() as session:
        made = store.create_plan(session, identity.organisation_id, body.name, now)
        if body.operations:
            store.add_to_plan(session, identity.organisation_id, made.id, body.operations, identity.user_id, now)
        reply = _plan(session, made)
    return _send(reply, 201)


@blueprint.get("/<plan_id>")
def one_plan(plan_id: str) -> Response:
    """One plan with all that it holds."""
    with current_database().reading() as session:
        return _send(_plan(session, store.find_plan(session, signed_in().organisation_id, plan_id)))


@blueprint.patch("/<plan_id>")
def change_plan(plan_id: str) -> Response:
    """Rename a plan and do operations to it: all of it, or nothing."""
    identity = _owner(plan_id)
    body = read_body(PlanChangeRequest)
    with current_database().writing() as session:
        version = body.version
        if body.name is not None:
            version = store.rename_plan(session, identity, plan_id, body.name, version).version
        if body.operations:
            store.change_plan(session, identity, plan_id, body.operations, version, signed_in().user_id, utc_now())
        return _send(_plan(session, store.find_plan(session, identity, plan_id)))


@blueprint.delete("/<plan_id>")
def end_plan(plan_id: str) -> Response:
    """Delete a plan; the address names the version that was seen."""
    mine = _owner(plan_id)
    version = request.args.get("version", type=int)
    if version is None:
        raise parameter_problem("version", UsageError("The version that was seen is missing.", "Add ?version=…."))
    with current_database().writing() as session:
        store.delete_plan(session, mine, plan_id, version)
    return Response(status=204)


@blueprint.post("/<plan_id>/import")
def import_file(plan_id: str) -> Response:
    """Add the keywords of a file; it is the body itself, or the part `file` of a form."""
    _owner(plan_id)
    if request.mimetype == "multipart/form-data":
        source = plans.uploaded("file")
        if source is None:
            raise ApiProblem(INVALID_REQUEST, Message("The form has no file named “file”."))
    else:
        source = SourceFile("The file", content=request.get_data(cache=False))
    _, importing = plans.import_file(plan_id, source)
    report = importing.report
    data = ImportedData(
        version=plans.open_plan(plan_id).stored.version,
        read=report.read,
        kept=report.kept,
        rejected=report.rejected,
        reasons=dict(sorted(report.reasons.items())),
    )
    return _send(ImportedReply(data=data))


@blueprint.get("/<plan_id>/export")
def export_plan(plan_id: str) -> Response:
    """The plan as a file."""
    opened = plans.open_plan(plan_id)
    format, language = request.args.get("format", "csv"), _language()
    if format not in FORMATS:
        raise parameter_problem(
            "format",
            UsageError(
                "{format!r} is no format; use one of {choices}.", format=format[:40], choices=", ".join(FORMATS)
            ),
        )
    response = plan_file(opened.plan, opened.stored.name, format, language)
    assert isinstance(response, Response)
    return response


@blueprint.post("/<plan_id>/undo")
def undo_change(plan_id: str) -> Response:
    """Take back the last change that was not taken back."""
    _owner(plan_id)
    plans.undo(plan_id, read_body(PlanVersion).version)
    return one_plan(plan_id)


@blueprint.get("/<plan_id>/groupings")
def all_groupings(plan_id: str) -> Response:
    """Every way to group the plan's keywords, with its measure; nothing is changed."""
    opened = plans.open_plan(plan_id)
    planner, chinese = plans.planner(), _language() == "zh"
    data = GroupingsData(
        version=opened.stored.version,
        now=MeasureModel(**asdict(planner.measure_of(opened.plan))),
        groupings=[
            GroupingModel(
                by=way.by,
                measure=MeasureModel(**asdict(way.measure)),
                groups=[
                    GroupModel(name=group.name, keywords=list(group.keywords))
                    for operation in way.operations
                    for group in operation.ad_groups
                ],
            )
            for way in planner.groupings(opened.plan, chinese)
        ],
    )
    return _send(GroupingsReply(data=data))


@blueprint.post("/<plan_id>/groupings")
def regroup(plan_id: str) -> Response:
    """Put the plan's keywords into the ad groups of a grouping."""
    _owner(plan_id)
    body = read_body(RegroupRequest)
    plans.regroup(plan_id, body.by, body.version, body.language == "zh")
    return one_plan(plan_id)


@blueprint.get("/<plan_id>/negatives")
def negatives(plan_id: str) -> Response:
    """Negative keywords worth adding; nothing is changed."""
    opened = plans.open_plan(plan_id)
    rows = [
        NegativeModel(**item.as_dict(), operation=item.operation().model_dump(mode="json", exclude_none=True))
        for item in plans.planner().negatives(opened.plan)
    ]
    return _send(NegativesReply(data=NegativesData(version=opened.stored.version, negatives=rows)))


@blueprint.get("/<plan_id>/diagnosis")
def diagnosis(plan_id: str) -> Response:
    """What is wrong with the plan, each finding with its fix; nothing is changed."""
    opened = plans.open_plan(plan_id)
    rows = [FindingModel(**finding.as_dict(opened.plan)) for finding in plans.findings(opened.plan)]
    return _send(DiagnosisReply(data=DiagnosisData(version=opened.stored.version, findings=rows)))


@blueprint.post("/<plan_id>/fixes")
def fix(plan_id: str) -> Response:
    """Do the fixes of findings."""
    _owner(plan_id)
    body = read_body(FixRequest)
    plans.fix(plan_id, body.keys, body.version)
    return one_plan(plan_id)


@blueprint.get("/<plan_id>/forecast")
def forecast(plan_id: str) -> Response:
    """What the plan's running keywords will bring."""
    plan = plans.open_plan(plan_id).plan
    question = read_parameters(PlanForecastParameters)
    asked = planned(plan, forecast_items(plan))
    started = time.perf_counter()
    found = current_service().forecast(asked, None, question.weeks)
    took_ms = round((time.perf_counter() - started) * 1000, 3)
    return send(forecast_envelope(found, asked, request_id=g.request_id), took_ms)


@blueprint.get("/<plan_id>/budget")
def budget(plan_id: str) -> Response:
    """The set of the plan's keywords, paused ones too, that brings the most for a budget; nothing is changed."""
    plan = plans.open_plan(plan_id).plan
    question = read_parameters(PlanBudgetParameters)
    asked = planned(plan, forecast_items(plan, with_paused=True), with_bids=False)
    started = time.perf_counter()
    choice = current_service().budget(asked, question.budget_micros, question.goal, None, question.weeks)
    took_ms = round((time.perf_counter() - started) * 1000, 3)
    return send(budget_envelope(choice, asked, request_id=g.request_id), took_ms)


@blueprint.post("/<plan_id>/budget")
def use_set(plan_id: str) -> Response:
    """Make the best set under a budget the plan: its keywords run at their bids, the others pause."""
    _owner(plan_id)
    body = read_body(UseSetRequest)
    plan = plans.open_plan(plan_id).plan
    operations = best_set(plan, body.budget_micros, body.goal, body.weeks)
    plans.change(plan_id, operations, body.version, "use_set")
    return one_plan(plan_id)


def _owner(plan_id: str) -> str:
    """The organisation that asks, if the plan is its own: whose it is comes before what is wrong with the request."""
    mine = signed_in().organisation_id
    with current_database().reading() as session:
        store.find_plan(session, mine, plan_id)
    return mine


def _language() -> str:
    language = request.args.get("lang", "en")
    if language not in LANGUAGES:
        raise parameter_problem(
            "lang", UsageError("{language!r} is no language.", "Use en or zh.", language=language[:20])
        )
    return language


def _plan(session: Session, found: StoredPlan) -> PlanReply:
    session.flush()
    plan, last = store.read_plan(session, found), store.last_change(session, found.id)
    data = PlanModel(
        id=found.id,
        name=found.name,
        version=found.version,
        created_at=found.created_at,
        changed_at=found.changed_at,
        can_undo=last.action if last else None,
        campaigns=[PlanCampaignModel(**asdict(item)) for item in plan.campaigns.values()],
        ad_groups=[PlanAdGroupModel(**asdict(item)) for item in plan.ad_groups.values()],
        keywords=[PlanKeywordModel(**_keyword(asdict(item))) for item in plan.keywords.values()],
    )
    return PlanReply(data=data)


def _keyword(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "labels": list(fields["labels"])}


def _send(reply: BaseModel, status: int = 200) -> Response:
    return Response(reply.model_dump_json(), status, mimetype="application/json")
