"""The source that finds the seeds themselves."""

from collections.abc import Mapping

import numpy as np

from indexes.opened import Indexes
from kr.types import Candidates, ColumnSpec, Request


class ExactSource:
    """Each seed that is a known keyword; `exact_seed` is the seed's position, -1 for rows of other sources."""

    name = "exact"
    adds: Mapping[str, ColumnSpec] = {"exact_seed": ColumnSpec("int32", -1)}

    def __init__(self, indexes: Indexes) -> None:
        self._keywords = indexes.keywords

    def retrieve(self, request: Request) -> Candidates:
        found: dict[int, int] = {}
        for position, seed in enumerate(request.seeds):
            keyword_id = self._keywords.find(seed)
            if keyword_id >= 0:
                found.setdefault(keyword_id, position)
        ids = np.array(list(found), np.int32)
        seeds = np.array(list(found.values()), np.int32)
        return Candidates(ids, np.zeros(len(ids), np.uint32), {"exact_seed": seeds})
