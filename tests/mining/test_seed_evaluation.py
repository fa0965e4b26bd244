"""Seeds judged against the planted truth."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mining.seed_evaluation
from indexes.errors import NotFoundError
from mining.scoreboard import seeds_section
from mining.seed_evaluation import MEASURES, evaluate_seeds, separation


@pytest.fixture(scope="module")
def rows(small_market: Path) -> list[dict[str, object]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mining.seed_evaluation, "ACCOUNTS", 60)
        return evaluate_seeds(small_market / "mined", small_market / "truth", small_market / "store")


def by_system(rows: list[dict[str, object]], kind: str) -> dict[object, dict[str, object]]:
    return {row["system"]: row for row in rows if row["kind"] == kind}


def test_what_is_served_belongs_far_more_often_than_what_everybody_searches(rows: list[dict[str, object]]) -> None:
    for kind, least in (("industry", 0.99), ("account", 0.75)):
        found = by_system(rows, kind)
        served, popular = found["S with topics"], found["popularity"]
        assert served["precision_at_10"] >= least > popular["precision_at_10"]  # type: ignore[operator]
        assert served["reach"] > popular["reach"] and served["coverage"] >= 0.95  # type: ignore[operator]


def test_topics_tell_what_belongs_at_least_as_well_as_vectors(rows: list[dict[str, object]]) -> None:
    for kind in ("industry", "account"):
        found = by_system(rows, kind)
        topics, vectors = (found[f"coherence by {by}"]["separation"] for by in ("topics", "vectors"))
        assert topics > 0.85 and topics > vectors - 0.02  # type: ignore[operator]


def test_every_value_lies_in_its_interval_and_the_page_has_every_row(rows: list[dict[str, object]]) -> None:
    for row in rows:
        for name in MEASURES:
            value, interval = row[name], row[f"{name}_interval"]
            assert (value is None) == (interval is None)
            if value is not None:
                assert interval[0] - 1e-4 <= value <= interval[1] + 1e-4 and 0 <= value <= 1  # type: ignore
    page = seeds_section(rows, "command")
    assert page.count("\n| ") == len(rows) + 1 and "60 accounts" in page and "**S with topics**" in page


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=20))
def test_separation_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[int, bool]]) -> None:
    scores, belongs = np.array([s for s, _ in rows], np.float64), np.array([b for _, b in rows], bool)
    pairs = [
        1.0 if one > other else 0.5 if one == other else 0.0 for one in scores[belongs] for other in scores[~belongs]
    ]
    found = separation(scores, belongs)
    assert np.isnan(found) if not pairs else found == pytest.approx(sum(pairs) / len(pairs))


def test_a_store_of_other_tables_is_refused(small_market: Path, tiny_store: Path) -> None:
    with pytest.raises(NotFoundError, match="was not built from"):
        evaluate_seeds(small_market / "mined", small_market / "truth", tiny_store)
