"""Sogou query logs (SogouQ): one click a line, five columns between tabs, GB18030 or UTF-8.

    00:00:00 <tab> 2982199073774412 <tab> [360安全卫士] <tab> 8 3 <tab> download.it.com.cn/softweb/…

time of day in China, user, query in brackets, rank of the URL in the results and order of the click among the user's
clicks (between a blank, or a tab in older files), URL. The later form with the full time 20111230000005 and the query
without brackets is read too. The day comes from --date, from a file name with YYYYMMDD, or is 2008-06-01.

A line is one row: it becomes one click. A search is a run of lines of one user with one query, with no other query of
that user in between; it has the time of its first click, and its id is made of the file's hash and that line's number.
A line that repeats time, user, query, URL and rank of an earlier one (a double click) is a duplicate. URLs stand in the
log without "http://"; it is put in front, so that a URL is one wherever it comes from and can be opened.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from indexes.errors import UsageError
from indexes.terminal import Advance
from mining.ingest.adapters.base import Adapter, Derived
from mining.ingest.batch import Batch, Stretch, text_array
from mining.ingest.inputs import Input, Options, plain_inputs
from mining.ingest.mapping import ColumnMapping
from mining.ingest.reasons import Reject
from mining.ingest.text_input import LineBlock, find_encoding, line_blocks
from mining.ingest.validation import Validator
from mining.schema import canonical_tables

DEFAULT_DATE = date(2008, 6, 1)
"""The public sample is of June 2008 and its lines do not tell the day."""
TIMEZONE = "Asia/Shanghai"
STAGED_COLUMNS = ("ts", "user_id", "query", "url", "rank")

_RANK_AND_ORDER = re.compile(r"(\d{1,18})[ \t](\d{1,18})")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_TIME_OF_DAY = re.compile(r"\d\d:\d\d:\d\d")
_FULL_TIME = re.compile(r"\d{14}")


class SogouQ(Adapter):
    """The adapter for SogouQ logs."""

    name = "sogouq"
    duplicate_keys = {"clicks": STAGED_COLUMNS}  # noqa: RUF012
    derives = {"clicks": ("clicks", "searches")}  # noqa: RUF012

    def find(self, source: Path, options: Options) -> list[Input]:
        if options.mapping is not None or options.table is not None:
            raise UsageError(
                "--mapping and --table mean nothing for sogouq, whose columns are fixed.", "Leave them out."
            )
        return plain_inputs(self.name, source, options)

    def validators(self, connection: duckdb.DuckDBPyConnection, item: Input, now: datetime) -> dict[str, Validator]:
        mappings = {"ts": ColumnMapping(column="ts", timezone=TIMEZONE)}
        return {"clicks": Validator(connection, canonical_tables()["clicks"], mappings, now, columns=STAGED_COLUMNS)}

    def read(self, item: Input, advance: Advance) -> Iterator[Stretch]:
        encoding = find_encoding(item.path, item.encoding, fallback="gb18030")
        day = (item.day or DEFAULT_DATE).isoformat()
        for block in line_blocks(item.path, advance):
            yield (_read_block(block, encoding, day),)

    def derive(self, item: Input, rows: Iterator[tuple[pa.Table, np.ndarray]]) -> Iterator[Derived]:
        """Clicks with the search that each belongs to, and the searches."""
        latest: dict[str, tuple[str, str]] = {}
        for clicks, lines in rows:
            search_ids, opening = [], []
            users, queries = clicks["user_id"].to_pylist(), clicks["query"].to_pylist()
            for position, (user, query, line) in enumerate(zip(users, queries, lines.tolist(), strict=True)):
                run = latest.get(user)
                if run is None or run[0] != query:
                    run = latest[user] = (query, f"{item.sha256[:16]}-{line}")
                    opening.append(position)
                search_ids.append(run[1])
            ids = pa.chunked_array([text_array(search_ids)])
            yield Derived("clicks", _complete("clicks", clicks, {"search_id": ids}))
            at = pa.array(opening, pa.int64())
            yield Derived("searches", _complete("searches", clicks.take(at), {"search_id": ids.take(at)}))


def _complete(table_name: str, rows: pa.Table, more: dict[str, pa.ChunkedArray]) -> pa.Table:
    """Rows of a canonical table: what is known, and nulls for what the log does not tell."""
    schema = canonical_tables()[table_name].arrow_schema
    columns = [
        more[field.name]
        if field.name in more
        else rows[field.name]
        if field.name in rows.column_names
        else pa.nulls(len(rows), field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _read_block(block: LineBlock, encoding: str, day: str) -> Batch:
    """Take the lines of a block apart. The fast way decodes all at once; a block with a bad byte goes line by line."""
    try:
        texts: list[str | None] = b"\n".join(block.lines).decode(encoding).split("\n")  # type: ignore[assignment]
    except UnicodeDecodeError:
        texts = [_decode(line, encoding) for line in block.lines]
    lines: list[int] = []
    rejects: list[Reject] = []
    raws: list[str] = []
    values: list[tuple[str, str, str, str, str]] = []
    last = len(texts) - 1 if block.torn else -1
    for position, text in enumerate(texts):
        if text is None:
            raw = block.lines[position].decode(encoding, "replace")
            fault: str | tuple[str, ...] = "undecodable"
        else:
            raw = text.removesuffix("\r")
            fault = _take_apart(raw, day)
        if isinstance(fault, str):
            reason = "torn_line" if position == last else fault
            rejects.append(Reject(block.first + position, reason, raw, "clicks"))
            continue
        values.append(fault)  # type: ignore[arg-type]
        lines.append(block.first + position)
        raws.append(raw)
    columns = dict(zip(STAGED_COLUMNS, map(text_array, zip(*values, strict=True)), strict=True)) if values else {}
    return Batch(
        "clicks", np.array(lines, np.int64), columns, lambda wanted: [raws[position] for position in wanted], rejects
    )


def _decode(line: bytes, encoding: str) -> str | None:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return None


def _take_apart(text: str, day: str) -> tuple[str, str, str, str, str] | str:
    """(time, user, query, URL, rank) as texts, or the reason why the line is none."""
    parts = text.split("\t")
    if len(parts) == 6:
        time, user, query, rank, order, url = parts
        rank_and_order = f"{rank} {order}"
    elif len(parts) == 5:
        time, user, query, rank_and_order, url = parts
    else:
        return "wrong_columns"
    match = _RANK_AND_ORDER.fullmatch(rank_and_order)
    if match is None:
        return "not_rank_and_order"
    bracketed = query.startswith("[") and query.endswith("]") and len(query) >= 2
    if _FULL_TIME.fullmatch(time):
        time = f"{time[:4]}-{time[4:6]}-{time[6:8]} {time[8:10]}:{time[10:12]}:{time[12:]}"
    else:
        if not bracketed:
            return "unbracketed_query"
        if _TIME_OF_DAY.fullmatch(time):
            time = f"{day} {time}"
    url = url.strip()
    if not url:
        return "missing_value"
    if not _SCHEME.match(url):
        url = f"http://{url}"
    return time, user, query[1:-1] if bracketed else query, url, match[1]
