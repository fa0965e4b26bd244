"""A relevance score from letters and logs, until a trained model takes its place behind the same stage.

Literal part, per seed and candidate, the best seed counts:

    coverage  = idf of the seed's tokens that the candidate holds / idf of all the seed's tokens
    precision = idf of those tokens / idf of all the candidate's tokens
    literal   = coverage^1.5 · (0.75 + 0.25 · precision), or 0.9 · the spelling similarity where that is 0.8 or more

Tokens that no keyword holds weigh as much as the rarest. Behaviour part: the joint strength of the miners
(`indexes.neighbors.joint_strength`), each taken as trust · √strength: the square root lifts honest but thin evidence,
and trust says how far a miner alone may carry a keyword. Where the snapshot holds a strength for the pair that was
learned from the evidence of all miners, it takes the place of the joint one. Likeness is that of the keyword's vector
to the seed's, taken in the same way; vectors are made of words, so that likeness and the literal part don't confirm
each other. Relevance joins them by noisy or: 1 − (1 − max(literal, likeness))(1 − behaviour).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from indexes.arrays import Array, sorted_distinct
from indexes.neighbors import FUSION, joint_strength
from indexes.opened import Indexes
from indexes.text import tokens
from indexes.vectors import embedding_strength
from kr.types import Candidates, Request, StageResult

COVERAGE_POWER = 1.5
SHARE_OF_PRECISION = 0.25
SPELLING_BAR = 0.8
SPELLING_WEIGHT = 0.9
TRUST: Mapping[str, float] = {
    "cooccurrence": 0.8,
    "association_rules": 0.8,
    "click_clusters": 0.9,
    "page_terms": 0.9,
    "embeddings": 0.8,
    FUSION: 0.9,
}


def columns_read(indexes: Indexes, miners: Sequence[str]) -> tuple[str, ...]:
    """The columns that behaviour and likeness need."""
    fused = ("fused_strength",) if FUSION in indexes.neighbors.miners else ()
    return (*(f"{miner}_strength" for miner in miners), *fused, "semantic_similarity")


def behaviour_of(candidates: Candidates, miners: Sequence[str]) -> Array:
    """What people did, joined over the miners, or as learned from all of them: float64 (n,) in 0..1."""
    joint = joint_strength({miner: TRUST[miner] * np.sqrt(candidates[f"{miner}_strength"]) for miner in miners})
    if "fused_strength" not in candidates.columns:
        return joint
    fused = candidates["fused_strength"].astype(np.float64)
    return np.where(fused > 0, TRUST[FUSION] * np.sqrt(fused), joint)


def likeness_of(candidates: Candidates) -> Array:
    """What their vectors say, float64 (n,) in 0..1: like shared words it comes from the words, and confirms none."""
    return TRUST["embeddings"] * np.sqrt(embedding_strength(candidates["semantic_similarity"]).astype(np.float64))


def with_relevance(candidates: Candidates, literal: Array, miners: Sequence[str]) -> Candidates:
    """The candidates with `literal` (what texts say, float (n,) in 0..1), `behaviour`, and `relevance` of both."""
    behaviour = behaviour_of(candidates, miners)
    relevance = 1 - (1 - np.maximum(literal, likeness_of(candidates))) * (1 - behaviour)
    return candidates.with_columns(
        literal=literal.astype(np.float32),
        behaviour=behaviour.astype(np.float32),
        relevance=relevance.astype(np.float32),
    )


class LiteralRelevance:
    """Adds `literal`, `behaviour` and `relevance`, float32 in 0..1; removes nothing."""

    name = "literal_relevance"
    adds: Sequence[str] = ("literal", "behaviour", "relevance")
    model = None
    """No trained model, and so none of its thresholds."""

    def __init__(self, indexes: Indexes, miners: Sequence[str]) -> None:
        self._indexes = indexes
        self._miners = tuple(miners)
        self.needs: Sequence[str] = columns_read(indexes, self._miners)
        self._rarest = float(indexes.postings.idf.max()) if len(indexes.terms) else 1.0

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        literal = self._literal(request.seeds, candidates.keyword_id)
        return StageResult.keeping_all(with_relevance(candidates, literal, self._miners))

    def _literal(self, seeds: Sequence[str], keyword_ids: Array) -> Array:
        best: Array = np.zeros(len(keyword_ids), np.float64)
        if not len(keyword_ids):
            return best
        from rapidfuzz import process
        from rapidfuzz.distance import Indel

        idf = self._indexes.postings.idf
        counts, flat = self._indexes.forward.tokens_of(keyword_ids)
        owner = np.repeat(np.arange(len(keyword_ids)), counts)
        # astype: bincount of nothing is int64, weights or not.
        mass = np.bincount(owner, weights=np.abs(idf[flat]), minlength=len(keyword_ids)).astype(np.float64)
        texts = self._indexes.keywords.take(keyword_ids)
        for seed in seeds:
            coverage, shared = self._overlap(seed, owner, flat, len(keyword_ids))
            precision = np.divide(shared, mass, out=np.zeros_like(mass), where=mass > 0)
            score = coverage**COVERAGE_POWER * (1 - SHARE_OF_PRECISION + SHARE_OF_PRECISION * np.minimum(precision, 1))
            similarity = process.cdist([seed], texts, scorer=Indel.normalized_similarity, score_cutoff=SPELLING_BAR)[0]
            best = np.maximum(best, np.maximum(score, SPELLING_WEIGHT * similarity))
            best[np.array(texts, object) == seed] = 1.0
        return best

    def _overlap(self, seed: str, owner: Array, flat: Array, count: int) -> tuple[Array, Array]:
        """Of each candidate: the share of the seed's idf that it holds, and the idf of its tokens found in the seed."""
        idf = self._indexes.postings.idf
        distinct = tuple(dict.fromkeys(tokens(seed)))
        known = np.array(sorted(set(self._indexes.token_ids(distinct))), np.int64)
        total = float(np.abs(idf[known]).sum()) + self._rarest * (len(distinct) - len(known))
        if not len(known) or total <= 0:
            return np.zeros(count), np.zeros(count)
        place = np.searchsorted(known, flat)
        matched = known[np.minimum(place, len(known) - 1)] == flat
        weights = np.abs(idf[flat[matched]])
        shared = np.bincount(owner[matched], weights=weights, minlength=count)
        # A token that stands twice in the candidate covers the seed's token once.
        pairs = sorted_distinct(owner[matched].astype(np.int64) * len(idf) + flat[matched])
        covered = np.bincount(pairs // len(idf), weights=np.abs(idf[pairs % len(idf)]), minlength=count)
        return covered / total, shared
