"""The nearest of each owner against sorting, on values with many ties."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mining.nearest import among_nearest


@given(
    entries=st.dictionaries(
        st.tuples(st.integers(0, 4), st.integers(0, 20)), st.sampled_from([0.25, 0.5, 0.75, 1.0]), max_size=60
    ),
    most=st.integers(1, 6),
)
def test_the_nearest_are_those_that_come_first_by_value_and_then_by_number(
    entries: dict[tuple[int, int], float], most: int
) -> None:
    owner, other = np.array(list(entries), np.int64).reshape(-1, 2).T
    near = among_nearest(owner, other, np.array(list(entries.values()), np.float64), most)
    kept = {pair for pair, is_near in zip(entries, near.tolist(), strict=True) if is_near}
    assert kept == {
        pair
        for number in range(5)
        for pair in sorted((pair for pair in entries if pair[0] == number), key=lambda pair: (-entries[pair], pair))[
            :most
        ]
    }
