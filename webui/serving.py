"""Serving the application with Granian: worker processes that share one listening socket and one mapped snapshot."""

import errno
import gc
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial

from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from indexes.errors import NotFoundError, UsageError
from indexes.terminal import say
from kr.settings import Settings
from webui.metrics_folder import MULTIPROCESS_FOLDER
from webui.shared_counters import SHARED_SCHEME

RATE_LIMIT_STORAGE = "KR_WEB_RATE_LIMIT_STORAGE"
THREADS_PER_WORKER = 4
"""Requests that one worker answers at the same time; they share one interpreter lock, so more would only wait."""
OBJECTS_BEFORE_COLLECTION = 100_000
"""Python looks for cyclic garbage after so many new objects. A page of 100 rows makes 3,000 and leaves no cycle: by
Python's own 700 a third of writing the rows went into looking."""
LONGEST_START_SECONDS = 60.0
RETRY_SECONDS = 0.05
BIND_ERRORS = {
    errno.EADDRINUSE: ("is in use", "Stop what listens there, or choose another --port."),
    errno.EADDRNOTAVAIL: ("is not an address of this machine", "Choose another --host, such as 127.0.0.1 or 0.0.0.0."),
    errno.EACCES: ("needs rights that you do not have", "Choose a --port from 1024 up."),
}


def serve(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serve until interrupted. UsageError if the address cannot be used or the settings cannot; see `check_address`."""
    check_address(host, port)
    with _shared_counts(workers):
        application = _application(settings)
        _open_snapshot(application)
        server = Granian(
            "webui.application:create_app",
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=THREADS_PER_WORKER,
            respawn_failed_workers=True,
            log_level=LogLevels.warning,
            log_dictconfig=_LOG_TO_STDERR,
        )
        server.on_startup(lambda: _announce_when_open(host, port))
        # A forked worker finds the application that this process made; a spawned one makes its own.
        server.serve(target_loader=partial(_application, settings), wrap_loader=False)


def check_address(host: str, port: int) -> None:
    """Raise UsageError, with the remedy, if nothing can listen on this address."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise UsageError(f"The host {host!r} is not known: {error.strerror}.", "Choose another --host.") from None
    except OSError as error:
        what, remedy = BIND_ERRORS.get(error.errno or 0, (f"cannot be used: {error.strerror}", "Choose another one."))
        raise UsageError(f"The address {host} port {port} {what}.", remedy) from None


def address_text(host: str, port: int) -> str:
    """The address to type into a browser on this machine."""
    host = _reachable(host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _announce_when_open(host: str, port: int) -> None:
    """Print the address as soon as a worker accepts connections there: then a click on it finds a page."""

    def wait_and_say() -> None:
        pause = threading.Event()
        for _ in range(int(LONGEST_START_SECONDS / RETRY_SECONDS)):
            try:
                socket.create_connection((_reachable(host), port), timeout=1).close()
            except OSError:
                pause.wait(RETRY_SECONDS)
            else:
                say(f"▸ KR is at {address_text(host, port)} – Ctrl-C ends it")
                return

    threading.Thread(target=wait_and_say, daemon=True).start()


def _reachable(host: str) -> str:
    """An address of this machine by which a server on `host` is reached."""
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)


@cache
def _application(settings: Settings) -> Flask:
    # Imported late: where metrics are kept is decided when prometheus_client is first imported.
    from webui.application import create_app

    return create_app(settings)


def _open_snapshot(application: Flask) -> None:
    """Open the snapshot before the workers fork, so that mistakes in rules or lists end the start, not a request."""
    from webui.search_service import late_service

    try:
        snapshot = late_service(application).open().indexes.snapshot_id
    except NotFoundError as error:
        say(f"  no snapshot yet: {error} Pages answer as soon as one is published.")
    else:
        say(f"  snapshot {snapshot} of {application.config['KR'].store}")
        _warm(application)
    # What is alive now stays alive: it need not be looked at again, nor be copied by the workers that share it.
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BEFORE_COLLECTION, *gc.get_threshold()[1:])


def _warm(application: Flask) -> None:
    """Load dictionaries and compile templates once, before the workers fork, instead of in each one's first request."""
    from kr.types import Request
    from webui.search_service import late_service

    service = late_service(application).open()
    for keyword_id in service.indexes.popular[:1].tolist():
        service.keyword_ideas(Request((service.indexes.keywords[keyword_id],), limit=1))
    for name in application.jinja_env.list_templates():
        application.jinja_env.get_template(name)


@contextmanager
def _shared_counts(workers: int) -> Iterator[None]:
    """Several workers count into one folder: metrics, which /metrics adds up, and the requests of each caller."""
    if workers == 1 or os.environ.get(MULTIPROCESS_FOLDER):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="kr-metrics-") as folder:
        os.environ[MULTIPROCESS_FOLDER] = folder
        counters = os.environ.setdefault(RATE_LIMIT_STORAGE, f"{SHARED_SCHEME}://{folder}/requests.sqlite")
        try:
            yield
        finally:
            del os.environ[MULTIPROCESS_FOLDER]
            if counters.startswith(SHARED_SCHEME):
                del os.environ[RATE_LIMIT_STORAGE]


_LOG_TO_STDERR = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(levelname)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stderr"}},
    "loggers": {
        "_granian": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "granian.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
    },
}
