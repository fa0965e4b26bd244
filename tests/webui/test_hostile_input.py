"""Whatever is typed, the page stays itself: no markup of the caller's, no failure, no text that turns around."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_from_bytes, urlsplit

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HOSTILE = {
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": '"><svg onload=alert(1)> \' onfocus=alert(1) autofocus="',
    "template": "{{ 7*7 }}{% for x in () %}{{ config }}",
    "format": "%(count)s %s {0} {seed} %d %",
    "sql": "'; DROP TABLE keywords; --",
    "right_to_left": "\u202egnp.exe\u2066\u200f花",
    "zero_width": "鲜\u200b花\ufeff",
    "null": "a\x00b\x1b[31m",
    "emoji": "💐🌹👩\u200d🌾",
    "punctuation": "?!.,;:-_()",
    "full_width": "ＦＬＯＷＥＲＳ　！！",
    "combining": "h" + "\u0301" * 60,
    "path": "../../etc/passwd",
    "long_word": "鲜花" * 100,
    "newlines": "a\r\nSet-Cookie: x=1\r\n\r\n",
}
INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


Parse = Callable[[str], Any]


def check_page(html: str, parse: Parse) -> None:
    """No element and no attribute but those of the templates, and nothing invisible."""
    for element in parse(html).elements:
        assert element.tag not in ("img", "iframe", "style", "b"), element
        assert element.tag != "script" or (element.attributes.get("src") and not element.text)
        assert not [name for name in element.attributes if name.startswith("on") or name == "style"], element
        assert element.attributes.keys() & {"autofocus"} == set() or element.attributes["name"] == "q"
    assert not INVISIBLE.search(html)
    assert "Traceback" not in html


@pytest.mark.parametrize("name", sorted(HOSTILE))
@pytest.mark.parametrize("field", ["q", "contain", "sort", "min_searches", "competition", "page", "t", "lang"])
def test_hostile_text_in_any_field_is_shown_as_text_or_refused(
    client: FlaskClient, parse: Parse, name: str, field: str
) -> None:
    others = "" if field == "q" else "&q=%E9%B2%9C%E8%8A%B1"
    reply = client.get(f"/search?{field}={quote(HOSTILE[name])}{others}")
    assert reply.status_code in (200, 400), reply.status_code
    check_page(reply.get_data(as_text=True), parse)
    assert "Set-Cookie" not in reply.headers


@pytest.mark.parametrize("name", ["_scheme", "_external", "_anchor", "_method", "endpoint", "values", "self", "lang[]"])
@pytest.mark.parametrize("path", ["/", "/search", "/methods", "/problems"])
def test_no_parameter_of_the_address_reaches_the_machinery_that_makes_links(
    page_of: Callable[..., Any], path: str, name: str
) -> None:
    page = page_of(path, **{"q": "鲜花", "_external": "1", name: "javascript"})
    for link in page.all("a"):
        assert str(link.attributes["href"]).startswith(("/", "#")), link


def test_a_path_that_looks_like_another_host_makes_no_link_to_it(client: FlaskClient, parse: Parse) -> None:
    reply = client.get("/", environ_overrides={"PATH_INFO": "//evil.example/search"})
    assert reply.status_code in (308, 404)
    assert urlsplit(reply.headers.get("Location", "/")).netloc in ("", "localhost")
    for link in parse(reply.get_data(as_text=True)).all("a"):
        assert urlsplit(str(link.attributes["href"])).netloc in ("", "localhost")


def test_text_that_is_escaped_is_still_shown_to_who_typed_it(page_of: Callable[..., Any]) -> None:
    page = page_of("/search", q=HOSTILE["html"])
    assert page.one("input", name="q").attributes["value"] == HOSTILE["html"]


@pytest.mark.parametrize("raw", [b"\xed\xa0\x80", b"\xff\xfe", b"\xe9\xb2", b"%zz", b"\xc0\xaf"])
def test_lone_surrogates_and_broken_encodings_in_the_address_are_answered(
    client: FlaskClient, parse: Parse, raw: bytes
) -> None:
    reply = client.get(f"/search?q={quote_from_bytes(raw)}&lang=en")
    assert reply.status_code == 200
    check_page(reply.get_data(as_text=True), parse)


def test_ten_thousand_characters_get_a_page_that_names_the_limit(client: FlaskClient) -> None:
    for text, status, words in [("x" * 8_000, 400, "at most 200"), ("x" * 10_000, 414, "too long")]:
        reply = client.get(f"/search?q={text}&lang=en")
        assert reply.status_code == status
        assert words in reply.get_data(as_text=True)
        assert len(reply.data) < 4 * len(text), "the page repeats what was typed too often"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(), max_size=150))
def test_no_text_makes_the_page_or_the_api_fail(client: FlaskClient, parse: Parse, text: str) -> None:
    reply = client.get("/search?q=" + quote(text.encode("utf-8", "surrogatepass")))
    assert reply.status_code in (200, 302, 400)
    if reply.status_code != 302:
        check_page(reply.get_data(as_text=True), parse)
    answer = client.post("/api/v1/keyword-ideas", json={"keyword_seed": {"keywords": [text]}})
    assert answer.status_code in (200, 400)


def test_a_keyword_of_the_log_with_markup_is_shown_as_text(
    tmp_path: Any, tiny_mined_writer: Callable[[Any], Any]
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from kr.settings import Settings
    from mining.build import build
    from webui.application import create_app

    mined = tiny_mined_writer(tmp_path / "mined")
    evil = '<b onmouseover="alert(1)">flowers</b>'
    for path in sorted(mined.glob("*.parquet")):
        table = pq.read_table(path)
        for name in ("keyword", "neighbor"):
            if name in table.column_names:
                values = [evil if value == "flowers" else value for value in table[name].to_pylist()]
                table = table.set_column(table.column_names.index(name), name, pa.array(values))
        # Mined tables are sorted by their keys.
        keys = [name for name in ("keyword", "neighbor", "month") if name in table.column_names]
        pq.write_table(table.sort_by([(key, "ascending") for key in keys]) if keys else table, path)
    build(mined, tmp_path / "store")
    client = create_app(Settings(store=tmp_path / "store")).test_client()
    html = client.get("/search?q=鲜花&lang=en").get_data(as_text=True)
    assert "&lt;b onmouseover" in html and "<b onmouseover" not in html
