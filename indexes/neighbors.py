"""Related keywords of every keyword, one adjacency a miner, each pair with its strength and its evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexes.arrays import Array, ArrayReader, offsets_from_counts, ranges, write_array, write_json

KIND_OF_EVIDENCE = {
    "cooccurrence": "sessions",
    "association_rules": "sessions",
    "click_clusters": "clicks",
    "embeddings": "meaning",
}
"""What each miner counts. Miners of one kind read the same events: they don't confirm each other."""


def joint_strength(strengths: Mapping[str, Array]) -> Array:
    """One strength in 0..1 from those of several miners (by name, all of one shape; 0 where a miner has no pair).

    The greatest of each kind of evidence, and a noisy or between the kinds: 1 − Π (1 − strength).
    """
    by_kind: dict[str, Array] = {}
    for miner, strength in strengths.items():
        kind = KIND_OF_EVIDENCE[miner]
        by_kind[kind] = np.maximum(by_kind[kind], strength) if kind in by_kind else strength
    doubt: Array = np.ones((), np.float64)
    for strength in by_kind.values():
        doubt = doubt * (1.0 - strength)
    return 1.0 - doubt


@dataclass(frozen=True)
class NeighborList:
    """The neighbours of some keywords, all arrays of one length.

    `position` int64 says which of the keywords asked for an entry belongs to, `neighbor` int32 whom it names, `row`
    int64 where its evidence stands, `strength` float32 in 0..1 how strong the relation is.
    """

    position: Array
    neighbor: Array
    row: Array
    strength: Array


class Neighbors:
    """One miner's adjacency as mapped CSR, strongest neighbours first, ties by id."""

    def __init__(self, reader: ArrayReader, miner: str) -> None:
        self.miner = miner
        self.offsets = reader.array(f"neighbors/{miner}/offsets.npy")
        self.neighbor = reader.array(f"neighbors/{miner}/neighbor.npy")
        names = reader.json(f"neighbors/{miner}/columns.json")
        self.columns: dict[str, Array] = {name: reader.array(f"neighbors/{miner}/{name}.npy") for name in names}

    def of(self, keyword_ids: Array, most: int) -> NeighborList:
        """The strongest neighbours of each keyword, at most `most` of each."""
        keyword_ids = np.asarray(keyword_ids, np.int64)
        starts = self.offsets[keyword_ids]
        counts = np.minimum(self.offsets[keyword_ids + 1] - starts, most)
        rows = ranges(starts, counts)
        position = np.repeat(np.arange(len(counts)), counts)
        return NeighborList(position, self.neighbor[rows], rows, self.columns["strength"][rows])


def write_neighbors(
    folder: Path, miner: str, keyword_count: int, keyword: Array, neighbor: Array, columns: Mapping[str, Array]
) -> None:
    """Write pairs in any order; `columns` must hold `strength`."""
    order = np.lexsort((neighbor, -columns["strength"].astype(np.float64), keyword))
    counts = np.bincount(keyword, minlength=keyword_count)
    write_array(folder, f"neighbors/{miner}/offsets.npy", offsets_from_counts(counts))
    write_array(folder, f"neighbors/{miner}/neighbor.npy", neighbor[order].astype(np.int32))
    for name, column in columns.items():
        write_array(folder, f"neighbors/{miner}/{name}.npy", column[order])
    write_json(folder, f"neighbors/{miner}/columns.json", sorted(columns))
