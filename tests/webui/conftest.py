"""The application over the hand-written market, and a look at its pages as a browser's parser sees them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kr.settings import Settings
from webui.application import create_app
from webui.settings import WebSettings

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
