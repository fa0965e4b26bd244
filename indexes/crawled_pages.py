"""Pages that the platform has crawled: by address, the title and the beginning of the text.

So that a page can be answered for without a network. The part is optional: a log without pages has none, and neither
has a snapshot that was built before there was one. Pages are found by `page_key`, which is blind to what leads to the
same page everywhere: scheme, case of the host, port of the scheme, fragment.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from indexes.arrays import Array, ArrayReader, checked
from indexes.vocabulary import StringList, Vocabulary

PART = "crawled_pages"
_PARTS = re.compile(r"(?:https?://)?([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.IGNORECASE | re.DOTALL)
_PORT = re.compile(r":(80|443)$")
MOST_COMPARED = 5_000
"""Addresses of one host that are compared to find those nearest to its root."""


@dataclass(frozen=True)
class CrawledPage:
    """What is known of one page."""

    title: str
    text: str


class CrawledPages:
    """The pages of one snapshot; opening is O(1), finding one O(log n)."""

    def __init__(self, reader: ArrayReader) -> None:
        self._keys = Vocabulary(reader, f"{PART}/keys")
        self._rows: Array = checked(reader, f"{PART}/rows", np.int64, len(self._keys))
        self._titles = StringList(reader, f"{PART}/titles")
        self._texts = StringList(reader, f"{PART}/texts")

    @staticmethod
    def open(reader: ArrayReader, facts: dict[str, Any]) -> "CrawledPages | None":
        """The part, or None if the snapshot was built without one."""
        return CrawledPages(reader) if facts.get(PART) is not None else None

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, url: str) -> CrawledPage | None:
        """The page at an address, or None."""
        place = self._keys.find(page_key(url))
        if place < 0:
            return None
        return self._page(place)

    def of_host(self, host: str, most: int) -> tuple[int, list[tuple[str, CrawledPage]]]:
        """How many pages of a host there are, and at most so many of them, those nearest to its root first.

        O(log n) to find them; of a host with more than MOST_COMPARED pages the first by address are compared.
        """
        # "0" follows "/" in UTF-8, so that between the two lie exactly the keys that begin with the host and a slash.
        first, end = self._keys.lower_bound(f"{host}/"), self._keys.lower_bound(f"{host}0")
        places = range(first, min(end, first + MOST_COMPARED))
        keys = sorted((_distance_from_root(key := self._keys[place]), key, place) for place in places)
        return end - first, [(key, self._page(place)) for _, key, place in keys[:most]]

    def _page(self, place: int) -> CrawledPage:
        row = int(self._rows[place])
        return CrawledPage(self._titles[row], self._texts[row])


def _distance_from_root(key: str) -> tuple[int, int]:
    """How deep a page lies: slashes with something behind them, then the length of the address."""
    path, _, query = key.partition("?")
    return len([part for part in path.split("/")[1:] if part]) + bool(query), len(key)


def page_key(url: str) -> str:
    """The name by which a page is found: host in lower case, path (at least /) and query."""
    match = _PARTS.fullmatch(url)
    assert match, "the pattern matches every text"
    host, path, query = match.groups()
    return _PORT.sub("", host.lower()) + (path or "/") + (query or "")
