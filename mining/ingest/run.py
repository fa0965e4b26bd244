"""One ingest from the files named to the published tables.

    find → hash → (stage → resolve → find repeats, until nothing more must be read) → finish → limit → publish

What a folder holds depends only on the inputs it was made from, not on the order of runs or on interruptions: rows that
repeat a key are rejected in the order of the inputs' names, and when inputs are added or changed, those whose rows
repeated others are read again.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

import duckdb

from indexes.errors import UsageError
from indexes.terminal import progress, say
from mining.ingest.adapters import ADAPTERS, make_adapter
from mining.ingest.adapters.base import Adapter, OpenDatabase
from mining.ingest.duplicates import Repeats
from mining.ingest.durable import write_errors_explained
from mining.ingest.finishing import Finished, RepeatedRows, finish
from mining.ingest.inputs import Input, Options, with_content, with_fingerprint
from mining.ingest.mapping import nearest, require_encoding
from mining.ingest.publish import REJECTS_FOLDER, WORK_FOLDER, clean_up, keep_rejects, publish
from mining.ingest.reasons import Reject
from mining.ingest.report import FileReport, IngestReport, TooManyRejectsError
from mining.ingest.staging import Staged, stage
from mining.ingest.state import InputRecord, State, ingest_lock, is_whole, read_state
from mining.schema import canonical_tables

MAX_REJECTED = 0.05
"""The share of rows that may be rejected unless the caller allows more."""
MEMORY_LIMIT = "1GB"
"""What DuckDB may use while it looks for repeated keys; beyond it, it works on disk."""


def ingest(
    adapter: str,
    source: Path,
    out: Path,
    *,
    mapping: Path | None = None,
    table: str | None = None,
    encoding: str | None = None,
    date: date | None = None,
    now: datetime | None = None,
    max_rejected: float = MAX_REJECTED,
    memory_limit: str = MEMORY_LIMIT,
) -> IngestReport:
    """Read the logs at `source` (a file or a folder) with an adapter into canonical Parquet tables in `out`.

    Files that `out` already holds, with the same content and read the same way, are not read again; files whose content
    has changed are replaced; others stay. Files are known by their names below `source`. Times may lie up to a day
    after `now` (default: the clock); what was rejected for that stays rejected until its file changes.

    Raises UsageError for an option, a mapping or a file that does not fit, NotFoundError for a missing path,
    TooManyRejectsError (with the report; rejects are written, nothing is published) above `max_rejected` (0 to 1),
    CorruptError for a damaged file, TryAgainError if another ingest is at work, KRError if the disk is full. Whatever
    is raised, what was published before stays whole.
    """
    if adapter not in ADAPTERS:
        raise UsageError(f"There is no adapter {adapter!r}.", nearest(adapter, ADAPTERS))
    if not 0.0 <= max_rejected <= 1.0:
        raise UsageError(f"--max-rejected {max_rejected} is not a share.", "Give a number from 0 to 1, such as 0.05.")
    if encoding is not None:
        require_encoding("--encoding", encoding)
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file.", "Name a folder with --out.")
    chosen = make_adapter(adapter)
    inputs = chosen.find(source, Options(mapping, table, encoding, date))
    inside = next((item for item in inputs if item.path.resolve().is_relative_to(out.resolve())), None)
    if inside is not None:
        raise UsageError(f"{inside.path} lies in the output folder {out}.", "Write to another folder with --out.")
    with write_errors_explained(out), ingest_lock(out):
        return _Run(chosen, inputs, out, now or datetime.now(UTC), memory_limit).run(source, max_rejected)


class _Run:
    """One ingest at work. `before` is the state that it found, `others` its inputs that this run does not concern."""

    def __init__(self, adapter: Adapter, inputs: Sequence[Input], out: Path, now: datetime, memory_limit: str) -> None:
        self.adapter = adapter
        self.out = out
        self.now = now
        self.before = read_state(out)
        self.inputs = self._hashed(inputs)
        own = {item.identity for item in self.inputs}
        self.others = [record for identity, record in sorted(self.before.inputs.items()) if identity not in own]
        self.work = out / WORK_FOLDER
        self.open_database = OpenDatabase(self.work / "spill", memory_limit)
        self.staged: dict[str, Staged] = {}

    def run(self, source: Path, max_rejected: float) -> IngestReport:
        pending = self._pending()
        finished = self._read(pending) if pending else {}
        report = self._report({identity: one.record for identity, one in finished.items()})
        if report.read == 0:
            shutil.rmtree(self.work, ignore_errors=True)
            raise UsageError(f"{source} holds no rows.", "Name the file or folder that holds the log.")
        if report.rejected_share > max_rejected:
            places = keep_rejects(self.out, finished.values())
            shutil.rmtree(self.work / "spill", ignore_errors=True)
            raise TooManyRejectsError(
                report, max_rejected, places[0] if len(places) == 1 else self.out / REJECTS_FOLDER
            )
        state = State(self.before.inputs | {identity: one.record for identity, one in finished.items()})
        if finished:
            publish(self.out, finished.values(), state)
        else:
            clean_up(self.out, state)
        return report

    def _hashed(self, inputs: Sequence[Input]) -> list[Input]:
        with progress("checking files", sum(item.path.stat().st_size for item in inputs)) as advance:
            hashed = [with_content(item, advance) for item in inputs]
        whole = ",".join(item.sha256 for item in hashed) if self.adapter.whole_log else ""
        return [with_fingerprint(item, sha256(whole.encode()).hexdigest()) for item in hashed]

    def _pending(self) -> set[str]:
        """The identities that must be read: new, changed or damaged ones, and those whose duplicates may change."""
        pending = {item.identity for item in self.inputs if not self._is_published(item)}
        if not pending:
            return pending
        for record in self.others:
            lost = sorted(pending & set(record.duplicates_of))
            if lost:
                raise UsageError(
                    f"{lost[0]} has changed, and rows of {record.identity}, which is not part of this run, were "
                    "left out because they repeated rows of it.",
                    "Ingest everything into a new folder.",
                )
        if self.adapter.whole_log:
            return {item.identity for item in self.inputs}
        own = {item.identity for item in self.inputs}
        return pending | {identity for identity in own - pending if self.before.inputs[identity].duplicates_of}

    def _is_published(self, item: Input) -> bool:
        record = self.before.inputs.get(item.identity)
        return (
            record is not None
            and (record.sha256, record.fingerprint) == (item.sha256, item.fingerprint)
            and all(is_whole(self.out / name / table.part, table) for name, table in record.tables.items())
            and (record.rejects is None or (self.out / record.rejects).is_file())
        )

    def _read(self, pending: set[str]) -> dict[str, Finished]:
        with self.open_database() as connection:
            while True:
                self._stage(pending, connection)
                found = {table: self._repeats(connection, table) for table in self._tables()}
                more = {identity for repeats in found.values() for identity in repeats.repeating} - pending
                if not more:
                    break
                pending |= more
            return {item.identity: self._finish(item, found) for item in self.inputs if item.identity in self.staged}

    def _stage(self, pending: set[str], connection: duckdb.DuckDBPyConnection) -> None:
        wanted = [item for item in self.inputs if item.identity in pending and item.identity not in self.staged]
        with progress("reading rows", sum(item.bytes for item in wanted)) as advance:
            for item in wanted:
                self.staged[item.identity] = stage(
                    self.adapter, item, self.work / "staging", connection, self.now, advance
                )
        self.adapter.resolve([self.staged[item.identity] for item in wanted], self.open_database)

    def _tables(self) -> list[str]:
        """The tables in which rows of this run may repeat others."""
        return sorted({table for one in self.staged.values() for table in one.parts if table in canonical_tables()})

    def _repeats(self, connection: duckdb.DuckDBPyConnection, table: str) -> "_TableRepeats":
        own_key = self.adapter.duplicate_keys.get(table)
        parts = [
            (record.identity, self.out / table / record.tables[table].part)
            for record in self.others
            if table in record.tables and (own_key is None or record.adapter == self.adapter.name)
        ]
        for item in self.inputs:
            staged = self.staged.get(item.identity)
            if staged is not None and table in staged.parts:
                parts.append((item.identity, staged.parts[table].path))
            elif staged is None and table in self.before.inputs[item.identity].tables:
                parts.append((item.identity, self.out / table / self.before.inputs[item.identity].tables[table].part))
        return _TableRepeats(connection, table, own_key or canonical_tables()[table].key, parts)

    def _finish(self, item: Input, found: Mapping[str, "_TableRepeats"]) -> Finished:
        staged = self.staged[item.identity]
        repeated = {}
        duplicates_of: set[str] = set()
        for table, repeats in found.items():
            if item.identity in repeats.repeating:
                duplicates_of |= repeats.repeating[item.identity] - {item.identity}
                repeated[table] = repeats.rows(staged)
        return finish(self.adapter, staged, repeated, tuple(sorted(duplicates_of)))

    def _report(self, fresh: Mapping[str, InputRecord]) -> IngestReport:
        files = []
        for item in self.inputs:
            before = self.before.inputs.get(item.identity)
            record = fresh.get(item.identity) or before
            assert record is not None, "an input that was not read again was published before"
            changed = before is not None and (before.sha256, before.fingerprint) != (item.sha256, item.fingerprint)
            status = "replaced" if changed else "unchanged" if before is not None else "ingested"
            if changed:
                say(f"  {item.name} is not what was ingested before: its rows are replaced")
            files.append(FileReport(record, status))
        unchanged = sum(file.status == "unchanged" for file in files)
        if unchanged:
            say(f"  {unchanged} of {len(files)} files were ingested before and have not changed")
        return IngestReport(self.adapter.name, files, self.out / REJECTS_FOLDER)


class _TableRepeats:
    """The repeated rows of one table by input. `repeating`: an input → the inputs whose rows it repeats."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, table: str, key: Sequence[str], parts: Sequence[tuple[str, Path]]
    ) -> None:
        self._table = table
        self._identities = [identity for identity, _ in parts]
        self._repeats = Repeats(connection, table, key, [path for _, path in parts])
        self.repeating = {
            self._identities[part]: {self._identities[first] for first in first_parts}
            for part, first_parts in self._repeats.parts().items()
        }

    def rows(self, staged: Staged) -> RepeatedRows:
        """The rows of one input that repeat earlier ones."""
        part = self._identities.index(staged.input.identity)
        return RepeatedRows(self._repeats.positions(part), self._rejects(staged, part))

    def _rejects(self, staged: Staged, part: int) -> Iterator[Reject]:
        lines = staged.lines(self._table)
        for repeat in self._repeats.of_part(part):
            if repeat.first_part == part:
                detail = f"Line {lines[repeat.first_position]} has the same key."
            else:
                detail = f"A row of {self._identities[repeat.first_part].partition(':')[2]} has the same key."
            yield Reject(int(lines[repeat.position]), "duplicate", repeat.key, self._table, detail=detail)
