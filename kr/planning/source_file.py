"""The file that is imported: plain or gzipped, on disk or in memory, read as often as needed, within a limit."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from indexes.errors import NotFoundError, UsageError

ZIP_MAGIC = b"PK\x03\x04"
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
GZIP_MAGIC = b"\x1f\x8b"
BLOCK_BYTES = 2**20


@dataclass(frozen=True)
class SourceFile:
    """A file's name for messages, and where its bytes are: `content` if it is in memory, else `path`."""

    name: str
    path: Path | None = None
    content: bytes | None = None
    most_bytes: int = 2**30
    """What it may hold after decompression."""

    @staticmethod
    def at(path: Path, most_bytes: int) -> "SourceFile":
        """A file on disk. NotFoundError if there is none."""
        if not path.is_file():
            raise NotFoundError("There is no file {file}.", "Name the file to import.", file=path)
        return SourceFile(path.name, path, None, most_bytes)

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The file's bytes from the beginning, decompressed; the object can seek unless it is gzipped.

        UsageError where there are more than allowed or they cannot be decompressed.
        """
        raw: IO[bytes] = self.path.open("rb") if self.path else io.BytesIO(self.content or b"")
        with raw:
            gzipped = raw.read(2) == GZIP_MAGIC
            raw.seek(0)
            if not gzipped:
                size = raw.seek(0, io.SEEK_END)
                raw.seek(0)
                if size > self.most_bytes:
                    raise self._too_big()
                yield raw
                return
            try:
                yield io.BufferedReader(_Bounded(gzip.GzipFile(fileobj=raw), self), BLOCK_BYTES)
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise UsageError(
                    "{file} is gzipped but damaged: {error}.",
                    "Fetch or compress the file again.",
                    file=self.name,
                    error=error,
                ) from error

    def head(self, count: int) -> bytes:
        """The first bytes after decompression."""
        with self.open() as file:
            return file.read(count)

    def _too_big(self) -> UsageError:
        return UsageError(
            "{file} holds more than {most:,} bytes when unpacked.",
            "Split it, or have the operator raise KR_PLAN_MAX_BYTES.",
            file=self.name,
            most=self.most_bytes,
        )


class _Bounded(io.RawIOBase):
    """Decompressed bytes up to a limit: a file of zeros shrinks a thousandfold."""

    def __init__(self, file: gzip.GzipFile, source: SourceFile) -> None:
        self._file = file
        self._source = source
        self._left = source.most_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = self._file.readinto(buffer)
        self._left -= count
        if self._left < 0:
            raise self._source._too_big()
        return count
