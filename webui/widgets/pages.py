"""The pages that other sites embed; they hold no script and load one small style sheet."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from flask import Blueprint, Flask, Response, current_app, make_response, redirect, render_template, request, url_for
from pydantic import Field
from werkzeug.wrappers import Response as AnyResponse

from indexes.errors import UsageError
from kr.seeds import parse_seeds
from kr.types import Request
from webui.api.exchange import parameter_problem, read_parameters
from webui.api.seeds import seed_request
from webui.api.seeds_models import SeedContextQuestion
from webui.languages import page_language
from webui.limits import DEFAULT_RELATED, MAX_ID_CHARS, MAX_RELATED
from webui.search_service import current_service
from webui.widgets.event_log import EventLog
from webui.widgets.links import ShownLink
from webui.widgets.look import Look, style_sheet
from webui.widgets.recording import ViewsAndClicks, recording

blueprint = Blueprint("widgets", __name__, url_prefix="/widgets")

SCRIPT = (Path(__file__).parent / "seeds.js").read_bytes()
CLIENT = rf"^[!-~]{{1,{MAX_ID_CHARS}}}$"
_KEPT = "public, max-age=3600"


class _Shown(Look):
    """What every widget's address may hold."""

    lang: Literal["en", "zh"] | None = Field(None, description="Language of the heading; else the reader's.")
    client: str | None = Field(None, pattern=CLIENT, description="Your own id of the reader, for events.")


class RelatedWidget(_Shown):
    """`GET /widgets/related`."""

    q: str
    limit: int = Field(DEFAULT_RELATED, ge=1, le=MAX_RELATED)
    t: float | None = Field(None, ge=0, le=1)


class SeedsWidget(_Shown, SeedContextQuestion):
    """`GET /widgets/seeds`."""


@dataclass(frozen=True)
class _Row:
    text: str
    address: str


@blueprint.get("/related")
def related() -> Response:
    """Related searches of a query; an empty page where there are none."""
    asked = read_parameters(RelatedWidget)
    try:
        seeds = parse_seeds([asked.q], current_app.config["KR"])
    except UsageError as error:
        raise parameter_problem("q", error) from error
    parameters = {} if asked.t is None else {"t": asked.t}
    reply = current_service().related(Request(seeds, limit=asked.limit, parameters=parameters))
    return _page("related", asked, [row["text"] for row in reply.rows])


@blueprint.get("/seeds")
def seeds() -> Response:
    """Searches to begin with, for an account, an industry or everyone."""
    asked = read_parameters(SeedsWidget)
    reply = current_service().seeds(seed_request(asked))
    return _page("seeds", asked, [row["text"] for row in reply.rows])


@blueprint.get("/go")
def go() -> AnyResponse:
    """Follow a link of a widget: recorded on the disk first, then led to the search."""
    recorder = recording()
    if recorder is None:
        raise UsageError("This service records no clicks.", "Open the page that showed the link again.")
    link = ShownLink.decode(request.args.get("link", ""), recorder.log.secret)
    destination = _destination(link.text)
    recorder.click(link, destination, time.time())
    return redirect(destination, 303)


@blueprint.get("/style.css")
def style() -> Response:
    """The style sheet of one look."""
    response = Response(style_sheet(read_parameters(Look)), mimetype="text/css")
    response.headers["Cache-Control"] = _KEPT
    return response


@blueprint.get("/seeds.js")
def script() -> Response:
    """The script that a site's one-line tag loads: it puts the iframe in its place."""
    response = Response(SCRIPT, mimetype="text/javascript")
    response.headers["Cache-Control"] = _KEPT
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _page(widget: str, shown: _Shown, texts: Sequence[str]) -> Response:
    look = {name: value for name in ("theme", "accent") if (value := getattr(shown, name)) not in (None, "auto")}
    page = render_template(
        "widget.html",
        widget=widget,
        rows=_rows(widget, shown.client, texts),
        style=url_for("widgets.style", **look),
        language=page_language(),
    )
    response = make_response(page)
    origins = " ".join(("'self'", *current_app.config["KR_WEB"].widget_origins))
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {origins}"
    )
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _rows(widget: str, client: str | None, texts: Sequence[str]) -> list[_Row]:
    recorder = recording()
    if recorder is None:
        return [_Row(text, _destination(text)) for text in texts]
    view = secrets.token_hex(12)
    shown = int(time.time())
    links = [
        ShownLink(widget, view, client or view, text, position, shown) for position, text in enumerate(texts, start=1)
    ]
    recorder.view(links)
    return [_Row(link.text, url_for("widgets.go", link=link.encode(recorder.log.secret))) for link in links]


def _destination(text: str) -> str:
    """Where a search for a keyword is answered: on the operator's site, or on KR's own page."""
    template: str = current_app.config["KR_WEB"].widget_search_url
    return template.replace("{query}", quote(text, safe="")) if template else url_for("pages.search", q=text)


def register(app: Flask) -> None:
    """Serve the widgets. UsageError if the folder of events cannot be written."""
    web = app.config["KR_WEB"]
    log = EventLog(web.events, web.events_per_second, web.events_max_bytes) if web.events else None
    app.extensions["kr_widget_events"] = ViewsAndClicks(log) if log else None
    app.register_blueprint(blueprint)
