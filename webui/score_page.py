"""`/score`: the caller's own keywords, each with its numbers and how it stands to a search; all of them, no others."""

from typing import Any

from flask import Blueprint, abort, current_app, make_response, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from kr.pages.problems import PageError
from kr.store.lists import lists_of
from webui.about import about_snapshot
from webui.identity import Identity, current_database, shown_identity
from webui.limits import MAX_SCORED
from webui.pages import in_page_language
from webui.search_service import current_service, material_of, read_form
from webui.seed_material import list_keywords

blueprint = Blueprint("score", __name__)
ROWS = 100
LINE_LIMIT = 200
"""Characters of a keyword that are read; longer lines are no keywords."""


@blueprint.get("/score")
def page() -> Response:
    """Keywords that were typed, one a line, or those of a list; with `q` scored against that search."""
    if len(request.query_string) > current_app.config["KR_WEB"].max_query_string_bytes:
        abort(414)
    identity, service = shown_identity(), current_service()
    typed = [line.strip() for line in request.args.get("keywords", "").splitlines() if line.strip()]
    chosen = request.args.get("score_list", "")
    errors: dict[str, str] = {}
    form = read_form(request.args)
    if "q" in form.errors:
        errors["q"] = form.errors["q"]
    name, keywords = list_keywords(identity, chosen) if chosen and not typed else ("", typed)
    if len(typed) > MAX_SCORED or any(len(line) > LINE_LIMIT for line in typed):
        errors["keywords"] = gettext(
            "At most %(count)d keywords of at most %(chars)d characters are possible here; make a list of more.",
            count=MAX_SCORED,
            chars=LINE_LIMIT,
        )
    last = max(1, -(-len(keywords) // ROWS))
    number = min(last, max(1, request.args.get("page", 1, type=int)))
    context: dict[str, Any] = {
        "about": about_snapshot(service.indexes),
        "lists": _lists(identity),
        "form": form,
        "typed": request.args.get("keywords", ""),
        "chosen": chosen,
        "name": name,
        "total": len(keywords),
        "page": number,
        "last_page": last,
        "scores": (),
    }
    if errors or not keywords:
        return make_response(render_template("score.html", errors=errors, **context), 400 if errors else 200)
    try:
        asked = material_of(form, identity).added_to(form.request(), service)
    except PageError as error:
        errors["q"] = in_page_language(error)
        return make_response(render_template("score.html", errors=errors, **context), 422)
    context["scores"] = service.scores(asked, keywords[(number - 1) * ROWS : number * ROWS])
    return make_response(render_template("score.html", errors=errors, seeds=asked.seeds, **context))


def _lists(identity: Identity | None) -> list[Any]:
    if identity is None:
        return []
    with current_database().reading() as session:
        return lists_of(session, identity.organisation_id)
