"""Writing so that a crash or a full disk leaves either the old file or the new one, and says so clearly."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from indexes.errors import KRError

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def write_errors_explained(folder: Path) -> Iterator[None]:
    """Turn a full disk, a quota, or a path without permission into a KRError that names it and the remedy."""
    remedy = "What was ingested before is untouched; make room and run the same command again: it goes on from here."
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM or "No space left" in str(error) or "File too large" in str(error):
            raise KRError(f"No room left to write below {folder}: {error}.", remedy) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            own = error.filename is None or Path(os.fsdecode(error.filename)).is_relative_to(folder)
            problem = f"{folder} cannot be written" if own else f"{error.filename} cannot be read"
            raise KRError(f"{problem}: {error.strerror}.", "Check the permissions, or name another path.") from error
        raise
    except duckdb.Error as error:
        if "No space left" in str(error) or "File too large" in str(error) or "max_temp_directory_size" in str(error):
            raise KRError(f"No room left for temporary files below {folder}.", remedy) from error
        raise


def fsync_path(path: Path) -> None:
    """Force a file's content, or a folder's list of names, onto the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file by new content: whoever reads it, even after a crash, sees the old one or the new one whole."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    fsync_path(path.parent)
