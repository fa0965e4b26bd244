"""Strengths of the miners' pairs: on one scale, growing with the measure and with those who stand behind it."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mining.pair_strength import (
    BUYER_TRUST,
    buyer_factor_strength,
    buyer_walk_strength,
    click_cluster_strength,
    content_click_strength,
    copurchase_strength,
    page_term_strength,
)

Strength = Callable[[np.ndarray, np.ndarray], np.ndarray]
STRENGTHS: dict[str, Strength] = {
    "content_click": content_click_strength,
    "page_terms": page_term_strength,
    "buyer_factors": buyer_factor_strength,
    "buyer_walks": buyer_walk_strength,
    "copurchase": lambda weight, _: copurchase_strength(weight),
}


@given(
    name=st.sampled_from(sorted(STRENGTHS)),
    measures=st.lists(st.floats(0, 1), min_size=1, max_size=20),
    people=st.integers(0, 10**6),
)
def test_a_strength_lies_between_0_and_1_and_grows_with_the_measure(
    name: str, measures: list[float], people: int
) -> None:
    measure = np.sort(np.array(measures))
    strength = STRENGTHS[name](measure, np.full(len(measure), people))
    assert strength.dtype == np.float32
    assert np.all((strength >= 0) & (strength <= 1))
    assert np.all(np.diff(strength) >= 0)


@pytest.mark.parametrize("name", sorted(STRENGTHS.keys() - {"copurchase"}))
def test_more_people_make_a_pair_stronger(name: str) -> None:
    strength = STRENGTHS[name](np.full(4, 0.5), np.array([1, 2, 10, 1000]))
    assert np.all(np.diff(strength) > 0)


def test_buyers_alone_never_make_a_pair_as_strong_as_people_can() -> None:
    certain, many = np.ones(1), np.full(1, 10**6)
    for name in ("copurchase", "buyer_factors", "buyer_walks"):
        assert STRENGTHS[name](certain, many)[0] <= BUYER_TRUST
    assert page_term_strength(certain, many)[0] > 0.99


def test_shared_words_that_nobody_clicked_for_count_as_one_person() -> None:
    one, none = content_click_strength(np.full(2, 0.6), np.array([1, 0]))
    assert one == none == np.float32(0.6 / 3)
    linked = click_cluster_strength(np.zeros(1), np.zeros(1), np.array([50]))
    assert linked[0] < none
