"""Spark: the engine for logs that one machine does not mine.

Every step's result is a folder of Parquet files under the scratch folder, which the driver and all workers see at the
same path. A worker that dies takes nothing with it: what was running is computed again from finished steps, and no
plan grows with the number of steps. Spark commits a step's files as a whole; their order is that of the rows.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from indexes.errors import KRError
from mining.engines.engine import Engine, canonical_schema, sql_of
from mining.engines.spark_session import close_session, first_cause, open_session
from mining.schema import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType

BATCH_ROWS = 131_072
GLOB_CHARACTERS = r"\{}[]*?"
"""What Hadoop takes for a pattern in a path."""


class SparkEngine(Engine):
    """Steps become Parquet files in the scratch folder, known to one Spark session by temporary views."""

    def __init__(self, master: str, scratch: Path, memory_mb: int) -> None:
        self._scratch = scratch.absolute()
        self._session, self._owned = open_session(master, self._scratch, memory_mb)
        self._folders: dict[str, Path] = {}
        self._written = 0

    def read(self, table: Table, files: Sequence[Path]) -> ir.Table:
        schema = canonical_schema(table)
        with _errors_named(table.name):
            if files:
                stored = ibis.schema(
                    {name: "timestamp('UTC', 6)" if dtype.is_timestamp() else dtype for name, dtype in schema.items()}
                )
                rows = self._session.read.schema(_spark_schema(stored)).parquet(*map(_url, files))
            else:
                rows = self._session.createDataFrame([], _spark_schema(schema))
            # The session's time zone is UTC, so the cast to a timestamp without a zone keeps the moment in UTC.
            _cast(rows, schema).createOrReplaceTempView(table.name)
        return ibis.table(schema, name=table.name)

    def register(self, name: str, rows: pa.Table) -> ir.Table:
        folder = self._new_folder(name)
        folder.mkdir()
        pq.write_table(rows, folder / "part-0.parquet", row_group_size=BATCH_ROWS)
        return self._view(name, ibis.schema(rows.schema), folder)

    def materialise(self, name: str, expression: ir.Table) -> ir.Table:
        return self._view(name, expression.schema(), self._run(name, expression))

    def drop(self, *names: str) -> None:
        for name in names:
            self._session.catalog.dropTempView(name)
            shutil.rmtree(self._folders.pop(name))

    def stream(self, expression: ir.Table) -> Iterator[pa.RecordBatch]:
        schema = expression.schema().to_pyarrow()
        folder = self._run("result", expression)
        try:
            # Spark numbers the files by the place of their rows.
            for path in sorted(folder.glob("part-*.parquet")):
                with pq.ParquetFile(path) as file:
                    for batch in file.iter_batches(BATCH_ROWS):
                        yield from pa.Table.from_batches([batch]).cast(schema).to_batches()
        finally:
            shutil.rmtree(folder)

    def close(self) -> None:
        close_session(self._session, self._owned)
        for folder in self._folders.values():
            shutil.rmtree(folder, ignore_errors=True)

    def _run(self, step: str, expression: ir.Table) -> Path:
        """The folder with the rows of an expression, columns of exactly its types."""
        folder = self._new_folder(step)
        try:
            with _errors_named(step):
                rows = _cast(self._session.sql(sql_of(expression, "pyspark")), expression.schema())
                rows.write.parquet(_url(folder))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return folder

    def _view(self, name: str, schema: ibis.Schema, folder: Path) -> ir.Table:
        with _errors_named(name):
            rows = self._session.read.schema(_spark_schema(schema)).parquet(_url(folder))
            rows.createOrReplaceTempView(name)
        self._folders[name] = folder
        return ibis.table(schema, name=name)

    def _new_folder(self, name: str) -> Path:
        self._written += 1
        return self._scratch / f"{self._written:04d}-{name}"


def _cast(rows: "DataFrame", schema: ibis.Schema) -> "DataFrame":
    """The columns of a schema in exactly its types, in its order; rows keep theirs."""
    return rows.select(*(rows[f"`{field.name}`"].cast(field.dataType) for field in _spark_schema(schema)))


def _spark_schema(schema: ibis.Schema) -> "StructType":
    from ibis.backends.pyspark.datatypes import PySparkSchema

    return PySparkSchema.from_ibis(schema)


def _url(path: Path) -> str:
    """A path of a file system that is mounted, whatever Spark's default one is, taken literally."""
    text = str(path.absolute())
    return "file://" + "".join(f"\\{character}" if character in GLOB_CHARACTERS else character for character in text)


@contextmanager
def _errors_named(step: str) -> Iterator[None]:
    from py4j.protocol import Py4JError, Py4JNetworkError
    from pyspark.errors import PySparkException

    try:
        yield
    except (Py4JNetworkError, ConnectionError) as error:
        raise KRError(
            f"Spark's Java process ended at the step {step}.",
            "It may have run out of memory: give it more with --set memory_mb=…, or leave it more of the machine's.",
        ) from error
    except (PySparkException, Py4JError) as error:
        text = str(error)
        if "OutOfMemoryError" in text or "UNABLE_TO_ACQUIRE_MEMORY" in text:
            message, remedy = "Spark ran out of memory", "Give it more with --set memory_mb=…."
        elif "No space left on device" in text or "Disk quota exceeded" in text:
            message, remedy = "Spark ran out of disk", "Free some space below --out and where Spark keeps local files."
        else:
            message, remedy = (
                "Spark failed",
                "Check the logs, or ingest them again, and the messages of Spark's workers.",
            )
        raise KRError(f"{message} at the step {step}: {first_cause(error)}", remedy) from error
