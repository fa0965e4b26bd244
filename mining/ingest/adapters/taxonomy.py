"""Product taxonomies in Google's format: one category a line, its path from the top between " > ", with ids or without.

    # Google_Product_Taxonomy_Version: 2019-07-10
    1 - Animals & Pet Supplies
    3237 - Animals & Pet Supplies > Live Animals

Each line becomes a row of `industries`; its parent is the category of the path without its last part, which must stand
in the same file. Without ids the path is the id. Files of one run are one tree in several languages: a category of the
same id gets its names from all of them, and its place from the first file that has it, in the order of names. A line's
name is Chinese if the file mostly holds Chinese characters, else it counts as English.

Lines that begin with # are no rows. A file whose first other line is no category, such as a table that lies in the same
folder, is not read, which is said.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa

from indexes.errors import UsageError
from indexes.terminal import Advance, say
from mining.ingest.adapters.base import Adapter, Derived, OpenDatabase
from mining.ingest.batch import Batch, Stretch, text_array
from mining.ingest.inputs import Input, Options, plain_inputs
from mining.ingest.parts import read_part
from mining.ingest.reasons import Reject
from mining.ingest.text_input import find_encoding, line_blocks
from mining.ingest.validation import Validator
from mining.schema import canonical_tables

if TYPE_CHECKING:
    from mining.ingest.staging import Staged

TABLE = "industries"
LATER = "\0"
"""What marks the id of a row whose names an earlier file's row of the same id has taken over; such rows are no
industries of their own."""
_WITH_ID = re.compile(r"(\d{1,18}) - (\S.*)")
_SEPARATOR = " > "
_CHINESE = re.compile("[\u3400-\u9fff]")


class Taxonomy(Adapter):
    """The adapter for product taxonomies. Languages complete each other, so that all files are read together."""

    name = "taxonomy"
    whole_log = True
    derives = {TABLE: (TABLE,)}  # noqa: RUF012

    def find(self, source: Path, options: Options) -> list[Input]:
        given = {"mapping": options.mapping, "table": options.table, "date": options.day}
        for name, value in given.items():
            if value is not None:
                raise UsageError(f"--{name} means nothing for taxonomy, whose lines are fixed.", "Leave it out.")
        found = plain_inputs(self.name, source, Options(encoding=options.encoding))
        if source.is_dir():
            other = [item for item in found if not _is_taxonomy(item)]
            for item in other:
                say(f"  not read: {item.name} (its first line is no category of a taxonomy)")
            found = [item for item in found if item not in other]
        if not found:
            raise UsageError(f"{source} holds no taxonomy.", "Its lines are like: 3237 - Animals > Live Animals")
        return found

    def validators(self, connection: duckdb.DuckDBPyConnection, item: Input, now: datetime) -> dict[str, Validator]:
        return {TABLE: Validator(connection, canonical_tables()[TABLE], {}, now)}

    def read(self, item: Input, advance: Advance) -> Iterator[Stretch]:
        """One stretch: a line's parent may stand anywhere in the file, which is some hundred kilobytes."""
        encoding = find_encoding(item.path, item.encoding, fallback="gb18030")
        lines: list[_Line] = []
        rejects: list[Reject] = []
        for block in line_blocks(item.path, advance):
            for position, raw in enumerate(block.lines):
                found = _read_line(block.first + position, raw, encoding)
                if isinstance(found, Reject):
                    rejects.append(found)
                elif found is not None:
                    lines.append(found)
        yield (_batch(lines, rejects),)

    def resolve(self, staged: Sequence["Staged"], open_database: OpenDatabase) -> None:
        """Give the first row of each id the names of all files, and mark the others."""
        schema = canonical_tables()[TABLE].arrow_schema
        rows = {id(one): _rows(one) for one in staged if TABLE in one.parts}
        first: dict[str, dict[str, str | None]] = {}
        for one in staged:
            seen: set[str] = set()
            for row in rows.get(id(one), ()):
                industry = str(row["industry_id"])
                if industry in seen:
                    continue  # a second line of one file with an id is a repeat, not another language
                seen.add(industry)
                if industry not in first:
                    first[industry] = row
                    continue
                for name in ("name_en", "name_zh"):
                    first[industry][name] = first[industry][name] or row[name]
                row["industry_id"] = f"{industry}{LATER}{one.input.name}"
        for one in staged:
            if id(one) in rows:
                with one.replacing(TABLE, schema) as writer:
                    writer.write(pa.Table.from_pylist(rows[id(one)], schema))

    def derive(self, item: Input, rows: Iterator[tuple[pa.Table, np.ndarray]]) -> Iterator[Derived]:
        """The rows that are industries of their own."""
        for found, _ in rows:
            own = [LATER not in industry for industry in found["industry_id"].to_pylist()]
            yield Derived(TABLE, found.filter(pa.array(own, pa.bool_())))


@dataclass(frozen=True)
class _Line:
    """One category: `path` from the top, `industry_id` None where the file has no ids."""

    number: int
    raw: str
    industry_id: str | None
    path: str

    @property
    def id(self) -> str:
        return self.industry_id or self.path


def _is_taxonomy(item: Input) -> bool:
    encoding = find_encoding(item.path, item.encoding, fallback="gb18030")
    for block in line_blocks(item.path):
        for position, raw in enumerate(block.lines):
            found = _read_line(block.first + position, raw, encoding)
            if found is not None:
                return isinstance(found, _Line) and "\t" not in found.raw
    return False


def _read_line(number: int, raw: bytes, encoding: str) -> _Line | Reject | None:
    """The category on a line, why it is none, or None for what is no row."""
    try:
        text = raw.decode(encoding).removesuffix("\r")
    except UnicodeDecodeError:
        return Reject(number, "undecodable", raw.decode(encoding, "replace"), TABLE)
    if not text.strip() or text.startswith("#"):
        return None
    match = _WITH_ID.fullmatch(text.strip())
    industry_id, path = (match[1], match[2]) if match else (None, text.strip())
    parts = [part.strip() for part in path.split(_SEPARATOR.strip())] if _SEPARATOR in path else [path]
    if not all(parts):
        return Reject(number, "not_a_category", text, TABLE)
    return _Line(number, text, industry_id, _SEPARATOR.join(parts))


def _batch(lines: list[_Line], rejects: list[Reject]) -> Batch:
    """The rows of one file; a file in which some lines have ids rejects the others, and lines without their parent."""
    with_ids = 2 * sum(line.industry_id is not None for line in lines) > len(lines)
    whole, other = (
        [line for line in lines if ((line.industry_id is not None) == with_ids) is fits] for fits in (True, False)
    )
    rejects += [Reject(line.number, "not_a_category", line.raw, TABLE) for line in other]
    by_path: dict[str, _Line] = {}
    for line in whole:
        by_path.setdefault(line.path, line)
    kept: list[_Line] = []
    # Paths in the order of their length: a line is rejected with the one above it.
    for line in sorted(whole, key=lambda line: line.path.count(_SEPARATOR)):
        above = line.path.rpartition(_SEPARATOR)[0]
        if above and above not in by_path:
            detail = f"No line has the category above it, “{above}”."
            rejects.append(Reject(line.number, "unknown_parent", line.raw, TABLE, "parent_id", detail))
            if by_path.get(line.path) is line:
                del by_path[line.path]
            continue
        kept.append(line)
    kept.sort(key=lambda line: line.number)
    chinese = 2 * sum(bool(_CHINESE.search(line.path)) for line in kept) > len(kept)
    parents = [by_path[above] if (above := line.path.rpartition(_SEPARATOR)[0]) else None for line in kept]
    columns = {
        "industry_id": text_array([line.id for line in kept]),
        "parent_id": text_array([None if parent is None else parent.id for parent in parents]),
        "name_zh" if chinese else "name_en": text_array([line.path.rpartition(_SEPARATOR)[2] for line in kept]),
    }
    return Batch(
        TABLE,
        np.array([line.number for line in kept], np.int64),
        columns if kept else {},
        lambda wanted: [kept[position].raw for position in wanted],
        sorted(rejects, key=lambda reject: reject.line),
    )


def _rows(staged: "Staged") -> list[dict[str, str | None]]:
    return [row for part in read_part(staged.parts[TABLE].path) for row in part.to_pylist()]
