"""The monthly searches of a keyword as points of a small inline SVG chart, with its text for those who hear it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from webui.formats import month_names, whole_number

WIDTH = 96
HEIGHT = 28
_MARGIN = 3.0
MAX_MONTHS = 24
"""Longer histories show their last months; the table beside the chart has them all."""


@dataclass(frozen=True)
class Sparkline:
    """Coordinates in a WIDTH × HEIGHT box, y downwards; the baseline is zero searches."""

    line: str
    area: str
    peak: tuple[str, str]
    incomplete: list[tuple[str, str]]
    description: str
    table: list[tuple[str, str, bool]]
    """Every month, the latest first: its name, its searches, and whether the log covers all of it."""
    width: int = WIDTH
    height: int = HEIGHT


def sparkline(volumes: Sequence[Mapping[str, Any]]) -> Sparkline | None:
    """The chart of monthly volumes (year, month, searches, complete), oldest first; None for fewer than two months."""
    if len(volumes) < 2:
        return None
    names = month_names([(volume["year"], volume["month"]) for volume in volumes])
    table = [
        (name, whole_number(volume["searches"]), volume["complete"])
        for name, volume in zip(names, volumes, strict=True)
    ]
    volumes, names = volumes[-MAX_MONTHS:], names[-MAX_MONTHS:]
    positions = [12 * volume["year"] + volume["month"] for volume in volumes]
    counts = [volume["searches"] for volume in volumes]
    first, span = positions[0], positions[-1] - positions[0]
    most = max(max(counts), 1)
    points = [
        (
            f"{_MARGIN + (position - first) / span * (WIDTH - 2 * _MARGIN):.1f}",
            f"{HEIGHT - _MARGIN - count / most * (HEIGHT - 2 * _MARGIN):.1f}",
        )
        for position, count in zip(positions, counts, strict=True)
    ]
    line = " ".join(f"{x},{y}" for x, y in points)
    floor = f"{HEIGHT - _MARGIN:.1f}"
    return Sparkline(
        line,
        f"{points[0][0]},{floor} {line} {points[-1][0]},{floor}",
        points[counts.index(max(counts))],
        [point for point, volume in zip(points, volumes, strict=True) if not volume["complete"]],
        _description(names, counts),
        table[::-1],
    )


def _description(names: Sequence[str], counts: Sequence[int]) -> str:
    most, least = max(counts), min(counts)
    return gettext(
        "Searches by month, %(first)s to %(last)s: most in %(peak)s (%(most)s), fewest in %(low)s (%(least)s). "
        "Open for the table.",
        first=names[0],
        last=names[-1],
        peak=names[counts.index(most)],
        most=whole_number(most),
        low=names[counts.index(least)],
        least=whole_number(least),
    )
