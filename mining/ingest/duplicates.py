"""Rows whose key an earlier row has: found over whole tables, exactly, in bounded memory.

First the hashes of the keys are counted; only rows whose hash is not alone are then compared by the key itself. A log
without duplicates costs one pass over the key columns. Two missing values in a key are the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from mining.ingest.parts import BATCH_ROWS


@dataclass(frozen=True)
class Repeat:
    """A row that repeats an earlier one. Positions count from 0 within a part; `key` is JSON of the key columns."""

    part: int
    position: int
    first_part: int
    first_position: int
    key: str


class Repeats:
    """The repeated rows of one table, in a table of the connection; parts are numbered as they were given."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, table: str, key: Sequence[str], parts: Sequence[Path]
    ) -> None:
        """Find the rows of `parts` whose key an earlier row has; earlier is in an earlier part or further up."""
        self._connection = connection
        self._name = f'"repeats of {table}"'
        paths = [str(path) for path in parts]
        columns = ", ".join(f'"{column}"' for column in key)
        fields = ", ".join(f'"{column}" := "{column}"' for column in key)
        # Names with an @ cannot be those of canonical columns: ad_events has a column "position".
        connection.execute(
            'CREATE OR REPLACE TABLE part_numbers AS SELECT unnest(?) AS filename, unnest(?) AS "@part"',
            [paths, list(range(len(paths)))],
        )
        connection.execute(
            'CREATE OR REPLACE TABLE common_hashes AS SELECT "@hash" FROM '
            f'(SELECT hash({columns}) AS "@hash" FROM read_parquet(?, union_by_name = true)) '
            'GROUP BY "@hash" HAVING count(*) > 1',
            [paths],
        )
        connection.execute(
            f"CREATE OR REPLACE TABLE {self._name} AS "
            f'WITH candidates AS (SELECT "@part", file_row_number AS "@position", {columns} '
            "FROM read_parquet(?, union_by_name = true, filename = true, file_row_number = true) "
            f'JOIN part_numbers USING (filename) WHERE hash({columns}) IN (SELECT "@hash" FROM common_hashes)), '
            'ordered AS (SELECT *, first_value("@part") OVER same_key AS first_part, '
            'first_value("@position") OVER same_key AS first_position FROM candidates '
            f'WINDOW same_key AS (PARTITION BY {columns} ORDER BY "@part", "@position")) '
            'SELECT "@part" AS part, "@position" AS position, first_part, first_position, '
            f"to_json(struct_pack({fields}))::VARCHAR AS key "
            'FROM ordered WHERE ("@part", "@position") <> (first_part, first_position)',
            [paths],
        )

    def parts(self) -> dict[int, set[int]]:
        """Which parts hold repeats, and of rows in which parts."""
        rows = self._connection.execute(f"SELECT DISTINCT part, first_part FROM {self._name} ORDER BY ALL").fetchall()
        found: dict[int, set[int]] = {}
        for part, first_part in rows:
            found.setdefault(part, set()).add(first_part)
        return found

    def positions(self, part: int) -> np.ndarray:
        """The positions of the repeats in a part, int64, ascending."""
        query = f"SELECT position FROM {self._name} WHERE part = ? ORDER BY position"
        return self._connection.execute(query, [part]).fetchnumpy()["position"].astype(np.int64)

    def of_part(self, part: int) -> Iterator[Repeat]:
        """The repeats in a part in their order."""
        query = f"SELECT * FROM {self._name} WHERE part = ? ORDER BY position"
        # A cursor of its own: the repeats of several tables are read by turns.
        result = self._connection.cursor().execute(query, [part])
        while rows := result.fetchmany(BATCH_ROWS):
            for row in rows:
                yield Repeat(*row)
