"""`POST /api/v1/keyword-ideas`: the keyword search as a service for programs."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from flask import Blueprint, Response, current_app, g, request

from indexes.errors import Message, UsageError
from indexes.text import normalise
from kr.audit.stage import ADULT_PARAMETER
from kr.envelope import envelope, scores_envelope
from kr.industry_seeds import UnknownIndustryError
from kr.pages.problems import PageError
from kr.pages.reader import PageRead
from kr.pages.site import SiteRead
from kr.seeds import parse_seeds
from kr.store.accounts import NoSuchRecord
from kr.types import Filters, Request
from webui.api.exchange import read_body, send
from webui.api.keyword_models import KeywordScoresRequest
from webui.api.models import KeywordIdeasRequest
from webui.api.openapi import openapi_bytes
from webui.api.problems import (
    INVALID_REQUEST,
    NOT_FOUND,
    PAGE_REFUSED,
    PAGE_TOKEN,
    PAGE_UNREADABLE,
    UNAUTHENTICATED,
    ApiProblem,
)
from webui.identity import current_identity
from webui.judging import known_keywords
from webui.languages import page_language
from webui.page_tokens import PageToken, decode_page_token
from webui.search_service import answer, current_service
from webui.seed_material import SeedMaterial, read_material

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
    material = material_of_question(question)
    asked = material.added_to(asked, current_service())
    with _token_problems():
        token = decode_page_token(question.page_token) if question.page_token is not None else None
        if token:
            token.check_request(asked)
            asked = replace(asked, offset=token.offset)
    # Paging ends at max_rows, wherever in a page that is.
    cut = replace(asked, limit=max(0, min(asked.limit, current_app.config["KR"].max_rows - asked.offset)))
    with _industry_problems():
        reply, took_ms = answer(cut, material, question.facets)
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
        encoded=True,
    )
    return send(document, took_ms)


def material_of_question(question: KeywordIdeasRequest | KeywordScoresRequest) -> SeedMaterial:
    """What the question names beside keywords, read: page, site, list. ApiProblem names what cannot be read."""
    service, identity = current_service(), current_identity()
    read: tuple[PageRead | SiteRead, ...] = ()
    if (url := question.url_seed) is not None:
        with _page_problems("#/url_seed/url"):
            read += read_material(service, identity, (), page=url.url, fresh=url.fresh).read
    if (site := question.site_seed) is not None:
        with _page_problems("#/site_seed/site"):
            read += read_material(service, identity, (), site=site.site).read
    if question.list_seed is None:
        return SeedMaterial(read)
    if identity is None:
        raise ApiProblem(UNAUTHENTICATED, Message("list_seed needs an API key: Authorization: Bearer kr_…."))
    typed = question.keyword_seed.keywords if question.keyword_seed else ()
    try:
        listed = read_material(service, identity, typed, list_id=question.list_seed.list_id)
    except NoSuchRecord as error:
        raise ApiProblem(NOT_FOUND, error, [("#/list_seed/list_id", error)]) from error
    return replace(listed, read=read)


@contextmanager
def _page_problems(pointer: str) -> Iterator[None]:
    try:
        yield
    except PageError as error:
        raise page_problem(error, pointer) from error


def page_problem(error: PageError, pointer: str) -> ApiProblem:
    """The problem of a page or site that is refused or cannot be read."""
    kind = PAGE_REFUSED if error.refused else PAGE_UNREADABLE
    detail = error.text_zh if page_language() == "zh" else error.text_en
    return ApiProblem(kind, detail, [(pointer, f"{error.problem.value}: {detail}")])


@contextmanager
def _industry_problems() -> Iterator[None]:
    try:
        yield
    except UnknownIndustryError as error:
        raise ApiProblem(INVALID_REQUEST, error, [("#/industry_seed/industries", error)]) from error


@contextmanager
def _token_problems() -> Iterator[None]:
    try:
        yield
    except UsageError as error:
        raise ApiProblem(PAGE_TOKEN, error, [("#/page_token", error.parts[0])]) from error


@blueprint.post("/keyword-scores")
def keyword_scores() -> Response:
    """Score the caller's own keywords; the rows are as many as were sent, in their order."""
    request.max_content_length = current_app.config["KR_WEB"].max_upload_bytes
    question = read_body(KeywordScoresRequest)
    service = current_service()
    asked = Request(_seeds_of(question), parameters=_parameters(question))
    material = material_of_question(question)
    started = time.perf_counter()
    asked = material.added_to(asked, service)
    scores = service.scores(asked, question.keywords)
    took_ms = round((time.perf_counter() - started) * 1000, 3)
    document = scores_envelope(
        scores,
        asked,
        service.indexes.snapshot_id,
        notices=(*material.notices, *(note for each in material.read for note in each.notices())),
        language=question.language,
        request_id=g.request_id,
    )
    return send(document, took_ms)


def _seeds_of(question: KeywordIdeasRequest | KeywordScoresRequest) -> tuple[str, ...]:
    try:
        return parse_seeds(question.keyword_seed.keywords if question.keyword_seed else (), current_app.config["KR"])
    except UsageError as error:
        raise ApiProblem(INVALID_REQUEST, error, [("#/keyword_seed/keywords", error)]) from error


def _parameters(question: KeywordIdeasRequest | KeywordScoresRequest) -> dict[str, float]:
    return {ADULT_PARAMETER: 1} if question.include_adult_keywords else {}


def request_of(question: KeywordIdeasRequest) -> Request:
    """The question as the online path takes it; ApiProblem for seeds that it does not."""
    seeds = _seeds_of(question)
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
            intents=tuple(wanted.intents),
            match_types=tuple(wanted.match_types),
            groups=tuple(map(normalise, wanted.groups)),
            dismissed=dismissed,
            owned=owned,
        ),
        limit=question.page_size,
        sort=question.sort,
        parameters=_parameters(question) | ({} if question.parameters.t is None else {"t": question.parameters.t}),
        explain=question.explain,
        industry_seed=tuple(dict.fromkeys(question.industry_seed.industries)) if question.industry_seed else (),
    )
