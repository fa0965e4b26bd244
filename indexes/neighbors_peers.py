"""What `indexes.neighbors_bench` runs beside KR: other ways to keep the same pairs.

All answer the same question: by miner, the strongest neighbours of some keywords, as positions, ids and strengths.
"""

import sqlite3
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from indexes.array_writer import ArrayWriter
from indexes.arrays import Array, offsets_from_counts, ranges
from indexes.bench_peer import BenchPeer
from indexes.neighbors import Neighbors
from indexes.neighbors_corpus import CHUNK, COLUMNS, PairCorpus
from indexes.neighbors_write import NeighborsWriter

Lists = dict[str, tuple[Array, Array, Array]]
"""By miner: positions, neighbours, strengths."""


class NeighborSystem(BenchPeer):
    """One way to keep pairs."""

    @staticmethod
    @abstractmethod
    def build(keywords: int, folder: Path) -> None:
        """Write the pairs into an empty folder."""

    @abstractmethod
    def __init__(self, folder: Path) -> None:
        """Open them."""

    @abstractmethod
    def of(self, keyword_ids: Array, most: int) -> Lists: ...


class Packed(NeighborSystem):
    """KR's own format, by the reader that a snapshot of this size would get."""

    name = "KR"
    compiled_from: ClassVar[int] = 0

    @staticmethod
    def build(keywords: int, folder: Path) -> None:
        corpus = PairCorpus(keywords)
        with NeighborsWriter(folder, keywords) as writer:
            for miner, columns in COLUMNS.items():
                writer.add_miner(miner, columns)
                for pairs in corpus.chunks(miner):
                    writer.append(*pairs)

    def __init__(self, folder: Path) -> None:
        from indexes.arrays import ArrayFolder

        self.neighbors = Neighbors(ArrayFolder(folder), self.compiled_from)

    def of(self, keyword_ids: Array, most: int) -> Lists:
        lists = self.neighbors.of(keyword_ids, most)
        return {miner: (found.position, found.neighbor, found.strength) for miner, found in lists.items()}


class PackedWithoutCompiler(Packed):
    """The same files, read by numpy alone."""

    name = "KR by numpy"
    compiled_from = 2**40


class UncompressedColumns(NeighborSystem):
    """A mapped CSR a miner with a plain column for the strength and each number of evidence, the strongest first."""

    name = "uncompressed CSR"

    @staticmethod
    def build(keywords: int, folder: Path) -> None:
        corpus = PairCorpus(keywords)
        for miner, columns in COLUMNS.items():
            names = ["strength", *(column.name for column in columns)]
            writers = {name: ArrayWriter(folder, f"{miner}/{name}.npy", np.int32) for name in ["neighbor", *names]}
            for column in columns:
                if column.decimals:
                    writers[column.name].abandon()
                    writers[column.name] = ArrayWriter(folder, f"{miner}/{column.name}.npy", np.float32)
            writers["strength"].abandon()
            writers["strength"] = ArrayWriter(folder, f"{miner}/strength.npy", np.float32)
            counts = []
            for begin in range(0, keywords, CHUNK):
                pairs = corpus.pairs(miner, begin)
                order = np.lexsort((pairs.neighbor, -pairs.strength.astype(np.float64), pairs.keyword))
                writers["neighbor"].append(pairs.neighbor[order])
                writers["strength"].append(pairs.strength[order])
                for column in columns:
                    writers[column.name].append(pairs.evidence[column.name][order])
                counts.append(np.bincount(pairs.keyword - begin, minlength=min(CHUNK, keywords - begin)))
            for writer in writers.values():
                writer.finish()
            np.save(folder / miner / "offsets.npy", offsets_from_counts(np.concatenate(counts)))

    def __init__(self, folder: Path) -> None:
        self._columns = {
            miner: {path.stem: np.load(path, mmap_mode="r") for path in sorted((folder / miner).glob("*.npy"))}
            for miner in COLUMNS
        }

    def of(self, keyword_ids: Array, most: int) -> Lists:
        return {
            miner: (position, columns["neighbor"][rows], columns["strength"][rows])
            for miner, columns in self._columns.items()
            for position, rows in [self._rows(miner, keyword_ids, most)]
        }

    def _rows(self, miner: str, keyword_ids: Array, most: int) -> tuple[Array, Array]:
        offsets = self._columns[miner]["offsets"]
        starts = offsets[keyword_ids]
        counts = np.minimum(offsets[keyword_ids + 1] - starts, most)
        return np.repeat(np.arange(len(counts)), counts), ranges(starts, counts)

    def evidence(self, miner: str, rows: Array) -> dict[str, Array]:
        """The evidence of rows, for comparison."""
        return {column.name: self._columns[miner][column.name][rows] for column in COLUMNS[miner]}

    def evidence_of(self, miner: str, keyword_id: int) -> dict[str, Array]:
        """All evidence of a keyword's pairs, ascending by neighbour."""
        _, rows = self._rows(miner, np.array([keyword_id]), 2**31)
        rows = rows[np.argsort(self._columns[miner]["neighbor"][rows])]
        return self.evidence(miner, rows)

    def row_counts(self) -> dict[str, int]:
        """Pairs of each miner."""
        return {miner: len(columns["neighbor"]) for miner, columns in self._columns.items()}


class ScipyRows(NeighborSystem):
    """A scipy.sparse CSR matrix a miner, mapped; it holds the strengths and no evidence."""

    name = "scipy.sparse, strengths only"
    package = "scipy"

    @staticmethod
    def build(keywords: int, folder: Path) -> None:
        corpus = PairCorpus(keywords)
        for miner in COLUMNS:
            counts = []
            with (
                ArrayWriter(folder, f"{miner}/indices.npy", np.int32) as indices,
                ArrayWriter(folder, f"{miner}/data.npy", np.float32) as data,
            ):
                for begin in range(0, keywords, CHUNK):
                    pairs = corpus.pairs(miner, begin)
                    indices.append(pairs.neighbor)
                    data.append(pairs.strength)
                    counts.append(np.bincount(pairs.keyword - begin, minlength=min(CHUNK, keywords - begin)))
            np.save(folder / miner / "indptr.npy", offsets_from_counts(np.concatenate(counts)).astype(np.int32))

    def __init__(self, folder: Path) -> None:
        from scipy.sparse import csr_matrix

        self._matrices = {}
        for miner in COLUMNS:
            parts = [np.load(folder / miner / f"{name}.npy", mmap_mode="r") for name in ("data", "indices", "indptr")]
            keywords = len(parts[2]) - 1
            matrix = csr_matrix((keywords, keywords), dtype=np.float32)
            # Assigned, since the constructor would read every index to check it.
            matrix.data, matrix.indices, matrix.indptr = parts
            self._matrices[miner] = matrix

    def of(self, keyword_ids: Array, most: int) -> Lists:
        lists = {}
        for miner, matrix in self._matrices.items():
            rows = matrix[keyword_ids]
            position = np.repeat(np.arange(len(keyword_ids)), np.diff(rows.indptr))
            order = np.lexsort((rows.indices, -rows.data, position))
            place = np.arange(len(order)) - rows.indptr[position]
            order = order[place < most]
            lists[miner] = (position[order], rows.indices[order], rows.data[order])
        return lists


class SqliteTable(NeighborSystem):
    """One SQLite table, clustered by keyword, miner and neighbour, with all columns."""

    name = "SQLite"
    package = "sqlite3"
    most_keywords = 1_000_000
    names: ClassVar[list[str]] = list(dict.fromkeys(column.name for columns in COLUMNS.values() for column in columns))

    @staticmethod
    def build(keywords: int, folder: Path) -> None:
        names = SqliteTable.names
        connection = sqlite3.connect(folder / "pairs.db")
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(
            f"CREATE TABLE pairs (keyword INTEGER, miner INTEGER, neighbor INTEGER, strength REAL, {', '.join(names)}, "
            "PRIMARY KEY (keyword, miner, neighbor)) WITHOUT ROWID"
        )
        corpus = PairCorpus(keywords)
        insert = f"INSERT INTO pairs VALUES ({', '.join('?' * (4 + len(names)))})"
        for begin in range(0, keywords, CHUNK):
            for number, miner in enumerate(COLUMNS):
                pairs = corpus.pairs(miner, begin)
                columns: list[Any] = [pairs.keyword.tolist(), [number] * len(pairs.keyword), pairs.neighbor.tolist()]
                columns.append(pairs.strength.tolist())
                nothing = [None] * len(pairs.keyword)
                columns += [pairs.evidence[name].tolist() if name in pairs.evidence else nothing for name in names]
                connection.executemany(insert, zip(*columns, strict=True))
        connection.commit()
        connection.close()

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(f"file:{folder / 'pairs.db'}?mode=ro", uri=True)

    def of(self, keyword_ids: Array, most: int) -> Lists:
        lists = {}
        for number, miner in enumerate(COLUMNS):
            rows: list[tuple[int, int, float]] = []
            for position, keyword_id in enumerate(keyword_ids.tolist()):
                found = self._connection.execute(
                    "SELECT neighbor, strength FROM pairs WHERE keyword = ? AND miner = ? "
                    "ORDER BY strength DESC, neighbor LIMIT ?",
                    (keyword_id, number, most),
                )
                rows += [(position, neighbor, strength) for neighbor, strength in found]
            columns = list(zip(*rows, strict=True)) if rows else [(), (), ()]
            lists[miner] = (np.array(columns[0], np.int32), np.array(columns[1], np.int32), np.array(columns[2]))
        return lists

    def close(self) -> None:
        """Close the database."""
        self._connection.close()


PEERS: tuple[type[NeighborSystem], ...] = (UncompressedColumns, ScipyRows, SqliteTable)
