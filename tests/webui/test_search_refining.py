"""Facets, filters that are set, relaxations, columns and mixed seeds on the search page."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from kr.settings import Settings
from webui.application import create_app
from webui.columns import COLUMNS, COOKIE, USUAL, read_columns
from webui.settings import WebSettings

Pages = Callable[..., Any]


def keywords_of(page: Any) -> list[str]:
    return [element.text for element in page.all("bdi", class_="text")]


def parameters_of(link: Any) -> dict[str, list[str]]:
    return parse_qs(urlsplit(link.attributes["href"]).query)


def count_of(text: str) -> int:
    return int(re.findall(r"[\d,]+", text)[-1].replace(",", ""))


def total_of(page: Any) -> int:
    return int(page.one("h1").text.split()[0].replace(",", ""))


def facet(page: Any, **parameters: Any) -> list[Any]:
    """The links of the facets that add these parameters."""
    found = []
    for link in page.all("a", rel="nofollow"):
        have = parameters_of(link)
        if all(name in have for name in parameters):
            found.append(link)
    return found


def test_each_facet_leads_to_as_many_keywords_as_it_counts(small_page_of: Pages) -> None:
    page = small_page_of("/search", q="鲜花", lang="en")
    for name in ("intents", "groups"):
        links = facet(page, **{name: None})
        assert links
        for link in links[:3]:
            assert total_of(small_page_of(link.attributes["href"])) == count_of(link.text), link.text


def test_a_word_is_added_or_excluded_with_one_click_and_taken_back_with_one(small_page_of: Pages) -> None:
    page = small_page_of("/search", q="鲜花", lang="en")
    word = facet(page, contain=None)[0]
    narrowed = small_page_of(word.attributes["href"])
    (name,) = parameters_of(word)["contain"]
    assert all(name in keyword for keyword in keywords_of(narrowed))
    excluded = small_page_of(facet(page, not_contain=None)[0].attributes["href"])
    assert not any(name in keyword for keyword in keywords_of(excluded))
    (chip,) = [
        link for link in narrowed.all("a") if link.attributes.get("aria-label") == f"Take off: Must contain: {name}"
    ]
    assert total_of(small_page_of(chip.attributes["href"])) == total_of(page)


def test_a_chosen_facet_is_marked_and_takes_itself_off(small_page_of: Pages) -> None:
    link = facet(small_page_of("/search", q="鲜花", lang="en"), intents=None)[0]
    chosen = small_page_of(link.attributes["href"])
    (current,) = [each for each in chosen.all("a", class_="on") if "intents" not in parameters_of(each)]
    assert current.attributes["aria-current"] == "true"


def test_facets_count_the_whole_result_on_every_page(small_page_of: Pages) -> None:
    first, second = (small_page_of("/search", q="鲜花", lang="en", page=number) for number in ("1", "2"))
    assert [link.text for link in facet(first, contain=None)] == [link.text for link in facet(second, contain=None)]


@pytest.mark.parametrize(
    ("parameters", "kept", "gone"),
    [
        ({"intents": "local"}, "鲜花 北京", "鲜花店"),
        ({"match_types": "EXACT"}, "生日蛋糕", "鲜花速递"),
        ({"devices": "mobile"}, "鲜花速递", None),
        ({"intents": ["local", "general"], "contain": "店"}, "鲜花店", "鲜花速递"),
    ],
)
def test_the_finer_filters_hold_and_are_shown(
    page_of: Pages, parameters: dict[str, Any], kept: str, gone: str | None
) -> None:
    page = page_of("/search", q="鲜花", lang="en", **parameters)
    assert kept in keywords_of(page) and gone not in keywords_of(page)
    for name, value in parameters.items():
        if name != "contain":
            for each in [value] if isinstance(value, str) else value:
                assert "checked" in page.one("input", name=name, value=each).attributes
    assert len(page.all("ul", class_="set")) == 1


def test_a_choice_that_the_log_does_not_have_is_named_at_its_field(page_of: Pages) -> None:
    for name in ("devices", "intents", "match_types"):
        page = page_of("/search", 400, q="鲜花", lang="en", **{name: "fridge"})
        assert page.one("p", id=f"{name}-error").text == "“fridge” is not one of the choices."
    assert "no column" in page_of("/search", 400, q="鲜花", columns="price", lang="en").one("main").text


def test_filters_that_match_nothing_say_which_to_relax_and_what_that_brings(page_of: Pages) -> None:
    page = page_of("/search", q="鲜花", min_searches="100000", contain="店", lang="en")
    (listed,) = page.all("ul", class_="relax")
    assert "Without Searches a month: 100000" in listed.text
    (link,) = [each for each in page.all("a") if each.text == "Without Searches a month: 100000"]
    assert keywords_of(page_of(link.attributes["href"])) == ["鲜花店"]
    everything = [each for each in page.all("a") if each.text == "Without All filters"]
    assert "鲜花速递" in keywords_of(page_of(everything[0].attributes["href"]))


def test_goods_for_adults_are_a_choice_in_the_address(page_of: Pages) -> None:
    assert "checked" not in page_of("/search", q="鲜花").one("input", name="adult").attributes
    assert "checked" in page_of("/search", q="鲜花", adult="1").one("input", name="adult").attributes


def test_columns_are_chosen_in_the_address_and_remembered(tiny_store: Path, parse: Callable[[str], Any]) -> None:
    client = create_app(Settings(store=tiny_store), WebSettings()).test_client()

    def headings(address: str) -> list[str]:
        page = parse(client.get(address).get_data(as_text=True))
        return [th.attributes["class"].removeprefix("c-") for th in page.all("th", role="columnheader")]

    assert headings("/search?q=鲜花") == ["keyword", *USUAL]
    assert headings("/search?q=鲜花&columns=intent.searches") == ["keyword", "searches", "intent"]
    assert headings("/search?q=鲜花") == ["keyword", "searches", "intent"], "remembered"
    assert headings("/search?q=鲜花&columns=none") == ["keyword"]
    assert headings("/search?q=鲜花&columns=searches&columns=why") == ["keyword", "searches", "why"], "ticked boxes"
    page = parse(client.get("/search?q=鲜花&lang=en").get_data(as_text=True))
    (shared,) = [link for link in page.all("a") if link.text == "Link to this view"]
    assert parameters_of(shared)["columns"] == ["searches.why"], "who opens the link sees the same"


def test_every_column_shows_something_for_every_row(page_of: Pages) -> None:
    page = page_of("/search", q="鲜花", lang="en", columns=".".join(COLUMNS))
    rows = len(keywords_of(page))
    for column in COLUMNS:
        cells = page.all("td", class_=f"c-{column}")
        assert len(cells) == rows and all(cell.text for cell in cells), column


@given(st.lists(st.text(max_size=20), max_size=3), st.none() | st.text(max_size=40))
def test_any_columns_are_read_and_read_back_as_the_same(values: list[str], remembered: str | None) -> None:
    from flask import Flask
    from flask_babel import Babel

    application = Flask("empty")
    Babel(application)
    with application.test_request_context():
        columns = read_columns(values, remembered, {})
        assert set(columns.shown) <= set(COLUMNS)
        assert read_columns([columns.written], None, {}).shown == columns.shown
        for name in COLUMNS:
            toggled = read_columns([columns.toggled(name)], None, {})
            assert (name in toggled) != (name in columns)


def test_keywords_a_page_and_a_site_are_searched_together(tiny_pages_store: Path, parse: Callable[[str], Any]) -> None:
    client = create_app(Settings(store=tiny_pages_store), WebSettings()).test_client()
    html = client.get(
        "/search", query_string={"q": "生日蛋糕, http://shop.example/flowers, site:shoes.example", "lang": "en"}
    ).get_data(as_text=True)
    page = parse(html)
    assert {"生日蛋糕", "鲜花速递", "running shoes"} <= set(keywords_of(page))
    assert "2 of 2 crawled pages" in page.one("main").text and "What was read" in page.one("main").text
    unknown = client.get("/search?q=site:nowhere.example&lang=en")
    assert unknown.status_code == 422 and "has crawled no page of nowhere.example" in unknown.get_data(as_text=True)
    two = client.get("/search?q=site:a.example,site:b.example&lang=en")
    assert two.status_code == 400 and "one site at most" in two.get_data(as_text=True)


def test_the_cookie_of_columns_is_for_this_site_alone(client: FlaskClient) -> None:
    header = client.get("/search?q=鲜花&columns=why").headers["Set-Cookie"]
    assert header.startswith(f"{COOKIE}=why;") and "SameSite=Lax" in header and "HttpOnly" in header
    client.delete_cookie(COOKIE)


def test_each_keyword_leads_to_its_own_page(page_of: Pages) -> None:
    page = page_of("/search", q="鲜花", lang="en")
    (link,) = [each for each in page.all("a") if each.text == "鲜花速递" and "/keyword?" in each.attributes["href"]]
    assert parameters_of(link) == {"text": ["鲜花速递"], "seed": ["鲜花"], "lang": ["en"]}
    assert page_of(link.attributes["href"]).one("h1").text.startswith("鲜花速递")
