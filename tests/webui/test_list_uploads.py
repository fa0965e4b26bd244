"""A keyword file becomes a list, every row accounted for; and searches start from lists."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import Workbook

from kr.settings import Settings
from kr.store.accounts import create_organisation, create_user, utc_now
from kr.store.api_keys import create_key
from kr.store.database import Database, open_database
from kr.store.lists import add_keywords, create_list
from kr.store.migrating import upgrade
from kr.store.schema import Role, User
from webui.application import create_app
from webui.list_uploads import free_name
from webui.settings import WebSettings

PASSWORD = "a long enough pass phrase"
MANY = "\n".join(["Keyword", *(f"词{number}" for number in range(20_001))]).encode()
SAME_SITE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def database(tmp_path: Path) -> Database:
    opened = open_database(f"sqlite:///{tmp_path}/kr.db")
    upgrade(opened)
    return opened


@pytest.fixture
def web(tiny_store: Path, database: Database) -> Flask:
    url = database.engine.url.render_as_string(hide_password=False)
    return create_app(Settings(store=tiny_store, database=url), WebSettings(max_upload_bytes=400_000))


@pytest.fixture
def key(database: Database) -> str:
    with database.writing() as session:
        organisation = create_organisation(session, "one", utc_now())
        user = create_user(session, organisation, "a@one.example", "a", Role.ADMIN, PASSWORD, utc_now())
        return create_key(session, user, "tests", utc_now())[1]


@pytest.fixture
def browser(web: Flask, key: str) -> FlaskClient:
    client = web.test_client()
    form = {"email": "a@one.example", "password": PASSWORD, "csrf_token": token(client, "/sign-in")}
    assert client.post("/sign-in", data=form, headers=SAME_SITE).status_code == 303
    return client


def token(client: FlaskClient, address: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(address).get_data(as_text=True))
    assert found
    return found[1]


def upload(client: FlaskClient, content: bytes, name: str = "mine.csv", **fields: str) -> Any:
    data = {"file": (io.BytesIO(content), name), "csrf_token": token(client, "/lists"), **fields}
    return client.post("/lists/upload?lang=en", data=data, headers=SAME_SITE)


def list_id_of(reply: Any) -> str:
    found = re.search(r"list=([\w-]+)", reply.get_data(as_text=True))
    assert found
    return found[1]


def test_a_file_becomes_a_list_and_every_row_is_accounted_for(
    browser: FlaskClient, parse: Callable[[str], Any]
) -> None:
    rows = ["Keyword,Criterion Type", "鲜花,Broad", "鲜花,Broad", "鲜花速递,Exact", "免费,Negative Phrase", ","]
    rows.append(f"{'花' * 300},Exact")
    reply = upload(browser, "\n".join(rows).encode(), "账户.csv")
    assert reply.status_code == 201
    page = parse(reply.get_data(as_text=True))
    text = page.one("main").text
    assert page.one("h1").text == "账户.csv" and "2 keywords are on the new list." in text
    assert "too long to be searched for" in text and "Negative keywords, left out1" in text
    listed = browser.get(f"/lists/{list_id_of(reply)}").get_data(as_text=True)
    assert "鲜花速递" in listed and "免费" not in listed


def test_a_workbook_is_read_too_and_the_same_name_twice_gets_a_number(browser: FlaskClient) -> None:
    book = Workbook()
    for row in (["关键词"], ["鲜花"], ["英语培训"]):
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    for expected in ("plan.xlsx", "plan.xlsx (2)"):
        reply = upload(browser, buffer.getvalue(), "plan.xlsx")
        assert reply.status_code == 201 and f"<bdi>{expected}</bdi>" in reply.get_data(as_text=True)


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (b"", 400, "is empty"),
        (b"PK\x03\x04 a broken workbook", 400, "mine.csv"),
        (b"Keyword\n" + b"x" * 500_000, 413, "more than 400,000 bytes"),
        (b"Keyword,Max CPC\n,1.00\n,2.00\n", 400, "mine.csv"),
        (MANY, 400, "more than 20,000 keywords by line 20002"),
    ],
)
def test_a_file_that_cannot_be_taken_says_why_and_leaves_no_list(
    browser: FlaskClient, content: bytes, status: int, said: str
) -> None:
    reply = upload(browser, content)
    assert reply.status_code == status and said in reply.get_data(as_text=True)
    assert "There is no list yet" in browser.get("/lists?lang=en").get_data(as_text=True)


def test_a_form_without_a_file_or_token_or_person_is_refused(browser: FlaskClient, web: Flask) -> None:
    empty = browser.post("/lists/upload", data={"csrf_token": token(browser, "/lists")}, headers=SAME_SITE)
    assert empty.status_code == 400
    without = browser.post("/lists/upload", data={"file": (io.BytesIO(b"x"), "x.csv")}, headers=SAME_SITE)
    assert without.status_code == 400
    assert web.test_client().post("/lists/upload", data={}).status_code in (303, 400)


def test_a_search_starts_from_a_list_beside_typed_keywords(browser: FlaskClient, parse: Callable[[str], Any]) -> None:
    list_id = list_id_of(upload(browser, "running shoes\n英语培训\n".encode(), "l.txt"))
    page = parse(browser.get(f"/search?list={list_id}&q=flowers&lang=en").get_data(as_text=True))
    found = {each.text for each in page.all("bdi", class_="text")}
    assert {"running shoes", "英语培训", "flowers"} <= found
    score = parse(browser.get(f"/score?score_list={list_id}&q=running&lang=en").get_data(as_text=True))
    assert {heading.text for heading in score.all("th", scope="row")} == {"running shoes", "英语培训"}


def test_of_a_long_list_the_most_searched_are_seeds_and_that_is_said(browser: FlaskClient) -> None:
    many = [f"rare {number}" for number in range(30)]
    list_id = list_id_of(upload(browser, "\n".join([*many, "鲜花"]).encode(), "long.txt"))
    html = browser.get(f"/search?list={list_id}&lang=en").get_data(as_text=True)
    assert "Of the 31 keywords of “long.txt” the 10 most searched" in html and "鲜花速递" in html


def test_a_list_of_somebody_else_is_no_seed(browser: FlaskClient, web: Flask, database: Database, key: str) -> None:
    with database.writing() as session:
        other = create_organisation(session, "two", utc_now())
        theirs = create_list(session, other.id, "theirs", utc_now())
        add_keywords(session, other.id, theirs.id, ["鲜花"], "", utc_now())
        list_id = theirs.id
    for address in (f"/search?list={list_id}", f"/score?score_list={list_id}"):
        assert browser.get(address).status_code == 404
        assert web.test_client().get(address).status_code == 404
    bearer = {"Authorization": f"Bearer {key}"}
    body = {"list_seed": {"list_id": list_id}}
    reply = browser.post("/api/v1/keyword-ideas", json=body, headers=bearer)
    assert reply.status_code == 404 and reply.json["errors"][0]["pointer"] == "#/list_seed/list_id"
    stranger = web.test_client().post("/api/v1/keyword-ideas", json=body)
    assert stranger.status_code == 401
    export = browser.get(f"/api/v1/keyword-ideas/export?list={list_id}", headers=bearer)
    assert export.status_code == 404


def test_one_row_is_judged_by_its_own_button_and_undone(browser: FlaskClient) -> None:
    form = {"csrf_token": token(browser, "/lists"), "search": "q=鲜花&lang=en", "one": "not_my_business:flowers"}
    reply = browser.post("/search/act", data=form, headers=SAME_SITE)
    page = browser.get(reply.headers["Location"]).get_data(as_text=True)
    assert "1 keyword will not be shown" in page and ">flowers</bdi>" not in page
    undo = re.search(r'name="undo" value="([^"]+)"', page)
    assert undo
    form = {"csrf_token": token(browser, "/lists"), "search": "q=鲜花&lang=en", "undo": undo[1]}
    back = browser.post("/search/undo", data=form, headers=SAME_SITE)
    assert ">flowers</bdi>" in browser.get(back.headers["Location"]).get_data(as_text=True)


def test_admins_keep_users_and_keys_by_api(web: Flask, key: str) -> None:
    client, bearer = web.test_client(), {"Authorization": f"Bearer {key}"}
    body = {"email": "b@one.example", "role": "advertiser", "password": PASSWORD}
    made = client.post("/api/v1/users", json=body, headers=bearer)
    assert made.status_code == 201 and "password" not in made.get_data(as_text=True)
    again = client.post("/api/v1/users", json=body, headers=bearer)
    assert again.status_code == 400 and "already" in again.json["detail"]
    operator = client.post("/api/v1/users", json={**body, "email": "o@one.example", "role": "operator"}, headers=bearer)
    assert operator.status_code == 400
    users = client.get("/api/v1/users", headers=bearer).json["data"]["users"]
    assert [user["email"] for user in users] == ["a@one.example", "b@one.example"]
    mine = next(user["id"] for user in users if user["email"] == "a@one.example")
    assert client.delete(f"/api/v1/users/{mine}", headers=bearer).status_code == 400
    assert client.delete(f"/api/v1/users/{made.json['data']['id']}", headers=bearer).status_code == 204
    assert client.get("/api/v1/users", headers=bearer).json["data"]["users"][1]["disabled_at"]

    new = client.post("/api/v1/keys", json={"name": "program"}, headers=bearer).json["data"]
    assert client.get("/api/v1/account", headers={"Authorization": f"Bearer {new['key']}"}).status_code == 200
    listed = client.get("/api/v1/keys", headers=bearer)
    assert [each["name"] for each in listed.json["data"]["keys"]] == ["tests", "program"]
    assert new["key"] not in listed.get_data(as_text=True)
    assert client.delete(f"/api/v1/keys/{new['id']}", headers=bearer).status_code == 204
    assert client.get("/api/v1/account", headers={"Authorization": f"Bearer {new['key']}"}).status_code == 401


def test_only_admins_have_the_users(web: Flask, database: Database, key: str) -> None:
    client, admin = web.test_client(), {"Authorization": f"Bearer {key}"}
    body = {"email": "c@one.example", "role": "advertiser", "password": PASSWORD}
    made = client.post("/api/v1/users", json=body, headers=admin).json["data"]
    with database.writing() as session:
        user = session.get(User, made["id"])
        assert user is not None
        _, text = create_key(session, user, "advertiser", utc_now())
    reply = client.get("/api/v1/users", headers={"Authorization": f"Bearer {text}"})
    assert reply.status_code == 403 and "admin" in reply.json["detail"]


def test_a_free_name_is_the_shortest_that_is_free() -> None:
    assert free_name("a", {"b"}) == "a" and free_name(" a  b ", {"a b", "a b (2)"}) == "a b (3)"
    assert len(free_name("x" * 500, set())) <= 200 and free_name("", set()) == "keywords"
