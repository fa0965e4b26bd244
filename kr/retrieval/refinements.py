"""The stage of the caller's finer filters: those that ask the text, or the result, rather than a mapped column."""

from collections.abc import Sequence

import numpy as np

from indexes.opened import Indexes
from kr.grouping import in_groups, shared_terms
from kr.keyword_intents import INTENTS, KeywordIntents
from kr.reasons import Removal
from kr.relevance.match import suggested_match_type
from kr.row_matches import RowMatcher
from kr.types import Array, Candidates, Request, StageResult


class Refinements:
    """Removes what is not of the intents, suggested match types and groups asked for; a row that fails several is
    counted under the first. Groups are those of the rows that pass the other filters."""

    name = "refinements"
    adds: Sequence[str] = ()

    def __init__(self, indexes: Indexes, miners: tuple[str, ...], intents: KeywordIntents) -> None:
        self._indexes = indexes
        self._intents = intents
        self._matches = RowMatcher(indexes, miners)
        self.needs: Sequence[str] = (
            *("relevance", "exact_seed", "semantic_seed"),
            *(f"{miner}_{part}" for miner in miners for part in ("strength", "anchor")),
        )

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        wanted = request.filters
        codes = np.zeros(len(candidates), np.int16)
        if wanted.intents:
            chosen = [code for code, intent in enumerate(INTENTS) if intent.value in wanted.intents]
            codes[~np.isin(self._intents.of(candidates.keyword_id), chosen)] = Removal.FILTER_INTENT
        if wanted.match_types:
            rows = np.flatnonzero(codes == 0)
            suggested = self._match_types(request, candidates.take(rows))
            codes[rows[~np.isin(suggested, wanted.match_types)]] = Removal.FILTER_MATCH_TYPE
        if wanted.groups:
            rows = np.flatnonzero(codes == 0)
            shared = shared_terms(self._indexes, request, candidates.keyword_id[rows])
            codes[rows[~in_groups(self._indexes, shared, wanted.groups)]] = Removal.FILTER_GROUP
        return StageResult.split(candidates, codes == 0, codes)

    def _match_types(self, request: Request, candidates: Candidates) -> Array:
        texts = self._indexes.keywords.take(candidates.keyword_id)
        monthly = self._indexes.stats.avg_monthly_searches[candidates.keyword_id].tolist()
        return np.array(
            [
                suggested_match_type(match, score, None if searches != searches else searches).value
                for (_, match), score, searches in zip(
                    self._matches.of_page(request, candidates, texts),
                    candidates["relevance"].tolist(),
                    monthly,
                    strict=True,
                )
            ],
            dtype="U6",
        )
