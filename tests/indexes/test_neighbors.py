"""Each miner's pairs are read back strongest first, with their evidence."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.arrays import ArrayFolder
from indexes.neighbors import Neighbors, write_neighbors

PAIRS = st.dictionaries(
    st.tuples(st.integers(0, 9), st.integers(0, 9)),
    st.tuples(st.floats(0, 1, width=32), st.integers(0, 99)),
    max_size=40,
)


@given(PAIRS, st.lists(st.integers(0, 9), max_size=5), st.integers(1, 5))
def test_neighbors_are_the_strongest_first_with_their_own_evidence(
    tmp_path_factory: pytest.TempPathFactory,
    pairs: dict[tuple[int, int], tuple[float, int]],
    asked: list[int],
    most: int,
) -> None:
    folder: Path = tmp_path_factory.mktemp("neighbors")
    keyword, neighbor = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    strength = np.array([value[0] for value in pairs.values()], np.float32)
    sessions = np.array([value[1] for value in pairs.values()], np.int32)
    write_neighbors(folder, "miner", 10, keyword, neighbor, {"strength": strength, "sessions": sessions})
    by_keyword = defaultdict(list)
    for (a, b), (value, count) in pairs.items():
        by_keyword[a].append((-np.float32(value), b, count))
    expected = [
        (place, b, -value, count) for place, a in enumerate(asked) for value, b, count in sorted(by_keyword[a])[:most]
    ]
    index = Neighbors(ArrayFolder(folder), "miner")
    found = index.of(np.array(asked, np.int32), most)
    evidence = index.columns["sessions"][found.row].tolist()
    assert (
        list(zip(found.position.tolist(), found.neighbor.tolist(), found.strength, evidence, strict=True)) == expected
    )
