"""Views and clicks of widgets as OpenSearch User Behavior Insights: JSON lines that `manage.py ingest ubi` reads.

One file a day (UTC) in the operator's folder. Lines are appended under a lock and forced to the disk before anybody is
told; what a crash leaves half written ends where the next line begins. Rate and length are bounded: beyond, nothing is
recorded, and the caller is told so.
"""

import fcntl
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

from indexes.errors import KRError, UsageError

SECRET_FILE = ".link-secret"
SECRET_BYTES = 32


class Outcome(StrEnum):
    """What became of some events."""

    RECORDED = "recorded"
    OVER_RATE = "over_rate"
    FULL = "full"


def now_utc() -> datetime:
    """The time that events carry."""
    return datetime.now(UTC)


class EventLog:
    """Appends events. Safe from any thread and beside other processes that append to the same folder."""

    def __init__(
        self,
        folder: Path,
        per_second: float,
        max_bytes: int,
        now: Callable[[], datetime] = now_utc,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make the folder and the secret by which links are signed. UsageError if it cannot be written."""
        self._folder = folder
        self._max_bytes = max_bytes
        self._now = now
        self._bucket = _TokenBucket(per_second, clock)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.secret = _secret(folder / SECRET_FILE)
        except OSError as error:
            raise UsageError(
                f"The folder of events {folder} cannot be written: {error.strerror}.",
                "Mend its permissions, or name another one in KR_WEB_EVENTS.",
            ) from None

    def append(self, events: Sequence[Mapping[str, Any]]) -> Outcome:
        """Record events, all or none; each gets the time of now. Raises KRError if the disk does not take them."""
        if not events:
            return Outcome.RECORDED
        if not self._bucket.take():
            return Outcome.OVER_RATE
        now = self._now()
        stamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        lines = b"".join(orjson.dumps({**event, "timestamp": stamp}) + b"\n" for event in events)
        path = self._folder / f"ubi-{now:%Y-%m-%d}.ndjson"
        try:
            return self._write(path, lines)
        except OSError as error:
            raise KRError(f"{path} takes no events: {error.strerror}.", "Make room, or mend its permissions.") from None

    def _write(self, path: Path, lines: bytes) -> Outcome:
        is_new = not path.exists()
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            size = os.fstat(handle).st_size
            if size and os.pread(handle, 1, size - 1) != b"\n":
                lines = b"\n" + lines
            if size + len(lines) > self._max_bytes:
                return Outcome.FULL
            try:
                written = 0
                while written < len(lines):
                    written += os.write(handle, lines[written:])
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)
        if is_new:
            _fsync_folder(self._folder)
        return Outcome.RECORDED


class _TokenBucket:
    """Lets so many through a second, and as many at once."""

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._clock = clock
        self._most = max(per_second, 1.0)
        self._left = self._most
        self._filled = clock()
        self._lock = threading.Lock()

    def take(self) -> bool:
        with self._lock:
            now = self._clock()
            self._left = min(self._most, self._left + (now - self._filled) * self._per_second)
            self._filled = now
            if self._left < 1:
                return False
            self._left -= 1
            return True


def _secret(path: Path) -> bytes:
    """The folder's secret, the same for all processes: whoever comes first makes it."""
    try:
        made = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        made.write_bytes(secrets.token_bytes(SECRET_BYTES))
        made.chmod(0o600)
        try:
            os.link(made, path)
        finally:
            made.unlink()
    except FileExistsError:
        pass
    return path.read_bytes()


def _fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
