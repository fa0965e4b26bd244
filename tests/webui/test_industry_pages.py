"""The industry pages and their API: every link of them leads on, in both languages, without JavaScript."""

import json
import re
from html import unescape
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from kr.commands import search
from kr.industry_commands import industries
from kr.pipelines.commands import seeds
from kr.settings import Settings
from webui.application import create_app
from webui.settings import WebSettings


@pytest.fixture(scope="module")
def small_app(small_store: Path) -> Flask:
    return create_app(Settings(store=small_store), WebSettings())


@pytest.fixture
def browser(small_app: Flask) -> FlaskClient:
    return small_app.test_client()


def text_of(browser: FlaskClient, address: str) -> str:
    reply = browser.get(address)
    assert reply.status_code == 200, (address, reply.status_code)
    return reply.get_data(as_text=True)


def links(page: str, start: str) -> list[str]:
    return [unescape(link) for link in re.findall(r'href="([^"]+)"', page) if link.startswith(start)]


def test_from_the_home_page_to_a_search_by_industry(browser: FlaskClient) -> None:
    (to_tree, *_) = links(text_of(browser, "/?lang=en"), "/industries")
    roots = links(text_of(browser, to_tree), "/industries/")
    assert len(roots) >= 10
    assert re.search(r"\d+ keywords and more · ", text_of(browser, to_tree)), "mining ends the longest lists"
    assert re.search(r"\d+ 个以上关键词 · ", text_of(browser, "/industries?lang=zh"))
    shopping = next(link for link in roots if "section_shopping" in link)
    flowers = next(link for link in links(text_of(browser, shopping), "/industries/") if "/flowers" in link)
    page = text_of(browser, flowers)
    assert "Flowers &amp; Gifts" in page and "Shopping" in page and "Top keywords" in page
    assert "of 26 advertisers" in page or re.search(r"of \d+ advertisers of “Flowers", unescape(page))
    (every,) = [link for link in links(page, "/search") if "industry=" in link]
    found = text_of(browser, every)
    assert "With keywords that advertisers of" in found and '<table class="keywords"' in found
    (to_page, *_) = links(found, "/industries/flowers")
    assert text_of(browser, to_page) == page
    second = next(link for link in links(found, "/search") if "page=2" in link)
    assert "industry=flowers" in second and "page 2" in text_of(browser, second).lower()
    csv = next(link for link in links(found, "/search/export") if "format=csv" in link)
    assert len(text_of(browser, csv).splitlines()) > 100


def test_the_pages_speak_chinese(browser: FlaskClient) -> None:
    page = text_of(browser, "/industries/flowers?lang=zh")
    assert "鲜花礼品" in page and "热门关键词" in page and "个广告主中有" in page
    assert "按行业浏览关键词" in text_of(browser, "/?lang=zh") and "购物" in text_of(browser, "/industries?lang=zh")


def test_industries_are_found_by_name_and_what_is_not_there_is_said(browser: FlaskClient) -> None:
    assert links(text_of(browser, "/industries?q=flow&lang=en"), "/industries/flowers")
    assert "No industry is named like that" in text_of(browser, "/industries?q=%3Cb%3E&lang=en")
    assert browser.get("/industries/submarines").status_code == 404
    missing = browser.get("/search?industry=%3Cscript%3E&lang=en")
    assert missing.status_code == 404 and "There is no industry “&lt;script&gt;”" in missing.get_data(as_text=True)
    assert browser.get("/search/export?industry=submarines").status_code == 303


def test_a_store_without_industries_says_where_they_come_from(client: FlaskClient) -> None:
    page = client.get("/industries?lang=en")
    assert page.status_code == 200 and "has not given an industry tree" in page.get_data(as_text=True)
    assert client.get("/api/v1/industries").json["data"] == {"industries": []}


def test_the_api_answers_what_the_commands_print(browser: FlaskClient, small_store: Path) -> None:
    store = ["--store", str(small_store), "--json"]
    for options, address in (
        (["list"], "/api/v1/industries"),
        (["list", "--query", "鲜花"], "/api/v1/industries?q=鲜花"),
        (["show", "flowers", "--limit", "5"], "/api/v1/industries/flowers?limit=5"),
    ):
        printed = CliRunner().invoke(industries, [*options, *store])
        reply = browser.get(address, headers={"X-Request-ID": "one"}).json
        document = json.loads(printed.stdout)
        assert document["data"] == reply["data"] and document["meta"]["snapshot"] == reply["meta"]["snapshot"]
    printed = CliRunner().invoke(seeds, ["--urls", "--industry", "flowers", "--limit", "3", *store])
    reply = browser.get("/api/v1/seeds?kind=urls&industry=flowers&limit=3").json
    assert json.loads(printed.stdout)["data"] == reply["data"] and len(reply["data"]["urls"]) == 3


def test_mistakes_of_a_caller_are_named(browser: FlaskClient, small_store: Path) -> None:
    assert browser.get("/api/v1/industries/submarines").json["type"] == "/problems#not-found"
    assert browser.get("/api/v1/industries/flowers?limit=-1").json["errors"][0]["pointer"] == "#/limit"
    asked = {"industry_seed": {"industries": ["submarines"]}}
    reply = browser.post("/api/v1/keyword-ideas", json=asked)
    assert reply.status_code == 400 and reply.json["errors"][0]["pointer"] == "#/industry_seed/industries"
    command = CliRunner().invoke(search, ["--industry", "submarines", "--store", str(small_store)])
    assert command.exit_code != 0
    assert CliRunner().invoke(search, ["--store", str(small_store)]).exit_code != 0


def test_keyword_ideas_start_from_an_industry_and_page_on(browser: FlaskClient) -> None:
    asked = {"industry_seed": {"industries": ["flowers"]}, "page_size": 20, "language": "en"}
    first = browser.post("/api/v1/keyword-ideas", json=asked).json
    assert first["data"]["industries"][0]["name_en"] == "Flowers & Gifts"
    second = browser.post("/api/v1/keyword-ideas", json={**asked, "page_token": first["next_page_token"]}).json
    texts = [[row["text"] for row in reply["data"]["keyword_ideas"]] for reply in (first, second)]
    assert len(texts[0]) == len(texts[1]) == 20 and not set(texts[0]) & set(texts[1])


def test_the_home_page_offers_pages_that_the_platform_answers_from_its_crawl(browser: FlaskClient) -> None:
    page = text_of(browser, "/?lang=en")
    found = [link for link in links(page, "/search") if "https" in link]
    assert "Start from a page" in page and found
    assert "Keyword ideas" in text_of(browser, found[0])
