"""Sites that behave, and sites that don't, on this machine: each mistake has a message of its own."""

import gzip
import itertools
import socket
import ssl
import subprocess
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from kr.pages.address import PageAddress
from kr.pages.connection import Budget, checked_addresses, tls_context
from kr.pages.fetch import AGENT, FetchLimits, PageFetcher
from kr.pages.problems import PageError, PageProblem
from kr.pages.robots import KEPT_SECONDS, UNREACHABLE_SECONDS, RobotsGate

PAGE = (
    b"<!doctype html><html lang=en><head><title>Red running shoes</title></head><body><h1>Running shoes</h1><p>"
    + b"They are light and fast, made for long runs on roads and tracks. " * 8
)
HTML = "Content-Type: text/html; charset=utf-8"


def reply(body: bytes = PAGE, *headers: str, status: str = "200 OK") -> bytes:
    """A whole HTTP reply."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


Handler = Callable[[socket.socket, str, dict[str, str]], None]


class Site:
    """A server on 127.0.0.1: `handler` gets the connection, the path and the headers of each request."""

    def __init__(self, handler: Handler, wrap: Callable[[socket.socket], socket.socket] = lambda plain: plain) -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        self._handler, self._wrap = handler, wrap
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def url(self, path: str = "/", scheme: str = "http", host: str = "127.0.0.1") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), self._wrap(connection) as wrapped:
            wrapped.settimeout(20)
            data = b""
            while b"\r\n\r\n" not in data and (more := wrapped.recv(65536)):
                data += more
            if not data:
                return
            first, *lines = data.decode("latin-1").split("\r\n\r\n")[0].split("\r\n")
            path = first.split(" ")[1]
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            self.requests.append((path, headers))
            self._handler(wrapped, path, headers)

    def stop(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in [self._accepting, *self._threads]:
            thread.join(30)


def replies(pages: dict[str, bytes]) -> Handler:
    """Answers each path with its reply, others with 404."""

    def handler(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        connection.sendall(pages.get(path, reply(b"", status="404 Not Found")))

    return handler


@pytest.fixture
def serve() -> Iterator[Callable[..., Site]]:
    """Starts sites, which are stopped when the test ends."""
    sites: list[Site] = []

    def start(handler: Handler | dict[str, bytes], **options: object) -> Site:
        sites.append(Site(replies(handler) if isinstance(handler, dict) else handler, **options))  # type: ignore[arg-type]
        return sites[-1]

    yield start
    for site in sites:
        site.stop()


@pytest.fixture
def fetcher() -> Callable[..., PageFetcher]:
    """A fetcher that may read from this machine."""

    def make(**options: object) -> PageFetcher:
        limits = options.pop("limits", FetchLimits())
        return PageFetcher("KR-PageReader/test", limits, **{"allow_loopback": True, **options})  # type: ignore[arg-type]

    return make


def problem_of(fetcher: PageFetcher, url: str) -> PageError:
    with pytest.raises(PageError) as failure:
        fetcher.fetch(fetcher.parse(url))
    return failure.value


class SteppingClock:
    """Every look at the clock takes a second: slow sites without waiting for them."""

    def __init__(self) -> None:
        self._now = itertools.count()

    def __call__(self) -> float:
        return float(next(self._now))


def test_a_page_is_fetched_with_an_honest_name_and_the_host_that_was_asked_for(serve, fetcher, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    site = serve({"/a?b=c": reply(PAGE, HTML)})
    page = fetcher().fetch(fetcher().parse(site.url("/a?b=c", host="localhost")))
    assert page.body == PAGE
    assert page.content_type == "text/html; charset=utf-8"
    assert site.paths() == ["/robots.txt", "/a?b=c"]
    for _, headers in site.requests:
        assert headers["user-agent"] == "KR-PageReader/test"
        assert headers["host"] == f"localhost:{site.port}"
        assert headers["accept-encoding"] == "gzip, deflate"
        assert "cookie" not in headers


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("gzip", lambda body: gzip.compress(body[:50]) + gzip.compress(body[50:])),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body)[2:-4]),
        ("identity", bytes),
    ],
)
def test_compressed_pages_are_unpacked(serve, fetcher, encoding: str, pack: Callable[[bytes], bytes]) -> None:  # type: ignore[no-untyped-def]
    site = serve({"/": reply(pack(PAGE), HTML, f"Content-Encoding: {encoding}")})
    assert fetcher().fetch(fetcher().parse(site.url())).body == PAGE


ZEROS = b"<p>" + b"0" * 30_000_000
BAD_REPLIES = {
    "gzip bomb": (reply(gzip.compress(ZEROS, 9), HTML, "Content-Encoding: gzip"), PageProblem.TOO_LARGE),
    "deflate bomb": (reply(zlib.compress(ZEROS, 9), HTML, "Content-Encoding: deflate"), PageProblem.TOO_LARGE),
    "gzip in gzip": (reply(b"x", HTML, "Content-Encoding: gzip, gzip"), PageProblem.COMPRESSION),
    "brotli, never asked for": (reply(b"\x1b\xff\xff", HTML, "Content-Encoding: br"), PageProblem.COMPRESSION),
    "no gzip at all": (reply(PAGE, HTML, "Content-Encoding: gzip"), PageProblem.COMPRESSION),
    "too large": (reply(b"<p>" + b"a" * 2_200_000, HTML), PageProblem.TOO_LARGE),
    "PDF": (reply(b"%PDF-1.7", "Content-Type: application/pdf"), PageProblem.NOT_HTML),
    "PDF under another name": (reply(b"%PDF-1.7", HTML), PageProblem.NOT_HTML),
    "image": (reply(b"\x89PNG", "Content-Type: image/png"), PageProblem.NOT_HTML),
    "JSON": (reply(b"{}", "Content-Type: application/json"), PageProblem.NOT_HTML),
    "bytes without a type": (reply(b"\x00\x01\x02"), PageProblem.NOT_HTML),
    "empty": (reply(b"", HTML), PageProblem.EMPTY),
    "white space": (reply(b" \r\n\t ", HTML), PageProblem.EMPTY),
    "404": (reply(PAGE, HTML, status="404 Not Found"), PageProblem.NOT_FOUND),
    "410": (reply(PAGE, HTML, status="410 Gone"), PageProblem.NOT_FOUND),
    "403": (reply(PAGE, HTML, status="403 Forbidden"), PageProblem.NOT_ALLOWED),
    "429": (reply(PAGE, HTML, status="429 Too Many Requests"), PageProblem.NOT_ALLOWED),
    "500": (reply(PAGE, HTML, status="500 Oops"), PageProblem.SITE_FAILED),
    "418": (reply(PAGE, HTML, status="418 Teapot"), PageProblem.STATUS),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", PageProblem.REPLY_BROKEN),
    "nothing": (b"", PageProblem.REPLY_BROKEN),
    "many headers": (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", PageProblem.REPLY_BROKEN),
    "a long header": (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n", PageProblem.REPLY_BROKEN),
    "broken chunks": (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        PageProblem.REPLY_BROKEN,
    ),
    "redirect to nowhere": (reply(b"", status="302 Found"), PageProblem.REDIRECT_BROKEN),
}


@pytest.mark.parametrize("name", BAD_REPLIES)
def test_each_bad_reply_has_its_own_message(serve, fetcher, name: str) -> None:  # type: ignore[no-untyped-def]
    answer, problem = BAD_REPLIES[name]
    site = serve({"/": answer})
    error = problem_of(fetcher(), site.url())
    assert error.problem is problem
    assert not error.refused
    assert error.text_zh
    assert error.remedy


def test_a_bomb_is_not_unpacked_beyond_the_limit(serve, fetcher) -> None:  # type: ignore[no-untyped-def]
    import tracemalloc

    site = serve({"/": BAD_REPLIES["gzip bomb"][0]})
    tracemalloc.start()
    problem_of(fetcher(limits=FetchLimits(page_bytes=100_000)), site.url())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000


def endless(first: bytes, again: bytes) -> Callable[[socket.socket, str, dict[str, str]], None]:
    def handler(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        if path == "/robots.txt":
            connection.sendall(reply(b"", status="404 Not Found"))
            return
        connection.sendall(first)
        while True:  # until the reader hangs up
            connection.sendall(again)

    return handler


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
ENDLESS = {
    "headers": (HEAD, b"A: b\r\n"),
    "one header": (HEAD + b"A: ", b"b"),
    "interim replies": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (HEAD + b"\r\n", b"<p>again</p>" * 100),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\n<p>a \r\n"),
    "a chunk's extension": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;", b"a"),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_never_ends_is_ended(serve, fetcher, name: str) -> None:  # type: ignore[no-untyped-def]
    site = serve(endless(*ENDLESS[name]))
    error = problem_of(fetcher(limits=FetchLimits(page_bytes=200_000)), site.url())
    assert error.problem in (PageProblem.TOO_LARGE, PageProblem.REPLY_BROKEN)


@pytest.mark.parametrize("part", ["headers", "body", "robots"])
def test_one_byte_a_second_ends_at_the_deadline_of_the_whole_page(serve, fetcher, part: str) -> None:  # type: ignore[no-untyped-def]
    hung_up = threading.Event()

    def drip(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        if path == "/robots.txt" and part != "robots":
            connection.sendall(reply(b"", status="404 Not Found"))
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(HEAD + b"\r\n" if part == "body" else b"HTTP/1.1 200 OK\r\nA: ")
        try:
            for _ in range(100_000):
                connection.sendall(b"x")
        except OSError:
            hung_up.set()

    site = serve(drip)
    error = problem_of(fetcher(limits=FetchLimits(seconds=12), clock=SteppingClock()), site.url())
    assert error.problem is PageProblem.TIMED_OUT
    assert "12" in error.text_en
    assert hung_up.wait(10)


def test_a_site_that_says_nothing_is_left_at_the_deadline(serve, fetcher) -> None:  # type: ignore[no-untyped-def]
    done = threading.Event()
    site = serve(lambda connection, path, headers: done.wait(20) and None)
    error = problem_of(fetcher(limits=FetchLimits(seconds=0.2)), site.url())
    done.set()
    assert error.problem is PageProblem.TIMED_OUT


def test_a_resolver_that_hangs_is_left_at_the_deadline() -> None:
    done = threading.Event()
    fetcher = PageFetcher("test", FetchLimits(seconds=0.1), resolver=lambda host, port: [str(done.wait(20))])
    assert problem_of(fetcher, "http://example.com").problem is PageProblem.TIMED_OUT
    done.set()


def test_redirects_are_followed_three_times_and_no_more(serve, fetcher) -> None:  # type: ignore[no-untyped-def]
    def hop(number: int) -> bytes:
        return reply(b"", f"Location: /{number}", status="302 Found")

    site = serve(
        {"/0": hop(1), "/1": hop(2), "/2": hop(3), "/3": reply(PAGE, HTML), "/loop": hop(0).replace(b"/0", b"/loop")}
    )
    assert str(fetcher().fetch(fetcher().parse(site.url("/0"))).address) == site.url("/3")
    site.requests.clear()
    assert problem_of(fetcher(), site.url("/loop")).problem is PageProblem.TOO_MANY_REDIRECTS
    assert site.paths().count("/loop") == 4


@pytest.mark.parametrize(
    ("location", "problem"),
    [
        ("http://169.254.169.254/latest/", PageProblem.NETWORK_METADATA),
        ("http://10.0.0.1/", PageProblem.NETWORK_PRIVATE),
        ("//10.0.0.1/", PageProblem.NETWORK_PRIVATE),
        ("http://2130706433/", PageProblem.HOST_SPELLING),
        ("http://[::ffff:127.0.0.1]/", PageProblem.NETWORK_EMBEDDED),
        ("file:///etc/passwd", PageProblem.SCHEME),
        ("http://user@example.com/", PageProblem.ADDRESS_USER),
        ("/\\10.0.0.1/", PageProblem.ADDRESS_CHARACTERS),
        ("http://[/", PageProblem.REDIRECT_BROKEN),
    ],
)
def test_a_redirect_is_checked_like_a_first_address(
    serve, fetcher, connections, location: str, problem: PageProblem
) -> None:  # type: ignore[no-untyped-def]
    site = serve({"/": reply(b"", f"Location: {location}", status="302 Found")})
    connections.clear()
    assert problem_of(fetcher(), site.url()).problem is problem
    assert set(connections) == {("127.0.0.1", site.port)}


RESOLVED = {
    "private": (["10.0.0.1"], PageProblem.NETWORK_PRIVATE),
    "mixed": (["93.184.216.34", "10.0.0.1"], PageProblem.NETWORK_MIXED),
    "mixed families": (["93.184.216.34", "::1"], PageProblem.NETWORK_MIXED),
    "mapped": (["::ffff:93.184.216.34"], PageProblem.NETWORK_EMBEDDED),
    "metadata": (["169.254.169.254"], PageProblem.NETWORK_METADATA),
    "link-local with a zone": (["fe80::1%lo"], PageProblem.NETWORK_LINK_LOCAL),
    "nothing": ([], PageProblem.NAME_NOT_FOUND),
}


@pytest.mark.parametrize("name", RESOLVED)
def test_every_answer_of_the_resolver_is_checked_before_a_socket_opens(name: str, connections: list[object]) -> None:
    answers, problem = RESOLVED[name]
    fetcher = PageFetcher("test", resolver=lambda host, port: answers)
    assert problem_of(fetcher, "https://example.com/").problem is problem
    assert connections == []


def test_a_name_is_asked_for_once_so_that_it_cannot_be_bound_again(serve, connections) -> None:  # type: ignore[no-untyped-def]
    site = serve({"/": reply(PAGE, HTML)})
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    address = PageAddress("http", "rebinding.example", site.port, "/")
    fetcher = PageFetcher("test", allow_loopback=True, resolver=lambda host, port: next(answers))
    connections.clear()
    assert fetcher.fetch(address).body == PAGE
    assert connections == [("127.0.0.1", site.port)] * 2
    assert next(answers) == ["10.0.0.1"]


def test_without_the_switch_a_name_that_leads_to_this_machine_is_refused(connections: list[object]) -> None:
    address = PageAddress("http", "here.example", 80, "/")
    with pytest.raises(PageError) as refusal:
        checked_addresses(address, lambda host, port: ["127.0.0.1"], Budget(1))
    assert refusal.value.problem is PageProblem.NETWORK_LOOPBACK
    assert connections == []


def test_a_port_where_nobody_listens_is_told(fetcher) -> None:  # type: ignore[no-untyped-def]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert problem_of(fetcher(), f"http://127.0.0.1:{port}/").problem is PageProblem.NO_CONNECTION


def test_more_pages_at_once_than_allowed_are_turned_away(serve, fetcher) -> None:  # type: ignore[no-untyped-def]
    inside, leave = threading.Event(), threading.Event()

    def wait(connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        inside.set()
        leave.wait(60)
        connection.sendall(reply(PAGE, HTML))

    site, one = serve(wait), fetcher(limits=FetchLimits(at_once=1))
    first = threading.Thread(target=lambda: one.fetch(one.parse(site.url())))
    first.start()
    assert inside.wait(60)
    assert problem_of(one, site.url()).problem is PageProblem.BUSY
    leave.set()
    first.join(20)


# TLS


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """Certificates that sign themselves, for localhost and for another site."""
    folder = tmp_path_factory.mktemp("tls")
    found = {}
    for name in ("localhost", "other.example"):
        key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                   "-keyout", key, "-out", certificate, "-days", "2", "-subj", f"/CN={name}",
                   "-addext", f"subjectAltName=DNS:{name}"]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
        found[name] = (key, certificate)
    return found


@pytest.fixture
def tls_site(
    serve, certificates: dict[str, tuple[Path, Path]]
) -> Callable[[str], tuple[Site, list[str | None], ssl.SSLContext]]:  # type: ignore[no-untyped-def]
    """A site with a certificate, the server names that it was asked for, and a context that trusts the certificate."""

    def start(name: str) -> tuple[Site, list[str | None], ssl.SSLContext]:
        key, certificate = certificates[name]
        asked: list[str | None] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.sni_callback = lambda connection, server, _: asked.append(server)
        site = serve({"/": reply(PAGE, HTML)}, wrap=lambda plain: context.wrap_socket(plain, server_side=True))
        trusting = tls_context()
        trusting.load_verify_locations(certificate)
        return site, asked, trusting

    return start


def test_a_pinned_address_keeps_the_name_for_the_certificate_and_for_the_server(tls_site, fetcher) -> None:  # type: ignore[no-untyped-def]
    site, asked, trusting = tls_site("localhost")
    page = fetcher(tls=trusting).fetch(fetcher().parse(site.url(scheme="https", host="localhost")))
    assert page.body == PAGE
    assert set(asked) == {"localhost"}


@pytest.mark.parametrize("name", ["localhost", "other.example"])
def test_a_certificate_that_nobody_vouches_for_or_of_another_site_is_not_believed(tls_site, fetcher, name: str) -> None:  # type: ignore[no-untyped-def]
    site, _, trusting = tls_site(name)
    tls = trusting if name == "other.example" else None
    error = problem_of(fetcher(tls=tls), site.url(scheme="https", host="localhost"))
    assert error.problem is PageProblem.TLS
    assert site.requests == []


def test_a_site_without_tls_is_told(serve, fetcher) -> None:  # type: ignore[no-untyped-def]
    site = serve(lambda connection, path, headers: connection.sendall(b"plain text"))
    site._serve = lambda connection: connection.sendall(b"plain text, not TLS\r\n") or connection.close()
    assert problem_of(fetcher(), site.url(scheme="https")).problem in (PageProblem.TLS, PageProblem.NO_CONNECTION)


# robots.txt


def test_robots_txt_is_obeyed_and_asked_for_once(serve, fetcher) -> None:  # type: ignore[no-untyped-def]
    rules = f"User-agent: {AGENT}\nDisallow: /private\n\nUser-agent: *\nDisallow: /\n".encode()
    site, one = serve({"/robots.txt": reply(rules, "Content-Type: text/plain"), "/": reply(PAGE, HTML)}), fetcher()
    assert one.fetch(one.parse(site.url())).body == PAGE
    error = problem_of(one, site.url("/private/page"))
    assert error.problem is PageProblem.ROBOTS_DISALLOW
    assert AGENT in error.text_en
    assert site.paths() == ["/robots.txt", "/"]


@pytest.mark.parametrize(
    ("answer", "allowed"),
    [
        (reply(b"", status="404 Not Found"), True),
        (reply(b"", status="403 Forbidden"), True),
        (reply(b"", status="500 Oops"), False),
        (reply(b"", status="429 Too Many Requests"), False),
        (b"", False),
        (reply(b"# long\n" * 100_000 + b"User-agent: *\nDisallow: /\n"), True),
        (reply(b"", "Location: /robots.txt", status="302 Found"), True),
        (reply(b"\xff\xfe\x00nonsense"), True),
    ],
)
def test_a_missing_robots_txt_allows_and_an_unreachable_one_forbids(
    serve, fetcher, answer: bytes, allowed: bool
) -> None:  # type: ignore[no-untyped-def]
    site = serve({"/robots.txt": answer, "/": reply(PAGE, HTML)})
    if allowed:
        assert fetcher().fetch(fetcher().parse(site.url())).body == PAGE
    else:
        assert problem_of(fetcher(), site.url()).problem is PageProblem.ROBOTS_UNREACHABLE
        assert site.paths() == ["/robots.txt"]


def test_robots_txt_may_not_lead_to_an_inner_network(serve, fetcher, connections) -> None:  # type: ignore[no-untyped-def]
    site = serve({"/robots.txt": reply(b"", "Location: http://10.0.0.1/robots.txt", status="302 Found")})
    connections.clear()
    assert problem_of(fetcher(), site.url()).problem is PageProblem.NETWORK_PRIVATE
    assert set(connections) == {("127.0.0.1", site.port)}


def test_an_answer_of_robots_txt_is_kept_for_a_day_and_a_failure_for_a_minute() -> None:
    now = [0.0]
    gate = RobotsGate(AGENT, lambda: now[0])
    asked: list[PageAddress] = []
    status = 200
    page = PageAddress("https", "example.com", 443, "/")

    def read(address: PageAddress) -> tuple[int, str]:
        asked.append(address)
        return status, ""

    gate.check(page, read)
    now[0] = KEPT_SECONDS - 1
    gate.check(page, read)
    assert [str(address) for address in asked] == ["https://example.com/robots.txt"]
    now[0], status = KEPT_SECONDS + 1, 503
    for _ in range(2):
        with pytest.raises(PageError):
            gate.check(page, read)
    assert len(asked) == 2
    now[0], status = now[0] + UNREACHABLE_SECONDS + 1, 200
    gate.check(page, read)
    assert len(asked) == 3
