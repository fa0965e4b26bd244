"""From an address to what the page is about: out of the platform's crawl, or fetched, or from a file."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from indexes.opened import Indexes
from indexes.text import normalise
from kr.pages.address import PageAddress
from kr.pages.document import PageDocument, read_document, text_document
from kr.pages.fetch import FetchLimits, PageFetcher
from kr.pages.problems import PageError, PageProblem
from kr.pages.topics import find_topics
from kr.reasons import Notice
from kr.reply import NoticeText, notice
from kr.settings import Settings
from kr.types import PageTopic

KEPT_PAGES = 256
"""Fetched pages that are kept for a while, so that sorting and paging don't fetch again."""
IDF_POWER = 2
"""Words that stand in searches of every kind (price, compare, booking) must not lead away from what is offered."""
LEAST_IDF = 0.05
"""What the commonest word counts of the rarest: on a platform that sells little else, "flowers" stands everywhere."""
UNKNOWN_WORD = 0.5
"""What a word that nobody searched counts, of the rarest's idf: it may be a brand, but nothing can be found by it."""


class Origin(StrEnum):
    """Where the text of a page came from."""

    CRAWL = "crawl"
    FETCHED = "fetched"
    FILE = "file"


@dataclass(frozen=True)
class PageRead:
    """A page that was read: `address` as it was found in the end, `read_on` the day of the text."""

    address: str
    document: PageDocument
    topics: tuple[PageTopic, ...]
    origin: Origin
    read_on: date

    def notices(self) -> tuple[NoticeText, ...]:
        """What there is to say of the page as a whole."""
        found = []
        if self.origin is Origin.CRAWL:
            found.append(notice(Notice.PAGE_FROM_CRAWL, date=self.read_on.isoformat()))
        if self.document.needs_javascript:
            found.append(notice(Notice.PAGE_NEEDS_JAVASCRIPT))
        elif not self.topics:
            found.append(notice(Notice.PAGE_WITHOUT_WORDS))
        if self.document.cut:
            found.append(notice(Notice.PAGE_CUT))
        return tuple(found)

    def as_data(self) -> dict[str, Any]:
        """What the API and the command line show of it."""
        product = self.document.product
        return {
            "address": self.address,
            "title": self.document.title,
            "description": self.document.description or None,
            "language": self.document.language or None,
            "charset": self.document.charset,
            "origin": self.origin.value,
            "read_on": self.read_on.isoformat(),
            "needs_javascript": self.document.needs_javascript,
            "product": {
                "name": product.name or None,
                "brand": product.brand or None,
                "categories": list(product.categories),
                "breadcrumbs": list(product.breadcrumbs),
                "price": product.price or None,
                "currency": product.currency or None,
            },
            "topics": [
                {"text": topic.text, "weight": topic.weight, "places": list(topic.places)} for topic in self.topics
            ],
        }


class PageReader:
    """Reads pages for one service. Safe to call from any thread."""

    def __init__(
        self, settings: Settings, fetcher: PageFetcher | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._kept_seconds = settings.page_kept_seconds
        self._fetcher = fetcher or PageFetcher(
            settings.page_user_agent,
            FetchLimits(settings.page_seconds, settings.page_bytes, at_once=settings.pages_at_once),
            settings.allow_loopback_pages,
        )
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, PageAddress, PageDocument, date]] = OrderedDict()

    def read(self, text: str, indexes: Indexes, anew: bool = False) -> PageRead:
        """The page at an address: from the platform's crawl if it is there and not asked for anew, else fetched.

        Raises PageError, which says why the address is refused or the page cannot be read.
        """
        address = self._fetcher.parse(text.strip(" "))
        crawled = None if anew or indexes.crawled_pages is None else indexes.crawled_pages.find(str(address))
        if crawled is not None:
            document = text_document(crawled.title, crawled.text)
            return self._read(str(address), address.host, document, Origin.CRAWL, indexes.window.last_day, indexes)
        final, document, day = self._fetched(address)
        return self._read(str(final), final.host, document, Origin.FETCHED, day, indexes)

    def read_file(self, body: bytes, text: str, indexes: Indexes) -> PageRead:
        """A page that the caller has already; its address is checked but not opened."""
        address = self._fetcher.parse(text.strip(" "))
        if not body.strip():
            raise PageError(PageProblem.EMPTY)
        return self._read(str(address), address.host, read_document(body), Origin.FILE, _today(), indexes)

    def _fetched(self, address: PageAddress) -> tuple[PageAddress, PageDocument, date]:
        key = str(address)
        with self._lock:
            kept = self._kept.get(key)
        if kept is None or kept[0] + self._kept_seconds < self._clock():
            page = self._fetcher.fetch(address)
            kept = (self._clock(), page.address, read_document(page.body, page.content_type), _today())
            with self._lock:
                self._kept[key] = kept
                self._kept.move_to_end(key)
                while len(self._kept) > KEPT_PAGES:
                    self._kept.popitem(last=False)
        return kept[1:]

    @staticmethod
    def _read(address: str, host: str, document: PageDocument, origin: Origin, day: date, indexes: Indexes) -> PageRead:
        return PageRead(address, document, topics_of(document, host, indexes), origin, day)


def topics_of(document: PageDocument, host: str, indexes: Indexes) -> tuple[PageTopic, ...]:
    """The topics of a page, its words weighed by the search log."""
    rarest = float(indexes.postings.idf.max()) if len(indexes.terms) else 1.0

    def idf(token: str) -> float:
        term_id = indexes.terms.find(token)
        share = float(indexes.postings.idf[term_id]) / rarest if term_id >= 0 else UNKNOWN_WORD
        return LEAST_IDF + (1 - LEAST_IDF) * max(share, 0.0) ** IDF_POWER

    def is_searched(text: str) -> bool:
        return indexes.keywords.find(normalise(text)) >= 0

    return find_topics(document, idf, is_searched, host=host)


def _today() -> date:
    return datetime.now(UTC).date()
