"""Which files an ingest reads: found below the path that was named, and known again by name and content."""

import hashlib
import json
import re
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path

from indexes.errors import NotFoundError, UsageError
from indexes.terminal import Advance, say
from mining.ingest.mapping import FORMATS, TableMapping, nearest, read_mapping
from mining.schema import SCHEMA_FILE, canonical_tables

INGEST_VERSION = 1
"""Raised when ingest reads the same file to other rows than before: then nothing read earlier is used again."""
MAPPING_NAME = "mapping.toml"
_SUFFIXES = {
    "csv": (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz"),
    "jsonl": (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz"),
    "parquet": (".parquet", ".pq"),
}
_HASH_BLOCK = 4 * 2**20


@dataclass(frozen=True)
class Input:
    """One file to ingest. `name` is its path below the folder that was named; `fingerprint` is the hash of everything
    but its content that decides what becomes of it. `mapping` is None for adapters with a format of their own."""

    adapter: str
    path: Path
    name: str
    mapping: TableMapping | None = None
    encoding: str | None = None
    day: date | None = None
    sha256: str = ""
    bytes: int = 0
    fingerprint: str = ""

    @property
    def identity(self) -> str:
        """What the input is called in ingest.json: the same file with new content keeps it."""
        table = f"#{self.mapping.table.name}" if self.mapping else ""
        return f"{self.mapping.format if self.mapping else self.adapter}:{self.name}{table}"

    @property
    def key(self) -> str:
        """A name for the folder in which the input is staged: other content or other options give another name."""
        return hashlib.sha256(f"{self.identity}\0{self.sha256}\0{self.fingerprint}".encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Options:
    """What the caller said about how to read the source."""

    mapping: Path | None = None
    table: str | None = None
    encoding: str | None = None
    day: date | None = None


def plain_inputs(adapter: str, source: Path, options: Options) -> list[Input]:
    """The files of an adapter that has a format of its own: the one named, or all below a folder, sorted by name."""
    return [
        Input(adapter, path, name, encoding=options.encoding, day=options.day or day_in_name(path.name))
        for path, name in files_below(source)
    ]


def mapped_inputs(adapter: str, source: Path, options: Options) -> list[Input]:
    """The files of the tables that a mapping, the option --table or the files' names tell; sorted by name and table."""
    source, mapping_path = _find_mapping(source, options.mapping)
    tables = read_mapping(mapping_path, adapter) if mapping_path else None
    if options.table is not None:
        known = canonical_tables() if tables is None else tables
        if options.table not in known:
            raise UsageError(f"--table {options.table}: there is no such table.", nearest(options.table, list(known)))
        if tables is not None:
            tables = {options.table: tables[options.table]}
    if tables is None:
        found = _inputs_by_name(adapter, source, options.table)
    elif source.is_dir():
        found = [item for table in tables.values() for item in _inputs_by_glob(adapter, source, table)]
    else:
        found = [Input(adapter, source, source.name, _mapping_of_file(source, tables, mapping_path))]
    for item in found:
        if options.encoding is not None and item.mapping is not None and item.mapping.format == "parquet":
            raise UsageError(f"--encoding means nothing for Parquet files such as {item.path}.", "Leave it out.")
    return sorted(
        (replace(item, encoding=options.encoding or _own_encoding(item)) for item in found),
        key=lambda item: (item.name, item.identity),
    )


def _own_encoding(item: Input) -> str | None:
    return item.mapping.encoding if item.mapping is not None else None


def files_below(source: Path) -> list[tuple[Path, str]]:
    """(path, name) of the file named, or of every file below the folder named but hidden ones and marks like _SUCCESS.

    Raises NotFoundError if there is nothing of that name, UsageError for an empty folder or what is not a file.
    """
    if source.is_file():
        return [(source, source.name)]
    if not source.exists():
        raise NotFoundError(f"There is no file or folder {source}.", "Check the path.")
    if not source.is_dir():
        raise UsageError(f"{source} is neither a file nor a folder.", "Name a file or a folder of files.")
    names = sorted(path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file())
    visible = [name for name in names if not any(part[0] in "._" for part in name.split("/"))]
    if not visible:
        raise UsageError(f"The folder {source} holds no files.", "Name the folder or file that holds the log.")
    return [(source / name, name) for name in visible]


def day_in_name(name: str) -> date | None:
    """The day that a file name such as access_log.20080601.gz tells, if any."""
    for match in re.finditer(r"(?<!\d)((?:19|20)\d\d)([-_]?)(\d\d)\2(\d\d)(?!\d)", name):
        year, _, month, day = match.groups()
        try:
            return date(int(year), int(month), int(day))
        except ValueError:
            continue
    return None


def with_content(item: Input, advance: Advance) -> Input:
    """The input with its content's hash and its size in bytes."""
    digest = hashlib.sha256()
    size = 0
    with item.path.open("rb") as file:
        while block := file.read(_HASH_BLOCK):
            digest.update(block)
            size += len(block)
            advance(len(block))
    return replace(item, sha256=digest.hexdigest(), bytes=size)


def with_fingerprint(item: Input, also: str = "") -> Input:
    """The input with its fingerprint; `also` is anything else that decides its rows, such as other files' hashes."""
    decides = {
        "ingest_version": INGEST_VERSION,
        "schema": _schema_hash(),
        "adapter": item.adapter,
        "mapping": item.mapping.as_dict() if item.mapping else None,
        "encoding": item.encoding,
        "date": item.day.isoformat() if item.day else None,
        "also": also,
    }
    return replace(item, fingerprint=hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest())


@cache
def _schema_hash() -> str:
    return hashlib.sha256(SCHEMA_FILE.read_bytes()).hexdigest()


def _find_mapping(source: Path, mapping: Path | None) -> tuple[Path, Path | None]:
    """The folder or file to read, and the mapping file: the one named, or mapping.toml in the folder."""
    if mapping is None and source.is_file() and source.suffix == ".toml":
        return source.parent, source
    if mapping is None and (source / MAPPING_NAME).is_file():
        mapping = source / MAPPING_NAME
    return source, mapping


def _mapping_of_file(source: Path, tables: dict[str, TableMapping], mapping_path: Path | None) -> TableMapping:
    """Which of the mapping's tables a single file belongs to."""
    files_below(source)
    if len(tables) == 1:
        return next(iter(tables.values()))
    matching = [table for table in tables.values() if table.files and source.match(table.files)]
    if len(matching) != 1:
        raise UsageError(
            f"{mapping_path} does not tell which table {source.name} holds.",
            f"Say --table with one of: {', '.join(tables)}.",
        )
    return matching[0]


def _inputs_by_glob(adapter: str, folder: Path, table: TableMapping) -> list[Input]:
    if table.files is None:
        raise UsageError(f"{table.place}.files is missing.", f'Say which files hold {table.table.name}: files = "…".')
    try:
        paths = sorted(path for path in folder.glob(table.files) if path.is_file())
    except (ValueError, NotImplementedError) as error:
        raise UsageError(f"{table.place}.files: {error}.", f"Give a pattern relative to {folder}.") from None
    if not paths:
        raise UsageError(f"{table.place}.files: nothing in {folder} matches {table.files!r}.", "Correct the pattern.")
    return [Input(adapter, path, _relative(path, folder), table) for path in paths]


def _relative(path: Path, folder: Path) -> str:
    try:
        return path.relative_to(folder).as_posix()
    except ValueError:
        raise UsageError(f"{path} does not lie in {folder}.", "Patterns must stay inside the folder.") from None


def _inputs_by_name(adapter: str, source: Path, table_name: str | None) -> list[Input]:
    """Without a mapping: the table is the option's, or the one that a file's name or its folder's name begins with."""
    found = []
    for path, name in files_below(source):
        if source.is_dir() and not name.lower().endswith(_SUFFIXES[adapter]):
            say(f"  not read: {name} (the {adapter} adapter reads {', '.join(_SUFFIXES[adapter])})")
            continue
        table = table_name or _table_in_name(path)
        if table is None:
            raise UsageError(
                f"The name of {path} does not tell which table it holds.",
                f"Say --table, write a mapping, or begin the name with one of: {', '.join(canonical_tables())}.",
            )
        found.append(Input(adapter, path, name, TableMapping(canonical_tables()[table], adapter)))
    if not found:
        raise UsageError(f"{source} holds no {adapter} files.", f"Formats with their adapters: {', '.join(FORMATS)}.")
    return found


def _table_in_name(path: Path) -> str | None:
    names = sorted(canonical_tables(), key=len, reverse=True)
    for text in (path.name, path.parent.name):
        for table in names:
            if re.match(rf"{table}(?![a-z])", text.lower()):
                return table
    return None
