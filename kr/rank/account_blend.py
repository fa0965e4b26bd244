"""The scores of recommendations: the blend of all origins, and what the account said of keywords a moment ago."""

from collections.abc import Sequence

import numpy as np

from indexes.arrays import Array
from indexes.blend_model import BlendModel
from indexes.recommendation_blend import features, fixed_blend
from kr.relevance.tree_kernel import read_trees
from kr.retrieval.recommended import RecommendationFinder
from kr.types import Candidates, Request, StageResult

RAISED = 0.5
"""A keyword that is as near as can be to one that was liked scores so much more."""
LOWERED = 0.8
"""One near to a dismissed keyword so much less."""
TOLD_FROM = 0.3
"""Nearness from which a reason tells it."""


class AccountBlend:
    """Adds `score` and `relevance` float64 in 0..1: the snapshot's learned blend, or the fixed one without a model.

    Trees are walked by the kernel of the relevance models, which equals LightGBM bit for bit.
    """

    name = "account_blend"
    needs: Sequence[str] = ()
    adds: Sequence[str] = ("score", "relevance", "liked", "disliked", "exact_seed")

    def __init__(self, finder: RecommendationFinder, model: BlendModel | None) -> None:
        self._finder, self._model = finder, model
        self._trees = None if model is None else read_trees((model.trees,))

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        found = self._finder.find(request).recalled
        stats = self._finder.indexes.stats
        if self._trees is None or self._model is None:
            scores: Array = fixed_blend(found, stats)
        else:
            scores = self._model.scaled(self._trees.scores(features(found, stats))[:, 0])
        rows = np.searchsorted(found.keyword_id, candidates.keyword_id)
        score = scores[rows]
        return StageResult.keeping_all(
            candidates.with_columns(
                score=score,
                relevance=np.clip(score, 0.0, 1.0),
                liked=found.known["liked"][rows],
                disliked=found.known["disliked"][rows],
                # No candidate is a seed; the stage of close variants asks.
                exact_seed=np.full(len(candidates), -1, np.int32),
            )
        )


class FeedbackRefresh:
    """Raises what is near to liked keywords and lowers what is near to dismissed ones, from the next request on.

    Nearness is that of `AccountRecall.likeness`. Models learn from the same verdicts when they are trained again.
    """

    name = "feedback_refresh"
    needs: Sequence[str] = ("score", "liked", "disliked")
    adds: Sequence[str] = ()

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        factor = (1 + RAISED * candidates["liked"]) * (1 - LOWERED * candidates["disliked"])
        return StageResult.keeping_all(candidates.with_columns(score=candidates["score"] * factor))
