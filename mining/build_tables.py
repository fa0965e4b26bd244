"""The mined tables as the build reads them: a batch at a time, some columns at a time."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from indexes.arrays import Array
from indexes.errors import CorruptError, NotFoundError, UsageError

REPORT = "mining_report.json"
MAX_KEYWORDS = 2**31 - 1
"""Keyword ids are 32-bit."""
MINE_AGAIN = "Run manage.py mine again."


class MinedTables:
    """One folder of mined tables. Raises NotFoundError if mining did not finish there or a table is missing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / REPORT
        if not path.is_file():
            raise NotFoundError(
                f"{folder} holds no finished mining: {path.name} is missing.", "Run manage.py mine first."
            )
        self.report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))

    def count_keywords(self) -> int:
        """The number of keywords. Raises UsageError if there is none, or more than ids can name."""
        with self._open("keyword_statistics") as table:
            count = int(table.metadata.num_rows)
        check_keyword_count(self.folder, count)
        return count

    def has(self, name: str) -> bool:
        """Whether a table is there; older minings lack those that were added later."""
        return (self.folder / f"{name}.parquet").is_file()

    def batches(self, name: str, columns: Sequence[str], keyword_columns: Sequence[str] = ()) -> Iterator[pa.Table]:
        """A table's rows in order, a row group at a time; `keyword_columns` come dictionary-encoded."""
        with self._open(name, keyword_columns) as table:
            for group in range(table.num_row_groups):
                try:
                    rows = table.read_row_group(group, columns=[*keyword_columns, *columns], use_threads=False)
                except (pa.ArrowException, OSError) as error:
                    raise CorruptError(f"{self.folder}: the table {name} is damaged: {error}.", MINE_AGAIN) from None
                yield rows

    def column(self, name: str, column: str, dtype: type, unknown: float | None = None) -> Array:
        """One column of whole or real numbers, or of dates as days since 1970-01-01, nulls replaced by `unknown`."""
        parts: Iterator[Array] = (
            numbers(batch[column], unknown).astype(dtype) for batch in self.batches(name, [column])
        )
        return np.concatenate([np.empty(0, dtype), *parts])

    def _open(self, name: str, dictionaries: Sequence[str] = ()) -> pq.ParquetFile:
        path = self.folder / f"{name}.parquet"
        if not path.is_file():
            raise NotFoundError(f"{self.folder} holds no table {name}.", MINE_AGAIN)
        try:
            return pq.ParquetFile(path, read_dictionary=list(dictionaries), pre_buffer=False)
        except pa.ArrowException as error:
            raise CorruptError(f"{path} is not a whole Parquet file: {error}.", MINE_AGAIN) from None


def check_keyword_count(folder: Path, count: int) -> None:
    """Raise UsageError unless a snapshot can hold so many keywords."""
    if not count:
        raise UsageError(f"{folder} holds no keyword: nothing can be recommended.", "Mine a log that has searches.")
    if count > MAX_KEYWORDS:
        raise UsageError(
            f"{folder} holds {count:,} keywords; a snapshot holds {MAX_KEYWORDS:,} at most, since ids have 32 bits.",
            "Mine a shorter log, or several markets apart.",
        )


def numbers(column: pa.ChunkedArray, unknown: float | None = None) -> Array:
    """A column's numbers; dates are days since 1970-01-01; nulls are `unknown`, which is NaN for reals."""
    if pa.types.is_date(column.type):
        column = column.cast(pa.date32()).cast(pa.int32())
    elif pa.types.is_null(column.type):
        column = column.cast(pa.float64() if unknown is None or np.isnan(unknown) else pa.int64())
    if unknown is not None and column.null_count and not np.isnan(unknown):
        column = column.fill_null(int(unknown))
    found: Array = column.to_numpy()
    return found
