"""What callers see when something goes wrong: a page for people, a problem document for programs, never a traceback."""

from dataclasses import dataclass

import structlog
from flask import Flask, Response, g, make_response, render_template, request
from flask_babel import gettext
from werkzeug.exceptions import HTTPException, NotFound

from indexes.errors import KRError, Message, NotFoundError, UsageError
from kr.store.accounts import NoSuchRecord
from webui.api import problems
from webui.api.problems import ApiProblem
from webui.languages import said

API_PREFIX = "/api/"

_PROBLEM_BY_STATUS = {kind.status: kind for kind in problems.PROBLEM_TYPES if kind is not problems.PAGE_TOKEN} | {
    400: problems.INVALID_REQUEST,
    500: problems.INTERNAL,
    503: problems.TRY_AGAIN,
}


@dataclass(frozen=True)
class Failure:
    """What an error page says."""

    status: int
    heading: str
    explanation: str
    commands: tuple[tuple[str, str], ...] = ()
    reference: str | None = None
    offer_search: bool = False

    def response(self) -> Response:
        """The page."""
        return make_response(render_template("error.html", **vars(self)), self.status)


def _no_snapshot(error: NotFoundError) -> Response:
    if _for_program():
        return ApiProblem(problems.NO_SNAPSHOT, error).response()
    return Failure(
        503,
        gettext("There are no keywords yet"),
        gettext("The service runs, but no snapshot of keywords has been published to its store."),
        commands=(
            ("python manage.py demo", gettext("simulate a market, mine it, publish it and serve it")),
            ("python manage.py build --mined MINED --store STORE", gettext("publish your own mined logs")),
        ),
    ).response()


def _known_error(error: KRError) -> Response:
    """Errors that say what is wrong: bad input goes back to the caller, what the operator must mend is logged."""
    if isinstance(error, NoSuchRecord):
        return _http_error(NotFound())
    if isinstance(error, NotFoundError):
        return _no_snapshot(error)
    if isinstance(error, UsageError):
        if error.http_status == problems.CONFLICT.status:
            if _for_program():
                return ApiProblem(problems.CONFLICT, error).response()
            return Failure(409, gettext("Somebody else was faster"), said(error)).response()
        if _for_program():
            return ApiProblem(problems.INVALID_REQUEST, error).response()
        heading = gettext("This request cannot be answered")
        return Failure(error.http_status, heading, said(error), offer_search=True).response()
    structlog.get_logger().error("cannot answer", error=str(error), path=request.path, request_id=_reference())
    if _for_program():
        return ApiProblem(problems.TRY_AGAIN, _quote_reference()).response()
    return Failure(
        503,
        gettext("The keywords cannot be read at the moment"),
        gettext("Whoever runs the service finds the reason in its log."),
        reference=_reference(),
    ).response()


def _unexpected(error: Exception) -> Response:
    structlog.get_logger().exception("failed", exc_info=error, path=request.path, request_id=_reference())
    if _for_program():
        return ApiProblem(problems.INTERNAL, _quote_reference()).response()
    return Failure(
        500,
        gettext("Something went wrong on our side"),
        gettext("The failure was logged. Try again; if it happens again, tell whoever runs the service the reference."),
        reference=_reference(),
        offer_search=True,
    ).response()


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if error.response is not None or status < 400:
        return make_response(error.get_response())
    if _for_program():
        response = ApiProblem(_PROBLEM_BY_STATUS.get(status, problems.INVALID_REQUEST), _detail(error)).response()
        response.status_code = status
    else:
        heading, explanation = _page_texts(status)
        response = Failure(status, heading, explanation, offer_search=True).response()
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _page_texts(status: int) -> tuple[str, str]:
    texts = {
        400: (
            gettext("This form is out of date"),
            gettext("It was open for too long, or was not sent from this site. Load the page again and repeat it."),
        ),
        403: (gettext("This page is not for you"), gettext("Your role does not include it; admins give roles.")),
        404: (gettext("There is no such page"), gettext("The address may be mistyped or out of date.")),
        405: (gettext("This page cannot be used that way"), gettext("Open it as a normal page, or start a search.")),
        429: (gettext("That was too fast"), gettext("Too many requests came from you; wait a minute, then go on.")),
        413: (gettext("That is too much at once"), gettext("Send a shorter request.")),
        414: (gettext("The address is too long"), gettext("Search for fewer or shorter keywords.")),
    }
    return texts.get(status, (gettext("This request cannot be answered"), gettext("Check the address, or search.")))


def _detail(error: HTTPException) -> str | Message:
    if error.code == 404:
        return Message("Nothing is at {path}.", path=request.path)
    return error.description or error.name


def _for_program() -> bool:
    return request.path.startswith(API_PREFIX)


def _reference() -> str:
    return str(g.log_id)


def _quote_reference() -> Message:
    return Message("The reason was logged; quote request_id {reference}.", reference=_reference())


def register(app: Flask) -> None:
    """Turn every error into a reply."""
    app.register_error_handler(ApiProblem, ApiProblem.response)
    app.register_error_handler(KRError, _known_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
