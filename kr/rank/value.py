"""The score by which related searches stand: quality against what a search is worth to the platform."""

from collections.abc import Sequence

import numpy as np

from indexes.arrays import Array
from indexes.opened import Indexes
from kr.types import Candidates, Request, StageResult

LEAST_VALUE = 0.05
"""Value of a keyword that nobody bids on, on the scale where the most valuable popular keyword has 1."""


class QualityAndValue:
    """Adds `value` and `score` float64: T = Q^t · R^(1−t) (SPEC §2.7), Q relevance, R what one search earns; t is per
    request.

    One search earns about bid · ad CTR · share of ad slots filled: the middle of the range of top-of-page bids, clicks
    per ad impression, and the competition index / 100. R is its logarithm between LEAST_VALUE and 1, 1 being the most
    that a popular keyword earns. Where the CTR or the competition of a keyword with a bid is unknown, the middle one
    of the popular keywords stands in; without a bid nothing is earned.
    """

    name = "quality_and_value"
    needs: Sequence[str] = ("relevance",)
    adds: Sequence[str] = ("score", "value")

    def __init__(self, indexes: Indexes, quality_weight: float) -> None:
        self._stats = indexes.stats
        self._quality_weight = quality_weight
        popular = np.asarray(indexes.popular)
        self._usual_ctr = _middle(self._stats.ad_ctr[popular])
        self._usual_fill = _middle(self._stats.competition_index[popular])
        earned = self._earned(popular)
        self._unit = _middle(earned[earned > 0]) or 1.0
        self._most = float(np.log1p(earned.max() / self._unit)) if len(earned) and earned.max() > 0 else 1.0

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        t = request.parameters.get("t", self._quality_weight)
        value = self.of(candidates.keyword_id)
        score = candidates["relevance"].astype(np.float64) ** t * value ** (1 - t)
        return StageResult.keeping_all(candidates.with_columns(score=score, value=value))

    def of(self, keyword_ids: Array) -> Array:
        """R of keywords, float64 (n,) from LEAST_VALUE to 1."""
        return np.clip(np.log1p(self._earned(keyword_ids) / self._unit) / self._most, LEAST_VALUE, 1.0)

    def _earned(self, keyword_ids: Array) -> Array:
        """Micros that one search earns, float64 (n,), up to a factor that all keywords share; 0 without a bid."""
        low, high = (
            column[keyword_ids].astype(np.float64)
            for column in (self._stats.low_bid_micros, self._stats.high_bid_micros)
        )
        bid = np.where((low < 0) | (high < 0), np.maximum(low, high), (low + high) / 2)
        ctr = _known_or(self._stats.ad_ctr[keyword_ids], self._usual_ctr)
        fill = _known_or(self._stats.competition_index[keyword_ids], self._usual_fill) / 100
        return np.maximum(bid, 0.0) * ctr * fill


def _middle(values: Array) -> float:
    """The median of the known values, 0 if there is none."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else 0.0


def _known_or(values: Array, instead: float) -> Array:
    values = values.astype(np.float64)
    return np.where(np.isfinite(values), values, instead)
