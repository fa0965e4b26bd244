"""The search page over the hand-written market of tests/conftest.py."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from webui.columns import COLUMNS

Pages = Callable[..., Any]


def keywords_of(page: Any) -> list[str]:
    return [element.text for element in page.all("bdi", class_="text")]


def parameters_of(link: Any) -> dict[str, list[str]]:
    return parse_qs(urlsplit(link.attributes["href"]).query)


def cell_of(page: Any, keyword: str, cell: str) -> str:
    position = keywords_of(page).index(keyword)
    return str(page.all("td", class_=cell)[position].text)


def test_the_home_page_names_the_data_and_offers_searches_that_find_something(page_of: Pages) -> None:
    page = page_of("/", lang="en")
    facts = [element.text for element in page.all("dd")]
    assert "17" in facts and "5,000" in facts and "2024-01-01" in facts and "2024-03-31" in facts
    examples = [link for link in page.all("a") if urlsplit(link.attributes["href"]).path == "/search"]
    assert {"鲜花", "running shoes"} <= {example.text for example in examples}
    for example in examples:
        assert example.text in keywords_of(page_of(example.attributes["href"]))


def test_an_unsafe_keyword_is_no_example_however_often_it_is_searched(page_of: Pages) -> None:
    assert "在线赌博" not in [link.text for link in page_of("/", lang="zh").all("a")]


def test_a_search_shows_each_keyword_with_its_numbers_and_the_reason_in_words(page_of: Pages) -> None:
    page = page_of("/search", q="鲜花", lang="en")
    assert keywords_of(page)[0] == "鲜花"
    assert cell_of(page, "鲜花", "c-searches").startswith("400")
    assert "High 90" in cell_of(page, "鲜花", "c-competition")
    assert "2.00–5.00" in cell_of(page, "鲜花", "c-bid") and "40 advertisers" in cell_of(page, "鲜花", "c-bid")
    reason = cell_of(page, "生日蛋糕", "c-why")
    assert "60 sessions" in reason and "Jan–Mar 2024" in reason
    assert "No keywords" not in page.one("main").text


def test_the_same_search_in_chinese_has_no_english_left(page_of: Pages) -> None:
    page = page_of("/search", q="鲜花", lang="zh")
    headings = " ".join(heading.text for heading in page.all("th", role="columnheader"))
    assert "月均搜索量" in headings and "推荐理由" in headings
    words = [element.text for element in page.all("td", class_="c-competition")]
    assert any(word.startswith("高") for word in words)
    assert "次会话" in cell_of(page, "生日蛋糕", "c-why")
    assert page.one("html").attributes["lang"] == "zh-Hans"


def test_a_number_that_is_not_known_is_a_dash_that_says_why_and_never_zero(page_of: Pages) -> None:
    page = page_of("/search", q="先花", lang="en")
    cell = cell_of(page, "先花", "c-competition")
    assert cell == "–not known: no ad was logged for this keyword"
    assert "not known" in cell_of(page, "先花", "c-bid") and "0.00" not in cell_of(page, "先花", "c-bid")
    assert cell_of(page, "先花", "c-trend").count("not known") == 2


def test_close_variants_are_listed_with_their_own_searches_under_the_keyword(page_of: Pages) -> None:
    page = page_of("/search", q="鲜花速递", lang="en")
    variants = page.all("details", class_="variants")[0].text
    assert "速递鲜花 6 · order of words" in variants and "鮮花速遞 3 · traditional characters" in variants
    chinese = page_of("/search", q="鲜花速递", lang="zh").all("details", class_="variants")[0].text
    assert "速递鲜花 6 · 词序" in chinese


def test_each_keyword_says_how_it_stands_to_the_search_and_its_match_type(page_of: Pages) -> None:
    page = page_of("/search", q="鲜花", lang="en")
    stands = dict(zip(keywords_of(page), (each.text for each in page.all("p", class_="stand")), strict=True))
    assert stands["鲜花"] == "Exact the same" and stands["鲜花速递"] == "Phrase narrower"
    assert stands["生日蛋糕"] == "Exact no word in common"
    legend = page.one("details", class_="legend").text
    assert all(word in legend for word in ("Exact", "Phrase", "Broad", "narrower", "broader", "overlaps"))
    assert page_of("/search", q="鲜花", lang="zh").all("p", class_="stand")[0].text == "完全匹配 相同"


def test_of_several_searches_each_keyword_names_the_one_it_stands_to(page_of: Pages) -> None:
    page = page_of("/search", q="flower delivery, 鲜花", lang="en")
    stands = dict(zip(keywords_of(page), (each.text for each in page.all("p", class_="stand")), strict=True))
    assert stands["鲜花"] == "Exact the same" and stands["鲜花速递"] == "Phrase narrower · 鲜花"


def test_every_chart_has_its_table(page_of: Pages) -> None:
    page = page_of("/search", q="鲜花", lang="en")
    charts = page.all("svg", class_="spark")
    tables = page.all("table", class_="month-table")
    assert len(charts) == len(tables) == len(keywords_of(page)) > 5
    for chart, table in zip(charts, tables, strict=True):
        assert chart.attributes["role"] == "img" and "Mar 2024" in str(chart.attributes["aria-label"])
        assert "Mar 2024" in table.text and "Dec 2023 *" in table.text


def test_column_headings_sort_and_say_so(page_of: Pages) -> None:
    page = page_of("/search", q="鲜花", lang="en")
    link = next(link for link in page.all("a") if link.text.startswith("Searches a month"))
    assert parameters_of(link)["sort"] == ["-searches"]
    falling = page_of(link.attributes["href"])
    counts = [int(cell.text.split()[0].replace(",", "")) for cell in falling.all("summary") if cell.text[:1].isdigit()]
    monthly = [count for count in counts if count > 5]
    assert monthly == sorted(monthly, reverse=True) and len(monthly) > 5
    heading = next(th for th in falling.all("th", class_="c-searches"))
    assert heading.attributes["aria-sort"] == "descending"
    again = next(link for link in falling.all("a") if link.text.startswith("Searches a month"))
    assert parameters_of(again)["sort"] == ["searches"]


@pytest.mark.parametrize(
    ("parameters", "kept", "gone"),
    [
        ({"min_searches": "100"}, "鲜花速递", "鲜花店"),
        ({"max_searches": "35"}, "鲜花店", "鲜花速递"),
        ({"competition": "HIGH"}, "鲜花速递", "鲜花店"),
        ({"min_bid": "2.5"}, "鲜花速递", "鲜花店"),
        ({"max_bid": "2"}, "鲜花店", "鲜花速递"),
        ({"languages": "en"}, "flowers", "鲜花店"),
        ({"contain": "北京"}, "鲜花 北京", "鲜花店"),
        ({"not_contain": "店、北京"}, "鲜花速递", "鲜花店"),
    ],
)
def test_filters_in_the_address_hold_and_are_shown_in_the_form(
    page_of: Pages, parameters: dict[str, str], kept: str, gone: str
) -> None:
    page = page_of("/search", q="鲜花", **parameters)
    assert kept in keywords_of(page) and gone not in keywords_of(page)
    ((name, value),) = parameters.items()
    if name in ("competition", "languages"):
        assert "checked" in page.one("input", name=name, value=value).attributes
    else:
        assert page.one("input", name=name).attributes["value"] == value
    assert "open" in page.one("details", class_="filters").attributes


def test_a_form_sent_without_javascript_has_empty_fields_and_means_the_same(page_of: Pages) -> None:
    fields = ("min_searches", "max_searches", "min_bid", "max_bid", "contain", "not_contain")
    plain = page_of("/search", q="鲜花", lang="en")
    dial = plain.one("input", name="t").attributes["value"]
    sent = page_of("/search", q="鲜花", lang="en", t=dial, **dict.fromkeys(fields, ""))
    assert keywords_of(sent) == keywords_of(plain)
    assert "open" not in sent.one("details", class_="filters").attributes


def test_pages_follow_each_other_without_a_gap_or_a_repeat(page_of: Pages) -> None:
    everything = keywords_of(page_of("/search", q="鲜花, flowers, 英语", rows="100"))
    assert len(everything) > 8
    page = page_of("/search", q="鲜花, flowers, 英语")
    assert keywords_of(page) == everything[:25]
    assert not page.all("a", rel="prev")


def test_the_page_links_keep_filters_sort_and_language(small_page_of: Pages) -> None:
    page = small_page_of("/search", q="鲜花", lang="zh", sort="-searches", languages="zh")
    following = page.one("a", rel="next")
    assert parameters_of(following) == {
        "q": ["鲜花"], "lang": ["zh"], "sort": ["-searches"], "languages": ["zh"], "page": ["2"]
    }  # fmt: skip
    second = small_page_of(following.attributes["href"])
    assert set(keywords_of(second)).isdisjoint(keywords_of(page)) and keywords_of(second)
    assert "page" not in parameters_of(second.one("a", rel="prev"))


def test_a_page_behind_the_last_says_so_and_leads_back(page_of: Pages) -> None:
    page = page_of("/search", q="鲜花", page="50", lang="en")
    assert not keywords_of(page)
    assert any(link.text == "Go to the first page" for link in page.all("a"))


def test_a_misspelt_search_shows_the_likelier_spelling(page_of: Pages) -> None:
    page = page_of("/search", q="先花", lang="en")
    suggestion = next(link for link in page.all("a") if link.text == "鲜花")
    assert keywords_of(page_of(suggestion.attributes["href"]))[0] == "鲜花"


def test_a_search_that_finds_nothing_is_answered_for_the_likelier_spelling_and_says_so(page_of: Pages) -> None:
    page = page_of("/search", q="runnnig", lang="en")
    assert page.one("p", **{"data-code": "spelling_corrected"}).text.startswith("Nothing was found for “runnnig”")
    assert "running shoes" in keywords_of(page)
    assert "Did you mean" not in page.one("main").text


def test_only_one_of_several_seeds_is_exchanged_by_a_suggestion(page_of: Pages) -> None:
    page = page_of("/search", q="flowers, 先花", lang="en")
    suggestion = next(link for link in page.all("a") if link.text == "鲜花")
    assert parameters_of(suggestion)["q"] == ["flowers, 鲜花"]


def test_an_unsafe_search_shows_no_keyword_and_says_why(page_of: Pages) -> None:
    page = page_of("/search", q="在线赌博", lang="en")
    assert not keywords_of(page)
    assert "does not advertise" in page.one("p", **{"data-code": "query_unsafe"}).text


def test_an_unknown_search_says_that_nobody_searched_it_and_what_to_try(page_of: Pages) -> None:
    page = page_of("/search", q="zzzzqqqq", lang="en")
    assert "Nobody searched for “zzzzqqqq”" in page.one("p", **{"data-code": "query_unknown"}).text
    assert page.one("h1").text == "No keywords to show"


def test_filters_that_leave_nothing_offer_the_search_without_them(page_of: Pages) -> None:
    page = page_of("/search", q="鲜花", min_searches="100000", lang="en")
    assert page.one("p", **{"data-code": "all_filtered"})
    link = next(link for link in page.all("a") if link.text == "Search again without filters")
    assert parameters_of(link) == {"q": ["鲜花"], "lang": ["en"]}


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"min_searches": "many"}, "min_searches"),
        ({"min_searches": "-1"}, "min_searches"),
        ({"max_bid": "NaN"}, "max_bid"),
        ({"max_bid": "1e400"}, "max_bid"),
        ({"min_searches": "10", "max_searches": "9"}, "max_searches"),
        ({"contain": " ".join(f"w{number}" for number in range(21))}, "contain"),
        ({"q": "x" * 201}, "q"),
        ({"q": ",".join(f"w{number}" for number in range(11))}, "q"),
    ],
)
def test_a_bad_field_is_marked_with_its_message_and_nothing_is_searched(
    page_of: Pages, parameters: dict[str, str], field: str
) -> None:
    page = page_of("/search", status=400, **{"q": "鲜花", "lang": "en", **parameters})
    marked = page.one("input", name=field)
    assert marked.attributes["aria-invalid"] == "true"
    assert page.one("p", id=f"{field}-error").text
    assert f"{field}-error" in str(marked.attributes["aria-describedby"])
    assert not keywords_of(page)


@pytest.mark.parametrize(
    "parameters", [{"sort": "price"}, {"rows": "7"}, {"page": "0"}, {"page": "401"}, {"page": "1e9"}, {"t": "2"}]
)
def test_a_mistyped_address_says_what_is_possible(page_of: Pages, parameters: dict[str, str]) -> None:
    page = page_of("/search", status=400, q="鲜花", lang="en", **parameters)
    assert not keywords_of(page)
    assert page.all("p", role="alert")


def test_an_empty_search_leads_home_in_the_same_language(client: FlaskClient) -> None:
    response = client.get("/search?q=+&lang=zh")
    assert response.status_code == 302 and response.headers["Location"] == "/?lang=zh"


def test_the_dial_changes_the_order_and_stays_in_the_address(page_of: Pages) -> None:
    by_demand = page_of("/search", q="flowers", t="0", lang="en")
    by_relevance = page_of("/search", q="flowers", t="1", lang="en")
    assert keywords_of(by_demand)[0] == "鲜花"
    assert keywords_of(by_relevance)[0] == "flowers"
    link = next(link for link in by_demand.all("a") if link.text.startswith("Relevance"))
    assert parameters_of(link)["t"] == ["0"]


def test_an_explanation_counts_what_each_step_removed_but_spells_out_no_unsafe_keyword(page_of: Pages) -> None:
    page = page_of("/search", q="鲜花", explain="1", lang="en")
    section = page.one("section", id="explanation")
    assert "unsafe: gambling" in section.text
    assert "在线赌博" not in page.one("main").text
    assert "Too little relevance removed" in section.text


def test_the_methods_page_explains_each_column_and_links_resolve(page_of: Pages) -> None:
    page = page_of("/methods", lang="en")
    explained = {element.attributes["id"] for element in page.all("div") if element.attributes.get("id")}
    columns = {
        next(name for name in (th.attributes["class"] or "").split() if name.startswith("c-")).removeprefix("c-")
        for th in page_of("/search", q="鲜花", columns=list(COLUMNS)).all("th", role="columnheader")
    }
    # The match type stands in the column of the keyword.
    assert columns | {"match"} == explained


@pytest.mark.parametrize("address", ["/", "/search?q=鲜花", "/search?q=zzzzqqqq", "/methods", "/problems", "/nowhere"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_link_of_every_page_leads_somewhere(
    client: FlaskClient, page_of: Pages, address: str, language: str
) -> None:
    page = page_of(address, status=404 if address == "/nowhere" else 200, lang=language)
    targets = {link.attributes["href"] for link in page.all("a")} | {
        link.attributes["href"] for link in page.all("link")
    }
    for target in sorted(target for target in targets if not target.startswith("#")):
        assert target.startswith("/"), target
        assert client.get(target.split("#")[0]).status_code in (200, 302), target
