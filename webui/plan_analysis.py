"""What can be done to a plan at once: groupings to choose from, negatives to add, findings to mend."""

from flask import Blueprint, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from indexes.errors import UsageError
from kr.planning.budget_types import GOALS, BudgetChoice
from kr.planning.operations import Operation
from kr.planning.plan import Plan
from kr.planning.plan_forecast import forecast_items, planned, set_of_choice
from webui import plans
from webui.languages import page_language
from webui.plan_forms import MICROS, micros_of, suggestion_key
from webui.plan_pages import changed
from webui.search_service import current_service
from webui.value_curve import value_curve

blueprint = Blueprint("plan_analysis", __name__, url_prefix="/plans")
SHOWN_GROUPS = 30
SHOWN_FINDINGS = 200
SHOWN_KEYWORDS = 100


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
            raise UsageError(gettext("Nothing was ticked."), gettext("Tick some, then choose what to do with them."))
        return plans.fix(plan_id, keys, version)

    return changed(plan_id, do, "diagnosis")


@blueprint.get("/<plan_id>/forecast")
def forecast(plan_id: str) -> str | tuple[str, int]:
    """What the plan will bring, and the set of its keywords that brings the most for a budget."""
    opened = plans.open_plan(plan_id)
    service, error = current_service(), None
    weeks, goal, budget = 4, "clicks", None
    try:
        weeks, goal, budget = _question()
    except UsageError as mistake:
        error = str(mistake)
    found = choice = curve = None
    items = forecast_items(opened.plan)
    candidates = forecast_items(opened.plan, with_paused=True)
    if service.can_forecast and candidates:
        found = service.forecast(planned(opened.plan, items), None, weeks) if items else None
        total = found.total["cost_micros"] if found else None
        if budget is None:
            budget = max(int(total.mean) if total else 0, MICROS)
        choice = service.budget(planned(opened.plan, candidates, with_bids=False), budget, goal, None, weeks)
        curve = value_curve(choice.frontier, choice.expected["cost_micros"], _value(choice))
    page = render_template(
        "plan_forecast.html",
        stored=opened.stored,
        last_change=opened.last_change,
        can_forecast=service.can_forecast,
        plan=opened.plan,
        found=found,
        rows=list(zip(items, found.keywords, strict=True))[:SHOWN_KEYWORDS] if found else [],
        choice=choice,
        chosen=[
            (item, decision) for item, decision in zip(candidates, choice.decisions, strict=True) if decision.bid_micros
        ]
        if choice
        else [],
        value=_value(choice) if choice else None,
        most_budget=max(int(choice.frontier[-1].cost_micros), budget or 0) if choice and choice.frontier else None,
        curve=curve,
        goals=GOALS,
        goal=goal,
        weeks=weeks,
        budget=budget,
        error=error,
    )
    return (page, 400) if error else page


@blueprint.post("/<plan_id>/use-set")
def use_set(plan_id: str) -> Response:
    """Make the best set under the budget the plan: its keywords run at their bids, the others pause."""

    def do(version: int) -> object:
        plan = plans.open_plan(plan_id).plan
        weeks, goal, budget = _question()
        if budget is None:
            raise UsageError(gettext("No budget was named."))
        return plans.change(plan_id, best_set(plan, budget, goal, weeks), version, "use_set")

    return changed(plan_id, do, "forecast")


def best_set(plan: Plan, budget_micros: int, goal: str, weeks: int) -> list[Operation]:
    """Operations that make the best set under a budget the plan. UsageError if there is nothing to choose from."""
    items = forecast_items(plan, with_paused=True)
    if not items:
        raise UsageError(gettext("The plan has no keyword to choose from."))
    choice = current_service().budget(planned(plan, items, with_bids=False), budget_micros, goal, None, weeks)
    return set_of_choice(items, choice)


def _value(choice: BudgetChoice) -> float:
    return float(choice.expected[choice.goal])


def _question() -> tuple[int, str, int | None]:
    """Weeks, goal and budget as the address or the form says. UsageError for what is none."""
    weeks = request.values.get("weeks", "4")
    if not weeks.isdecimal() or not 1 <= int(weeks[:4]) <= 26:
        raise UsageError(gettext("“%(text)s” is not a number of weeks from 1 to 26.", text=weeks[:20]))
    goal = request.values.get("goal", "clicks")
    if goal not in GOALS:
        raise UsageError(gettext("“%(text)s” is not a goal.", text=goal[:20]))
    return int(weeks), goal, micros_of(request.values.get("budget", ""))
