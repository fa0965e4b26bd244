"""Related searches judged against the planted truth, asked through the command line."""

import sys
from pathlib import Path

import pytest

import mining.related_evaluation
from indexes.errors import KRError
from mining.related_evaluation import ask_command_line, evaluate_related, nonsense_queries

PROJECT = Path(__file__).parents[2]
MANAGE = [sys.executable, str(PROJECT / "manage.py")]


def test_what_is_served_is_more_diverse_than_any_miner_and_silent_to_nonsense(
    small_market: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mining.related_evaluation, "QUERIES", 60)
    monkeypatch.setattr(mining.related_evaluation, "BALANCES", (1.0,))
    rows = evaluate_related(small_market / "mined", small_market / "truth", small_market / "store", MANAGE)
    by_system = {row["system"]: row for row in rows}
    served, joined = by_system["related searches, as served"], by_system["all miners joined"]
    assert {"cooccurrence", "click_clusters", "related searches, t = 1"} <= by_system.keys()
    assert served["queries"] == 60 and served["unsafe"] == 0 and served["nonsense"] == 0
    assert joined["nonsense"] is None
    assert served["precision_at_8"] >= 0.9 and served["coverage"] > 0.5
    # Of as many rows, more say different things.
    assert served["needs"] / served["shown"] > joined["needs"] / joined["shown"]
    for row in rows:
        for name in ("coverage", "shown", "precision_at_5", "precision_at_8", "related_at_8", "needs"):
            low, high = row[f"{name}_interval"]
            assert low <= row[name] + 1e-4 and row[name] <= high + 1e-4
        assert row["precision_at_8"] <= row["related_at_8"] <= 1 and row["shown"] <= 8


def test_a_command_that_fails_is_told_with_its_words(tmp_path: Path) -> None:
    with pytest.raises(KRError, match="no snapshot"):
        ask_command_line([*MANAGE, "related"], tmp_path / "empty", ["鲜花"])


def test_made_up_queries_are_no_keywords_and_the_same_every_time() -> None:
    queries = nonsense_queries(100, frozenset({"abc"}))
    assert len(set(queries)) == 100 and "abc" not in queries
    assert queries == nonsense_queries(100, frozenset())
    assert nonsense_queries(3, frozenset(queries[:2]))[0] not in queries[:2]
