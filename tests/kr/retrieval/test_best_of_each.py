"""Of what several seeds or anchors find, each keyword stands once, with its greatest value."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kr.retrieval.token_match import best_of_each

FOUND = st.lists(st.tuples(st.integers(0, 6), st.sampled_from((0.0, 0.25, 0.5, 1.0))), max_size=12)


@given(FOUND)
def test_the_first_of_the_greatest_values_is_kept(found: list[tuple[int, float]]) -> None:
    best: dict[int, tuple[float, int]] = {}
    for place, (keyword, value) in enumerate(found):
        if keyword not in best or value > best[keyword][0]:
            best[keyword] = (value, place)
    ids = np.array([keyword for keyword, _ in found], np.int32)
    values = np.array([value for _, value in found], np.float32)
    batch = best_of_each(ids, values, "value", {"place": np.arange(len(found))})
    assert batch.keyword_id.tolist() == sorted(best) and batch.keyword_id.dtype == np.int32
    assert batch["value"].tolist() == [best[keyword][0] for keyword in sorted(best)]
    assert batch["place"].tolist() == [best[keyword][1] for keyword in sorted(best)]
