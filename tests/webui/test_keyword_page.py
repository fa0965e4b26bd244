"""The page of one keyword, and the same by API."""

from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient

from webui.api.keyword_models import KeywordReply
from webui.keyword_page import monthly_interval, shares

Pages = Callable[..., Any]


def test_a_keyword_tells_its_numbers_their_method_and_their_dates(page_of: Pages) -> None:
    text = page_of("/keyword", text="鲜花速递", lang="en").one("main").text
    assert "2024-01-01 to 2024-03-31" in text and "2024-01-03" in text
    assert "mean of 3 whole months; 103 to 162" in text
    assert "exact; 380 of them in this spelling, by 250 users" in text
    assert "1.50–4.00" in text and "20 advertisers" in text


def test_close_variants_neighbours_and_evidence_are_tables(page_of: Pages) -> None:
    page = page_of("/keyword", text="鲜花", lang="en")
    captions = [caption.text for caption in page.all("caption")]
    assert "Searched in the same sessions" in captions and "Who searches this also searches" in captions
    assert "60 sessions by 55 users" in page.one("main").text
    assert all(cell.attributes.get("scope") for cell in page.all("th"))
    variants = page_of("/keyword", text="鲜花速递", lang="en").one("main").text
    assert "速递鲜花" in variants and "order of words" in variants


def test_an_unsafe_neighbour_is_not_shown(page_of: Pages) -> None:
    assert "在线赌博" not in page_of("/keyword", text="鲜花", lang="en").one("main").text


def test_a_seed_explains_how_the_keyword_stands_to_it(page_of: Pages) -> None:
    page = page_of("/keyword", text="鲜花速递", seed="鲜花", lang="en")
    text = page.one("main").text
    assert "How it stands to “鲜花”" in text and "Phrase" in text and "Added: 速递." in text
    assert "How it stands" not in page_of("/keyword", text="鲜花速递", seed="鲜花速递", lang="en").one("main").text


def test_the_chart_has_its_table(page_of: Pages) -> None:
    page = page_of("/keyword", text="鲜花", lang="en")
    assert page.one("svg", class_="spark").attributes["role"] == "img"
    assert "Mar 2024" in page.one("table", class_="month-table").text


def test_an_unknown_an_unsafe_and_an_overlong_keyword_are_told_apart(page_of: Pages) -> None:
    assert "Nobody searched this" in page_of("/keyword", 404, text="zzzqqq", lang="en").one("main").text
    assert "does not advertise" in page_of("/keyword", 404, text="在线赌博", lang="en").one("main").text
    assert "too long" in page_of("/keyword", 404, text="花" * 300, lang="en").one("main").text


def test_without_a_keyword_the_page_leads_home(client: FlaskClient) -> None:
    assert client.get("/keyword").status_code == 302


def test_hostile_text_stays_text(client: FlaskClient) -> None:
    html = client.get("/keyword", query_string={"text": "<script>alert(1)</script>\u202e"}).get_data(as_text=True)
    assert "<script>alert" not in html and "\u202e" not in html


def test_the_api_says_the_same_and_fits_its_model(client: FlaskClient) -> None:
    reply = client.get("/api/v1/keywords/鲜花速递", query_string={"seed": "鲜花", "language": "en"})
    data = KeywordReply.model_validate(reply.json).data
    assert reply.status_code == 200 and data.own_searches == 380 and data.match is not None
    assert data.match.direction == "narrower" and data.match.reasons[0].text
    assert data.intent.value == "general" and data.counted.whole_months == 3
    assert (
        reply.json["meta"]["request_id"] == client.get("/api/v1/keywords/鲜花速递?seed=鲜花").json["meta"]["request_id"]
    )


def test_the_api_says_why_there_is_nothing(client: FlaskClient) -> None:
    unknown, unsafe = client.get("/api/v1/keywords/zzzqqq"), client.get("/api/v1/keywords/在线赌博")
    assert unknown.status_code == unsafe.status_code == 404
    assert "was not searched" in unknown.json["detail"] and "does not advertise" in unsafe.json["detail"]
    assert client.get("/api/v1/keywords/" + "a" * 300).status_code == 400
    assert client.get("/api/v1/keywords/鲜花?sed=x").status_code == 400


def test_shares_add_up_and_unknown_is_empty() -> None:
    assert sum(each.share for each in shares({"a": 1, "b": 3, "c": 0})) == 1
    assert [each.name for each in shares({"a": 1, "b": 3, "c": 0})] == ["b", "a"] and shares(None) == []
    assert monthly_interval({"monthly_search_volumes": [{"searches": 3, "complete": False}]}) is None
