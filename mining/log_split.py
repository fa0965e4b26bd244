"""A log cut in two at a moment: what was known by then, and what people did afterwards.

Whatever is learned or measured on held-out sessions is cut here, so that nothing of the later part can reach a feature:
the earlier part becomes a folder of canonical logs of its own, and the miners are given nothing else. Tables without a
time (pages, advertisers, industries) describe the world and stand in both parts.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from indexes.errors import UsageError
from mining.canonical_logs import LogFiles, find_log_files
from mining.schema import Table

TIME_COLUMNS = ("ts", "created_ts")
"""The column that dates a row of a canonical table."""
FEWEST_DAYS = 5
"""A log of so many days is cut at midnight; a shorter one at the moment itself."""


@dataclass(frozen=True)
class SplitLog:
    """The two folders of logs, and the first moment of the later one."""

    earlier: Path
    later: Path
    moment: datetime


def split_moment(logs: Path, share: float) -> datetime:
    """The moment by which so large a share of the days of the searches had passed, a midnight (UTC) if it can be.

    Raises UsageError if there is no search, or all are of one moment.
    """
    searches = find_log_files(logs, "searches")
    bounds = [pc.min_max(pq.read_table(path, columns=["ts"])["ts"]).as_py() for path in searches.files]
    moments = [moment for bound in bounds for moment in bound.values() if moment is not None]
    if not moments or min(moments) == max(moments):
        raise UsageError(
            f"{logs} holds no searches of different moments, so no later part can be held out.",
            "Ingest a log of several days.",
        )
    first, last = min(moments), max(moments)
    days = (last.date() - first.date()).days + 1
    if days < FEWEST_DAYS:
        return first + (last - first) * share
    whole = min(max(round(days * share), 1), days - 1)
    return datetime.combine(first.date(), time(), UTC) + timedelta(days=whole)


def split_logs(logs: Path, names: tuple[str, ...], moment: datetime, out: Path) -> SplitLog:
    """Write the rows before a moment to OUT/earlier and the others to OUT/later, one file a table and part."""
    split = SplitLog(out / "earlier", out / "later", moment)
    for name in names:
        found = find_log_files(logs, name)
        column = time_column(found.table)
        if not found.files:
            continue
        if column is None:
            for part in (split.earlier, split.later):
                _link(found, part)
        else:
            _cut(found, column, split)
    return split


def time_column(table: Table) -> str | None:
    """The column that dates the rows of a table; None if rows have no time."""
    return next((name for name in TIME_COLUMNS if name in table.column_names), None)


def _link(found: LogFiles, part: Path) -> None:
    folder = part / found.table.name
    folder.mkdir(parents=True)
    for path in found.files:
        (folder / path.name).symlink_to(path.resolve())


def _cut(found: LogFiles, column: str, split: SplitLog) -> None:
    """One row group after the other, so that no table is held whole."""
    folders = [part / found.table.name for part in (split.earlier, split.later)]
    for folder in folders:
        folder.mkdir(parents=True)
    schema = found.table.arrow_schema
    moment = pa.scalar(split.moment, pa.timestamp("us", tz="UTC"))
    with (
        pq.ParquetWriter(folders[0] / "part-0.parquet", schema, compression="zstd") as earlier,
        pq.ParquetWriter(folders[1] / "part-0.parquet", schema, compression="zstd") as later,
    ):
        for path in found.files:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(columns=list(found.table.column_names)):
                    rows = pa.Table.from_batches([batch]).select(list(found.table.column_names)).cast(schema)
                    before = pc.less(rows[column], moment)
                    earlier.write_table(rows.filter(before))
                    later.write_table(rows.filter(pc.invert(before)))
