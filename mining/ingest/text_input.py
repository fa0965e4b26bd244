"""Text files as they come: plain or gzipped, in an encoding that has to be found out, with numbered lines."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from indexes.errors import CorruptError, UsageError
from indexes.terminal import Advance

BLOCK_BYTES = 4 * 2**20
LONGEST_LINE_BYTES = 64 * 2**20
"""A longer line is not a line of a log: the file is something else, and memory must stay bounded."""
SAMPLE_LINES = 2_000
"""Lines outside ASCII that are looked at to tell the encoding."""
SAMPLE_BYTES = 64 * 2**20
NUL_SHARE = 0.2
"""Of UTF-16 text in Latin letters half the bytes are NUL, of Chinese still the digits' and delimiters'."""
FEW_BAD_LINES = 0.05
"""The share of all lines that may be unreadable without the encoding being called wrong: they become rejects."""


@contextmanager
def open_bytes(path: Path, advance: Advance = lambda units: None) -> Iterator[IO[bytes]]:
    """The decompressed bytes of a file; `advance` is told how many bytes of the file itself were read.

    A file is gzipped if it begins like one, whatever its name. Raises CorruptError if it cannot be decompressed.
    """
    with path.open("rb") as file:
        counted = _Counted(file, advance)
        gzipped = file.peek(2)[:2] == b"\x1f\x8b"
        buffered = io.BufferedReader(counted, BLOCK_BYTES)
        try:
            yield gzip.GzipFile(fileobj=buffered) if gzipped else buffered  # type: ignore[misc]
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise CorruptError(f"{path} cannot be decompressed: {error}.", "Fetch the file again.") from error


class _Counted(io.RawIOBase):
    """Passes reads on and tells how many bytes went by."""

    def __init__(self, file: IO[bytes], advance: Advance) -> None:
        self._file = file
        self._advance = advance

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        count = self._file.readinto(buffer)  # type: ignore[attr-defined]
        self._advance(count)
        return int(count)


@dataclass(frozen=True)
class LineBlock:
    """Consecutive lines without their line ends. `first` is the number of the first, from 1; `torn` says that the last
    one ends the file without a line end."""

    first: int
    lines: list[bytes]
    torn: bool = False


def line_blocks(path: Path, advance: Advance = lambda units: None) -> Iterator[LineBlock]:
    """The lines of a file as bytes, some megabytes at a time; a byte order mark of UTF-8 is taken off."""
    number, rest = 1, b""
    with open_bytes(path, advance) as file:
        at_start = True
        while block := file.read(BLOCK_BYTES):
            if at_start:
                block, at_start = block.removeprefix(codecs.BOM_UTF8), False
            head, end, tail = block.rpartition(b"\n")
            if not end:
                rest += block
                if len(rest) > LONGEST_LINE_BYTES:
                    raise CorruptError(
                        f"{path}: line {number} is longer than {LONGEST_LINE_BYTES // 2**20} MiB.",
                        "Is this a text log at all?",
                    )
                continue
            lines = (rest + head).split(b"\n")
            rest = tail
            yield LineBlock(number, lines)
            number += len(lines)
        if rest:
            yield LineBlock(number, [rest], torn=True)


def find_encoding(path: Path, forced: str | None, fallback: str | None, *, line_based: bool = True) -> str:
    """The encoding to read a text file in: the forced one, else UTF-8, else `fallback` if it fits better.

    Raises UsageError, with the encoding that would fit where there is one, if most of the lines that are not plain
    ASCII cannot be read in it. A few bad lines among many are no reason: they become rejects. `line_based` readers
    split bytes into lines before they decode, so the encoding must not use the bytes of tab and line end otherwise.
    """
    if forced is not None and line_based and not _keeps_ascii(forced):
        raise UsageError(
            f"{path} cannot be read as {forced}, in which a line end is not one byte.",
            "Convert the file to UTF-8 first (iconv -t utf-8).",
        )
    with open_bytes(path) as file:
        start = file.read(4)
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) and (forced is None or not _keeps_ascii(forced)):
        if line_based:
            raise UsageError(f"{path} is UTF-16 text.", "Convert the file to UTF-8 first (iconv -f utf-16 -t utf-8).")
        return "utf-16"
    if forced is not None and not _keeps_ascii(forced):
        return forced
    lines, seen = _sample(path)
    readable = {name: _readable(lines, name) for name in {"utf-8", "gb18030", forced or "utf-8"}}
    chosen = forced or "utf-8"
    bad = len(lines) - readable[chosen]
    if 2 * bad <= len(lines):
        return chosen
    other = next((name for name in ("utf-8", "gb18030") if 2 * readable[name] > len(lines)), None)
    if forced is None and fallback is not None and other == fallback:
        return fallback
    if bad <= FEW_BAD_LINES * seen:
        return chosen
    tried = chosen if forced or fallback is None else f"{chosen} or {fallback}"
    raise UsageError(
        f"{path} is not {tried} text: {bad} of {len(lines)} lines with other than ASCII characters cannot be read.",
        f"It looks like {other}: say --encoding {other}." if other else "Name its encoding with --encoding.",
    )


def _sample(path: Path) -> tuple[list[bytes], int]:
    """The first lines that hold more than ASCII, and how many lines were looked at. Raises UsageError if most of them
    hold many NUL bytes; a line or two of them are what a crash leaves in a log."""
    sample: list[bytes] = []
    lines = size = 0
    for block in line_blocks(path):
        sample += [line for line in block.lines if not line.isascii()]
        lines += len(block.lines)
        size += sum(map(len, block.lines))
        start = block.lines[:100]
        with_nul = [line for line in start if b"\0" in line]
        nul_bytes = sum(line.count(b"\0") for line in with_nul)
        if 2 * len(with_nul) > len(start) and nul_bytes > NUL_SHARE * sum(map(len, start)):
            raise UsageError(
                f"{path} holds NUL bytes: it is not a text log, or it is UTF-16.",
                "Name a text file; convert UTF-16 with: iconv -f utf-16 -t utf-8.",
            )
        if len(sample) >= SAMPLE_LINES or size >= SAMPLE_BYTES:
            break
    return sample, lines


def _readable(lines: list[bytes], encoding: str) -> int:
    count = 0
    for line in lines:
        try:
            line.decode(encoding)
        except UnicodeDecodeError:
            continue
        count += 1
    return count


def _keeps_ascii(encoding: str) -> bool:
    return "\t\n,".encode(encoding) == b"\t\n,"


def has_lone_surrogate(text: str) -> bool:
    """Whether a text decoded with `surrogateescape`, or made by a JSON escape, holds what no encoding can write."""
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
