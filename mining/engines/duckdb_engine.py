"""DuckDB in this process: the default engine."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from indexes.errors import KRError
from mining.engines.engine import Engine, canonical_schema, sql_of
from mining.schema import Table

BATCH_ROWS = 131_072


class DuckDBEngine(Engine):
    """Steps become temporary tables of an in-memory database, which spills into the scratch folder."""

    def __init__(self, scratch: Path, threads: int, memory_mb: int) -> None:
        self._connection = duckdb.connect(
            config={
                "threads": threads,
                "memory_limit": f"{memory_mb}MiB",
                "temp_directory": str(scratch),
                # Whatever is collected is ordered explicitly; keeping the order in between would cost memory.
                "preserve_insertion_order": False,
            }
        )

    def read(self, table: Table, files: Sequence[Path]) -> ir.Table:
        schema = canonical_schema(table)
        if files:
            names = ", ".join(_quoted(str(path)) for path in files)
            # DuckDB's date functions on zoned timestamps would follow the machine's time zone.
            columns = ", ".join(
                f'make_timestamp(epoch_us("{column.name}")) AS "{column.name}"'
                if column.type == "timestamp"
                else f'"{column.name}"'
                for column in table.columns
            )
            self._run(table.name, f'CREATE TEMP VIEW "{table.name}" AS SELECT {columns} FROM read_parquet([{names}])')
        else:
            self._run(table.name, f'CREATE TEMP TABLE "{table.name}" ({_column_definitions(schema)})')
        return ibis.table(schema, name=table.name)

    def register(self, name: str, rows: pa.Table) -> ir.Table:
        with _errors_named(name):
            self._connection.register(f"{name}_rows", rows)
            self._connection.execute(f'CREATE TEMP TABLE "{name}" AS SELECT * FROM "{name}_rows"')
            self._connection.unregister(f"{name}_rows")
        return ibis.table(ibis.schema(rows.schema), name=name)

    def materialise(self, name: str, expression: ir.Table) -> ir.Table:
        schema = expression.schema()
        # The columns are declared first, since DuckDB's own choice for a sum of int64 would be a 128-bit integer.
        self._run(name, f'CREATE TEMP TABLE "{name}" ({_column_definitions(schema)})')
        self._run(name, f'INSERT INTO "{name}" {sql_of(expression, "duckdb")}')
        return ibis.table(schema, name=name)

    def drop(self, *names: str) -> None:
        for name in names:
            self._run(name, f'DROP TABLE "{name}"')

    def stream(self, expression: ir.Table) -> Iterator[pa.RecordBatch]:
        schema = expression.schema().to_pyarrow()
        with _errors_named("the result"):
            reader = self._connection.sql(sql_of(expression, "duckdb")).to_arrow_reader(BATCH_ROWS)
            for batch in reader:
                yield from pa.Table.from_batches([batch]).cast(schema).to_batches()

    def close(self) -> None:
        self._connection.close()

    def _run(self, step: str, sql: str) -> None:
        with _errors_named(step):
            self._connection.execute(sql)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _column_definitions(schema: ibis.Schema) -> str:
    return ", ".join(column.sql("duckdb") for column in schema.to_sqlglot_column_defs("duckdb"))


@contextmanager
def _errors_named(step: str) -> Iterator[None]:
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise KRError(
            f"DuckDB ran out of memory at the step {step}: {error}", "Give it more with --set memory_mb=…."
        ) from error
    except duckdb.IOException as error:
        raise KRError(
            f"DuckDB could not read or write at the step {step}: {error}", "Check the files and the free disk space."
        ) from error
    except duckdb.Error as error:
        raise KRError(f"DuckDB failed at the step {step}: {error}", "Check the logs; ingest them again.") from error
