"""Widgets that other sites embed: small, script-free, in the site's look, framed by whom the operator allows."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from indexes.errors import UsageError
from kr.settings import Settings
from webui.application import create_app
from webui.settings import WebSettings, load_web_settings

SHOP = "https://shop.example/find?term={query}&from=kr"
PAGES = ("/widgets/related?q=%E9%B2%9C%E8%8A%B1", "/widgets/seeds?industry=flowers")


@pytest.fixture(scope="module")
def embedded(small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    web = WebSettings(
        widget_origins=("https://shop.example", "https://*.mall.example"),
        widget_search_url=SHOP,
        events=tmp_path_factory.mktemp("events"),
    )
    return create_app(Settings(store=small_store), web)


@pytest.fixture(scope="module")
def plain(small_store: Path) -> FlaskClient:
    return create_app(Settings(store=small_store), WebSettings()).test_client()


def links(page: Any) -> list[Any]:
    return list(page.all("a"))


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("look", ["", "&theme=dark&accent=b00", "&theme=light&accent=1a2B3c&lang=zh"])
def test_a_widget_weighs_less_than_5_kilobytes_and_holds_no_script(
    plain: FlaskClient, parse: Callable[[str], Any], address: str, look: str
) -> None:
    reply = plain.get(address + look)
    assert reply.status_code == 200
    page = parse(reply.get_data(as_text=True))
    assert len(links(page)) >= 5
    style = plain.get(page.one("link", rel="stylesheet").attributes["href"])
    assert style.status_code == 200 and style.mimetype == "text/css"
    assert len(reply.data) + len(style.data) < 5_000
    assert not page.all("script") and not page.all("style")
    assert not [e for e in page.elements if any(n.startswith("on") or n == "style" for n in e.attributes)]


def test_links_lead_the_whole_window_to_a_search_for_the_keyword(
    plain: FlaskClient, parse: Callable[[str], Any]
) -> None:
    for link in links(parse(plain.get(PAGES[0]).get_data(as_text=True))):
        target = urlsplit(link.attributes["href"])
        assert target.path == "/search" and parse_qs(target.query)["q"] == [link.text]
        assert link.attributes["target"] == "_top"


def test_where_nothing_is_related_the_page_is_empty(plain: FlaskClient, parse: Callable[[str], Any]) -> None:
    reply = plain.get("/widgets/related?q=qxzvkw")
    page = parse(reply.get_data(as_text=True))
    assert reply.status_code == 200 and not page.all("nav") and page.one("body").text == ""


@pytest.mark.parametrize("address", PAGES)
def test_only_the_operators_origins_may_frame_a_widget(plain: FlaskClient, embedded: Flask, address: str) -> None:
    headers = plain.get(address).headers
    assert headers["Content-Security-Policy"].endswith("frame-ancestors 'self'")
    headers = embedded.test_client().get(address).headers
    assert headers["Content-Security-Policy"].endswith(
        "frame-ancestors 'self' https://shop.example https://*.mall.example"
    )
    assert "X-Frame-Options" not in headers and headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "script-src" not in headers["Content-Security-Policy"] and "unsafe" not in headers["Content-Security-Policy"]


def test_no_other_page_may_be_framed_by_anybody(embedded: Flask) -> None:
    headers = embedded.test_client().get("/").headers
    assert headers["X-Frame-Options"] == "DENY" and "frame-ancestors 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("theme=pink", "theme"),
        ("accent=red", "accent"),
        ("accent=%230f5e56", "accent"),
        ("accent=0f5e56;}body{display:none", "accent"),
        ("accent=0f5e56%0A", "accent"),
        ("lang=fr", "lang"),
        ("client=a%0Ab", "client"),
        ("client=" + "a" * 201, "client"),
        ("limit=0", "limit"),
        ("onload=alert(1)", "onload"),
    ],
)
def test_anything_but_the_closed_list_of_parameters_is_refused(plain: FlaskClient, query: str, name: str) -> None:
    for address in PAGES:
        reply = plain.get(f"{address}&{query}")
        assert reply.status_code == 400 and reply.json["errors"][0]["pointer"] == f"#/{name}"
    if name in ("theme", "accent"):
        assert plain.get(f"/widgets/style.css?{query}").status_code == 400


def test_the_sheet_follows_the_theme(plain: FlaskClient) -> None:
    light, dark, auto = (plain.get(f"/widgets/style.css?theme={theme}").text for theme in ("light", "dark", "auto"))
    assert "prefers-color-scheme" in auto and "prefers-color-scheme" not in light + dark
    assert "#16191b" in dark and "#16191b" not in light
    assert plain.get("/widgets/style.css?accent=abc").text.count("--accent:#abc") == 2


@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(), max_size=80))
def test_no_text_makes_a_widget_fail_or_say_more_than_text(client: FlaskClient, text: str) -> None:
    raw = quote(text.encode("utf-8", "surrogatepass"))
    assert client.get(f"/widgets/related?q={raw}").status_code == 200
    assert client.get(f"/widgets/seeds?industry={raw}").status_code == 200
    assert client.get(f"/widgets/go?link={raw}").status_code == 400


def test_the_tag_of_one_line_is_small_and_may_be_loaded_from_everywhere(plain: FlaskClient) -> None:
    reply = plain.get("/widgets/seeds.js")
    assert reply.mimetype == "text/javascript" and len(reply.data) < 5_000
    assert (
        reply.headers["Cross-Origin-Resource-Policy"] == "cross-origin" and "public" in reply.headers["Cache-Control"]
    )
    assert "innerHTML" not in reply.text and "eval" not in reply.text


def records_of(app: Flask) -> list[dict[str, Any]]:
    folder: Path = app.config["KR_WEB"].events
    return [json.loads(line) for path in sorted(folder.glob("*.ndjson")) for line in path.read_bytes().splitlines()]


def test_views_and_clicks_come_back_as_searches_and_clicks_through_ingest(
    embedded: Flask, parse: Callable[[str], Any], tmp_path: Path
) -> None:
    import pyarrow.parquet as pq

    from mining.ingest import ingest

    client = embedded.test_client()
    before = len(records_of(embedded))
    page = parse(client.get(PAGES[1] + "&client=reader-7&limit=4").get_data(as_text=True))
    shown = [link.text for link in links(page)]
    records = records_of(embedded)[before:]
    assert [record["event_attributes"]["object"]["object_id"] for record in records] == shown
    assert {(r["action_name"], r["client_id"], r["application"]) for r in records} == {
        ("impression", "reader-7", "kr-seeds-widget")
    }
    followed = links(page)[1].attributes["href"]
    for _ in range(2):
        reply = client.get(followed)
        assert reply.status_code == 303
        assert reply.headers["Location"] == SHOP.replace("{query}", quote(shown[1], safe=""))
    assert len(records_of(embedded)) == before + len(shown) + 2, "a link followed twice counts once"

    report = ingest("ubi", embedded.config["KR_WEB"].events, tmp_path / "logs")
    tables = report.tables()
    assert set(report.reasons) <= {"event_without_table"} and tables["searches"]["kept"] == tables["clicks"]["kept"]
    (search,) = [
        row for row in pq.read_table(tmp_path / "logs" / "searches").to_pylist() if row["user_id"] == "reader-7"
    ]
    assert (search["query"], search["client"]) == (shown[1], "kr-seeds-widget")
    (click,) = [row for row in pq.read_table(tmp_path / "logs" / "clicks").to_pylist() if row["user_id"] == "reader-7"]
    assert (click["query"], click["rank"], click["search_id"]) == (shown[1], 2, search["search_id"])
    assert click["url"] == reply.headers["Location"]


def test_a_link_that_was_not_shown_here_leads_nowhere(
    embedded: Flask, plain: FlaskClient, parse: Callable[[str], Any]
) -> None:
    client = embedded.test_client()
    address = str(links(parse(client.get(PAGES[0]).get_data(as_text=True)))[0].attributes["href"])
    before = len(records_of(embedded))
    for wrong in (address[:-4] + "AAAA", "/widgets/go", "/widgets/go?link=", re.sub("link=.", "link=", address)):
        reply = client.get(wrong)
        assert reply.status_code == 400 and "Location" not in reply.headers
    assert len(records_of(embedded)) == before
    assert plain.get(address).status_code == 400, "no folder of events, no link"


def test_a_disk_that_takes_nothing_stops_neither_the_page_nor_the_reader(
    embedded: Flask, parse: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("webui.widgets.event_log.os.write", full)
    client = embedded.test_client()
    page = client.get(PAGES[0])
    assert page.status_code == 200
    assert client.get(links(parse(page.get_data(as_text=True)))[0].attributes["href"]).status_code == 303


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WIDGET_ORIGINS", "https://shop.example/path"),
        ("WIDGET_ORIGINS", "*"),
        ("WIDGET_ORIGINS", "https://a.example; script-src *"),
        ("WIDGET_SEARCH_URL", "javascript:alert('{query}')"),
        ("WIDGET_SEARCH_URL", "//evil.example/{query}"),
        ("WIDGET_SEARCH_URL", "https://shop.example/"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"KR_WEB_{name}", value)
    with pytest.raises(UsageError, match=f"KR_WEB_{name}"):
        load_web_settings()


def test_origins_are_given_with_spaces_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KR_WEB_WIDGET_ORIGINS", "https://shop.example  http://localhost:8080")
    assert load_web_settings().widget_origins == ("https://shop.example", "http://localhost:8080")
