"""What is known of every keyword, as columns: demand, competition, bids, language, close variants.

Demand of a keyword is that of its whole group of close variants, counted once; `own_searches` is the keyword's alone.
"""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from indexes.arrays import Array, ArrayReader, write_array

LANGUAGES = ("zh", "en", "other")
UNKNOWN = -1
"""Stands for null in integer columns; float columns have NaN."""


@dataclass(frozen=True)
class KeywordStats:
    """Columns of shape (keywords,), except `monthly_searches` (keywords, months) and the two splits.

    Dates are days since 1970-01-01 UTC; bids are micros; searches are counts in the log's window, averages per month.
    """

    searches: Array  # int64
    own_searches: Array  # int64
    users: Array  # int64, of the keyword alone
    first_day: Array  # int32
    last_day: Array  # int32
    avg_monthly_searches: Array  # float64, NaN unknown
    monthly_searches: Array  # int32 (keywords, months)
    change_3m: Array  # float32, fraction, NaN unknown
    change_yoy: Array  # float32, fraction, NaN unknown
    competition_index: Array  # float32 0..100, NaN unknown
    low_bid_micros: Array  # int64, UNKNOWN
    high_bid_micros: Array  # int64, UNKNOWN
    advertisers: Array  # int32, UNKNOWN
    clicks: Array  # int64, UNKNOWN
    ad_ctr: Array  # float32, NaN unknown
    language: Array  # uint8, position in LANGUAGES
    canonical: Array  # int32, the most searched keyword of the group of close variants
    searches_by_device: Array  # int32 (keywords, devices), of the keyword alone
    searches_by_region: Array  # int32 (keywords, regions), of the keyword alone

    @staticmethod
    def open(reader: ArrayReader) -> "KeywordStats":
        return KeywordStats(**{item.name: reader.array(f"stats/{item.name}.npy") for item in fields(KeywordStats)})

    def write(self, folder: Path) -> None:
        """Write every column; they must have one length."""
        lengths = {item.name: len(getattr(self, item.name)) for item in fields(self)}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns differ in length: {lengths}")
        for item in fields(self):
            write_array(folder, f"stats/{item.name}.npy", np.asarray(getattr(self, item.name)))

    def competition_level(self, keyword_ids: Array) -> Array:
        """0 unknown, 1 LOW (below 34), 2 MEDIUM (below 67), 3 HIGH, as int8."""
        index = self.competition_index[keyword_ids]
        known = ~np.isnan(index)
        return np.where(known, 1 + (index >= 34) + (index >= 67), 0).astype(np.int8)
