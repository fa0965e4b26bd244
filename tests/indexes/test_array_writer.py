"""An array written in parts is byte for byte the one that numpy would have saved whole."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.array_writer import ArrayWriter
from indexes.vocabulary import VocabularyWriter, write_vocabulary

DTYPES = ["<u1", "<i4", "<i8", "<f4", "<u8"]


@given(st.lists(st.lists(st.integers(0, 255), max_size=20), max_size=6), st.sampled_from(DTYPES))
def test_parts_give_the_bytes_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, parts: list[list[int]], dtype: str
) -> None:
    folder = tmp_path_factory.mktemp("arrays")
    with ArrayWriter(folder, "parts/array.npy", dtype) as writer:
        for part in parts:
            writer.append(np.array(part, dtype))
    whole = np.array([value for part in parts for value in part], dtype)
    np.save(folder / "whole.npy", whole)
    assert (folder / "parts/array.npy").read_bytes() == (folder / "whole.npy").read_bytes()
    assert writer.length == len(whole)


def test_an_array_whose_block_failed_holds_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), ArrayWriter(tmp_path, "array.npy", np.int32) as writer:
        writer.append(np.arange(5))
        raise RuntimeError
    assert len(np.load(tmp_path / "array.npy")) == 0


@given(st.sets(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), max_size=20), st.integers(1, 5))
def test_a_vocabulary_written_in_parts_is_the_one_written_whole(
    tmp_path_factory: pytest.TempPathFactory, texts: set[str], size: int
) -> None:
    folder = tmp_path_factory.mktemp("vocabulary")
    ordered = sorted(texts)
    write_vocabulary(folder, "whole", ordered)
    with VocabularyWriter(folder, "parts") as writer:
        for begin in range(0, len(ordered), size):
            writer.append(ordered[begin : begin + size])
    for name in ("offsets.npy", "utf8.npy"):
        assert (folder / "whole" / name).read_bytes() == (folder / "parts" / name).read_bytes()


def test_order_is_checked_across_parts(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="b'b' before b'a'"), VocabularyWriter(tmp_path, "words") as writer:
        writer.append(["a", "b"])
        writer.append([])
        writer.append(["a"])
