"""The stage that weighs relevance by what a page says, for requests that name a page."""

from collections.abc import Sequence

import numpy as np

from indexes.arrays import Array
from indexes.opened import Indexes
from kr.retrieval.anchors import AnchorFinder
from kr.retrieval.url_topics import page_share
from kr.types import Candidates, Request, StageResult

TRUST_IN_THE_PAGE = 0.9
"""Relevance of a keyword all of whose words are the page's main ones, if nothing else speaks for it."""
UNSAID = 0.6
"""What is left of the relevance of a keyword none of whose words the page says."""


class PageRelevance:
    """Relevance is at least what the page says of the keyword; that by way of minor topics counts less.

    Replaces `relevance`, float32 in 0..1, and adds `page_share` float32 (`page_share`); without a page relevance stays.
    With w the greatest weight of a topic that led to the keyword and s the share of it that the page says:
    max(0.9·s², relevance · √w · (0.6 + 0.4·s)). What the caller typed beside the page has weight 1.
    """

    name = "page_relevance"
    adds: Sequence[str] = ("relevance", "page_share")

    def __init__(self, indexes: Indexes, anchors: AnchorFinder, miners: Sequence[str]) -> None:
        self._indexes = indexes
        self._anchors = anchors
        self._miners = tuple(miners)
        self.needs: Sequence[str] = (
            *("relevance", "exact_seed", "token_seed", "semantic_seed"),
            *(f"{miner}_anchor" for miner in self._miners),
        )

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        if not request.page_topics:
            none = np.zeros(len(candidates), np.float32)
            return StageResult.keeping_all(candidates.with_columns(page_share=none))
        share = page_share(self._indexes, request.page_topics, candidates.keyword_id)
        weight = self._topic_weight(request, candidates)
        scaled = candidates["relevance"] * np.sqrt(weight) * (UNSAID + (1 - UNSAID) * share)
        relevance = np.maximum(scaled, TRUST_IN_THE_PAGE * share**2)
        return StageResult.keeping_all(
            candidates.with_columns(relevance=relevance.astype(np.float32), page_share=share.astype(np.float32))
        )

    def _topic_weight(self, request: Request, candidates: Candidates) -> Array:
        """The greatest weight of a seed that led to each candidate, float64 (n,); 0 where only words did."""
        by_text = {topic.text: topic.weight for topic in request.page_topics}
        # Position −1, no seed, reads the 0 at the end.
        seeds = np.array([*(by_text.get(seed, 1.0) for seed in request.seeds), 0.0])
        columns = (candidates[name] for name in ("exact_seed", "token_seed", "semantic_seed"))
        weight = np.max([seeds[column] for column in columns], axis=0)
        anchors = self._anchors.find(request.seeds)
        if len(anchors.keyword_id):
            for miner in self._miners:
                anchor = candidates[f"{miner}_anchor"]
                place = np.minimum(np.searchsorted(anchors.keyword_id, anchor), len(anchors.keyword_id) - 1)
                led = anchors.keyword_id[place] == anchor
                weight = np.maximum(weight, np.where(led, seeds[anchors.seed[place]], 0.0))
        return weight
