"""Signing in and out."""

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as AnyResponse

from kr.store.accounts import utc_now
from kr.store.sign_in import TooManyTries, WrongPassword, find_session, record_failure, sign_in
from webui.identity import (
    current_database,
    current_identity,
    delete_session_cookie,
    session_token,
    set_session_cookie,
)
from webui.pages import page_url

blueprint = Blueprint("sign_in", __name__)
MOST_EMAIL_CHARS = 254


@blueprint.get("/sign-in")
def form() -> AnyResponse | str:
    """The form; whoever is signed in already goes on to where they wanted to."""
    target = local_target(request.args.get("next"))
    if current_identity() is not None:
        return redirect(target, 303)
    return render_template("sign_in.html", target=target, email="", error=None)


@blueprint.post("/sign-in")
def enter() -> AnyResponse:
    """Check the password; a new session replaces the one that the browser had."""
    target = local_target(request.form.get("next"))
    email, password = request.form.get("email", "")[:MOST_EMAIL_CHARS], request.form.get("password", "")
    address, now = request.remote_addr or "", utc_now()
    database = current_database()
    try:
        with database.writing() as session:
            if (token := session_token()) and (old := find_session(session, token, now)) is not None:
                old.revoked_at = now
            entered = sign_in(session, email, password, address, request.user_agent.string, now)
    except WrongPassword:
        with database.writing() as session:
            record_failure(session, email, address, now)
        return _again(target, email, 401, gettext("The e-mail address or the password is wrong."))
    except TooManyTries as error:
        minutes = -(-error.seconds // 60)
        response = _again(
            target,
            email,
            429,
            ngettext(
                "Too many wrong passwords. Try again in %(num)s minute.",
                "Too many wrong passwords. Try again in %(num)s minutes.",
                minutes,
            ),
        )
        response.headers["Retry-After"] = str(error.seconds)
        return response
    response = make_response(redirect(target, 303))
    set_session_cookie(response, entered.token)
    return response


@blueprint.post("/sign-out")
def leave() -> AnyResponse:
    """End the session; nothing that was shown comes back from the browser's memory."""
    now = utc_now()
    if token := session_token():
        with current_database().writing() as session:
            if (found := find_session(session, token, now)) is not None:
                found.revoked_at = now
    response = make_response(redirect(page_url("sign_in.form"), 303))
    delete_session_cookie(response)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def local_target(target: str | None) -> str:
    """Where to go after signing in: a path of this site, or the home page for anything else."""
    home = page_url("pages.home")
    if not target or not target.startswith("/") or target[1:2] in ("/", "\\"):
        return home
    if any(ord(character) < 33 or character == "\\" for character in target):
        return home
    return target if len(target) <= current_app.config["KR_WEB"].max_query_string_bytes else home


def _again(target: str, email: str, status: int, error: str) -> Response:
    return make_response(render_template("sign_in.html", target=target, email=email, error=error), status)
