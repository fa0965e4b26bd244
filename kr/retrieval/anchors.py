"""Which known keywords stand for what the caller asked, so that evidence about them can be followed.

A seed that was searched stands for itself. Beside it, and instead of it where nobody searched it, stand the most
searched keywords that hold all its words: "汶川地震" is spoken for by "汶川地震原因".
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from indexes.arrays import Array
from indexes.opened import Indexes
from indexes.text import tokens

SEED_WEIGHT = 1.0
EXPANSION_WEIGHT = 0.8
"""Evidence about a keyword that only holds the seed's words counts this much of evidence about the seed."""


@dataclass(frozen=True)
class Anchors:
    """Keyword ids int32 (n,), the seed's position int32 (n,), and the weight float32 (n,) of each anchor."""

    keyword_id: Array
    seed: Array
    weight: Array


class AnchorFinder:
    """Finds anchors; the answer for the last requests is kept, since every source asks."""

    def __init__(self, indexes: Indexes, per_seed: int) -> None:
        self._indexes = indexes
        self._per_seed = per_seed
        self.find = lru_cache(maxsize=64)(self._find)

    def _find(self, seeds: tuple[str, ...]) -> Anchors:
        found: dict[int, tuple[int, float]] = {}
        for position, seed in enumerate(seeds):
            exact = self._indexes.keywords.find(seed)
            if exact >= 0:
                for variant in self._indexes.close_variants(exact).tolist():
                    found.setdefault(variant, (position, EXPANSION_WEIGHT))
                found[exact] = (position, SEED_WEIGHT)
            for keyword_id in self.holding_all_words(seed, self._per_seed).tolist():
                found.setdefault(keyword_id, (position, EXPANSION_WEIGHT))
        ids = np.array(sorted(found), np.int32)
        return Anchors(
            ids,
            np.array([found[keyword_id][0] for keyword_id in ids.tolist()], np.int32),
            np.array([found[keyword_id][1] for keyword_id in ids.tolist()], np.float32),
        )

    def holding_all_words(self, seed: str, most: int) -> Array:
        """Ids of the keywords that hold every token of a seed, the most searched first, ties by id; int32."""
        indexes = self._indexes
        distinct = tuple(dict.fromkeys(tokens(seed)))
        ids = indexes.token_ids(distinct)
        if not distinct or len(ids) < len(distinct):
            return np.empty(0, np.int32)
        return indexes.postings.holding_all(ids, most)
