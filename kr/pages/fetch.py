"""Fetching one page: checked, pinned, with few redirects, within seconds and bytes, as the site's robots.txt allows.

What is refused before a socket opens is decided by `address` and `connection.checked_addresses`, for every redirect
anew; `docs/by-url.md` lists it.
"""

import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.parse import urljoin

from kr.pages.address import PageAddress, parse_address
from kr.pages.connection import Budget, Clock, Reply, Resolver, checked_addresses, request, system_resolver
from kr.pages.decompression import ACCEPTED_ENCODINGS, PIECE_BYTES, unpacked
from kr.pages.networks import IPAddress
from kr.pages.problems import PageError, PageProblem
from kr.pages.robots import MAX_ROBOTS_BYTES, RobotsGate

AGENT = "KR-PageReader"
"""The name by which robots.txt may allow or forbid this reader."""
MAX_HEADER_BYTES = 256 * 1024
REDIRECTS = frozenset((301, 302, 303, 307, 308))
READ_TYPES = ("text/html", "application/xhtml+xml")


@dataclass(frozen=True)
class FetchLimits:
    """How much one page may take. Seconds are for everything together, bytes for the page after decompression."""

    seconds: float = 8.0
    page_bytes: int = 2 * 1024 * 1024
    redirects: int = 3
    at_once: int = 8


@dataclass(frozen=True)
class FetchedPage:
    """The bytes of a page, what its headers say of them, and the address at which it was found in the end."""

    address: PageAddress
    body: bytes
    content_type: str


@dataclass(frozen=True)
class _Visit:
    """One fetch with all its requests: what is left of its time, and the addresses of each site, asked for once."""

    budget: Budget
    pinned: dict[str, Sequence[IPAddress]] = field(default_factory=dict)


class PageFetcher:
    """Fetches pages. Safe to call from any thread; more than `at_once` at a time are turned away."""

    def __init__(
        self,
        user_agent: str,
        limits: FetchLimits = FetchLimits(),
        allow_loopback: bool = False,
        resolver: Resolver = system_resolver,
        clock: Clock = time.monotonic,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`tls` and `resolver` stand in for the public ones in tests."""
        self._headers = {
            "User-Agent": user_agent,
            "Accept": "text/html,application/xhtml+xml;q=0.9",
            "Accept-Encoding": ACCEPTED_ENCODINGS,
            "Accept-Language": "zh,en;q=0.8,*;q=0.5",
        }
        self._limits = limits
        self._allow_loopback = allow_loopback
        self._resolver = resolver
        self._clock = clock
        self._tls = tls
        self._robots = RobotsGate(AGENT, clock)
        self._slots = threading.BoundedSemaphore(limits.at_once)

    def parse(self, text: str) -> PageAddress:
        """The address that a text names; PageError if it is refused. Nothing is opened."""
        return parse_address(text, self._allow_loopback)

    def fetch(self, address: PageAddress) -> FetchedPage:
        """The page at an address. Raises PageError, which says what is wrong and what to do."""
        if not self._slots.acquire(blocking=False):
            raise PageError(PageProblem.BUSY)
        try:
            return self._fetch(address, _Visit(Budget(self._limits.seconds, self._clock)))
        finally:
            self._slots.release()

    def _fetch(self, address: PageAddress, visit: _Visit) -> FetchedPage:
        for _ in range(self._limits.redirects + 1):
            self._robots.check(address, lambda robots: self._robots_text(robots, visit))
            reply = self._ask(address, visit, self._limits.page_bytes)
            try:
                if reply.status in REDIRECTS:
                    address = self._next(address, reply)
                    continue
                _check_status(address, reply)
                kind = reply.header("Content-Type")
                _check_kind(kind)
                body = self._body(address, reply, visit, self._limits.page_bytes)
            finally:
                reply.close()
            _check_body(body, kind)
            return FetchedPage(address, body, kind)
        raise PageError(PageProblem.TOO_MANY_REDIRECTS, limit=self._limits.redirects)

    def _robots_text(self, address: PageAddress, visit: _Visit) -> tuple[int, str]:
        """The status and the text of a robots.txt, after redirects; longer ones are cut."""
        for _ in range(self._limits.redirects + 1):
            reply = self._ask(address, visit, MAX_ROBOTS_BYTES)
            try:
                if reply.status in REDIRECTS:
                    address = self._next(address, reply)
                    continue
                if not 200 <= reply.status < 300:
                    return reply.status, ""
                body = self._body(address, reply, visit, MAX_ROBOTS_BYTES, cut=True)
                return reply.status, body.decode("utf-8", "replace")
            finally:
                reply.close()
        # RFC 9309 §2.3.1.2: too many redirects may be taken for "no such file".
        return 404, ""

    def _ask(self, address: PageAddress, visit: _Visit, most_bytes: int) -> Reply:
        if address.authority not in visit.pinned:
            visit.pinned[address.authority] = checked_addresses(
                address, self._resolver, visit.budget, self._allow_loopback
            )
        pinned = visit.pinned[address.authority]
        return request(address, pinned, visit.budget, most_bytes + MAX_HEADER_BYTES, self._headers, self._tls)

    def _next(self, address: PageAddress, reply: Reply) -> PageAddress:
        location = reply.header("Location")
        if not location:
            raise PageError(PageProblem.REDIRECT_BROKEN, host=address.host)
        with suppress(UnicodeError):
            # http.client reads headers as Latin-1; sites write UTF-8.
            location = location.encode("latin-1").decode("utf-8")
        try:
            joined = urljoin(str(address), location.replace(" ", "%20"))
        except ValueError:
            raise PageError(PageProblem.REDIRECT_BROKEN, host=address.host) from None
        return self.parse(joined)

    def _body(self, address: PageAddress, reply: Reply, visit: _Visit, most_bytes: int, cut: bool = False) -> bytes:
        try:
            return unpacked(_pieces(reply), reply.header("Content-Encoding"), most_bytes, cut)
        except TimeoutError:
            raise PageError(PageProblem.TIMED_OUT, seconds=visit.budget.seconds) from None
        except (HTTPException, OSError):
            raise PageError(PageProblem.REPLY_BROKEN, host=address.host) from None


def _pieces(reply: Reply) -> Iterator[bytes]:
    while piece := reply.response.read1(PIECE_BYTES):
        yield piece


def _check_status(address: PageAddress, reply: Reply) -> None:
    status = reply.status
    if 200 <= status < 300:
        return
    if status in (404, 410):
        problem = PageProblem.NOT_FOUND
    elif status in (401, 402, 403, 407, 429, 451):
        problem = PageProblem.NOT_ALLOWED
    elif status >= 500:
        problem = PageProblem.SITE_FAILED
    else:
        problem = PageProblem.STATUS
    raise PageError(problem, host=address.host, status=status)


def _check_kind(content_type: str) -> None:
    kind = content_type.partition(";")[0].strip().lower()
    if kind and kind not in READ_TYPES:
        raise PageError(PageProblem.NOT_HTML, kind=kind[:60])


def _check_body(body: bytes, content_type: str) -> None:
    """Refuse what the header calls a page, or does not name, and is none."""
    start = body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n\x00")
    if not start:
        raise PageError(PageProblem.EMPTY)
    if start.startswith(b"%PDF-"):
        raise PageError(PageProblem.NOT_HTML, kind="application/pdf")
    if not content_type and not start.startswith(b"<") and b"\x00<" not in body[:64]:
        raise PageError(PageProblem.NOT_HTML, kind="?")
