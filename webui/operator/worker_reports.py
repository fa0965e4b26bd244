"""Each worker writes down what it serves: when that changes, and once a minute while it answers."""

import threading
import time

import structlog
from flask import Flask, Response

from indexes.errors import KRError
from kr.service import KeywordService
from kr.store.accounts import utc_now
from kr.store.serving_workers import report_worker
from webui.identity import current_database
from webui.search_service import late_service

EVERY_SECONDS = 60.0


class WorkerReports:
    """Remembers what this process reported last. Nothing is written to a database that has no tables for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reported: tuple[str, int, int] | None = None
        self._at = 0.0

    def report(self, service: KeywordService) -> None:
        """Write down what the service uses, if it is due; a failure is logged and tried again in a minute."""
        if not service.controls.are_there:
            return
        serves = service.in_use()
        now = time.monotonic()
        if serves == self._reported and now - self._at < EVERY_SECONDS:
            return
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._reported, self._at = serves, now
            with current_database().writing() as session:
                report_worker(session, *serves, utc_now())
        except KRError as error:
            structlog.get_logger().warning("cannot write down what this worker serves", error=str(error))
        finally:
            self._lock.release()


def register(app: Flask) -> None:
    """Report after requests that were answered from a snapshot."""
    reports = WorkerReports()

    def after(response: Response) -> Response:
        service = late_service(app).if_open()
        if service is not None:
            reports.report(service)
        return response

    app.after_request(after)
