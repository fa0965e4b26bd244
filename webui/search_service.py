"""The online path as the web application sees it: opened on first use, so that a server may start before a snapshot."""

import threading
import time
from collections.abc import Callable
from typing import cast

from flask import Flask, current_app

from indexes.errors import KRError, NotFoundError
from kr.pages.reader import PageRead
from kr.reply import Reply
from kr.service import KeywordService
from kr.types import Request
from webui.metrics import observe_reply
from webui.search_form import SearchForm


class SnapshotUnusable(KRError):
    """A snapshot, a rules file or a list that cannot be used: the operator must mend it, not the caller."""

    http_status = 503


class LateService:
    """Opens the service when it is first asked for, and tries again for each request until there is a snapshot."""

    def __init__(self, opener: Callable[[], KeywordService]) -> None:
        self._open = opener
        self._service: KeywordService | None = None
        self._opening = threading.Lock()

    def get(self) -> KeywordService:
        """The service. Raises NotFoundError while nothing is published, SnapshotUnusable if it cannot be opened."""
        try:
            return self.open()
        except NotFoundError:
            raise
        except KRError as error:
            raise SnapshotUnusable(error.message, error.remedy) from error

    def if_open(self) -> KeywordService | None:
        """The service if a request has opened it."""
        return self._service

    def open(self) -> KeywordService:
        """The service; raises whatever opening it raises."""
        with self._opening:
            if self._service is None:
                self._service = self._open()
            return self._service


def current_service() -> KeywordService:
    """The service of the running application; see `LateService.get`."""
    return late_service(current_app).get()


def late_service(app: Flask) -> LateService:
    """Where an application keeps its service."""
    return cast(LateService, app.extensions["kr_service"])


def answer(request: Request, page: PageRead | None = None) -> tuple[Reply, float]:
    """The reply to a request, with what a page says if one was read, and the milliseconds that the online path took."""
    service = current_service()
    started = time.perf_counter()
    reply = service.keyword_ideas(request) if page is None else service.by_url(request, page)
    seconds = time.perf_counter() - started
    observe_reply(len(reply.rows), reply.degraded, seconds)
    return reply, round(seconds * 1000, 3)


def read_page_of(form: SearchForm) -> PageRead | None:
    """The page whose address a search names, or None if it names none. PageError if it cannot be read."""
    return current_service().read_page(form.page_address, form.fresh) if form.page_address else None


def register(app: Flask, opener: Callable[[], KeywordService]) -> None:
    """Give the application its service."""
    app.extensions["kr_service"] = LateService(opener)
