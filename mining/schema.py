"""The canonical tables, read from schema.toml: the one description that ingest, the simulator and the miners share."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_FILE = Path(__file__).with_name("schema.toml")


@dataclass(frozen=True)
class Column:
    """One column of a canonical table; the bounds are None where the schema sets none."""

    name: str
    type: str
    nullable: bool = False
    choices: tuple[str, ...] = ()
    min: int | None = None
    max: int | None = None
    max_chars: int | None = None
    doc: str = ""

    @property
    def arrow_type(self) -> "pa.DataType":
        """The Arrow type in which the column is stored."""
        import pyarrow as pa

        return {
            "string": pa.string(),
            "choice": pa.string(),
            "timestamp": pa.timestamp("us", tz="UTC"),
            "date": pa.date32(),
            "int32": pa.int32(),
            "int64": pa.int64(),
            "float64": pa.float64(),
            "bool": pa.bool_(),
            "string_list": pa.list_(pa.string()),
        }[self.type]


@dataclass(frozen=True)
class Table:
    """One canonical table: its columns in order, and the columns that identify a row."""

    name: str
    doc: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    def __getitem__(self, column_name: str) -> Column:
        return next(column for column in self.columns if column.name == column_name)

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def arrow_schema(self) -> "pa.Schema":
        """The Arrow schema of the table's Parquet files."""
        import pyarrow as pa

        return pa.schema([pa.field(column.name, column.arrow_type, column.nullable) for column in self.columns])


@cache
def canonical_tables() -> dict[str, Table]:
    """Every canonical table by name."""
    document = tomllib.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    tables = {}
    for name, table in document.items():
        columns = tuple(
            Column(name=column_name, **{**column, "choices": tuple(column.get("choices", ()))})
            for column_name, column in table["columns"].items()
        )
        tables[name] = Table(name, table["doc"], tuple(table["key"]), columns)
    return tables
