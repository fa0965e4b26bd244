"""The tree kernel equals LightGBM bit for bit."""

import lightgbm
import numpy as np
import pytest

from kr.relevance.tree_kernel import read_trees


def booster_of(outputs: int, leaves: int, rounds: int) -> tuple[lightgbm.Booster, np.ndarray]:
    generator = np.random.default_rng(leaves)
    rows = generator.integers(0, 30, (700, 6)).astype(np.float32) / np.float32(7)
    target = rows[:, 0] * rows[:, 1] - rows[:, 2]
    parameters: dict[str, object] = {"num_leaves": leaves, "verbose": -1, "num_threads": 1, "min_data_in_leaf": 3}
    if outputs > 1:
        target = np.digitize(target, np.quantile(target, [0.3, 0.7]))
        parameters |= {"objective": "multiclass", "num_class": outputs}
    return lightgbm.train(parameters, lightgbm.Dataset(rows, target), rounds), rows


@pytest.mark.parametrize(("outputs", "leaves", "rounds"), [(1, 31, 40), (3, 15, 20), (1, 2, 3), (1, 200, 5)])
@pytest.mark.parametrize("count", [1, 7, 8, 9, 15, 16, 700])
def test_scores_equal_the_boosters_bit_for_bit(outputs: int, leaves: int, rounds: int, count: int) -> None:
    booster, rows = booster_of(outputs, leaves, rounds)
    scores = read_trees((booster.model_to_string(),)).scores(rows[:count])
    expected = np.asarray(booster.predict(rows[:count], raw_score=True)).reshape(count, outputs)
    assert np.array_equal(scores, expected)


def test_values_at_and_beside_each_threshold_go_the_same_way() -> None:
    booster, rows = booster_of(1, 31, 30)
    trees = read_trees((booster.model_to_string(),))
    finite = trees.threshold[np.isfinite(trees.threshold)]
    edges = np.concatenate([finite, np.nextafter(finite, np.float32(9)), np.nextafter(finite, np.float32(-9))])
    crossed = np.random.default_rng(1).choice(edges, (500, rows.shape[1])).astype(np.float32)
    assert np.array_equal(trees.scores(crossed)[:, 0], booster.predict(crossed, raw_score=True))


def test_no_rows_give_no_scores_and_a_tree_without_splits_its_one_value() -> None:
    rows = np.zeros((50, 2), np.float32)
    booster = lightgbm.train({"verbose": -1}, lightgbm.Dataset(rows, np.full(50, 3.0)), 2)
    trees = read_trees((booster.model_to_string(),))
    assert trees.scores(rows[:0]).shape == (0, 1)
    assert np.array_equal(trees.scores(rows[:3])[:, 0], booster.predict(rows[:3], raw_score=True))


def test_trees_that_split_by_category_or_missing_values_are_refused() -> None:
    rows = np.random.default_rng(0).integers(0, 9, (300, 2)).astype(float)
    rows[::7, 1] = np.nan
    booster = lightgbm.train({"verbose": -1}, lightgbm.Dataset(rows, rows[:, 0] + np.nan_to_num(rows[:, 1])), 5)
    with pytest.raises(ValueError, match="does not walk"):
        read_trees((booster.model_to_string(),))
