"""OpenSearch User Behavior Insights 1.3: queries and events, as JSON lines or a JSON array, plain or gzipped.

The objects follow the schemas query.request and event of UBI 1.3.0, as its plugin writes them to the indexes
ubi_queries and ubi_events. Exports that wrap each object in "_source" are unwrapped, and the action lines of a bulk
file ({"index": {…}}) are no rows. One file may hold both kinds: an event has action_name, a query has user_query.

 - A query becomes a search: query_id, timestamp, client_id (the user), user_query, application (the client). UBI has no
   session in its queries; it is taken from query_attributes.session_id, else from an event of the same query_id.
 - An event click or click_through becomes a click on event_attributes.object.url, or on object_id where there is no
   url, at position.ordinal. What was searched for comes from the query with the event's query_id, and so does the user
   if the event has no client_id; without such a query the event is rejected as unknown_query.
 - Any other event (add_to_cart, purchase, impression, …) is right, but no canonical table is made from it here: it is
   counted as event_without_table, listed in the rejects, and not held against the limit of rejected rows, since a log
   may well have more impressions than clicks.

Times without an offset are UTC; numbers are milliseconds, as OpenSearch stores dates.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa

from indexes.errors import UsageError
from indexes.terminal import Advance
from mining.ingest.adapters.base import Adapter, OpenDatabase
from mining.ingest.adapters.json_lines import typed_batch
from mining.ingest.adapters.json_records import Record, json_records
from mining.ingest.batch import Batch, Stretch
from mining.ingest.inputs import Input, Options, plain_inputs
from mining.ingest.reasons import Reject
from mining.ingest.validation import Validator
from mining.schema import canonical_tables

if TYPE_CHECKING:
    from mining.ingest.staging import Staged

CLICK_ACTIONS = frozenset({"click", "click_through"})
"""The two names that UBI 1.3.0 lists for following a result."""
BATCH_ROWS = 65_536
SESSIONS = "event_sessions"
_SESSIONS_SCHEMA = pa.schema([("search_id", pa.string()), ("session_id", pa.string())])
_BULK_ACTIONS = frozenset({"index", "create", "update"})


class UserBehaviorInsights(Adapter):
    """The adapter for UBI logs. Events are completed from the queries of all files, so that all are read together."""

    name = "ubi"
    whole_log = True

    def find(self, source: Path, options: Options) -> list[Input]:
        given = {"mapping": options.mapping, "table": options.table, "date": options.day}
        for name, value in given.items():
            if value is not None:
                raise UsageError(f"--{name} means nothing for ubi, whose objects have fixed names.", "Leave it out.")
        return plain_inputs(self.name, source, Options(encoding=options.encoding))

    def validators(self, connection: duckdb.DuckDBPyConnection, item: Input, now: datetime) -> dict[str, Validator]:
        tables = canonical_tables()
        later = frozenset({"query", "user_id"})
        return {
            "searches": Validator(connection, tables["searches"], {}, now),
            "clicks": Validator(connection, tables["clicks"], {}, now, optional=later),
        }

    def side_tables(self) -> dict[str, pa.Schema]:
        return {SESSIONS: _SESSIONS_SCHEMA}

    def read(self, item: Input, advance: Advance) -> Iterator[Stretch]:
        rows = _Rows()
        for record in json_records(item.path, item.encoding, advance):
            rows.add(record)
            if rows.count >= BATCH_ROWS:
                yield rows.stretch()
                rows = _Rows()
        yield rows.stretch()

    def resolve(self, staged: Sequence["Staged"], open_database: OpenDatabase) -> None:
        from mining.ingest.adapters.ubi_resolve import resolve

        resolve(staged, open_database)


class _Rows:
    """The objects of one batch, sorted into queries, clicks and the rest."""

    def __init__(self) -> None:
        self.count = 0
        self._records: dict[str, list[Record]] = {"searches": [], "clicks": []}
        self._values: dict[str, list[dict[str, Any]]] = {"searches": [], "clicks": []}
        self._rejects: list[Reject] = []
        self._sessions: dict[tuple[str, str], int] = {}

    def add(self, record: Record | Reject) -> None:
        if isinstance(record, Reject):
            self.count += 1
            self._rejects.append(record)
            return
        value = record.value
        if len(value) == 1 and _BULK_ACTIONS & value.keys() and isinstance(next(iter(value.values())), dict):
            return
        self.count += 1
        source = value.get("_source")
        value = source if isinstance(source, dict) else value
        if "action_name" in value:
            self._add_event(record, value)
        elif "user_query" in value:
            self._records["searches"].append(record)
            self._values["searches"].append(_search(value))
        else:
            self._rejects.append(Reject(record.line, "not_ubi", record.text))

    def _add_event(self, record: Record, event: dict[str, Any]) -> None:
        query_id, session_id = event.get("query_id"), _session(event, "event_attributes")
        if isinstance(query_id, str) and isinstance(session_id, str) and session_id.isprintable():
            self._sessions.setdefault((query_id, session_id), record.line)
        if event["action_name"] in CLICK_ACTIONS:
            self._records["clicks"].append(record)
            self._values["clicks"].append(_click(event))
        else:
            self._rejects.append(Reject(record.line, "event_without_table", record.text))

    def stretch(self) -> Stretch:
        """What was added, by table; the objects that belong to no table go with the clicks."""
        batches = []
        for table, records in self._records.items():
            values = self._values[table]
            raw = {name: [value[name] for value in values] for name in (values[0] if values else ())}
            rejects = self._rejects if table == "clicks" else []
            batches.append(typed_batch(table, canonical_tables()[table].columns, raw, records, rejects))
        if self._sessions:
            search_ids, session_ids = zip(*self._sessions, strict=True)
            columns = {"search_id": pa.array(search_ids), "session_id": pa.array(session_ids)}
            lines = np.array(list(self._sessions.values()), np.int64)
            batches.append(Batch(SESSIONS, lines, columns, lambda wanted: []))
        return tuple(batches)


def _search(query: dict[str, Any]) -> dict[str, Any]:
    return {
        "search_id": query.get("query_id"),
        "ts": _time(query.get("timestamp")),
        "user_id": query.get("client_id"),
        "session_id": _session(query, "query_attributes"),
        "query": query.get("user_query"),
        "client": query.get("application"),
    }


def _click(event: dict[str, Any]) -> dict[str, Any]:
    attributes = _object(event.get("event_attributes"))
    target = _object(attributes.get("object"))
    url = target.get("url") or attributes.get("url")
    return {
        "search_id": event.get("query_id"),
        "ts": _time(event.get("timestamp")),
        "user_id": event.get("client_id"),
        "url": target.get("object_id") if url is None or url == "" else url,
        "rank": _object(attributes.get("position")).get("ordinal"),
    }


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _session(value: dict[str, Any], attributes: str) -> Any:
    return value.get("session_id") or _object(value.get(attributes)).get("session_id")


def _time(value: Any) -> Any:
    """The timestamp as ISO 8601 text where it is a number of milliseconds; whatever else it is, as it is."""
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return (datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=value)).isoformat()
        except OverflowError:
            return str(value)
    return value
