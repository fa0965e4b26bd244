"""How many requests a caller may send, and that all workers of a server count together."""

import multiprocessing
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from limits.storage import storage_from_string

from kr.settings import Settings
from kr.store import open_database
from kr.store.accounts import create_organisation, create_user, utc_now
from kr.store.api_keys import create_key
from kr.store.migrating import upgrade
from kr.store.schema import Role
from webui import shared_counters
from webui.application import create_app
from webui.rate_limits import COSTLY_SHARE
from webui.settings import WebSettings

BODY = {"keyword_seed": {"keywords": ["鲜花"]}, "page_size": 1}


def browser(store: Path, folder: Path, a_minute: int | None, address: str = "192.0.2.1", **web: object) -> FlaskClient:
    settings = WebSettings(requests_a_minute=a_minute, rate_limit_storage=f"kr-shared://{folder}/r.sqlite", **web)
    made = create_app(Settings(store=store, database=f"sqlite:///{folder}/kr.db"), settings)
    client = made.test_client()
    client.environ_base["REMOTE_ADDR"] = address
    return client


def test_requests_beyond_the_limit_are_refused_with_the_time_to_wait(tiny_store: Path, tmp_path: Path) -> None:
    client = browser(tiny_store, tmp_path, 3)
    for _ in range(3):
        assert client.post("/api/v1/keyword-ideas", json=BODY).status_code == 200
    refused = client.post("/api/v1/keyword-ideas", json=BODY)
    assert refused.status_code == 429
    assert refused.get_json()["type"] == "/problems#too-many-requests"
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    page = client.get("/methods")
    assert page.status_code == 429
    assert "too fast" in page.get_data(as_text=True)


def test_health_checks_and_style_sheets_are_never_refused(tiny_store: Path, tmp_path: Path) -> None:
    client = browser(tiny_store, tmp_path, 1)
    assert client.get("/methods").status_code == 200
    assert client.get("/methods").status_code == 429
    for _ in range(3):
        assert client.get("/healthz").status_code == 200


def test_workers_count_together_and_callers_apart(tiny_store: Path, tmp_path: Path) -> None:
    first, second = browser(tiny_store, tmp_path, 2), browser(tiny_store, tmp_path, 2)
    other = browser(tiny_store, tmp_path, 2, address="192.0.2.2")
    assert [client.get("/methods").status_code for client in (first, second, first, other)] == [200, 200, 429, 200]


def test_a_key_counts_for_its_organisation_wherever_it_is_used(tiny_store: Path, tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/kr.db")
    upgrade(database)
    with database.writing() as session:
        home = create_organisation(session, "one", utc_now())
        user = create_user(session, home, "a@example.com", "", Role.ADVERTISER, "three good words", utc_now())
        keys = [create_key(session, user, name, utc_now())[1] for name in ("a", "b")]
    database.close()
    clients = [browser(tiny_store, tmp_path, 2, address=f"192.0.2.{number}") for number in (1, 2, 3)]
    replies = [
        client.get("/api/v1/account", headers={"Authorization": f"Bearer {key}"})
        for client, key in zip(clients, (keys[0], keys[1], keys[0]), strict=True)
    ]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert clients[0].get("/methods").status_code == 200, "the address has not spent anything"


def test_wrong_keys_spend_the_addresses_requests(tiny_store: Path, tmp_path: Path) -> None:
    upgrade(open_database(f"sqlite:///{tmp_path}/kr.db"))
    client = browser(tiny_store, tmp_path, 2)
    wrong = [client.get("/api/v1/account", headers={"Authorization": f"Bearer kr_{n}"}).status_code for n in range(3)]
    assert wrong == [401, 401, 429]


def test_costly_requests_have_a_lower_limit(tiny_store: Path, tmp_path: Path) -> None:
    upgrade(open_database(f"sqlite:///{tmp_path}/kr.db"))
    client = browser(tiny_store, tmp_path, 2 * COSTLY_SHARE)
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in").get_data(as_text=True))
    assert found
    fields = {"csrf_token": found[1], "email": "a@example.com", "password": "a wrong password"}
    assert [client.post("/sign-in", data=fields).status_code for _ in range(3)] == [401, 401, 429]
    assert client.get("/methods").status_code == 200


def test_without_a_setting_only_production_is_limited(tiny_store: Path, tmp_path: Path) -> None:
    assert "X-RateLimit-Limit" not in browser(tiny_store, tmp_path, None).get("/methods").headers
    production = browser(tiny_store, tmp_path, None, production=True, secret_key="vR3-kq8_Lw0zXy7PnB5tHs2JmCf9Ge4D")
    assert production.get("/methods").headers["X-RateLimit-Limit"] == "1200"


def _count(uri: str, times: int) -> None:
    storage = storage_from_string(uri)
    for _ in range(times):
        storage.incr("k", 1000)


def test_no_count_is_lost_between_processes(tmp_path: Path) -> None:
    uri = f"kr-shared://{tmp_path}/counters.sqlite"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_count, args=(uri, 50)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(300)
    assert storage_from_string(uri).get("k") == 150


def test_counters_begin_anew_when_they_expire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(shared_counters.time, "time", lambda: now)
    storage = storage_from_string(f"kr-shared://{tmp_path}/counters.sqlite")
    assert [storage.incr("k", 60), storage.incr("k", 60, 3)] == [1, 4]
    assert storage.get_expiry("k") == 1060
    now = 1060.0
    assert storage.get("k") == 0
    assert storage.incr("k", 60) == 1
    storage.clear("k")
    assert storage.get("k") == 0
    storage.incr("a", 60)
    assert storage.reset() == 1
