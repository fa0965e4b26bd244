"""Recommendations as a page and over the API, for a signed-in organisation that is an advertiser of the log."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from indexes.opened import Indexes
from kr.settings import Settings
from kr.store import Database, open_database, passwords
from kr.store.accounts import create_organisation, create_user, find_user, utc_now
from kr.store.api_keys import create_key
from kr.store.migrating import upgrade
from kr.store.schema import Role, User
from kr.store.verdicts import liked_keywords
from webui.application import create_app
from webui.settings import WebSettings

PASSWORD = "correct horse battery"
FORM = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module", autouse=True)
def quick_hasher() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", cache(lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)))
        yield


@pytest.fixture(scope="module")
def account(small_store: Path) -> str:
    """The advertiser that buys most."""
    accounts = Indexes.open(small_store).accounts
    assert accounts is not None
    sizes = [len(accounts.owned_keywords(place)) for place in range(len(accounts))]
    return accounts.ids[sizes.index(max(sizes))]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/kr.db")
    upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture
def web(small_store: Path, database: Database) -> Flask:
    url = database.engine.url.render_as_string(hide_password=False)
    return create_app(Settings(store=small_store, database=url), WebSettings())


def entered(web: Flask, database: Database, name: str, advertiser: str | None) -> tuple[FlaskClient, str]:
    """A browser and an API key of somebody of a new organisation."""
    with database.writing() as session:
        home = create_organisation(session, name, utc_now(), advertiser_id=advertiser)
        user = create_user(session, home, f"{name}@example.com", name, Role.ADVERTISER, PASSWORD, utc_now())
        _, key = create_key(session, find_user(session, home.id, user.id), "test", utc_now())
    browser = web.test_client()
    post(browser, "/sign-in", "/sign-in", email=f"{name}@example.com", password=PASSWORD)
    return browser, key


def post(browser: FlaskClient, address: str, seen: str, **fields: Any) -> Any:
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(seen).get_data(as_text=True))
    assert found
    return browser.post(address, data={"csrf_token": found[1], **fields}, headers=FORM)


def shown(browser: FlaskClient, address: str = "/for-you") -> list[str]:
    return re.findall(r'name="keyword" value="([^"]+)"', browser.get(address).get_data(as_text=True))


def act(browser: FlaskClient, action: str, *keywords: str, **fields: Any) -> str:
    reply = post(
        browser, "/search/act", "/for-you", search="", page="for_you", act=action, keyword=list(keywords), **fields
    )
    assert reply.status_code == 303
    assert reply.headers["Location"].startswith("/for-you?")
    return str(reply.headers["Location"])


def test_the_page_shows_what_the_account_does_not_own_with_reasons_in_both_languages(
    web: Flask, database: Database, account: str, small_store: Path
) -> None:
    browser, _ = entered(web, database, "buyer", account)
    found = shown(browser)
    indexes = Indexes.open(small_store)
    assert indexes.accounts is not None
    owned = indexes.keywords.take(indexes.accounts.owned_keywords(indexes.accounts.ids.find(account)))
    assert len(found) >= 10
    assert not set(found) & set(owned)
    html = browser.get("/for-you?lang=zh").get_data(as_text=True)
    assert "为您推荐" in html
    assert "有共同关键词的账户购买" in html
    assert 'aria-current="page">为您推荐' in html
    assert "顺序按固定规则排列" in html, "a snapshot without a model does not claim that anything was learned"


def test_dismissing_hides_a_keyword_at_once_and_undo_brings_it_back(
    web: Flask, database: Database, account: str
) -> None:
    browser, _ = entered(web, database, "buyer", account)
    first = shown(browser)[0]
    back = act(browser, "not_my_business", first)
    assert first not in shown(browser)
    undo = re.search(r'name="undo" value="([^"]+)"', browser.get(back).get_data(as_text=True))
    assert undo
    post(browser, "/search/undo", back, search="", page="for_you", undo=undo[1])
    assert first in shown(browser)


def test_thumbs_raise_what_is_near_and_say_so(web: Flask, database: Database, account: str) -> None:
    browser, _ = entered(web, database, "buyer", account)
    before = shown(browser)
    chosen = before[-1]
    act(browser, "up", chosen)
    after = shown(browser)
    assert after.index(chosen) < before.index(chosen)
    assert "which you saved or marked as fitting" in browser.get("/for-you?rows=50").get_data(as_text=True)
    with database.reading() as session:
        mine = session.query(User).filter(User.email == "buyer@example.com").one()
        assert liked_keywords(session, mine.organisation_id) == {chosen}


def test_what_is_saved_is_owned_from_then_on(web: Flask, database: Database, account: str) -> None:
    browser, _ = entered(web, database, "buyer", account)
    first = shown(browser)[0]
    act(browser, "save", first, name="mine")
    assert first not in shown(browser)


def test_irrelevant_needs_a_search_that_it_is_irrelevant_to(web: Flask, database: Database, account: str) -> None:
    browser, _ = entered(web, database, "buyer", account)
    assert "problem=" in act(browser, "irrelevant", shown(browser)[0])


def test_an_organisation_without_advertiser_is_told_so_and_gets_its_industry_or_site(
    web: Flask, database: Database
) -> None:
    browser, key = entered(web, database, "newcomer", None)
    headers = {"Authorization": f"Bearer {key}"}
    page = browser.get("/for-you")
    assert page.status_code == 200
    assert "not linked to an advertiser" in page.get_data(as_text=True)
    reply = browser.get("/api/v1/recommendations", headers=headers)
    assert reply.status_code == 404
    assert "not linked" in reply.json["detail"]
    reply = browser.get("/api/v1/recommendations?industry=flowers&language=en", headers=headers)
    assert reply.status_code == 200
    assert reply.json["data"]["known"] == ["industry"]
    assert "cold_start" in [note["code"] for note in reply.json["data"]["notices"]]
    assert reply.json["data"]["recommendations"]
    assert len(shown(browser, "/for-you?industry=flowers")) > 5
    assert browser.get("/for-you?industry=nowhere").status_code == 404


def test_the_api_answers_its_own_organisation_the_same_bytes_and_nobody_without_a_key(
    web: Flask, database: Database, account: str
) -> None:
    browser, key = entered(web, database, "buyer", account)
    headers = {"Authorization": f"Bearer {key}", "X-Request-ID": "same"}
    one, two = (browser.get("/api/v1/recommendations?limit=5", headers=headers) for _ in range(2))
    assert one.status_code == 200
    assert one.data == two.data
    assert one.json["data"]["account"] == account
    assert len(one.json["data"]["recommendations"]) == 5
    assert all(row["reasons"] for row in one.json["data"]["recommendations"])
    assert browser.get("/api/v1/recommendations").status_code == 401
    assert browser.get("/api/v1/recommendations?account=a000001", headers=headers).status_code == 400


def test_an_address_inside_the_network_is_refused(web: Flask, database: Database, account: str) -> None:
    browser, key = entered(web, database, "buyer", account)
    reply = browser.get("/api/v1/recommendations?site=http://127.0.0.1/", headers={"Authorization": f"Bearer {key}"})
    assert reply.status_code == 422
    assert reply.json["type"].endswith("page-refused")
    assert browser.get("/for-you?site=http://127.0.0.1/").status_code == 400


def test_what_was_said_without_a_query_reaches_training_through_export_and_ingest(
    web: Flask, database: Database, account: str, tmp_path: Path
) -> None:
    from kr.store.verdict_export import export_verdicts
    from mining.ingest import ingest
    from mining.recommend_questions import read_verdicts

    browser, _ = entered(web, database, "buyer", account)
    first, second = shown(browser)[:2]
    act(browser, "up", first)
    act(browser, "not_my_business", second)
    export_verdicts(database, tmp_path / "said")
    report = ingest("parquet", tmp_path / "said" / "feedback", tmp_path / "logs", table="feedback")
    assert (report.kept, report.rejected) == (2, 0)
    assert read_verdicts(tmp_path / "logs") == {account: {first: "up", second: "not_my_business"}}
