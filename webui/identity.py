"""Who asks: a person by the session cookie on pages, a program by its key on the API. Nothing else is looked at.

The API never reads the cookie and pages never read keys, so that no other site can make a browser spend its cookie
on the API. The database is asked only for requests that carry one or the other.
"""

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import structlog
from flask import Flask, Response, current_app, g, request

from indexes.errors import KRError, Message
from kr.settings import Settings
from kr.store import Database, open_database
from kr.store.accounts import utc_now
from kr.store.api_keys import USED_EVERY, find_key
from kr.store.schema import ApiKey, Role, SignInSession, User
from kr.store.sign_in import LONGEST_TIME, find_session, is_due_to_be_seen
from webui.api.problems import UNAUTHENTICATED, ApiProblem

API_PREFIX = "/api/"
SESSION_COOKIE = "kr_session"
SECURE_SESSION_COOKIE = "__Host-kr_session"
"""Under this name browsers take the cookie only over https and only from this host."""


@dataclass(frozen=True)
class Identity:
    """The person or program of a request; everything that it may see belongs to `organisation_id`."""

    user_id: str
    email: str
    name: str
    role: Role
    organisation_id: str
    organisation: str
    session_id: str | None
    is_platform: bool = False
    """Whether the organisation is the platform itself."""

    @property
    def is_operator(self) -> bool:
        """Whether this person runs the platform: edits its rules and lists, and sees all organisations' feedback."""
        return self.is_platform and self.role in (Role.OPERATOR, Role.ADMIN)


class LateDatabase:
    """Opens the database when it is first asked for: pages that need none work without one."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._database: Database | None = None
        self._opening = threading.Lock()

    def get(self) -> Database:
        with self._opening:
            if self._database is None:
                self._database = open_database(self._url)
            return self._database


def current_database() -> Database:
    """The database of the running application."""
    return cast(LateDatabase, current_app.extensions["kr_database"]).get()


def current_identity() -> Identity | None:
    """Who asks, or None. An API key that is not valid is a 401: its owner must not be taken for a stranger."""
    if "identity" not in g:
        g.identity = _by_key() if request.path.startswith(API_PREFIX) else _by_cookie()
    return cast(Identity | None, g.identity)


def shown_identity() -> Identity | None:
    """Who asks, for the head of a page: nobody if the database cannot tell, since the page itself may need none."""
    try:
        return current_identity()
    except KRError as error:
        structlog.get_logger().error("cannot tell who asks", error=str(error))
        g.identity = None
        return None


def signed_in() -> Identity:
    """Who asks, where `webui.access` has made sure that somebody does."""
    identity = current_identity()
    assert identity is not None, "webui.access lets nobody in here without an identity"
    return identity


def is_secure() -> bool:
    """Whether cookies are for https only."""
    return bool(current_app.config["KR_WEB"].production or request.is_secure)


def set_session_cookie(response: Response, token: str) -> None:
    """Give the browser a session."""
    response.set_cookie(
        _cookie_name(),
        token,
        max_age=int(LONGEST_TIME.total_seconds()),
        secure=is_secure(),
        httponly=True,
        samesite="Lax",
    )


def delete_session_cookie(response: Response) -> None:
    """Take it away."""
    response.delete_cookie(_cookie_name(), secure=is_secure(), httponly=True, samesite="Lax")


def session_token() -> str | None:
    """The token that the browser sent."""
    return request.cookies.get(_cookie_name())


def _cookie_name() -> str:
    return SECURE_SESSION_COOKIE if is_secure() else SESSION_COOKIE


def _by_cookie() -> Identity | None:
    token = session_token()
    if not token:
        return None
    now = utc_now()
    with current_database().reading() as session:
        found = find_session(session, token, now)
        if found is None:
            return None
        identity = _identity(found.user, found.id)
        due = is_due_to_be_seen(found, now)
    if due:
        _seen(found.id, now)
    return identity


def _seen(session_id: str, now: datetime) -> None:
    with current_database().writing() as session:
        found = session.get(SignInSession, session_id)
        if found is not None:
            found.last_seen_at = max(found.last_seen_at, now)


def _by_key() -> Identity | None:
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, text = header.partition(" ")
    if scheme.casefold() != "bearer":
        raise ApiProblem(UNAUTHENTICATED, Message("Authorization is by Bearer, not {scheme}.", scheme=scheme[:20]))
    now = utc_now()
    with current_database().reading() as session:
        key = find_key(session, text.strip())
        if key is None:
            raise ApiProblem(UNAUTHENTICATED, Message("This API key is unknown, revoked, or its user was disabled."))
        identity = _identity(key.user, None)
        due = key.last_used_at is None or now - key.last_used_at >= USED_EVERY
    if due:
        with current_database().writing() as session:
            used = session.get(ApiKey, key.id)
            if used is not None:
                used.last_used_at = now
    return identity


def _identity(user: User, session_id: str | None) -> Identity:
    return Identity(
        user.id,
        user.email,
        user.name,
        Role(user.role),
        user.organisation_id,
        user.organisation.name,
        session_id,
        user.organisation.is_platform,
    )


def register(app: Flask, settings: Settings) -> None:
    """Give the application its database, and the templates the identity."""
    app.extensions["kr_database"] = LateDatabase(settings.database)
    app.jinja_env.globals["current_identity"] = shown_identity
