"""A folder that appears whole or not at all."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexes.errors import KRError, TryAgainError, UsageError


@contextmanager
def output_folder(out: Path, mark: str) -> Iterator[Path]:
    """Yield an empty folder beside `out` that takes its place when the block ends well.

    `mark` is the file by which an earlier result is known; only such a folder, or an empty one, is replaced. What an
    interrupted run left behind is removed by the next. Raises UsageError if `out` holds something else, TryAgainError
    if another process is writing to it.
    """
    out = out.absolute()
    if out.exists() and not (out / mark).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} exists and holds no {mark}; it is left alone.", "Name a new or an empty folder.")
    partial, old = (out.with_name(f".{out.name}.{state}") for state in ("partial", "old"))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        lock = _locked_folder(partial)
    except OSError as error:
        raise KRError(f"{out} cannot be written: {error.strerror}.", "Check the path and its permissions.") from error
    try:
        _empty(partial)
        yield partial
        if out.exists():
            shutil.rmtree(old, ignore_errors=True)
            out.rename(old)
        partial.rename(out)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise KRError(
            f"{out} could not be written: {error}.", "Check the free disk space and the permissions."
        ) from error
    finally:
        # After success the name is free, or another process's own; only what is still locked here is removed.
        if _is_same(partial, lock):
            shutil.rmtree(partial, ignore_errors=True)
        os.close(lock)


def _locked_folder(folder: Path) -> int:
    """Make a folder if need be and lock it; return the descriptor that holds the lock."""
    while True:
        folder.mkdir(exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise TryAgainError(f"Another process is writing {folder}.", "Wait until it is done.") from None
        if _is_same(folder, descriptor):
            return descriptor
        # The other process finished and renamed the folder between our opening and locking it.
        os.close(descriptor)


def _is_same(folder: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(folder.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
