"""Reading one input into a folder of its own: the rows that are right, the rejects, and a note when it is complete.

The note (`staged.json`) is written last. After a crash an input with a note is not read again; one without is.

    staging/<key>/<table>.parquet          the rows, in the order of the file
    staging/<key>/<table>.lines.parquet    the line of each row
    staging/<key>/rejects.jsonl            in the order of the lines
    staging/<key>/staged.json              counts
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from indexes.errors import TryAgainError
from indexes.terminal import Advance
from mining.ingest.adapters.base import Adapter
from mining.ingest.batch import Batch
from mining.ingest.durable import fsync_path, write_atomically
from mining.ingest.inputs import Input
from mining.ingest.parts import LINES_SCHEMA, PartWriter, lines_table, read_lines
from mining.ingest.reasons import Reject

NOTE_NAME = "staged.json"
REJECTS_NAME = "rejects.jsonl"


class RejectsWriter:
    """Writes the rejects of one input as JSON lines and counts them by reason and by table."""

    def __init__(self, path: Path, file_name: str) -> None:
        self.path = path
        self.reasons: Counter[str] = Counter()
        self.tables: Counter[str] = Counter()
        self._file_name = file_name
        self._file = path.open("wb")

    def write(self, reject: Reject) -> None:
        self.reasons[reject.reason] += 1
        if reject.table is not None:
            self.tables[reject.table] += 1
        self._file.write(reject.encode(self._file_name))

    def __enter__(self) -> "RejectsWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
        except OSError:
            # On a full disk closing fails too, and must not hide the error that is on its way.
            if kind is None:
                raise
        if kind is None:
            fsync_path(self.path)


@dataclass(frozen=True)
class StagedPart:
    """Rows of one table: the part, the file of their lines, and how many."""

    path: Path
    lines_path: Path
    rows: int


@dataclass
class Staged:
    """One input as read: `read` rows of it, of which the files `rejects` list as many as `reasons` counts."""

    input: Input
    folder: Path
    read: int
    reasons: Counter[str]
    table_rejects: Counter[str]
    parts: dict[str, StagedPart]
    rejects: list[Path] = field(default_factory=list)

    def lines(self, table: str) -> np.ndarray:
        """The line of each staged row, int64."""
        return read_lines(self.parts[table].lines_path)

    @contextmanager
    def replacing(self, table: str, schema: pa.Schema) -> Iterator[PartWriter]:
        """Write other rows in the place of a staged part, which stays for a later run; lines are replaced apart."""
        path = self.folder / f"resolved-{table}.parquet"
        with PartWriter(path, schema) as writer:
            yield writer
        self.parts[table] = StagedPart(path, self.parts[table].lines_path, writer.rows)

    def replace_lines(self, table: str, lines: np.ndarray) -> None:
        """Say which lines the rows of a replaced part come from."""
        part = self.parts[table]
        path = self.folder / f"resolved-{table}.lines.parquet"
        with PartWriter(path, LINES_SCHEMA) as writer:
            writer.write(lines_table(lines))
        self.parts[table] = StagedPart(part.path, path, part.rows)

    @contextmanager
    def adding_rejects(self, name: str) -> Iterator[RejectsWriter]:
        """Write more rejects, in the order of their lines, in a file of that name."""
        with RejectsWriter(self.folder / f"rejects-{name}.jsonl", self.input.name) as writer:
            yield writer
        self.rejects.append(writer.path)
        self.reasons += writer.reasons
        self.table_rejects += writer.tables


def stage(
    adapter: Adapter,
    item: Input,
    staging: Path,
    connection: duckdb.DuckDBPyConnection,
    now: datetime,
    advance: Advance,
) -> Staged:
    """The input as read; reading is skipped if a run that was interrupted has done it.

    Raises TryAgainError if the file changes meanwhile, and what the adapter raises for a file that it cannot read.
    """
    folder = staging / item.key
    complete = _read_note(item, folder)
    if complete is not None:
        advance(item.bytes)
        return complete
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        note = _read_input(adapter, item, folder, connection, now, advance)
        fsync_path(folder)
        write_atomically(folder / NOTE_NAME, json.dumps(note, sort_keys=True).encode())
    except BaseException:
        # Half an input is of no use to anybody, and the disk may be full because of it.
        shutil.rmtree(folder, ignore_errors=True)
        raise
    staged = _read_note(item, folder)
    assert staged is not None, "a note just written can be read"
    return staged


def _read_input(
    adapter: Adapter,
    item: Input,
    folder: Path,
    connection: duckdb.DuckDBPyConnection,
    now: datetime,
    advance: Advance,
) -> dict[str, Any]:
    """Read, check and write every row of an input; returns the note."""
    validators = adapter.validators(connection, item, now)
    side_tables = adapter.side_tables()
    before = item.path.stat()
    read = 0
    with ExitStack() as stack:
        rejects = stack.enter_context(RejectsWriter(folder / REJECTS_NAME, item.name))
        writers = {
            table: _PartAndLines(stack, folder, table, schema)
            for table, schema in [*((name, check.schema) for name, check in validators.items()), *side_tables.items()]
        }
        for stretch in adapter.read(item, advance):
            broken: list[Reject] = []
            for batch in stretch:
                if batch.table in side_tables:
                    writers[batch.table].write(_side_rows(batch, side_tables[batch.table]), batch.lines)
                    continue
                checked = validators[batch.table].check(batch)
                read += len(batch.lines) + len(batch.rejects)
                writers[batch.table].write(checked.kept, checked.lines)
                broken += checked.rejects
            # Each batch has its rejects in order; only several tables in one stretch need sorting.
            for reject in sorted(broken, key=lambda reject: reject.line) if len(stretch) > 1 else broken:
                rejects.write(reject)
    after = item.path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or after.st_size != item.bytes:
        raise TryAgainError(f"{item.path} changed while it was read.", "Wait until it is complete, then run again.")
    return {
        "read": read,
        "reasons": dict(rejects.reasons),
        "table_rejects": dict(rejects.tables),
        "rows": {table: writer.part.rows for table, writer in writers.items()},
    }


class _PartAndLines:
    """The two files of one staged table."""

    def __init__(self, stack: ExitStack, folder: Path, table: str, schema: pa.Schema) -> None:
        self.part = stack.enter_context(PartWriter(folder / f"{table}.parquet", schema))
        self._lines = stack.enter_context(PartWriter(folder / f"{table}.lines.parquet", LINES_SCHEMA))

    def write(self, rows: pa.Table, lines: np.ndarray) -> None:
        self.part.write(rows)
        self._lines.write(lines_table(lines))


def _side_rows(batch: Batch, schema: pa.Schema) -> pa.Table:
    return pa.Table.from_arrays([batch.columns[name] for name in schema.names], schema=schema)


def _read_note(item: Input, folder: Path) -> Staged | None:
    """What an earlier run staged, if it came to the end of the input and nothing of it is gone."""
    try:
        note = json.loads((folder / NOTE_NAME).read_bytes())
    except (OSError, ValueError):
        return None
    parts = {
        table: StagedPart(folder / f"{table}.parquet", folder / f"{table}.lines.parquet", rows)
        for table, rows in note["rows"].items()
    }
    rejects = folder / REJECTS_NAME
    needed = [rejects, *(path for part in parts.values() for path in (part.path, part.lines_path))]
    if not all(path.is_file() for path in needed):
        return None
    return Staged(
        item, folder, note["read"], Counter(note["reasons"]), Counter(note["table_rejects"]), parts, [rejects]
    )
