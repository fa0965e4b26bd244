"""The stage that removes the seeds and what is only another spelling of them: that tells nobody anything."""

from collections.abc import Sequence

import numpy as np

from indexes.opened import Indexes
from indexes.text import fingerprint
from kr.reasons import Removal
from kr.types import Candidates, Request, StageResult


class SeedVariants:
    """Removes keywords that are a seed, a close variant of one, or made of the same words."""

    name = "seed_variants"
    needs: Sequence[str] = ()
    adds: Sequence[str] = ()

    def __init__(self, indexes: Indexes) -> None:
        self._indexes = indexes

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        known = [self._indexes.keywords.find(seed) for seed in request.seeds]
        heads = self._indexes.stats.canonical[np.array([seed for seed in known if seed >= 0], np.int64)]
        same = np.isin(self._indexes.stats.canonical[candidates.keyword_id], heads)
        # Known seeds stand in their group of close variants; of the others only the words can be compared.
        if marks := {fingerprint(seed) for seed, found in zip(request.seeds, known, strict=True) if found < 0}:
            texts = self._indexes.keywords.take(candidates.keyword_id)
            same |= np.fromiter((fingerprint(text) in marks for text in texts), bool, len(texts))
        return StageResult.split(candidates, ~same, Removal.SAME_AS_QUERY)
