"""One way from tokens to a vector: a keyword typed later gets the very vector that the build gave it."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.opened import Indexes
from indexes.term_vectors import SCALE, character_grams, unit_codes
from indexes.text import tokens


@pytest.fixture(scope="module")
def indexes(small_store: Path) -> Indexes:
    return Indexes.open(small_store)


def test_every_keyword_typed_later_has_the_vector_of_the_build(indexes: Indexes) -> None:
    members, codes = np.asarray(indexes.vectors._members), indexes.vectors._codes
    stored = dict(zip(members.tolist(), codes, strict=True))
    assert len(stored) == len(members) > 0.95 * len(indexes.keywords)
    for keyword_id in range(0, len(indexes.keywords), 7):
        code = indexes.term_vectors.code(tokens(indexes.keywords[keyword_id]))
        if keyword_id in stored:
            assert code is not None
            assert code.tolist() == stored[keyword_id].tolist()
        else:
            assert code is None


@given(st.lists(st.integers(0, 12), min_size=1, max_size=20), st.integers(0, 1000))
def test_a_texts_vector_depends_on_its_own_tokens_only(counts: list[int], seed: int) -> None:
    generator = np.random.default_rng(seed)
    contributions = generator.standard_normal((sum(counts), 5)).astype(np.float16)
    codes, known = unit_codes(contributions, np.array(counts))
    assert known.tolist() == [count > 0 for count in counts]
    for place, count in enumerate(counts):
        begin = sum(counts[:place])
        own = contributions[begin : begin + count]
        alone, _ = unit_codes(own, np.array([count]))
        assert codes[place].tolist() == alone[0].tolist()
        if count:
            total = own.astype(np.float64).sum(axis=0)
            assert np.abs(codes[place] - SCALE * total / np.linalg.norm(total)).max() <= 0.51


def test_contributions_that_cancel_give_no_vector() -> None:
    codes, known = unit_codes(np.array([[1, -2], [-1, 2]], np.float16), np.array([2]))
    assert not known[0]
    assert not codes.any()


def test_an_unseen_word_is_put_together_from_its_characters(indexes: Indexes) -> None:
    for misspelt, meant in (("flowerss", "flower"), ("flowersdelivery", "flower")):
        assert indexes.terms.find(misspelt) < 0
        code, right = indexes.term_vectors.code((misspelt,)), indexes.term_vectors.code((meant,))
        assert code is not None
        assert right is not None
        assert code.astype(int) @ right.astype(int) > 0.3 * SCALE * SCALE


@pytest.mark.parametrize("unknown", [(), ("qzxv",), ("кофе",), ("\U00020000",), ("qzxv", "kjwq")])
def test_what_means_nothing_to_the_model_has_no_vector(indexes: Indexes, unknown: tuple[str, ...]) -> None:
    assert indexes.term_vectors.code(unknown) is None


def test_the_order_of_words_does_not_matter_beyond_rounding(indexes: Indexes) -> None:
    one, other = (indexes.term_vectors.code(words) for words in (("flower", "delivery"), ("delivery", "flower")))
    assert one is not None
    assert other is not None
    assert one.tolist() == other.tolist()


def test_grams_mark_where_a_latin_word_begins_and_ends() -> None:
    assert character_grams("ab") == ["<ab", "ab>", "<ab>"]
    assert character_grams("鲜花") == ["鲜", "花", "鲜花"]
    assert character_grams("aaaaaa").count("aaa") == 1
