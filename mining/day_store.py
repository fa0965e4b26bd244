"""The folder that keeps what was mined of each day: `STATE/day=YYYY-MM-DD/`.

Everything in it can be made again from the logs, so it may be removed at any time at the cost of time. A day is found
again by its key, a hash of its rows and of all that decides what is mined of them; its files are checked against their
hashes before they are used. A day appears whole, by a rename, or not at all: a run that is killed leaves complete days,
which the next one finds, and a staging folder, which it empties.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from indexes.errors import KRError, TryAgainError, UsageError
from mining.day_index import file_digest

STAGING = ".staging"
INDEX = "log_days.json"
DESCRIPTION = "partition.json"
DAY_FOLDER = "day={}"


class DayStore:
    """An opened and locked STATE folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def description(self, day: date) -> dict[str, Any] | None:
        """What is said of a day that is there and whole, else None."""
        place = self._place(day)
        try:
            description: dict[str, Any] = json.loads((place / DESCRIPTION).read_bytes())
            whole = all(file_digest(place / name) == digest for name, digest in description["files"].items())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return description if whole else None

    def file(self, day: date, name: str) -> Path:
        """Where a file of a day lies."""
        return self._place(day) / name

    def staged(self, day: date) -> Path:
        """An empty folder to make a day in."""
        folder = self.folder / STAGING / DAY_FOLDER.format(day)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def publish(self, day: date, about: dict[str, Any]) -> None:
        """Put a staged day in its place, described by `about` and by the hashes of its files."""
        staged, place = self.folder / STAGING / DAY_FOLDER.format(day), self._place(day)
        files = {path.name: file_digest(path) for path in sorted(staged.iterdir())}
        text = json.dumps({**about, "files": files}, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        (staged / DESCRIPTION).write_text(text, encoding="utf-8")
        if place.exists():
            place.rename(self.folder / STAGING / f"replaced-{day}")
        staged.rename(place)
        shutil.rmtree(self.folder / STAGING / f"replaced-{day}", ignore_errors=True)

    def days(self) -> list[date]:
        """The days that have a folder, in order."""
        found = []
        for path in self.folder.glob(DAY_FOLDER.format("*")):
            try:
                found.append(date.fromisoformat(path.name.removeprefix(DAY_FOLDER.format(""))))
            except ValueError:
                continue
        return sorted(found)

    def remove(self, day: date) -> None:
        """Forget a day."""
        shutil.rmtree(self._place(day))

    def read_index(self) -> dict[str, Any]:
        """The index of the logs' days that an earlier run wrote; empty if there is none that can be read."""
        try:
            document = json.loads((self.folder / INDEX).read_bytes())
        except (OSError, ValueError):
            return {}
        return document if isinstance(document, dict) else {}

    def write_index(self, document: dict[str, Any]) -> None:
        """Replace the index."""
        temporary = self.folder / STAGING / INDEX
        temporary.write_text(json.dumps(document, sort_keys=True), encoding="utf-8")
        temporary.replace(self.folder / INDEX)

    def _place(self, day: date) -> Path:
        return self.folder / DAY_FOLDER.format(day)


@contextmanager
def open_day_store(folder: Path) -> Iterator[DayStore]:
    """Open a STATE folder for this process alone; the system frees the lock when the process ends, however it ends.

    Raises UsageError if the folder holds something else, TryAgainError if another process mines with it, KRError if it
    cannot be written.
    """
    if folder.exists() and (
        not folder.is_dir()
        or (any(folder.iterdir()) and not ((folder / STAGING).is_dir() or (folder / INDEX).is_file()))
    ):
        raise UsageError(f"{folder} holds no mined days; it is left alone.", "Name a new or an empty folder.")
    try:
        (folder / STAGING).mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / STAGING, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise KRError(
            f"{folder} cannot be written: {error.strerror}.", "Check the path and its permissions."
        ) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TryAgainError(f"Another process is mining with {folder}.", "Wait until it is done.") from None
        try:
            _empty(folder / STAGING)
            yield DayStore(folder)
        finally:
            _empty(folder / STAGING)
    except OSError as error:
        raise KRError(
            f"{folder} could not be written: {error}.",
            "Check the free disk space and the permissions; days that were finished are kept.",
        ) from error
    finally:
        os.close(handle)


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
