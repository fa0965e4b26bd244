"""Seed URLs: pages that a search by address may start from, for an account, an industry or everyone (SPEC §1.12).

Contexts are named as those of seed queries; a context's rows stand together, best first, and point to pages, each of
which is kept once. The part is optional: a log without clicks has none, and neither have older snapshots.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array, ArrayReader, checked, offsets_from_counts, write_array
from indexes.vocabulary import StringList, Vocabulary, write_strings, write_vocabulary

PART = "seed_urls"
LEAD_KEYWORDS = 3
"""Keywords told of a page: those that the most users clicked it for."""
ROW_COLUMNS: dict[str, Any] = {"page": np.int32, "quality": np.float32, "utility": np.float32}
"""The page, and Q and U of S = Q^t · U^(1−t), 0..1."""
PAGE_COLUMNS: dict[str, Any] = {
    "keywords": np.int32,
    "users": np.int32,
    "clicks": np.int32,
    "first_day": np.int32,
    "last_day": np.int32,
}
"""Keywords, close variants once, that lead to the page; users and clicks; days since 1970-01-01."""


@dataclass(frozen=True)
class SeedUrlRows:
    """The pages of one context, best first: ROW_COLUMNS."""

    columns: dict[str, Array]

    def __len__(self) -> int:
        return len(self.columns["page"])

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]

    def take(self, rows: Array) -> "SeedUrlRows":
        """The rows at these places, or where this mask is true."""
        return SeedUrlRows({name: column[rows] for name, column in self.columns.items()})


@dataclass(frozen=True)
class SeedPages:
    """The pages that any context has: addresses, titles ("" where unknown), PAGE_COLUMNS, and the ids of keywords that
    lead there int32 (n, LEAD_KEYWORDS), -1 where there are fewer."""

    urls: list[str]
    titles: list[str]
    columns: dict[str, Array]
    leads: Array


class SeedUrls:
    """All contexts and pages of a snapshot, mapped."""

    def __init__(self, reader: ArrayReader) -> None:
        self._contexts = Vocabulary(reader, f"{PART}/contexts")
        self._offsets = checked(reader, f"{PART}/offsets", np.int64, len(self._contexts) + 1)
        rows = int(self._offsets[-1])
        self._rows = {name: checked(reader, f"{PART}/{name}", dtype, rows) for name, dtype in ROW_COLUMNS.items()}
        self.urls = StringList(reader, f"{PART}/urls")
        self.titles = StringList(reader, f"{PART}/titles")
        pages = len(self.urls)
        self.pages = {name: checked(reader, f"{PART}/{name}", dtype, pages) for name, dtype in PAGE_COLUMNS.items()}
        self.leads = checked(reader, f"{PART}/leads", np.int32, pages, ndim=2)

    @staticmethod
    def open(reader: ArrayReader, facts: dict[str, Any]) -> "SeedUrls | None":
        """The part, or None if the snapshot was built without one."""
        return SeedUrls(reader) if facts.get(PART) is not None else None

    def of(self, context: str) -> SeedUrlRows | None:
        """The pages of a context, None if it is not known."""
        place = self._contexts.find(context)
        if place < 0:
            return None
        rows = slice(int(self._offsets[place]), int(self._offsets[place + 1]))
        return SeedUrlRows({name: column[rows] for name, column in self._rows.items()})


def write_seed_urls(folder: Path, contexts: dict[str, SeedUrlRows], pages: SeedPages) -> None:
    """Write the pages of all contexts; `page` of the rows numbers `pages`."""
    names = sorted(contexts)
    write_vocabulary(folder, f"{PART}/contexts", names)
    counts = np.array([len(contexts[name]) for name in names], np.int64)
    write_array(folder, f"{PART}/offsets.npy", offsets_from_counts(counts))
    for column, dtype in ROW_COLUMNS.items():
        parts = [contexts[name][column] for name in names]
        write_array(folder, f"{PART}/{column}.npy", np.concatenate([np.empty(0, dtype), *parts]).astype(dtype))
    write_strings(folder, f"{PART}/urls", pages.urls)
    write_strings(folder, f"{PART}/titles", pages.titles)
    for column, dtype in PAGE_COLUMNS.items():
        write_array(folder, f"{PART}/{column}.npy", pages.columns[column].astype(dtype))
    write_array(folder, f"{PART}/leads.npy", pages.leads.astype(np.int32))
