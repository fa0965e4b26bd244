"""The sources that follow mined relations: one a miner, all fed by one reading of the anchors' neighbours.

A snapshot may hold a strength for each pair that was learned from the evidence of all miners; `FusedStrength` adds it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from indexes.neighbors import FUSION, NeighborList
from indexes.opened import Indexes
from kr.retrieval.anchors import SEED_WEIGHT, AnchorFinder, Anchors
from kr.retrieval.token_match import best_of_each
from kr.types import Candidates, ColumnSpec, Request, StageResult


@dataclass(frozen=True)
class AnchorNeighbors:
    """The keywords that stand for the seeds, and by miner their neighbours (positions are the anchors')."""

    anchors: Anchors
    by_miner: Mapping[str, NeighborList]


class NeighborFinder:
    """Reads the neighbours of a request's anchors, all miners in one call; kept, since every source asks."""

    def __init__(self, indexes: Indexes, anchors: AnchorFinder, most: int) -> None:
        self._neighbors = indexes.neighbors
        self._anchors = anchors
        self._most = most
        self.find = lru_cache(maxsize=8)(self._find)

    def _find(self, seeds: tuple[str, ...]) -> AnchorNeighbors:
        anchors = self._anchors.find(seeds)
        return AnchorNeighbors(anchors, self._neighbors.of(anchors.keyword_id, self._most))


class NeighborSource:
    """The strongest neighbours, by one miner, of the keywords that stand for the seeds.

    Adds `<miner>_strength` float32 (the greatest strength × weight of the anchor), and what to tell as evidence:
    `<miner>_anchor` int32 (the keyword whose neighbour it is) and `<miner>_row` int64 (where its numbers stand), -1
    where absent. A seed's own evidence is told before any other anchor's, though that be stronger.
    """

    def __init__(self, miner: str, neighbors: NeighborFinder) -> None:
        self.name = miner
        self.adds: Mapping[str, ColumnSpec] = {
            f"{miner}_strength": ColumnSpec("float32", 0.0),
            f"{miner}_anchor": ColumnSpec("int32", -1),
            f"{miner}_row": ColumnSpec("int64", -1),
        }
        self._neighbors = neighbors

    def retrieve(self, request: Request) -> Candidates:
        read = self._neighbors.find(request.seeds)
        anchors, found = read.anchors, read.by_miner[self.name]
        weight = anchors.weight[found.position]
        strength = found.strength * weight
        strongest = best_of_each(found.neighbor, strength, f"{self.name}_strength", {})
        told = best_of_each(
            found.neighbor,
            strength + (weight == SEED_WEIGHT),
            "order",
            {f"{self.name}_anchor": anchors.keyword_id[found.position], f"{self.name}_row": found.row},
        )
        evidence = {name: column for name, column in told.columns.items() if name != "order"}
        return strongest.with_columns(**evidence)


class FusedStrength:
    """Adds `fused_strength` float32: the greatest of learned strength × weight of the anchor, 0 where there is none."""

    name = "fused_strength"
    needs: Sequence[str] = ()
    adds: Sequence[str] = ("fused_strength",)

    def __init__(self, neighbors: NeighborFinder) -> None:
        self._neighbors = neighbors

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        read = self._neighbors.find(request.seeds)
        fused = np.zeros(len(candidates), np.float32)
        found = read.by_miner[FUSION]
        if len(candidates):
            strength = found.strength * read.anchors.weight[found.position]
            place = np.minimum(np.searchsorted(candidates.keyword_id, found.neighbor), len(candidates) - 1)
            known = candidates.keyword_id[place] == found.neighbor
            np.maximum.at(fused, place[known], strength[known])
        return StageResult.keeping_all(candidates.with_columns(fused_strength=fused))
