"""Intervals and paired tests against counting by hand."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mining.paired_tests import bootstrap_intervals, holm, sign_flip_p, sums_by_user


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-3, 3)), min_size=1, max_size=30))
def test_sums_by_user_equal_a_naive_count(rows: list[tuple[int, int]]) -> None:
    user, value = (np.array(column) for column in zip(*rows, strict=True))
    naive = [[sum(v for u, v in rows if u == one)] for one in sorted(set(user.tolist()))]
    assert sums_by_user(value[:, None].astype(float), user).tolist() == naive


def test_flipping_at_random_comes_near_to_flipping_every_way() -> None:
    generator = np.random.default_rng(5)
    differences = generator.integers(-2, 4, (40, 3)).astype(float)
    user = generator.integers(0, 9, 40)
    found = sign_flip_p(differences, user)
    for column in range(3):
        sums = sums_by_user(differences[:, [column]], user)[:, 0]
        every = [abs(float(np.dot(signs, sums))) for signs in product([-1, 1], repeat=len(sums))]
        exact = np.mean([value >= abs(sums.sum()) - 1e-9 for value in every])
        assert found[column] == pytest.approx(exact, abs=0.03)


def test_no_difference_is_no_evidence_and_one_user_proves_nothing() -> None:
    many = np.arange(100)
    nothing, always = np.zeros(100), np.ones(100)
    assert sign_flip_p(np.stack([nothing, always], axis=1), many)[0] == 1.0
    assert sign_flip_p(always[:, None], many)[0] < 0.001
    assert sign_flip_p(always[:, None], np.zeros(100, np.int64)) == [1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_corrects_step_by_step(p_values: list[float]) -> None:
    corrected = holm(p_values)
    for place, p in enumerate(p_values):
        # The greatest of all products at this rank or before it, by the definition.
        earlier = sorted(p_values)[: sorted(p_values).index(p) + 1]
        naive = max(min(1.0, (len(p_values) - rank) * value) for rank, value in enumerate(earlier))
        assert corrected[place] >= naive - 1e-12
        assert p <= corrected[place] <= min(1.0, p * len(p_values)) + 1e-12


def test_holm_on_a_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_intervals_hold_the_mean_know_what_is_missing_and_take_users_whole() -> None:
    generator = np.random.default_rng(7)
    user = np.repeat(np.arange(50), 4)
    by_user = np.repeat(generator.random(50), 4)
    values = np.stack([by_user, np.full(200, 0.25), np.full(200, np.nan)], axis=1)
    alike, constant, missing = bootstrap_intervals(values, user)
    assert alike is not None and alike[0] < by_user.mean() < alike[1]
    assert constant == [0.25, 0.25] and missing is None
    apart = bootstrap_intervals(values[:, :1], np.arange(200))[0]
    # Four answers of one user are worth less than four users'.
    assert apart is not None and apart[1] - apart[0] < 0.7 * (alike[1] - alike[0])
