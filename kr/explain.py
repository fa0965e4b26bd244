"""From a trace to an explanation tree that a person or a program can read."""

from typing import Any

import numpy as np

from indexes.opened import Indexes
from kr.pipeline import PipelineResult, StageTrace
from kr.reasons import REMOVAL_TEXTS, Removal
from kr.types import Candidates

MOST_REMOVED = 200
"""Removed rows named per stage, the most relevant first; the counts are always whole."""


def explanation(indexes: Indexes, result: PipelineResult) -> dict[str, Any]:
    """What every source found, what every stage removed and why, and the parts of each shown row's score.

    Times are left out, so that the same request gives the same bytes.
    """
    trace = result.trace
    return {
        "sources": [{"name": name, "found": found} for name, found in trace.sources.items()],
        "merged": trace.merged,
        "stages": [_stage(indexes, stage) for stage in trace.stages],
        "rows": [_row(indexes, result.candidates, row) for row in range(len(result.candidates))],
    }


def _stage(indexes: Indexes, stage: StageTrace) -> dict[str, Any]:
    node: dict[str, Any] = {
        "name": stage.name,
        "rows_in": stage.rows_in,
        "rows_out": stage.rows_out,
        "removed_by": {Removal(code).name.lower(): count for code, count in sorted(stage.removed_by_code.items())},
    }
    if stage.removed is not None and stage.removal_codes is not None and len(stage.removed):
        rows = np.arange(len(stage.removed))
        if "relevance" in stage.removed.columns:
            rows = np.lexsort((stage.removed.keyword_id, -stage.removed["relevance"]))
        node["removed"] = [_removed(indexes, stage, row) for row in rows[:MOST_REMOVED].tolist()]
    return node


def _removed(indexes: Indexes, stage: StageTrace, row: int) -> dict[str, Any]:
    assert stage.removed is not None and stage.removal_codes is not None
    code = Removal(int(stage.removal_codes[row]))
    english, chinese = REMOVAL_TEXTS[code]
    keyword = indexes.keywords[int(stage.removed.keyword_id[row])]
    return {"text": keyword, "removal": code.name.lower(), "text_en": english, "text_zh": chinese}


def _row(indexes: Indexes, candidates: Candidates, row: int) -> dict[str, Any]:
    parts = {}
    for name, column in candidates.columns.items():
        value = column[row].item()
        if isinstance(value, float):
            value = round(value, 6) if np.isfinite(value) else None
        parts[name] = value
    return {"text": indexes.keywords[int(candidates.keyword_id[row])], "parts": parts}
