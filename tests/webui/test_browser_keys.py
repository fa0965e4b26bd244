"""The table of keywords by keyboard, and a page ticked at once, in a real browser."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select
from werkzeug.serving import make_server

from kr.settings import Settings
from kr.store.accounts import create_organisation, create_user, utc_now
from kr.store.database import open_database
from kr.store.lists import keywords_of, lists_of
from kr.store.migrating import upgrade
from kr.store.schema import Organisation, Role
from webui.application import create_app
from webui.settings import WebSettings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser
PASSWORD = "a long enough pass phrase"
Visit = Callable[..., "Page"]
Follow = Callable[["Locator"], None]


@pytest.fixture
def signed_in(browser: "Browser", tiny_store: Path, tmp_path: Path) -> Iterator[tuple["Page", str]]:
    """A page of somebody who is signed in, and the database's URL."""
    url = f"sqlite:///{tmp_path}/kr.db"
    database = open_database(url)
    upgrade(database)
    with database.writing() as session:
        organisation = create_organisation(session, "one", utc_now())
        create_user(session, organisation, "a@one.example", "a", Role.ADMIN, PASSWORD, utc_now())
    database.engine.dispose()
    web = create_app(Settings(store=tiny_store, database=url), WebSettings())
    server = make_server("127.0.0.1", 0, web, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    context = browser.new_context(base_url=f"http://127.0.0.1:{server.server_port}", locale="en-GB")
    page = context.new_page()
    page.goto("/sign-in")
    page.fill("[name=email]", "a@one.example")
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url("**/")
    yield page, url
    context.close()
    server.shutdown()
    thread.join()
    server.server_close()


def here(page: "Page") -> str:
    return page.locator("tr.here bdi.text").inner_text()


def test_j_and_k_go_through_the_rows_and_enter_opens_one(visit: Visit) -> None:
    page = visit("/search?q=鲜花&lang=en")
    keywords = page.locator("bdi.text").all_inner_texts()
    page.locator("h1").click()
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert here(page) == keywords[1]
    page.keyboard.press("k")
    page.keyboard.press("k")
    assert here(page) == keywords[0], "before the first there is none"
    page.keyboard.press("Enter")
    page.wait_for_url("**/keyword?**")
    assert page.locator("h1 bdi").inner_text() == keywords[0]


def test_letters_typed_into_the_search_box_are_letters(visit: Visit) -> None:
    page = visit("/search?q=&min_searches=1&lang=en")
    page.locator("#q").fill("")
    page.locator("#q").press_sequentially("jks?")
    assert page.locator("#q").input_value() == "jks?"
    assert not page.locator("tr.here").count()


def test_the_question_mark_shows_the_keys(visit: Visit) -> None:
    page = visit("/search?q=鲜花&lang=en")
    page.keyboard.press("?")
    assert page.locator("#keys").get_attribute("open") is not None
    page.keyboard.press("?")
    assert page.locator("#keys").get_attribute("open") is None


def test_rows_are_ticked_and_saved_by_keyboard(signed_in: tuple["Page", str]) -> None:
    page, url = signed_in
    page.goto("/search?q=鲜花&lang=en")
    keywords = page.locator("bdi.text").all_inner_texts()
    for key in ("j", "x", "j", "x", "s"):
        page.keyboard.press(key)
    page.get_by_role("status").filter(has_text="2 keywords were added").wait_for()
    for key in ("j", "j", "j", "s"):
        page.keyboard.press(key)
    page.get_by_role("status").filter(has_text="1 keyword was added").wait_for()
    database = open_database(url)
    with database.reading() as session:
        mine = session.scalars(select(Organisation.id)).one()
        lists = [summary.list.id for summary in lists_of(session, mine)]
        saved = {row.keyword for list_id in lists for row in keywords_of(session, mine, list_id)}
    database.engine.dispose()
    assert saved == set(keywords[:3])


def test_a_whole_page_is_ticked_at_once(signed_in: tuple["Page", str]) -> None:
    page, _ = signed_in
    page.goto("/search?q=鲜花&lang=en")
    page.get_by_label("this page").check()
    boxes = page.locator("input.choose")
    assert boxes.count() > 3 and all(box.is_checked() for box in boxes.all())
    page.get_by_label("this page").uncheck()
    assert not any(box.is_checked() for box in boxes.all())


def test_an_untouched_choice_of_columns_stays_out_of_the_address(visit: Visit, follow: Follow) -> None:
    page = visit("/search?q=鲜花&lang=en")
    page.locator("details.filters > summary").click()
    follow(page.get_by_role("button", name="Apply"))
    assert "columns" not in page.url
    page.locator("details.filters > summary").click()
    page.get_by_label("Devices").check()
    follow(page.get_by_role("button", name="Apply"))
    assert "columns=devices" in page.url
    assert page.locator("td.c-devices").count() > 3
