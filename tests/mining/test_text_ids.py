"""Texts of mined tables are found in the vocabulary exactly, or refused by name."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.errors import CorruptError
from indexes.vocabulary import write_vocabulary
from mining.text_ids import TextIds

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@given(st.sets(TEXT, min_size=1, max_size=20), st.data())
def test_ids_are_places_in_the_vocabulary(
    tmp_path_factory: pytest.TempPathFactory, texts: set[str], data: st.DataObject
) -> None:
    folder: Path = tmp_path_factory.mktemp("ids")
    keywords = sorted(texts)
    write_vocabulary(folder, "keywords", keywords)
    asked = data.draw(st.lists(st.sampled_from(keywords), max_size=20))
    places = [keywords.index(text) for text in asked]
    ids = TextIds(folder)
    half = len(asked) // 2
    plain = pa.chunked_array([pa.array(asked[:half], pa.string()), pa.array(asked[half:], pa.string())])
    assert ids.of("table", plain).tolist() == places
    assert ids.of("table", plain.dictionary_encode()).tolist() == places
    other = data.draw(TEXT.filter(lambda text: text not in texts))
    with pytest.raises(CorruptError, match="table names"):
        ids.of("table", pa.chunked_array([[*asked, other]], pa.string()))


def test_a_row_without_a_keyword_is_refused(tmp_path: Path) -> None:
    write_vocabulary(tmp_path, "keywords", ["a"])
    with pytest.raises(CorruptError, match="table holds a row without a keyword"):
        TextIds(tmp_path).of("table", pa.chunked_array([["a", None]], pa.string()))
