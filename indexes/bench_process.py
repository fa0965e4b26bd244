"""Building one system of a bench in a process of its own, so that its peak of memory is its own."""

import json
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from indexes.bench_table import bench_row
from indexes.errors import KRError
from indexes.terminal import step

Build = Callable[[str, int, Path], Callable[[], None]]
"""Prepares a system's input, by its name, the number of keywords and an empty folder; what it returns is measured."""


def build_in_own_process(build: Build, name: str, keywords: int, folder: Path) -> dict[str, Any]:
    """A row with `build_s`, `rss_mb` (peak, the input included) and `bytes` on disk of building into `folder/name`."""
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
    return bench_row(name) | {"bytes": size or None} | measured


def _measure(build: Build, name: str, keywords: int, target: Path) -> None:
    run = build(name, keywords, target)
    started = time.monotonic()
    run()
    measured = {"build_s": time.monotonic() - started, "rss_mb": peak_mb()}
    target.with_name(f"{name}.json").write_text(json.dumps(measured), encoding="utf-8")


def peak_mb() -> float | None:
    """The most memory this process had resident, by Linux's account: unlike getrusage's it is not the parent's."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return None
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
