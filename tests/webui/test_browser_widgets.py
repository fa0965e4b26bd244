"""Widgets inside another site's page in Chromium: by iframe and by the tag of one line, in every look."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, expect
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from kr.settings import Settings
from webui.application import create_app
from webui.settings import WebSettings

pytestmark = pytest.mark.browser


class Site:
    """Another site: one page that embeds KR's widgets, and a search page of its own."""

    kr = ""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        if request.path != "/":
            return Response("<!doctype html><title>Found</title>", mimetype="text/html")(environ, start_response)
        look = request.query_string.decode()
        html = (
            f'<!doctype html><html lang="en"><title>Shop</title><h1>Shop</h1>'
            f'<iframe id="related" title="Related" width="100%" height="160" '
            f'src="{self.kr}/widgets/related?q=%E9%B2%9C%E8%8A%B1&{look}"></iframe>'
            f'<script src="{self.kr}/widgets/seeds.js" data-industry="flowers" data-client="reader-9" '
            + " ".join(f'data-{name}="{value[0]}"' for name, value in parse_qs(look).items())
            + "></script>"
        )
        return Response(html, mimetype="text/html")(environ, start_response)


def served(application: Any, host: str) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://{host}:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[Site, str]]:
    # Another name of this machine is another origin, and another site for the browser.
    shop = Site()
    for address in served(shop, "localhost"):
        yield shop, address


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("events")


@pytest.fixture(scope="module")
def embedding(site: tuple[Site, str], small_store: Path, events: Path) -> Iterator[str]:
    """The shop's address, whose origin may embed."""
    shop, address = site
    web = WebSettings(widget_origins=(address,), widget_search_url=f"{address}/find?q={{query}}", events=events)
    for shop.kr in served(create_app(Settings(store=small_store), web), "127.0.0.1"):
        yield address


def test_a_site_that_may_shows_both_widgets_and_a_click_searches_on_the_site(
    browser: Browser, embedding: str, events: Path
) -> None:
    context = browser.new_context()
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(embedding)
    related = page.frame_locator("#related")
    expect(related.get_by_role("heading", name="Related searches")).to_be_visible()
    seeds = page.frame_locator("iframe[title='Searches to try']")
    link = seeds.get_by_role("link").first
    text = link.inner_text()
    link.click()
    page.wait_for_url(f"{embedding}/find?**")
    assert parse_qs(urlsplit(page.url).query)["q"] == [text]
    recorded = next(events.glob("*.ndjson")).read_text(encoding="utf-8")
    assert f'"user_query":"{text}"' in recorded and "reader-9" in recorded
    context.close()
    assert not wrong, wrong


@pytest.fixture
def refusing(site: tuple[Site, str], small_store: Path) -> Iterator[str]:
    """The shop's address, whose origin may not embed."""
    shop, address = site
    before = shop.kr
    for shop.kr in served(create_app(Settings(store=small_store), WebSettings()), "127.0.0.1"):
        yield address
    shop.kr = before


def test_a_site_that_may_not_sees_no_widget(browser: Browser, refusing: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        page.goto(refusing)
    expect(page.frame_locator("#related").get_by_role("link")).to_have_count(0)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("look", ["", "theme=dark&accent=e5745a", "theme=light&lang=zh"])
def test_every_look_is_readable_and_fits_a_narrow_window(
    browser: Browser, embedding: str, tmp_path: Path, scheme: Any, look: str
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 320, "height": 500})
    page = context.new_page()
    page.goto(f"{embedding}/?{look}")
    frame = page.frame_locator("#related").locator("body")
    expect(frame.get_by_role("link").first).to_be_visible()
    assert frame.evaluate("body => document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    colours = frame.evaluate(
        "body => [getComputedStyle(body).color, getComputedStyle(body).backgroundColor].map("
        "text => text.match(/[0-9]+/g).slice(0, 3).map(Number))"
    )
    assert abs(sum(colours[0]) - sum(colours[1])) > 450
    is_dark = sum(colours[1]) < 380
    assert is_dark == ("theme=dark" in look or (scheme == "dark" and "theme=light" not in look))
    page.screenshot(path=tmp_path / "widgets.png")
    context.close()
