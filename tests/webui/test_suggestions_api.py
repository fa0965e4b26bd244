"""`GET /api/v1/suggestions`."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ADDRESS = "/api/v1/suggestions"


def texts(reply: Any) -> list[str]:
    return [row["text"] for row in reply.json["data"]["suggestions"]]


def test_a_beginning_finds_keywords_by_characters_pinyin_and_initials(client: FlaskClient) -> None:
    for typed in ("鲜花", "xianhua", "xh", "xian花"):
        found = client.get(ADDRESS, query_string={"q": typed})
        assert found.status_code == 200 and texts(found)[0] == "鲜花", typed
        assert found.json["data"]["query"] == typed


def test_the_reply_is_the_envelope_that_the_command_prints(client: FlaskClient, tiny_store: Any) -> None:
    from kr.commands import suggest

    printed = CliRunner().invoke(suggest, ["xh", "--store", str(tiny_store), "--limit", "3", "--json"])
    assert json.loads(printed.output) == client.get(ADDRESS, query_string={"q": "xh", "limit": 3}).json


def test_nothing_typed_is_answered_by_the_most_searched_keywords(client: FlaskClient) -> None:
    reply = client.get(ADDRESS)
    assert texts(reply)[0] == "鲜花"
    assert {row["kind"] for row in reply.json["data"]["suggestions"]} == {"popular"}


def test_an_unsafe_beginning_and_unsafe_keywords_are_not_suggested(client: FlaskClient) -> None:
    assert texts(client.get(ADDRESS, query_string={"q": "在线赌博"})) == []
    assert "在线赌博" not in texts(client.get(ADDRESS, query_string={"q": "在线"}))


def test_the_limit_is_kept(client: FlaskClient) -> None:
    assert len(texts(client.get(ADDRESS, query_string={"q": "", "limit": 2}))) == 2


@pytest.mark.parametrize(
    ("address", "pointer"),
    [
        ("?q=a&limit=0", "#/limit"),
        ("?q=a&limit=101", "#/limit"),
        ("?q=a&limit=ten", "#/limit"),
        ("?q=a&querry=b", "#/querry"),
        ("?q=a&q=b", "#/q"),
        ("?q=" + "a" * 201, "#/q"),
    ],
)
def test_a_mistake_is_answered_with_its_place(client: FlaskClient, address: str, pointer: str) -> None:
    reply = client.get(ADDRESS + address)
    assert reply.status_code == 400 and reply.mimetype == "application/problem+json"
    assert reply.json["errors"][0]["pointer"] == pointer


def test_the_callers_request_id_is_taken_over_and_the_time_stands_in_a_header(client: FlaskClient) -> None:
    reply = client.get(ADDRESS + "?q=xh", headers={"X-Request-ID": "abc-1"})
    assert reply.json["meta"]["request_id"] == reply.headers["X-Request-ID"] == "abc-1"
    assert reply.json["meta"]["took_ms"] is None and reply.headers["Server-Timing"].startswith("path;dur=")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(), max_size=150))
def test_no_text_makes_it_fail_and_highlights_lie_inside_their_texts(client: FlaskClient, text: str) -> None:
    reply = client.get(f"{ADDRESS}?q=" + quote(text.encode("utf-8", "surrogatepass")))
    assert reply.status_code == 200
    for row in reply.json["data"]["suggestions"]:
        assert all(0 <= start < end <= len(row["text"]) for start, end in row["highlights"])
