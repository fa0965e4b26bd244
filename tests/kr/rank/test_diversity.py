"""Rows that say different things: maximal marginal relevance, and what makes two keywords alike."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from indexes.arrays import Array
from indexes.opened import Indexes
from kr.rank.diversity import Diversity, marginal_order

COUNTS = st.integers(0, 12)


@st.composite
def lists(draw: st.DrawFn) -> tuple[Array, Array]:
    count = draw(COUNTS)
    score = draw(arrays(np.float64, count, elements=st.floats(0, 1)))
    alike = draw(arrays(np.float64, (count, count), elements=st.floats(0, 1)))
    alike = np.maximum(alike, alike.T)
    np.fill_diagonal(alike, 1.0)
    return score, alike


def plain(score: Array, alike: Array, share: float, bar: float) -> list[int]:
    """The definition, word for word."""
    chosen: list[int] = []
    best = max(score, default=0.0) or 1e-12
    left = list(range(len(score)))
    while left:
        gains = [
            share * score[row] / best - (1 - share) * max([alike[row][c] for c in chosen] or [0.0]) for row in left
        ]
        taken = left[gains.index(max(gains))]
        chosen.append(taken)
        left = [row for row in left if row != taken and alike[row][taken] < bar]
    return chosen


@given(lists(), st.floats(0.1, 1))
def test_the_order_is_that_of_the_definition(drawn: tuple[Array, Array], share: float) -> None:
    score, alike = drawn
    order, gains, nearest = marginal_order(score, alike, share, 0.9)
    wanted = plain(score, alike, share, 0.9)
    if len(set(np.round(gains, 9))) == len(gains):
        assert order.tolist() == wanted
    assert len(order) == len(gains) == len(nearest) <= len(score)


@given(lists(), st.floats(0.1, 1))
def test_no_two_rows_that_stay_are_near_duplicates_and_gains_never_rise(
    drawn: tuple[Array, Array], share: float
) -> None:
    order, gains, nearest = marginal_order(*drawn, share, 0.9)
    among = drawn[1][np.ix_(order, order)] - 2 * np.eye(len(order))
    assert (among < 0.9).all() and (nearest < 0.9).all()
    assert (np.diff(gains) <= 1e-9).all()


def test_without_any_likeness_the_order_is_that_of_the_scores() -> None:
    score = np.array([0.2, 0.9, 0.5])
    assert marginal_order(score, np.eye(3), 0.7, 0.9)[0].tolist() == [1, 2, 0]


@pytest.fixture(scope="module")
def indexes(tiny_store: Path) -> Indexes:
    return Indexes.open(tiny_store)


def ids(indexes: Indexes, *texts: str) -> Array:
    return np.array([indexes.keywords.find(text) for text in texts])


def test_what_two_keywords_share_with_the_query_does_not_make_them_alike(indexes: Indexes) -> None:
    pair = ids(indexes, "鲜花速递", "鲜花 北京")
    assert Diversity(indexes).likeness(("鲜花",), pair)[0, 1] == 0
    assert Diversity(indexes).likeness(("running shoes",), pair)[0, 1] > 0


def test_the_same_other_words_in_another_order_are_the_same(indexes: Indexes) -> None:
    alike = Diversity(indexes).likeness(("鲜花",), ids(indexes, "鲜花速递", "速递鲜花", "flowers"))
    assert alike[0, 1] == pytest.approx(1.0) and alike[0, 2] == 0
    assert np.allclose(alike, alike.T) and np.allclose(alike.diagonal(), 1)


def test_keywords_that_add_nothing_to_the_query_are_one(indexes: Indexes) -> None:
    assert Diversity(indexes).likeness(("鲜花速递",), ids(indexes, "鲜花", "速递鲜花"))[0, 1] == 1.0
