"""The online path as the web application sees it: opened on first use, so that a server may start before a snapshot."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import cast

from flask import Flask, current_app, request
from werkzeug.datastructures import MultiDict

from indexes.errors import KRError, NotFoundError
from kr.reply import Reply
from kr.service import KeywordService
from kr.types import Request
from webui import columns
from webui.identity import Identity
from webui.metrics import observe_reply
from webui.search_form import SearchForm, read_search_form
from webui.seed_material import NO_MATERIAL, SeedMaterial, read_material


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


def answer(question: Request, material: SeedMaterial = NO_MATERIAL, facets: bool = False) -> tuple[Reply, float]:
    """The reply to a request and what it names beside keywords, and the milliseconds that the online path took."""
    service = current_service()
    started = time.perf_counter()
    asked = replace(question, seeds=tuple(dict.fromkeys((*question.seeds, *material.listed))))
    reply = (
        service.by_url(asked, *material.read, facets=facets)
        if material.read
        else service.keyword_ideas(asked, facets=facets)
    )
    reply = replace(reply, notices=(*material.notices, *reply.notices))
    seconds = time.perf_counter() - started
    observe_reply(len(reply.rows), reply.degraded, seconds)
    return reply, round(seconds * 1000, 3)


def material_of(form: SearchForm, identity: Identity | None) -> SeedMaterial:
    """What a search names beside keywords, read; raises as `read_material`."""
    return read_material(
        current_service(),
        identity,
        form.seeds,
        page=form.page_address,
        fresh=form.fresh,
        site=form.site,
        list_id=form.list_id,
    )


def read_form(arguments: MultiDict[str, str]) -> SearchForm:
    """The search form of an address, with the choices that the log of the snapshot in use allows."""
    indexes = current_service().indexes
    return read_search_form(
        arguments,
        current_app.config["KR_WEB"].default_page_rows,
        current_app.config["KR"],
        indexes.devices,
        indexes.regions,
        request.cookies.get(columns.COOKIE),
    )


def register(app: Flask, opener: Callable[[], KeywordService]) -> None:
    """Give the application its service."""
    app.extensions["kr_service"] = LateService(opener)
