"""Counters of requests in a SQLite file that all workers of a server share."""

import os
import sqlite3
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from limits.storage import Storage

SHARED_SCHEME = "kr-shared"
_FORGET_EVERY = 1_000


class SharedCounters(Storage):
    """Counters in a SQLite file. They are worth no sync: a crash forgives what was counted in the last minute."""

    STORAGE_SCHEME = [SHARED_SCHEME]  # noqa: RUF012 – the library reads it from the class

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: float | str | bool) -> None:
        super().__init__(uri, wrap_exceptions, **options)
        self._path = Path(urlsplit(uri or "").path)
        self._local = threading.local()
        self._counted = 0

    @property
    def base_exceptions(self) -> type[Exception]:
        return sqlite3.Error

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = time.time()
        with self._connection() as connection:
            self._counted += 1
            if self._counted % _FORGET_EVERY == 0:
                connection.execute("DELETE FROM counters WHERE expires <= ?", (now,))
            row = connection.execute(
                "INSERT INTO counters VALUES (:key, :amount, :now + :expiry) ON CONFLICT (key) DO UPDATE SET "
                "count = iif(expires <= :now, 0, count) + :amount, "
                "expires = iif(expires <= :now, :now + :expiry, expires) RETURNING count",
                {"key": key, "amount": amount, "now": now, "expiry": expiry},
            ).fetchone()
        return int(row[0])

    def get(self, key: str) -> int:
        return int(self._read(key)[0])

    def get_expiry(self, key: str) -> float:
        return float(self._read(key)[1])

    def check(self) -> bool:
        self._read("")
        return True

    def reset(self) -> int | None:
        with self._connection() as connection:
            return connection.execute("DELETE FROM counters").rowcount

    def clear(self, key: str) -> None:
        with self._connection() as connection:
            connection.execute("DELETE FROM counters WHERE key = ?", (key,))

    def _read(self, key: str) -> tuple[int, float]:
        now = time.time()
        with self._connection() as connection:
            found = connection.execute("SELECT count, expires FROM counters WHERE key = ? AND expires > ?", (key, now))
            row = found.fetchone()
        return (row[0], row[1]) if row else (0, now)

    def _connection(self) -> sqlite3.Connection:
        """This thread's connection; a forked worker opens its own."""
        if getattr(self._local, "process", None) != os.getpid():
            connection = sqlite3.connect(self._path, timeout=5)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS counters (key TEXT PRIMARY KEY, count INTEGER, expires REAL) WITHOUT ROWID"
            )
            self._local.connection, self._local.process = connection, os.getpid()
        found: sqlite3.Connection = self._local.connection
        return found
