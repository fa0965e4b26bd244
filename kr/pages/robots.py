"""robots.txt as RFC 9309 has it: fetched through the same guard as pages, kept for a day, and obeyed.

No such file (any 4xx) allows everything; one that cannot be read (a 5xx, no connection, no answer in time) forbids
everything until it can. What is longer than the limit is read up to it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from kr.pages.address import PageAddress
from kr.pages.connection import Clock
from kr.pages.problems import PageError, PageProblem

KEPT_SECONDS = 24 * 3600
"""How long an answer is kept at most (RFC 9309 §2.4)."""
UNREACHABLE_SECONDS = 60
"""How long a site whose robots.txt could not be read is left alone."""
KEPT_SITES = 1000
MAX_ROBOTS_BYTES = 500 * 1024
"""RFC 9309 §2.5 asks for at least 500 kibibytes."""

_OF_THE_SITE = (PageProblem.NAME_NOT_FOUND, PageProblem.NO_CONNECTION, PageProblem.TLS, PageProblem.TIMED_OUT)

ReadText = Callable[[PageAddress], tuple[int, str]]


@dataclass(frozen=True)
class _Rules:
    text: str | None
    until: float


class RobotsGate:
    """Asks each site once. Safe to call from any thread."""

    def __init__(self, agent: str, clock: Clock) -> None:
        self._agent = agent
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Rules] = OrderedDict()

    def check(self, address: PageAddress, read: ReadText) -> None:
        """Raise PageError unless the site lets this agent read the page. `read` fetches: status and text."""
        with self._lock:
            rules = self._kept.get(address.origin)
        if rules is None or rules.until < self._clock():
            rules = self._read(address, read)
            with self._lock:
                self._kept[address.origin] = rules
                self._kept.move_to_end(address.origin)
                while len(self._kept) > KEPT_SITES:
                    self._kept.popitem(last=False)
        if rules.text is None:
            raise PageError(PageProblem.ROBOTS_UNREACHABLE, host=address.host)
        if not _allowed(rules.text, str(address), self._agent):
            raise PageError(PageProblem.ROBOTS_DISALLOW, host=address.host, agent=self._agent)

    def _read(self, address: PageAddress, read: ReadText) -> _Rules:
        robots = PageAddress(address.scheme, address.host, address.port, "/robots.txt", address.ip)
        try:
            status, text = read(robots)
        except PageError as error:
            # What would stop the page just so is told as it is.
            if error.refused or error.problem in _OF_THE_SITE:
                raise
            status, text = 0, ""
        if 400 <= status < 500 and status != 429:
            return _Rules("", self._clock() + KEPT_SECONDS)
        if not 200 <= status < 300:
            return _Rules(None, self._clock() + UNREACHABLE_SECONDS)
        return _Rules(text, self._clock() + KEPT_SECONDS)


def _allowed(text: str, url: str, agent: str) -> bool:
    from protego import Protego

    return bool(Protego.parse(text).can_fetch(url, agent))
