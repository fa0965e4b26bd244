"""What a miner may ask of an engine.

A miner is a chain of named steps. Each step is an Ibis expression over tables that the engine holds; the engine
compiles it to its own SQL and keeps the result under the step's name. Miners see nothing else of an engine, so the
same miner runs on every engine, and its SQL can be written down (tests/golden/sql).

Rules that make the results equal on every engine, thread count and run: timestamps are UTC without a zone; sums are
of integers; what is collected is ordered by columns that are unique together; what is numbered is numbered in such an
order. Of floating numbers only + − × ÷ and √ are exact everywhere: logarithms are rounded before they are compared or
kept. What divides by zero or exceeds 64 bits may be an error.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from mining.schema import Table

IBIS_TYPES = {
    "string": "string",
    "choice": "string",
    "timestamp": "timestamp(6)",
    "date": "date",
    "int32": "int32",
    "int64": "int64",
    "float64": "float64",
    "bool": "boolean",
    "string_list": "array<string>",
}
"""Ibis types of the canonical types, as miners see them."""


def canonical_schema(table: Table) -> ibis.Schema:
    """The Ibis schema in which an engine shows a canonical table."""
    return ibis.schema({column.name: IBIS_TYPES[column.type] for column in table.columns})


def sql_of(expression: ir.Table, dialect: str) -> str:
    """An expression in the SQL of Ibis's backend `dialect`: duckdb or pyspark."""
    # Not ibis.to_sql, which asks a backend's compiler without having loaded the backend and its options.
    return str(getattr(ibis, dialect).compile(expression, pretty=True))


class Engine(ABC):
    """One open engine with its scratch tables."""

    @abstractmethod
    def read(self, table: Table, files: Sequence[Path]) -> ir.Table:
        """A canonical table from its Parquet files; without files it has no rows."""

    @abstractmethod
    def register(self, name: str, rows: pa.Table) -> ir.Table:
        """A table made in Python, for the steps to join with."""

    @abstractmethod
    def materialise(self, name: str, expression: ir.Table) -> ir.Table:
        """Run a step and keep its result under a name; its columns get exactly the expression's types."""

    @abstractmethod
    def drop(self, *names: str) -> None:
        """Free the results of steps that are no longer needed."""

    @abstractmethod
    def stream(self, expression: ir.Table) -> Iterator[pa.RecordBatch]:
        """The rows of an expression, in its order, in batches; to be read to the end before the next call."""

    @abstractmethod
    def close(self) -> None:
        """Free everything."""

    def collect(self, expression: ir.Table) -> pa.Table:
        """The rows of an expression as one Arrow table."""
        return pa.Table.from_batches(self.stream(expression), expression.schema().to_pyarrow())

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
