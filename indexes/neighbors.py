"""Related keywords of every keyword: one compact, mapped adjacency for all miners, with the evidence of each pair.

A keyword's pairs stand together, ascending by neighbour. Pair p is a record in `records.npy`, packed (see
`indexes.bit_packing`) in as many bits as a keyword id and a bit a miner need: the neighbour, and above it which miners
have the pair. A miner's pairs, counted in that order, are its rows; `ranks.npy` holds how many rows each miner has
before every 64th pair, so that rows are counted from there. `strengths.npy` uint16 holds the strengths of all rows of
the first miner, then of the second, and so on: a 65,535th is far below what a strength can tell.

Evidence is read for the few rows that are shown: `<miner>/evidence.npy` holds each block of 64 rows column by column,
each column in its own width (`widths.npy`); `starts.npy` says at which word a block begins. Counts are exact.
`layout.json` names the miners and their columns: a new miner changes no format. One without columns has no evidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from indexes.arrays import Array, ArrayReader, offsets_from_counts, ranges
from indexes.bit_packing import GROUP, PADDING, bit_lengths, unpack
from indexes.errors import CorruptError
from indexes.neighbors_write import STRENGTH_STEPS, VERSION, EvidenceColumn, NeighborsWriter

__all__ = ["EvidenceColumn", "NeighborList", "Neighbors", "NeighborsWriter", "joint_strength"]

KIND_OF_EVIDENCE = {
    "cooccurrence": "sessions",
    "association_rules": "sessions",
    "click_clusters": "clicks",
    "page_terms": "pages",
    "embeddings": "meaning",
}
"""What each miner counts. Miners of one kind read the same events: they don't confirm each other."""
FUSION = "fusion"
"""The name under which a pair's learned strength stands among the miners; it has no evidence of its own."""
COMPILED_FROM = 200_000
"""Keywords from which a compiled kernel reads: loading it costs 0.5 s, which a small snapshot does not get back."""
REMEDY = "Roll back to another snapshot, or rebuild with manage.py build."


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
    """The neighbours of some keywords by one miner, all arrays of one length.

    `position` int32 says which of the keywords asked for an entry belongs to, ascending; `neighbor` int32 whom it
    names, ascending within a position; `row` int64 where its evidence stands; `strength` float32 in 0..1.
    """

    position: Array
    neighbor: Array
    row: Array
    strength: Array

    def take(self, places: Array) -> "NeighborList":
        """The entries at these places."""
        return NeighborList(self.position[places], self.neighbor[places], self.row[places], self.strength[places])


class Neighbors:
    """All miners' adjacency, mapped. Reading is safe from any thread."""

    def __init__(self, reader: ArrayReader, compiled_from: int = COMPILED_FROM) -> None:
        layout = reader.json("neighbors/layout.json")
        self._records = reader.array("neighbors/records.npy")
        self._offsets = reader.array("neighbors/offsets.npy")
        self._ranks = reader.array("neighbors/ranks.npy")
        self._strengths = reader.array("neighbors/strengths.npy")
        try:
            if layout["version"] != VERSION:
                raise CorruptError(
                    f"neighbors/layout.json has version {layout['version']}, this KR reads {VERSION}.", REMEDY
                )
            self.keyword_count = int(layout["keywords"])
            self.pair_count = int(layout["pairs"])
            rows = {miner["name"]: int(miner["rows"]) for miner in layout["miners"]}
            columns = {
                miner["name"]: [EvidenceColumn(**item) for item in miner["columns"]] for miner in layout["miners"]
            }
        except (KeyError, TypeError, ValueError):
            raise CorruptError("neighbors/layout.json does not describe neighbours.", REMEDY) from None
        self.miners = tuple(rows)
        self._rows = np.array(list(rows.values()), np.int64)
        self._first_rows = offsets_from_counts(self._rows)
        self._id_bits = int(bit_lengths(np.array([max(self.keyword_count - 1, 0)]))[0])
        self._record_bits = self._id_bits + len(rows)
        self._check_lengths()
        self._evidence = {
            name: _Evidence(reader, name, rows[name], described) for name, described in columns.items() if described
        }
        self._kernel: Any = None
        if self.keyword_count >= compiled_from:
            # Imports numba, which small snapshots need not wait for.
            from indexes.neighbors_kernels import read_lists

            self._kernel = read_lists

    def _check_lengths(self) -> None:
        groups = -(-self.pair_count // GROUP)
        _expect("offsets", len(self._offsets), self.keyword_count + 1)
        _expect("offsets", int(self._offsets[-1]), self.pair_count)
        _expect("records", len(self._records), groups * self._record_bits + PADDING)
        _expect("strengths", len(self._strengths), int(self._first_rows[-1]))
        _expect("ranks", self._ranks.shape, (groups + 1, len(self.miners)))
        _expect("ranks", self._ranks[-1].tolist(), self._rows.tolist())

    def of(self, keyword_ids: Array, most: int) -> dict[str, NeighborList]:
        """By miner, the neighbours of each keyword: at most `most` of each, the strongest, of equals the lowest ids.

        One pass over the keywords' pairs serves all miners.
        """
        keyword_ids = np.asarray(keyword_ids, np.int64)
        read = self._read_compiled if self._kernel is not None else self._read_plain
        lists = read(keyword_ids)
        return {
            miner: _strongest(found, len(keyword_ids), most) for miner, found in zip(self.miners, lists, strict=True)
        }

    def evidence(self, miner: str, rows: Array) -> dict[str, Array]:
        """The evidence of these rows of a miner, a column a name: int64, or float64 for columns with decimals."""
        found = self._evidence.get(miner)
        return found.read(np.asarray(rows, np.int64)) if found else {}

    def _read_plain(self, keyword_ids: Array) -> list[NeighborList]:
        starts = self._offsets[keyword_ids].astype(np.int64)
        ends = self._offsets[keyword_ids + 1].astype(np.int64)
        if (starts > ends).any() or (ends > self.pair_count).any():
            raise _damaged()
        firsts = starts - starts % GROUP
        pairs = ranges(firsts, ends - firsts)
        bounds = offsets_from_counts(ends - firsts)
        owner = np.repeat(np.arange(len(keyword_ids), dtype=np.int32), ends - firsts)
        records = unpack(self._records, pairs * self._record_bits, self._record_bits)
        neighbor = (records & np.uint64((1 << self._id_bits) - 1)).astype(np.int32)
        is_own = pairs >= starts[owner]
        lists = []
        for place in range(len(self.miners)):
            is_held = (records >> np.uint64(self._id_bits + place) & np.uint64(1)).astype(bool)
            before = offsets_from_counts(is_held)
            begins = self._ranks[firsts // GROUP, place].astype(np.int64) - before[bounds[:-1]]
            chosen = np.flatnonzero(is_held & is_own)
            row = begins[owner[chosen]] + before[chosen]
            if len(row) and (row.max() >= self._rows[place] or neighbor[chosen].max() >= self.keyword_count):
                raise _damaged()
            codes = self._strengths[self._first_rows[place] + row]
            strength = codes.astype(np.float32) / np.float32(STRENGTH_STEPS)
            lists.append(NeighborList(owner[chosen], neighbor[chosen], row, strength))
        return lists

    def _read_compiled(self, keyword_ids: Array) -> list[NeighborList]:
        most = int((self._offsets[keyword_ids + 1].astype(np.int64) - self._offsets[keyword_ids]).sum())
        if not 0 <= most <= self.pair_count * max(len(keyword_ids), 1):
            raise _damaged()
        shape = (len(self.miners), most)
        position, neighbor = np.empty(shape, np.int32), np.empty(shape, np.int32)
        row, strength = np.empty(shape, np.int64), np.empty(shape, np.float32)
        counts = self._kernel(
            self._records, self._offsets, self._ranks, self._strengths, self._first_rows, self._id_bits, keyword_ids,
            self.keyword_count, position, neighbor, row, strength,
        )  # fmt: skip
        if len(counts) != len(self.miners):
            raise _damaged()
        return [
            NeighborList(position[i, :count], neighbor[i, :count], row[i, :count], strength[i, :count])
            for i, count in enumerate(counts.tolist())
        ]


class _Evidence:
    """One miner's evidence columns."""

    def __init__(self, reader: ArrayReader, miner: str, rows: int, columns: Sequence[EvidenceColumn]) -> None:
        self._words = reader.array(f"neighbors/{miner}/evidence.npy")
        self._widths = reader.array(f"neighbors/{miner}/widths.npy")
        self._starts = reader.array(f"neighbors/{miner}/starts.npy")
        self._columns = columns
        blocks = -(-rows // GROUP)
        _expect(f"{miner}/widths", self._widths.shape, (blocks, len(columns)))
        _expect(f"{miner}/starts", len(self._starts), blocks + 1)
        _expect(f"{miner}/evidence", len(self._words), int(self._starts[-1]) + PADDING)

    def read(self, rows: Array) -> dict[str, Array]:
        blocks = rows // GROUP
        widths = self._widths[blocks].astype(np.int64)
        before = np.cumsum(widths, axis=1) - widths
        bits = (self._starts[blocks].astype(np.int64)[:, None] + before) * 64 + (rows % GROUP)[:, None] * widths
        if len(bits) and (int(bits.max()) >> 6) + 1 >= len(self._words):
            raise _damaged()
        values = unpack(self._words, bits, widths).astype(np.int64)
        found: dict[str, Array] = {}
        for place, column in enumerate(self._columns):
            scale = 10**column.decimals
            whole = values[:, place] + column.minimum * scale
            found[column.name] = whole / scale if column.decimals else whole
        return found


def _strongest(found: NeighborList, keywords: int, most: int) -> NeighborList:
    """Of each position the `most` strongest entries, of equals the lowest ids; order is kept."""
    if len(found.position) <= most:
        return found
    bounds = np.searchsorted(found.position, np.arange(keywords + 1))
    long = np.flatnonzero(np.diff(bounds) > most)
    if not len(long):
        return found
    keep = np.ones(len(found.position), bool)
    for position in long.tolist():
        part = slice(int(bounds[position]), int(bounds[position + 1]))
        strength = found.strength[part]
        bar = np.partition(strength, len(strength) - most)[len(strength) - most] if most else np.float32(2)
        chosen = strength > bar
        chosen[np.flatnonzero(strength == bar)[: most - int(chosen.sum())]] = True
        keep[part] = chosen
    return found.take(np.flatnonzero(keep))


def _expect(name: str, found: object, expected: object) -> None:
    if found != expected:
        raise CorruptError(f"neighbors/{name}.npy does not fit neighbors/layout.json: {found}, not {expected}.", REMEDY)


def _damaged() -> CorruptError:
    return CorruptError("The files under neighbors/ contradict each other: a list leads out of its file.", REMEDY)
