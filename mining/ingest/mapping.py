"""The TOML mapping: which raw files hold which canonical table, and which raw column holds which canonical column.

    [tables.searches]
    files = "searches-*.parquet"           # relative to the folder that is ingested
    format = "parquet"                     # parquet | csv | jsonl; default: the adapter of the command
    [tables.searches.columns]              # optional; a column that is not named here keeps its canonical name
    query = "q"
    ts = { column = "t", unit = "ms" }     # or timezone = "Asia/Shanghai", format = "%Y-%m-%d %H:%M:%S"
    device = { column = "dev", values = { PC = "desktop", H5 = "mobile" } }
    client = { value = "our shop" }        # the same text in every row

CSV tables may say `delimiter`, `quote` ("" for none) and `encoding`; jsonl tables `encoding`. A list in a CSV field is
split at `separator` ("|" by default). In jsonl "a.b" is the key b of the object a.
"""

import codecs
import difflib
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from indexes.errors import NotFoundError, UsageError
from mining.schema import Column, Table, canonical_tables

FORMATS = ("csv", "jsonl", "parquet")
MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}
LIST_SEPARATOR = "|"

_TABLE_OPTIONS = {
    "files": (*FORMATS,),
    "format": (*FORMATS,),
    "columns": (*FORMATS,),
    "delimiter": ("csv",),
    "quote": ("csv",),
    "encoding": ("csv", "jsonl"),
}


@dataclass(frozen=True)
class ColumnMapping:
    """Where the values of one canonical column come from: a raw column, or the same text for every row."""

    column: str | None = None
    value: str | None = None
    unit: str | None = None
    timezone: str = "UTC"
    format: str | None = None
    separator: str = LIST_SEPARATOR
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TableMapping:
    """How the files of one canonical table are read. `place` names the mapping in error messages."""

    table: Table
    format: str
    columns: Mapping[str, ColumnMapping] = field(default_factory=dict)
    files: str | None = None
    delimiter: str | None = None
    quote: str = '"'
    encoding: str | None = None
    place: str = ""

    def __getitem__(self, column_name: str) -> ColumnMapping:
        return self.columns.get(column_name) or ColumnMapping(column=column_name)

    def as_dict(self) -> dict[str, Any]:
        """Everything that decides what a file becomes, as JSON, for the fingerprint of an input."""
        return {
            "table": self.table.name,
            "format": self.format,
            "columns": {name: asdict(column) for name, column in sorted(self.columns.items())},
            "delimiter": self.delimiter,
            "quote": self.quote,
            "encoding": self.encoding,
        }


def nearest(name: str, known: Collection[str]) -> str:
    """A hint for a message: the known name that is most like the one given, or all of them."""
    close = difflib.get_close_matches(name.lower(), [word.lower() for word in known], 1, cutoff=0.5)
    match = next((word for word in known if close and word.lower() == close[0]), None)
    return f"Did you mean {match}?" if match else f"Known: {', '.join(known)}." if known else "There are none."


def read_mapping(path: Path, adapter: str) -> dict[str, TableMapping]:
    """The tables of a mapping file by name.

    Raises NotFoundError if there is no such file, UsageError for a mistake in it, naming the file, the key and the
    nearest right name.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFoundError(f"There is no mapping file {path}.", "Name an existing TOML file with --mapping.") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder, not a mapping file.", "Name the TOML file itself.") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: {error}.", "Save the mapping as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not valid TOML: {error}.", "Correct that line.") from None
    _require_known(path, "", document, ("tables",))
    tables = document.get("tables", {})
    if not isinstance(tables, dict) or not tables:
        raise UsageError(f"{path} maps no table.", "Add a section such as [tables.searches].")
    _require_known(path, "tables.", tables, canonical_tables())
    return {name: _read_table(path, canonical_tables()[name], entry, adapter) for name, entry in tables.items()}


def _read_table(path: Path, table: Table, entry: Any, adapter: str) -> TableMapping:
    key = f"tables.{table.name}"
    if not isinstance(entry, dict):
        raise UsageError(f"{path}: {key} is not a section.", f"Write [{key}] and its options below it.")
    _require_known(path, f"{key}.", entry, _TABLE_OPTIONS)
    for option in ("files", "format", "delimiter", "quote", "encoding"):
        if not isinstance(entry.get(option, ""), str):
            raise UsageError(f"{path}: {key}.{option} is not text.", "Put it in quotes.")
    table_format = entry.get("format", adapter)
    if table_format not in FORMATS:
        raise UsageError(f"{path}: {key}.format is {table_format!r}.", nearest(table_format, FORMATS))
    for option in entry:
        if table_format not in _TABLE_OPTIONS[option]:
            raise UsageError(f"{path}: {key}.{option} means nothing for {table_format} files.", "Remove it.")
    for option in ("delimiter", "quote"):
        _require_one_character(path, f"{key}.{option}", entry.get(option), may_be_empty=option == "quote")
    if "encoding" in entry:
        require_encoding(f"{path}: {key}.encoding", entry["encoding"])
    columns = entry.get("columns", {})
    if not isinstance(columns, dict):
        raise UsageError(f"{path}: {key}.columns is not a section.", f"Write [{key}.columns] and the columns below it.")
    _require_known(path, f"{key}.columns.", columns, table.column_names)
    return TableMapping(
        table=table,
        format=table_format,
        columns={
            name: _read_column(f"{path}: {key}.columns.{name}", table[name], value) for name, value in columns.items()
        },
        files=entry.get("files"),
        delimiter=entry.get("delimiter"),
        quote=entry.get("quote", '"'),
        encoding=entry.get("encoding"),
        place=f"{path}: {key}",
    )


def _read_column(place: str, column: Column, entry: Any) -> ColumnMapping:
    if isinstance(entry, str):
        entry = {"column": entry}
    if not isinstance(entry, dict):
        raise UsageError(f"{place} is neither a raw column's name nor a table of options.", 'Write "raw name".')
    options = ["column", "value"]
    if column.type == "timestamp":
        options += ["unit", "timezone", "format"]
    if column.type == "string_list":
        options += ["separator"]
    if column.type in ("string", "choice"):
        options += ["values"]
    for option, value in entry.items():
        if option not in options:
            raise UsageError(f"{place} has no option {option!r} ({column.type} column).", nearest(option, options))
        if option != "values" and not isinstance(value, str):
            raise UsageError(f"{place}.{option} is not text.", "Put it in quotes.")
    if ("column" in entry) == ("value" in entry):
        raise UsageError(
            f"{place} needs either column or value.", "Name the raw column, or give one value for all rows."
        )
    values = entry.get("values", {})
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise UsageError(f"{place}.values is not a table of texts.", 'Write { PC = "desktop", … }.')
    if "unit" in entry:
        if entry["unit"] not in MICROSECONDS:
            raise UsageError(f"{place}.unit is {entry['unit']!r}.", nearest(entry["unit"], list(MICROSECONDS)))
        if "timezone" in entry or "format" in entry:
            raise UsageError(f"{place} has a unit, so it counts from 1970 in UTC.", "Remove timezone and format.")
    if entry.get("separator") == "":
        raise UsageError(f"{place}.separator is empty.", "Give the characters between the parts of the list.")
    _require_duckdb_takes(f"{place}.timezone", "timezone(?, TIMESTAMP '2000-01-01 00:00:00')", entry.get("timezone"))
    _require_duckdb_takes(f"{place}.format", "try_strptime('', ?)", entry.get("format"))
    return ColumnMapping(**entry)


def _require_known(path: Path, prefix: str, given: Mapping[str, Any], known: Collection[str]) -> None:
    for name in given:
        if name not in known:
            raise UsageError(f"{path}: {prefix}{name} is unknown.", nearest(name, list(known)))


def _require_one_character(path: Path, key: str, text: str | None, *, may_be_empty: bool) -> None:
    if text is None or (may_be_empty and text == ""):
        return
    if len(text) != 1 or text in "\r\n":
        raise UsageError(f"{path}: {key} is {text!r}.", "It must be one character.")


def require_encoding(place: str, name: str) -> None:
    """Raise UsageError if Python knows no text encoding of that name."""
    try:
        is_text = codecs.lookup(name)._is_text_encoding
    except LookupError:
        is_text = False
    if not is_text:
        raise UsageError(f"{place}: there is no text encoding {name!r}.", "Use utf-8, gb18030 or utf-16, for instance.")


def _require_duckdb_takes(place: str, expression: str, argument: str | None) -> None:
    if argument is None:
        return
    try:
        duckdb.connect().execute(f"SELECT {expression}", [argument])
    except duckdb.Error as error:
        problem = str(error).splitlines()[0].partition(": ")[2]
        raise UsageError(f"{place} is {argument!r}: {problem.rstrip('!.')}.", "Correct it.") from None
