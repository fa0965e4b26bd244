"""The chart of monthly searches."""

from typing import Any

from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from webui.sparkline import HEIGHT, WIDTH, sparkline


def volumes(counts: list[int], first_month: int = 0) -> list[dict[str, Any]]:
    return [
        {
            "year": 2023 + (first_month + n) // 12,
            "month": (first_month + n) % 12 + 1,
            "searches": count,
            "complete": n > 0,
        }
        for n, count in enumerate(counts)
    ]


@given(st.lists(st.integers(0, 10**9), max_size=40), st.integers(0, 11))
def test_points_lie_in_the_box_in_order_and_higher_for_more_searches(counts: list[int], first: int) -> None:
    from flask_babel import Babel

    application = Flask("empty")
    Babel(application)
    with application.test_request_context():
        chart = sparkline(volumes(counts, first))
    if len(counts) < 2:
        assert chart is None
        return
    assert chart is not None
    points = [tuple(map(float, point.split(","))) for point in chart.line.split()]
    drawn = counts[-24:]
    assert len(points) == len(drawn)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    xs = [x for x, _ in points]
    assert xs == sorted(xs) and len(set(xs)) == len(xs)
    for (_, y1), count1 in zip(points, drawn, strict=True):
        for (_, y2), count2 in zip(points, drawn, strict=True):
            assert count1 <= count2 or y1 <= y2 + 0.11
    assert chart.peak == tuple(chart.line.split()[drawn.index(max(drawn))].split(","))
    assert len(chart.incomplete) == sum(1 for volume in volumes(counts)[-24:] if not volume["complete"])


def test_the_text_of_a_chart_names_its_span_and_extremes(app: Flask) -> None:
    with app.test_request_context("/?lang=en"):
        chart = sparkline(volumes([5, 1200, 3]))
    assert chart is not None
    assert chart.description.startswith(
        "Searches by month, Jan 2023 to Mar 2023: most in Feb 2023 (1,200), fewest in Mar 2023 (3)"
    )
