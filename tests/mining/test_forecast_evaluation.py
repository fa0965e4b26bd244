"""How coverage is counted where counts are small, and the pages that the evaluations write."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mining.forecast_evaluation import _part_inside
from mining.forecast_pages import write_budget_section, write_forecast_section


@given(st.floats(0.05, 30), st.floats(1.05, 4))
def test_coverage_counted_exactly_is_the_nominal_one_of_a_right_forecast(mean: float, dispersion: float) -> None:
    generator = np.random.default_rng(11)
    variance = mean * dispersion
    shape = mean**2 / (variance - mean)
    actual = generator.negative_binomial(shape, shape / (shape + mean), 4000).astype(np.float64)
    deviation = np.full(4000, variance**0.5)
    inside = _part_inside(actual, np.full(4000, mean), deviation, np.tile([0.1, 0.9], (4000, 1)))
    assert inside.mean() == pytest.approx(0.8, abs=0.035)


def test_a_forecast_that_is_too_sure_is_found_out() -> None:
    generator = np.random.default_rng(12)
    actual = generator.negative_binomial(1.0, 1 / 11, 4000).astype(np.float64)
    inside = _part_inside(actual, np.full(4000, 10.0), np.full(4000, 10.0**0.5), np.tile([0.1, 0.9], (4000, 1)))
    assert inside.mean() < 0.5


def forecast_row(system: str, score: float) -> dict[str, object]:
    return {
        "system": system, "rows": "head", "metric": "clicks", "n": 1200, "actual": 3.25, "forecast": 3.5,
        "coverage": 0.85, "coverage_exact": 0.8, "coverage_exact_interval": [0.78, 0.82], "interval_score": score,
        "wape": None,
    }  # fmt: skip


def test_the_pages_show_each_row_beside_the_best_naive_one(tmp_path: Path) -> None:
    page = tmp_path / "measurements.md"
    page.write_text("# Measurements\n\n## Other\n\nkept\n", encoding="utf-8")
    rows = [forecast_row("KR", 5.0), forecast_row("a", 9.0), forecast_row("b", 7.0)]
    write_forecast_section(page, "Forecasts", "manage.py evaluate forecast", rows)
    budget = {
        "system": "top N by searches", "goal": "clicks", "budget_share": 0.1, "sets": 12, "ratio": 1.42,
        "ratio_interval": [1.3, 1.55], "spent": 0.97,
    }  # fmt: skip
    write_budget_section(page, "Budgets", "manage.py evaluate budget", [budget])
    text = page.read_text(encoding="utf-8")
    assert "kept" in text and "`manage.py evaluate forecast`" in text
    assert (
        "| head | clicks | 1,200 | 3.25 | 3.50 | 85.0% | 80.0% (78.0%–82.0%) | 5.00 | – | 85.0% | 80.0% | 7.00 | – |"
        in text
    )
    assert "| clicks | 10% | top N by searches | 12 | +42.0% | +30.0% … +55.0% | 97.0% |" in text
