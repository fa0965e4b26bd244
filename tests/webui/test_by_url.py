"""A page's address over the API and in the search box, in both languages, without a network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from indexes.errors import UsageError
from kr.settings import Settings
from webui.application import create_app
from webui.settings import WebSettings

FLOWERS = "https://shop.example/flowers"
IDEAS = "/api/v1/keyword-ideas"


@pytest.fixture(scope="module")
def client(tiny_pages_store: Path) -> FlaskClient:
    return create_app(Settings(store=tiny_pages_store), WebSettings()).test_client()


def ask(client: FlaskClient, **body: Any) -> Any:
    return client.post(IDEAS, json=body)


def test_the_api_answers_for_a_page_and_shows_what_was_read(client: FlaskClient) -> None:
    reply = ask(client, url_seed={"url": FLOWERS}, language="zh")
    assert reply.status_code == 200
    data = reply.json["data"]
    assert data["page"]["title"] == "鲜花速递 - 花店"
    assert data["page"]["origin"] == "crawl"
    assert data["page"]["topics"][0]["text"] in data["seeds"]
    assert data["keyword_ideas"][0]["reasons"][0]["text"].startswith("网页中有")
    assert reply.data == ask(client, url_seed={"url": FLOWERS}, language="zh").data


def test_keywords_and_a_page_may_be_asked_for_together(client: FlaskClient) -> None:
    reply = ask(client, keyword_seed={"keywords": ["running shoes"]}, url_seed={"url": FLOWERS})
    assert {"running shoes", "鲜花"} <= {row["text"] for row in reply.json["data"]["keyword_ideas"]}


def test_the_pages_of_a_reply_follow_each_other(client: FlaskClient) -> None:
    whole = [row["text"] for row in ask(client, url_seed={"url": FLOWERS}).json["data"]["keyword_ideas"]]
    first = ask(client, url_seed={"url": FLOWERS}, page_size=2).json
    second = ask(client, url_seed={"url": FLOWERS}, page_size=2, page_token=first["next_page_token"]).json
    assert [row["text"] for part in (first, second) for row in part["data"]["keyword_ideas"]] == whole[:4]
    other = ask(client, keyword_seed={"keywords": ["鲜花"]}, page_size=2, page_token=first["next_page_token"])
    assert other.status_code == 400


@pytest.mark.parametrize(
    ("url", "kind", "code"),
    [
        ("http://127.0.0.1/", "page-refused", "network_loopback"),
        ("http://2130706433/", "page-refused", "host_spelling"),
        ("ftp://example.com/", "page-refused", "scheme"),
        ("http://user@example.com/", "page-refused", "address_user"),
        ("http://nowhere.invalid/", "page-unreadable", "name_not_found"),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_api_says_why_a_page_is_not_read(
    client: FlaskClient, url: str, kind: str, code: str, language: str
) -> None:
    reply = ask(client, url_seed={"url": url}, language=language)
    assert reply.status_code == 422
    assert reply.mimetype == "application/problem+json"
    assert reply.json["type"] == f"/problems#{kind}"
    assert reply.json["errors"][0]["pointer"] == "#/url_seed/url"
    assert reply.json["errors"][0]["detail"].startswith(code)
    assert any("\u4e00" <= character <= "\u9fff" for character in reply.json["detail"]) is (language == "zh")


@pytest.mark.parametrize("body", [{}, {"url_seed": {}}, {"url_seed": {"url": ""}}, {"url_seed": {"url": "a", "x": 1}}])
def test_a_question_without_a_seed_is_a_mistake(client: FlaskClient, body: dict[str, Any]) -> None:
    assert ask(client, **body).status_code == 400


@pytest.mark.parametrize(("language", "heading"), [("en", "What was read"), ("zh", "读取到的内容")])
def test_an_address_in_the_search_box_shows_what_was_read_and_its_keywords(
    client: FlaskClient, parse: Callable[[str], Any], language: str, heading: str
) -> None:
    response = client.get("/search", query_string={"q": FLOWERS, "lang": language})
    assert response.status_code == 200
    page = parse(response.get_data(as_text=True))
    assert heading in [element.text for element in page.all("h2")]
    assert "鲜花速递 - 花店" in page.one("section", class_="page-read").text
    assert "鲜花" in [element.text for element in page.all("bdi", class_="text")]
    assert any("fresh=1" in (link.attributes.get("href") or "") for link in page.all("a"))
    assert page.one("input", id="q").attributes["value"] == FLOWERS


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("http://127.0.0.1/", 400),
        ("file:///etc/passwd", 400),
        ("http://nowhere.invalid/", 422),
        ("http://10.0.0.1/x", 400),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_refused_address_has_its_reason_at_the_search_box(
    client: FlaskClient, parse: Callable[[str], Any], query: str, status: int, language: str
) -> None:
    response = client.get("/search", query_string={"q": query, "lang": language})
    assert response.status_code == status
    page = parse(response.get_data(as_text=True))
    message = page.one("p", id="q-error").text
    assert any("\u4e00" <= character <= "\u9fff" for character in message) is (language == "zh")
    assert page.one("input", id="q").attributes["aria-invalid"] == "true"


def test_an_address_may_be_longer_than_a_keyword(client: FlaskClient) -> None:
    response = client.get("/search", query_string={"q": FLOWERS + "?" + "a" * 500})
    assert response.status_code == 422


def test_links_of_a_page_of_results_keep_the_address(client: FlaskClient, parse: Callable[[str], Any]) -> None:
    page = parse(client.get("/search", query_string={"q": FLOWERS, "fresh": "0"}).get_data(as_text=True))
    sorting = [link.attributes["href"] for link in page.all("a") if "sort=" in (link.attributes.get("href") or "")]
    assert sorting
    assert all("q=https" in (address or "") for address in sorting)


def test_no_application_starts_in_production_with_the_switch_for_tests(tiny_pages_store: Path) -> None:
    web = WebSettings(production=True, secret_key="vR3-kq8_Lw0zXy7PnB5tHs2JmCf9Ge4D")
    with pytest.raises(UsageError, match="KR_ALLOW_LOOPBACK_PAGES"):
        create_app(Settings(store=tiny_pages_store, allow_loopback_pages=True), web)
