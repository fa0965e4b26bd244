"""An advertiser's way in Chromium from signing in to a plan that can be uploaded: URL → filter → plan → groups →
forecast → export → import again.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from conftest import Site
    from playwright.sync_api import Browser, Locator, Page

    Follow = Callable[[Locator], None]

pytestmark = pytest.mark.browser


def total_of(page: "Page") -> int:
    """The number of keywords in the heading of a plan's ad groups."""
    cells = page.locator("td[data-label='Keywords']").all_inner_texts()
    return sum(int(cell.replace(",", "")) for cell in cells)


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_from_a_page_to_a_plan_that_is_exported_and_read_again(
    site: "Site", browser: "Browser", follow: "Follow", tmp_path: Path, javascript: bool
) -> None:
    context = browser.new_context(base_url=site.address, java_script_enabled=javascript, locale="en-GB")
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: request.url.startswith(site.address) or wrong.append(request.url))
    page.goto("/for-you")
    assert "/sign-in" in page.url, "what is one's own asks who one is"
    site.sign_in(page)

    page.goto("/?lang=en")
    page.get_by_label("Product or service").fill(site.page)
    follow(page.get_by_role("button", name="Find keywords"))
    assert page.locator("bdi.text").count() > 10

    page.get_by_text("Filters and order").click()
    page.get_by_label("Must contain").fill("花")
    follow(page.get_by_role("button", name="Apply"))
    shown = page.locator("bdi.text").all_inner_texts()
    assert shown and all("花" in text for text in shown)

    page.locator("input[name=all]").check()
    page.get_by_label("Plan", exact=True).select_option("new")
    follow(page.get_by_role("button", name="Add to plan"))
    expect(page.get_by_role("status").first).to_be_visible()
    follow(page.get_by_role("link", name="Plans", exact=True))
    name = page.locator("tbody th a").first.inner_text()
    follow(page.locator("tbody th a").first)
    before = total_of(page)
    assert before >= len(shown)

    follow(page.get_by_role("link", name="Group anew"))
    follow(page.get_by_role("button", name="Take these ad groups"))
    follow(page.get_by_role("link", name="Ad groups").first)
    assert page.locator("td[data-label='Keywords']").count() > 1
    assert total_of(page) == before, "grouping loses no keyword"

    follow(page.get_by_role("link", name="Forecast and budget"))
    expect(page.get_by_text("Beside each number the range")).to_be_visible()
    page.locator("#budget").fill("200")
    follow(page.get_by_role("button", name="Show"))
    expect(page.get_by_role("heading", name="The best set for 200")).to_be_visible()
    follow(page.get_by_role("button", name="Run these at these bids, pause the others"))

    follow(page.get_by_role("link", name="Ad groups").first)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Google Ads Editor", exact=True).click()
    file = tmp_path / "plan.csv"
    waiting.value.save_as(file)
    assert "Campaign" in file.read_text(encoding="utf-8-sig").splitlines()[0]

    follow(page.get_by_role("link", name="Plans", exact=True))
    page.locator("#plan-file").set_input_files(file)
    follow(page.get_by_role("button", name="Make a plan of the file"))
    said = page.get_by_role("status").first.inner_text()
    read, taken, rejected = (int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", said)[:3])
    assert rejected == 0 and read == taken == before, (name, said)
    assert total_of(page) == before

    follow(page.get_by_role("link", name="Account", exact=True))
    follow(page.get_by_role("button", name="Sign out").first)
    page.go_back()
    page.reload()
    assert "/sign-in" in page.url, "the back button shows nothing of the account"
    context.close()
    assert not wrong
