"""What is known of every keyword, as columns: demand, competition, bids, language, close variants.

Demand of a keyword is that of its whole group of close variants, counted once; `own_searches` is the keyword's alone.
Counts are stored in one to four bytes (`indexes.narrow_column`) and read as the types below, exactly.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array, ArrayReader, checked, new_array
from indexes.errors import CorruptError
from indexes.narrow_column import UNKNOWN, NarrowColumn, NarrowWriter

__all__ = ["LANGUAGES", "UNKNOWN", "KeywordStats", "write_keyword_stats"]

LANGUAGES = ("zh", "en", "other")
Column = Array | NarrowColumn

NARROW: dict[str, tuple[Any, Any]] = {
    "searches": (np.uint16, np.int64),
    "own_searches": (np.uint16, np.int64),
    "users": (np.uint16, np.int64),
    "first_day": (np.uint16, np.int32),
    "last_day": (np.uint16, np.int32),
    "monthly_searches": (np.uint8, np.int32),
    "low_bid_micros": (np.uint32, np.int64),
    "high_bid_micros": (np.uint32, np.int64),
    "advertisers": (np.uint8, np.int32),
    "clicks": (np.uint16, np.int64),
    "searches_by_device": (np.uint8, np.int32),
    "searches_by_region": (np.uint8, np.int32),
}
"""Columns of counts: the type that is stored and the one that is read."""
PLAIN: dict[str, Any] = {
    "avg_monthly_searches": np.float64,
    "change_3m": np.float32,
    "change_yoy": np.float32,
    "competition_index": np.float32,
    "ad_ctr": np.float32,
    "language": np.uint8,
    "canonical": np.int32,
}
TABLES = ("monthly_searches", "searches_by_device", "searches_by_region")
"""Columns of two dimensions."""


@dataclass(frozen=True)
class KeywordStats:
    """Columns of shape (keywords,), except `monthly_searches` (keywords, months) and the two splits.

    Dates are days since 1970-01-01 UTC; bids are micros; searches are counts in the log's window, averages per month.
    """

    searches: Column  # int64
    own_searches: Column  # int64
    users: Column  # int64, of the keyword alone
    first_day: Column  # int32
    last_day: Column  # int32
    avg_monthly_searches: Array  # float64, NaN unknown
    monthly_searches: Column  # int32 (keywords, months)
    change_3m: Array  # float32, fraction, NaN unknown
    change_yoy: Array  # float32, fraction, NaN unknown
    competition_index: Array  # float32 0..100, NaN unknown
    low_bid_micros: Column  # int64, UNKNOWN
    high_bid_micros: Column  # int64, UNKNOWN
    advertisers: Column  # int32, UNKNOWN
    clicks: Column  # int64, UNKNOWN
    ad_ctr: Array  # float32, NaN unknown
    language: Array  # uint8, position in LANGUAGES
    canonical: Array  # int32, the most searched keyword of the group of close variants
    searches_by_device: Column  # int32 (keywords, devices), of the keyword alone
    searches_by_region: Column  # int32 (keywords, regions), of the keyword alone

    @staticmethod
    def open(reader: ArrayReader) -> "KeywordStats":
        """Map the columns. CorruptError if they are not of one length; O(1)."""
        columns: dict[str, Any] = {name: checked(reader, f"stats/{name}", dtype) for name, dtype in PLAIN.items()}
        for name, (item, dtype) in NARROW.items():
            columns[name] = NarrowColumn.open(reader, f"stats/{name}", item, dtype, 2 if name in TABLES else 1)
        lengths = {name: len(column) for name, column in columns.items()}
        for name, length in lengths.items():
            if length != lengths["searches"]:
                raise CorruptError(
                    f"stats/{name}.npy has {length:,} rows, stats/searches.npy {lengths['searches']:,}.",
                    "Serve another snapshot, or build again with manage.py build.",
                )
        return KeywordStats(**columns)

    def __len__(self) -> int:
        """How many keywords."""
        return len(self.searches)

    def write(self, folder: Path) -> None:
        """Write every column; they must have one length."""
        lengths = {item.name: len(getattr(self, item.name)) for item in fields(self)}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns differ in length: {lengths}")
        write_keyword_stats(folder, len(self), [self])

    def competition_level(self, keyword_ids: Array) -> Array:
        """0 unknown, 1 LOW (below 34), 2 MEDIUM (below 67), 3 HIGH, as int8."""
        index = self.competition_index[keyword_ids]
        known = ~np.isnan(index)
        return np.where(known, 1 + (index >= 34) + (index >= 67), 0).astype(np.int8)

    def monthly_demand(self, keyword_ids: Array) -> Array:
        """Searches a month, float64; where the log covers no whole month, the searches of the whole log."""
        demand: Array = self.avg_monthly_searches[keyword_ids].astype(np.float64)
        unknown = np.flatnonzero(np.isnan(demand))
        if len(unknown):
            demand[unknown] = self.searches[keyword_ids[unknown]]
        return demand


def write_keyword_stats(folder: Path, keywords: int, chunks: Iterable[KeywordStats]) -> None:
    """Write the columns of so many keywords, whose rows come in chunks, in order, in memory a chunk at a time.

    At least one chunk, which may be empty: it tells how many months, devices and regions there are.
    """
    plain: dict[str, Array] = {}
    narrow: dict[str, NarrowWriter] = {}
    row = 0
    for chunk in chunks:
        columns = {item.name: np.asarray(getattr(chunk, item.name)) for item in fields(KeywordStats)}
        if not plain:
            for name, dtype in PLAIN.items():
                plain[name] = new_array(folder, f"stats/{name}.npy", dtype, (keywords,))
            for name, (item, _) in NARROW.items():
                shape = (keywords, *columns[name].shape[1:])
                narrow[name] = NarrowWriter(folder, f"stats/{name}", shape, item)
        for name, array in plain.items():
            array[row : row + len(chunk)] = columns[name]
        for name, writer in narrow.items():
            writer.add(columns[name])
        row += len(chunk)
    if row != keywords:
        raise ValueError(f"statistics of {row:,} keywords, not of {keywords:,}")
    for writer in narrow.values():
        writer.finish()
