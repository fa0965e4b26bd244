"""`GET /api/v1/related` and `manage.py related`."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexes.errors import UsageError
from kr.pipelines.commands import related

ADDRESS = "/api/v1/related"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(related, arguments)


def test_the_reply_is_the_envelope_that_the_command_prints(client: FlaskClient, tiny_store: Path) -> None:
    printed = run("鲜花", "--store", str(tiny_store), "--limit", "2", "--t", "0.5", "--explain", "--json")
    reply = client.get(ADDRESS, query_string={"q": "鲜花", "limit": 2, "t": 0.5, "explain": "true"})
    assert reply.status_code == 200 and len(reply.json["data"]["related_searches"]) == 2
    assert json.loads(printed.stdout) == reply.json


def test_reasons_carry_counts_and_a_text_in_the_language_asked_for(client: FlaskClient) -> None:
    rows = client.get(ADDRESS, query_string={"q": "鲜花", "language": "zh"}).json["data"]["related_searches"]
    reasons = [reason for row in rows for reason in row["reasons"]]
    assert all(reason["text"] == reason["text_zh"] for reason in reasons)
    assert any("sessions" in reason["evidence"] for reason in reasons)


def test_the_command_answers_a_file_of_queries_in_their_order(tiny_store: Path, tmp_path: Path) -> None:
    queries = tmp_path / "queries.txt"
    queries.write_text("鲜花\nqxzvkw\n\nflowers\n", encoding="utf-8")
    rows = json.loads(run("--queries", str(queries), "--store", str(tiny_store), "--json").stdout)["rows"]
    assert [row["query"] for row in rows] == ["鲜花", "qxzvkw", "", "flowers"]
    assert rows[0]["related_searches"] and rows[1]["related_searches"] == rows[2]["related_searches"] == []


@pytest.mark.parametrize("arguments", [(), ("鲜花", "--queries", "x.txt"), ("--queries", "/nowhere/x.txt")])
def test_the_command_refuses_what_it_cannot_answer(tiny_store: Path, arguments: tuple[str, ...]) -> None:
    result = run(*arguments, "--store", str(tiny_store))
    assert isinstance(result.exception, UsageError)


@pytest.mark.parametrize(
    ("address", "pointer"),
    [
        ("", "#/q"),
        ("?q=a&limit=0", "#/limit"),
        ("?q=a&limit=101", "#/limit"),
        ("?q=a&t=2", "#/t"),
        ("?q=a&t=nan", "#/t"),
        ("?q=a&language=fr", "#/language"),
        ("?q=a&explain=perhaps", "#/explain"),
        ("?q=a&page=2", "#/page"),
        ("?q=" + "a" * 201, "#/q"),
    ],
)
def test_a_mistake_is_answered_with_its_place(client: FlaskClient, address: str, pointer: str) -> None:
    reply = client.get(ADDRESS + address)
    assert reply.status_code == 400 and reply.mimetype == "application/problem+json"
    assert reply.json["errors"][0]["pointer"] == pointer


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(), max_size=100))
def test_no_text_makes_it_fail(client: FlaskClient, text: str) -> None:
    reply: Any = client.get(f"{ADDRESS}?q=" + quote(text.encode("utf-8", "surrogatepass")))
    assert reply.status_code == 200
