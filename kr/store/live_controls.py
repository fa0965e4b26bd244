"""What operators put live, asked of the database with every request, so that no worker needs a restart or a message.

One indexed look-up: on SQLite over a connection of its own that stays open, some microseconds (`manage.py bench
controls`); on PostgreSQL one round trip.
"""

import os
import sqlite3
import threading
import weakref
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from indexes.errors import KRError, TryAgainError
from kr.store.database import Database, open_database
from kr.store.operator_schema import Control

_SEQUENCES = "SELECT " + ", ".join(
    f"(SELECT max(live_sequence) FROM control_versions WHERE kind = '{kind.value}')" for kind in Control
)
_NOTHING: dict[Control, int] = dict.fromkeys(Control, 0)
_BUSY_SECONDS = 2.0


class ControlsUnreadable(TryAgainError):
    """The database cannot tell what is in force."""


class LiveControls:
    """Which rules and lexicons are in force. Safe to call from any thread, and after a fork.

    A database that has no tables for them, or that was never made, holds none. Once this process has seen them, their
    absence is an error: a database that vanished must not switch anything off.
    """

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._lock = threading.Lock()
        self._process = 0
        self._connection: sqlite3.Connection | None = None
        self._database: Database | None = None
        self._were_there = False
        self._left: list[object] = []

    @property
    def are_there(self) -> bool:
        """Whether this process has seen that the database has tables for them."""
        return self._were_there

    def sequences(self) -> dict[Control, int]:
        """How often each kind went live: a new number is a new content; 0 for never. ControlsUnreadable."""
        try:
            found = self._sqlite_sequences() if self._url.get_backend_name() == "sqlite" else self._server_sequences()
        except (sqlite3.Error, KRError) as error:
            self._forget()
            raise ControlsUnreadable(f"What operators put in force cannot be read: {error}.") from error
        if found is None:
            if self._were_there:
                raise ControlsUnreadable("The database of the operators' rules and lexicons is gone.")
            return _NOTHING
        self._were_there = True
        return found

    def content(self, kind: Control) -> tuple[int, str]:
        """The sequence number in force of a kind and its content; (0, "") if nothing went live. ControlsUnreadable."""
        statement = text(
            "SELECT live_sequence, content FROM control_versions WHERE kind = :kind AND live_sequence IS NOT NULL "
            "ORDER BY live_sequence DESC LIMIT 1"
        )
        try:
            with self._opened().connection() as connection:
                row = connection.execute(statement, {"kind": kind.value}).first()
        except KRError as error:
            raise ControlsUnreadable(f"What operators put in force cannot be read: {error}.") from error
        return (int(row[0]), str(row[1])) if row else (0, "")

    def _sqlite_sequences(self) -> dict[Control, int] | None:
        with self._lock:
            if self._process != os.getpid():
                self._forget_inherited()
            if self._connection is None:
                if not self._url.database or not Path(self._url.database).is_file():
                    return None
                self._connection = sqlite3.connect(
                    f"file:{Path(self._url.database).resolve().as_posix()}?mode=rw",
                    uri=True,
                    timeout=_BUSY_SECONDS,
                    check_same_thread=False,
                    isolation_level=None,
                )
                weakref.finalize(self, _close_own, os.getpid(), self._connection)
            try:
                row = self._connection.execute(_SEQUENCES).fetchone()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return None
                raise
        return {kind: value or 0 for kind, value in zip(Control, row, strict=True)}

    def _server_sequences(self) -> dict[Control, int] | None:
        try:
            with self._opened().connection() as connection:
                row = connection.execute(text(_SEQUENCES)).one()
        except ProgrammingError as error:
            if "control_versions" in str(error):
                return None
            raise ControlsUnreadable(str(error.orig)) from error
        return {kind: value or 0 for kind, value in zip(Control, row, strict=True)}

    def _opened(self) -> Database:
        if self._process != os.getpid():
            with self._lock:
                if self._process != os.getpid():
                    self._forget_inherited()
        if self._database is None:
            self._database = open_database(self._url.render_as_string(hide_password=False))
            weakref.finalize(self, _close_own, os.getpid(), self._database)
        return self._database

    def _forget_inherited(self) -> None:
        """What was opened before a fork is the parent's: it is neither used nor closed here."""
        self._left += [self._connection, self._database]
        self._connection = self._database = None
        self._process = os.getpid()

    def _forget(self) -> None:
        """Open anew next time: the file may have been replaced."""
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
            self._connection = None


def _close_own(process: int, opened: sqlite3.Connection | Database) -> None:
    """Close what this process opened; a connection that a fork inherited is still its parent's."""
    if process == os.getpid():
        opened.close()
