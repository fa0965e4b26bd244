"""`POST /api/v1/keyword-ideas`: the keyword search as a service for programs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from flask import Blueprint, Response, current_app, g

from indexes.errors import UsageError
from kr.envelope import envelope
from kr.industry_seeds import UnknownIndustryError
from kr.pages.problems import PageError
from kr.pages.reader import PageRead
from kr.seeds import parse_seeds
from kr.types import Filters, Request
from webui.api.exchange import read_body, send
from webui.api.models import KeywordIdeasRequest
from webui.api.openapi import openapi_bytes
from webui.api.problems import INVALID_REQUEST, PAGE_REFUSED, PAGE_TOKEN, PAGE_UNREADABLE, ApiProblem
from webui.identity import current_identity
from webui.judging import known_keywords
from webui.page_tokens import PageToken, decode_page_token
from webui.search_service import answer, current_service

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The OpenAPI 3.1 document."""
    return Response(openapi_bytes(), mimetype="application/json")


@blueprint.post("/keyword-ideas")
def keyword_ideas() -> Response:
    """Answer a question; the body is the same for the same question on the same snapshot."""
    question = read_body(KeywordIdeasRequest)
    asked = request_of(question)
    page = _page_of(question)
    if page is not None:
        asked = current_service().with_page(asked, page)
    with _token_problems():
        token = decode_page_token(question.page_token) if question.page_token is not None else None
        if token:
            token.check_request(asked)
            asked = replace(asked, offset=token.offset)
    # Paging ends at max_rows, wherever in a page that is.
    cut = replace(asked, limit=max(0, min(asked.limit, current_app.config["KR"].max_rows - asked.offset)))
    with _industry_problems():
        reply, took_ms = answer(cut, page)
    if token:
        with _token_problems():
            token.check_snapshot(reply.snapshot)
    more = reply.rows and asked.offset + len(reply.rows) < reply.total
    document = envelope(
        reply,
        asked,
        language=question.language,
        request_id=g.request_id,
        took_ms=took_ms if question.timing else None,
        next_page_token=PageToken.after(asked, len(reply.rows), reply.snapshot).encode() if more else None,
    )
    return send(document, took_ms)


def _page_of(question: KeywordIdeasRequest) -> PageRead | None:
    """The page that the question names, read."""
    if question.url_seed is None:
        return None
    try:
        return current_service().read_page(question.url_seed.url, question.url_seed.fresh)
    except PageError as error:
        kind = PAGE_REFUSED if error.refused else PAGE_UNREADABLE
        detail = error.text_zh if question.language == "zh" else error.text_en
        mistake = {"pointer": "#/url_seed/url", "detail": f"{error.problem.value}: {detail}"}
        raise ApiProblem(kind, detail, [mistake]) from error


@contextmanager
def _industry_problems() -> Iterator[None]:
    try:
        yield
    except UnknownIndustryError as error:
        mistake = {"pointer": "#/industry_seed/industries", "detail": str(error)}
        raise ApiProblem(INVALID_REQUEST, str(error), [mistake]) from error


@contextmanager
def _token_problems() -> Iterator[None]:
    try:
        yield
    except UsageError as error:
        raise ApiProblem(PAGE_TOKEN, str(error), [{"pointer": "#/page_token", "detail": error.message}]) from error


def request_of(question: KeywordIdeasRequest) -> Request:
    """The question as the online path takes it; ApiProblem for seeds that it does not."""
    settings = current_app.config["KR"]
    try:
        seeds = parse_seeds(question.keyword_seed.keywords if question.keyword_seed else (), settings)
    except UsageError as error:
        pointer = "#/keyword_seed/keywords"
        raise ApiProblem(INVALID_REQUEST, str(error), [{"pointer": pointer, "detail": str(error)}]) from error
    wanted = question.filters
    dismissed, owned = known_keywords(current_identity(), wanted.hide_listed)
    return Request(
        seeds=seeds,
        filters=Filters(
            min_searches=wanted.min_searches,
            max_searches=wanted.max_searches,
            competition=tuple(wanted.competition),
            min_bid_micros=wanted.min_bid_micros,
            max_bid_micros=wanted.max_bid_micros,
            languages=tuple(wanted.languages),
            devices=tuple(wanted.devices),
            regions=tuple(wanted.regions),
            must_contain=tuple(wanted.must_contain),
            must_not_contain=tuple(wanted.must_not_contain),
            dismissed=dismissed,
            owned=owned,
        ),
        limit=question.page_size,
        sort=question.sort,
        parameters={} if question.parameters.t is None else {"t": question.parameters.t},
        explain=question.explain,
        industry_seed=tuple(dict.fromkeys(question.industry_seed.industries)) if question.industry_seed else (),
    )
