"""The curve of value over budget as points of an inline SVG chart; the table beside it has the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from kr.planning.budget_types import FrontierPoint

WIDTH, HEIGHT, MARGIN = 320, 160, 6
TABLE_ROWS = 12


@dataclass(frozen=True)
class ValueCurve:
    """Coordinates in a WIDTH × HEIGHT box, y downwards, and the rows of the table, spread over the curve."""

    line: str
    chosen: tuple[str, str]
    rows: tuple[FrontierPoint, ...]
    width: int = WIDTH
    height: int = HEIGHT


def value_curve(frontier: Sequence[FrontierPoint], cost: float, value: float) -> ValueCurve | None:
    """The chart of a frontier with the chosen set marked; None for fewer than two points."""
    if len(frontier) < 2:
        return None
    most_cost = max(frontier[-1].cost_micros, cost, 1.0)
    most_value = max(frontier[-1].value, value, 1e-9)

    def place(x: float, y: float) -> tuple[str, str]:
        return (
            f"{MARGIN + x / most_cost * (WIDTH - 2 * MARGIN):.1f}",
            f"{HEIGHT - MARGIN - y / most_value * (HEIGHT - 2 * MARGIN):.1f}",
        )

    line = " ".join(",".join(place(point.cost_micros, point.value)) for point in frontier)
    step = max(1, (len(frontier) - 1) / (TABLE_ROWS - 1))
    shown = sorted({round(number * step) for number in range(TABLE_ROWS) if round(number * step) < len(frontier)})
    return ValueCurve(line, place(cost, value), tuple(frontier[number] for number in [*shown]))
