"""Which relevance admits a keyword: the request's bar, else the operator's, else the model's, else a literal one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kr.reasons import Removal
from kr.relevance.thresholds import Use
from kr.settings import MIN_RELEVANCE, MIN_RELEVANCE_RELATED, Settings
from kr.types import Candidates, Request, StageResult

if TYPE_CHECKING:
    from kr.relevance.model import RelevanceModel


def bar_for(use: Use, settings: Settings, model: "RelevanceModel | None") -> float:
    """The bar of a use where the request sets none; `model` is None where relevance is literal."""
    of_operator, literal = {
        Use.KEYWORD_SEARCH: (settings.min_relevance, MIN_RELEVANCE),
        Use.RELATED_SEARCHES: (settings.min_relevance_related, MIN_RELEVANCE_RELATED),
    }[use]
    if of_operator is not None:
        return of_operator
    return model.thresholds[use] if model is not None else literal


class RelevanceAdmission:
    """Removes candidates whose relevance is under the bar; parameter `min_relevance` moves the bar for one request."""

    name = "relevance_admission"
    needs: Sequence[str] = ("relevance",)
    adds: Sequence[str] = ()

    def __init__(self, min_relevance: float) -> None:
        self._min_relevance = min_relevance

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        bar = request.parameters.get("min_relevance", self._min_relevance)
        return StageResult.split(candidates, candidates["relevance"] >= np.float32(bar), Removal.LOW_RELEVANCE)
