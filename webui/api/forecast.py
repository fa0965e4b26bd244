"""`POST /api/v1/forecast` and `POST /api/v1/budget`."""

import time

from flask import Blueprint, Response, g

from kr.planning.forecast_envelope import budget_envelope, forecast_envelope
from webui.api.exchange import read_body, send
from webui.api.forecast_models import BudgetRequest, ForecastRequest
from webui.search_service import current_service

blueprint = Blueprint("forecast_api", __name__, url_prefix="/api/v1")


@blueprint.post("/forecast")
def forecast() -> Response:
    """What a set of keywords will bring."""
    question = read_body(ForecastRequest)
    asked = question.planned()
    started = time.perf_counter()
    found = current_service().forecast(asked, question.start, question.weeks)
    took_ms = round((time.perf_counter() - started) * 1000, 3)
    return send(forecast_envelope(found, asked, request_id=g.request_id), took_ms)


@blueprint.post("/budget")
def budget() -> Response:
    """Which candidates to buy, and at which bids."""
    question = read_body(BudgetRequest)
    asked = question.planned()
    started = time.perf_counter()
    choice = current_service().budget(asked, question.budget_micros, question.goal, question.start, question.weeks)
    took_ms = round((time.perf_counter() - started) * 1000, 3)
    return send(budget_envelope(choice, asked, request_id=g.request_id), took_ms)
