"""Every page in Chromium under axe-core: both languages, light and dark, wide and narrow, signed in as who may see it.

The pages come from the URL map, so that a new one cannot be forgotten.
"""

from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import pytest

from webui.access import ACCESS

if TYPE_CHECKING:
    from conftest import Site
    from playwright.sync_api import APIResponse, Browser, Page

pytestmark = pytest.mark.browser
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
QUERIES = {
    "pages.search": "?q=鲜花&rows=25",
    "exports.search_file": "?q=鲜花",
    "widgets.related": "?q=鲜花",
}
"""What is asked of pages that say nothing without a question."""
NO_PAGES = frozenset({"static_file", "operations.healthz", "operations.readyz", "operations.metrics", "widgets.go"})
"""Endpoints that answer GET with something else than a page; the API's and what downloads a file are recognised."""


def addresses(site: "Site") -> list[str]:
    """Every address that answers GET with a page."""
    found = []
    for rule in site.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule.startswith("/api/") or rule.endpoint in NO_PAGES:
            continue
        path = rule.rule
        for argument in rule.arguments:
            assert argument in site.ids, f"tell this test of a {argument} that exists"
            path = path.replace(f"<{argument}>", site.ids[argument])
        found.append(path + QUERIES.get(rule.endpoint, ""))
    return sorted(found)


def is_page(reply: "APIResponse") -> bool:
    is_html = reply.headers.get("content-type", "").startswith("text/html")
    return is_html and "attachment" not in reply.headers.get("content-disposition", "")


def violations(page: "Page") -> list[str]:
    """What axe-core, which the page has loaded, finds wrong, in a line each."""
    found: list[dict[str, Any]] = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}}).then(result => result.violations)", RULES
    )
    return [
        f"{each['id']}: {node['html'][:200]} ({node['failureSummary']})" for each in found for node in each["nodes"]
    ]


LOOKS: dict[str, list[tuple[Literal["light", "dark"], int]]] = {
    "en": [("light", 1280), ("dark", 320)],
    "zh": [("light", 320), ("dark", 1280)],
}
"""The colour scheme and the width of the window: both of each in both languages."""


@pytest.mark.parametrize("language", LOOKS)
def test_no_page_keeps_anybody_out(site: "Site", browser: "Browser", language: str) -> None:
    assert ACCESS.keys() >= set(QUERIES) | NO_PAGES
    # Colours that are on their way to another scheme are none that anybody reads.
    context = browser.new_context(base_url=site.address, bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    site.sign_in(page)
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    wrong = []
    looked_at = 0
    for path in addresses(site):
        if not is_page(page.request.get(path)):
            continue
        looked_at += 1
        page.goto(path + ("&" if "?" in path else "?") + f"lang={language}")
        page.evaluate(axe + ";0")
        for scheme, width in LOOKS[language]:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            wrong += [f"{path}, {scheme}, {width} px: {each}" for each in violations(page)]
            if page.evaluate("document.documentElement.scrollWidth") > width:
                wrong.append(f"{path} is wider than a {scheme} window of {width} px")
    context.close()
    assert not wrong, "\n".join(wrong)
    assert looked_at > 20
