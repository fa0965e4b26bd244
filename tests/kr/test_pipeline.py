"""The generic engine: wiring is checked when built, no row is lost, the merge keeps every column."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kr.pipeline import Pipeline, PipelineError, merge
from kr.types import Candidates, ColumnSpec, Request, StageResult

REQUEST = Request(seeds=("a",))


class ListSource:
    def __init__(self, name: str, ids: Sequence[int], values: Sequence[float] | None = None) -> None:
        self.name = name
        self.adds = {f"{name}_value": ColumnSpec("float64", -1.0)}
        self._ids = np.array(ids, np.int32)
        self._values = np.array(values if values is not None else ids, np.float64)

    def retrieve(self, request: Request) -> Candidates:
        return Candidates(self._ids, np.zeros(len(self._ids), np.uint32), {f"{self.name}_value": self._values})


class OddOnly:
    name = "odd_only"
    needs: Sequence[str] = ("first_value",)
    adds: Sequence[str] = ()

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        return StageResult.split(candidates, candidates.keyword_id % 2 == 1, 7)


class LosesRows(OddOnly):
    name = "loses_rows"

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        nothing = candidates.take(np.empty(0, np.int64))
        return StageResult(candidates.take(np.arange(len(candidates)) > 0), nothing, np.empty(0, np.int16))


class ForgetsColumn(OddOnly):
    name = "forgets_column"
    adds: Sequence[str] = ("promised",)


IDS = st.sets(st.integers(0, 30), max_size=15)


@given(st.lists(IDS, min_size=1, max_size=5))
def test_the_merge_holds_each_keyword_once_with_all_its_columns(batches: list[set[int]]) -> None:
    sources = [ListSource(f"s{place}", sorted(ids)) for place, ids in enumerate(batches)]
    specs = {name: spec for source in sources for name, spec in source.adds.items()}
    merged = merge([source.retrieve(REQUEST) for source in sources], specs)
    everything = sorted(set().union(*batches))
    assert merged.keyword_id.tolist() == everything
    for place, ids in enumerate(batches):
        assert [bool(mask >> place & 1) for mask in merged.source_mask.tolist()] == [i in ids for i in everything]
        assert merged[f"s{place}_value"].tolist() == [float(i) if i in ids else -1.0 for i in everything]


def test_a_stage_that_needs_a_missing_column_fails_when_built() -> None:
    with pytest.raises(PipelineError, match="odd_only needs column first_value"):
        Pipeline((ListSource("second", [1]),), (OddOnly(),))


def test_two_sources_may_not_add_one_column_or_share_a_name() -> None:
    other = ListSource("first", [2])
    with pytest.raises(PipelineError, match="named first"):
        Pipeline((ListSource("first", [1]), other), ())
    other.name = "renamed"
    with pytest.raises(PipelineError, match="adds column first_value"):
        Pipeline((ListSource("first", [1]), other), ())


def test_a_stage_that_loses_rows_is_caught() -> None:
    with pytest.raises(PipelineError, match="loses_rows lost rows: 2 in, 1 kept, 0 removed"):
        Pipeline((ListSource("first", [1, 2]),), (LosesRows(),)).run(REQUEST)


def test_a_stage_that_does_not_add_its_column_is_caught() -> None:
    with pytest.raises(PipelineError, match="promised"):
        Pipeline((ListSource("first", [1, 2]),), (ForgetsColumn(),)).run(REQUEST)


def test_the_trace_counts_what_every_part_did() -> None:
    pipeline = Pipeline((ListSource("first", [1, 2, 3]), ListSource("second", [3, 4])), (OddOnly(),))
    result = pipeline.run(Request(seeds=("a",), explain=True))
    assert result.candidates.keyword_id.tolist() == [1, 3]
    assert result.trace.sources == {"first": 3, "second": 2} and result.trace.merged == 4
    (stage,) = result.trace.stages
    assert (stage.rows_in, stage.rows_out, stage.removed_by_code) == (4, 2, {7: 2})
    assert stage.removed is not None and stage.removed.keyword_id.tolist() == [2, 4]


def test_without_explain_the_trace_keeps_counts_only() -> None:
    result = Pipeline((ListSource("first", [1, 2]),), (OddOnly(),)).run(REQUEST)
    assert result.trace.stages[0].removed is None


def test_columns_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="column x has 1 rows, the batch has 2"):
        Candidates(np.array([1, 2], np.int32), np.zeros(2, np.uint32), {"x": np.zeros(1)})
