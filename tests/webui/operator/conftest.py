"""Somebody of each role, signed in and with an API key, over the hand-written market."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from kr.settings import Settings
from kr.store import Database, open_database, passwords
from kr.store.accounts import create_organisation, create_user, utc_now
from kr.store.api_keys import create_key
from kr.store.migrating import upgrade
from kr.store.schema import Role
from webui.application import create_app
from webui.settings import WebSettings

PASSWORD = "correct horse battery"
FORM = {"Sec-Fetch-Site": "same-origin"}
PEOPLE = {
    "operator": (True, Role.OPERATOR),
    "admin": (True, Role.ADMIN),
    "analyst": (True, Role.ANALYST),
    "advertiser": (False, Role.ADVERTISER),
    "boss": (False, Role.ADMIN),
}


@pytest.fixture(scope="module", autouse=True)
def quick_hasher() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", cache(lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)))
        yield


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/kr.db")
    upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture
def web(tiny_store: Path, database: Database) -> Flask:
    url = database.engine.url.render_as_string(hide_password=False)
    return create_app(Settings(store=tiny_store, database=url), WebSettings())


@pytest.fixture
def people(web: Flask, database: Database) -> dict[str, tuple[FlaskClient, str]]:
    """Somebody of each role: a signed-in browser and an API key."""
    made = {}
    now = utc_now()
    with database.writing() as session:
        homes = {flag: create_organisation(session, f"home {flag}", now, is_platform=flag) for flag in (True, False)}
        keys = {}
        for name, (is_platform, role) in PEOPLE.items():
            user = create_user(session, homes[is_platform], f"{name}@example.com", name, role, PASSWORD, now)
            keys[name] = create_key(session, user, name, now)[1]
    for name, key in keys.items():
        browser = web.test_client()
        _post(browser, "/sign-in", "/sign-in", email=f"{name}@example.com", password=PASSWORD)
        made[name] = (browser, key)
    return made


def _post(browser: FlaskClient, address: str, seen: str, **fields: Any) -> Any:
    """Send a form that was shown at `seen`, with the token and the version that it holds."""
    html = browser.get(seen).get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found, html
    version = re.search(r'name="version" value="(\d+)"', html)
    hidden = {"csrf_token": found[1], **({"version": version[1]} if version else {})}
    return browser.post(address, data={**hidden, **fields}, headers=FORM)


@pytest.fixture
def operator(people: dict[str, tuple[FlaskClient, str]]) -> FlaskClient:
    return people["operator"][0]


@pytest.fixture
def call(web: Flask, people: dict[str, tuple[FlaskClient, str]]) -> Callable[..., Any]:
    """Calls the API with the operator's key, or another's."""

    def send(method: str, address: str, who: str = "operator", **fields: Any) -> Any:
        bearer = {"Authorization": f"Bearer {people[who][1]}"}
        body = {"json": fields} if fields else {}
        return web.test_client().open(f"/api/v1/operator/{address}", method=method, headers=bearer, **body)

    return send


@pytest.fixture
def post() -> Callable[..., Any]:
    """Sends a form that was shown at an address, with the token and the version that it holds."""
    return _post


@pytest.fixture
def served(web: Flask) -> Callable[..., list[str]]:
    """The keywords that a search is answered with now."""

    def ask(query: str = "鲜花") -> list[str]:
        reply = web.test_client().post("/api/v1/keyword-ideas", json={"keyword_seed": {"keywords": [query]}})
        return [row["text"] for row in reply.get_json()["data"]["keyword_ideas"]]

    return ask
