"""Prometheus metrics. With several workers each process counts for itself; `manage.py serve` then gives them a shared
folder (PROMETHEUS_MULTIPROC_DIR), and /metrics answers the sum of all workers whichever of them is asked.
"""

import os

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from webui.metrics_folder import MULTIPROCESS_FOLDER

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})

REQUESTS = Counter("kr_http_requests", "Requests answered.", ("method", "route", "status"))
REQUEST_SECONDS = Histogram("kr_http_request_seconds", "Time to answer a request.", ("route",), buckets=_SECONDS)
PATH_SECONDS = Histogram("kr_path_seconds", "Time of the online path alone.", buckets=_SECONDS)
ROWS = Counter("kr_rows", "Keywords shown.")
EMPTY_REPLIES = Counter("kr_empty_replies", "Replies without any keyword.")
DEGRADED_REPLIES = Counter("kr_degraded_replies", "Replies for which a source was missing.")

WIDGET_EVENTS = Counter("kr_widget_events", "Views and clicks of widgets, by what became of them.", ("outcome",))


def observe_widget_events(outcome: str, count: int) -> None:
    """Count the events of one view or click."""
    WIDGET_EVENTS.labels(outcome).inc(count)


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request under its route, never under its address: those are without end."""
    REQUESTS.labels(method if method in _METHODS else "other", route, str(status)).inc()
    REQUEST_SECONDS.labels(route).observe(seconds)


def observe_reply(rows: int, degraded: bool, seconds: float) -> None:
    """Count one reply of the online path."""
    PATH_SECONDS.observe(seconds)
    ROWS.inc(rows)
    if rows == 0:
        EMPTY_REPLIES.inc()
    if degraded:
        DEGRADED_REPLIES.inc()


def exposition() -> tuple[bytes, str]:
    """All metrics in Prometheus' text format, and its content type."""
    registry = REGISTRY
    if os.environ.get(MULTIPROCESS_FOLDER):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return generate_latest(registry), CONTENT_TYPE_LATEST
