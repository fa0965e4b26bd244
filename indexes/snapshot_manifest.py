"""MANIFEST.json: what a snapshot holds, how it is named, and how any change to it is found.

The snapshot's id is the beginning of the SHA-256 of its manifest's bytes, and the manifest holds the length and SHA-256
of every other file. So the id vouches for each byte, and the same content always gets the same id.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from indexes.errors import CorruptError, UsageError

FORMAT_VERSION = 2
"""The layout of a snapshot directory that this version writes and reads; raised whenever a file changes its meaning."""

MANIFEST_NAME = "MANIFEST.json"
REBUILD = "Build it again: `python manage.py build`."

_ID_DIGITS = 16
_ID = re.compile(rf"[0-9a-f]{{{_ID_DIGITS}}}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class FileEntry(NamedTuple):
    """The length in bytes and the SHA-256 (hex) of one file."""

    bytes: int
    sha256: str


class Problem(NamedTuple):
    """One thing that is wrong with a snapshot: the file (relative, "/" between folders) and what is wrong with it."""

    file: str
    what: str


@dataclass(frozen=True)
class Manifest:
    """The parsed manifest; `files` leaves out the manifest itself and is sorted by name."""

    format_version: int
    built_from: dict[str, Any]
    models: dict[str, Any]
    files: dict[str, FileEntry]

    def encode(self) -> bytes:
        """The canonical JSON bytes; equal content gives equal bytes."""
        files = {name: entry._asdict() for name, entry in self.files.items()}
        return canonical_json(
            {
                "format_version": self.format_version,
                "built_from": self.built_from,
                "models": self.models,
                "files": files,
            }
        )


def canonical_json(document: Any) -> bytes:
    """UTF-8 JSON with sorted keys and one trailing newline; refuses NaN and infinity (ValueError)."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
    return (text + "\n").encode()


def is_snapshot_id(name: str) -> bool:
    """Whether the name has the form of a snapshot id."""
    return _ID.fullmatch(name) is not None


def snapshot_id_of(manifest_bytes: bytes) -> str:
    """The id of the snapshot whose manifest has these bytes."""
    return hashlib.sha256(manifest_bytes).hexdigest()[:_ID_DIGITS]


def describe_files(directory: Path) -> dict[str, FileEntry]:
    """Hash every file under the directory and force it to disk; sorted by name.

    Raises UsageError for what a snapshot cannot hold: links, devices, empty folders, names that are not UTF-8.
    """
    entries: dict[str, FileEntry] = {}
    for name, kind in sorted(walk(directory)):
        if kind != "file":
            raise UsageError(
                "{file} is {kind}; a snapshot holds regular files only.", "Remove it.", file=directory / name, kind=kind
            )
        if not _is_safe_name(name):
            raise UsageError(
                "{directory}: the file name {name!r} cannot stand in a manifest.",
                "Rename the file.",
                directory=directory,
                name=name,
            )
        with (directory / name).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
            entries[name] = FileEntry(os.fstat(file.fileno()).st_size, digest)
    return entries


def walk(directory: Path) -> Iterator[tuple[str, str]]:
    """Every entry under the directory but its non-empty folders: (relative name, what it is; "file" if regular)."""
    for folder, folders, files in os.walk(directory):
        for name in (*folders, *files):
            path = Path(folder, name)
            relative = path.relative_to(directory).as_posix()
            if path.is_symlink():
                yield relative, "a symbolic link"
            elif path.is_dir():
                if not any(path.iterdir()):
                    yield relative, "an empty folder"
            else:
                yield relative, "file" if path.is_file() else "a special file"


def read_manifest(directory: Path) -> Manifest:
    """The manifest of the snapshot directory, whose name must be the snapshot's id.

    Raises CorruptError if the manifest is missing, was changed, or is of a format that this version does not read.
    """
    path = directory / MANIFEST_NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise CorruptError(f"{directory} has no {MANIFEST_NAME}: it is not a whole snapshot.", REBUILD) from None
    expected = snapshot_id_of(content)
    if directory.name != expected:
        raise CorruptError(
            f"{path} was changed: its checksum says snapshot {expected}, its folder {directory.name}.",
            f"Copy the snapshot again under its own name, or take another. {REBUILD}",
        )
    return _parse(path, content)


def verify_directory(directory: Path) -> list[Problem]:
    """Read every byte of the snapshot directory; the problems found, sorted by file, none if it is whole."""
    try:
        manifest = read_manifest(directory)
    except CorruptError as error:
        return [Problem(MANIFEST_NAME, error.message)]
    found = dict(walk(directory))
    problems = [
        Problem(name, "not in the manifest: it was added later" if kind == "file" else f"{kind} does not belong here")
        for name, kind in found.items()
        if (name not in manifest.files and name != MANIFEST_NAME and not _is_emptied(name, kind, manifest))
        or (name in manifest.files and kind != "file")
    ]
    for name, entry in manifest.files.items():
        if name not in found:
            problems.append(Problem(name, "missing"))
        elif found[name] == "file":
            with (directory / name).open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size != entry.bytes:
                    problems.append(Problem(name, wrong_length(size, entry.bytes)))
                elif hashlib.file_digest(file, "sha256").hexdigest() != entry.sha256:
                    problems.append(Problem(name, "its content was changed: the SHA-256 differs from the manifest's"))
    return sorted(problems)


def wrong_length(found: int, expected: int) -> str:
    """The words for a file whose length differs from the manifest's."""
    return f"{'truncated' if found < expected else 'grown'}: {found} bytes instead of {expected}"


def _parse(path: Path, content: bytes) -> Manifest:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise CorruptError(f"{path} is not JSON: {error}.", REBUILD) from None
    if not isinstance(document, dict) or "format_version" not in document:
        raise CorruptError(f"{path} names no format_version.", REBUILD)
    version = document["format_version"]
    if version != FORMAT_VERSION:
        raise CorruptError(
            f"{path} is of snapshot format {version!r}; this version of KR reads format {FORMAT_VERSION}.", REBUILD
        )
    try:
        manifest = Manifest(
            format_version=version,
            built_from=dict(document["built_from"]),
            models=dict(document["models"]),
            files={name: FileEntry(entry["bytes"], entry["sha256"]) for name, entry in document["files"].items()},
        )
        whole = all(_is_safe_name(name) and _is_entry(entry) for name, entry in manifest.files.items())
    except (KeyError, TypeError, ValueError, AttributeError):
        whole = False
    if not whole:
        raise CorruptError(f"{path} lacks a field of snapshot format {FORMAT_VERSION}.", REBUILD)
    return manifest


def _is_emptied(name: str, kind: str, manifest: Manifest) -> bool:
    """Whether this is an empty folder that should hold files: they are reported as missing, it is not."""
    return kind == "an empty folder" and any(file.startswith(f"{name}/") for file in manifest.files)


def _is_entry(entry: FileEntry) -> bool:
    return type(entry.bytes) is int and entry.bytes >= 0 and _SHA256.fullmatch(entry.sha256) is not None


def _is_safe_name(name: str) -> bool:
    """Whether the name stays inside the snapshot's folder, is not the manifest's, and can be written as UTF-8."""
    path = PurePosixPath(name)
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return path.as_posix() == name and not path.is_absolute() and ".." not in path.parts and name != MANIFEST_NAME
