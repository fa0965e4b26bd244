"""The JSON of forecasts and choices, the same for API and command line."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from kr.planning.budget_types import BudgetChoice
from kr.planning.forecast_texts import BASIS_TEXTS, FORECAST_NOTES, decision_text
from kr.planning.forecast_types import PlanForecast, PlannedKeyword


def forecast_envelope(
    found: PlanForecast,
    asked: Sequence[PlannedKeyword],
    *,
    request_id: str | None = None,
) -> dict[str, Any]:
    """A forecast; every row with what it rests on and its notes, in both languages."""
    data = found.as_dict()
    for shown, row in zip(data["keywords"], found.keywords, strict=True):
        shown["basis_text_en"], shown["basis_text_zh"] = BASIS_TEXTS[row.basis]
        shown["notes"] = [
            {"code": code, "text_en": FORECAST_NOTES[code][0], "text_zh": FORECAST_NOTES[code][1]} for code in row.notes
        ]
    return {"data": data, "meta": _meta(found.snapshot, request_id, asked, found.start, found.weeks)}


def budget_envelope(
    choice: BudgetChoice,
    asked: Sequence[PlannedKeyword],
    *,
    request_id: str | None = None,
) -> dict[str, Any]:
    """A choice; every candidate with why it was bought or not, in both languages."""
    data = choice.as_dict()
    for shown, row in zip(data["keywords"], choice.decisions, strict=True):
        for language in ("en", "zh"):
            shown[f"text_{language}"] = decision_text(row, choice.goal, choice.marginal_cost, language)
    question = (choice.start, choice.weeks, choice.goal, choice.budget_micros)
    return {"data": data, "meta": _meta(choice.snapshot, request_id, asked, *question)}


def _meta(snapshot: str, request_id: str | None, asked: Sequence[PlannedKeyword], *question: object) -> dict[str, Any]:
    if request_id is None:
        keywords = [[each.text, each.match_type.value, each.bid_micros] for each in asked]
        document = json.dumps([snapshot, keywords, [str(part) for part in question]], ensure_ascii=False)
        request_id = hashlib.sha256(document.encode()).hexdigest()[:32]
    return {"snapshot": snapshot, "request_id": request_id, "degraded": False, "took_ms": None}
