"""The folders of a snapshot store, its lock, and CURRENT, the one file that says which snapshot is served.

STORE/CURRENT          JSON with its own checksum: the current id, and the ids served before it, oldest first
STORE/snapshots/<id>/  whole snapshots, never changed
STORE/staging/         unfinished work; a folder whose writer has died is garbage
STORE/publish.lock     held by the one writer; the kernel drops it when the writer dies
"""

import errno
import fcntl
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from indexes.errors import CorruptError, KRError, NotFoundError, TryAgainError, UsageError
from indexes.snapshot_manifest import MANIFEST_NAME, canonical_json, is_snapshot_id

CURRENT_FORMAT_VERSION = 1
MAKE_ONE = "Make one: `make demo`, or from your own mined logs `python manage.py build`."

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}
_SHORT_WRITE = re.compile(r"\d+ requested and \d+ written")
_POLL_SECONDS = 0.05


class Publication(NamedTuple):
    """One snapshot in the line of those served: its id and when it was published (UTC, ISO 8601)."""

    id: str
    published_at: str


class StoreLayout:
    """Where the parts of one store lie."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self.current = store / "CURRENT"
        self.snapshots = store / "snapshots"
        self.staging = store / "staging"
        self.lock = store / "publish.lock"

    def make_folders(self) -> None:
        """Make the store's folders if they are missing; UsageError if something else stands in their place."""
        try:
            for folder in (self.store, self.snapshots, self.staging):
                folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError, PermissionError) as error:
            raise UsageError(
                "{store} cannot be a snapshot store: {strerror}: {file}.",
                "Name a folder that you may write to.",
                store=self.store,
                strerror=error.strerror,
                file=error.filename,
            ) from None

    def stored_ids(self) -> list[str]:
        """The ids of all snapshot folders, by the time that they were made, oldest first."""
        if not self.snapshots.is_dir():
            return []
        folders = [path for path in self.snapshots.iterdir() if is_snapshot_id(path.name)]
        return [path.name for path in sorted(folders, key=lambda path: (_made_at(path), path.name))]

    def folder_of(self, snapshot_id: str) -> Path:
        """The folder of a stored snapshot; NotFoundError, which names those there are, if it is none of them."""
        stored = self.stored_ids()
        if snapshot_id not in stored:
            raise NotFoundError(
                "{store} holds no snapshot {snapshot!r}.",
                "It holds: {choices}.",
                store=self.store,
                snapshot=snapshot_id,
                choices=", ".join(stored) or "none",
            )
        return self.snapshots / snapshot_id


def read_current(store: Path) -> list[Publication]:
    """The line of served snapshots, oldest first; the last one is current.

    Raises NotFoundError if nothing was published yet, CorruptError if any byte of CURRENT was changed.
    """
    path = StoreLayout(store).current
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError("There is no snapshot in {store} yet.", MAKE_ONE, store=store) from None
    damaged = CorruptError(
        f"{path} is damaged.",
        f"Choose a snapshot: `python manage.py index rollback --to ID --store {store}`; "
        f"`python manage.py index list --store {store}` shows the ids.",
    )
    try:
        document = json.loads(content)
        version = document["format_version"]
        history = [Publication(entry["id"], entry["published_at"]) for entry in document["history"]]
    except (ValueError, KeyError, TypeError):
        raise damaged from None
    if version != CURRENT_FORMAT_VERSION and _encode(history, version) == content:
        raise CorruptError(
            f"{path} is of store format {version!r}; this version of KR reads format {CURRENT_FORMAT_VERSION}.",
            f"Build into an empty folder. {MAKE_ONE}",
        )
    if not history or not all(is_snapshot_id(entry.id) for entry in history) or _encode(history) != content:
        raise damaged
    return history


def write_current(store: Path, history: list[Publication]) -> None:
    """Replace CURRENT in one step: write beside it, force to disk, rename, force the folder to disk."""
    layout = StoreLayout(store)
    temporary = layout.staging / "CURRENT"
    try:
        with temporary.open("wb") as file:
            file.write(_encode(history))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(layout.current)
    finally:
        temporary.unlink(missing_ok=True)
    fsync_folder(store)


@contextmanager
def publish_lock(store: Path, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold the store's write lock; TryAgainError if another process still holds it after `wait_seconds`."""
    path = StoreLayout(store).lock
    deadline = time.monotonic() + wait_seconds
    with path.open("wb") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise TryAgainError(
                        f"Another process is publishing into {store}: it holds {path}.", "Try again when it is done."
                    ) from None
                time.sleep(_POLL_SECONDS)
        yield


@contextmanager
def write_errors_explained(store: Path) -> Iterator[None]:
    """Turn "no space left" (also a quota, a file size limit, NumPy's short write) and "not allowed" into a KRError."""
    try:
        yield
    except OSError as error:
        if error.errno in _NOT_ALLOWED and error.filename is not None and Path(error.filename).is_relative_to(store):
            raise UsageError(
                "{file} cannot be written: {strerror}.",
                "Give yourself the right to write there.",
                file=error.filename,
                strerror=error.strerror,
            ) from error
        if error.errno in _NO_SPACE or (error.errno is None and _SHORT_WRITE.search(str(error))):
            raise KRError(
                f"There is no room to write into {store} ({error.strerror or error}); "
                "nothing was published, and what was served before still is.",
                "Free some space, or name another --store, and run the same command again.",
            ) from error
        raise


def fsync_folder(folder: Path) -> None:
    """Force the folder's entries to disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _encode(history: list[Publication], version: object = CURRENT_FORMAT_VERSION) -> bytes:
    document: dict[str, object] = {
        "format_version": version,
        "current": history[-1].id if history else None,
        "history": [entry._asdict() for entry in history],
    }
    checksum = hashlib.sha256(canonical_json(document)).hexdigest()
    return canonical_json({**document, "sha256": checksum})


def _made_at(snapshot: Path) -> int:
    try:
        return (snapshot / MANIFEST_NAME).stat().st_mtime_ns
    except OSError:
        return 0
