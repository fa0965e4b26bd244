"""Snapshots: immutable, checksummed folders of arrays and JSON that the online path maps into memory.

Opening reads the manifest and maps the files: it costs the number of files, not of keywords. An opened snapshot keeps
its files even when the store prunes them, so a reader is never disturbed by a publisher. snapshot_publish.py writes.
"""

import io
import json
import mmap
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from indexes.errors import CorruptError, KRError, NotFoundError
from indexes.snapshot_manifest import (
    FORMAT_VERSION,
    REBUILD,
    Manifest,
    Problem,
    read_manifest,
    verify_directory,
    wrong_length,
)
from indexes.snapshot_publish import KEEP, publish, publish_copy, rollback, stage
from indexes.snapshot_store import StoreLayout, read_current

__all__ = [
    "FORMAT_VERSION",
    "KEEP",
    "Manifest",
    "Problem",
    "Snapshot",
    "StoredSnapshot",
    "current",
    "list_snapshots",
    "open_folder",
    "open_snapshot",
    "publish",
    "publish_copy",
    "rollback",
    "stage",
    "verify",
    "verify_current",
]

_MAX_NPY_HEADER = 1 << 16


@dataclass(frozen=True)
class Snapshot:
    """An opened snapshot. Its files stay readable for as long as this object lives, whatever happens to the store."""

    id: str
    path: Path
    manifest: Manifest
    _mapped: dict[str, mmap.mmap | bytes] = field(repr=False, compare=False)

    def array(self, name: str) -> np.ndarray:
        """The .npy file of this name as a read-only array over the mapped file; nothing is read until it is used.

        Raises NotFoundError if the snapshot has no such file, CorruptError if it is not a plain .npy array.
        """
        mapped = self._file(name)
        header = io.BytesIO(mapped[:_MAX_NPY_HEADER])
        try:
            version = np.lib.format.read_magic(header)
            read_header = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }[version]
            shape, is_fortran, dtype = read_header(header)
            if dtype.hasobject:
                raise ValueError("it holds Python objects")
            return np.ndarray(shape, dtype, mapped, header.tell(), order="F" if is_fortran else "C")
        except (KeyError, ValueError, TypeError) as error:
            raise CorruptError(f"{self.path / name} is not a plain .npy array: {error}.", REBUILD) from None

    def json(self, name: str) -> Any:
        """The parsed JSON file of this name. Raises NotFoundError or CorruptError."""
        try:
            return json.loads(self.text(name))
        except ValueError as error:
            raise CorruptError(f"{self.path / name} is not JSON: {error}.", REBUILD) from None

    def text(self, name: str) -> str:
        """The UTF-8 text file of this name, a model for instance. Raises NotFoundError or CorruptError."""
        try:
            return bytes(self._file(name)).decode()
        except UnicodeDecodeError as error:
            raise CorruptError(f"{self.path / name} is not UTF-8: {error}.", REBUILD) from None

    def data(self, name: str) -> memoryview:
        """The bytes of the file of this name, read-only over the mapped file. Raises NotFoundError."""
        return memoryview(self._file(name))

    def __contains__(self, name: object) -> bool:
        return name in self._mapped

    def _file(self, name: str) -> mmap.mmap | bytes:
        try:
            return self._mapped[name]
        except KeyError:
            raise NotFoundError(
                "Snapshot {snapshot} has no file {name}.", REBUILD, snapshot=self.id, name=name
            ) from None


@dataclass(frozen=True)
class StoredSnapshot:
    """What `list_snapshots` tells of one snapshot; `problem` says why it cannot be opened, if so."""

    id: str
    published_at: str | None
    is_current: bool
    bytes: int | None
    built_from: dict[str, Any] | None
    problem: str | None


def current(store: Path) -> str:
    """The id of the snapshot that is served. Raises NotFoundError if there is none, CorruptError for a bad CURRENT."""
    return read_current(store)[-1].id


def open_snapshot(store: Path, snapshot_id: str | None = None) -> Snapshot:
    """Open the store's current snapshot, or the one named, and map its files.

    Checks the manifest against the id, and each file's presence and length: O(number of files). Changed bytes inside a
    file are found by `verify`. Raises NotFoundError if there is no such snapshot, CorruptError for a damaged one or
    one of another format.
    """
    layout = StoreLayout(store)
    if snapshot_id is not None:
        return open_folder(layout.folder_of(snapshot_id))
    wanted = current(store)
    while True:
        try:
            return open_folder(layout.snapshots / wanted)
        except KRError:
            # Publishers may have pruned it since CURRENT was read.
            if (now_current := current(store)) == wanted:
                raise
            wanted = now_current


def open_folder(folder: Path) -> Snapshot:
    """Open one snapshot folder, wherever it lies; it must still be named by the snapshot's id. See `open_snapshot`."""
    if not folder.is_dir():
        raise NotFoundError("There is no snapshot folder {folder}.", REBUILD, folder=folder)
    manifest = read_manifest(folder)
    mapped: dict[str, mmap.mmap | bytes] = {}
    for name, entry in manifest.files.items():
        try:
            with (folder / name).open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size != entry.bytes:
                    raise _damaged(folder, name, wrong_length(size, entry.bytes))
                mapped[name] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise _damaged(folder, name, "missing") from None
    return Snapshot(folder.name, folder, manifest, mapped)


def verify(store: Path, snapshot_id: str) -> list[Problem]:
    """Read every byte of the snapshot; what is wrong with it, empty if it is whole. NotFoundError if there is none."""
    return verify_directory(StoreLayout(store).folder_of(snapshot_id))


def verify_current(store: Path) -> list[Problem]:
    """What is wrong with CURRENT: missing, damaged, or naming a snapshot that is gone.

    Raises NotFoundError if nothing was ever published.
    """
    stored = set(StoreLayout(store).stored_ids())
    try:
        history = read_current(store)
    except CorruptError as error:
        return [Problem("CURRENT", error.message.rstrip("."))]
    except NotFoundError:
        if not stored:
            raise
        return [Problem("CURRENT", "missing: there are snapshots, but none is served")]
    return [Problem("CURRENT", f"names snapshot {entry.id}, gone") for entry in history if entry.id not in stored]


def list_snapshots(store: Path) -> list[StoredSnapshot]:
    """The store's snapshots: first those outside the served line, then the served line; the current one is last.

    Reads manifests only. A damaged CURRENT leaves `published_at` None and no snapshot current; `verify_current` tells.
    """
    layout = StoreLayout(store)
    try:
        history = {entry.id: entry.published_at for entry in read_current(store)}
    except CorruptError:
        history = {}
    except NotFoundError:
        if not layout.stored_ids():
            raise
        history = {}
    stored = layout.stored_ids()
    ordered = [name for name in stored if name not in history] + [name for name in history if name in stored]
    served = next(reversed(history), None)
    rows = []
    for name in ordered:
        manifest, problem = None, None
        try:
            manifest = read_manifest(layout.snapshots / name)
        except CorruptError as error:
            problem = error.message
        rows.append(
            StoredSnapshot(
                id=name,
                published_at=history.get(name),
                is_current=name == served,
                bytes=sum(entry.bytes for entry in manifest.files.values()) if manifest else None,
                built_from=manifest.built_from if manifest else None,
                problem=problem,
            )
        )
    return rows


def _damaged(folder: Path, name: str, what: str) -> CorruptError:
    return CorruptError(
        f"Snapshot {folder.name} is damaged: {folder / name}: {what}.",
        "`python manage.py index verify` tells what else is; `python manage.py index rollback` serves the one before.",
    )
