"""What can be done to a plan at once: groupings to choose from, negatives to add, findings to mend."""

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from indexes.errors import UsageError
from webui import plans
from webui.languages import page_language
from webui.plan_forms import suggestion_key
from webui.plan_pages import changed

blueprint = Blueprint("plan_analysis", __name__, url_prefix="/plans")
SHOWN_GROUPS = 30
SHOWN_FINDINGS = 200


@blueprint.get("/<plan_id>/groupings")
def groupings(plan_id: str) -> str:
    """Every way to group the plan's keywords, with its measure beside that of the ad groups as they are."""
    opened = plans.open_plan(plan_id)
    planner, chinese = plans.planner(), page_language() == "zh"
    ways = planner.groupings(opened.plan, chinese) if opened.plan.positive() else []
    by = request.args.get("by", "both")
    chosen = next((way for way in ways if way.by == by), None)
    names = [
        (group.name, len(group.keywords), [opened.plan.keywords[number].text for number in group.keywords[:6]])
        for operation in (chosen.operations if chosen else ())
        for group in operation.ad_groups
    ]
    return render_template(
        "plan_groupings.html",
        stored=opened.stored,
        last_change=opened.last_change,
        now=planner.measure_of(opened.plan) if ways else None,
        ways=ways,
        chosen=chosen,
        names=names[:SHOWN_GROUPS],
        more=max(0, len(names) - SHOWN_GROUPS),
    )


@blueprint.post("/<plan_id>/regroup")
def regroup(plan_id: str) -> Response:
    """Put the keywords into the ad groups of a grouping."""
    by, chinese = request.form.get("by", ""), page_language() == "zh"
    return changed(plan_id, lambda version: plans.regroup(plan_id, by, version, chinese))


@blueprint.get("/<plan_id>/negatives")
def negatives(plan_id: str) -> str:
    """Negative keywords worth adding, with the searches that they keep away."""
    opened = plans.open_plan(plan_id)
    found = plans.planner().negatives(opened.plan)
    return render_template(
        "plan_negatives.html",
        stored=opened.stored,
        last_change=opened.last_change,
        plan=opened.plan,
        suggestions=[(item, suggestion_key(item.operation())) for item in found[:SHOWN_FINDINGS]],
        more=max(0, len(found) - SHOWN_FINDINGS),
    )


@blueprint.get("/<plan_id>/diagnosis")
def diagnosis(plan_id: str) -> str:
    """What is wrong with the plan, each finding with its fix."""
    opened = plans.open_plan(plan_id)
    found = plans.findings(opened.plan)
    return render_template(
        "plan_diagnosis.html",
        stored=opened.stored,
        last_change=opened.last_change,
        plan=opened.plan,
        findings=found[:SHOWN_FINDINGS],
        more=max(0, len(found) - SHOWN_FINDINGS),
    )


@blueprint.post("/<plan_id>/fix")
def fix(plan_id: str) -> Response:
    """Do the fixes of the ticked findings, or of the one whose button was pressed."""

    def do(version: int) -> object:
        keys = request.form.getlist("one") or request.form.getlist("key")
        if not keys:
            plans.open_plan(plan_id)
            raise UsageError("No finding was ticked.", "Tick some, then press the button.")
        return plans.fix(plan_id, keys, version)

    return changed(plan_id, do, "diagnosis")
