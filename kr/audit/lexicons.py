"""The lexicons in force while the service runs.

Files are watched, and a change takes effect within a second; what operators put live in the database does at the next
request.
"""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from indexes.errors import KRError, TryAgainError
from indexes.unsafe_lexicon import read_lexicon, shipped_lexicons
from indexes.unsafe_terms import UnsafeTerms
from kr.audit.stored_lists import StoredList, decode_lists
from kr.store.live_controls import ControlsUnreadable, LiveControls
from kr.store.operator_schema import Control

CHECK_SECONDS = 1.0
"""How often the files are looked at."""

_Signature = tuple[tuple[int, int, int] | None, ...]


class LexiconsInForce:
    """KR's own lexicons and the operator's. Safe to call from any thread.

    It fails closed: once a file is missing, unreadable or has a mistake, there are no terms to audit by until it is
    mended, and asking for them raises.
    """

    def __init__(
        self, paths: Sequence[Path], check_seconds: float = CHECK_SECONDS, operators: LiveControls | None = None
    ) -> None:
        """Read the lexicons. Raises UsageError naming the file, the line and the remedy.

        `operators` tells which lists operators put live; it is asked at each request.
        """
        self._paths = tuple(paths)
        self._operators = operators
        self._check_seconds = check_seconds
        self._lock = threading.Lock()
        self._checked = time.monotonic()
        self._signature = self._look()
        self._sequence = 0
        self._terms = UnsafeTerms.load(self._paths)
        self._problem: KRError | None = None

    @property
    def sequence(self) -> int:
        """How often operators' lists had gone live when the terms in use were read."""
        return self._sequence

    @property
    def paths(self) -> tuple[Path, ...]:
        """The operator's files, beside those that KR ships."""
        return self._paths

    def terms(self) -> UnsafeTerms:
        """The terms to audit by now. Raises TryAgainError while the lexicons cannot be read."""
        sequence = self._sequence
        try:
            if self._operators is not None:
                sequence = self._operators.sequences()[Control.LEXICONS]
        except ControlsUnreadable as error:
            raise _unaudited() from error
        if sequence != self._sequence or time.monotonic() - self._checked >= self._check_seconds:
            with self._lock:
                self._reload_if_changed(sequence)
        if self._problem is not None:
            raise _unaudited() from self._problem
        return self._terms

    @property
    def problem(self) -> str | None:
        """What is wrong with the lexicons, with file, line and remedy, for the operator; None if all is well."""
        try:
            self.terms()
        except TryAgainError as error:
            return str(error.__cause__)
        return None

    def _reload_if_changed(self, sequence: int) -> None:
        self._checked = time.monotonic()
        signature = self._look()
        if signature == self._signature and sequence == self._sequence:
            return
        try:
            lists: tuple[StoredList, ...] = ()
            if self._operators is not None and sequence:
                sequence, content = self._operators.content(Control.LEXICONS)
                lists = decode_lists(content)
            self._terms = terms_of(self._paths, lists)
            self._problem = None
        except ControlsUnreadable as error:
            self._problem = error  # tried again with the next call, for it may pass by itself
            return
        except KRError as error:
            self._problem = error
        self._signature, self._sequence = signature, sequence

    def _look(self) -> _Signature:
        return tuple(_signature_of(path) for path in self._paths)


def terms_of(paths: Sequence[Path], lists: Sequence[StoredList]) -> UnsafeTerms:
    """KR's lexicons, then the operator's files, then the database's lists. UsageError names what is wrong where."""
    files = [read_lexicon(path) for path in (*shipped_lexicons(), *paths)]
    return UnsafeTerms([*files, *(each.parsed() for each in lists)])


def _unaudited() -> TryAgainError:
    return TryAgainError(
        "Keywords cannot be audited at the moment, and none is shown unaudited.",
        "The operator has to mend a list of unsafe terms; the health check names it.",
    )


def _signature_of(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
