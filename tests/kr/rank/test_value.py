"""What a search earns, and how it is weighed against quality."""

from pathlib import Path

import numpy as np
import pytest

from indexes.opened import Indexes
from kr.rank.value import LEAST_VALUE, QualityAndValue
from kr.types import Candidates, Request


@pytest.fixture(scope="module")
def indexes(tiny_store: Path) -> Indexes:
    return Indexes.open(tiny_store)


def candidates(indexes: Indexes, relevance: float, *texts: str) -> Candidates:
    ids = np.array([indexes.keywords.find(text) for text in texts], np.int32)
    return Candidates(ids, np.zeros(len(ids), np.uint32), {"relevance": np.full(len(ids), relevance, np.float32)})


def test_dear_contested_keywords_are_worth_more_and_unsold_ones_least(indexes: Indexes) -> None:
    ids = candidates(indexes, 1, "英语培训", "鲜花", "鲜花 北京", "先花").keyword_id
    value = QualityAndValue(indexes, 0.7).of(ids)
    assert value[0] == 1.0 and value[3] == LEAST_VALUE
    assert (np.diff(value) < 0).all()


def test_t_of_one_leaves_quality_alone_and_t_of_nought_value(indexes: Indexes) -> None:
    rows = candidates(indexes, 0.5, "英语培训", "先花")
    stage = QualityAndValue(indexes, 0.7)
    for t, wanted in [(1.0, [0.5, 0.5]), (0.0, [1.0, LEAST_VALUE]), (0.5, [0.5**0.5, (0.5 * LEAST_VALUE) ** 0.5])]:
        kept = stage.run(Request(("鲜花",), parameters={"t": t}), rows).kept
        assert kept["score"] == pytest.approx(wanted)
    assert stage.run(Request(("鲜花",)), rows).kept["score"][0] == pytest.approx(0.5**0.7)
