"""`GET /api/v1/related`: related searches."""

import time

from flask import Blueprint, Response, current_app, g

from indexes.errors import UsageError
from kr.envelope import related_envelope
from kr.seeds import parse_seeds
from kr.types import Request
from webui.api.exchange import parameter_problem, read_parameters, send
from webui.api.related_models import RelatedQuestion
from webui.search_service import current_service

blueprint = Blueprint("related", __name__, url_prefix="/api/v1")


@blueprint.get("/related")
def related() -> Response:
    """Answer a query; the body is the same for the same query on the same snapshot."""
    question = read_parameters(RelatedQuestion)
    try:
        seeds = parse_seeds([question.q], current_app.config["KR"])
    except UsageError as error:
        raise parameter_problem("q", error) from error
    parameters = {} if question.t is None else {"t": question.t}
    asked = Request(seeds, limit=question.limit, parameters=parameters, explain=question.explain)
    service = current_service()
    started = time.perf_counter()
    reply = service.related(asked)
    took_ms = round((time.perf_counter() - started) * 1000, 3)
    document = related_envelope(reply, asked, question.q, language=question.language, request_id=g.request_id)
    return send(document, took_ms)
