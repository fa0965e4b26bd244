"""Parquet parts: written in row groups of a fixed size, so that the same rows give the same bytes however they came."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mining.ingest.durable import fsync_path

ROW_GROUP_ROWS = 131_072
"""Large enough to compress and to skip well, small enough that a few groups fit in any memory."""
BATCH_ROWS = 131_072
"""Rows that are in memory at a time while a file is read."""
COMPRESSION = "zstd"


LINES_SCHEMA = pa.schema([pa.field("line", pa.int64(), nullable=False)])


class PartWriter:
    """Writes one Parquet file; it appears under its name, fsynced, when the block ends without error.

    A row group is compressed in the background while the next one is prepared; at most two are in memory.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self.schema = schema
        self.rows = 0
        self._temporary = path.with_name(f".{path.name}.new")
        # Ascending line numbers shrink to almost nothing as differences.
        encoding = {"line": "DELTA_BINARY_PACKED"} if schema is LINES_SCHEMA else None
        self._writer = pq.ParquetWriter(
            self._temporary, schema, compression=COMPRESSION, use_dictionary=encoding is None, column_encoding=encoding
        )
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        self._background = ThreadPoolExecutor(1, thread_name_prefix="part-writer")
        self._writing: Future[None] | None = None

    def write(self, table: pa.Table) -> None:
        """Append rows; a row group is written whenever it is full. Raises what writing the group before raised."""
        self.rows += len(table)
        self._waiting.append(table)
        self._waiting_rows += len(table)
        while self._waiting_rows >= ROW_GROUP_ROWS:
            self._write_group()

    def _write_group(self) -> None:
        waiting = pa.concat_tables(self._waiting)
        group, rest = waiting.slice(0, ROW_GROUP_ROWS), waiting.slice(ROW_GROUP_ROWS)
        self._waiting, self._waiting_rows = [rest], len(rest)
        self._wait()
        self._writing = self._background.submit(self._compress, group)

    def _compress(self, group: pa.Table) -> None:
        # One chunk a column: where Parquet ends its pages must not depend on how the rows came in.
        self._writer.write_table(group.combine_chunks(), row_group_size=ROW_GROUP_ROWS)

    def _wait(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def _finish(self, complete: bool) -> None:
        try:
            if complete and self._waiting_rows:
                self._write_group()
            self._wait()
        finally:
            self._background.shutdown()
            self._writer.close()

    def __enter__(self) -> "PartWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._finish(complete=kind is None)
        except Exception:
            # On a full disk closing fails too, and must not hide the error that is on its way.
            self._temporary.unlink(missing_ok=True)
            if kind is None:
                raise
            return
        if kind is not None:
            self._temporary.unlink(missing_ok=True)
            return
        fsync_path(self._temporary)
        self._temporary.replace(self.path)


def lines_table(lines: np.ndarray) -> pa.Table:
    """Line numbers as a table for the file beside a staged part."""
    return pa.table({"line": pa.array(lines, pa.int64())}, schema=LINES_SCHEMA)


def read_lines(path: Path) -> np.ndarray:
    """The line of each row of a staged part, int64."""
    return pq.read_table(path)["line"].to_numpy()


def read_part(path: Path) -> Iterator[pa.Table]:
    """The rows of a part in order, a bounded number at a time."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH_ROWS):
            yield pa.Table.from_batches([batch])
