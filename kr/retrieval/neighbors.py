"""The sources that follow mined relations: one a miner, all fed by one reading of the anchors' neighbours."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from indexes.neighbors import NeighborList
from indexes.opened import Indexes
from kr.retrieval.anchors import SEED_WEIGHT, AnchorFinder, Anchors
from kr.retrieval.token_match import best_of_each
from kr.types import Candidates, ColumnSpec, Request


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
