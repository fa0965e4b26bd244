"""Benches build each system in a process of its own, so that its peak of memory is its own."""

import json
import multiprocessing
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from indexes.errors import KRError
from indexes.terminal import step

LOOK_SECONDS = 0.02


Build = Callable[[str, int, Path], Callable[[], Any]]
"""Prepares a system's input, by its name, the number of keywords and an empty folder; what it returns is measured."""


def build_in_own_process(build: Build, name: str, keywords: int, folder: Path) -> dict[str, Any]:
    """Build into `folder/name`: `build_s`, `rss_mb` (peak, the input included) and `bytes` on disk."""
    target = folder / name
    target.mkdir(parents=True)
    with step(f"build {name}"):
        process = multiprocessing.get_context("spawn").Process(target=_measure, args=(build, name, keywords, target))
        process.start()
        process.join()
    if process.exitcode:
        raise KRError(f"Building {name} ended with exit code {process.exitcode}.", "See its message above.")
    measured = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    return {"bytes": size or None, **measured}


def _measure(build: Build, name: str, keywords: int, target: Path) -> None:
    run = build(name, keywords, target)
    started = time.monotonic()
    run()
    measured = {"build_s": time.monotonic() - started, "rss_mb": peak_mb()}
    target.with_name(f"{name}.json").write_text(json.dumps(measured), encoding="utf-8")


def peak_mb() -> float | None:
    """The most memory this process had resident, by Linux's account: unlike getrusage's it is not the parent's."""
    return _status_mb("VmHWM:")


def _status_mb(field: str) -> float | None:
    status = Path("/proc/self/status")
    if not status.is_file():
        return None
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


class AnonymousMemory:
    """Watches how much memory this process holds that is no file's (Linux): what a memory limit must allow.

    A context manager; the highest of frequent looks, so a short peak may be missed by some.
    """

    def __init__(self) -> None:
        self._peak = 0.0
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def take_peak_mb(self) -> float | None:
        """The most since the last call, in MB; None where the system does not tell."""
        self._look()
        peak, self._peak = self._peak, 0.0
        return peak or None

    def __enter__(self) -> "AnonymousMemory":
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        self._peak = max(self._peak, _status_mb("RssAnon:") or 0.0)


def forget_peak() -> None:
    """Let `peak_mb` begin anew, where the system can do that."""
    reset = Path("/proc/self/clear_refs")
    if reset.is_file():
        reset.write_text("5", encoding="ascii")
