"""The lexicons in force while the service runs: the files are watched, and a change takes effect within a second."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from indexes.errors import KRError, TryAgainError
from indexes.unsafe_terms import UnsafeTerms

CHECK_SECONDS = 1.0
"""How often the files are looked at."""

_Signature = tuple[tuple[int, int, int] | None, ...]


class LexiconsInForce:
    """KR's own lexicons and the operator's. Safe to call from any thread.

    It fails closed: once a file is missing, unreadable or has a mistake, there are no terms to audit by until it is
    mended, and asking for them raises.
    """

    def __init__(self, paths: Sequence[Path], check_seconds: float = CHECK_SECONDS) -> None:
        """Read the lexicons. Raises UsageError naming the file, the line and the remedy."""
        self._paths = tuple(paths)
        self._check_seconds = check_seconds
        self._lock = threading.Lock()
        self._checked = time.monotonic()
        self._signature = self._look()
        self._terms = UnsafeTerms.load(self._paths)
        self._problem: KRError | None = None

    def terms(self) -> UnsafeTerms:
        """The terms to audit by now. Raises TryAgainError while the lexicons cannot be read."""
        if time.monotonic() - self._checked >= self._check_seconds:
            with self._lock:
                self._reload_if_changed()
        if self._problem is not None:
            raise TryAgainError(
                "Keywords cannot be audited at the moment, and none is shown unaudited.",
                "The operator has to mend a list of unsafe terms; the health check names it.",
            ) from self._problem
        return self._terms

    @property
    def problem(self) -> str | None:
        """What is wrong with the lexicons, with file, line and remedy, for the operator; None if all is well."""
        try:
            self.terms()
        except TryAgainError as error:
            return str(error.__cause__)
        return None

    def _reload_if_changed(self) -> None:
        self._checked = time.monotonic()
        signature = self._look()
        if signature == self._signature:
            return
        self._signature = signature
        try:
            self._terms = UnsafeTerms.load(self._paths)
            self._problem = None
        except KRError as error:
            self._problem = error

    def _look(self) -> _Signature:
        return tuple(_signature_of(path) for path in self._paths)


def _signature_of(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
