"""The canonical table `feedback` of a LOGS folder: its Parquet parts, read row by row and checked.

Columns, from the schema of the canonical logs: `ts` timestamp (UTC), `account_id`, `query`, `keyword` and `verdict`
strings. Parts that lie in the folder but that the log's ingest.json does not name are left out, as everywhere.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from indexes.errors import CorruptError, NotFoundError, UsageError
from kr.relevance.feedback import LABELS, PERSONAL, Verdict

TABLE = "feedback"
STATE_NAME = "ingest.json"
COLUMNS = ("ts", "account_id", "query", "keyword", "verdict")
BATCH_ROWS = 65_536
_INGEST = "Run manage.py ingest with a table of feedback (mining/schema.toml lists its columns)."
_AGAIN = "Run manage.py ingest again."


def feedback_parts(logs: Path) -> list[Path]:
    """The table's files in the order of their names; NotFoundError if there is no log, or none of feedback."""
    if not logs.is_dir():
        raise NotFoundError(f"There is no folder {logs}.", "Run manage.py ingest first, or correct --logs.")
    folder = logs / TABLE
    lengths = _published(logs)
    if lengths is None:
        parts = sorted(folder.glob("*.parquet"))
    else:
        parts = [folder / name for name in sorted(lengths)]
        for part in parts:
            if not part.is_file() or part.stat().st_size != lengths[part.name]:
                raise CorruptError(f"{part} is missing or damaged.", _AGAIN)
    if not parts:
        raise NotFoundError(f"{logs} has no table {TABLE}.", _INGEST)
    return parts


def _published(logs: Path) -> dict[str, int] | None:
    """The parts that count and their bytes; None if the folder was not written by ingest."""
    path = logs / STATE_NAME
    if not path.is_file():
        return None
    try:
        tables = [record["tables"] for record in json.loads(path.read_bytes())["inputs"]]
        return {part[TABLE]["part"]: part[TABLE]["bytes"] for part in tables if TABLE in part}
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptError(f"{path} is not what ingest writes: {error!r}.", _AGAIN) from None


def read_feedback(logs: Path) -> Iterator[Verdict]:
    """Every verdict in the order of files and rows.

    Raises NotFoundError if there is no such table or no row in it, CorruptError for a file that is not what ingest
    writes, UsageError with file and row for a value that is missing or a verdict of another name.
    """
    rows = 0
    for path in feedback_parts(logs):
        for row, values in enumerate(_rows(path), 1):
            rows += 1
            yield _verdict(values, f"{path}, row {row}")
    if not rows:
        raise NotFoundError(f"The table {TABLE} of {logs} is empty.", _INGEST)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            _check_schema(path, file.schema_arrow)
            for batch in file.iter_batches(BATCH_ROWS, columns=list(COLUMNS)):
                columns = {name: batch[name].to_pylist() for name in COLUMNS}
                micros = batch["ts"].cast(pa.timestamp("us", tz="UTC"), safe=False).cast(pa.int64())
                columns["ts"] = micros.to_pylist()
                yield from (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    except (pa.ArrowException, OSError) as error:
        raise CorruptError(f"{path} is no readable Parquet file: {error}.", _AGAIN) from error


def _check_schema(path: Path, schema: Any) -> None:
    import pyarrow as pa

    for name in COLUMNS:
        if name not in schema.names:
            raise CorruptError(f"{path} lacks the column {name}.", _AGAIN)
        found = schema.field(name).type
        fits = pa.types.is_timestamp(found) if name == "ts" else pa.types.is_string(found)
        if not fits:
            expected = "a timestamp" if name == "ts" else "string"
            raise CorruptError(f"{path} holds {name} as {found}, not {expected}.", _AGAIN)


def _verdict(values: dict[str, Any], place: str) -> Verdict:
    for name in COLUMNS:
        if values[name] is None and name != "query":
            raise UsageError(f"{place}: the field {name} is missing.", "Mend the row at its source and ingest again.")
    if values["verdict"] not in LABELS and values["verdict"] != PERSONAL:
        raise UsageError(
            f"{place}: the verdict {values['verdict']!r} is unknown.",
            f"Use one of {', '.join([*LABELS, PERSONAL])}, and ingest again.",
        )
    # What was recommended without a query has none; it labels no pair.
    query = values["query"] or ""
    return Verdict(values["ts"] / 1e6, values["account_id"], query, values["keyword"], values["verdict"])
