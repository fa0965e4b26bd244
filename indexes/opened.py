"""All parts of one opened snapshot in one object, which the online path is given whole."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array, ArrayReader
from indexes.forward import Forward
from indexes.keyword_stats import KeywordStats
from indexes.neighbors import Neighbors
from indexes.postings import Postings
from indexes.prefixes import Prefixes
from indexes.snapshot import open_snapshot
from indexes.spelling import Spelling
from indexes.vocabulary import StringList, Vocabulary


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
    neighbors: dict[str, Neighbors]
    click_paths: StringList
    """Texts of the evidence paths that `neighbors["click_clusters"]` points to."""
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
        terms = Vocabulary(reader, "terms")
        stats = KeywordStats.open(reader)
        prefixes = Prefixes(reader, stats.canonical)
        return Indexes(
            snapshot_id=snapshot_id,
            window=Window(*(date.fromisoformat(day) for day in facts["window"])),
            months=tuple(date.fromisoformat(month) for month in facts["months"]),
            complete_months=tuple(facts["complete_months"]),
            devices=tuple(facts["devices"]),
            regions=tuple(facts["regions"]),
            lexicons_sha256=facts["lexicons_sha256"],
            keywords=Vocabulary(reader, "keywords"),
            terms=terms,
            postings=Postings(reader),
            forward=Forward(reader),
            stats=stats,
            neighbors={miner: Neighbors(reader, miner) for miner in facts["miners"]},
            click_paths=StringList(reader, "click_paths"),
            variants_offsets=reader.array("variants/offsets.npy"),
            variants=reader.array("variants/members.npy"),
            unsafe_categories=reader.array("unsafe/categories.npy"),
            unsafe_severity=reader.array("unsafe/severity.npy"),
            popular=reader.array("popular.npy"),
            spelling=Spelling(reader, terms, prefixes),
            prefixes=prefixes,
            facts=facts,
        )

    def token_ids(self, tokens: tuple[str, ...]) -> list[int]:
        """Ids of the tokens that the corpus knows, in order, repeats kept."""
        return [term_id for term_id in map(self.terms.find, tokens) if term_id >= 0]

    def close_variants(self, keyword_id: int) -> Array:
        """The keyword's group of close variants, itself included, the most searched first; int32."""
        head = int(self.stats.canonical[keyword_id])
        members = self.variants[self.variants_offsets[head] : self.variants_offsets[head + 1]]
        return members if len(members) else np.array([keyword_id], np.int32)
