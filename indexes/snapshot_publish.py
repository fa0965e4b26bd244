"""Publishing: from a staged folder to the snapshot that is served, so that a crash at any point leaves a whole store.

The order is what makes it safe: every file is on disk before the manifest names it, the manifest before the folder gets
its final name, and that name before CURRENT points to it. What is pruned leaves the line in CURRENT first.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexes.errors import CorruptError, NotFoundError, UsageError
from indexes.snapshot_manifest import (
    FORMAT_VERSION,
    MANIFEST_NAME,
    Manifest,
    describe_files,
    read_manifest,
    snapshot_id_of,
    verify_directory,
)
from indexes.snapshot_store import (
    Publication,
    StoreLayout,
    fsync_folder,
    publish_lock,
    read_current,
    write_current,
    write_errors_explained,
)

KEEP = 3
"""Snapshots kept in a store, the current one counted."""


@contextmanager
def stage(store: Path) -> Iterator[Path]:
    """A fresh empty folder inside the store to write a snapshot's files into, then to hand to `publish`.

    The folder is removed when the block ends without publishing it, and by the next publisher if this process dies.
    A full disk inside the block becomes a KRError.
    """
    layout = StoreLayout(store)
    with write_errors_explained(store):
        layout.make_folders()
        folder, lock = _make_locked_folder(layout.staging)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def publish(
    store: Path,
    staged: Path,
    *,
    built_from: dict[str, Any],
    models: dict[str, Any] | None = None,
    keep: int = KEEP,
    wait_seconds: float = 0.0,
) -> str:
    """Make the staged files the current snapshot and return its id; the staged folder is gone afterwards.

    `built_from` (logs, windows, settings) and `models` (name → hash) go into the manifest; they must be JSON and free
    of the wall clock, because the id is made from them: publishing the same content again only makes it current.
    Keeps the last `keep` snapshots. Raises TryAgainError if another publisher is still at work after `wait_seconds`,
    UsageError for a folder that cannot be published, KRError if the disk is full; the store stays whole.
    """
    if not staged.is_dir() or staged.resolve().parent != StoreLayout(store).staging.resolve():
        raise UsageError(
            "{staged} is not a staged folder of {store}.",
            "Write the files into the folder of `stage`.",
            staged=staged,
            store=store,
        )
    if (staged / MANIFEST_NAME).exists():
        raise UsageError(
            "{staged} already has a {manifest}.",
            "Use `python manage.py index publish` for it.",
            staged=staged,
            manifest=MANIFEST_NAME,
        )
    with write_errors_explained(store), publish_lock(store, wait_seconds):
        files = describe_files(staged)
        if not files:
            raise UsageError(
                "{staged} is empty: there is nothing to publish.", "Write the snapshot's files first.", staged=staged
            )
        manifest = Manifest(FORMAT_VERSION, built_from, models or {}, files).encode()
        with (staged / MANIFEST_NAME).open("wb") as file:
            file.write(manifest)
            file.flush()
            os.fsync(file.fileno())
        return _install(store, staged, snapshot_id_of(manifest), keep)


def publish_copy(store: Path, source: Path, *, keep: int = KEEP, wait_seconds: float = 0.0) -> str:
    """Copy a whole snapshot folder, one made elsewhere for instance, into the store, verify it, and make it current.

    The folder must still be named by the snapshot's id. Raises NotFoundError if there is no such folder, CorruptError
    naming the first bad file if the copy does not verify, and otherwise what `publish` raises.
    """
    if not source.is_dir():
        raise NotFoundError("There is no snapshot folder {source}.", "Name a folder .../snapshots/ID.", source=source)
    source = source.resolve()
    _require_whole(source, "It was not published")
    with stage(store) as staged:
        copy = staged / source.name
        for name in (*read_manifest(source).files, MANIFEST_NAME):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, copy / name)
            _fsync_file(copy / name)
        _require_whole(copy, "It was not published")
        with publish_lock(store, wait_seconds):
            return _install(store, copy, source.name, keep)


def rollback(store: Path, to: str | None = None, *, wait_seconds: float = 0.0) -> str:
    """Serve the snapshot that was current before this one, or the one named; returns the id that is current now.

    Every byte of the chosen snapshot is checked first (CorruptError). The one that was left is kept until the next
    publish needs its place. With `to` it also mends a damaged CURRENT. NotFoundError if there is nothing to go to.
    """
    layout = StoreLayout(store)
    if not layout.snapshots.is_dir():
        read_current(store)
    layout.make_folders()
    with write_errors_explained(store), publish_lock(store, wait_seconds):
        try:
            history = read_current(store)
        except (CorruptError, NotFoundError):
            if to is None:
                raise
            history = []
        if to is None:
            if len(history) < 2:
                raise NotFoundError(
                    "{store} holds no snapshot before {snapshot}.",
                    "Publish another first.",
                    store=store,
                    snapshot=history[-1].id,
                )
            to = history[-2].id
        _require_whole(layout.folder_of(to), "Nothing was changed")
        known = [entry.id for entry in history]
        if to in known:
            history = history[: known.index(to) + 1]
        else:
            history = [*history, Publication(to, _now())]
        write_current(store, history)
        return to


def _install(store: Path, staged: Path, snapshot_id: str, keep: int) -> str:
    """Give the staged folder, whose files are on disk, its final name; point CURRENT to it; prune. The lock is held."""
    if keep < 1:
        raise UsageError("keep is {keep}: at least the current snapshot is kept.", "Use 1 or more.", keep=keep)
    layout = StoreLayout(store)
    history = _history_or_empty(store)
    for folder, _, files in os.walk(staged, topdown=False):
        for name in files:
            Path(folder, name).chmod(0o444)
        fsync_folder(Path(folder))
    target = layout.snapshots / snapshot_id
    is_new = not target.exists()
    if not is_new and verify_directory(target):
        # The stored twin was damaged; the staged one is whole and takes its place.
        _move_away(layout, snapshot_id, "damaged")
        is_new = True
    if is_new:
        staged.rename(target)
        fsync_folder(layout.snapshots)
    history = [entry for entry in history if entry.id != snapshot_id] + [Publication(snapshot_id, _now())]
    served = [entry.id for entry in history]
    never_served = [stored for stored in layout.stored_ids() if stored not in served]
    kept = {*[*never_served, *served][-keep:]}
    try:
        write_current(store, [entry for entry in history if entry.id in kept])
    except OSError:
        if is_new and snapshot_id not in [entry.id for entry in _history_or_empty(store)]:
            target.rename(staged)
        raise
    for stored in never_served + served:
        if stored not in kept and (layout.snapshots / stored).exists():
            _move_away(layout, stored, "pruned")
    fsync_folder(layout.snapshots)
    _remove_orphans(layout.staging)
    return snapshot_id


def _move_away(layout: StoreLayout, snapshot_id: str, why: str) -> None:
    """Take a snapshot out of the store in one step, so that a half-removed one never stands among the whole ones."""
    (layout.snapshots / snapshot_id).rename(layout.staging / f"{why}-{snapshot_id}-{secrets.token_hex(4)}")


def _history_or_empty(store: Path) -> list[Publication]:
    try:
        return read_current(store)
    except NotFoundError:
        return []


def _make_locked_folder(staging: Path) -> tuple[Path, int]:
    """A new folder and the descriptor whose lock marks it as alive."""
    while True:
        folder = staging / f"{os.getpid()}-{secrets.token_hex(4)}"
        folder.mkdir()
        descriptor = _lock_folder(folder, fcntl.LOCK_SH)
        if descriptor is not None:
            return folder, descriptor


def _lock_folder(folder: Path, kind: int) -> int | None:
    """A descriptor that holds a lock on the folder, or None if somebody else holds it or has removed the folder."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    with suppress(OSError):
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        # A cleaner may have taken the folder between its making and its locking.
        if folder.stat().st_ino == os.fstat(descriptor).st_ino:
            return descriptor
    os.close(descriptor)
    return None


def _remove_orphans(staging: Path) -> None:
    """Remove the staging folders whose writers are gone, and what was pruned."""
    for entry in sorted(staging.iterdir()):
        if not entry.is_dir() or entry.is_symlink():
            entry.unlink(missing_ok=True)
            continue
        descriptor = _lock_folder(entry, fcntl.LOCK_EX)
        if descriptor is not None:
            shutil.rmtree(entry, ignore_errors=True)
            os.close(descriptor)


def _require_whole(snapshot: Path, consequence: str) -> None:
    problems = verify_directory(snapshot)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise CorruptError(
            f"Snapshot {snapshot.name} is damaged: {problems[0].file}: {problems[0].what}{more}. {consequence}.",
            "Copy it again, or choose another: `python manage.py index verify` tells which are whole.",
        )


def _fsync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
