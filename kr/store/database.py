"""One database behind everything that people write: SQLite in a file by default, PostgreSQL by URL.

Work happens inside `reading()` or `writing()`, one transaction each. On SQLite a writing transaction takes the lock
when it begins (BEGIN IMMEDIATE), so that two writers wait for each other instead of one failing half-way; the journal
is a write-ahead log synced at each commit, so that what was acknowledged survives a power cut.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from indexes.errors import KRError, TryAgainError, UsageError

BUSY_SECONDS = 10.0
"""How long a SQLite writer waits for another one."""
_WRITING = "kr_writing"


class DatabaseUnreachable(TryAgainError):
    """The database server does not answer, or the file cannot be opened."""


class Database:
    """An engine and its sessions; safe to use from any thread. Open it after a fork, not before."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that sees one state and is rolled back at its end. DatabaseUnreachable if there is none."""
        with self._named_errors(), self._sessions() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that is committed at its end, or rolled back by an error."""
        with self._named_errors(), self._sessions() as session:
            session.connection(execution_options={_WRITING: True})
            yield session
            session.commit()

    @contextmanager
    def connection(self, writing: bool = False) -> Iterator[Connection]:
        """A connection without the ORM, in one transaction; committed at its end if `writing`."""
        with self._named_errors(), self.engine.connect() as connection:
            connection.execution_options(**{_WRITING: writing})
            with connection.begin() as transaction:
                yield connection
                if not writing:
                    transaction.rollback()

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            reason = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
            raise DatabaseUnreachable(
                f"The database {self.engine.url.render_as_string(hide_password=True)} cannot be used: {reason}.",
                _remedy(self.engine.url, reason),
            ) from error


def open_database(url: str) -> Database:
    """The database at an SQLAlchemy URL such as `sqlite:///var/kr.db` or `postgresql://user:password@host/name`.

    Nothing is connected yet, but the folder of a SQLite file is made. UsageError for a URL that names no such database.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise UsageError(f"The database URL {url!r} is not one.", _EXAMPLES) from None
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite":
        return Database(_sqlite(parsed))
    if parsed.drivername != "postgresql+psycopg":
        raise UsageError(f"KR keeps no database in {parsed.drivername!r}.", _EXAMPLES)
    try:
        engine = create_engine(parsed, pool_pre_ping=True)
    except (NoSuchModuleError, ModuleNotFoundError):
        raise UsageError("PostgreSQL needs its driver.", "Install it: pip install 'kr[postgresql]'.") from None
    return Database(engine)


_EXAMPLES = "Use sqlite:///path/to/kr.db or postgresql://user:password@host/name."


def _remedy(url: URL, reason: str) -> str:
    if "no such table" in reason or "does not exist" in reason:
        return "Run manage.py db upgrade first."
    if url.get_backend_name() == "sqlite":
        return "Check that the folder is writable and the disk not full, then try again."
    return "Check that the server runs and the URL is right, then try again."


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise UsageError("A database in memory would be gone with the process.", _EXAMPLES)
    try:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KRError(
            f"The folder of the database {url.database} cannot be made: {error.strerror}.", "Name another."
        ) from None
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get(_WRITING)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine
