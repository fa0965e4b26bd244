"""`GET /api/v1/industries`: the operator's industry tree; `GET /api/v1/industries/{id}`: one industry's keywords."""

import time

from flask import Blueprint, Response, g

from kr.envelope import industries_envelope, industry_envelope
from kr.industry_seeds import UnknownIndustryError
from webui.api.exchange import read_parameters, send
from webui.api.industries_models import IndustriesQuestion, IndustryQuestion
from webui.api.problems import NOT_FOUND, ApiProblem
from webui.search_service import current_service

blueprint = Blueprint("industries_api", __name__, url_prefix="/api/v1/industries")


@blueprint.get("")
def all_industries() -> Response:
    """The industries above which there is none, or those whose name holds a text."""
    question = read_parameters(IndustriesQuestion)
    browser = current_service().opened().industries
    started = time.perf_counter()
    view = browser.roots()
    found = view.children if question.q is None else browser.find(question.q)
    took_ms = round((time.perf_counter() - started) * 1000, 3)
    return send(industries_envelope(view, found, request_id=g.request_id), took_ms)


@blueprint.get("/<path:industry_id>")
def one_industry(industry_id: str) -> Response:
    """One industry; ids may hold slashes, encoded or not."""
    question = read_parameters(IndustryQuestion)
    browser = current_service().opened().industries
    started = time.perf_counter()
    try:
        view = browser.view(industry_id, question.limit)
    except UnknownIndustryError as error:
        raise ApiProblem(NOT_FOUND, error.parts[0]) from error
    took_ms = round((time.perf_counter() - started) * 1000, 3)
    return send(industry_envelope(view, language=question.language, request_id=g.request_id), took_ms)
