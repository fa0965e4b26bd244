"""JSON objects from a file: one a line, or one array of them."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from indexes.errors import CorruptError
from indexes.terminal import Advance
from mining.ingest.reasons import Reject
from mining.ingest.text_input import find_encoding, has_lone_surrogate, line_blocks, open_bytes

_READ_CHARS = 2**20
_LONGEST_OBJECT_CHARS = 64 * 2**20


@dataclass(slots=True)
class Record:
    """One object, the line on which it starts, and its text."""

    line: int
    value: dict[str, Any]
    raw: str | bytes

    @property
    def text(self) -> str:
        """The object as it stands in the file."""
        return self.raw.decode("utf-8", "replace") if isinstance(self.raw, bytes) else self.raw


def json_records(path: Path, encoding: str | None, advance: Advance) -> Iterator[Record | Reject]:
    """Every object of a file in order, and a reject for whatever else stands on a line; blank lines are nothing.

    Raises CorruptError if an array is damaged somewhere in the middle: where its next object starts cannot be known.
    """
    encoding = find_encoding(path, encoding, fallback=None)
    with open_bytes(path) as file:
        is_array = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"["
    if is_array:
        yield from _array_records(path, encoding, advance)
    else:
        yield from _line_records(path, encoding, advance)


def _line_records(path: Path, encoding: str, advance: Advance) -> Iterator[Record | Reject]:
    utf8 = encoding.lower().replace("_", "-") in ("utf-8", "utf8", "ascii", "us-ascii")
    for block in line_blocks(path, advance):
        for number, line in enumerate(block.lines, block.first):
            if not line or line.isspace():
                continue
            torn = block.torn and number == block.first + len(block.lines) - 1
            try:
                text: str | bytes = line if utf8 else line.decode(encoding)
                value = orjson.loads(text)
            except (UnicodeDecodeError, orjson.JSONDecodeError):
                reason = "torn_line" if torn else "not_json" if _decodes(line, encoding) else "undecodable"
                yield Reject(number, reason, line.decode(encoding, "replace"))
                continue
            if isinstance(value, dict):
                yield Record(number, value, text)
            else:
                yield Reject(number, "not_an_object", line.decode(encoding, "replace"))


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _array_records(path: Path, encoding: str, advance: Advance) -> Iterator[Record | Reject]:
    decoder = json.JSONDecoder()
    with open_bytes(path, advance) as file:
        text = io.TextIOWrapper(file, "utf-8-sig" if encoding == "utf-8" else encoding, "surrogateescape", newline="\n")
        buffer, position, line, at_end = "", 0, 1, False
        expects = "["
        while True:
            while position < len(buffer) and (buffer[position] in " \t\r\n" or buffer[position] == expects):
                line += buffer[position] == "\n"
                expects = "" if buffer[position] == expects else expects
                position += 1
            if position == len(buffer):
                if at_end:
                    yield Reject(
                        line, "torn_line", "", detail="The array has no closing bracket: the file was cut off."
                    )
                    return
            elif buffer[position] == "]":
                if (buffer[position + 1 :] + text.read(4096)).strip():
                    raise CorruptError(f"{path}: line {line}: text follows the end of the array.", "Remove it.")
                return
            else:
                try:
                    end = decoder.raw_decode(buffer, position)[1]
                except ValueError:
                    if at_end:
                        yield Reject(line, "torn_line", buffer[position:])
                        return
                    if len(buffer) - position > _LONGEST_OBJECT_CHARS:
                        raise CorruptError(
                            f"{path}: from line {line} on the array cannot be read.",
                            "Write one object a line, then only the damaged lines are lost.",
                        ) from None
                else:
                    # A number or a word at the end of what was read so far may go on.
                    if end < len(buffer) or at_end:
                        raw = buffer[position:end]
                        yield _array_record(line, raw)
                        line += raw.count("\n")
                        position, expects = end, ","
                        continue
            chunk = text.read(_READ_CHARS)
            at_end = not chunk
            buffer, position = buffer[position:] + chunk, 0


def _array_record(line: int, raw: str) -> Record | Reject:
    if has_lone_surrogate(raw):
        return Reject(line, "undecodable", raw)
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return Reject(line, "not_json", raw)
    return Record(line, value, raw) if isinstance(value, dict) else Reject(line, "not_an_object", raw)
