"""The generic engine: sources, one merge, stages in order, a trace. It knows no business word."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from indexes.arrays import sorted_distinct
from kr.types import Array, Candidates, ColumnSpec, Request, Source, Stage, StageResult


class PipelineError(ValueError):
    """A pipeline is wired wrongly; the message names the stage or source and the column."""


@dataclass(frozen=True)
class StageTrace:
    """What one stage did: rows in and out, removals by code, seconds; with `explain`, the removed rows themselves."""

    name: str
    rows_in: int
    rows_out: int
    removed_by_code: Mapping[int, int]
    seconds: float
    removed: Candidates | None = None
    removal_codes: Array | None = None


@dataclass(frozen=True)
class Trace:
    """What every source found and every stage did."""

    sources: Mapping[str, int]
    source_seconds: Mapping[str, float]
    merged: int
    stages: Sequence[StageTrace]


@dataclass(frozen=True)
class PipelineResult:
    """The rows that came through, in order, how many there were before the cut, and the trace."""

    candidates: Candidates
    trace: Trace


@dataclass(frozen=True)
class Pipeline:
    """Sources and stages, checked when built: every column that a stage needs is added before it.

    `base_columns` are added by no source (the merge's own). Source i owns bit i of `source_mask`.
    """

    sources: Sequence[Source]
    stages: Sequence[Stage]
    specs: Mapping[str, ColumnSpec] = field(init=False)

    def __post_init__(self) -> None:
        if len(self.sources) > 32:
            raise PipelineError(f"{len(self.sources)} sources; source_mask has 32 bits")
        specs: dict[str, ColumnSpec] = {}
        names: set[str] = set()
        for source in self.sources:
            if source.name in names:
                raise PipelineError(f"two sources are named {source.name}")
            names.add(source.name)
            for column, spec in source.adds.items():
                if column in specs:
                    raise PipelineError(f"source {source.name} adds column {column}, which another source adds")
                specs[column] = spec
        available = set(specs)
        for stage in self.stages:
            for column in stage.needs:
                if column not in available:
                    raise PipelineError(f"stage {stage.name} needs column {column}, which nothing before it adds")
            available.update(stage.adds)
        object.__setattr__(self, "specs", specs)

    def run(self, request: Request) -> PipelineResult:
        """Answer a request; deterministic for the same request and the same indexes."""
        found: dict[str, int] = {}
        seconds: dict[str, float] = {}
        batches = []
        for source in self.sources:
            started = time.perf_counter()
            batch = source.retrieve(request)
            seconds[source.name] = time.perf_counter() - started
            found[source.name] = len(batch)
            batches.append(batch)
        candidates = merge(batches, self.specs)
        merged = len(candidates)
        traces = []
        for stage in self.stages:
            started = time.perf_counter()
            result = stage.run(request, candidates)
            self._check(stage, candidates, result)
            traces.append(_trace(stage.name, candidates, result, time.perf_counter() - started, request.explain))
            candidates = result.kept
        return PipelineResult(candidates, Trace(found, seconds, merged, traces))

    @staticmethod
    def _check(stage: Stage, before: Candidates, result: StageResult) -> None:
        if len(result.kept) + len(result.removed) != len(before):
            raise PipelineError(f"stage {stage.name} lost rows: {len(before)} in, {len(result.kept)} kept, "
                                f"{len(result.removed)} removed")  # fmt: skip
        if len(result.removal_codes) != len(result.removed):
            raise PipelineError(f"stage {stage.name} gave {len(result.removal_codes)} codes for "
                                f"{len(result.removed)} removed rows")  # fmt: skip
        for column in stage.adds:
            if column not in result.kept.columns:
                raise PipelineError(f"stage {stage.name} declares column {column} but did not add it")


def merge(batches: Sequence[Candidates], specs: Mapping[str, ColumnSpec]) -> Candidates:
    """One batch with each keyword once, ascending by id; batch i sets bit i.

    Every column of every batch is kept; rows that a batch does not have get the column's absent value. Within a batch
    a keyword may stand once only.
    """
    ids = [batch.keyword_id for batch in batches]
    keyword_id = sorted_distinct(np.concatenate(ids)).astype(np.int32) if ids else np.empty(0, np.int32)
    source_mask = np.zeros(len(keyword_id), np.uint32)
    columns = {name: np.full(len(keyword_id), spec.absent, spec.dtype) for name, spec in specs.items()}
    for bit, batch in enumerate(batches):
        if not len(batch):
            continue
        rows = np.searchsorted(keyword_id, batch.keyword_id)
        source_mask[rows] |= np.uint32(1 << bit)
        for name, column in batch.columns.items():
            columns[name][rows] = column
    return Candidates(keyword_id, source_mask, columns)


def _trace(name: str, before: Candidates, result: StageResult, seconds: float, explain: bool) -> StageTrace:
    counts = np.bincount(result.removal_codes).tolist() if len(result.removal_codes) else []
    return StageTrace(
        name,
        len(before),
        len(result.kept),
        {code: count for code, count in enumerate(counts) if count},
        seconds,
        result.removed if explain else None,
        result.removal_codes if explain else None,
    )
