"""Headers of security and caching, on every kind of reply."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

REPLIES = ["/", "/search?q=鲜花", "/search?q=鲜花&page=0", "/methods", "/problems", "/nowhere", "/healthz", "/readyz",
           "/metrics", "/api/v1/openapi.json", "/api/v1/keyword-ideas", "/api/nothing", "/static/none.css"]  # fmt: skip


@pytest.mark.parametrize("address", REPLIES)
def test_every_reply_carries_the_policy(client: FlaskClient, address: str) -> None:
    headers = client.get(address).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy
    assert "unsafe" not in policy and "http:" not in policy and "*" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "private, no-store"
    assert "Set-Cookie" not in headers
    assert re.fullmatch(r"[0-9a-f]{32}", headers["X-Request-ID"])


@pytest.mark.parametrize(
    "address", ["/", "/search?q=鲜花&explain=1", "/search?q=", "/methods", "/problems", "/nowhere"]
)
def test_pages_hold_nothing_that_the_policy_would_block(
    client: FlaskClient, parse: Callable[[str], Any], address: str
) -> None:
    html = client.get(address, follow_redirects=True).get_data(as_text=True)
    for element in parse(html).elements:
        assert not [name for name in element.attributes if name.startswith("on") or name == "style"], element
    assert "<style" not in html and "javascript:" not in html
    for script in re.findall(r"<script[^>]*>", html):
        assert re.search(r'src="/static/[\w.]+\.js"', script)
    for source in re.findall(r'(?:src|href|action)="([^"]*)"', html):
        assert source.startswith(("/", "#")), source


def test_static_files_are_kept_for_ever_under_a_name_that_changes_with_them(client: FlaskClient) -> None:
    html = client.get("/").get_data(as_text=True)
    names = re.findall(r'"(/static/(\w+)\.([0-9a-f]{12})\.(css|js|svg))"', html)
    assert {(name, kind) for _, name, _, kind in names} == {("style", "css"), ("script", "js"), ("icon", "svg")}
    for address, _, digest, _ in names:
        reply = client.get(address)
        assert reply.status_code == 200 and "immutable" in reply.headers["Cache-Control"]
        assert client.get(address.replace(digest, "0" * 12)).status_code == 404


def test_no_static_address_leads_out_of_the_folder(client: FlaskClient) -> None:
    for address in ("/static/../pages.py", "/static/%2e%2e%2fpages.py", "/static/style.css", "/static/"):
        assert client.get(address).status_code == 404


def test_the_page_declares_its_language_and_that_it_depends_on_the_browsers(client: FlaskClient) -> None:
    chinese = client.get("/", headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"})
    assert chinese.headers["Content-Language"] == "zh-Hans" and "Accept-Language" in chinese.headers["Vary"]
    assert "找到客户正在搜索的词" in chinese.get_data(as_text=True)
    for header in ("de-DE,de;q=0.9", "", "*", ";;;", "en-GB"):
        assert client.get("/", headers={"Accept-Language": header}).headers["Content-Language"] == "en"
    assert client.get("/?lang=en", headers={"Accept-Language": "zh"}).headers["Content-Language"] == "en"
    assert client.get("/?lang=xx", headers={"Accept-Language": "zh"}).headers["Content-Language"] == "zh-Hans"
