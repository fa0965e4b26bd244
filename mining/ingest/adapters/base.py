"""What an adapter is: it finds the files of a source, takes them apart, and may finish rows that need other rows."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa

from indexes.terminal import Advance
from mining.ingest.batch import Stretch
from mining.ingest.inputs import Input, Options
from mining.ingest.validation import Validator

if TYPE_CHECKING:
    from mining.ingest.staging import Staged


@dataclass(frozen=True)
class Derived:
    """Rows that an adapter makes, in order, for one canonical table."""

    table: str
    rows: pa.Table


class Adapter(ABC):
    """One kind of source. An input is read alone and staged; what needs more than one file comes after.

    `whole_log`: rows of one file depend on other files, so that one changed file means that all are read again.
    `duplicate_keys`: columns that tell a repeated row, where they are not the key of the schema; rows are then compared
    with those of the same adapter only.
    `derives`: staged table → the canonical tables that `derive` makes of its rows, the one that has a row for each row
    first; staged tables that are not named here are canonical already.
    """

    name: str
    whole_log = False
    duplicate_keys: Mapping[str, tuple[str, ...]] = {}
    derives: Mapping[str, tuple[str, ...]] = {}

    @abstractmethod
    def find(self, source: Path, options: Options) -> list[Input]:
        """The files to read. Raises UsageError or NotFoundError for a path or an option that does not fit."""

    @abstractmethod
    def validators(self, connection: duckdb.DuckDBPyConnection, item: Input, now: datetime) -> dict[str, Validator]:
        """The check for each table that `read` gives batches of."""

    def side_tables(self) -> dict[str, pa.Schema]:
        """Tables that only `resolve` needs: staged unchecked and uncounted."""
        return {}

    @abstractmethod
    def read(self, item: Input, advance: Advance) -> Iterator[Stretch]:
        """Every row of a file, in order; `advance` is told the bytes read."""

    def resolve(self, staged: Sequence["Staged"], open_database: "OpenDatabase") -> None:  # noqa: B027 - a hook
        """Complete staged rows from the rows of other files, before duplicates are looked for."""

    def derive(self, item: Input, rows: Iterator[tuple[pa.Table, np.ndarray]]) -> Iterator[Derived]:
        """Canonical rows from the staged rows that were kept: (rows, lines) in the order of the file."""
        raise TypeError(f"the adapter {self.name} names tables to derive but does not derive them")


class OpenDatabase:
    """Opens DuckDB connections for work over whole tables: bounded in memory, the rest goes to a folder on disk."""

    def __init__(self, spill: Path, memory_limit: str) -> None:
        self._spill = spill
        self._memory_limit = memory_limit

    def __call__(self) -> duckdb.DuckDBPyConnection:
        from mining.ingest.validation import open_connection

        return open_connection(temp_directory=str(self._spill), memory_limit=self._memory_limit)
