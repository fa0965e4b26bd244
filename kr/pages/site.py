"""From a site to what it is about: the topics of its pages in the platform's crawl, pooled. Nothing is fetched."""

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date
from typing import Any

from indexes.opened import Indexes
from kr.pages.address import parse_address
from kr.pages.document import text_document
from kr.pages.problems import PageError, PageProblem
from kr.pages.reader import topics_of
from kr.reasons import Notice
from kr.reply import NoticeText, notice
from kr.types import PageTopic

MOST_PAGES = 40
"""Pages of a site whose topics are pooled, those nearest to its root first."""
MOST_SITE_TOPICS = 30
KEPT_SITES = 64
SITE_PREFIX = "site:"
"""How a site is told from a page and from a keyword in the search box."""


@dataclass(frozen=True)
class SiteRead:
    """A site that was read: its host, how many of its pages the crawl has, how many were read, and their topics."""

    site: str
    pages: int
    pages_read: int
    topics: tuple[PageTopic, ...]
    read_on: date

    def notices(self) -> tuple[NoticeText, ...]:
        """What there is to say of the site as a whole."""
        counts = {"site": self.site, "read": f"{self.pages_read:,}", "pages": f"{self.pages:,}"}
        return (notice(Notice.SITE_FROM_CRAWL, date=self.read_on.isoformat(), **counts),)

    def as_data(self) -> dict[str, Any]:
        """What the API and the command line show of it."""
        return {
            "site": self.site,
            "pages": self.pages,
            "pages_read": self.pages_read,
            "read_on": self.read_on.isoformat(),
            "topics": [
                {"text": topic.text, "weight": topic.weight, "places": list(topic.places)} for topic in self.topics
            ],
        }


class SiteReader:
    """Reads sites out of one snapshot's crawl after another's; the last ones are kept. Safe to call from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], SiteRead] = OrderedDict()

    def read(self, text: str, indexes: Indexes) -> SiteRead:
        """The site of a host such as `shop.example.com`, also written as the address of its root.

        With `www.` in front or without is one site. PageError if the text names no host, or nothing of it was crawled.
        """
        host = site_host(text)
        key = (indexes.snapshot_id, host)
        with self._lock:
            kept = self._kept.get(key)
        if kept is None:
            kept = read_site(host, indexes)
            with self._lock:
                self._kept[key] = kept
                while len(self._kept) > KEPT_SITES:
                    self._kept.popitem(last=False)
        return kept


def site_host(text: str) -> str:
    """The host that a text names: ASCII, lower case, without `www.`. PageError for anything more than a host."""
    address = parse_address(text.strip().removesuffix("/"))
    if address.target != "/" or address.ip is not None:
        raise PageError(PageProblem.SITE_NAME, site=text[:80])
    return address.host.removeprefix("www.")


def read_site(host: str, indexes: Indexes) -> SiteRead:
    """Pool the topics of a host's crawled pages; see `pooled`."""
    found = 0
    pages = []
    for name in (host, f"www.{host}"):
        if indexes.crawled_pages is not None:
            count, some = indexes.crawled_pages.of_host(name, MOST_PAGES)
            found += count
            pages += some
    if not pages:
        raise PageError(PageProblem.SITE_NOT_CRAWLED, site=host)
    of_pages = [topics_of(text_document(page.title, page.text), host, indexes) for _, page in pages[:MOST_PAGES]]
    return SiteRead(host, found, len(of_pages), pooled(of_pages), indexes.window.last_day)


def pooled(of_pages: list[tuple[PageTopic, ...]]) -> tuple[PageTopic, ...]:
    """The topics of several pages as those of one site, the heaviest first, their weights of the heaviest's.

    A topic weighs the mean of its weights on the pages that have it times the square root of how many these are: what
    stands on many pages is what the site sells, but one page's main topic is not lost among many small ones.
    """
    weights: dict[str, list[float]] = {}
    places: dict[str, dict[str, None]] = {}
    for topics in of_pages:
        for topic in topics:
            weights.setdefault(topic.text, []).append(topic.weight)
            places.setdefault(topic.text, {}).update(dict.fromkeys(topic.places))
    if not weights:
        return ()
    mass = {text: sum(each) / len(each) * math.sqrt(len(each)) for text, each in weights.items()}
    heaviest = max(mass.values())
    ranked = sorted(mass, key=lambda text: (-mass[text], text))[:MOST_SITE_TOPICS]
    return tuple(PageTopic(text, round(mass[text] / heaviest, 4), tuple(places[text])) for text in ranked)
