"""Who may use which address. Every endpoint stands in the table: an application with one that does not is not made.

Beside it, forms are protected against other sites: by a token in each form, and by refusing what browsers mark as
coming from elsewhere.
"""

import secrets
from enum import Enum

from flask import Flask, abort, current_app, redirect, request, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from indexes.errors import Message, UsageError
from kr.settings import Settings
from kr.store.schema import Role
from webui.api.problems import FORBIDDEN, UNAUTHENTICATED, ApiProblem
from webui.identity import API_PREFIX, Identity, current_identity
from webui.languages import chosen_language
from webui.operator.endpoints import OPERATOR_ENDPOINTS, OPERATOR_UPLOADS
from webui.settings import WebSettings
from webui.uploads import upload_too_large

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MIN_SECRET_CHARS = 32


class Access(Enum):
    """To whom an endpoint answers."""

    EVERYBODY = "everybody"
    """Also where the operator wants people to sign in: health checks, style sheets, the sign-in page."""
    OPEN = "open"
    """Everybody, unless the setting `sign_in_required` says otherwise: it tells nothing of any account."""
    EMBEDDED = "embedded"
    """Like OPEN, and everybody too where the operator has named origins that may embed widgets: readers of those sites
    have no account here. Whoever knows the address can read it then, as it tells nothing of any account either."""
    SIGNED_IN = "signed in"
    ADMINS = "admins"
    """Admins, of their own organisation."""
    OPERATORS = "operators"
    """Operators and admins of the platform. Other organisations are not told that there is anything."""


ACCESS: dict[str, Access] = {
    "static_file": Access.EVERYBODY,
    "operations.healthz": Access.EVERYBODY,
    "operations.readyz": Access.EVERYBODY,
    "operations.metrics": Access.EVERYBODY,
    "sign_in.form": Access.EVERYBODY,
    "sign_in.enter": Access.EVERYBODY,
    "sign_in.leave": Access.EVERYBODY,
    "widgets.style": Access.EVERYBODY,
    "widgets.script": Access.EVERYBODY,
    "widgets.go": Access.EVERYBODY,
    "widgets.related": Access.EMBEDDED,
    "widgets.seeds": Access.EMBEDDED,
    "pages.home": Access.OPEN,
    "pages.search": Access.OPEN,
    "exports.search_file": Access.OPEN,
    "keyword.page": Access.OPEN,
    "score.page": Access.OPEN,
    "keywords.keyword": Access.OPEN,
    "api.keyword_scores": Access.OPEN,
    "list_uploads.upload": Access.SIGNED_IN,
    "pages.methods": Access.OPEN,
    "pages.problems": Access.OPEN,
    "api.openapi": Access.OPEN,
    "api.keyword_ideas": Access.OPEN,
    "suggestions.suggestions": Access.OPEN,
    "related.related": Access.OPEN,
    "plan_api.import_file": Access.OPEN,
    "plan_api.export_by_address": Access.OPEN,
    "plan_api.export_by_question": Access.OPEN,
    "forecast_api.forecast": Access.OPEN,
    "forecast_api.budget": Access.OPEN,
    "seeds.seeds": Access.OPEN,
    "industries.overview": Access.OPEN,
    "industries.one": Access.OPEN,
    "industries_api.all_industries": Access.OPEN,
    "industries_api.one_industry": Access.OPEN,
    "account.overview": Access.SIGNED_IN,
    "account.change_password": Access.SIGNED_IN,
    "account.end_session": Access.SIGNED_IN,
    "account.make_key": Access.SIGNED_IN,
    "account.end_key": Access.SIGNED_IN,
    "users.overview": Access.ADMINS,
    "users.add": Access.ADMINS,
    "users.disable": Access.ADMINS,
    "lists.overview": Access.SIGNED_IN,
    "lists.make": Access.SIGNED_IN,
    "lists.restore": Access.SIGNED_IN,
    "lists.one": Access.SIGNED_IN,
    "lists.add": Access.SIGNED_IN,
    "lists.remove": Access.SIGNED_IN,
    "lists.rename": Access.SIGNED_IN,
    "lists.undo": Access.SIGNED_IN,
    "lists.delete": Access.SIGNED_IN,
    "for_you.page": Access.SIGNED_IN,
    "recommendations.recommendations": Access.SIGNED_IN,
    "judging.act": Access.SIGNED_IN,
    "judging.undo": Access.SIGNED_IN,
    "lists_api.all_lists": Access.SIGNED_IN,
    "lists_api.make_list": Access.SIGNED_IN,
    "lists_api.one_list": Access.SIGNED_IN,
    "lists_api.change_list": Access.SIGNED_IN,
    "lists_api.end_list": Access.SIGNED_IN,
    "lists_api.judge": Access.SIGNED_IN,
    "lists_api.take_verdicts_back": Access.SIGNED_IN,
    "account_api.account": Access.SIGNED_IN,
    "users_api.all_users": Access.ADMINS,
    "users_api.add_user": Access.ADMINS,
    "users_api.end_user": Access.ADMINS,
    "users_api.all_keys": Access.SIGNED_IN,
    "users_api.add_key": Access.SIGNED_IN,
    "users_api.end_key": Access.SIGNED_IN,
    "plans.overview": Access.SIGNED_IN,
    "plans.make": Access.SIGNED_IN,
    "plans.upload": Access.SIGNED_IN,
    "plans.one": Access.SIGNED_IN,
    "plans.change": Access.SIGNED_IN,
    "plans.undo": Access.SIGNED_IN,
    "plans.rename": Access.SIGNED_IN,
    "plans.delete": Access.SIGNED_IN,
    "plans.export": Access.SIGNED_IN,
    "plan_analysis.groupings": Access.SIGNED_IN,
    "plan_analysis.regroup": Access.SIGNED_IN,
    "plan_analysis.negatives": Access.SIGNED_IN,
    "plan_analysis.diagnosis": Access.SIGNED_IN,
    "plan_analysis.fix": Access.SIGNED_IN,
    "plan_analysis.forecast": Access.SIGNED_IN,
    "plan_analysis.use_set": Access.SIGNED_IN,
    "plans_api.all_plans": Access.SIGNED_IN,
    "plans_api.make_plan": Access.SIGNED_IN,
    "plans_api.one_plan": Access.SIGNED_IN,
    "plans_api.change_plan": Access.SIGNED_IN,
    "plans_api.end_plan": Access.SIGNED_IN,
    "plans_api.import_file": Access.SIGNED_IN,
    "plans_api.export_plan": Access.SIGNED_IN,
    "plans_api.undo_change": Access.SIGNED_IN,
    "plans_api.all_groupings": Access.SIGNED_IN,
    "plans_api.regroup": Access.SIGNED_IN,
    "plans_api.negatives": Access.SIGNED_IN,
    "plans_api.diagnosis": Access.SIGNED_IN,
    "plans_api.fix": Access.SIGNED_IN,
    "plans_api.forecast": Access.SIGNED_IN,
    "plans_api.budget": Access.SIGNED_IN,
    "plans_api.use_set": Access.SIGNED_IN,
} | dict.fromkeys(OPERATOR_ENDPOINTS, Access.OPERATORS)

UPLOADS = frozenset({"plans.upload", "plans_api.import_file", "list_uploads.upload"})
"""Endpoints that take files: larger bodies than usual, from those who are signed in alone."""


def _check() -> Response | None:
    endpoint = request.endpoint
    if endpoint is None:
        return None  # there is nothing at this address; the error handler says so
    # Before the form is read for its token: a file is longer than other forms may be.
    limit = current_app.config["KR_WEB"].max_upload_bytes
    if endpoint in UPLOADS and current_identity() is not None:
        request.max_content_length = limit
    if endpoint in OPERATOR_UPLOADS and (identity := current_identity()) and identity.is_operator:
        request.max_content_length = request.max_form_memory_size = limit
    try:
        _refuse_other_sites()
    except RequestEntityTooLarge:
        if endpoint in UPLOADS:
            raise upload_too_large(limit) from None
        raise
    access = ACCESS[endpoint]
    if access is Access.EVERYBODY:
        return None
    web: WebSettings = current_app.config["KR_WEB"]
    if access is Access.EMBEDDED and (web.widget_origins or not web.sign_in_required):
        return None
    if access is Access.OPEN and not web.sign_in_required:
        if request.path.startswith(API_PREFIX):
            current_identity()  # a key that is sent must be right
        return None
    identity = current_identity()
    if identity is None:
        return _ask_to_sign_in()
    if access is Access.ADMINS and identity.role is not Role.ADMIN:
        if request.path.startswith(API_PREFIX):
            raise ApiProblem(
                FORBIDDEN, Message("This needs the role admin; this key's user is {role}.", role=identity.role)
            )
        abort(403)
    if access is Access.OPERATORS:
        _refuse_all_but_operators(identity)
    return None


def _refuse_all_but_operators(identity: Identity) -> None:
    if identity.is_operator:
        return
    if not identity.is_platform:
        abort(404)
    if request.path.startswith(API_PREFIX):
        raise ApiProblem(
            FORBIDDEN, Message("This needs the role operator or admin; this key's user is {role}.", role=identity.role)
        )
    abort(403)


def _ask_to_sign_in() -> Response:
    if request.path.startswith(API_PREFIX):
        raise ApiProblem(UNAUTHENTICATED, Message("Send an API key: Authorization: Bearer kr_…."))
    target = request.full_path.rstrip("?") if request.method in SAFE_METHODS else None
    return redirect(url_for("sign_in.form", next=target, lang=chosen_language()), 303)


def _refuse_other_sites() -> None:
    """The API reads no cookie, so that another site gains nothing by calling it."""
    if request.method in SAFE_METHODS or request.path.startswith(API_PREFIX):
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise CSRFError("This form was sent by another site.")
    current_app.extensions["csrf"].protect()


def check_secret(web: WebSettings) -> None:
    """Refuse to run in production with a secret that others can know. UsageError."""
    secret = web.secret_key.get_secret_value() if web.secret_key else ""
    if web.production and (len(secret) < MIN_SECRET_CHARS or len(set(secret)) < MIN_SECRET_CHARS // 4):
        raise UsageError(
            "In production KR_WEB_SECRET_KEY must be set, with at least {min_secret_chars} random characters.",
            "Make one: python -c 'import secrets; print(secrets.token_urlsafe(48))'.",
            min_secret_chars=MIN_SECRET_CHARS,
        )


def check_test_switches(web: WebSettings, settings: Settings) -> None:
    """Refuse to run in production with a setting that is for tests alone. UsageError."""
    if web.production and settings.allow_loopback_pages:
        raise UsageError(
            "KR_ALLOW_LOOPBACK_PAGES is set: anybody could read pages of this machine's inner services.",
            "Unset it; it is for tests alone and never goes with KR_WEB_PRODUCTION.",
        )


def register(app: Flask, web: WebSettings) -> None:
    """Protect every endpoint; called when all are registered. UsageError, naming it, if one is not in the table."""
    check_secret(web)
    check_test_switches(web, app.config["KR"])
    missing = sorted({rule.endpoint for rule in app.url_map.iter_rules()} - ACCESS.keys())
    if missing:
        raise UsageError("webui/access.py does not say who may use {endpoints}.", endpoints=", ".join(missing))
    app.config.update(
        # Without a secret of the operator's each start has its own; open forms then have to be loaded again.
        SECRET_KEY=web.secret_key.get_secret_value() if web.secret_key else secrets.token_urlsafe(48),
        SESSION_COOKIE_NAME="kr_form",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=web.production,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        # Pages send no referrer; where a form comes from is told by Sec-Fetch-Site and by the token.
        WTF_CSRF_SSL_STRICT=False,
    )
    CSRFProtect(app)
    app.before_request(_check)
