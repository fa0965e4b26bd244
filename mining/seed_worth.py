"""What candidates for seeds are worth: where they stand among the topics, and what they retrieve (SPEC §1.12)."""

from enum import StrEnum
from pathlib import Path

import numpy as np

from indexes.arrays import Array, ArrayFolder
from indexes.forward import Forward
from indexes.neighbors import FUSION, Neighbors, joint_strength
from indexes.term_vectors import SCALE, TermVectors, unit_codes
from indexes.vocabulary import Vocabulary
from mining.build_tables import MinedTables

RETRIEVED = 10
GOOD_STRENGTH = 0.15
MOST_NEIGHBORS = 200
AT_A_TIME = 4096


class Coherence(StrEnum):
    """By what a keyword is compared with a context."""

    TOPICS = "topics"
    VECTORS = "vectors"


class Worth:
    """What the candidates (ids, ascending) are worth: relevance and utility float64 (n,), good results int64 (n,)."""

    def __init__(self, folder: Path, candidates: Array, canonical: Array, severity: Array) -> None:
        self.candidates = candidates
        self.relevance = np.zeros(len(candidates))
        self.results = np.zeros(len(candidates), np.int64)
        neighbors = Neighbors(ArrayFolder(folder))
        for begin in range(0, len(candidates), AT_A_TIME):
            part = slice(begin, begin + AT_A_TIME)
            self.relevance[part], self.results[part] = _retrieved(neighbors, candidates[part], canonical, severity)
        most = float(np.log1p(self.results.max(initial=0))) or 1.0
        self.utility = np.log1p(self.results) / most

    def places(self, keyword: Array) -> tuple[Array, Array]:
        """Where keywords stand among the candidates, int64, and which of them do, bool."""
        place = np.searchsorted(self.candidates, keyword)
        place = np.minimum(place, max(len(self.candidates) - 1, 0))
        known = self.candidates[place] == keyword if len(self.candidates) else np.zeros(len(keyword), bool)
        return place, known


def candidate_vectors(
    mined: MinedTables, folder: Path, candidates: Array, by: Coherence = Coherence.TOPICS
) -> tuple[Array, Coherence]:
    """Unit vectors float32 (n, dims) of candidates, 0 for those of which nothing is known, and what they are of.

    Topics where the mining has some; older minings, and those of small logs, have the vectors of words alone.
    """
    reader = ArrayFolder(folder)
    counts, flat = Forward(reader).tokens_of(candidates)
    if by is Coherence.TOPICS and (found := _topic_contributions(mined, Vocabulary(reader, "terms"), flat)) is not None:
        contributions = found
    else:
        by = Coherence.VECTORS
        contributions = TermVectors(reader, Vocabulary(reader, "terms")).contributions[flat]
    codes, _ = unit_codes(contributions, counts)
    return codes.astype(np.float32) / SCALE, by


def _topic_contributions(mined: MinedTables, terms: Vocabulary, term_ids: Array) -> Array | None:
    """The places among the topics of terms of the snapshot, float32 (n, topics); None if nothing was mined."""
    if not mined.has("topic_terms"):
        return None
    wanted, place = np.unique(term_ids, return_inverse=True)
    row_of = dict(zip(terms.take(wanted), range(len(wanted)), strict=True))
    contributions = None
    for batch in mined.batches("topic_terms", ["term", "vector"]):
        names = batch["term"].to_pylist()
        vectors = batch["vector"].combine_chunks().flatten().to_numpy().reshape(len(names), -1)
        if contributions is None:
            contributions = np.zeros((len(wanted), vectors.shape[1]), np.float32)
        rows = np.array([row_of.get(name, -1) for name in names])
        contributions[rows[rows >= 0]] = vectors[rows >= 0]
    return None if contributions is None else contributions[place]


def _retrieved(neighbors: Neighbors, keywords: Array, canonical: Array, severity: Array) -> tuple[Array, Array]:
    """Mean √strength of the RETRIEVED strongest results of each keyword, and how many good ones there are."""
    # A learned strength, where the snapshot has one, is on a scale of its own; the bars here are of the joined one.
    found = neighbors.of(keywords, MOST_NEIGHBORS)
    lists = {name: each for name, each in found.items() if name != FUSION}
    # Results of one group of close variants are one; the keyword's own group is none.
    span = len(canonical)
    keys = {name: each.position.astype(np.int64) * span + canonical[each.neighbor] for name, each in lists.items()}
    distinct = np.unique(np.concatenate([np.empty(0, np.int64), *keys.values()]))
    strengths = {}
    for name, each in lists.items():
        strengths[name] = np.zeros(len(distinct))
        safe = severity[each.neighbor] == 0
        np.maximum.at(strengths[name], np.searchsorted(distinct, keys[name][safe]), each.strength[safe])
    position, head = distinct // span, distinct % span
    strength = np.where(head == canonical[keywords][position], 0.0, joint_strength(strengths)) if strengths else head
    good = np.bincount(position[strength >= GOOD_STRENGTH], minlength=len(keywords))
    order = np.lexsort((-strength, position))
    place = np.arange(len(order)) - np.searchsorted(position[order], position[order])
    best = order[place < RETRIEVED]
    relevance = np.bincount(position[best], np.sqrt(strength[best]), len(keywords)) / RETRIEVED
    return relevance, good
