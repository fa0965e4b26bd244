"""Strings are found by binary search in mapped bytes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.arrays import ArrayFolder, ranges, write_array
from indexes.errors import CorruptError
from indexes.vocabulary import StringList, Vocabulary, write_strings, write_vocabulary

TEXTS = st.sets(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=40)


@given(TEXTS, st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
def test_every_string_is_found_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, texts: set[str], other: str
) -> None:
    folder = tmp_path_factory.mktemp("vocabulary")
    ordered = sorted(texts)
    write_vocabulary(folder, "words", ordered)
    vocabulary = Vocabulary(ArrayFolder(folder), "words")
    assert list(vocabulary) == ordered
    assert [vocabulary.find(text) for text in ordered] == list(range(len(ordered)))
    assert vocabulary.find(other) == (ordered.index(other) if other in texts else -1)
    assert vocabulary.lower_bound(other) == sum(text < other for text in ordered)
    assert vocabulary.take(np.arange(len(ordered))[::-1]) == ordered[::-1]


def test_strings_out_of_order_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ascending"):
        write_vocabulary(tmp_path, "words", ["b", "a"])
    with pytest.raises(ValueError, match="distinct"):
        write_vocabulary(tmp_path, "words", ["a", "a"])


def test_a_string_list_keeps_its_order(tmp_path: Path) -> None:
    write_strings(tmp_path, "paths", ["b", "", "a", "b"])
    assert list(StringList(ArrayFolder(tmp_path), "paths")) == ["b", "", "a", "b"]
    with pytest.raises(IndexError):
        StringList(ArrayFolder(tmp_path), "paths")[4]


def test_strings_that_do_not_fit_their_offsets_are_corrupt(tmp_path: Path) -> None:
    write_strings(tmp_path, "paths", ["abc"])
    write_array(tmp_path, "paths/utf8.npy", np.zeros(2, np.uint8))
    with pytest.raises(CorruptError):
        StringList(ArrayFolder(tmp_path), "paths")


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 6)), max_size=20))
def test_ranges_are_the_slices_one_after_the_other(slices: list[tuple[int, int]]) -> None:
    starts = np.array([start for start, _ in slices], np.int64)
    counts = np.array([count for _, count in slices], np.int64)
    assert ranges(starts, counts).tolist() == [p for start, count in slices for p in range(start, start + count)]
