"""The part of the OpenAPI document about plans."""

from typing import Any

from pydantic import BaseModel

from kr.planning.exporting import CSV_MEDIA_TYPE, FORMATS, MEDIA_TYPES
from webui.api.account_operations import AccountOperation, models_of, paths_of
from webui.api.forecast_models import BudgetReply, ForecastReply
from webui.api.plans_models import (
    DiagnosisReply,
    FixRequest,
    GroupingsReply,
    ImportedReply,
    NegativesReply,
    NewPlan,
    PlanBudgetParameters,
    PlanChangeRequest,
    PlanForecastParameters,
    PlanReply,
    PlansReply,
    PlanVersion,
    RegroupRequest,
    UseSetRequest,
)

_PLANS, _PLAN = "/api/v1/plans", "/api/v1/plans/{plan_id}"
_LANG = {
    "name": "lang",
    "in": "query",
    "required": False,
    "description": "Of names and headings.",
    "schema": {"type": "string", "enum": ["en", "zh"], "default": "en"},
}
_FORMAT = {
    "name": "format",
    "in": "query",
    "required": False,
    "description": "What is written; `jsonl`, `csv` and `xlsx` hold everything.",
    "schema": {"type": "string", "enum": list(FORMATS), "default": "csv"},
}


def _parameters(question: type[BaseModel]) -> tuple[dict[str, Any], ...]:
    schema = question.model_json_schema()
    return tuple(
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": field["description"],
            "schema": {key: value for key, value in field.items() if key not in ("description", "title")},
        }
        for name, field in schema["properties"].items()
    )


PLAN_OPERATIONS = (
    AccountOperation(_PLANS, "get", "listPlans", "The plans, the last changed first", None, PlansReply, "The plans."),
    AccountOperation(_PLANS, "post", "createPlan", "Make a plan", NewPlan, PlanReply, "The new plan."),
    AccountOperation(_PLAN, "get", "getPlan", "One plan", None, PlanReply, "The plan with all that it holds."),
    AccountOperation(
        _PLAN, "patch", "changePlan", "Do operations, all or none", PlanChangeRequest, PlanReply, "The plan as it is."
    ),
    AccountOperation(_PLAN, "delete", "deletePlan", "Delete a plan", None, None, "Deleted.", version=True),
    AccountOperation(
        f"{_PLAN}/undo", "post", "undoPlanChange", "Take back the last change that was not taken back", PlanVersion,
        PlanReply, "The plan as it was before.", changes=True,
    ),
    AccountOperation(
        f"{_PLAN}/groupings", "get", "listPlanGroupings", "Ways to group the keywords, with their measures", None,
        GroupingsReply, "The groupings; nothing was changed.", parameters=(_LANG,),
    ),
    AccountOperation(
        f"{_PLAN}/groupings", "post", "regroupPlan", "Put the keywords into the ad groups of a grouping",
        RegroupRequest, PlanReply, "The plan as it is.", changes=True,
    ),
    AccountOperation(
        f"{_PLAN}/negatives", "get", "suggestPlanNegatives", "Negative keywords worth adding", None, NegativesReply,
        "The suggestions; nothing was changed.",
    ),
    AccountOperation(
        f"{_PLAN}/diagnosis", "get", "diagnosePlan", "What is wrong, and what mends it", None, DiagnosisReply,
        "The findings; nothing was changed.",
    ),
    AccountOperation(
        f"{_PLAN}/fixes", "post", "fixPlan", "Do the fixes of findings", FixRequest, PlanReply, "The plan as it is.",
        changes=True,
    ),
    AccountOperation(
        f"{_PLAN}/forecast", "get", "forecastPlan", "What the running keywords will bring", None, ForecastReply,
        "The forecast, with 80 % ranges.", parameters=_parameters(PlanForecastParameters),
    ),
    AccountOperation(
        f"{_PLAN}/budget", "get", "choosePlanKeywords", "The set that brings the most for a budget", None, BudgetReply,
        "A decision for each keyword; nothing was changed.", parameters=_parameters(PlanBudgetParameters),
    ),
    AccountOperation(
        f"{_PLAN}/budget", "post", "usePlanSet", "Run the best set at its bids, pause the others", UseSetRequest,
        PlanReply, "The plan as it is.", changes=True,
    ),
)  # fmt: skip


def plans_models() -> list[tuple[type[BaseModel], Any]]:
    """The models of these operations, for the document's schemas."""
    return [*models_of(PLAN_OPERATIONS), (ImportedReply, "serialization")]


def plans_paths(reference: str, problems: dict[str, Any]) -> dict[str, Any]:
    """The paths of the document; `reference` is where schemas lie, with `{model}` for the name."""
    return {
        **paths_of(PLAN_OPERATIONS, reference, problems),
        f"{_PLAN}/import": {"post": _import(reference, problems)},
        f"{_PLAN}/export": {"get": _export(problems)},
    }


_ID = {"name": "plan_id", "in": "path", "required": True, "schema": {"type": "string"}}


def _import(reference: str, problems: dict[str, Any]) -> dict[str, Any]:
    binary = {"type": "string", "format": "binary"}
    form = {"type": "object", "required": ["file"], "properties": {"file": binary}}
    return {
        "operationId": "importIntoPlan",
        "summary": "Add the keywords of a file, whatever its format",
        "security": [{"apiKey": []}],
        "parameters": [_ID],
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": form}, "application/octet-stream": {"schema": binary}},
        },
        "responses": {
            "200": {
                "description": "What became of the rows.",
                "content": {"application/json": {"schema": {"$ref": reference.format(model="ImportedReply")}}},
            },
            **problems,
        },
    }


def _export(problems: dict[str, Any]) -> dict[str, Any]:
    content = {"schema": {"type": "string", "format": "binary"}}
    return {
        "operationId": "exportPlan",
        "summary": "The plan as a file",
        "security": [{"apiKey": []}],
        "parameters": [_ID, _FORMAT, _LANG],
        "responses": {
            "200": {
                "description": "The file.",
                "headers": {"Content-Disposition": {"description": "Its name.", "schema": {"type": "string"}}},
                "content": dict.fromkeys((CSV_MEDIA_TYPE, *MEDIA_TYPES.values()), content),
            },
            **problems,
        },
    }
