"""KR's own systems in next-query prediction: each miner's pairs alone, all joined by the fixed rule, and the fusion.

A system is a score for pairs. Given several keywords it adds up what each says, the older ones counting less, by
HISTORY_DECAY a step. The fusion's score is the share that it expects of the next searches, so the sum weighs by itself:
a keyword of which little is known adds little.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from indexes.arrays import Array
from indexes.neighbors import KIND_OF_EVIDENCE, joint_strength
from mining.embedding_evaluation import pairs_with_embeddings
from mining.fusion_features import STRENGTH
from mining.fusion_model import FusionModel
from mining.mined_pairs import PAIR_MINERS
from mining.next_query import CUT, UNKNOWN, Histories, best_of_rows
from mining.pair_evidence import PairEvidence, Pairs

HISTORIES_AT_A_TIME = 2000
HISTORY_DECAY = 0.3
"""Chosen on another market (seed 2): every system is better by it than by the 0.8 of co-occurrence."""
FUSION, NOISY_OR = "fusion", "all together (noisy-or)"


class PairSystem:
    """Ranks by the scores of pairs; a score of 0 is no pair."""

    def __init__(self, name: str, pairs: Pairs, score: Array, keywords: int) -> None:
        self.name = name
        kept = np.flatnonzero(score > 0)
        self._scores = csr_array(
            (score[kept].astype(np.float64), (pairs.keyword[kept], pairs.neighbor[kept])), shape=(keywords, keywords)
        )

    def predict(self, histories: Histories) -> Array:
        """The keywords with the greatest sums."""
        best = np.full((len(histories), CUT), UNKNOWN, np.int64)
        shape = (len(histories), self._scores.shape[0])
        weights = csr_array((HISTORY_DECAY**histories.age, histories.keyword, histories.offsets), shape=shape)
        own = histories.owner * shape[1] + histories.keyword
        for begin in range(0, len(histories), HISTORIES_AT_A_TIME):
            end = min(begin + HISTORIES_AT_A_TIME, len(histories))
            found = (weights[begin:end] @ self._scores).tocoo()
            row, column = (axis.astype(np.int64) for axis in found.coords)
            new = ~np.isin((row + begin) * shape[1] + column, own)
            best[begin:end] = best_of_rows(row[new], column[new], found.data[new], end - begin)
        return best


def kr_systems(mined: Path, evidence: PairEvidence, asked: Array, model: FusionModel | None) -> Iterator[PairSystem]:
    """Every system over the pairs of the keywords asked for (places, ascending), one after the other."""
    pairs, likeness = pairs_with_embeddings(mined, evidence, asked)
    strengths = {name: pairs.column(f"{name}.{STRENGTH}") for name in PAIR_MINERS} | {"embeddings": likeness}
    scores = dict(strengths)
    scores["cooccurrence, by weight"] = pairs.column("cooccurrence.weight")
    scores["association_rules, by confidence"] = pairs.column("association_rules.confidence")
    scores[NOISY_OR] = joint_strength({name: strengths[name].astype(np.float64) for name in KIND_OF_EVIDENCE})
    if model is not None:
        scores[FUSION] = model.next_share(pairs.features)
        scores["fusion, by strength alone"] = model.strength(pairs.features)
    for name, score in scores.items():
        yield PairSystem(name, pairs, score, len(evidence))
