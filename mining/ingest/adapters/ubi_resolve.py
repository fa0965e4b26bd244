"""Completing UBI rows from the rows of other files: a click's query, a search's session."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mining.ingest.adapters.base import OpenDatabase
from mining.ingest.parts import BATCH_ROWS
from mining.ingest.reasons import Reject
from mining.schema import canonical_tables

if TYPE_CHECKING:
    from mining.ingest.staging import Staged

SESSIONS = "event_sessions"


def resolve(staged: Sequence["Staged"], open_database: OpenDatabase) -> None:
    """Replace the staged clicks and searches of every input by completed ones; clicks without a query are rejected."""
    with open_database() as connection:
        _collect(connection, "queries", staged, "searches", ("query", "user_id"))
        _collect(connection, "sessions", staged, SESSIONS, ("session_id",))
        for item in staged:
            if "searches" in item.parts:
                _add_sessions(connection, item)
            if "clicks" in item.parts:
                _add_queries(connection, item)


def _collect(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    staged: Sequence["Staged"],
    table: str,
    columns: Sequence[str],
) -> None:
    """A table with one row a search_id: that of its first row in the order of files and lines."""
    paths = [str(item.parts[table].path) for item in staged if table in item.parts]
    if not paths:
        empty = ", ".join(f"NULL::VARCHAR AS {column}" for column in ("search_id", *columns))
        connection.sql(f"CREATE TABLE {name} AS SELECT {empty} LIMIT 0")
        return
    connection.execute(
        "CREATE OR REPLACE TABLE numbered AS SELECT unnest(?) AS filename, unnest(?) AS number",
        [
            paths,
            list(range(len(paths))),
        ],
    )
    first = ", ".join(f"arg_min({column}, (number, file_row_number)) AS {column}" for column in columns)
    connection.execute(
        f"CREATE TABLE {name} AS SELECT search_id, {first} "
        "FROM read_parquet(?, filename = true, file_row_number = true) JOIN numbered USING (filename) "
        "GROUP BY search_id",
        [paths],
    )


def _add_sessions(connection: duckdb.DuckDBPyConnection, item: "Staged") -> None:
    schema = canonical_tables()["searches"].arrow_schema
    session = {"session_id": "coalesce(rows.session_id, known.session_id) AS session_id"}
    with item.replacing("searches", schema) as writer:
        for rows in _joined(connection, item.parts["searches"].path, schema, session, "sessions"):
            writer.write(rows.cast(schema))


def _add_queries(connection: duckdb.DuckDBPyConnection, item: "Staged") -> None:
    """Clicks of whose search nothing is known become rejects."""
    schema = canonical_tables()["clicks"].arrow_schema
    from_query = {"query": "known.query AS query", "user_id": "coalesce(rows.user_id, known.user_id) AS user_id"}
    lines = item.lines("clicks")
    kept = np.ones(len(lines), bool)
    seen = 0
    with item.adding_rejects("unknown_query") as rejects, item.replacing("clicks", schema) as writer:
        for rows in _joined(connection, item.parts["clicks"].path, schema, from_query, "queries"):
            known = pc.is_valid(rows["query"]).to_numpy()
            kept[seen : seen + len(rows)] = known
            if not known.all():
                unknown = rows.filter(pa.array(~known)).select(["search_id", "user_id", "url"]).to_pylist()
                here: list[int] = lines[seen : seen + len(rows)][~known].tolist()
                for line, raw in zip(here, unknown, strict=True):
                    rejects.write(_unknown(line, raw))
            seen += len(rows)
            writer.write(rows.filter(pa.array(known)).cast(schema))
    item.replace_lines("clicks", lines[kept])


def _unknown(line: int, raw: dict[str, Any]) -> Reject:
    detail = None if raw["search_id"] else "The event has no query_id, so that nobody knows what was searched for."
    return Reject(line, "unknown_query", json.dumps(raw, ensure_ascii=False), "clicks", "search_id", detail)


def _joined(
    connection: duckdb.DuckDBPyConnection, part: Path, schema: pa.Schema, changed: dict[str, str], known: str
) -> Iterator[pa.Table]:
    """The rows of a part in their order, with columns computed from the row of the same search_id in `known`."""
    columns = ", ".join(changed.get(name, f"rows.{name}") for name in schema.names)
    query = (
        f"SELECT {columns} FROM read_parquet(?, file_row_number = true) AS rows "
        f"LEFT JOIN {known} AS known USING (search_id) ORDER BY rows.file_row_number"
    )
    yield from (
        pa.Table.from_batches([batch])
        for batch in connection.sql(query, params=[str(part)]).to_arrow_reader(BATCH_ROWS)
    )
