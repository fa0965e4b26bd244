"""Which raw column feeds which canonical column, from the names that a file has."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from indexes.errors import UsageError
from mining.ingest.mapping import TableMapping, nearest


def raw_columns(path: Path, mapping: TableMapping, names: Sequence[str]) -> dict[str, str]:
    """Canonical name → raw name, for each canonical column that the file feeds.

    Raises UsageError for a mapped column that the file lacks, a required one that nothing feeds, or a name that stands
    twice in the file.
    """
    twice = sorted({name for name in names if list(names).count(name) > 1})
    found = {}
    for column in mapping.table.columns:
        chosen = mapping[column.name]
        if chosen.column is None:
            continue
        if chosen.column in twice:
            raise UsageError(f"{path} has two columns named {chosen.column!r}.", "Rename one of them.")
        if chosen.column in names:
            found[column.name] = chosen.column
        elif column.name in mapping.columns:
            raise UsageError(
                f"{path} has no column {chosen.column!r} ({mapping.place}.columns.{column.name}).",
                nearest(chosen.column, names),
            )
        elif not column.nullable:
            raise UsageError(
                f"{path} has no column {column.name!r}, which {mapping.table.name} requires.",
                f"{nearest(column.name, names)} A mapping (--mapping) says which raw column to take.",
            )
    return found


def constant_columns(mapping: TableMapping, rows: int) -> dict[str, pa.Array]:
    """The columns to which the mapping gives one value for all rows."""
    return {
        name: pa.array([chosen.value] * rows, pa.string())
        for name, chosen in mapping.columns.items()
        if chosen.value is not None
    }
