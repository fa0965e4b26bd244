"""`POST /api/v1/plan/import` and `/api/v1/keyword-ideas/export`: keyword files in and out."""

from dataclasses import replace

import orjson
from flask import Blueprint, Response, current_app, g, request

from indexes.errors import Message
from kr.pages.problems import PageError
from kr.planning.accounting import Rejection
from kr.planning.exporting import FORMATS
from kr.planning.importing import PlanImport
from kr.planning.json_rows import row_as_dict
from kr.planning.plan_row import MatchType, PlanRow
from kr.planning.source_file import SourceFile
from kr.store.accounts import NoSuchRecord
from webui.api.exchange import read_body, read_parameters
from webui.api.keyword_ideas import material_of_question, page_problem, request_of
from webui.api.plan_models import KeywordIdeasExportRequest, PlanImportOptions
from webui.api.problems import INVALID_REQUEST, NOT_FOUND, TOO_LARGE, ApiProblem
from webui.exports import export_of, export_of_form, read_export_form
from webui.identity import current_identity
from webui.judging import personal
from webui.languages import said
from webui.search_service import current_service
from webui.uploads import UploadTooLarge, uploaded_file

blueprint = Blueprint("plan_api", __name__, url_prefix="/api/v1")

SHOWN_REJECTIONS = 100


@blueprint.post("/plan/import")
def import_file() -> Response:
    """Read a file and answer its accounting, a page of its rows, and the first rows that were not taken.

    Nothing is stored. The file is the body itself, or the part `file` of a form.
    """
    options = read_parameters(PlanImportOptions)
    settings = current_app.config["KR"]
    source = _uploaded()
    importing = PlanImport(
        source,
        max_rows=settings.plan_max_rows,
        encoding=options.encoding,
        drop_duplicates=options.drop_duplicates,
    )
    rows: list[PlanRow] = []
    rejections: list[Rejection] = []
    taken = 0
    for item in importing:
        if isinstance(item, Rejection):
            if len(rejections) < SHOWN_REJECTIONS:
                rejections.append(item)
            continue
        if options.offset <= taken < options.offset + options.page_size:
            rows.append(item)
        taken += 1
    data = {
        **importing.report.as_dict(),
        "rows": [row_as_dict(row) for row in rows],
        "rejections": [rejection.as_dict() for rejection in rejections],
    }
    meta = {"snapshot": None, "request_id": g.request_id or g.log_id, "degraded": False, "took_ms": None}
    return Response(orjson.dumps({"data": data, "meta": meta}), mimetype="application/json")


def _uploaded() -> SourceFile:
    try:
        return uploaded_file()
    except UploadTooLarge as error:
        raise ApiProblem(TOO_LARGE, error) from None


@blueprint.get("/keyword-ideas/export")
def export_by_address() -> Response:
    """The search that an address of the search page describes, as a file."""
    form = read_export_form(request.args)
    errors = dict(form.errors)
    format = request.args.get("format", "csv")
    if format not in FORMATS:
        errors["format"] = said(
            Message("“{format}” is not a format; use one of {choices}.", format=format[:40], choices=", ".join(FORMATS))
        )
    if not form.asks:
        errors.setdefault("q", said(Message("No keyword to search for was named.")))
    if errors:
        pointers = [(f"?{name}", text) for name, text in errors.items()]
        raise ApiProblem(INVALID_REQUEST, " ".join(errors.values()), pointers)
    identity = current_identity()
    try:
        return export_of_form(form, personal(form, identity), identity)
    except PageError as error:
        raise page_problem(error, "?q") from error
    except NoSuchRecord as error:
        raise ApiProblem(NOT_FOUND, error, [("?list", error)]) from error


@blueprint.post("/keyword-ideas/export")
def export_by_question() -> Response:
    """The answer to a question as a file."""
    question = read_body(KeywordIdeasExportRequest)
    most = current_app.config["KR"].max_rows
    inner = question.question()
    asked = replace(request_of(inner), limit=min(question.max_rows or most, most))
    asked = material_of_question(inner).added_to(asked, current_service())
    match_type = MatchType(question.match_type) if question.match_type else None
    return export_of(asked, question.format, question.language, question.campaign, question.ad_group, match_type)
