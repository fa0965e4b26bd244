"""`GET /api/v1/keywords/<text>`: everything that is known of one keyword."""

import time

from flask import Blueprint, Response, current_app, g

from indexes.errors import Message, UsageError
from kr.envelope import profile_envelope, request_hash
from kr.seeds import parse_seeds
from kr.types import Request
from webui.api.exchange import parameter_problem, read_parameters, send
from webui.api.keyword_models import KeywordQuestion
from webui.api.problems import NOT_FOUND, ApiProblem
from webui.limits import DEFAULT_RELATED
from webui.search_service import current_service

blueprint = Blueprint("keywords", __name__, url_prefix="/api/v1")


@blueprint.get("/keywords/<path:text>")
def keyword(text: str) -> Response:
    """One keyword; 404 for one that nobody searched, or that is not advertised."""
    question, settings, service = read_parameters(KeywordQuestion), current_app.config["KR"], current_service()
    try:
        wanted = parse_seeds([text], settings)
        seeds = parse_seeds([question.seed] if question.seed else [], settings)
    except UsageError as error:
        raise parameter_problem("seed" if question.seed else "text", error) from error
    started = time.perf_counter()
    profile = service.profile(text)
    if profile is None:
        categories = service.unsafe_categories(text)
        if categories:
            unsafe = Message("“{text}” touches a category that the platform does not advertise.", text=text[:60])
            raise ApiProblem(NOT_FOUND, unsafe)
        raise ApiProblem(NOT_FOUND, Message("“{text}” was not searched in the period of the log.", text=text[:60]))
    related = service.related(Request(wanted, limit=DEFAULT_RELATED)).rows
    score = service.scores(Request(seeds), [text])[0] if seeds else None
    took_ms = round((time.perf_counter() - started) * 1000, 3)
    request_id = g.request_id or request_hash(Request(seeds, listed=wanted), profile["snapshot"])
    document = profile_envelope(profile, related, score, language=question.language, request_id=request_id)
    return send(document, took_ms)
