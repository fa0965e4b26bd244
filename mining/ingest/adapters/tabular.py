"""CSV, JSON lines and Parquet: any raw table, brought to a canonical one by a mapping."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import duckdb

from indexes.errors import UsageError
from indexes.terminal import Advance
from mining.ingest.adapters.base import Adapter
from mining.ingest.adapters.delimited import read_delimited
from mining.ingest.adapters.json_lines import read_json_lines
from mining.ingest.adapters.parquet import read_parquet
from mining.ingest.batch import Stretch
from mining.ingest.inputs import Input, Options, mapped_inputs
from mining.ingest.mapping import TableMapping
from mining.ingest.validation import Validator

_READERS: dict[str, Callable[[Input, TableMapping, Advance], Iterator[Stretch]]] = {
    "csv": read_delimited,
    "jsonl": read_json_lines,
    "parquet": read_parquet,
}


class Tabular(Adapter):
    """The adapter for the three formats; `name` is the format of tables whose mapping names none."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find(self, source: Path, options: Options) -> list[Input]:
        if options.day is not None:
            raise UsageError(f"--date means nothing for {self.name}, whose rows hold full times.", "Leave it out.")
        return mapped_inputs(self.name, source, options)

    def validators(self, connection: duckdb.DuckDBPyConnection, item: Input, now: datetime) -> dict[str, Validator]:
        mapping = _mapping(item)
        return {mapping.table.name: Validator(connection, mapping.table, mapping.columns, now)}

    def read(self, item: Input, advance: Advance) -> Iterator[Stretch]:
        mapping = _mapping(item)
        return _READERS[mapping.format](item, mapping, advance)


def _mapping(item: Input) -> TableMapping:
    assert item.mapping is not None, "a tabular input always has a mapping"
    return item.mapping
