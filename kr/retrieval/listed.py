"""Scoring a caller's own keywords: the source that finds them, and the stage that keeps no others."""

from collections.abc import Mapping, Sequence

import numpy as np

from indexes.opened import Indexes
from kr.reasons import Removal
from kr.types import Candidates, ColumnSpec, Request, StageResult


class ListedSource:
    """The keywords that the request lists, as far as they are known; `listed` is 1 for them."""

    name = "listed"
    adds: Mapping[str, ColumnSpec] = {"listed": ColumnSpec("int8", 0)}

    def __init__(self, indexes: Indexes) -> None:
        self._keywords = indexes.keywords

    def retrieve(self, request: Request) -> Candidates:
        found = {keyword_id for keyword_id in map(self._keywords.find, request.listed) if keyword_id >= 0}
        ids = np.array(sorted(found), np.int32)
        return Candidates(ids, np.zeros(len(ids), np.uint32), {"listed": np.ones(len(ids), np.int8)})


class KeepListed:
    """Removes what the other sources found beside the listed keywords: it is evidence, not an answer.

    Adds `rules` uint64, always 0: the operator's rules order what KR recommends, not what the caller brings.
    """

    name = "keep_listed"
    needs: Sequence[str] = ("listed",)
    adds: Sequence[str] = ("rules",)

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        marked = candidates.with_columns(rules=np.zeros(len(candidates), np.uint64))
        return StageResult.split(marked, marked["listed"] > 0, Removal.NOT_LISTED)
