"""Saving and judging keywords on the search page, and the lists – by forms alone, as without JavaScript."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from sqlalchemy import select

from kr.settings import Settings
from kr.store import Database, open_database, passwords
from kr.store.accounts import create_organisation, create_user, utc_now
from kr.store.lists import keywords_of, lists_of
from kr.store.migrating import upgrade
from kr.store.schema import KeywordVerdict, Role
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


@pytest.fixture
def browsers(tiny_store: Path, database: Database) -> list[FlaskClient]:
    """Somebody of each of two organisations, signed in."""
    url = database.engine.url.render_as_string(hide_password=False)
    web = create_app(Settings(store=tiny_store, database=url), WebSettings())
    made = []
    for name in ("one", "two"):
        with database.writing() as session:
            home = create_organisation(session, name, utc_now())
            create_user(session, home, f"{name}@example.com", name, Role.ADVERTISER, PASSWORD, utc_now())
        browser = web.test_client()
        post(browser, "/sign-in", "/sign-in", email=f"{name}@example.com", password=PASSWORD)
        made.append(browser)
    return made


def post(browser: FlaskClient, address: str, seen: str, **fields: Any) -> Any:
    """Send a form that was shown at `seen`."""
    html = browser.get(seen).get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found, html
    return browser.post(address, data={"csrf_token": found[1], **fields}, headers=FORM)


def act(browser: FlaskClient, query: str, action: str, *keywords: str, **fields: Any) -> Any:
    """What a button above the results does; follows it back to the search."""
    fields = {"search": query, "act": action, "keyword": list(keywords), **fields}
    reply = post(browser, "/search/act", f"/search?{query}", **fields)
    assert reply.status_code == 303
    assert reply.headers["Location"].startswith("/search?q=")
    return browser.get(reply.headers["Location"])


def texts(page: Any) -> list[str]:
    """The keywords that a search page shows."""
    return [element.text for element in page.all("bdi", class_="text")]


def lists(database: Database) -> dict[str, set[str]]:
    with database.reading() as session:
        from kr.store.schema import Organisation

        return {
            summary.list.name: {row.keyword for row in keywords_of(session, organisation, summary.list.id)}
            for organisation in session.scalars(select(Organisation.id))
            for summary in lists_of(session, organisation)
        }


@pytest.fixture
def parsed(parse: Callable[[str], Any]) -> Callable[[Any], Any]:
    return lambda reply: parse(reply.get_data(as_text=True))


def test_ticked_keywords_are_saved_to_a_new_list_and_marked(
    browsers: list[FlaskClient], database: Database, parsed: Callable[[Any], Any]
) -> None:
    page = parsed(act(browsers[0], "q=鲜花", "save", "鲜花店", "鲜花速递", list="new", name="Spring"))
    assert "2 keywords were added to “Spring”." in page.one("div", class_="notice").text
    assert lists(database) == {"Spring": {"鲜花店", "鲜花速递"}}
    assert len(page.all("span", class_="saved")) == 2
    other = parsed(browsers[1].get("/search?q=鲜花"))
    assert not other.all("span", class_="saved")


def test_saving_can_be_taken_back_from_the_same_page(
    browsers: list[FlaskClient], database: Database, parsed: Callable[[Any], Any]
) -> None:
    page = parsed(act(browsers[0], "q=鲜花", "save", "鲜花店", list="new", name="Spring"))
    undo = page.one("input", name="undo").attributes["value"]
    reply = post(browsers[1], "/search/undo", "/search?q=鲜花", search="q=鲜花", undo=undo)
    assert reply.status_code == 404, "nobody else can"
    assert lists(database) == {"Spring": {"鲜花店"}}
    reply = post(browsers[0], "/search/undo", "/search?q=鲜花", search="q=鲜花", undo=undo)
    assert "Taken back." in parsed(browsers[0].get(reply.headers["Location"])).one("div", class_="notice").text
    assert lists(database) == {"Spring": set()}


def test_a_typed_name_is_the_list_whether_it_exists_or_not(browsers: list[FlaskClient], database: Database) -> None:
    act(browsers[0], "q=鲜花", "save", "鲜花店", list="new", name="Spring")
    act(browsers[0], "q=鲜花", "save", "鲜花速递", list="new", name=" Spring ")
    act(browsers[0], "q=鲜花", "save", "生日蛋糕", list="new", name="")
    assert lists(database) == {"Spring": {"鲜花店", "鲜花速递"}, "鲜花": {"生日蛋糕"}}


def test_all_means_every_keyword_of_the_search_with_its_filters(
    browsers: list[FlaskClient], database: Database, parsed: Callable[[Any], Any]
) -> None:
    shown = parsed(browsers[0].get("/search?q=鲜花&languages=zh"))
    act(browsers[0], "q=鲜花&languages=zh&rows=25", "save", list="new", name="All", all="1")
    assert lists(database)["All"] == set(texts(shown))
    assert len(lists(database)["All"]) > 3


def test_not_my_business_hides_a_keyword_from_this_organisation_alone_until_it_is_restored(
    browsers: list[FlaskClient], parsed: Callable[[Any], Any]
) -> None:
    one, two = browsers
    before = texts(parsed(one.get("/search?q=鲜花")))
    assert "鲜花店" in before
    page = parsed(act(one, "q=鲜花", "not_my_business", "鲜花店"))
    assert "will not be shown" in page.one("div", class_="notice").text
    assert texts(page) == [text for text in before if text != "鲜花店"]
    assert texts(parsed(two.get("/search?q=鲜花"))) == before
    mine, theirs = (browser.get("/search/export?q=鲜花").get_data(as_text=True) for browser in (one, two))
    assert "\n鲜花店," not in mine and "\n鲜花店," in theirs
    assert "鲜花店" in one.get("/lists").get_data(as_text=True)
    assert post(two, "/lists/restore", "/lists", keyword="鲜花店").status_code == 404
    assert post(one, "/lists/restore", "/lists", keyword="鲜花店").status_code == 303
    assert texts(parsed(one.get("/search?q=鲜花"))) == before


def test_verdicts_are_kept_with_their_search(browsers: list[FlaskClient], database: Database) -> None:
    act(browsers[0], "q=鲜花", "up", "鲜花店")
    act(browsers[0], "q=鲜花", "irrelevant", "生日蛋糕", "送女友礼物")
    with database.reading() as session:
        rows = session.execute(
            select(KeywordVerdict.query, KeywordVerdict.keyword, KeywordVerdict.verdict).order_by(KeywordVerdict.id)
        ).all()
    assert [tuple(row) for row in rows] == [
        ("鲜花", "鲜花店", "up"),
        ("鲜花", "生日蛋糕", "irrelevant"),
        ("鲜花", "送女友礼物", "irrelevant"),
    ]


def test_what_is_on_a_list_can_be_hidden(browsers: list[FlaskClient], parsed: Callable[[Any], Any]) -> None:
    act(browsers[0], "q=鲜花", "save", "鲜花店", list="new", name="Spring")
    page = parsed(browsers[0].get("/search?q=鲜花&hide_saved=1"))
    assert "鲜花店" not in texts(page)
    assert page.one("input", name="hide_saved").attributes.get("checked", "no") != "no"
    assert "鲜花店" in texts(parsed(browsers[0].get("/search?q=鲜花")))


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("save", {"list": "new", "name": "x"}),
        ("up", {}),
        ("destroy", {"keyword": "鲜花店"}),
        ("", {"keyword": "鲜花店"}),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_happens(
    browsers: list[FlaskClient], database: Database, parsed: Callable[[Any], Any], action: str, fields: dict[str, str]
) -> None:
    reply = post(browsers[0], "/search/act", "/search?q=鲜花", search="q=鲜花", act=action, **fields)
    page = parsed(browsers[0].get(reply.headers["Location"]))
    assert page.all("div", class_="bad")
    assert lists(database) == {}


def test_a_list_is_filled_renamed_emptied_undone_and_deleted(
    browsers: list[FlaskClient], database: Database, parsed: Callable[[Any], Any]
) -> None:
    browser = browsers[0]
    address = post(browser, "/lists", "/lists", name="Mine").headers["Location"]

    def change(action: str, **fields: Any) -> Any:
        version = parsed(browser.get(address)).all("input", name="version")
        return post(browser, f"{address}/{action}", address, version=version[0].attributes["value"], **fields)

    assert change("add", keywords="鲜花\n\nFLOWERS\n unknown words \n").status_code == 303
    page = browser.get(address).get_data(as_text=True)
    assert "nobody searched it" in page
    assert lists(database) == {"Mine": {"鲜花", "flowers", "unknown words"}}
    assert change("remove", keyword=["flowers"]).status_code == 303
    assert lists(database) == {"Mine": {"鲜花", "unknown words"}}
    assert change("undo").status_code == 303
    assert lists(database) == {"Mine": {"鲜花", "flowers", "unknown words"}}
    assert change("rename", name="Yours").status_code == 303
    assert change("undo").status_code == 400, "a new name is typed back by hand"
    assert change("rename", name="").status_code == 400
    assert "Delete it for good" not in page
    assert "Delete it for good" in browser.get(f"{address}?delete=1").get_data(as_text=True)
    assert change("delete").status_code == 303
    assert lists(database) == {}
    assert browser.get(address).status_code == 404


def test_two_people_who_edit_one_list_do_not_undo_each_other(
    browsers: list[FlaskClient], database: Database, parsed: Callable[[Any], Any]
) -> None:
    browser = browsers[0]
    address = post(browser, "/lists", "/lists", name="Ours").headers["Location"]
    post(browser, f"{address}/add", address, keywords="a\nb")
    seen = parsed(browser.get(address)).all("input", name="version")[0].attributes["value"]
    post(browser, f"{address}/remove", address, version=seen, keyword="a")
    late = post(browser, f"{address}/remove", address, version=seen, keyword="b")
    assert late.status_code == 409
    assert "changed by somebody else" in parsed(late).one("p", class_="bad").text
    assert lists(database) == {"Ours": {"b"}}


def test_a_stranger_sees_no_buttons_that_need_an_account(tiny_store: Path, parsed: Callable[[Any], Any]) -> None:
    page = parsed(create_app(Settings(store=tiny_store), WebSettings()).test_client().get("/search?q=鲜花"))
    assert not page.all("form", id="act")
    assert not page.all("input", name="keyword")
