"""Which pages a search by address may start from, for industries, accounts and everyone (SPEC §1.12), at build.

S = Q^t · U^(1−t) of the pages that people click for a keyword of the context (`mining.seed_urls`), which for an account
is one that it buys, if it buys any:

    Q  quality: the root of focus · coherence
       focus      length of the mean of the unit vectors of the page's keywords, by their users: 1 if all are the same
       coherence  cosine of that mean and the context (`mining.seed_queries`); 1 for everyone
    U  utility: log(1 + keywords that lead there, close variants once) on the scale where the best page has 1

A page that anybody was led to by an unsafe keyword, or whose title or address is unsafe, is none. Of pages that are
clicked for nearly the same keywords the best stays, and of one site MOST_OF_SITE.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from indexes.arrays import Array, offsets_from_counts, ranges
from indexes.seed_queries import EVERYONE
from indexes.seed_urls import LEAD_KEYWORDS, PAGE_COLUMNS, SeedPages, SeedUrlRows, write_seed_urls
from indexes.unsafe_terms import UnsafeTerms
from mining.build_tables import MinedTables, numbers
from mining.seed_queries import SeedCandidates
from mining.seed_worth import Coherence, candidate_vectors
from mining.text_ids import TextIds

MIN_COHERENCE = {Coherence.TOPICS: 0.5, Coherence.VECTORS: 0.7}
"""From which on a page belongs to an industry or account."""
MIN_KEYWORDS = 3
"""Fewer keywords that lead there, close variants once: no page to start from."""
SAME_KEYWORDS = 0.8
"""Jaccard overlap of their keywords from which on two pages are near-duplicates."""
MOST_OF_SITE = 3
KEPT = 20
"""Pages kept for each context: those with the greatest Q · U."""
CONSIDERED = 200
"""The best pages of a context, so many, among which near-duplicates and sites are told."""


def write_all_seed_urls(
    mined: MinedTables,
    ids: TextIds,
    candidates: SeedCandidates,
    canonical: Array,
    severity: Array,
    unsafe_terms: UnsafeTerms,
    folder: Path,
) -> int | None:
    """Write the pages of all contexts and return how many pages there are; None, and nothing written, without clicks.

    `canonical` int32 and `severity` uint8 are those of the statistics and of the audit, a keyword a row.
    """
    if not (mined.has("seed_urls") and mined.has("seed_url_keywords")):
        return None
    choice = PageChoice(mined, ids, candidates, canonical, severity, unsafe_terms, folder)
    contexts = {name: choice.best_of(name) for name in candidates.bases}
    used = np.unique(np.concatenate([np.empty(0, np.int64), *(rows["page"] for rows in contexts.values())]))
    for rows in contexts.values():
        rows.columns["page"] = np.searchsorted(used, rows["page"])
    write_seed_urls(folder, contexts, choice.pages.taken(used, canonical))
    return len(used)


@dataclass(frozen=True)
class ClickedPages:
    """The pages of the mined tables with their keywords as CSR, those of the most users first."""

    urls: list[str]
    titles: list[str]
    columns: dict[str, Array]
    offsets: Array
    keyword: Array
    users: Array

    @staticmethod
    def read(mined: MinedTables, ids: TextIds) -> "ClickedPages":
        """The mined tables seed_urls and seed_url_keywords, which are sorted by url."""
        names = [name for name in PAGE_COLUMNS if name not in ("first_day", "last_day")]
        urls: list[str] = []
        titles: list[str] = []
        parts: dict[str, list[Array]] = {name: [np.empty(0, np.int64)] for name in PAGE_COLUMNS}
        for batch in mined.batches("seed_urls", ["url", "title", *names, "first_date", "last_date"]):
            urls += batch["url"].to_pylist()
            titles += [title or "" for title in batch["title"].to_pylist()]
            for name in PAGE_COLUMNS:
                parts[name].append(numbers(batch[name.replace("_day", "_date")]))
        place = {url: row for row, url in enumerate(urls)}
        page, keyword, users = ([np.empty(0, np.int64)] for _ in range(3))
        for batch in mined.batches("seed_url_keywords", ["url", "users"], ["keyword"]):
            page.append(np.array([place[url] for url in batch["url"].to_pylist()], np.int64))
            keyword.append(ids.of("seed_url_keywords", batch["keyword"]))
            users.append(numbers(batch["users"]))
        owner, keywords, clicked = (np.concatenate(each) for each in (page, keyword, users))
        order = np.lexsort((keywords, -clicked, owner))
        return ClickedPages(
            urls,
            titles,
            {name: np.concatenate(columns) for name, columns in parts.items()},
            offsets_from_counts(np.bincount(owner, minlength=len(urls))),
            keywords[order],
            clicked[order],
        )

    def taken(self, rows: Array, canonical: Array) -> SeedPages:
        """These pages as the snapshot holds them; of close variants one leads there."""
        leads = np.full((len(rows), LEAD_KEYWORDS), -1, np.int32)
        for place, row in enumerate(rows.tolist()):
            own = self.keyword[self.offsets[row] : self.offsets[row + 1]]
            first = own[np.sort(np.unique(canonical[own], return_index=True)[1])][:LEAD_KEYWORDS]
            leads[place, : len(first)] = first
        return SeedPages(
            [self.urls[row] for row in rows.tolist()],
            [self.titles[row] for row in rows.tolist()],
            {name: column[rows] for name, column in self.columns.items()},
            leads,
        )


class PageChoice:
    """Chooses pages for contexts; `keywords` int64 (pages,) counts those that lead to each, close variants once."""

    def __init__(
        self,
        mined: MinedTables,
        ids: TextIds,
        candidates: SeedCandidates,
        canonical: Array,
        severity: Array,
        unsafe_terms: UnsafeTerms,
        folder: Path,
    ) -> None:
        pages = self.pages = ClickedPages.read(mined, ids)
        self._candidates = candidates
        count = len(pages.urls)
        owner = np.repeat(np.arange(count), np.diff(pages.offsets))
        heads = np.unique(owner * len(canonical) + canonical[pages.keyword])
        self._groups = heads % max(len(canonical), 1)
        self.keywords = np.bincount(heads // max(len(canonical), 1), minlength=count)
        self._group_offsets = offsets_from_counts(self.keywords)
        pages.columns["keywords"] = self.keywords
        unsafe = np.zeros(count, bool)
        unsafe[owner[severity[pages.keyword] > 0]] = True
        for texts in (pages.titles, pages.urls):
            unsafe |= unsafe_terms.scan(texts)[1] > 0
        self._usable = ~unsafe & (self.keywords >= MIN_KEYWORDS)
        self.utility = np.log1p(self.keywords) / (np.log1p(self.keywords[self._usable].max(initial=0)) or 1.0)
        self._sites = [_site(url) for url in pages.urls]

        used, place = np.unique(pages.keyword, return_inverse=True)
        vectors, self._by = candidate_vectors(mined, folder, used)
        self._means = np.zeros((count, vectors.shape[1]), np.float32)
        np.add.at(self._means, owner, vectors[place] * pages.users[:, None].astype(np.float32))
        self._means /= np.maximum(np.bincount(owner, pages.users, count), 1)[:, None]
        self.focus = np.clip(np.linalg.norm(self._means, axis=1), 0, 1)
        by_keyword = np.argsort(place, kind="stable")
        self._keyword_ids = used
        self._page_offsets = offsets_from_counts(np.bincount(place, minlength=len(used)))
        self._pages_of = owner[by_keyword]

    def scored(self, name: str) -> dict[str, Array]:
        """The pages of a context that may be its seeds, ascending: page int64, quality and utility float64."""
        if name == EVERYONE:
            page = np.flatnonzero(self._usable & (self.focus > 0))
            quality = np.sqrt(self.focus[page])
        else:
            page = self.clicked_for(self._candidates.own_keywords(name))
            page = page[self._usable[page] & (self.focus[page] > 0)]
            centre = self._candidates.centre_of(name)
            coherence = np.clip(self._means[page] @ centre / self.focus[page], 0, 1)
            belongs = coherence >= MIN_COHERENCE[self._by]
            page, quality = page[belongs], np.sqrt(self.focus[page] * coherence)[belongs]
        return {"page": page, "quality": quality, "utility": self.utility[page]}

    def best_of(self, name: str) -> SeedUrlRows:
        """The KEPT pages of a context with the greatest Q · U, best first, each another site and other keywords."""
        found = self.scored(name)
        order = np.lexsort((found["page"], -np.round(found["quality"] * found["utility"], 6)))[:CONSIDERED]
        kept = order[self._different(found["page"][order])]
        return SeedUrlRows({column: values[kept] for column, values in found.items()})

    def _different(self, pages: Array) -> list[int]:
        """Places of the pages that repeat neither an earlier one's keywords nor a site too often."""
        kept: list[int] = []
        groups: list[set[int]] = []
        sites: dict[str, int] = {}
        for place, page in enumerate(pages.tolist()):
            own = set(self._groups[self._group_offsets[page] : self._group_offsets[page + 1]].tolist())
            site = self._sites[page]
            if sites.get(site, 0) == MOST_OF_SITE or any(
                len(own & other) >= SAME_KEYWORDS * len(own | other) for other in groups
            ):
                continue
            sites[site] = sites.get(site, 0) + 1
            groups.append(own)
            kept.append(place)
            if len(kept) == KEPT:
                break
        return kept

    def clicked_for(self, keywords: Array) -> Array:
        """The pages that any of these keywords leads to, ascending."""
        if not len(self._keyword_ids):
            return np.empty(0, np.int64)
        place = np.minimum(np.searchsorted(self._keyword_ids, keywords), len(self._keyword_ids) - 1)
        place = place[self._keyword_ids[place] == keywords]
        return np.unique(self._pages_of[ranges(self._page_offsets[place], np.diff(self._page_offsets)[place])])


def _site(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""
