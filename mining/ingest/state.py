"""The state of an ingested folder: which inputs it was made from, what became of their rows, and which parts hold them.

`ingest.json` is replaced as a whole, and last: a part that it does not name does not count. Readers of an ingested
folder take its parts from `log_parts`.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from indexes.errors import CorruptError, NotFoundError, TryAgainError
from mining.ingest.durable import write_atomically
from mining.schema import canonical_tables

STATE_NAME = "ingest.json"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class TableRecord:
    """What one input gave one table. `read` and `rejected` are None for a table that is derived from another's rows."""

    rows: int
    read: int | None
    rejected: int | None
    part: str
    sha256: str
    bytes: int

    @property
    def kept(self) -> int | None:
        return None if self.read is None or self.rejected is None else self.read - self.rejected


@dataclass(frozen=True)
class InputRecord:
    """One input and what became of its rows: read = kept + rejected, and the reasons add up to rejected.

    `duplicates_of` names other inputs that hold rows which rows of this one repeat.
    """

    identity: str
    adapter: str
    name: str
    sha256: str
    bytes: int
    fingerprint: str
    read: int
    rejected: int
    reasons: dict[str, int]
    tables: dict[str, TableRecord]
    rejects: str | None
    duplicates_of: tuple[str, ...] = ()

    @property
    def kept(self) -> int:
        return self.read - self.rejected


@dataclass(frozen=True)
class State:
    """Everything that a folder was made from, sorted by identity."""

    inputs: dict[str, InputRecord] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The bytes of ingest.json: the same state, the same bytes."""
        inputs = [asdict(record) for _, record in sorted(self.inputs.items())]
        rows: dict[str, int] = {}
        for record in self.inputs.values():
            for table, of_table in record.tables.items():
                rows[table] = rows.get(table, 0) + of_table.rows
        document = {"format_version": FORMAT_VERSION, "rows": dict(sorted(rows.items())), "inputs": inputs}
        return (json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def read_state(out: Path) -> State:
    """The state of a folder, an empty one if nothing was ingested. Raises CorruptError if it cannot be understood."""
    path = out / STATE_NAME
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        return State()
    except ValueError as error:
        raise CorruptError(f"{path} is damaged: {error}.", "Remove the folder and ingest again.") from None
    if not isinstance(document, dict) or document.get("format_version") != FORMAT_VERSION:
        raise CorruptError(f"{path} is of another version than this KR reads.", "Ingest again into a new folder.")
    try:
        records = [_read_record(record) for record in document["inputs"]]
    except (KeyError, TypeError) as error:
        raise CorruptError(f"{path} is damaged: {error!r}.", "Remove the folder and ingest again.") from None
    return State({record.identity: record for record in records})


def _read_record(record: dict[str, Any]) -> InputRecord:
    tables = {name: TableRecord(**table) for name, table in record["tables"].items()}
    return InputRecord(**{**record, "tables": tables, "duplicates_of": tuple(record["duplicates_of"])})


def log_parts(logs: Path) -> dict[str, list[Path]]:
    """The Parquet files of each canonical table in a folder of logs, sorted by name.

    An ingested folder is read by its ingest.json, so that what an interrupted ingest left behind is not seen; a folder
    without one, such as one that another tool wrote, by the names LOGS/<table>/*.parquet. Raises NotFoundError if there
    are no logs at all, CorruptError if a part that should be there is missing or of another size.
    """
    if (logs / STATE_NAME).is_file():
        records = [
            (name, table) for record in read_state(logs).inputs.values() for name, table in record.tables.items()
        ]
        found: dict[str, list[Path]] = {}
        for name, table in records:
            path = logs / name / table.part
            require_part(path, table)
            found.setdefault(name, []).append(path)
        return {name: sorted(set(paths)) for name, paths in sorted(found.items())}
    plain = {name: sorted((logs / name).glob("*.parquet")) for name in sorted(canonical_tables())}
    plain = {name: paths for name, paths in plain.items() if paths}
    if not plain:
        raise NotFoundError(f"There are no logs in {logs}.", "Make them first: manage.py ingest … --out DIR.")
    return plain


def require_part(path: Path, table: TableRecord) -> None:
    """Raise CorruptError unless a published part is there and has its length."""
    if not is_whole(path, table):
        raise CorruptError(f"{path} is missing or damaged.", "Run the ingest again: it makes the part anew.")


def is_whole(path: Path, table: TableRecord) -> bool:
    """Whether a published part is there and has its length."""
    try:
        return path.stat().st_size == table.bytes
    except OSError:
        return False


def write_state(out: Path, state: State) -> None:
    """Replace the state: from now on it counts."""
    write_atomically(out / STATE_NAME, state.encode())


@contextmanager
def ingest_lock(out: Path) -> Iterator[None]:
    """Be the only ingest into a folder; the system frees the lock when the process ends, however it ends.

    Raises TryAgainError if another ingest is at work.
    """
    out.mkdir(parents=True, exist_ok=True)
    handle = os.open(out, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TryAgainError(f"Another ingest is writing to {out}.", "Wait for it, then run again.") from None
        yield
    finally:
        os.close(handle)
