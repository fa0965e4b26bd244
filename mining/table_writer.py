"""Where miners put what they found: mined tables from expressions or from arrays, with their rows counted."""

from collections.abc import Iterable
from pathlib import Path

import ibis.expr.types as ir
import pyarrow as pa

from mining.engines import Engine
from mining.mined_tables import MINED_TABLES, write_mined_table


class TableWriter:
    """Writes mined tables into one folder; `keywords` holds the keywords' text by number, `counts` rows by table."""

    def __init__(self, engine: Engine, folder: Path, keywords: pa.Array) -> None:
        self.engine, self.folder, self.keywords = engine, folder, keywords
        self.counts: dict[str, int] = {}

    def write(self, name: str, rows: ir.Table) -> None:
        """Write a table from an expression with its columns."""
        self.write_batches(name, self.engine.stream(rows.order_by(MINED_TABLES[name].order)))

    def write_rows(self, name: str, rows: pa.Table) -> None:
        """Write a table from rows in memory, in the order of its key; other columns are left out."""
        self.write_batches(name, rows.to_batches())

    def write_nothing(self, *names: str) -> None:
        """Write tables without rows, of miners whose logs are missing."""
        for name in names:
            self.write_batches(name, ())

    def write_batches(self, name: str, batches: Iterable[pa.RecordBatch]) -> None:
        """Write a table from batches in the order of its key."""
        self.counts[name] = write_mined_table(self.folder, name, batches, self.keywords)

    def number(self, value: ir.IntegerScalar) -> int:
        """One whole number out of the engine; 0 for null."""
        return self.engine.collect(value.name("value").as_table())["value"][0].as_py() or 0
