"""Mined pairs for benchmarks: as many keywords as wanted, the same pairs every time, skewed as in real logs.

Keywords have a rank by popularity; the number of neighbours falls with its square root, and neighbours are drawn by the
same law. Half of the pairs of the click graph join keywords whose ids are near each other, as keywords are that begin
alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from indexes.arrays import Array
from indexes.neighbors_write import EvidenceColumn

CHUNK = 50_000
"""Keywords whose pairs are drawn at a time."""
FIRST_DAY = 19_478
DAYS = 426
NEAR = 50
RULES_SHARE = 0.4
"""Of the session pairs, so many are rules."""
MOST_DRAWN = 100_000
_SPREAD = 7_368_787
"""A prime beyond any number of keywords here: rank × prime modulo their number spreads ranks over the ids."""
_SEEDS = {"cooccurrence": 1, "association_rules": 1, "click_clusters": 2}
MEAN_PAIRS = {"cooccurrence": 12.0, "click_clusters": 8.0}

_DATES = (EvidenceColumn("first_day", FIRST_DAY), EvidenceColumn("last_day", FIRST_DAY))
_SESSIONS = (EvidenceColumn("sessions"), EvidenceColumn("users"), *_DATES)
COLUMNS: dict[str, tuple[EvidenceColumn, ...]] = {
    "cooccurrence": (*_SESSIONS, EvidenceColumn("weight", decimals=2)),
    "association_rules": (
        *_SESSIONS,
        EvidenceColumn("confidence", decimals=4),
        EvidenceColumn("lift", decimals=2),
    ),
    "click_clusters": (
        EvidenceColumn("shared_urls"),
        EvidenceColumn("clicks"),
        EvidenceColumn("users"),
        *_DATES,
        EvidenceColumn("path", minimum=-1),
    ),
}
"""The miners and their evidence, as `mining.build_neighbors` keeps them."""


class Pairs(NamedTuple):
    """Pairs of one miner, ascending by (keyword, neighbour): int64, int64, float32, and the evidence."""

    keyword: Array
    neighbor: Array
    strength: Array
    evidence: dict[str, Array]


@dataclass(frozen=True)
class PairCorpus:
    """The pairs of so many keywords."""

    keywords: int

    def pairs(self, miner: str, begin: int) -> Pairs:
        """A miner's pairs of the CHUNK keywords from `begin` on."""
        generator = np.random.default_rng((_SEEDS[miner], begin))
        is_rule = miner == "association_rules"
        keys = self._keys("cooccurrence" if is_rule else miner, begin, generator)
        count = len(keys)
        strength = generator.random(count, np.float32) ** 2
        users = np.minimum(generator.zipf(2.0, count), 10**6) + 1
        first = FIRST_DAY + (generator.random(count) * DAYS).astype(np.int64)
        evidence = {
            "users": users,
            "sessions": users + (generator.random(count) * users / 4).astype(np.int64),
            "first_day": first,
            "last_day": first + (generator.random(count) * (FIRST_DAY + DAYS - first)).astype(np.int64),
        }
        evidence |= {"weight": evidence["sessions"] * 0.8, "confidence": strength.astype(np.float64)}
        evidence |= {"lift": 1 + 1000 * evidence["confidence"], "clicks": users * 2, "shared_urls": 1 + users % 5}
        evidence["path"] = np.full(count, -1)
        chosen = np.flatnonzero(generator.random(count) < RULES_SHARE) if is_rule else np.arange(count)
        keyword, neighbor = np.divmod(keys[chosen], self.keywords)
        own = {column.name: evidence[column.name][chosen] for column in COLUMNS[miner]}
        return Pairs(keyword, neighbor, strength[chosen], own)

    def chunks(self, miner: str) -> Iterator[Pairs]:
        """All pairs of a miner in order."""
        return (self.pairs(miner, begin) for begin in range(0, self.keywords, CHUNK))

    def popular(self, generator: np.random.Generator, count: int) -> Array:
        """Keyword ids drawn by popularity, int64."""
        ranks = (self.keywords * generator.random(count) ** 2).astype(np.int64)
        return ranks * self._spread % self.keywords

    @property
    def _spread(self) -> int:
        """A factor without common divisors with the number of keywords."""
        return _SPREAD if self.keywords % _SPREAD else _SPREAD + 2

    def _keys(self, miner: str, begin: int, generator: np.random.Generator) -> Array:
        """keyword × keywords + neighbour, ascending and distinct, int64."""
        ids = np.arange(begin, min(begin + CHUNK, self.keywords))
        ranks = ids * pow(self._spread, -1, self.keywords) % self.keywords
        mean = MEAN_PAIRS[miner] / 2 * np.sqrt(self.keywords / (ranks + 1.0))
        degrees = (mean * (0.5 + generator.random(len(ids)))).astype(np.int64)
        keyword = np.repeat(ids, np.minimum(degrees, min(MOST_DRAWN, self.keywords // 2)))
        neighbor = self.popular(generator, len(keyword))
        if miner == "click_clusters":
            near = (keyword + generator.integers(1, NEAR, len(keyword))) % self.keywords
            neighbor = np.where(generator.random(len(keyword)) < 0.5, near, neighbor)
        keys = np.sort((keyword * self.keywords + neighbor)[neighbor != keyword])
        return keys[np.concatenate([np.ones(min(len(keys), 1), bool), keys[1:] != keys[:-1]])]
