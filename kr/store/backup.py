"""A backup of a database that any database of the same revision can take back, SQLite or PostgreSQL.

A gzipped file of JSON lines: a header, then a line a row, tables in an order that satisfies foreign keys, then a line
with the number of rows and the SHA-256 of all lines before. Written from one transaction, so that it is one state.
"""

import gzip
import hashlib
import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from indexes.errors import CorruptError, NotFoundError, UsageError
from kr.store.database import Database
from kr.store.migrating import check_revision, current_revision
from kr.store.schema import Base, UtcTime

FORMAT = "kr-backup-1"
BATCH_ROWS = 1_000


def back_up(database: Database, file: Path) -> int:
    """Write a backup; return its rows. The file appears whole or not at all; UsageError if it exists."""
    check_revision(database)
    if file.exists():
        raise UsageError(f"{file} exists.", "Name a new file.")
    partial = file.with_name(file.name + ".partial")
    rows, digest = 0, hashlib.sha256()
    try:
        with database.connection() as connection, partial.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, 0) as out:
            for line in _lines(connection, database.engine.dialect.name):
                out.write(line)
                digest.update(line)
                rows += 1
            rows -= 1
            out.write(_line({"rows": rows, "sha256": digest.hexdigest()}))
            out.close()
            raw.flush()
            os.fsync(raw.fileno())
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    return rows


def restore(database: Database, file: Path) -> int:
    """Fill an upgraded, empty database from a backup, all or nothing; return the rows.

    NotFoundError without the file, CorruptError if it is damaged or of another revision, UsageError if the database
    holds anything.
    """
    check_revision(database)
    if not file.is_file():
        raise NotFoundError(f"There is no backup {file}.")
    with database.connection(writing=True) as connection:
        for table in Base.metadata.sorted_tables:
            if connection.scalar(select(func.count()).select_from(table)):
                raise UsageError(f"The database holds {table.name} already.", "Restore into an empty one.")
        return _fill(connection, file)


def _lines(connection: Connection, dialect: str) -> Iterator[bytes]:
    if dialect == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    yield _line({"format": FORMAT, "revision": current_revision(connection)})
    for table in Base.metadata.sorted_tables:
        rows = connection.execution_options(yield_per=BATCH_ROWS).execute(select(table).order_by(*table.primary_key))
        for row in rows.mappings():
            yield _line({"table": table.name, "row": {name: _plain(value) for name, value in row.items()}})


def _fill(connection: Connection, file: Path) -> int:
    rows, digest, ended = 0, hashlib.sha256(), False
    waiting: dict[str, list[dict[str, Any]]] = {}
    tables = Base.metadata.tables
    try:
        with gzip.open(file, "rb") as lines:
            header = json.loads(first := lines.readline())
            digest.update(first)
            if header.get("format") != FORMAT or header.get("revision") != current_revision(connection):
                raise CorruptError(
                    f"{file} is a backup of revision {header.get('revision')}, the database is another one.",
                    "Restore with the version of KR that made the backup, then upgrade.",
                )
            for line in lines:
                entry = json.loads(line)
                if "table" not in entry:
                    ended = entry == {"rows": rows, "sha256": digest.hexdigest()} and not lines.read(1)
                    break
                digest.update(line)
                rows += 1
                table = entry["table"]
                waiting.setdefault(table, []).append(_typed(tables[table], entry["row"]))
                if len(waiting) > 1 or len(waiting[table]) >= BATCH_ROWS:
                    done = next(iter(waiting))
                    connection.execute(insert(tables[done]), waiting.pop(done))
            for table, left in waiting.items():
                connection.execute(insert(tables[table]), left)
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, SQLAlchemyError) as error:
        raise CorruptError(f"The backup {file} is damaged: {error}.", "Use another one.") from None
    if not ended:
        raise CorruptError(f"The backup {file} is damaged: its end does not fit its rows.", "Use another one.")
    _continue_numbers(connection)
    return rows


def _continue_numbers(connection: Connection) -> None:
    """PostgreSQL's sequences do not see numbers that were inserted; SQLite goes on from the largest by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in Base.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'), "
                f"GREATEST((SELECT COALESCE(MAX({column.name}), 0) FROM {table.name}), 1))"
            )


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _typed(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(value) if value is not None and isinstance(table.c[name].type, UtcTime) else value
        for name, value in row.items()
    }
