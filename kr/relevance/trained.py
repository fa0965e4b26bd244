"""Relevance by a trained model, in place of `LiteralRelevance` where a model is configured."""

from collections.abc import Sequence

import numpy as np

from indexes.arrays import Array
from indexes.errors import UsageError
from indexes.opened import Indexes
from kr.relevance.features import EncodedPairs, encode_for
from kr.relevance.literal import columns_read, with_relevance
from kr.relevance.model import RelevanceModel
from kr.relevance.snapshot_texts import SnapshotTexts
from kr.types import Candidates, Request, StageResult


class TrainedRelevance:
    """Adds `literal`, `behaviour` and `relevance`, float32 in 0..1; removes nothing.

    `literal` is what the model says of the texts, the best seed's; likeness and the evidence of the miners are joined
    as `LiteralRelevance` does.
    """

    name = "trained_relevance"
    adds: Sequence[str] = ("literal", "behaviour", "relevance")

    def __init__(self, indexes: Indexes, miners: Sequence[str], model: RelevanceModel) -> None:
        if model.encoder is not None:
            raise UsageError(
                "The relevance model reads the sentence encoder, which is too slow to serve.",
                "Train one with --encoder none.",
            )
        self.model = model
        self._miners = tuple(miners)
        self._texts = SnapshotTexts(indexes, model.knowledge)
        self.needs: Sequence[str] = columns_read(indexes, self._miners)

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        literal = self._of_texts(request.seeds, candidates.keyword_id)
        return StageResult.keeping_all(with_relevance(candidates, literal, self._miners))

    def _of_texts(self, seeds: Sequence[str], keyword_ids: Array) -> Array:
        count = len(keyword_ids)
        if not count or not seeds:
            return np.zeros(count)
        pairs = EncodedPairs(
            encode_for(seeds, self.model.knowledge),
            np.repeat(np.arange(len(seeds)), count),
            self._texts.encode(keyword_ids),
            np.tile(np.arange(count), len(seeds)),
        )
        return self.model.predict_encoded(pairs).relevance.reshape(len(seeds), count).max(axis=0)
