"""`GET /api/v1/suggestions`: keywords while somebody types."""

import time

from flask import Blueprint, Response, current_app, g

from indexes.errors import UsageError
from kr.envelope import suggest_envelope
from kr.suggest.suggester import SuggestRequest
from webui.api.exchange import parameter_problem, read_parameters, send
from webui.api.suggestion_models import SuggestionsQuestion
from webui.search_service import current_service

blueprint = Blueprint("suggestions", __name__, url_prefix="/api/v1")


@blueprint.get("/suggestions")
def suggestions() -> Response:
    """Answer what was typed; the body is the same for the same text on the same snapshot."""
    question = read_parameters(SuggestionsQuestion)
    most = current_app.config["KR"].max_query_chars
    if len(question.q) > most:
        raise parameter_problem(
            "q",
            UsageError(
                "q has {length} characters; at most {most} can be searched.",
                "Shorten it.",
                length=len(question.q),
                most=most,
            ),
        )
    asked = SuggestRequest(question.q, question.limit)
    service = current_service()
    started = time.perf_counter()
    snapshot, rows = service.suggest(asked)
    took_ms = round((time.perf_counter() - started) * 1000, 3)
    return send(suggest_envelope(rows, asked, snapshot, request_id=g.request_id), took_ms)
