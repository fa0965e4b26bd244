"""All parts of one opened snapshot in one object, which the online path is given whole."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from indexes.accounts import Accounts
from indexes.arrays import Array, ArrayReader, checked, ranges
from indexes.auction_landscape import AuctionLandscape
from indexes.blend_model import BlendModel
from indexes.click_paths import ClickPaths
from indexes.crawled_pages import CrawledPages
from indexes.errors import CorruptError
from indexes.forward import Forward
from indexes.industries import Industries
from indexes.keyword_stats import KeywordStats
from indexes.neighbors import Neighbors
from indexes.postings import Postings
from indexes.prefixes import Prefixes
from indexes.seed_queries import SeedQueries
from indexes.seed_urls import SeedUrls
from indexes.snapshot import open_snapshot
from indexes.spelling import Spelling
from indexes.term_vectors import TermVectors
from indexes.vectors import Vectors
from indexes.vocabulary import Vocabulary


@dataclass(frozen=True)
class Window:
    """The days that the log covers, both counted, UTC."""

    first_day: date
    last_day: date


@dataclass(frozen=True)
class Indexes:
    """One snapshot, opened. Reading is safe from any thread; nothing in it ever changes."""

    snapshot_id: str
    window: Window
    months: tuple[date, ...]
    """The first day of each month that the log touches, in order; the columns of `stats.monthly_searches`."""
    complete_months: tuple[bool, ...]
    """Whether the log covers the whole month."""
    devices: tuple[str, ...]
    regions: tuple[str, ...]
    lexicons_sha256: str
    """Fingerprint of the lexicons by which `unsafe_categories` was computed."""
    keywords: Vocabulary
    terms: Vocabulary
    postings: Postings
    forward: Forward
    stats: KeywordStats
    neighbors: Neighbors
    term_vectors: TermVectors
    vectors: Vectors
    click_paths: ClickPaths
    """The evidence paths that the column `path` of the miner click_clusters points to."""
    variants_offsets: Array
    variants: Array
    """Close variants of a canonical keyword c: `variants[variants_offsets[c]:variants_offsets[c + 1]]`, c included."""
    unsafe_categories: Array
    """Bits of unsafe categories of each keyword, uint32 (keywords,)."""
    unsafe_severity: Array
    """0 safe to 3 worst, uint8 (keywords,)."""
    popular: Array
    """Ids of the most searched safe keywords, the most searched first, int32."""
    spelling: Spelling
    prefixes: Prefixes
    """Keywords that are safe to show, by their beginnings."""
    crawled_pages: CrawledPages | None
    """What the platform knew of pages when it wrote the log; None if the snapshot was built without."""
    seeds: SeedQueries | None
    """What to offer before a word is typed; None in a snapshot that was built without."""
    landscape: AuctionLandscape | None
    """Demand and auctions, for forecasts; None in a snapshot that was built without."""
    accounts: Accounts | None
    """Who buys what, for recommendations; None in a snapshot that was built without."""
    blend: BlendModel | None
    """The learned blend of recommendations that the snapshot was built with, if any."""
    seed_urls: SeedUrls | None
    """Pages that a search by address may start from; None in a snapshot that was built without."""
    industries: Industries | None
    """The operator's industry tree with its keywords; None in a snapshot that was built without."""
    facts: dict[str, Any]
    """What the snapshot was built from: see `mining.build`."""

    @staticmethod
    def open(store: Path, snapshot_id: str | None = None) -> "Indexes":
        """Open the store's current snapshot, or the one named. Raises as `open_snapshot` does."""
        snapshot = open_snapshot(store, snapshot_id)
        return Indexes.read(snapshot, snapshot.id)

    @staticmethod
    def read(reader: ArrayReader, snapshot_id: str) -> "Indexes":
        """The parts that a reader gives."""
        facts = reader.json("facts.json")
        terms, keywords = Vocabulary(reader, "terms"), Vocabulary(reader, "keywords")
        postings, forward, stats = Postings(reader), Forward(reader), KeywordStats.open(reader)
        _check_equal("keywords", len(keywords), postings=len(postings), forward=len(forward), stats=len(stats))
        _check_equal("terms", len(terms), postings=len(postings.idf))
        _check_equal("facts.json's devices", len(facts["devices"]), stats=stats.searches_by_device.shape[1])
        _check_equal("facts.json's regions", len(facts["regions"]), stats=stats.searches_by_region.shape[1])
        prefixes = Prefixes(reader, stats.canonical)
        return Indexes(
            snapshot_id=snapshot_id,
            window=Window(*(date.fromisoformat(day) for day in facts["window"])),
            months=tuple(date.fromisoformat(month) for month in facts["months"]),
            complete_months=tuple(facts["complete_months"]),
            devices=tuple(facts["devices"]),
            regions=tuple(facts["regions"]),
            lexicons_sha256=facts["lexicons_sha256"],
            keywords=keywords,
            terms=terms,
            postings=postings,
            forward=forward,
            stats=stats,
            neighbors=Neighbors(reader),
            term_vectors=TermVectors(reader, terms),
            vectors=Vectors(reader),
            click_paths=ClickPaths(reader, keywords),
            variants_offsets=reader.array("variants/offsets.npy"),
            variants=reader.array("variants/members.npy"),
            unsafe_categories=checked(reader, "unsafe/categories", np.uint32, len(keywords)),
            unsafe_severity=checked(reader, "unsafe/severity", np.uint8, len(keywords)),
            popular=reader.array("popular.npy"),
            spelling=Spelling(reader, terms, prefixes),
            prefixes=prefixes,
            crawled_pages=CrawledPages.open(reader, facts),
            seeds=SeedQueries(reader) if "seeds" in facts else None,
            landscape=AuctionLandscape.open(reader, facts, len(keywords), len(terms)),
            accounts=Accounts.open(reader, facts),
            blend=BlendModel.open(reader, facts),
            seed_urls=SeedUrls.open(reader, facts),
            industries=Industries.open(reader, facts),
            facts=facts,
        )

    def token_ids(self, tokens: tuple[str, ...]) -> list[int]:
        """Ids of the tokens that the corpus knows, in order, repeats kept."""
        return [term_id for term_id in map(self.terms.find, tokens) if term_id >= 0]

    def close_variants(self, keyword_id: int) -> Array:
        """The keyword's group of close variants, itself included, the most searched first; int32."""
        members = self.close_variants_of(np.array([keyword_id]))[1]
        return members if len(members) else np.array([keyword_id], np.int32)

    def close_variants_of(self, keyword_ids: Array) -> tuple[Array, Array]:
        """The groups of several keywords: the number of members int64 of each, and the members int32 of all in turn.

        Groups hold two or more; a keyword without variants has none.
        """
        heads = self.stats.canonical[keyword_ids]
        starts = self.variants_offsets[heads]
        counts = self.variants_offsets[heads + 1] - starts
        return counts, self.variants[ranges(starts, counts)]


def _check_equal(what: str, count: int, **parts: int) -> None:
    for name, found in parts.items():
        if found != count:
            raise CorruptError(
                f"The snapshot's parts don't fit: {what} are {count:,}, {name} has {found:,}.",
                "Serve another snapshot, or build again with manage.py build.",
            )
