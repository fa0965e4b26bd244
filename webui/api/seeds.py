"""`GET /api/v1/seeds`: searches, or pages, to offer before a word is typed."""

import time
from dataclasses import replace

from flask import Blueprint, Response, g

from kr.envelope import seeds_envelope
from kr.pipelines.seed_queries import SeedRequest
from webui.api.account_keys import check_account
from webui.api.exchange import read_parameters, send
from webui.api.seeds_models import SeedContextQuestion, SeedsQuestion
from webui.search_service import current_service

blueprint = Blueprint("seeds", __name__, url_prefix="/api/v1")


@blueprint.get("/seeds")
def seeds() -> Response:
    """Answer for an account, an industry or everyone; the body is the same on the same snapshot."""
    question = read_parameters(SeedsQuestion)
    asked = replace(seed_request(question), kind=question.kind)
    service = current_service()
    started = time.perf_counter()
    reply = service.seeds(asked)
    took_ms = round((time.perf_counter() - started) * 1000, 3)
    return send(seeds_envelope(reply, asked, language=question.language, request_id=g.request_id), took_ms)


def seed_request(question: SeedContextQuestion) -> SeedRequest:
    """The question, once the account's key was checked. Raises ApiProblem."""
    check_account(question.account, question.key)
    return SeedRequest(question.account or None, question.industry or None, question.limit, question.t)
