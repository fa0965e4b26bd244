"""One structured line a request on stderr: what was asked for, what became of it, how long it took.

What people search for is their business: addresses are logged without their query string, bodies never.
"""

import logging
import re
import sys
import time
import uuid

import structlog
from flask import Flask, Response, g, request

from indexes.errors import UsageError
from webui.metrics import observe_request
from webui.operations import QUIET_ROUTES

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
REQUEST_ID_HEADER = "X-Request-ID"


def configure() -> None:
    """Write log lines to stderr: aligned text on a terminal, else JSON."""
    json_lines = not sys.stderr.isatty()
    renderer: structlog.typing.Processor
    renderer = structlog.processors.JSONRenderer(ensure_ascii=False) if json_lines else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if json_lines else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # Looked up for each logger: tests and servers exchange sys.stderr.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def register(app: Flask) -> None:
    """Give each request an id, and log and count it when it is answered."""

    def begin() -> None:
        g.started = time.perf_counter()
        g.request_id = None
        g.log_id = uuid.uuid4().hex
        given = request.headers.get(REQUEST_ID_HEADER)
        if given is not None:
            if not REQUEST_ID.fullmatch(given):
                raise UsageError(
                    "The header {request_id_header} is not usable.",
                    "Send 1 to 128 letters, digits, dots, hyphens or underscores, or leave it out.",
                    request_id_header=REQUEST_ID_HEADER,
                )
            g.request_id = g.log_id = given

    def end(response: Response) -> Response:
        seconds = time.perf_counter() - g.started
        response.headers.setdefault(REQUEST_ID_HEADER, g.log_id)
        route = request.url_rule.rule if request.url_rule else "unknown"
        observe_request(request.method, route, response.status_code, seconds)
        if route not in QUIET_ROUTES:
            structlog.get_logger().info(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                took_ms=round(seconds * 1000, 2),
                bytes=response.content_length,
                request_id=response.headers[REQUEST_ID_HEADER],
            )
        return response

    app.before_request(begin)
    app.after_request(end)
