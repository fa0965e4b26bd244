"""From what was staged to what will be published: repeated rows taken out, derived rows made, rejects merged."""

import hashlib
import heapq
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from mining.ingest.adapters.base import Adapter
from mining.ingest.durable import fsync_path
from mining.ingest.parts import PartWriter, read_part
from mining.ingest.reasons import Reject
from mining.ingest.staging import REJECTS_NAME, Staged
from mining.ingest.state import InputRecord, TableRecord
from mining.schema import canonical_tables

_NAME_CHARS = 60
_HASH_CHARS = 12


@dataclass(frozen=True)
class RepeatedRows:
    """The rows of a staged table that earlier rows have already: positions (int64, ascending), and their rejects."""

    positions: np.ndarray
    rejects: Iterator[Reject]


@dataclass(frozen=True)
class Finished:
    """One input ready to publish: its record, and which file becomes which name below the output folder."""

    record: InputRecord
    files: Mapping[str, Path]


def finish(
    adapter: Adapter, staged: Staged, repeated: Mapping[str, RepeatedRows], duplicates_of: tuple[str, ...]
) -> Finished:
    """Make the final parts and the rejects of an input and count everything once more.

    Files are named by the input and by the hash of their content: the same rows have the same names, and no published
    file is ever overwritten by another content.
    """
    item = staged.input
    files: dict[str, Path] = {}
    tables: dict[str, TableRecord] = {}
    duplicates = sum(len(rows.positions) for rows in repeated.values())
    for table in [name for name in staged.parts if name in canonical_tables()]:
        dropped = repeated[table].positions if table in repeated else np.array([], np.int64)
        rejected = staged.table_rejects[table] + len(dropped)
        read = staged.parts[table].rows + staged.table_rejects[table]
        if read == 0:
            continue
        for name, path, rows in _final_parts(adapter, staged, table, dropped):
            own = name == table
            digest, size = _digest(path), path.stat().st_size
            part = f"part-{_slug(item.identity)}-{digest[:_HASH_CHARS]}.parquet"
            tables[name] = TableRecord(rows, read if own else None, rejected if own else None, part, digest, size)
            files[f"{name}/{part}"] = path
    rejects_path = _merge_rejects(staged, repeated)
    reasons = staged.reasons.copy()
    reasons["duplicate"] += duplicates
    rejected_rows = sum(reasons.values())
    kept_rows = sum(table.kept for table in tables.values() if table.kept is not None)
    if staged.read != kept_rows + rejected_rows:
        raise AssertionError(f"{item.path}: {staged.read} rows read, but {kept_rows} kept and {rejected_rows} rejected")
    rejects = None
    if rejected_rows:
        rejects = f"rejects/{_slug(item.identity)}-{_digest(rejects_path)[:_HASH_CHARS]}.jsonl"
        files[rejects] = rejects_path
    record = InputRecord(
        identity=item.identity,
        adapter=item.adapter,
        name=item.name,
        sha256=item.sha256,
        bytes=item.bytes,
        fingerprint=item.fingerprint,
        read=staged.read,
        rejected=rejected_rows,
        reasons={reason: count for reason, count in sorted(reasons.items()) if count},
        tables=dict(sorted(tables.items())),
        rejects=rejects,
        duplicates_of=duplicates_of,
    )
    return Finished(record, files)


def _final_parts(adapter: Adapter, staged: Staged, table: str, dropped: np.ndarray) -> list[tuple[str, Path, int]]:
    """(canonical table, file, rows) for what a staged table becomes; the staged file itself where nothing changes."""
    part = staged.parts[table]
    names = adapter.derives.get(table)
    if names is None and len(dropped) == 0:
        return [(table, part.path, part.rows)]
    rows = _kept_rows(staged, table, dropped)
    if names is None:
        with _final_writer(staged, table) as writer:
            for kept, _ in rows:
                writer.write(kept)
        return [(table, writer.path, writer.rows)]
    with ExitStack() as stack:
        writers = {name: stack.enter_context(_final_writer(staged, name)) for name in names}
        for derived in adapter.derive(staged.input, rows):
            writers[derived.table].write(derived.rows)
    return [(name, writer.path, writer.rows) for name, writer in writers.items()]


def _final_writer(staged: Staged, table: str) -> PartWriter:
    return PartWriter(staged.folder / f"final-{table}.parquet", canonical_tables()[table].arrow_schema)


def _kept_rows(staged: Staged, table: str, dropped: np.ndarray) -> Iterator[tuple[pa.Table, np.ndarray]]:
    """(rows, lines) of a staged table without the dropped positions, a bounded number at a time."""
    lines = staged.lines(table)
    kept = np.ones(len(lines), bool)
    kept[dropped] = False
    start = 0
    for rows in read_part(staged.parts[table].path):
        here = slice(start, start + len(rows))
        start += len(rows)
        whole = bool(kept[here].all())
        yield rows if whole else rows.filter(pa.array(kept[here])), lines[here][kept[here]]


def _merge_rejects(staged: Staged, repeated: Mapping[str, RepeatedRows]) -> Path:
    """All rejects of an input in one file, in the order of their lines."""
    if len(staged.rejects) == 1 and not repeated:
        return staged.rejects[0]
    path = staged.folder / f"final-{REJECTS_NAME}"
    found = [_numbered(path) for path in staged.rejects]
    late = [((reject.line, reject.encode(staged.input.name)) for reject in rows.rejects) for rows in repeated.values()]
    with path.open("wb") as file:
        file.writelines(line for _, line in heapq.merge(*found, *late, key=lambda pair: pair[0]))
    fsync_path(path)
    return path


def _numbered(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        for line in file:
            yield json.loads(line)["line"], line


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _slug(identity: str) -> str:
    """A file name that a person recognises: the name of the input (and its table) in plain characters."""
    name = identity.partition(":")[2]
    return re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")[:_NAME_CHARS] or "log"
