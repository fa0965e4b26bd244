"""Verdicts as the canonical table `feedback`, for `feedback report`, `feedback pairs` and mining."""

from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from indexes.errors import NotFoundError, UsageError
from kr.store.database import Database
from kr.store.verdicts import all_verdicts

_TEXTS = ("account_id", "query", "keyword", "verdict")
SCHEMA = pa.schema([("ts", pa.timestamp("us", tz="UTC")), *((name, pa.string()) for name in _TEXTS)])
BATCH_ROWS = 10_000


def export_verdicts(database: Database, logs: Path) -> int:
    """Write LOGS/feedback/verdicts.parquet, new or anew; return its rows.

    UsageError if ingest keeps that folder, NotFoundError if nobody has said anything yet.
    """
    if (logs / "ingest.json").exists():
        raise UsageError(
            f"{logs} is kept by ingest, which would not know of this file.",
            "Name another folder, then: manage.py ingest parquet FOLDER/feedback --table feedback --out LOGS.",
        )
    folder = logs / "feedback"
    folder.mkdir(parents=True, exist_ok=True)
    partial, file = folder / "verdicts.partial", folder / "verdicts.parquet"
    rows = 0
    try:
        with database.reading() as session, pq.ParquetWriter(partial, SCHEMA, compression="zstd") as writer:
            verdicts = all_verdicts(session)
            while some := list(islice(verdicts, BATCH_ROWS)):
                columns = {
                    "ts": [verdict.ts for verdict, _ in some],
                    "account_id": [account for _, account in some],
                    "query": [verdict.query or None for verdict, _ in some],
                    "keyword": [verdict.keyword for verdict, _ in some],
                    "verdict": [verdict.verdict for verdict, _ in some],
                }
                writer.write_table(pa.table(columns, schema=SCHEMA))
                rows += len(some)
        if not rows:
            raise NotFoundError("Nobody has judged a keyword yet.", "Verdicts are given on the search page.")
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    return rows
