"""Mining by days: which days of a log must be mined anew, mining them, and what the whole mining takes from them.

A day's key hashes its rows of searches, the settings that decide what is kept of it, and the versions of what makes it.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from indexes.terminal import Advance, progress, say
from mining.canonical_logs import LogFiles
from mining.day_index import DayIndex, DayRows, key_of
from mining.day_sessions import DAY_SEARCHES, days_in_order, join_days, place_days
from mining.day_store import STAGING, DayStore
from mining.engines import Engine, open_engine
from mining.mined_tables import ROW_GROUP_ROWS, row_groups
from mining.settings import MiningSettings

DAYS_VERSION = 1
"""Raised when the same rows give other days than before."""
BATCH_ROWS = 2_000_000
"""Days are mined together up to so many rows, since starting on a day costs more than a small day does."""
SEARCHES_FILE = f"{DAY_SEARCHES.name}.parquet"


@dataclass(frozen=True)
class MinedDays:
    """The days of the window with their files, and what this run did about them."""

    files: tuple[Path, ...]
    mined: int
    reused: int
    removed: int

    def place_searches(self, engine: Engine, users: ir.Table, queries: ir.Table, settings: MiningSettings) -> ir.Table:
        """All searches in their sessions, as `mining.sessions.place_in_sessions` gives them."""
        return join_days(engine, self.files, users, queries, settings)

    @property
    def summary(self) -> dict[str, int]:
        """What to tell whoever ran the mining."""
        return {"days_mined": self.mined, "days_reused": self.reused, "days_removed": self.removed}


def mine_days(
    store: DayStore, searches: LogFiles, days: Mapping[date, DayRows], settings: MiningSettings, engine: str
) -> MinedDays:
    """Mine those of the log's days that lie in the window and that `store` does not hold as they are now.

    Days of the store that the log no longer has are removed; days before the window stay for a longer one.
    """
    decides = {
        "version": DAYS_VERSION,
        "unicode": unicodedata.unidata_version,
        "settings": {"session_gap_minutes": settings.session_gap_minutes},
    }
    first = settings.first_day(max(days))
    window = [day for day in days if day >= first]
    keys = {day: key_of([day.isoformat(), days[day].rows, days[day].rows_hash, decides]) for day in window}
    wanting, reasons = [], set()
    for day in window:
        known = store.description(day)
        if known is None or known.get("key") != keys[day]:
            wanting.append(day)
            if known is not None and known.get("decides") != decides:
                reasons.add(_difference(known.get("decides"), decides))
    gone = [day for day in store.days() if day not in days]
    for day in gone:
        store.remove(day)
    for reason in sorted(reasons):
        say(f"  {reason}: days that were mined otherwise are mined again")
    if wanting:
        about = {day: {"key": keys[day], "rows": days[day].rows, "decides": decides} for day in wanting}
        with progress("mine days", len(wanting)) as advance:
            _mine(store, searches, about, settings, engine, advance)
    return MinedDays(
        tuple(store.file(day, SEARCHES_FILE) for day in window),
        mined=len(wanting),
        reused=len(window) - len(wanting),
        removed=len(gone),
    )


def read_days(store: DayStore, searches: LogFiles, settings: MiningSettings) -> dict[date, DayRows]:
    """The days of the log's searches and what rows they have; kept in the store for files that do not change."""
    index = DayIndex(store.read_index())
    days = index.days(searches.table, searches.files, settings.threads)
    store.write_index(index.document())
    return days


def batches_of_days(rows: Mapping[date, int], most: int) -> Iterator[list[date]]:
    """The days in order, in batches of at most so many rows; a day of more is alone."""
    batch: list[date] = []
    total = 0
    for day in sorted(rows):
        if batch and total + rows[day] > most:
            yield batch
            batch, total = [], 0
        batch.append(day)
        total += rows[day]
    if batch:
        yield batch


def _mine(
    store: DayStore,
    searches: LogFiles,
    about: Mapping[date, dict[str, Any]],
    settings: MiningSettings,
    engine: str,
    advance: Advance,
) -> None:
    spill = store.folder / STAGING / "spill"
    spill.mkdir()
    with open_engine(engine, spill, settings.threads, settings.memory_mb) as opened:
        log = opened.read(searches.table, searches.files)
        for batch in batches_of_days({day: one["rows"] for day, one in about.items()}, BATCH_ROWS):
            placed = place_days(opened, log, batch, settings)
            folders = {day: store.staged(day) for day in batch}
            _write(folders, days_in_order(opened, placed))
            for day in batch:
                store.publish(day, about[day])
                advance(1)


def _write(folders: Mapping[date, Path], batches: Iterable[tuple[date, pa.Table]]) -> None:
    """Write every day's rows, which come in the order of the days, to the day's folder; days without rows too."""
    schema = DAY_SEARCHES.arrow_schema
    written: set[date] = set()
    for day, parts in groupby(batches, key=lambda batch: batch[0]):
        with _writer(folders[day] / SEARCHES_FILE, schema) as writer:
            for group in row_groups(batch for _, rows in parts for batch in rows.to_batches()):
                writer.write_table(group, row_group_size=ROW_GROUP_ROWS)
        written.add(day)
    for day in folders.keys() - written:
        _writer(folders[day] / SEARCHES_FILE, schema).close()


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(path, schema, compression="zstd")


def _difference(before: Any, now: Mapping[str, Any]) -> str:
    """What decides days and is no longer what it was."""
    known = before.get("settings", {}) if isinstance(before, dict) else {}
    changed = [
        f"{name} is {value}, was {known.get(name)}"
        for name, value in now["settings"].items()
        if known.get(name) != value
    ]
    return ", ".join(changed) or "another version of KR"
