"""One's own account: who one is, the browsers that are signed in, the password, and the organisation's API keys."""

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from indexes.errors import UsageError
from kr.store.accounts import find_user, set_password, utc_now
from kr.store.api_keys import create_key, living_keys, revoke_key
from kr.store.passwords import is_right
from kr.store.schema import User
from kr.store.sign_in import TooManyTries, check_tries, record_failure, revoke_session, sessions_of, sign_in
from webui.identity import current_database, set_session_cookie, signed_in
from webui.languages import said
from webui.pages import page_url

blueprint = Blueprint("account", __name__, url_prefix="/account")


@blueprint.get("")
def overview() -> str:
    """Everything about the account."""
    return _page()


@blueprint.post("/password")
def change_password() -> Response:
    """A new password: signs out every browser and this one in again, with a new session."""
    old, new = request.form.get("old", ""), request.form.get("new", "")
    now, address = utc_now(), request.remote_addr or ""
    database = current_database()
    try:
        with database.writing() as session:
            user = _me(session)
            check_tries(session, user.email, address, now)
            right = is_right(old, user.password_hash)
            if right:
                set_password(session, user, new, now, user)
                entered = sign_in(session, user.email, new, address, request.user_agent.string, now)
            else:
                record_failure(session, user.email, address, now)
    except (UsageError, TooManyTries) as error:
        return make_response(_page(password_error=said(error)), error.http_status)
    if not right:
        return make_response(_page(password_error=gettext("The old password is wrong.")), 400)
    response = make_response(redirect(page_url("account.overview", changed="password"), 303))
    set_session_cookie(response, entered.token)
    return response


@blueprint.post("/sessions/<session_id>/end")
def end_session(session_id: str) -> Response:
    """Sign one browser out."""
    with current_database().writing() as session:
        revoke_session(session, signed_in().user_id, session_id, utc_now())
    return redirect(page_url("account.overview", changed="session"), 303)


@blueprint.post("/keys")
def make_key() -> Response:
    """A new API key; this reply is the only place where it is ever shown."""
    try:
        with current_database().writing() as session:
            _, text = create_key(session, _me(session), request.form.get("name", ""), utc_now())
    except UsageError as error:
        return make_response(_page(key_error=said(error)), 400)
    return make_response(_page(new_key=text), 201)


@blueprint.post("/keys/<key_id>/end")
def end_key(key_id: str) -> Response:
    """Revoke a key of the organisation."""
    with current_database().writing() as session:
        revoke_key(session, _me(session), key_id, utc_now())
    return redirect(page_url("account.overview", changed="key"), 303)


def _me(session: Session) -> User:
    identity = signed_in()
    return find_user(session, identity.organisation_id, identity.user_id)


def _page(new_key: str | None = None, key_error: str | None = None, password_error: str | None = None) -> str:
    identity = signed_in()
    with current_database().reading() as session:
        sessions = sessions_of(session, identity.user_id, utc_now())
        keys = living_keys(session, identity.organisation_id)
    return render_template(
        "account.html",
        identity=identity,
        sessions=sessions,
        keys=keys,
        new_key=new_key,
        key_error=key_error,
        password_error=password_error,
        changed=request.args.get("changed"),
    )
