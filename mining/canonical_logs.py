"""The canonical tables of a LOGS folder: which files hold them, whether they can be trusted, and what they were."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from indexes.errors import CorruptError, NotFoundError, UsageError
from mining.ingest import log_parts
from mining.schema import Table, canonical_tables

READ_BYTES = 1 << 20
ADDRESS = re.compile(r"(s3[an]?|gs|abfss?|wasbs?|hdfs|oss|cosn?):/")
"""What a path that begins so was meant to be."""


@dataclass(frozen=True)
class LogFiles:
    """The Parquet files of one canonical table, in the order of their names; none if the log lacks the table."""

    table: Table
    files: tuple[Path, ...]
    rows: int

    @property
    def description(self) -> dict[str, Any]:
        """What the mining report says of them: files, rows and a SHA-256 over all files' names and bytes."""
        digest = hashlib.sha256()
        for path in self.files:
            digest.update(path.name.encode() + b"\0")
            with path.open("rb") as file:
                while block := file.read(READ_BYTES):
                    digest.update(block)
        return {"files": len(self.files), "rows": self.rows, "sha256": digest.hexdigest()}


def find_log_files(logs: Path, name: str) -> LogFiles:
    """The files of one table in LOGS/<name>/, checked against the schema.

    Raises UsageError if LOGS is an address, NotFoundError if there is no LOGS, CorruptError naming the file and column
    if a file is not what ingest writes.
    """
    if ADDRESS.match(str(logs)) and not logs.exists():
        raise UsageError(
            f"--logs takes a folder, and {logs} is the address of an object store.",
            "Mount the store or copy the logs (docs/spark.md).",
        )
    if not logs.is_dir():
        raise NotFoundError(f"There is no folder {logs}.", "Run manage.py ingest first, or correct --logs.")
    table = canonical_tables()[name]
    files = tuple(log_parts(logs).get(name, ()))
    return LogFiles(table, files, sum(_checked_rows(path, table) for path in files))


def _checked_rows(path: Path, table: Table) -> int:
    remedy = "Run manage.py ingest again."
    try:
        with pq.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise CorruptError(f"{path} is no readable Parquet file: {error}", remedy) from error
    for column in table.columns:
        if column.name not in schema.names:
            raise CorruptError(f"{path} lacks the column {column.name}.", remedy)
        if schema.field(column.name).type != column.arrow_type:
            raise CorruptError(
                f"{path} holds {column.name} as {schema.field(column.name).type}, not {column.arrow_type}.", remedy
            )
    return int(rows)
