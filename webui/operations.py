"""What a load balancer and a monitor ask for: is the process alive, can it answer, how is it doing."""

from flask import Blueprint, Response, current_app

from indexes.errors import KRError
from indexes.snapshot import current
from webui.metrics import exposition
from webui.search_service import current_service

blueprint = Blueprint("operations", __name__)
QUIET_ROUTES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked for every few seconds; counted, but not logged."""


@blueprint.get("/healthz")
def healthz() -> Response:
    """Alive; touches nothing."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
def readyz() -> Response:
    """200 with the snapshot's id if requests can be answered, else 503 with the reason.

    A published snapshot that could not be opened leaves the one before in use: still ready, with a warning.
    """
    try:
        snapshot = current_service().indexes.snapshot_id
    except KRError as error:
        return Response(f"not ready: {error}\n", 503, mimetype="text/plain")
    text = f"ready: snapshot {snapshot}\n"
    try:
        published = current(current_app.config["KR"].store)
        if published != snapshot:
            text += f"warning: snapshot {published} is published but not in use; see `manage.py index verify`.\n"
    except KRError as error:
        text += f"warning: {error}\n"
    service = current_service()
    for problem in (service.lexicons.problem, service.rules.problem):
        if problem:
            text += f"warning: {problem}\n"
    return Response(text, mimetype="text/plain")


@blueprint.get("/metrics")
def metrics() -> Response:
    """Prometheus."""
    content, kind = exposition()
    return Response(content, content_type=kind)
