"""The raw formats: what a platform would hand over, and what `ingest` reads."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from indexes.errors import UsageError
from mining.simulator import columns
from mining.simulator.shards import Shard

LOG_TABLES = ("searches", "clicks", "ad_events")
TABLES_BESIDE = ("pages", "advertisers", "bids", "industries", "users")
_CHINA = timedelta(hours=8)
_APPLICATION = "market-search"
ShownUrls = Callable[[Shard], np.ndarray]


class RawFiles(ABC):
    """One raw format: log tables come shard by shard, the other tables at the end.

    `tables` names the canonical tables that the format can hold.
    """

    tables: tuple[str, ...] = (*LOG_TABLES, *TABLES_BESIDE)

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shards = 0

    @abstractmethod
    def write_shard(self, shard: Shard, shown_urls: ShownUrls) -> None:
        """Write the next stretch of the log; `shown_urls` tells the results of each search (searches × 10)."""

    @abstractmethod
    def finish(self, tables: Mapping[str, pa.Table]) -> None:
        """Write the tables beside the log, and what tells `ingest` how to read all."""


class _TableFiles(RawFiles):
    """A file a table and shard, with a mapping.toml that says which is which."""

    format: str

    @abstractmethod
    def _write(self, rows: pa.Table, path: Path) -> None: ...

    def write_shard(self, shard: Shard, shown_urls: ShownUrls) -> None:
        self._shards += 1
        for name, rows in shard.tables.items():
            self._write(rows, self._folder / f"{name}-{self._shards:04d}.{self.format}")

    def finish(self, tables: Mapping[str, pa.Table]) -> None:
        for name, rows in tables.items():
            self._write(rows, self._folder / f"{name}.{self.format}")
        entries = [(name, f"{name}-*.{self.format}") for name in LOG_TABLES]
        entries += [(name, f"{name}.{self.format}") for name in tables]
        sections = [f'[tables.{name}]\nfiles = "{files}"\nformat = "{self.format}"\n' for name, files in entries]
        (self._folder / "mapping.toml").write_text("\n".join(sections), encoding="utf-8")


class ParquetFiles(_TableFiles):
    """Parquet, zstd; columns and types are the canonical ones."""

    format = "parquet"

    def _write(self, rows: pa.Table, path: Path) -> None:
        write_parquet(rows, path)


class CsvFiles(_TableFiles):
    """CSV in UTF-8 with a header; lists are joined by |, times are ISO 8601 in UTC."""

    format = "csv"

    def _write(self, rows: pa.Table, path: Path) -> None:
        rows = columns.plain(rows)
        for index, field in enumerate(rows.schema):
            if pa.types.is_list(field.type):
                joined = pc.binary_join(rows[field.name].combine_chunks(), "|")
                rows = rows.set_column(index, field.name, joined)
            elif pa.types.is_timestamp(field.type):
                rows = rows.set_column(index, field.name, _iso_8601(rows[field.name]))
        pa.csv.write_csv(rows, path)


class JsonLines(_TableFiles):
    """JSON lines in UTF-8, an object a row, nulls left out, times ISO 8601 in UTC."""

    format = "jsonl"

    def _write(self, rows: pa.Table, path: Path) -> None:
        rows = columns.plain(rows)
        for index, field in enumerate(rows.schema):
            if pa.types.is_timestamp(field.type):
                rows = rows.set_column(index, field.name, _iso_8601(rows[field.name]))
        with path.open("wb") as stream:
            for batch in rows.to_batches(max_chunksize=50_000):
                stream.write(b"".join(_json_line(row) for row in batch.to_pylist()))


def _json_line(row: dict[str, Any]) -> bytes:
    return orjson.dumps(
        {key: value for key, value in row.items() if value is not None}, option=orjson.OPT_APPEND_NEWLINE
    )


def _iso_8601(times: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.strftime(times, format="%Y-%m-%dT%H:%M:%SZ")


class SogouQ(RawFiles):
    """A file a Chinese day in the layout of the Sogou query log: clicks only, GB18030.

    Time of day, user, query in brackets, rank of the page and number of the user's click, address without scheme.
    """

    tables = ("clicks",)

    def write_shard(self, shard: Shard, shown_urls: ShownUrls) -> None:
        clicks = columns.plain(shard.tables["clicks"]).select(["search_id", "ts", "user_id", "query", "url", "rank"])
        nth: dict[str, int] = {}
        lines: dict[str, list[str]] = {}
        for row in clicks.to_pylist():
            order = nth[row["search_id"]] = nth.get(row["search_id"], 0) + 1
            local = row["ts"] + _CHINA
            user = int(row["user_id"][1:])
            address = row["url"].removeprefix("https://")
            lines.setdefault(f"{local:%Y%m%d}", []).append(
                f"{local:%H:%M:%S}\t{user:016d}\t[{row['query']}]\t{row['rank']} {order}\t{address}\n"
            )
        for day, text in lines.items():
            # A day may go on in the next shard.
            with (self._folder / f"sogouq-{day}.txt").open("ab") as stream:
                stream.write("".join(text).encode("gb18030"))

    def finish(self, tables: Mapping[str, pa.Table]) -> None:
        """Nothing more: the format knows only clicks."""


class UserBehaviorInsights(RawFiles):
    """OpenSearch User Behavior Insights 1.3: queries, and events for clicks and for the results seen up to them."""

    tables = ("searches", "clicks")

    def write_shard(self, shard: Shard, shown_urls: ShownUrls) -> None:
        shown = shown_urls(shard)
        searches = columns.plain(shard.tables["searches"])
        first_number = int(shard.searches.number[0]) if len(shard.searches) else 0
        with (self._folder / "ubi_queries.jsonl").open("ab") as stream:
            for row, urls in zip(searches.to_pylist(), shown.tolist(), strict=True):
                stream.write(_json_line(_ubi_query(row, urls)))
        with (self._folder / "ubi_events.jsonl").open("ab") as stream:
            for click in columns.plain(shard.tables["clicks"]).to_pylist():
                urls = shown[int(click["search_id"][1:]) - first_number].tolist()
                for position, url in enumerate(urls[: click["rank"]], start=1):
                    stream.write(_json_line(_ubi_event("impression", click, url, position)))
                stream.write(_json_line(_ubi_event("click", click, click["url"], click["rank"])))

    def finish(self, tables: Mapping[str, pa.Table]) -> None:
        """Nothing more: the format knows only queries and events."""


def _ubi_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ubi_query(row: dict[str, Any], urls: list[str]) -> dict[str, Any]:
    return {
        "application": _APPLICATION,
        "query_id": row["search_id"],
        "client_id": row["user_id"],
        "user_query": row["query"],
        "timestamp": _ubi_time(row["ts"]),
        "object_id_field": "url",
        "query_response_id": f"r{row['search_id'][1:]}",
        "query_response_hit_ids": urls,
        "query_attributes": {"region": row["region"], "device": row["device"]},
    }


def _ubi_event(action: str, click: dict[str, Any], url: str, position: int) -> dict[str, Any]:
    return {
        "application": _APPLICATION,
        "action_name": action,
        "query_id": click["search_id"],
        "client_id": click["user_id"],
        "timestamp": _ubi_time(click["ts"]),
        "message_type": "QUERY",
        "event_attributes": {
            "object": {"object_id": url, "object_id_field": "url"},
            "position": {"ordinal": position},
        },
    }


def write_parquet(rows: pa.Table, path: Path) -> None:
    """Write a table, the same bytes for the same rows: no Arrow schema beside the Parquet one, dictionaries as text."""
    coded = [field.name for field in rows.schema if pa.types.is_dictionary(field.type)]
    pq.write_table(rows, path, compression="zstd", compression_level=1, use_dictionary=coded, store_schema=False)


_FORMATS: dict[str, type[RawFiles]] = {
    "parquet": ParquetFiles,
    "csv": CsvFiles,
    "jsonl": JsonLines,
    "sogouq": SogouQ,
    "ubi": UserBehaviorInsights,
}
FORMATS = tuple(_FORMATS)


def raw_files(raw_format: str, folder: Path) -> RawFiles:
    """The writer of a raw format. Raises UsageError for an unknown one."""
    if raw_format not in _FORMATS:
        raise UsageError(f"There is no raw format {raw_format!r}.", f"Use one of {', '.join(_FORMATS)}.")
    return _FORMATS[raw_format](folder)
