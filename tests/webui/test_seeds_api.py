"""`GET /api/v1/seeds` and `manage.py seeds`; an account's are for whoever holds its key."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr

from kr.pipelines.commands import seeds
from kr.settings import Settings
from webui.api.account_keys import account_key
from webui.application import create_app
from webui.settings import WebSettings

ADDRESS = "/api/v1/seeds"
SECRET = "of the test"


@pytest.fixture(scope="module")
def small_app(small_store: Path) -> Flask:
    return create_app(Settings(store=small_store), WebSettings(account_secret=SecretStr(SECRET)))


@pytest.fixture
def small_client(small_app: Flask) -> FlaskClient:
    return small_app.test_client()


def test_the_reply_is_the_envelope_that_the_command_prints(small_client: FlaskClient, small_store: Path) -> None:
    for options, query in [([], {}), (["--industry", "flowers", "--t", "0.5"], {"industry": "flowers", "t": "0.5"})]:
        printed = CliRunner().invoke(seeds, [*options, "--store", str(small_store), "--limit", "3", "--json"])
        reply = small_client.get(ADDRESS, query_string={**query, "limit": "3"})
        assert reply.status_code == 200 and len(reply.json["data"]["seeds"]) == 3
        assert json.loads(printed.stdout) == reply.json


def test_an_account_is_answered_to_the_holder_of_its_key_alone(small_client: FlaskClient) -> None:
    key = account_key(SECRET, "a000000")
    right = small_client.get(ADDRESS, query_string={"account": "a000000", "key": key})
    assert right.json["data"]["context"] == {"kind": "account", "id": "a000000"}
    for wrong in (None, "", key[:-1], key.upper(), account_key(SECRET, "a000001"), "\ud800"):
        query = {"account": "a000000"} | ({} if wrong is None else {"key": wrong.encode("utf-8", "surrogatepass")})
        reply = small_client.get(ADDRESS, query_string=query)
        assert reply.status_code == 403 and reply.json["type"] == "/problems#account-key"
        assert "data" not in reply.json


def test_without_a_secret_no_account_is_answered_at_all(client: FlaskClient) -> None:
    reply = client.get(ADDRESS, query_string={"account": "a000000", "key": account_key("", "a000000")})
    assert reply.status_code == 403 and "account_secret" in reply.json["detail"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("?limit=0", "#/limit"), ("?t=7", "#/t"), ("?q=a", "#/q"), ("?industry=" + "a" * 201, "#/industry")],
)
def test_a_mistake_is_answered_with_its_place(client: FlaskClient, query: str, pointer: str) -> None:
    reply = client.get(ADDRESS + query)
    assert reply.status_code == 400 and reply.json["errors"][0]["pointer"] == pointer
