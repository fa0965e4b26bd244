"""Verdicts as the canonical table `feedback`, for `feedback report`, `feedback pairs` and mining."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy.orm import Session

from indexes.errors import NotFoundError, UsageError
from indexes.text import normalise
from kr.store.database import Database
from kr.store.feedback_queue import labels
from kr.store.operator_schema import Decision
from kr.store.schema import Verdict
from kr.store.verdicts import all_verdicts

_TEXTS = ("account_id", "query", "keyword", "verdict")
SCHEMA = pa.schema([("ts", pa.timestamp("us", tz="UTC")), *((name, pa.string()) for name in _TEXTS)])
BATCH_ROWS = 10_000
OPERATOR_ACCOUNT = "operator"
"""The account to which operators' decisions are ascribed."""
_AGREEING: dict[str, tuple[Verdict, ...]] = {
    Decision.RELEVANT: (Verdict.UP, Verdict.SAVED),
    Decision.IRRELEVANT: (Verdict.IRRELEVANT,),
    Decision.REJECTED: (),
}


def exported_rows(session: Session) -> Iterator[tuple[datetime, str, str | None, str, str]]:
    """Time, account, query (None where there was no search), keyword and verdict of each row.

    Where an operator decided what a pair is worth, verdicts that say otherwise are left out and the operator's is
    added; where an operator rejected them, none is left. "Not my business" is personal and always stays.
    """
    decided = labels(session)
    for verdict, account in all_verdicts(session):
        decision = decided.get((normalise(verdict.query), verdict.keyword))
        if decision is None or verdict.verdict in (Verdict.NOT_MY_BUSINESS, *_AGREEING[decision.decision]):
            yield verdict.ts, account, verdict.query or None, verdict.keyword, verdict.verdict
    for (query, keyword), decision in decided.items():
        if agreeing := _AGREEING[decision.decision]:
            yield decision.ts, OPERATOR_ACCOUNT, query, keyword, agreeing[0].value


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
            exported = exported_rows(session)
            while some := list(islice(exported, BATCH_ROWS)):
                columns = dict(zip(SCHEMA.names, map(list, zip(*some, strict=True)), strict=True))
                writer.write_table(pa.table(columns, schema=SCHEMA))
                rows += len(some)
        if not rows:
            raise NotFoundError("Nobody has judged a keyword yet.", "Verdicts are given on the search page.")
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    return rows
