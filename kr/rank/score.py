"""The score by which keywords stand: quality against demand, with a dial between them."""

from collections.abc import Sequence

import numpy as np

from indexes.opened import Indexes
from kr.retrieval.filters import monthly_demand
from kr.types import Candidates, Request, StageResult

LEAST_DEMAND = 0.02
"""Demand of a keyword that was searched once, on the scale where the most searched keyword has 1."""


class QualityAndDemand:
    """Adds `score` float64: T = Q^t · R^(1−t) (SPEC §2.2), Q relevance, R log-scaled searches; t is per request."""

    name = "quality_and_demand"
    needs: Sequence[str] = ("relevance",)
    adds: Sequence[str] = ("score", "demand")

    def __init__(self, indexes: Indexes, quality_weight: float) -> None:
        self._indexes = indexes
        self._quality_weight = quality_weight
        everyone = np.arange(len(indexes.keywords)) if len(indexes.popular) == 0 else indexes.popular
        most = monthly_demand(indexes, everyone).max() if len(everyone) else 1.0
        self._log_most = float(np.log1p(most)) or 1.0

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        t = request.parameters.get("t", self._quality_weight)
        logs = np.log1p(monthly_demand(self._indexes, candidates.keyword_id)) / self._log_most
        demand = np.clip(logs, LEAST_DEMAND, 1.0)
        score = candidates["relevance"].astype(np.float64) ** t * demand ** (1 - t)
        return StageResult.keeping_all(candidates.with_columns(score=score, demand=demand))
