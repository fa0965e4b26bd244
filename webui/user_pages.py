"""The users of one's organisation, for its admins."""

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from indexes.errors import UsageError
from kr.store.accounts import PLATFORM_ROLES, create_user, disable_user, find_user, users_of, utc_now
from kr.store.schema import Role
from webui.identity import current_database, signed_in
from webui.languages import said
from webui.pages import page_url

blueprint = Blueprint("users", __name__, url_prefix="/account/users")


@blueprint.get("")
def overview() -> str:
    """Everybody, and a form for somebody new."""
    return _page()


@blueprint.post("")
def add() -> Response:
    """A new user, with a first password that the admin hands over."""
    identity = signed_in()
    try:
        with current_database().writing() as session:
            by = find_user(session, identity.organisation_id, identity.user_id)
            role = request.form.get("role", "")
            if role not in set(Role):
                raise UsageError("There is no role {role!r}.", role=role[:20])
            create_user(
                session,
                by.organisation,
                request.form.get("email", ""),
                request.form.get("name", ""),
                Role(role),
                request.form.get("password", ""),
                utc_now(),
                by,
            )
    except UsageError as error:
        return make_response(_page(said(error)), 400)
    return redirect(page_url("users.overview"), 303)


@blueprint.post("/<user_id>/disable")
def disable(user_id: str) -> Response:
    """The user is signed out and cannot come back; one's own account stays, so that somebody is left to undo it."""
    identity = signed_in()
    with current_database().writing() as session:
        user = find_user(session, identity.organisation_id, user_id)
        if user.id == identity.user_id:
            return make_response(_page(gettext("You cannot disable your own account.")), 400)
        disable_user(session, user, utc_now(), find_user(session, identity.organisation_id, identity.user_id))
    return redirect(page_url("users.overview"), 303)


def _page(error: str | None = None) -> str:
    identity = signed_in()
    with current_database().reading() as session:
        users = users_of(session, identity.organisation_id)
        is_platform = users[0].organisation.is_platform
    roles = [role for role in Role if is_platform or role not in PLATFORM_ROLES]
    return render_template("users.html", identity=identity, users=users, roles=roles, error=error, values=request.form)
