"""A person's walk through the pages in Chromium: with and without JavaScript, in both languages, wide and narrow."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
Follow = Callable[[Locator], None]


def keywords_of(page: Page) -> list[str]:
    return page.locator("bdi.text").all_inner_texts()


def parameters_of(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_the_walk_from_the_home_page_through_sorting_filtering_and_paging_to_the_other_language(
    visit: Visit, follow: Follow, javascript: bool
) -> None:
    page = visit("/", java_script_enabled=javascript)
    page.get_by_label("Product or service").fill("鲜花")
    follow(page.get_by_role("button", name="Find keywords"))
    first = keywords_of(page)
    assert len(first) == 25 and "鲜花" in first
    assert page.locator("td.c-why").first.inner_text()

    follow(page.get_by_role("link", name="Searches a month"))
    falling = keywords_of(page)
    assert falling != first and parameters_of(page)["sort"] == ["-searches"]

    page.get_by_text("Filters and order").click()
    page.get_by_label("Chinese", exact=True).check()
    follow(page.get_by_role("button", name="Apply"))
    assert parameters_of(page)["languages"] == ["zh"] and parameters_of(page)["sort"] == ["-searches"]
    assert set(page.locator("td.c-why").first.locator("xpath=..").locator(".tag").all_inner_texts()) == {"Chinese"}
    filtered = keywords_of(page)

    follow(page.get_by_role("link", name="Next"))
    assert parameters_of(page)["page"] == ["2"]
    assert set(keywords_of(page)).isdisjoint(filtered)

    follow(page.get_by_role("link", name="中文"))
    assert parameters_of(page)["page"] == ["2"] and parameters_of(page)["lang"] == ["zh"]
    expect(page.get_by_role("button", name="查找关键词")).to_be_visible()
    expect(page.get_by_role("columnheader", name="推荐理由")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_search_is_downloaded_under_its_name_and_can_be_imported(
    visit: Visit, address: str, javascript: bool
) -> None:
    page = visit("/search?q=鲜花&rows=25&lang=en", java_script_enabled=javascript)
    shown = keywords_of(page)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Google Ads Editor", exact=True).click()
    assert waiting.value.suggested_filename == "keywords google_ads_editor 鲜花.csv"
    content = Path(waiting.value.path()).read_bytes()
    reply = page.request.post(f"{address}/api/v1/plan/import?page_size=25", data=content).json()["data"]
    assert reply["format"] == "google_ads_editor" and reply["rejected"] == 0 and reply["kept"] > 25
    assert [row["keyword"] for row in reply["rows"]] == shown


def test_with_javascript_the_address_of_a_search_holds_only_what_was_filled_in(visit: Visit, follow: Follow) -> None:
    page = visit("/search?q=鲜花")
    page.get_by_text("Filters and order").click()
    page.get_by_label("Must contain").fill("鲜花")
    follow(page.get_by_role("button", name="Apply"))
    assert set(parameters_of(page)) == {"q", "contain"}
    page.go_back()
    assert page.locator("input:disabled").count() == 0


def test_the_slash_key_leads_to_the_search_box_and_escape_closes_a_table_of_months(visit: Visit) -> None:
    page = visit("/search?q=鲜花")
    chart = page.locator("details.months").first
    chart.locator("summary").click()
    expect(chart.locator("table")).to_be_visible()
    page.keyboard.press("Escape")
    expect(chart.locator("table")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.get_by_label("Product or service")).to_be_focused()


def test_the_page_is_walked_by_keyboard_alone(visit: Visit) -> None:
    page = visit("/search?q=鲜花", java_script_enabled=False)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.closest('form, th, details, header')?.className ?? ''"))
    assert {"site", "search-form", "filters"} <= reached
    assert any("c-searches" in name for name in reached) and "months" in reached


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_is_wider_than_the_window_and_text_stands_out(
    visit: Visit, tmp_path: Path, language: str, scheme: Any, width: int
) -> None:
    page = visit(f"/?lang={language}", viewport={"width": width, "height": 900}, color_scheme=scheme)
    for name, path in (("home", "/?"), ("results", "/search?q=鲜花&min_searches=1&"), ("methods", "/methods?")):
        page.goto(f"{path}lang={language}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        weak = page.evaluate(CONTRAST)
        assert not weak, f"{name}: {weak}"
        page.screenshot(path=tmp_path / f"{name}-{language}-{scheme}-{width}.png")


def test_on_paper_the_table_keeps_its_rows_and_loses_the_controls(visit: Visit) -> None:
    page = visit("/search?q=鲜花")
    page.emulate_media(media="print")
    expect(page.locator(".search-form")).to_be_hidden()
    expect(page.locator("nav.paging")).to_be_hidden()
    expect(page.locator("bdi.text").first).to_be_visible()


# Every element with text of its own: its colour against the nearest opaque background, by WCAG 2's contrast ratio.
CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const known = {};
  const parse = (text) => {
    if (!(text in known)) {
      canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
      known[text] = [...canvas.getImageData(0, 0, 1, 1).data];
    }
    return known[text];
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const weak = new Set();
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest('[aria-hidden], .hidden, svg')) continue;
    const a = light(parse(getComputedStyle(element).color).slice(0, 3)), b = light(ground(element).slice(0, 3));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) weak.add(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
  }
  return [...weak];
}"""
