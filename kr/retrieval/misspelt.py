"""The stage that passes over misspellings, for lists of which nobody asked a single row."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from indexes.opened import Indexes
from kr.reasons import Removal
from kr.retrieval.corrections import Corrections
from kr.types import Candidates, Request, StageResult

KEYWORDS_KEPT = 65_536


class Misspelt:
    """Removes keywords that have a correction (`Corrections`), as far down as the request's limit needs; rows behind
    are removed as below the page, since looking for corrections takes time. Rows must be in order.
    """

    name = "misspelt"
    needs: Sequence[str] = ()
    adds: Sequence[str] = ()

    def __init__(self, indexes: Indexes, corrections: Corrections) -> None:
        self._keywords = indexes.keywords
        self._corrections = corrections
        self._is_misspelt = lru_cache(KEYWORDS_KEPT)(self._find)

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        keep = np.zeros(len(candidates), bool)
        codes = np.full(len(candidates), Removal.CUT_TO_LIMIT, np.int16)
        wanted = request.offset + request.limit
        for row, keyword_id in enumerate(candidates.keyword_id.tolist()):
            if wanted == 0:
                break
            keep[row] = not self._is_misspelt(keyword_id)
            codes[row] = Removal.MISSPELT
            wanted -= int(keep[row])
        return StageResult.split(candidates, keep, codes)

    def _find(self, keyword_id: int) -> bool:
        return self._corrections.find(self._keywords[keyword_id]) is not None
