"""Suggestions under the search box in Chromium: by keyboard, mouse and input method, and how little they ask."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def box_of(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Product or service")


def options_of(page: Page) -> Locator:
    return page.get_by_role("listbox").get_by_role("option")


def asked_of(page: Page) -> list[str]:
    """What the page asks from now on, a text a request."""
    asked: list[str] = []

    def note(request: Any) -> None:
        if "/api/v1/suggestions" in request.url:
            asked.append(parse_qs(urlsplit(request.url).query).get("q", [""])[0])

    page.on("request", note)
    return asked


def test_typed_initials_lead_by_arrow_and_enter_to_the_keywords_of_a_suggestion(visit: Visit) -> None:
    page = visit("/")
    box = box_of(page)
    expect(box).to_have_attribute("aria-expanded", "false")
    box.press_sequentially("xh")
    first = options_of(page).first
    expect(first).to_contain_text("鲜花")
    expect(first).to_contain_text("a month")
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("status")).to_contain_text("Suggestions: ")
    box.press("ArrowDown")
    expect(first).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", str(first.get_attribute("id")))
    box.press("Enter")
    page.wait_for_url("**/search?**")
    assert parse_qs(urlsplit(page.url).query)["q"] == ["鲜花"]


def test_the_part_that_matches_is_marked(visit: Visit) -> None:
    page = visit("/")
    box_of(page).fill("flower")
    expect(options_of(page).first.locator("mark")).to_have_text("flower")


def test_past_either_end_of_the_list_stands_what_was_typed_and_escape_closes_it(visit: Visit) -> None:
    page = visit("/")
    box = box_of(page)
    box.fill("flower")
    expect(options_of(page).first).to_be_visible()
    last = options_of(page).last
    box.press("ArrowUp")
    expect(last).to_have_attribute("aria-selected", "true")
    box.press("ArrowDown")
    expect(last).to_have_attribute("aria-selected", "false")
    assert box.get_attribute("aria-activedescendant") is None and box.input_value() == "flower"
    box.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    assert box.input_value() == "flower"
    box.press("Enter")
    page.wait_for_url("**/search?q=flower")


def test_of_several_keywords_the_one_at_the_caret_is_completed(visit: Visit) -> None:
    page = visit("/")
    box_of(page).fill("英语培训, flower deliv")
    wanted = options_of(page).first.locator("bdi").inner_text()
    assert wanted.startswith("flower deliv")
    options_of(page).first.click()
    page.wait_for_url("**/search?**")
    assert parse_qs(urlsplit(page.url).query)["q"] == [f"英语培训, {wanted}"]


def test_nothing_is_asked_while_an_input_method_composes_and_its_text_is_asked_once(visit: Visit) -> None:
    page = visit("/")
    page.clock.install()
    asked = asked_of(page)
    box_of(page).focus()
    method = page.context.new_cdp_session(page)
    for letters in ("x", "xi", "xian", "xian'hua"):
        method.send("Input.imeSetComposition", {"text": letters, "selectionStart": 0, "selectionEnd": len(letters)})
    assert box_of(page).input_value() == "xian'hua"
    page.clock.run_for(10_000)
    assert asked == [] and page.get_by_role("listbox").is_hidden()
    method.send("Input.insertText", {"text": "鲜花"})
    page.clock.run_for(10_000)
    expect(options_of(page).first).to_contain_text("鲜花")
    assert asked == ["鲜花"] and box_of(page).input_value() == "鲜花"


def test_enter_that_ends_a_composition_chooses_and_sends_nothing(visit: Visit) -> None:
    page = visit("/")
    box_of(page).fill("flower")
    expect(options_of(page).first).to_be_visible()
    box_of(page).evaluate(
        "box => box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', keyCode: 229, bubbles: true}))"
    )
    assert urlsplit(page.url).path == "/" and box_of(page).input_value() == "flower"


def test_quick_typing_asks_once_and_deleting_a_letter_asks_nothing_again(visit: Visit) -> None:
    page = visit("/")
    # The page's time stands still while somebody types, however slow this machine is.
    page.clock.install(time=datetime(2026, 11, 22, 9))
    page.clock.pause_at(datetime(2026, 11, 22, 10))
    asked = asked_of(page)
    box = box_of(page)
    box.press_sequentially("flowe")
    assert asked == []
    page.clock.run_for(1000)
    expect(options_of(page).first).to_be_visible()
    assert asked == ["flowe"]
    box.press("r")
    page.clock.run_for(1000)
    expect(options_of(page).first.locator("mark")).to_have_text("flower")
    box.press("Backspace")
    page.clock.run_for(1000)
    expect(options_of(page).first.locator("mark")).to_have_text("flowe")
    assert asked == ["flowe", "flower"]


def test_a_late_reply_to_an_older_text_is_not_shown(visit: Visit) -> None:
    page = visit("/")
    waiting: list[Route] = []
    page.route("**/suggestions?q=xh*", lambda route: waiting.append(route))
    box = box_of(page)
    with page.expect_request("**/suggestions?q=xh*"):
        box.press_sequentially("xh")
    box.fill("flower")
    expect(options_of(page).first).to_contain_text("flower")
    assert len(waiting) == 1
    waiting[0].fulfill(json={"data": {"query": "xh", "suggestions": []}})
    expect(options_of(page).first).to_contain_text("flower")


def test_the_list_closes_when_the_box_is_left(visit: Visit) -> None:
    page = visit("/")
    box_of(page).fill("flower")
    expect(options_of(page).first).to_be_visible()
    box_of(page).press("Tab")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(page.get_by_role("button", name="Find keywords")).to_be_focused()


def test_without_script_the_box_is_a_plain_field(visit: Visit) -> None:
    page = visit("/", java_script_enabled=False)
    box = page.get_by_role("searchbox", name="Product or service")
    box.fill("鲜花")
    box.press("Enter")
    page.wait_for_url("**/search?**")
    assert page.get_by_role("listbox").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_list_fits_the_window_and_lies_under_the_box(visit: Visit, tmp_path: Path, scheme: Any, width: int) -> None:
    page = visit("/?lang=zh", viewport={"width": width, "height": 900}, color_scheme=scheme, locale="zh-CN")
    box = page.get_by_role("combobox")
    box.fill("xh")
    expect(options_of(page).first).to_be_visible()
    box.press("ArrowDown")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outer, inner = box.bounding_box(), page.get_by_role("listbox").bounding_box()
    assert outer and inner
    assert 0 <= inner["y"] - (outer["y"] + outer["height"]) < 12 and inner["x"] + inner["width"] <= width
    page.screenshot(path=tmp_path / f"suggestions-{scheme}-{width}.png")
