"""How many requests one caller may send: counted in one place for all workers of a server.

A caller is the organisation of an API key, or else the network address. Counters of one machine lie in a SQLite file
that the workers share; several machines name a server of their own with the setting `rate_limit_storage`.
"""

from collections.abc import Callable
from typing import cast

from flask import Flask, request
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter

from indexes.errors import KRError
from webui.api.problems import ApiProblem
from webui.identity import API_PREFIX, current_identity
from webui.settings import WebSettings
from webui.shared_counters import SharedCounters

IN_THIS_PROCESS = "memory://"
assert SharedCounters.STORAGE_SCHEME  # importing it makes its scheme known
COSTLY = frozenset(
    ("sign_in.enter", "account.change_password", "judging.act", "exports.search_file", "plan_api.export_by_address",
     "plan_api.export_by_question", "plan_api.import_file", "plans.upload", "plans_api.import_file",
     "plan_analysis.groupings", "plan_analysis.negatives", "plan_analysis.diagnosis", "plans_api.all_groupings",
     "plans_api.negatives", "plans_api.diagnosis", "list_uploads.upload", "api.keyword_scores", "users_api.add_user")
)  # fmt: skip
"""Endpoints that hash passwords, read other sites, or read or answer thousands of rows."""
COSTLY_SHARE = 20
"""Of a caller's requests one in so many may be costly."""
IN_PRODUCTION = 1_200
"""Requests a minute where the setting says nothing; elsewhere there is no limit."""


def _caller() -> str:
    try:
        if request.path.startswith(API_PREFIX) and (identity := current_identity()) is not None:
            return f"organisation {identity.organisation_id}"
    except (ApiProblem, KRError):
        pass  # whoever sends wrong keys counts as what it is; the refusal comes later
    return f"address {request.remote_addr}"


def register(app: Flask, web: WebSettings) -> None:
    """Count requests and refuse those beyond the limits; called when all endpoints are registered, before access."""
    most = web.requests_a_minute if web.requests_a_minute is not None else (IN_PRODUCTION if web.production else 0)
    if not most:
        return
    limiter = Limiter(
        _caller,
        storage_uri=web.rate_limit_storage or IN_THIS_PROCESS,
        # All addresses count together: who asks for everything once is as busy as who repeats one request.
        application_limits=[f"{most} per minute"],
        headers_enabled=True,
        # Without its counters the service goes on unlimited rather than not at all; the log says so.
        swallow_errors=True,
    )
    costly = limiter.limit(f"{max(1, most // COSTLY_SHARE)} per minute")
    for endpoint, view in app.view_functions.items():
        if endpoint == "static_file" or endpoint.startswith("operations."):
            limiter.exempt(view)
        elif endpoint in COSTLY:
            app.view_functions[endpoint] = cast(Callable[..., ResponseReturnValue], costly(view))
    limiter.init_app(app)
