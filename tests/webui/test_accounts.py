"""Signing in, sessions, keys and users on the pages and the API – and that nobody reaches what is another's."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from indexes.errors import UsageError
from kr.settings import Settings
from kr.store import Database, open_database, passwords
from kr.store.accounts import create_organisation, create_user, find_user, utc_now
from kr.store.api_keys import create_key, living_keys
from kr.store.lists import create_list
from kr.store.migrating import upgrade
from kr.store.plans import create_plan
from kr.store.schema import Role, User
from kr.store.sign_in import FAILURES_OF_ONE_USER, sessions_of
from kr.store.verdicts import give_verdict
from webui import identity
from webui.access import ACCESS, Access
from webui.application import create_app
from webui.settings import WebSettings

PASSWORD = "correct horse battery"
FORM = {"Sec-Fetch-Site": "same-origin"}


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


@dataclass
class Tenant:
    """An organisation with an admin who is signed in, an advertiser, a key, and what of it has an identifier."""

    browser: FlaskClient
    key: str
    ids: dict[str, str]
    email: str


@pytest.fixture
def web(tiny_store: Path, database: Database) -> Flask:
    url = database.engine.url.render_as_string(hide_password=False)
    return create_app(Settings(store=tiny_store, database=url), WebSettings())


@pytest.fixture
def tenants(web: Flask, database: Database) -> tuple[Tenant, Tenant]:
    made = [_tenant(web, database, name) for name in ("one", "two")]
    return made[0], made[1]


def _tenant(web: Flask, database: Database, name: str) -> Tenant:
    now = utc_now()
    with database.writing() as session:
        organisation = create_organisation(session, name, now)
        admin = create_user(session, organisation, f"admin@{name}.example", name, Role.ADMIN, PASSWORD, now)
        other = create_user(session, organisation, f"user@{name}.example", name, Role.ADVERTISER, PASSWORD, now)
        key, text = create_key(session, admin, f"key of {name}", now)
    browser = web.test_client()
    assert sign_in(browser, admin.email).status_code == 303
    with database.writing() as session:
        (signed_in,) = sessions_of(session, admin.id, utc_now())
        keyword_list = create_list(session, admin.organisation_id, f"list of {name}", now)
        plan = create_plan(session, admin.organisation_id, f"plan of {name}", now)
        batch = give_verdict(session, find_user(session, admin.organisation_id, admin.id), "q", ["k"], "up", now)
    ids = {
        "user_id": other.id,
        "key_id": key.id,
        "session_id": signed_in.id,
        "list_id": keyword_list.id,
        "batch": batch,
        "text": "a keyword that nobody searched",
        "plan_id": plan.id,
        # What only operators of the platform may touch is nothing to all others, whatever its identifier.
        **dict.fromkeys(("rule_id", "number", "snapshot_id", "job_id", "kind", "list_name", "decision_id"), "1"),
    }
    return Tenant(browser, text, ids, admin.email)


def csrf_token(browser: FlaskClient, address: str = "/sign-in") -> str:
    html = browser.get(address).get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found, html
    return found[1]


def post(browser: FlaskClient, address: str, token_from: str = "/account", **fields: str) -> Any:
    return browser.post(address, data={"csrf_token": csrf_token(browser, token_from), **fields}, headers=FORM)


def sign_in(browser: FlaskClient, email: str, password: str = PASSWORD, **fields: str) -> Any:
    return post(browser, "/sign-in", "/sign-in", email=email, password=password, **fields)


def test_every_endpoint_says_who_may_use_it(web: Flask) -> None:
    endpoints = {rule.endpoint for rule in web.url_map.iter_rules()}
    assert endpoints == ACCESS.keys(), "webui/access.py names endpoints that are gone"


def test_an_endpoint_that_is_not_in_the_table_cannot_be_served(
    tiny_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(ACCESS, "pages.methods")
    with pytest.raises(UsageError, match=r"pages\.methods"):
        create_app(Settings(store=tiny_store), WebSettings())


def guarded_rules(web: Flask) -> list[tuple[Rule, str]]:
    """Every route and method that takes an account."""
    return [
        (rule, method)
        for rule in web.url_map.iter_rules()
        if ACCESS[rule.endpoint] not in (Access.EVERYBODY, Access.OPEN, Access.EMBEDDED)
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"})
    ]


def test_no_route_that_takes_an_account_answers_a_stranger(web: Flask) -> None:
    rules = guarded_rules(web)
    assert len(rules) >= 9
    for rule, method in rules:
        browser = web.test_client()
        token = csrf_token(browser)
        address = re.sub("<[^>]*>", "1", rule.rule)
        reply = browser.open(address, method=method, data={"csrf_token": token}, headers=FORM)
        if address.startswith("/api/"):
            assert reply.status_code == 401, (method, address)
            assert reply.headers["WWW-Authenticate"] == "Bearer"
        else:
            assert reply.status_code == 303, (method, address)
            assert reply.headers["Location"].startswith("/sign-in"), (method, address)


def test_every_route_with_an_identifier_hides_what_is_anothers(web: Flask, tenants: tuple[Tenant, Tenant]) -> None:
    one, two = tenants
    rules = [(rule, method) for rule, method in guarded_rules(web) if rule.arguments]
    assert rules
    for rule, method in rules:
        address = rule.rule
        for argument in rule.arguments:
            assert argument in two.ids, f"tell this test of a {argument} that belongs to the other organisation"
            address = re.sub(f"<([a-z]+:)?{argument}>", two.ids[argument], address)
        if address.startswith("/api/"):
            bearer = {"Authorization": f"Bearer {one.key}"}
            body = {"json": {"version": 1, "name": "x"}} if method in ("POST", "PATCH", "PUT") else {}
            reply = one.browser.open(f"{address}?version=1", method=method, headers=bearer, **body)
        else:
            data = {"csrf_token": csrf_token(one.browser, "/account"), "version": "1", "name": "x", "keywords": "x"}
            reply = one.browser.open(address, method=method, data=data, headers=FORM)
        assert reply.status_code == 404, (method, address, reply.get_data(as_text=True))
    assert two.browser.get("/account").status_code == 200, "the other one is untouched"
    assert web.test_client().get("/api/v1/account", headers={"Authorization": f"Bearer {two.key}"}).status_code == 200


def test_pages_show_only_ones_own(tenants: tuple[Tenant, Tenant]) -> None:
    one, _ = tenants
    for address in ("/account", "/account/users", "/lists", "/plans"):
        html = one.browser.get(address).get_data(as_text=True)
        assert "one.example" in html or "list of one" in html or "plan of one" in html
        assert "two" not in html


def test_signing_in_leads_back_to_where_one_was(web: Flask, tenants: tuple[Tenant, Tenant]) -> None:
    browser = web.test_client()
    asked = browser.get("/account/users?x=1")
    assert asked.headers["Location"] == "/sign-in?next=/account/users?x%3D1"
    done = sign_in(browser, tenants[0].email, next="/account/users?x=1")
    assert done.headers["Location"] == "/account/users?x=1"
    assert browser.get("/account/users").status_code == 200
    assert browser.get("/sign-in").status_code == 303


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil", "/x\r\nSet-Cookie: a", "", "x"]
)
def test_signing_in_never_leads_elsewhere(web: Flask, tenants: tuple[Tenant, Tenant], target: str) -> None:
    done = sign_in(web.test_client(), tenants[0].email, next=target)
    assert done.headers["Location"] == "/"


def test_the_session_cookie_is_out_of_reach_and_new_at_every_sign_in(
    web: Flask, tenants: tuple[Tenant, Tenant]
) -> None:
    browser = web.test_client()
    cookies = [
        next(line for line in sign_in(browser, tenants[0].email).headers.getlist("Set-Cookie") if "kr_session" in line)
        for _ in range(1)
    ]
    assert "HttpOnly" in cookies[0]
    assert "SameSite=Lax" in cookies[0]
    old = browser.get_cookie("kr_session")
    token = csrf_token(browser, "/account")
    fields = {"csrf_token": token, "email": tenants[0].email, "password": PASSWORD}
    browser.post("/sign-in", data=fields, headers=FORM)
    new = browser.get_cookie("kr_session")
    assert old and new and old.value != new.value
    stale = web.test_client()
    stale.set_cookie("kr_session", old.value)
    assert stale.get("/account").status_code == 303, "the session before is over"


def test_in_production_cookies_are_for_https_alone(tiny_store: Path, database: Database) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    production = WebSettings(production=True, secret_key="vR3-kq8_Lw0zXy7PnB5tHs2JmCf9Ge4D")
    web = create_app(Settings(store=tiny_store, database=url), production)
    with database.writing() as session:
        create_user(
            session, create_organisation(session, "x", utc_now()), "a@x.example", "", Role.ADMIN, PASSWORD, utc_now()
        )
    browser = web.test_client()
    html = browser.get("/sign-in", base_url="https://kr.example").get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found
    fields = {"csrf_token": found[1], "email": "a@x.example", "password": PASSWORD}
    done = browser.post("/sign-in", data=fields, headers=FORM, base_url="https://kr.example")
    (cookie,) = (line for line in done.headers.getlist("Set-Cookie") if "kr_session" in line)
    assert cookie.startswith("__Host-kr_session=")
    assert "Secure" in cookie


@pytest.mark.parametrize("secret", [None, "", "change-me", "x" * 64])
def test_production_does_not_start_with_a_secret_that_others_know(tiny_store: Path, secret: str | None) -> None:
    with pytest.raises(UsageError, match="KR_WEB_SECRET_KEY"):
        create_app(Settings(store=tiny_store), WebSettings(production=True, secret_key=secret))


def test_after_signing_out_nothing_is_left(web: Flask, tenants: tuple[Tenant, Tenant]) -> None:
    browser = tenants[0].browser
    cookie = browser.get_cookie("kr_session")
    page = browser.get("/account")
    assert page.headers["Cache-Control"] == "private, no-store", "so that the back button asks again"
    assert post(browser, "/sign-out").status_code == 303
    assert browser.get_cookie("kr_session") is None
    assert browser.get("/account").status_code == 303
    thief = web.test_client()
    assert cookie
    thief.set_cookie("kr_session", cookie.value)
    assert thief.get("/account").status_code == 303


def test_a_form_without_its_token_or_from_another_site_changes_nothing(
    database: Database, tenants: tuple[Tenant, Tenant]
) -> None:
    browser = tenants[0].browser
    token = csrf_token(browser, "/account")
    attempts = [
        browser.post("/account/keys", data={"name": "x"}, headers=FORM),
        browser.post("/account/keys", data={"name": "x", "csrf_token": token[::-1]}, headers=FORM),
        browser.post(
            "/account/keys", data={"name": "x", "csrf_token": csrf_token(tenants[1].browser, "/account")}, headers=FORM
        ),
        browser.post(
            "/account/keys", data={"name": "x", "csrf_token": token}, headers={"Sec-Fetch-Site": "cross-site"}
        ),
        browser.post("/account/keys", data={"name": "x", "csrf_token": token}, headers={"Sec-Fetch-Site": "same-site"}),
    ]
    assert [reply.status_code for reply in attempts] == [400] * 5
    with database.reading() as session:
        user = session.get(User, tenants[0].ids["user_id"])
        assert user
        assert len(living_keys(session, user.organisation_id)) == 1


def test_too_many_wrong_passwords_make_one_wait(web: Flask, tenants: tuple[Tenant, Tenant]) -> None:
    browser = web.test_client()
    for _ in range(FAILURES_OF_ONE_USER):
        reply = sign_in(browser, tenants[0].email, "wrong")
        assert reply.status_code == 401
        assert "wrong" in reply.get_data(as_text=True)
    reply = sign_in(browser, tenants[0].email)
    assert reply.status_code == 429
    assert int(reply.headers["Retry-After"]) > 0
    assert sign_in(browser, tenants[1].email).status_code == 303


def test_a_new_key_is_shown_once_and_works_until_revoked(web: Flask, tenants: tuple[Tenant, Tenant]) -> None:
    browser, program = tenants[0].browser, web.test_client()
    made = post(browser, "/account/keys", name="my <b>script</b>")
    assert made.status_code == 201
    found = re.search(r'<code class="secret">(kr_[\w-]+)</code>', made.get_data(as_text=True))
    assert found
    bearer = {"Authorization": f"Bearer {found[1]}"}
    account = program.get("/api/v1/account", headers=bearer).get_json()["data"]
    assert account["organisation"]["name"] == "one"
    assert account["user"]["role"] == "admin"
    page = browser.get("/account").get_data(as_text=True)
    assert found[1] not in page
    assert "<b>script" not in page
    revoke = next(key for key in re.findall(r"/account/keys/([\w-]+)/end", page) if key != tenants[0].ids["key_id"])
    post(browser, f"/account/keys/{revoke}/end")
    assert program.get("/api/v1/account", headers=bearer).status_code == 401


@pytest.mark.parametrize("header", ["Bearer kr_unknown", "Bearer", "Basic YTpi", "Bearer " + "x" * 5000, "x"])
def test_a_wrong_key_is_told_even_where_none_is_needed(web: Flask, header: str) -> None:
    body = {"keyword_seed": {"keywords": ["鲜花"]}}
    reply = web.test_client().post("/api/v1/keyword-ideas", json=body, headers={"Authorization": header})
    assert reply.status_code == 401
    assert reply.get_json()["type"] == "/problems#unauthenticated"


def test_the_api_takes_no_cookie(tenants: tuple[Tenant, Tenant]) -> None:
    assert tenants[0].browser.get("/api/v1/account").status_code == 401


def test_the_operator_can_ask_everybody_to_sign_in(
    tiny_store: Path, database: Database, tenants: tuple[Tenant, Tenant]
) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    closed = create_app(Settings(store=tiny_store, database=url), WebSettings(sign_in_required=True))
    browser = closed.test_client()
    body = {"keyword_seed": {"keywords": ["鲜花"]}}
    for address in ("/", "/search?q=鲜花", "/methods"):
        assert browser.get(address).headers["Location"].startswith("/sign-in")
    assert browser.post("/api/v1/keyword-ideas", json=body).status_code == 401
    assert browser.get("/healthz").status_code == 200
    bearer = {"Authorization": f"Bearer {tenants[0].key}"}
    assert browser.post("/api/v1/keyword-ideas", json=body, headers=bearer).status_code == 200
    assert sign_in(browser, tenants[0].email).status_code == 303
    assert browser.get("/search?q=鲜花").status_code == 200


@pytest.mark.parametrize("address", ["/widgets/related?q=鲜花", "/widgets/seeds"])
def test_widgets_answer_the_readers_of_sites_that_the_operator_named(
    tiny_store: Path, database: Database, address: str
) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    settings = Settings(store=tiny_store, database=url)
    private = create_app(settings, WebSettings(sign_in_required=True)).test_client()
    assert private.get(address).headers["Location"].startswith("/sign-in")
    named = WebSettings(sign_in_required=True, widget_origins=("https://shop.example",))
    embedded = create_app(settings, named).test_client()
    page = embedded.get(address)
    assert page.status_code == 200
    assert "frame-ancestors 'self' https://shop.example" in page.headers["Content-Security-Policy"]
    assert embedded.get("/search?q=鲜花").headers["Location"].startswith("/sign-in")


def test_only_admins_see_the_users(web: Flask, tenants: tuple[Tenant, Tenant]) -> None:
    browser = web.test_client()
    sign_in(browser, "user@one.example")
    assert browser.get("/account").status_code == 200
    assert browser.get("/account/users").status_code == 403
    assert post(browser, "/account/users", email="x@one.example", password=PASSWORD).status_code == 403


def test_an_admin_adds_and_disables_users(web: Flask, tenants: tuple[Tenant, Tenant]) -> None:
    admin = tenants[0].browser
    fields = {"email": "New@one.example", "name": "New", "role": "advertiser", "password": PASSWORD}
    assert post(admin, "/account/users", **fields).status_code == 303
    browser = web.test_client()
    assert sign_in(browser, "new@one.example").status_code == 303
    page = admin.get("/account/users").get_data(as_text=True)
    row = next(row for row in page.split("<tr>") if "new@one.example" in row)
    found = re.search(r"/account/users/([\w-]+)/disable", row)
    assert found
    assert post(admin, f"/account/users/{found[1]}/disable").status_code == 303
    assert browser.get("/account").status_code == 303
    assert sign_in(web.test_client(), "new@one.example").status_code == 401
    for wrong in ({"role": "operator"}, {"role": "emperor"}, {"email": "x"}, {"password": "short"}):
        reply = post(admin, "/account/users", **{**fields, "email": "other@one.example", **wrong})
        assert reply.status_code == 400, wrong


def test_an_admin_cannot_lock_everybody_out(tenants: tuple[Tenant, Tenant], database: Database) -> None:
    with database.reading() as session:
        me = session.query(User).filter_by(email=tenants[0].email).one().id
    assert post(tenants[0].browser, f"/account/users/{me}/disable").status_code == 400
    assert tenants[0].browser.get("/account").status_code == 200


def test_a_new_password_ends_the_other_browsers_and_keeps_this_one(web: Flask, tenants: tuple[Tenant, Tenant]) -> None:
    other = web.test_client()
    sign_in(other, tenants[0].email)
    browser = tenants[0].browser
    assert post(browser, "/account/password", old="wrong", new="four new good words").status_code == 400
    assert post(browser, "/account/password", old=PASSWORD, new="short").status_code == 400
    assert other.get("/account").status_code == 200
    assert post(browser, "/account/password", old=PASSWORD, new="four new good words").status_code == 303
    assert browser.get("/account").status_code == 200
    assert other.get("/account").status_code == 303
    assert sign_in(web.test_client(), tenants[0].email, "four new good words").status_code == 303


def test_a_session_that_is_used_stays_fresh(tenants: tuple[Tenant, Tenant], monkeypatch: pytest.MonkeyPatch) -> None:
    begun = utc_now()
    for hours in range(0, 48, 8):
        monkeypatch.setattr(identity, "utc_now", lambda hours=hours: begun + timedelta(hours=hours))
        assert tenants[0].browser.get("/account/users").status_code == 200
    monkeypatch.setattr(identity, "utc_now", lambda: begun + timedelta(hours=40 + 13))
    assert tenants[0].browser.get("/account/users").status_code == 303


def test_without_a_database_the_search_goes_on_and_signing_in_says_what_to_do(
    tiny_store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    web = create_app(Settings(store=tiny_store, database=f"sqlite:///{tmp_path}/empty.db"), WebSettings())
    browser = web.test_client()
    assert browser.get("/search?q=鲜花").status_code == 200
    reply = sign_in(browser, "a@example.com")
    assert reply.status_code == 503
    browser.set_cookie("kr_session", "of an earlier database")
    assert browser.get("/search?q=鲜花").status_code == 200
    assert browser.get("/account").status_code == 503


@pytest.mark.parametrize("address", ["/sign-in", "/account", "/account/users", "/lists"])
def test_account_pages_are_translated(
    tenants: tuple[Tenant, Tenant], web: Flask, parse: Callable[[str], Any], address: str
) -> None:
    browser = web.test_client() if address == "/sign-in" else tenants[0].browser
    page = parse(browser.get(f"{address}?lang=zh").get_data(as_text=True))
    headings = [element.text for tag in ("h1", "h2") for element in page.all(tag)]
    assert any(re.search("[\u4e00-\u9fff]", heading) for heading in headings)
    assert page.one("html").attributes["lang"] == "zh-Hans"


def test_programs_keep_lists_and_judge_keywords(web: Flask, tenants: tuple[Tenant, Tenant]) -> None:
    program = web.test_client()

    def call(method: str, address: str, **fields: Any) -> Any:
        body = {"json": fields} if fields else {}
        return program.open(address, method=method, headers={"Authorization": f"Bearer {tenants[0].key}"}, **body)

    made = call("POST", "/api/v1/keyword-lists", name="Mine", keywords=["鲜花店", "ROSES"])
    assert made.status_code == 201
    found = made.get_json()["data"]
    assert {row["keyword"] for row in found["keywords"]} == {"鲜花店", "roses"}
    address = f"/api/v1/keyword-lists/{found['id']}"
    changed = call("PATCH", address, version=found["version"], name="Ours", add=["a"], remove=["roses"]).get_json()[
        "data"
    ]
    assert changed["name"] == "Ours"
    assert {row["keyword"] for row in changed["keywords"]} == {"鲜花店", "a"}
    stale = call("PATCH", address, version=found["version"], remove=["a"], add=["b"])
    assert stale.status_code == 409
    assert stale.get_json()["type"] == "/problems#conflict"
    assert call("GET", address).get_json()["data"] == changed, "all or nothing"
    names = [row["name"] for row in call("GET", "/api/v1/keyword-lists").get_json()["data"]["keyword_lists"]]
    assert names == ["Ours", "list of one"]

    def ideas(**filters: Any) -> set[str]:
        reply = call("POST", "/api/v1/keyword-ideas", keyword_seed={"keywords": ["鲜花"]}, filters=filters).get_json()
        return {row["text"] for row in reply["data"]["keyword_ideas"]}

    everything = ideas()
    assert everything - ideas(hide_listed=True) == {"鲜花店"}
    said = call("POST", "/api/v1/verdicts", query="鲜花", keywords=["鲜花速递"], verdict="not_my_business")
    assert everything - ideas() == {"鲜花速递"}
    assert call("DELETE", f"/api/v1/verdicts/{said.get_json()['data']['batch']}").status_code == 204
    assert ideas() == everything
    assert call("DELETE", address).status_code == 400
    assert call("DELETE", f"{address}?version={changed['version']}").status_code == 204
    assert call("GET", address).status_code == 404


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ("/api/v1/keyword-lists", {"name": ""}),
        ("/api/v1/keyword-lists", {"name": "x", "keywords": [""]}),
        ("/api/v1/keyword-lists", {"name": "list of one"}),
        ("/api/v1/keyword-lists", {"nam": "x"}),
        ("/api/v1/verdicts", {"query": "q", "keywords": [], "verdict": "up"}),
        ("/api/v1/verdicts", {"query": "q", "keywords": ["a"], "verdict": "saved"}),
    ],
)
def test_what_cannot_be_kept_is_a_problem_that_names_it(
    web: Flask, tenants: tuple[Tenant, Tenant], address: str, fields: dict[str, Any]
) -> None:
    bearer = {"Authorization": f"Bearer {tenants[0].key}"}
    reply = web.test_client().post(address, json=fields, headers=bearer)
    assert reply.status_code == 400
    assert reply.mimetype == "application/problem+json"
