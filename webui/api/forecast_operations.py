"""The part of the OpenAPI document about forecasts and budgets."""

from typing import Any

from pydantic import BaseModel

from webui.api.forecast_models import BudgetReply, BudgetRequest, ForecastReply, ForecastRequest


def forecast_models() -> list[tuple[type[BaseModel], Any]]:
    """The models of these operations, for the document's schemas."""
    return [
        (ForecastRequest, "validation"),
        (BudgetRequest, "validation"),
        (ForecastReply, "serialization"),
        (BudgetReply, "serialization"),
    ]


def forecast_paths(reference: str, problems: dict[str, Any]) -> dict[str, Any]:
    """The paths of the document; `reference` is where schemas lie, with `{model}` for the name."""

    def operation(name: str, summary: str, question: str, reply: str, told: str) -> dict[str, Any]:
        def content(model: str) -> dict[str, Any]:
            return {"application/json": {"schema": {"$ref": reference.format(model=model)}}}

        return {
            "post": {
                "operationId": name,
                "summary": summary,
                "requestBody": {"required": True, "content": content(question)},
                "responses": {"200": {"description": told, "content": content(reply)}, **problems},
            }
        }

    return {
        "/api/v1/forecast": operation(
            "generateKeywordForecastMetrics",
            "What a set of keywords will bring, with 80 % ranges",
            "ForecastRequest",
            "ForecastReply",
            "The forecast of each keyword, of the set, and of each week.",
        ),
        "/api/v1/budget": operation(
            "chooseKeywordsUnderBudget",
            "The set of keywords with bids that brings the most for a budget",
            "BudgetRequest",
            "BudgetReply",
            "A decision for each candidate, and the curve of value over budget.",
        ),
    }
