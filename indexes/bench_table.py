"""The rows that benches make, with the keys of DESIGN §3, and how they look on a terminal."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from indexes.arrays import Array

COLUMNS = ("system", "build_s", "bytes", "rss_mb", "mean_ms", "p50_ms", "p95_ms", "p99_ms", "agrees", "ratio")
OPTIONAL_COLUMNS = (
    "p99_ratio",
    "cpu_ms",
    "cpu_p99_ms",
    "recall_at_100",
    "per_second",
    "bytes_per_pair",
    "bytes_per_keyword",
    "anonymous_mb",
)
"""Shown if a row has them."""


def bench_row(system: str, milliseconds: Array | None = None, **more: Any) -> dict[str, Any]:
    """A row with the mean and percentiles of these latencies; what is not known is None."""
    row: dict[str, Any] = {"system": system, **dict.fromkeys(COLUMNS[1:9])}
    if milliseconds is not None:
        p50, p95, p99 = (float(np.percentile(milliseconds, q)) for q in (50, 95, 99))
        row |= {"mean_ms": float(milliseconds.mean()), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99}
    return row | more


def timed(calls: Callable[[], Iterable[Any]]) -> Array:
    """Milliseconds of each item that the generator takes to make."""
    times = []
    started = time.perf_counter()
    for _ in calls():
        now = time.perf_counter()
        times.append((now - started) * 1000)
        started = time.perf_counter()
    return np.array(times)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as text for a terminal."""
    names = [*COLUMNS, *(name for name in OPTIONAL_COLUMNS if any(name in row for row in rows))]
    lines = [[_cell(row.get(name)) for name in names] for row in rows]
    widths = [max(len(line[place]) for line in [names, *lines]) for place in range(len(names))]
    return "\n".join(
        "  ".join(cell.ljust(width) if place == 0 else cell.rjust(width) for place, (cell, width) in enumerate(zipped))
        for zipped in (list(zip(line, widths, strict=True)) for line in [names, *lines])
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) >= 1 or not value else f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
