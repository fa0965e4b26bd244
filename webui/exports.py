"""A search as a file: what the API and the search page hand out alike."""

import itertools
import re
import time
from dataclasses import replace
from urllib.parse import quote

from flask import Blueprint, Response, current_app, redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from kr.industry_seeds import UnknownIndustryError
from kr.pages.problems import PageError
from kr.planning.exporting import FORMATS, Export
from kr.planning.plan_row import MatchType
from kr.planning.search_export import search_export
from kr.store.accounts import NoSuchRecord
from kr.types import Filters, Request
from webui.identity import Identity, shown_identity
from webui.judging import personal
from webui.languages import page_language
from webui.metrics import observe_reply
from webui.search_form import SearchForm
from webui.search_service import current_service, material_of, read_form

blueprint = Blueprint("exports", __name__)

_NOT_IN_FILE_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*;%]+')
_LONGEST_NAME = 60


@blueprint.get("/search/export")
def search_file() -> AnyResponse:
    """The search that the address describes, as a file; an address with mistakes leads to the page that shows them."""
    form = read_export_form(request.args)
    if form.errors or not form.asks or request.args.get("format", "csv") not in FORMATS:
        return redirect(f"{url_for('pages.search')}?{request.query_string.decode('ascii', 'replace')}", 303)
    # What the page leaves out for whoever is signed in, the file leaves out.
    try:
        identity = shown_identity()
        return export_of_form(form, personal(form, identity), identity)
    except (PageError, NoSuchRecord, UnknownIndustryError):
        return redirect(f"{url_for('pages.search')}?{request.query_string.decode('ascii', 'replace')}", 303)


def read_export_form(arguments: MultiDict[str, str]) -> SearchForm:
    """The search form of an address; which page of it is shown does not matter for a file."""
    form = read_form(arguments)
    return replace(form, errors={name: text for name, text in form.errors.items() if name not in ("page", "rows")})


def export_of_form(form: SearchForm, filters: Filters, identity: Identity | None) -> Response:
    """All keywords of a search without mistakes, in the format and language that the address asks for.

    Raises as `read_material` for a page, site or list that cannot be read.
    """
    most = current_app.config["KR"].max_rows
    asked = replace(form.request(), filters=filters, offset=0, limit=most, explain=False)
    asked = material_of(form, identity).added_to(asked, current_service())
    return export_of(asked, request.args.get("format", "csv"), page_language())


def export_of(
    asked: Request,
    format: str,
    language: str,
    campaign: str = "",
    ad_group: str = "",
    match_type: MatchType | None = None,
) -> Response:
    """The answer to a request as a file that is made while it is sent. UsageError for what a format cannot hold."""
    service = current_service()
    started = time.perf_counter()
    found = search_export(
        service,
        asked,
        format,
        language=language,
        campaign=campaign,
        ad_group=ad_group,
        match_type=match_type,
    )
    seconds = time.perf_counter() - started
    observe_reply(min(found.reply.total, asked.limit), found.reply.degraded, seconds)
    chunks = found.chunks()
    # The first piece is made before the reply begins: most that can go wrong has then gone wrong.
    first = next(chunks, b"")
    charset = f"; charset={found.export.charset}" if found.export.charset else ""
    response = Response(itertools.chain((first,), chunks), content_type=found.export.media_type + charset)
    response.headers["Content-Disposition"] = content_disposition(found.reply.seeds, found.export)
    response.headers["Server-Timing"] = f"path;dur={round(seconds * 1000, 3)}"
    return response


def content_disposition(seeds: tuple[str, ...], export: Export) -> str:
    """`attachment` with a file name that holds the seeds, in UTF-8, and one for clients that know only ASCII."""
    words = _NOT_IN_FILE_NAMES.sub("_", ", ".join(seeds))[:_LONGEST_NAME].strip(" .")
    kind = "" if export.format in ("csv", "xlsx", "jsonl") else f" {export.format}"
    name = f"keywords{kind} {words}".strip() + export.suffix
    return f"attachment; filename=\"keywords{export.suffix}\"; filename*=UTF-8''{quote(name, safe='')}"
