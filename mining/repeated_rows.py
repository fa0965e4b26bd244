"""Searches that are in the logs twice, because a file was delivered twice or two files overlap.

Ingest sets repeated rows aside and counts them, so an ingested folder has none. A folder that another tool wrote is
looked through, since a day that counts double is worse than no answer.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import duckdb

from indexes.errors import KRError, UsageError
from mining.canonical_logs import LogFiles
from mining.day_index import file_digest
from mining.ingest.duplicates import Repeats
from mining.ingest.state import STATE_NAME
from mining.settings import MiningSettings


def require_rows_once(logs: Path, files: Mapping[str, LogFiles], settings: MiningSettings) -> None:
    """Raise UsageError if two files of a table are the same, or if two searches have the same search_id."""
    if (logs / STATE_NAME).is_file():
        return
    remedy = f"Remove what is too much, or run manage.py ingest parquet {logs} --out …, which sets repeats aside."
    for name, found in files.items():
        seen: dict[str, Path] = {}
        for path in found.files if found.rows else ():
            digest = file_digest(path)
            if digest in seen:
                raise UsageError(f"{path} is the same file as {seen[digest].name}: every row of {name} twice.", remedy)
            seen[digest] = path
    searches = files["searches"]
    try:
        with (
            tempfile.TemporaryDirectory(prefix="kr-mine-") as spill,
            duckdb.connect(
                config={
                    "threads": settings.threads,
                    "memory_limit": f"{settings.memory_mb}MiB",
                    "temp_directory": spill,
                }
            ) as connection,
        ):
            repeats = Repeats(connection, "searches", searches.table.key, searches.files)
            parts = repeats.parts()
            count = sum(len(repeats.positions(part)) for part in parts)
    except duckdb.OutOfMemoryException as error:
        raise KRError(
            f"DuckDB ran out of memory at the step repeated searches: {error}", "Give it more with --set memory_mb=…."
        ) from error
    except duckdb.Error as error:
        raise KRError(
            f"{logs}/searches could not be looked through: {error}", "Check the files; ingest them again."
        ) from error
    if count:
        part = min(parts)
        first = min(parts[part])
        place = (
            f"{searches.files[part]} repeats {searches.files[first].name}"
            if part != first
            else f"{searches.files[part]} repeats itself"
        )
        raise UsageError(f"{logs} holds {count:,} searches twice, by their search_id: {place}.", remedy)
