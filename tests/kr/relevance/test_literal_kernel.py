"""The compiled literal score is the plain one, bit for bit."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from indexes.arrays import offsets_from_counts
from kr.relevance.literal import LONGEST_COMPILED_SEED, SPELLING_BAR, letter_places, plain_overlap, plain_similarity
from kr.relevance.literal_kernel import overlap, spelling_similarity

LETTERS = "ab é鲜花速💐"
TEXTS = st.text(LETTERS, min_size=1, max_size=12)


@given(st.text(LETTERS, min_size=1, max_size=LONGEST_COMPILED_SEED), st.lists(TEXTS, min_size=1, max_size=20))
@example("鲜花速递", ["鲜花速递"])
@example("健身中心优惠", ["健身中心"])  # the bar itself
@example("a" * 64, ["a" * 64, "a" * 63, "b"])
def test_spelling_is_as_alike_as_the_plain_way_says(seed: str, keywords: list[str]) -> None:
    encoded = [text.encode() for text in keywords]
    offsets = offsets_from_counts(np.array([len(text) for text in encoded]))
    utf8 = np.frombuffer(b"".join(encoded), np.uint8)
    found = np.empty(len(keywords), np.float32)
    ids = np.arange(len(keywords), dtype=np.int32)
    assert spelling_similarity(ids, offsets, utf8, *letter_places(seed), len(seed), SPELLING_BAR, found)
    plain = plain_similarity(seed, keywords)
    assert plain.dtype == found.dtype and found.tobytes() == plain.tobytes()


@given(
    st.lists(st.lists(st.integers(0, 9), max_size=6), min_size=1, max_size=20),
    st.lists(st.floats(-3, 12, allow_nan=False), min_size=10, max_size=10),
    st.sets(st.integers(0, 9), max_size=5),
)
def test_terms_in_common_weigh_as_much_as_the_plain_way_says(
    keywords: list[list[int]], idf: list[float], known: set[int]
) -> None:
    counts = np.array([len(tokens) for tokens in keywords])
    flat = np.array([token for tokens in keywords for token in tokens], np.int32)
    weights, wanted = np.array(idf), np.array(sorted(known), np.int64)
    found = np.empty((3, len(keywords)))
    ids = np.arange(len(keywords), dtype=np.int32)
    assert overlap(ids, offsets_from_counts(counts), flat, weights, wanted, *found)
    assert found.tobytes() == np.array(plain_overlap(counts, flat, weights, wanted)).tobytes()


def test_what_leads_out_of_its_file_is_damaged() -> None:
    ids, weights, known = np.zeros(1, np.int32), np.ones(2), np.zeros(1, np.int64)
    room = np.empty((3, 1))
    assert not overlap(ids, np.array([0, 5]), np.zeros(2, np.int32), weights, known, *room)
    assert not overlap(ids, np.array([0, 1]), np.array([7], np.int32), weights, known, *room)
    found = np.empty(1, np.float32)
    letters = letter_places("a")
    assert not spelling_similarity(ids, np.array([0, 9]), np.zeros(2, np.uint8), *letters, 1, SPELLING_BAR, found)
