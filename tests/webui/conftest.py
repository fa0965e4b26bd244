"""The application over the hand-written market, its pages as a browser's parser sees them, and a real browser."""

import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pyarrow.parquet as pq
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from kr.settings import Settings
from webui.application import create_app
from webui.settings import WebSettings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Request
    from playwright.sync_api import Page as BrowserPage

SEARCH = "/api/v1/keyword-ideas"


@pytest.fixture(scope="session")
def app(tiny_store: Path) -> Flask:
    return create_app(Settings(store=tiny_store), WebSettings())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def ask(client: FlaskClient) -> Callable[..., Any]:
    """POST a question for keyword ideas; fields are added to one seed keyword."""

    def post(*keywords: str, **fields: Any) -> Any:
        return client.post(SEARCH, json={"keyword_seed": {"keywords": list(keywords)}, **fields})

    return post


@dataclass
class Element:
    """One element of a page: tag, attributes, and the text inside it, white space collapsed."""

    tag: str
    attributes: dict[str, str | None]
    text: str = ""


@dataclass
class Page:
    """The elements of a page in order."""

    elements: list[Element] = field(default_factory=list)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Elements of a tag; `class_` matches one class among others."""
        wanted_class = attributes.pop("class_", None)
        return [
            element
            for element in self.elements
            if element.tag == tag
            and all(element.attributes.get(name) == value for name, value in attributes.items())
            and (wanted_class is None or wanted_class in (element.attributes.get("class") or "").split())
        ]

    def one(self, tag: str, **attributes: str) -> Element:
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} elements {tag} {attributes}"
        return found[0]


class PageParser(HTMLParser):
    """Builds a Page; every open element collects the text inside it."""

    VOID = frozenset({"meta", "link", "input", "br", "hr", "img", "rect", "circle", "path", "polygon", "polyline"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self.page.elements.append(element)
        if tag not in self.VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.elements.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self.open:
            element = self.open.pop()
            element.text = " ".join(element.text.split())
            if element.tag == tag:
                return

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data


def parse_page(html: str) -> Page:
    parser = PageParser()
    parser.feed(html)
    parser.close()
    return parser.page


def _with(address: str, parameters: dict[str, Any]) -> str:
    joint = "&" if "?" in address else "?"
    return address + joint + urlencode(parameters, doseq=True) if parameters else address


@pytest.fixture
def page_of(client: FlaskClient) -> Iterator[Callable[..., Page]]:
    """GET an address and parse it; the status must be the one expected."""

    def get(address: str, status: int = 200, **parameters: Any) -> Page:
        response = client.get(_with(address, parameters))
        assert response.status_code == status, response.get_data(as_text=True)[:2000]
        assert response.mimetype == "text/html"
        return parse_page(response.get_data(as_text=True))

    yield get


@pytest.fixture
def small_page_of(small_store: Path) -> Callable[..., Page]:
    """As `page_of`, over the simulated small market."""
    client = create_app(Settings(store=small_store), WebSettings()).test_client()

    def get(address: str, **parameters: Any) -> Page:
        response = client.get(_with(address, parameters))
        assert response.status_code == 200, response.get_data(as_text=True)[:2000]
        return parse_page(response.get_data(as_text=True))

    return get


@pytest.fixture(scope="session")
def parse() -> Callable[[str], Page]:
    """Parses the HTML of a page."""
    return parse_page


CHROMIUM = Path("/usr/bin/chromium")
PATIENCE_MS = 120_000
"""How long a page, or what is expected of it, may take: on a busy machine a first page waits for code to compile."""
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def free_port() -> int:
    """A port that nothing listens on, below those given to connections: none takes it before the server has it."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    pytest.fail("a hundred ports are in use")


def load(app: Flask) -> None:
    """Ask once, so that no browser waits until indexes and compiled code are read."""
    for path in ("/search?q=鲜花", "/api/v1/suggestions?q=xh"):
        assert app.test_client().get(path).status_code == 200


@pytest.fixture(scope="session")
def address(small_store: Path) -> Iterator[str]:
    """The small market served on this machine."""
    app = create_app(Settings(store=small_store))
    load(app)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Debian's Chromium."""
    from playwright.sync_api import expect, sync_playwright

    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS, timeout=PATIENCE_MS)
        new_context = running.new_context

        def new_patient_context(**options: Any) -> "BrowserContext":
            context = new_context(**options)
            context.set_default_timeout(PATIENCE_MS)
            return context

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(running, "new_context", new_patient_context)
            yield running
        running.close()


@pytest.fixture
def visit(browser: "Browser", address: str) -> "Iterator[Callable[..., BrowserPage]]":
    """Opens an address in a fresh context; afterwards no error and no foreign request may have happened."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def open_page(path: str, **options: Any) -> "BrowserPage":
        context = browser.new_context(base_url=address, locale=options.pop("locale", "en-GB"), **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
        page.on("request", lambda request: request.url.startswith(address) or wrong.append(f"foreign: {request.url}"))
        page.on("requestfailed", lambda request: was_left(request) or wrong.append(f"failed: {request.url}"))
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong, wrong


def follow_to_the_next_page(leads_on: "Locator") -> None:
    """Click what leads to another page, and wait until that page has loaded.

    A click alone returns while the next page is still on its way: whatever asks the page then may meet either of both.
    """
    with leads_on.page.expect_navigation():
        leads_on.click()


@pytest.fixture(scope="session")
def follow() -> "Callable[[Locator], None]":
    return follow_to_the_next_page


def was_left(request: "Request") -> bool:
    """Whether a request ended because the walk went on to the next page."""
    return request.failure == "net::ERR_ABORTED"


PASSWORD = "correct horse battery"
LEXICON = "format: 1\nname: Ours\nlanguage: en\n\n[drugs severity=2]\na term of ours\n"


@dataclass(frozen=True)
class Site:
    """A running server with accounts over the small market, its admin, and identifiers of what belongs to that one."""

    address: str
    app: Flask
    email: str
    ids: dict[str, str]
    page: str
    """The address of a page about flowers that the platform has crawled."""

    def sign_in(self, page: "BrowserPage") -> None:
        """Sign the admin in."""
        page.goto("/sign-in?lang=en")
        page.get_by_label("E-mail").fill(self.email)
        page.get_by_label("Password").fill(PASSWORD)
        follow_to_the_next_page(page.get_by_role("button", name="Sign in"))
        assert "/sign-in" not in page.url


@pytest.fixture(scope="session")
def site(small_store: Path, small_market: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The platform's own organisation, so that its admin may see every page."""
    from kr.audit.lexicon_book import save_list
    from kr.marketing.rule_book import add_rule, read_book
    from kr.marketing.rules import Rule
    from kr.pipelines.keyword_search import SOURCES
    from kr.planning.operations import AddKeywords
    from kr.planning.plan_row import MatchType
    from kr.store import open_database, passwords
    from kr.store.accounts import create_organisation, create_user, utc_now
    from kr.store.control_versions import Author
    from kr.store.lists import add_keywords, create_list
    from kr.store.migrating import upgrade
    from kr.store.operator_schema import Job, JobKind, JobState
    from kr.store.plans import add_to_plan, create_plan
    from kr.store.schema import Role

    url = f"sqlite:///{tmp_path_factory.mktemp('site')}/kr.db"
    database = open_database(url)
    upgrade(database)
    now = utc_now()
    texts = ("鲜花", "鲜花速递", "生日鲜花", "flower delivery", "flower delivery near me", "flowers")
    operation = AddKeywords(
        keywords=texts, campaign_name="Spring", ad_group_name="Flowers", match_type=MatchType.PHRASE
    )
    with pytest.MonkeyPatch.context() as patch, database.writing() as session:
        patch.setattr(passwords, "_hasher", cache(lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)))
        organisation = create_organisation(session, "The platform", now, is_platform=True)
        user = create_user(session, organisation, "somebody@platform.example", "Somebody", Role.ADMIN, PASSWORD, now)
        listed = create_list(session, organisation.id, "Flowers", now)
        add_keywords(session, organisation.id, listed.id, texts, "flowers", now)
        plan = create_plan(session, organisation.id, "Spring", now)
        add_to_plan(session, organisation.id, plan.id, [operation], user.id, now)
        by = Author(organisation.id, user, now)
        rule = Rule(name="Spring", action="boost", factor=2.0)
        stored = add_rule(session, read_book(session, SOURCES), 0, rule, by)
        save_list(session, 0, "ours", LEXICON, by)
        made = {"kind": JobKind.VERIFY, "state": JobState.LOST, "parameters": "{}", "host": "somewhere"}
        job = Job(**made, user_id=user.id, created_at=now, ended_at=now)
        session.add(job)
        session.flush()
        ids = {
            "list_id": listed.id,
            "plan_id": plan.id,
            "industry_id": "flowers",
            "rule_id": stored.id,
            "list_name": "ours",
            "job_id": job.id,
        }
    database.close()
    app = create_app(Settings(store=small_store, database=url), WebSettings())
    load(app)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Site(f"http://127.0.0.1:{server.server_port}", app, user.email, ids, _page_about_flowers(small_market))
    server.shutdown()
    thread.join()
    server.server_close()


def _page_about_flowers(market: Path) -> str:
    rows = pq.read_table(market / "mined" / "crawled_pages.parquet").to_pylist()
    return str(next(row["url"] for row in rows if "鲜花" in row["title"]))
