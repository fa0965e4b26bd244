"""Keyword ideas for a page: read, turned into topics, answered by the same path, with what the page says as reasons."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from kr.pages.problems import PageError, PageProblem
from kr.pages.reader import Origin
from kr.service import KeywordService
from kr.settings import Settings
from kr.types import Request

PROJECT = Path(__file__).parents[2]
FLOWERS = "https://shop.example/flowers"
PAGE = "<html><head><title>Running shoes</title></head><body><h1>Running shoes</h1><p>Light shoes for long runs.</p>"


@pytest.fixture(scope="module")
def service(tiny_pages_store: Path) -> KeywordService:
    return KeywordService(Settings(store=tiny_pages_store, allow_loopback_pages=True))


@pytest.fixture
def site() -> Iterator[HTTPServer]:
    """A site on this machine whose page is PAGE; `requested` holds the paths that were asked for."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.server.requested.append(self.path)  # type: ignore[attr-defined]
            found = self.path != "/robots.txt"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE.encode() if found else b"")

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.requested = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(20)


def ask(service: KeywordService, address: str, anew: bool = False, **request: Any) -> Any:
    page = service.read_page(address, anew)
    asked = service.with_page(Request(**{"seeds": (), **request}), page)
    return service.by_url(asked, page)


def test_a_crawled_page_is_answered_without_a_network_and_dated(
    service: KeywordService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("a socket was opened"))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("a name was looked up"))
    page = service.read_page(FLOWERS)
    assert (page.origin, page.read_on.isoformat()) == (Origin.CRAWL, "2024-03-31")
    reply = ask(service, FLOWERS)
    assert reply.page["title"] == "鲜花速递 - 花店"
    assert reply.rows[0]["text"] in ("鲜花速递", "鲜花")
    assert reply.notices[0].code == "page_from_crawl"
    assert "2024-03-31" in reply.notices[0].text_en


def test_every_row_says_which_words_of_the_page_led_to_it_and_where_they_stood(service: KeywordService) -> None:
    page = service.read_page_file("<title>鲜花</title><h1>鲜花</h1>".encode(), FLOWERS)
    rows = service.by_url(service.with_page(Request(seeds=()), page), page).rows
    by_text = {row["text"]: row["reasons"] for row in rows}
    assert {"鲜花", "鲜花店", "生日蛋糕"} <= set(by_text)
    for reasons in by_text.values():
        assert reasons[0]["evidence"] == {"words": ["鲜花"], "places": ["title", "h1", "main"]}
        assert "exact_match" not in {reason["code"] for reason in reasons}
    assert by_text["鲜花店"][0]["code"] == "said_by_page"
    assert by_text["鲜花店"][0]["text_zh"] == "网页中有“鲜花”（标题、主标题、正文）"
    assert by_text["生日蛋糕"][0]["code"] == "near_page_topic"
    assert by_text["生日蛋糕"][0]["text_en"] == "Found through “鲜花”, which the page says (title, main heading, text)"
    assert "searched_in_same_session" in {reason["code"] for reason in by_text["生日蛋糕"]}


def test_unsafe_keywords_are_not_shown_for_a_page_either(service: KeywordService) -> None:
    assert "在线赌博" not in {row["text"] for row in ask(service, FLOWERS).rows}


def test_what_the_caller_typed_beside_the_page_counts_whole_and_keeps_its_reasons(service: KeywordService) -> None:
    reply = ask(service, FLOWERS, seeds=("running shoes",))
    shoes = next(row for row in reply.rows if row["text"] == "running shoes")
    assert shoes["reasons"][0]["code"] == "exact_match"
    assert reply.seeds[0] == "running shoes"


def test_filters_explain_and_paging_work_as_in_any_search(service: KeywordService) -> None:
    whole = ask(service, FLOWERS, explain=True)
    assert {"url_topics"} <= {source["name"] for source in whole.explain["sources"]}
    assert "page_relevance" in {stage["name"] for stage in whole.explain["stages"]}
    second = ask(service, FLOWERS, limit=1, offset=1)
    assert second.rows[0]["text"] == whole.rows[1]["text"]


def test_without_a_page_the_page_source_is_silent_and_relevance_stays(service: KeywordService) -> None:
    reply = service.keyword_ideas(Request(seeds=("鲜花",), explain=True))
    assert {source["name"]: source["found"] for source in reply.explain["sources"]}["url_topics"] == 0  # type: ignore[index]
    assert reply.rows[0]["relevance"] == 1


def test_a_page_is_fetched_once_for_a_while_and_anew_on_request(service: KeywordService, site: HTTPServer) -> None:
    address = f"http://127.0.0.1:{site.server_address[1]}/"
    for _ in range(3):
        reply = ask(service, address)
    assert reply.page["origin"] == "fetched"
    assert reply.rows[0]["text"] == "running shoes"
    assert site.requested == ["/robots.txt", "/"]  # type: ignore[attr-defined]


def test_a_crawled_page_may_be_fetched_anew(service: KeywordService) -> None:
    with pytest.raises(PageError) as failure:
        service.read_page("http://shop.invalid/flowers", anew=True)
    assert failure.value.problem is PageProblem.NAME_NOT_FOUND


def test_a_snapshot_without_pages_fetches(tiny_store: Path) -> None:
    service = KeywordService(Settings(store=tiny_store))
    with pytest.raises(PageError) as failure:
        service.read_page("http://shop.invalid/flowers")
    assert failure.value.problem is PageProblem.NAME_NOT_FOUND


def test_a_page_that_says_nothing_searchable_has_a_notice_and_no_rows(service: KeywordService) -> None:
    empty = service.read_page_file(b"<title>!!!</title>", FLOWERS)
    codes = [note.code for note in service.by_url(Request(seeds=()), empty).notices]
    assert codes == ["page_without_words"]
    strange = service.read_page_file(b"<title>Zyzzyva quux</title>", FLOWERS)
    reply = service.by_url(service.with_page(Request(seeds=()), strange), strange)
    assert [note.code for note in reply.notices] == ["page_without_keywords"]
    assert not reply.rows


def test_a_page_that_needs_javascript_says_so(service: KeywordService) -> None:
    html = b"<title>App</title><div id=app></div><noscript>Enable JavaScript</noscript>"
    assert service.read_page_file(html, FLOWERS).notices()[0].code == "page_needs_javascript"


def test_the_switch_for_tests_is_off_unless_it_is_set() -> None:
    assert Settings().allow_loopback_pages is False


def manage(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, PROJECT / "manage.py", *arguments], capture_output=True, text=True, timeout=300
    )


def test_the_command_prints_the_page_and_the_envelope(tiny_pages_store: Path) -> None:
    done = manage("url", FLOWERS, "--store", str(tiny_pages_store), "--json", "--limit", "3")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert list(document) == ["page", "data", "meta"]
    assert document["page"]["title"] == "鲜花速递 - 花店"
    assert document["page"]["topics"][0]["places"]
    assert len(document["data"]["keyword_ideas"]) == 3


def test_the_command_reads_a_saved_page_and_opens_nothing(tiny_pages_store: Path, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(PAGE)
    address = "https://other.example/shoes"
    done = manage("url", "--file", str(tmp_path / "page.html"), "--address", address, "--store", str(tiny_pages_store))
    assert done.returncode == 0, done.stderr
    assert "running shoes" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("http://127.1/", "--json"), 1),
        (("http://169.254.169.254/", "--store", "no-such-store"), 1),
        ((), 2),
        (("https://a.example/", "--address", "https://b.example/"), 2),
    ],
)
def test_the_command_refuses_without_opening_anything(arguments: tuple[str, ...], code: int) -> None:
    done = manage("url", *arguments)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    if "--json" in arguments:
        refused = json.loads(done.stdout)["refused"]
        assert refused["code"] == "host_spelling"
        assert refused["reason"]
        assert refused["text_zh"]
