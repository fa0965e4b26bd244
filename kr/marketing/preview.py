"""What other rules would do to a search: the same pipeline run under both, nothing put live."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from indexes.opened import Indexes
from kr.marketing.rules import Rule
from kr.pipeline import Pipeline, PipelineResult, StageTrace
from kr.types import Candidates, Request

SHOWN_ROWS = 20


@dataclass(frozen=True)
class PreviewRow:
    """A keyword that is shown before or after: its places, from 1, None where it is not in the list at all.

    `rules` name those that touch it after; `removed_by` and `was_removed_by` the rule that takes it out after, or took
    it out before.
    """

    text: str
    before: int | None
    after: int | None
    rules: tuple[str, ...]
    rules_before: tuple[str, ...]
    removed_by: str | None
    was_removed_by: str | None

    @property
    def change(self) -> Literal["same", "up", "down", "added", "removed"]:
        """`same`, `up`, `down`, `added` or `removed`."""
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        return "same" if self.before == self.after else "up" if self.after < self.before else "down"


@dataclass(frozen=True)
class RulePreview:
    """One search before and after: `before` and `after` are the first rows of each list, `total_…` whole lengths."""

    query: str
    before: tuple[PreviewRow, ...]
    after: tuple[PreviewRow, ...]
    total_before: int
    total_after: int

    @property
    def counts(self) -> dict[str, int]:
        """How many of the rows shown on either side changed how."""
        rows = {row.text: row for row in (*self.before, *self.after)}
        found = dict.fromkeys(("same", "up", "down", "added", "removed"), 0)
        for row in rows.values():
            found[row.change] += 1
        return found


def preview(
    indexes: Indexes,
    request: Request,
    pipelines: tuple[Pipeline, Pipeline],
    rules: tuple[Sequence[Rule], Sequence[Rule]],
    shown: int = SHOWN_ROWS,
) -> RulePreview:
    """Run a request through the pipeline before and the one after; each with the rules that it applies."""
    whole = replace(request, offset=0, limit=1_000_000_000, explain=True)
    lists = [_List(pipeline.run(whole), names) for pipeline, names in zip(pipelines, rules, strict=True)]
    before, after = lists
    ids = [found.ids[:shown] for found in lists]
    texts = dict(zip(ids[0] + ids[1], indexes.keywords.take(np.array(ids[0] + ids[1], np.int32)), strict=True))
    rows = {
        keyword_id: PreviewRow(
            text,
            before.place.get(keyword_id),
            after.place.get(keyword_id),
            after.touching(keyword_id),
            before.touching(keyword_id),
            after.removed.get(keyword_id),
            before.removed.get(keyword_id),
        )
        for keyword_id, text in texts.items()
    }
    return RulePreview(
        "，".join(request.seeds),
        tuple(rows[keyword_id] for keyword_id in ids[0]),
        tuple(rows[keyword_id] for keyword_id in ids[1]),
        len(before.ids),
        len(after.ids),
    )


class _List:
    """The order of one run, which rules touched each row, and which removed one."""

    def __init__(self, result: PipelineResult, rules: Sequence[Rule]) -> None:
        self._names = [rule.name for rule in rules]
        self._touched = dict(_bits(result.candidates))
        self.ids: list[int] = result.candidates.keyword_id.tolist()
        self.place = {keyword_id: place for place, keyword_id in enumerate(self.ids, start=1)}
        self.removed = {
            keyword_id: self._named(bits)[0]
            for stage in result.trace.stages
            for keyword_id, bits in _removed_by_rules(stage)
            if bits
        }

    def touching(self, keyword_id: int) -> tuple[str, ...]:
        return self._named(self._touched.get(keyword_id, 0))

    def _named(self, bits: int) -> tuple[str, ...]:
        return tuple(name for bit, name in enumerate(self._names) if bits >> bit & 1)


def _removed_by_rules(stage: StageTrace) -> list[tuple[int, int]]:
    return _bits(stage.removed) if stage.name == "marketing_rules" and stage.removed is not None else []


def _bits(candidates: Candidates) -> list[tuple[int, int]]:
    if "rules" not in candidates.columns:
        return []
    return list(zip(candidates.keyword_id.tolist(), candidates["rules"].tolist(), strict=True))
