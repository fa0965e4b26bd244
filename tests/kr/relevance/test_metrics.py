"""Measures against scikit-learn and plain definitions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kr.relevance.metrics import accuracy, auc, calibration_error, macro_f1, ndcg_of_queries, rmse

rows = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 5)), min_size=2, max_size=40)


@given(rows)
def test_auc_is_the_chance_that_a_good_row_scores_above_a_bad_one(sample: list[tuple[int, int, int]]) -> None:
    good = np.array([label > 0 for label, _, _ in sample])
    scores = np.array([score / 5 for _, _, score in sample])
    pairs = [(a > b) + (a == b) / 2 for a in scores[good] for b in scores[~good]]
    found = auc(good, scores)
    assert found is None if not pairs else found == pytest.approx(sum(pairs) / len(pairs))


@given(rows)
def test_accuracy_and_macro_f1_count_each_class_alike(sample: list[tuple[int, int, int]]) -> None:
    truth, chosen = np.array([t for t, _, _ in sample]), np.array([c for _, c, _ in sample])
    scores = []
    for label in set(truth.tolist()) | set(chosen.tolist()):
        hits = int(((truth == label) & (chosen == label)).sum())
        scores.append(2 * hits / int((truth == label).sum() + (chosen == label).sum()))
    assert macro_f1(truth, chosen, 3) == pytest.approx(sum(scores) / len(scores))
    assert accuracy(truth, chosen) == pytest.approx(sum(t == c for t, c, _ in sample) / len(sample))


def test_ndcg_is_one_in_the_ideal_order_and_leaves_out_queries_without_a_choice() -> None:
    groups = np.array([0, 0, 0, 1, 1, 2])
    gains = np.array([3.0, 1.0, 0.0, 2.0, 2.0, 5.0])
    assert ndcg_of_queries(groups, gains, -np.arange(6.0)).tolist() == [1.0]
    worst = (0 + 1 / math.log2(3) + 3 / 2) / (3 + 1 / math.log2(3))
    assert ndcg_of_queries(groups, gains, np.arange(6.0)) == pytest.approx([worst])


def test_calibration_error_is_zero_only_where_confidence_is_the_share_of_hits() -> None:
    confidence = np.full(1000, 0.8)
    outcome = np.tile([True, True, True, True, False], 200)
    assert calibration_error(confidence, outcome) < 0.02
    assert calibration_error(np.full(1000, 0.95), outcome) == pytest.approx(0.15, abs=0.02)


def test_rmse_is_in_the_labels_unit() -> None:
    assert rmse(np.array([1.0, 3.0]), np.array([2.0, 3.0])) == pytest.approx(math.sqrt(0.5))
