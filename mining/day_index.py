"""Which days the searches of a log fall on, with a hash of each day's rows, so that a changed day is noticed.

A file is read for its days once: what was found is kept under the hash of the file's bytes. The hash of a day is the
sum of its rows' hashes, whatever files they lie in and in what order. DuckDB hashes rows differently from one version
to the next, so its version is part of what is kept.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from indexes.errors import KRError
from mining.schema import Table

HASH_MODULUS = 2**64
DATED_COLUMNS = ("search_id", "user_id", "session_id", "query", "device", "region", "ads_shown")
"""The columns that decide what is mined of a day, besides `ts`."""


@dataclass(frozen=True)
class DayRows:
    """The rows of one day: how many, and the sum of their hashes modulo 2⁶⁴."""

    rows: int
    rows_hash: int

    def __add__(self, other: "DayRows") -> "DayRows":
        return DayRows(self.rows + other.rows, (self.rows_hash + other.rows_hash) % HASH_MODULUS)


class DayIndex:
    """The days of log files by the files' hashes; made from and written to a JSON document."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Take over what an earlier run found; nothing if that was another version of DuckDB."""
        self._files: dict[str, dict[str, list[int]]] = {}
        if document.get("duckdb") == duckdb.__version__:
            self._files = document["files"]

    def document(self) -> dict[str, Any]:
        """What to keep for the next run."""
        return {"duckdb": duckdb.__version__, "files": self._files}

    def days(self, table: Table, files: Sequence[Path], threads: int) -> dict[date, DayRows]:
        """The rows of every day in the files of a table, by day; files that are no longer named are forgotten."""
        digests = [file_digest(path) for path in files]
        self._files = {digest: self._files[digest] for digest in digests if digest in self._files}
        days: dict[date, DayRows] = {}
        with duckdb.connect(config={"threads": threads}) as connection:
            for path, digest in zip(files, digests, strict=True):
                if digest not in self._files:
                    self._files[digest] = _days_of_file(connection, table, path)
                for day, numbers in self._files[digest].items():
                    moment = date.fromisoformat(day)
                    days[moment] = days.get(moment, DayRows(0, 0)) + DayRows(*numbers)
        return dict(sorted(days.items()))


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def key_of(parts: Iterable[Any]) -> str:
    """SHA-256 over values that JSON can hold."""
    return hashlib.sha256(json.dumps(list(parts), sort_keys=True).encode()).hexdigest()


def _days_of_file(connection: duckdb.DuckDBPyConnection, table: Table, path: Path) -> dict[str, list[int]]:
    columns = ", ".join(f'"{name}"' for name in DATED_COLUMNS)
    query = (
        "SELECT make_timestamp(epoch_us(ts))::DATE AS day, count(*), "
        f"sum(hash(epoch_us(ts), {columns})) % {HASH_MODULUS} FROM read_parquet(?) GROUP BY day ORDER BY day"
    )
    try:
        rows = connection.execute(query, [str(path)]).fetchall()
    except duckdb.Error as error:
        raise KRError(
            f"The days of {path} could not be read ({table.name}): {error}", "Run manage.py ingest again."
        ) from error
    return {day.isoformat(): [int(count), int(rows_hash)] for day, count, rows_hash in rows}
