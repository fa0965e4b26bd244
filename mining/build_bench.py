"""What each part of a snapshot costs to build: seconds, bytes and the peak of memory, on tables made for it."""

import json
import multiprocessing
import resource
import time
from pathlib import Path
from typing import Any

from indexes.bench_process import AnonymousMemory, forget_peak, peak_mb
from indexes.bench_table import bench_row
from indexes.errors import KRError
from indexes.terminal import say, step
from indexes.unsafe_terms import UnsafeTerms
from mining.build import PARTS, write_parts
from mining.build_corpus import write_mined_tables
from mining.build_tables import MinedTables


def run_build_bench(keywords: int, folder: Path, processes: int | None = None) -> list[dict[str, Any]]:
    """Make mined tables of so many keywords in `folder`/mined, build all parts in `folder`/parts, and measure.

    A row a part and one for all: `build_s`, `bytes` on disk, `bytes_per_keyword`, `rss_mb` the most that the building
    process had resident during the part, mapped files included, and `anonymous_mb` the same without them. `processes`
    read the texts, see `write_keywords`; the last row tells what the greatest of them had resident. Tables that are
    there already are used again.
    """
    mined = folder / "mined"
    if not (mined / "mining_report.json").is_file():
        with step(f"make mined tables of {keywords:,} keywords"):
            _apart(write_mined_tables, keywords, mined)
    result = folder / "build.json"
    _apart(_build, mined, folder / "parts", processes, result)
    rows: list[dict[str, Any]] = json.loads(result.read_text(encoding="utf-8"))
    for row in rows:
        row["bytes_per_keyword"] = row["bytes"] / keywords if row["bytes"] is not None else None
    return rows


def _build(mined: Path, folder: Path, processes: int | None, result: Path) -> None:
    folder.mkdir(parents=True)
    rows: list[dict[str, Any]] = []
    started = moment = time.monotonic()
    written = 0

    def measure(_: int) -> None:
        nonlocal moment, written
        now, size = time.monotonic(), _size(folder)
        row: dict[str, Any] = {"build_s": now - moment, "bytes": size - written, "rss_mb": peak_mb()}
        rows.append(bench_row(PARTS[len(rows)], **row, anonymous_mb=memory.take_peak_mb()))
        say(f"  {rows[-1]['system']}: {now - moment:.1f} s")
        moment, written = time.monotonic(), size
        forget_peak()

    forget_peak()
    with AnonymousMemory() as memory:
        write_parts(MinedTables(mined), UnsafeTerms.load(), folder, measure, processes)
    total: dict[str, Any] = {"build_s": time.monotonic() - started, "bytes": _size(folder)}
    total |= {name: max((row[name] for row in rows if row[name]), default=None) for name in ("rss_mb", "anonymous_mb")}
    rows.append(bench_row("all parts", **total))
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    if children:
        rows.append(bench_row("greatest process that reads texts", rss_mb=children))
    result.write_text(json.dumps(rows), encoding="utf-8")


def _size(folder: Path) -> int:
    """Bytes of the parts so far, without what is only needed while building."""
    scratch = folder / "scratch"
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and scratch not in path.parents)


def _apart(function: Any, *arguments: Any) -> None:
    """Call a function of this module's in a process of its own, whose memory is its own."""
    process = multiprocessing.get_context("spawn").Process(target=function, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        raise KRError(f"{function.__name__} ended with exit code {process.exitcode}.", "See its message above.")
