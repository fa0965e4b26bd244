"""Writes `indexes.neighbors` of millions of keywords, a chunk of pairs at a time.

Strengths and evidence go to their files as they come; of each pair only its key (8 bytes a pair and miner) waits on
disk until all miners are known, and is then merged range by range. Memory holds about 16 bytes a keyword and the chunk
in hand.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

import numpy as np

from indexes.array_writer import ArrayWriter
from indexes.arrays import Array, offsets_from_counts, write_array, write_json
from indexes.bit_packing import GROUP, MAX_WIDTH, PADDING, bit_lengths, pack

VERSION = 1
STRENGTH_STEPS = 65535
"""A strength of 1 is stored as this, in 16 bits."""
MERGE_RANGE = 1_000_000
"""Pairs that are merged at a time."""
READ_KEYS = 500_000
"""Keys that are read back at a time."""
MAX_MINERS = 22
"""A pair's neighbour (31 bits) and a bit a miner stand in one packed number."""


@dataclass(frozen=True)
class EvidenceColumn:
    """One number of evidence for each pair: `minimum` is the least that may come, -1 where that stands for unknown.

    Numbers are whole and kept exactly, unless they have decimals: then they are kept to so many places.
    """

    name: str
    minimum: int = 0
    decimals: int = 0


class NeighborsWriter:
    """A context manager: `add_miner` once a miner, then `append` its pairs; all is written when the block ends well."""

    def __init__(self, folder: Path, keyword_count: int) -> None:
        self._folder = folder
        self._keyword_count = keyword_count
        self._spool = folder / "neighbors" / "spool"
        self._spool.mkdir(parents=True)
        self._strengths = ArrayWriter(folder, "neighbors/strengths.npy", np.uint16)
        self._most_pairs = np.zeros(keyword_count, np.int32)
        self._miners: list[_MinerWriter] = []

    def add_miner(self, name: str, columns: Sequence[EvidenceColumn] = ()) -> None:
        """Begin a miner, whose pairs are appended next."""
        if len(self._miners) == MAX_MINERS:
            raise ValueError(f"{name} would be miner {MAX_MINERS + 1}: {MAX_MINERS} fit")
        if any(miner.name == name for miner in self._miners):
            raise ValueError(f"miner {name} was added before")
        self._end_miner()
        self._miners.append(_MinerWriter(self._folder, self._spool, name, columns))

    def append(self, keyword: Array, neighbor: Array, strength: Array, evidence: Mapping[str, Array]) -> None:
        """Add pairs of the last miner, in ascending order of (keyword, neighbor), each once; strengths lie in 0..1."""
        if not len(keyword):
            return
        if not (strength.min() >= 0 and strength.max() <= 1):
            raise ValueError(f"{self._miners[-1].name}: a strength does not lie in 0..1")
        self._miners[-1].append(keyword, neighbor, evidence, self._keyword_count)
        self._strengths.append(np.rint(strength.astype(np.float64) * STRENGTH_STEPS).astype(np.uint16))
        # A range at a time, since the keywords are sorted: bincount over all of them would cost their number each time.
        first = int(keyword[0])
        counts = np.bincount(keyword - first)
        self._most_pairs[first : first + len(counts)] += counts.astype(np.int32)

    def __enter__(self) -> "NeighborsWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is None:
            self._finish()
        else:
            self._strengths.abandon()
            if self._miners:
                self._miners[-1].abandon()

    def _finish(self) -> None:
        self._end_miner()
        self._strengths.finish()
        pairs = self._merge()
        miners = [
            {"name": miner.name, "rows": miner.rows, "columns": [asdict(column) for column in miner.columns]}
            for miner in self._miners
        ]
        layout = {"version": VERSION, "keywords": self._keyword_count, "pairs": pairs, "miners": miners}
        write_json(self._folder, "neighbors/layout.json", layout)
        shutil.rmtree(self._spool)

    def _end_miner(self) -> None:
        if self._miners:
            self._miners[-1].finish()

    def _merge(self) -> int:
        counts = np.zeros(self._keyword_count, np.int64)
        id_bits = int(bit_lengths(np.array([max(self._keyword_count - 1, 0)]))[0])
        with ExitStack() as stack:
            records = stack.enter_context(ArrayWriter(self._folder, "neighbors/records.npy", np.uint64))
            packer = _RecordPacker(records, id_bits, len(self._miners))
            for begin, keys, masks in self._ranges():
                keywords = (keys >> np.uint64(32)).astype(np.int64) - begin
                part = np.bincount(keywords)
                counts[begin : begin + len(part)] = part
                packer.append((masks << np.uint64(id_bits)) | (keys & np.uint64(0xFFFFFFFF)))
            ranks = packer.finish()
        write_array(self._folder, "neighbors/ranks.npy", ranks)
        offsets = offsets_from_counts(counts)
        pairs = int(offsets[-1])
        write_array(self._folder, "neighbors/offsets.npy", offsets.astype(narrowest(pairs)))
        return pairs

    def _ranges(self) -> Iterator[tuple[int, Array, Array]]:
        """All pairs once, by ranges of keywords: the first keyword, keys uint64 ascending, masks of miners uint64."""
        spools = [_KeyReader(miner.key_path) for miner in self._miners]
        bounds = offsets_from_counts(self._most_pairs)
        begin = 0
        while begin < self._keyword_count:
            end = max(begin + 1, int(np.searchsorted(bounds, bounds[begin] + MERGE_RANGE, "right")) - 1)
            parts = [spool.below(end << 32) for spool in spools]
            keys = np.concatenate([np.empty(0, np.uint64), *parts])
            if len(keys):
                bits = np.repeat(np.uint64(1) << np.arange(len(parts), dtype=np.uint64), [len(part) for part in parts])
                order = np.argsort(keys, kind="stable")
                keys = keys[order]
                firsts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
                yield begin, keys[firsts], np.bitwise_or.reduceat(bits[order], firsts)
            begin = end


class _MinerWriter:
    """One miner's evidence, packed in blocks of 64 rows with a width a column, and the keys of its pairs."""

    def __init__(self, folder: Path, spool: Path, name: str, columns: Sequence[EvidenceColumn]) -> None:
        self.name, self.columns, self.rows = name, tuple(columns), 0
        self._folder = folder
        self.key_path = spool / f"{name}.u64"
        self._keys = self.key_path.open("wb")
        self._last = -1
        self._waiting = [np.empty(0, np.int64) for _ in columns]
        self._widths: list[Array] = []
        self._words = ArrayWriter(folder, f"neighbors/{name}/evidence.npy", np.uint64) if columns else None
        self._is_finished = False

    def append(self, keyword: Array, neighbor: Array, evidence: Mapping[str, Array], keyword_count: int) -> None:
        keys = (np.asarray(keyword, np.int64) << 32) | np.asarray(neighbor, np.int64)
        if keys[0] <= self._last or (keys[1:] <= keys[:-1]).any():
            raise ValueError(f"{self.name}: pairs are not distinct and ascending by keyword and neighbor")
        if keyword[0] < 0 or keyword[-1] >= keyword_count or neighbor.min() < 0 or neighbor.max() >= keyword_count:
            raise ValueError(f"{self.name}: a pair names a keyword outside 0..{keyword_count - 1}")
        self._last = int(keys[-1])
        self._keys.write(keys.astype("<u8").data)
        self.rows += len(keys)
        for place, column in enumerate(self.columns):
            values = _stored(self.name, column, evidence[column.name])
            self._waiting[place] = np.concatenate([self._waiting[place], values])
        if self.columns:
            self._pack(len(self._waiting[0]) // GROUP * GROUP)

    def finish(self) -> None:
        if self._is_finished:
            return
        self._is_finished = True
        self._keys.close()
        if self._words is None:
            return
        rest = -len(self._waiting[0]) % GROUP
        self._waiting = [np.concatenate([values, np.zeros(rest, np.int64)]) for values in self._waiting]
        self._pack(len(self._waiting[0]))
        self._words.append(np.zeros(PADDING, np.uint64))
        self._words.finish()
        widths = np.concatenate([np.empty((0, len(self.columns)), np.uint8), *self._widths])
        write_array(self._folder, f"neighbors/{self.name}/widths.npy", widths)
        starts = offsets_from_counts(widths.sum(axis=1, dtype=np.int64))
        write_array(self._folder, f"neighbors/{self.name}/starts.npy", starts.astype(narrowest(int(starts[-1]))))

    def abandon(self) -> None:
        self._keys.close()
        if self._words is not None:
            self._words.abandon()

    def _pack(self, rows: int) -> None:
        """Write the first waiting rows, a multiple of 64."""
        assert self._words is not None
        if not rows:
            return
        blocks = [values[:rows].reshape(-1, GROUP) for values in self._waiting]
        self._waiting = [values[rows:] for values in self._waiting]
        widths = np.stack([bit_lengths(values.max(axis=1)) for values in blocks], axis=1)
        ends = np.cumsum(widths.sum(axis=1))
        starts = ends - widths.sum(axis=1)
        words = np.zeros(int(ends[-1]), np.uint64)
        for place, values in enumerate(blocks):
            for width in filter(None, np.unique(widths[:, place]).tolist()):
                chosen = np.flatnonzero(widths[:, place] == width)
                packed = pack(values[chosen].ravel(), width).reshape(-1, width)
                words[starts[chosen, None] + np.arange(width)] = packed
            starts = starts + widths[:, place]
        self._words.append(words)
        self._widths.append(widths.astype(np.uint8))


class _KeyReader:
    """Reads ascending keys from a file, as far as asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._waiting = np.empty(0, np.uint64)

    def below(self, limit: int) -> Array:
        """The keys below a limit that were not read before, uint64."""
        parts = [self._waiting]
        while not len(parts[-1]) or parts[-1][-1] < limit:
            more = np.fromfile(self._path, "<u8", READ_KEYS, offset=8 * self._read)
            if not len(more):
                break
            self._read += len(more)
            parts.append(more)
        keys = np.concatenate(parts)
        end = int(np.searchsorted(keys, np.uint64(limit)))
        self._waiting = keys[end:].copy()
        return keys[:end]


class _RecordPacker:
    """Packs records (mask of miners and neighbour) and counts each miner's pairs before every 64th of them."""

    def __init__(self, words: ArrayWriter, id_bits: int, miners: int) -> None:
        self._words = words
        self._id_bits = id_bits
        self._miners = miners
        self._waiting = np.empty(0, np.uint64)
        self._before = np.zeros(miners, np.int64)
        self._ranks: list[Array] = []

    def append(self, records: Array) -> None:
        records = np.concatenate([self._waiting, records])
        whole = len(records) // GROUP * GROUP
        self._pack(records[:whole])
        self._waiting = records[whole:].copy()

    def finish(self) -> Array:
        """The counts: (groups + 1, miners), the last row being all pairs of each miner."""
        self._pack(np.concatenate([self._waiting, np.zeros(-len(self._waiting) % GROUP, np.uint64)]))
        self._words.append(np.zeros(PADDING, np.uint64))
        ranks = np.concatenate([*self._ranks, self._before[None, :]])
        return ranks.astype(narrowest(int(self._before.max(initial=0))))

    def _pack(self, records: Array) -> None:
        if not len(records):
            return
        self._words.append(pack(records, self._id_bits + self._miners))
        groups = np.empty((len(records) // GROUP, self._miners), np.int64)
        for miner in range(self._miners):
            held = (records >> np.uint64(self._id_bits + miner)) & np.uint64(1)
            groups[:, miner] = held.reshape(-1, GROUP).sum(axis=1)
        ends = self._before + np.cumsum(groups, axis=0)
        self._ranks.append(ends - groups)
        self._before = ends[-1]


def narrowest(greatest: int) -> type:
    """The dtype of positions up to `greatest`."""
    return np.uint32 if greatest < 2**32 else np.int64


def _stored(miner: str, column: EvidenceColumn, values: Array) -> Array:
    """Values as they are stored: whole numbers from 0 on."""
    whole = np.rint(values.astype(np.float64) * 10**column.decimals) if column.decimals else values
    stored = whole.astype(np.int64) - column.minimum * 10**column.decimals
    if stored.min() < 0 or stored.max() >= 1 << MAX_WIDTH:
        raise ValueError(f"{miner}: {column.name} holds a value below {column.minimum} or above 2^{MAX_WIDTH}")
    return stored
