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
from indexes.errors import CorruptError
from indexes.neighbors import FUSION, joint_strength
from indexes.opened import Indexes
from indexes.postings import KERNELS_FROM
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

LONGEST_COMPILED_SEED = 64
"""Characters of a seed that the kernel compares."""
REMEDY = "Serve another snapshot, or build again with manage.py build."


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

    def __init__(self, indexes: Indexes, miners: Sequence[str], kernels_from: int = KERNELS_FROM) -> None:
        self._indexes = indexes
        self._miners = tuple(miners)
        self.needs: Sequence[str] = columns_read(indexes, self._miners)
        self._rarest = float(indexes.postings.idf.max()) if len(indexes.terms) else 1.0
        self._compiled = len(indexes.keywords) >= kernels_from
        if self._compiled:
            # Loads the kernels, or compiles them, before the first request.
            self._literal(("",), np.zeros(1, np.int32))

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        literal = self._literal(request.seeds, candidates.keyword_id)
        return StageResult.keeping_all(with_relevance(candidates, literal, self._miners))

    def _literal(self, seeds: Sequence[str], keyword_ids: Array) -> Array:
        best: Array = np.zeros(len(keyword_ids), np.float64)
        if not len(keyword_ids):
            return best
        for seed in seeds:
            coverage, shared, mass = self._overlap(seed, keyword_ids)
            precision = np.divide(shared, mass, out=np.zeros_like(mass), where=mass > 0)
            score = coverage**COVERAGE_POWER * (1 - SHARE_OF_PRECISION + SHARE_OF_PRECISION * np.minimum(precision, 1))
            similarity = self._similarity(seed, keyword_ids)
            best = np.maximum(best, np.maximum(score, SPELLING_WEIGHT * similarity))
            best[keyword_ids == self._indexes.keywords.find(seed)] = 1.0
        return best

    def _overlap(self, seed: str, keyword_ids: Array) -> tuple[Array, Array, Array]:
        """Of each candidate: the share of the seed's idf that it holds, the idf of its tokens found in the seed, and
        the idf of all its tokens."""
        idf, forward = self._indexes.postings.idf, self._indexes.forward
        distinct = tuple(dict.fromkeys(tokens(seed)))
        known = np.array(sorted(set(self._indexes.token_ids(distinct))), np.int64)
        if self._compiled:
            from kr.relevance.literal_kernel import overlap

            mass, shared, covered = np.empty((3, len(keyword_ids)))
            if not overlap(keyword_ids, forward.offsets, forward.tokens, idf, known, mass, shared, covered):
                raise CorruptError("forward/ does not fit the vocabulary.", REMEDY)
        else:
            mass, shared, covered = plain_overlap(*forward.tokens_of(keyword_ids), idf, known)
        total = float(np.abs(idf[known]).sum()) + self._rarest * (len(distinct) - len(known))
        return covered / total if total > 0 else np.zeros(len(keyword_ids)), shared, mass

    def _similarity(self, seed: str, keyword_ids: Array) -> Array:
        """How alike each candidate is spelt to the seed, float32, 0 below the bar."""
        if not self._compiled or len(seed) > LONGEST_COMPILED_SEED:
            return plain_similarity(seed, self._indexes.keywords.take(keyword_ids))
        from kr.relevance.literal_kernel import spelling_similarity

        found = np.empty(len(keyword_ids), np.float32)
        strings = self._indexes.keywords.arrays
        if not spelling_similarity(keyword_ids, *strings, *letter_places(seed), len(seed), SPELLING_BAR, found):
            raise CorruptError("vocabulary/ does not fit its offsets.", REMEDY)
        return found


def plain_overlap(counts: Array, flat: Array, idf: Array, known: Array) -> tuple[Array, Array, Array]:
    """What the compiled `overlap` gives, for small snapshots: idf of all tokens, of the known ones, of these once each.

    `counts` (n,) tokens of each keyword, `flat` all of them one after the other, `known` ascending token ids.
    """
    count = len(counts)
    owner = np.repeat(np.arange(count), counts)
    # astype: bincount of nothing is int64, weights or not.
    mass = np.bincount(owner, weights=np.abs(idf[flat]), minlength=count).astype(np.float64)
    if not len(known):
        return mass, np.zeros(count), np.zeros(count)
    place = np.searchsorted(known, flat)
    matched = known[np.minimum(place, len(known) - 1)] == flat
    shared = np.bincount(owner[matched], weights=np.abs(idf[flat[matched]]), minlength=count).astype(np.float64)
    # A token that stands twice in the candidate covers the seed's token once.
    pairs = sorted_distinct(owner[matched].astype(np.int64) * len(idf) + flat[matched])
    covered = np.bincount(pairs // len(idf), weights=np.abs(idf[pairs % len(idf)]), minlength=count)
    return mass, shared, covered.astype(np.float64)


def letter_places(seed: str) -> tuple[Array, Array]:
    """The distinct characters of a seed, int64, and at which of its positions each stands, a bit each, uint64."""
    places: dict[int, int] = {}
    for place, character in enumerate(seed):
        places[ord(character)] = places.get(ord(character), 0) | 1 << place
    return np.array(list(places), np.int64), np.array(list(places.values()), np.uint64)


def plain_similarity(seed: str, texts: Sequence[str]) -> Array:
    """What the compiled `spelling_similarity` gives, for small snapshots and long seeds."""
    from rapidfuzz import process
    from rapidfuzz.distance import Indel

    longest = len(seed) + np.fromiter(map(len, texts), np.int64, len(texts))
    distance = process.cdist([seed], texts, scorer=Indel.distance)[0] / longest
    return np.where(distance <= 1.0 - SPELLING_BAR, 1.0 - distance, 0.0).astype(np.float32)
