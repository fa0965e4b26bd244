"""Every page in Chromium under axe-core: both languages, light and dark, wide and narrow, signed in as who may see it.

The pages come from the URL map, so that a new one cannot be forgotten.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from werkzeug.serving import make_server

from kr.settings import Settings
from kr.store import open_database, passwords
from kr.store.accounts import create_organisation, create_user, utc_now
from kr.store.lists import add_keywords, create_list
from kr.store.migrating import upgrade
from kr.store.schema import Role
from webui.access import ACCESS
from webui.application import create_app
from webui.settings import WebSettings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"
EMAIL = "somebody@platform.example"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
QUERIES = {
    "pages.search": "?q=鲜花&rows=25",
    "exports.search_file": "?q=鲜花",
    "widgets.related": "?q=鲜花",
}
"""What is asked of pages that say nothing without a question."""
NO_PAGES = frozenset({"static_file", "operations.healthz", "operations.readyz", "operations.metrics", "widgets.go"})
"""Endpoints that answer GET with something else than a page; the API's and what downloads a file are recognised."""


@dataclass(frozen=True)
class Site:
    """A running server with one admin of the platform's organisation, and the identifiers of what is there."""

    address: str
    app: Flask
    ids: dict[str, str]


@pytest.fixture(scope="module")
def site(small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("accessible")
    url = f"sqlite:///{folder}/kr.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", cache(lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)))
        database = open_database(url)
        upgrade(database)
        now = utc_now()
        with database.writing() as session:
            organisation = create_organisation(session, "The platform", now, is_platform=True)
            create_user(session, organisation, EMAIL, "Somebody", Role.ADMIN, PASSWORD, now)
            keywords = create_list(session, organisation.id, "Flowers", now)
            add_keywords(session, organisation.id, keywords.id, ["鲜花", "flower delivery"], "flowers", now)
            ids = {"list_id": keywords.id}
        database.close()
        app = create_app(Settings(store=small_store, database=url), WebSettings())
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Site(f"http://127.0.0.1:{server.server_port}", app, ids)
        server.shutdown()
        thread.join()
        server.server_close()


def addresses(site: Site) -> list[str]:
    """Every address that answers GET with a page."""
    found = []
    for rule in site.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule.startswith("/api/") or rule.endpoint in NO_PAGES:
            continue
        path = rule.rule
        for argument in rule.arguments:
            assert argument in site.ids, f"tell this test of a {argument} that exists"
            path = path.replace(f"<{argument}>", site.ids[argument])
        found.append(path + QUERIES.get(rule.endpoint, ""))
    return sorted(found)


def sign_in(page: "Page") -> None:
    page.goto("/sign-in?lang=en")
    page.locator("input[name=email]").fill(EMAIL)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main form button[type=submit], main form button:not([type])").first.click()
    assert "/sign-in" not in page.url


def violations(page: "Page") -> list[str]:
    """What axe-core finds wrong, in a line each."""
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8") + ";0")
    found: list[dict[str, Any]] = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}}).then(result => result.violations)", RULES
    )
    return [
        f"{each['id']}: {node['html'][:200]} ({node['failureSummary']})" for each in found for node in each["nodes"]
    ]


@pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [("en", "light", 1280), ("zh", "dark", 1280), ("zh", "light", 320), ("en", "dark", 320)],
)
def test_no_page_keeps_anybody_out(site: Site, browser: "Browser", language: str, scheme: Any, width: int) -> None:
    assert ACCESS.keys() >= set(QUERIES) | NO_PAGES
    context = browser.new_context(
        base_url=site.address, color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True
    )
    page = context.new_page()
    sign_in(page)
    wrong = []
    for path in addresses(site):
        reply = page.request.get(path)
        if not reply.headers.get("content-type", "").startswith("text/html") or "attachment" in reply.headers.get(
            "content-disposition", ""
        ):
            continue
        page.goto(path + ("&" if "?" in path else "?") + f"lang={language}")
        wrong += [f"{path} {each}" for each in violations(page)]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wrong.append(f"{path} is wider than the window")
    context.close()
    assert not wrong, "\n".join(wrong)
