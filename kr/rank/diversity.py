"""Few rows that say different things: maximal marginal relevance (Carbonell & Goldstein 1998) over what is left of a
keyword without the query.

All related searches are like the query; two of them are one intent if what they add to it is alike. "鲜花价格"
and "鲜花多少钱" add words that are used alike, "鲜花价格" and "鲜花图片" do not. So tokens of the query are left out on
both sides, and the likeness of two rows is the greater of

    the cosine of the vectors of their other tokens (`indexes.term_vectors`)
    the idf of the other tokens that they share / the idf of all other tokens of both

The rows are taken one after the other, each time the one with the greatest λ · score − (1 − λ) · likeness to the
nearest row taken, scores divided by the best one. A row as like another one as NEAR_DUPLICATE is never taken.
MMR was preferred to one row a cluster: it needs no clusters of the build, and falls back to plain order where all rows
differ.
"""

from collections.abc import Sequence

import numpy as np

from indexes.arrays import Array
from indexes.opened import Indexes
from indexes.term_vectors import SCALE, unit_codes
from indexes.text import tokens
from kr.reasons import Removal
from kr.types import Candidates, Request, StageResult

POOL = 100
"""Rows among which the different ones are looked for: the best ones; the others keep their order behind them."""
SCORE_SHARE = 0.7
"""λ: 1 is the order of the scores."""
NEAR_DUPLICATE = 0.9


class Diversity:
    """Reorders the POOL best rows and removes near-duplicates of rows before them; rows behind the pool go too.

    `score` becomes what a row adds to those before it, 0..1, falling from row to row: rules may still multiply it.
    """

    name = "diversity"
    needs: Sequence[str] = ("score",)
    adds: Sequence[str] = ("score", "likeness")

    def __init__(self, indexes: Indexes, score_share: float = SCORE_SHARE) -> None:
        self._indexes = indexes
        self._score_share = score_share

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        pool = candidates.take(np.arange(min(POOL, len(candidates))))
        likeness = self.likeness(request.seeds, pool.keyword_id)
        chosen, gains, nearest = marginal_order(pool["score"], likeness, self._score_share, NEAR_DUPLICATE)
        behind = np.setdiff1d(np.arange(len(candidates)), chosen)
        rows = np.concatenate([chosen, behind])
        of_chosen = np.arange(len(rows)) < len(chosen)
        score, alike = np.zeros(len(rows)), np.zeros(len(rows))
        score[of_chosen], alike[of_chosen] = gains + 1 - self._score_share, nearest
        codes = np.where(rows < len(pool), Removal.NEAR_DUPLICATE, Removal.CUT_TO_LIMIT)
        return StageResult.split(candidates.take(rows).with_columns(score=score, likeness=alike), of_chosen, codes)

    def likeness(self, seeds: Sequence[str], keyword_ids: Array) -> Array:
        """How alike each two keywords are beside the seeds' tokens, float32 (n, n) in 0..1, 1 with themselves."""
        indexes, count = self._indexes, len(keyword_ids)
        counts, flat = indexes.forward.tokens_of(keyword_ids)
        owner = np.repeat(np.arange(count), counts)
        of_seeds = indexes.token_ids(tuple(token for seed in seeds for token in tokens(seed)))
        other = ~np.isin(flat, of_seeds)
        owner, flat = owner[other], flat[other]
        terms, column = np.unique(flat, return_inverse=True)
        holds = np.zeros((count, len(terms)), np.float32)
        holds[owner, column] = 1.0
        weights = np.abs(indexes.postings.idf[terms]).astype(np.float32)
        shared = (holds * weights) @ holds.T
        mass = shared.diagonal()
        union = mass[:, None] + mass[None, :] - shared
        # Two keywords without any other token add the same: nothing.
        lexical = np.divide(shared, union, out=np.ones_like(shared), where=union > 0)
        codes, known = unit_codes(indexes.term_vectors.contributions[flat], np.bincount(owner, minlength=count))
        cosines = codes.astype(np.float32) @ codes.T.astype(np.float32) / np.float32(SCALE * SCALE)
        semantic = np.where(known[:, None] & known[None, :], np.clip(cosines, 0, 1), 0)
        alike = np.maximum(lexical, semantic)
        np.fill_diagonal(alike, 1.0)
        return alike.astype(np.float32)


def marginal_order(
    score: Array, likeness: Array, score_share: float, near_duplicate: float
) -> tuple[Array, Array, Array]:
    """Rows in the order of maximal marginal relevance, int64; those left out are near-duplicates of rows before them.

    With each row its marginal relevance, which never rises from row to row, and its likeness to the nearest row before
    it, float64. Ties go to the row that stands first.
    """
    left = np.ones(len(score), bool)
    nearest = np.zeros(len(score))
    relative = score / max(float(score.max(initial=0.0)), 1e-12)
    order, gains, alike = [], [], []
    while left.any():
        gain = np.where(left, score_share * relative - (1 - score_share) * nearest, -np.inf)
        best = int(gain.argmax())
        order.append(best)
        gains.append(gain[best])
        alike.append(nearest[best])
        nearest = np.maximum(nearest, likeness[best])
        left &= likeness[best] < near_duplicate
        left[best] = False
    return np.array(order, np.int64), np.array(gains, np.float64), np.array(alike, np.float64)
