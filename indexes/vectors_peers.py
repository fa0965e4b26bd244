"""The libraries that `indexes.vectors_bench` runs beside KR: each is built in a folder and asked for nearest vectors.

All get the same 8-bit vectors. The graphs have their libraries' usual 16 links a node and look at enough of the graph
for a recall near KR's; one thread builds and one searches, as in KR.
"""

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np

from indexes.arrays import Array
from indexes.bench_peer import BenchPeer

SEARCHED = 300
"""Candidates that a graph keeps while it searches."""
CHUNK = 100_000


class VectorPeer(BenchPeer):
    """One library. `nearest` gives ids and cosines of the k nearest, nearest first."""

    @classmethod
    @abstractmethod
    def build(cls, codes: Array, folder: Path) -> None:
        """Write the index of codes int8 (n, dims) into an empty folder."""

    @abstractmethod
    def __init__(self, codes: Array, folder: Path) -> None:
        """Open the index."""

    @abstractmethod
    def nearest(self, code: Array, k: int) -> tuple[Array, Array]: ...


class BruteForce(VectorPeer):
    """Every vector, as 32-bit floats by numpy: exact."""

    name = "numpy, exact"
    most_keywords = 2_000_000
    most_queries = 50

    @classmethod
    def build(cls, codes: Array, folder: Path) -> None:
        np.save(folder / "vectors.npy", _unit(codes))

    def __init__(self, codes: Array, folder: Path) -> None:
        self._vectors = np.load(folder / "vectors.npy", mmap_mode="r")

    def nearest(self, code: Array, k: int) -> tuple[Array, Array]:
        cosines = np.asarray(self._vectors) @ _unit(code[None])[0]
        k = min(k, len(cosines))
        near = np.argpartition(-cosines, k - 1)[:k]
        order = near[np.argsort(-cosines[near], kind="stable")]
        return order, cosines[order]


class Usearch(VectorPeer):
    """Usearch's graph of neighbours, mapped."""

    package = "usearch"
    most_keywords = 200_000
    dtype: ClassVar[str]

    @classmethod
    def build(cls, codes: Array, folder: Path) -> None:
        index = _usearch_index(codes.shape[1], cls.dtype)
        for begin in range(0, len(codes), CHUNK):
            part = codes[begin : begin + CHUNK]
            keys = np.arange(begin, begin + len(part), dtype=np.uint64)
            index.add(keys, part if cls.dtype == "i8" else _unit(part), threads=1)
        index.save(str(folder / "index.usearch"))

    def __init__(self, codes: Array, folder: Path) -> None:
        self._index = _usearch_index(codes.shape[1], self.dtype)
        self._index.view(str(folder / "index.usearch"))
        self._index.expansion_search = SEARCHED

    def nearest(self, code: Array, k: int) -> tuple[Array, Array]:
        matches = self._index.search(code if self.dtype == "i8" else _unit(code[None])[0], k, threads=1)
        return matches.keys.astype(np.int64), 1 - matches.distances


class UsearchInt8(Usearch):
    name = "usearch i8"
    dtype = "i8"


class UsearchFloat16(Usearch):
    name = "usearch f16"
    dtype = "f16"


class UsearchFloat32(Usearch):
    name = "usearch f32"
    dtype = "f32"


class FaissIvf(VectorPeer):
    """Faiss's inverted lists of 8-bit vectors: the same idea as KR's, with as many lists and probes."""

    name = "faiss IVF,SQ8"
    package = "faiss"
    most_keywords = 2**31

    @classmethod
    def build(cls, codes: Array, folder: Path) -> None:
        import faiss

        from indexes.vectors_write import LISTS_PER_ROOT

        faiss.omp_set_num_threads(1)
        lists = max(round(LISTS_PER_ROOT * len(codes) ** 0.5), 1)
        index = faiss.index_factory(codes.shape[1], f"IVF{lists},SQ8", faiss.METRIC_INNER_PRODUCT)
        index.train(_unit(codes[:: max(len(codes) // (64 * lists), 1)]))
        for begin in range(0, len(codes), CHUNK):
            index.add(_unit(codes[begin : begin + CHUNK]))
        faiss.write_index(index, str(folder / "index.faiss"))

    def __init__(self, codes: Array, folder: Path) -> None:
        import faiss

        from indexes.vectors_write import PROBES

        faiss.omp_set_num_threads(1)
        self._index = cast(Any, faiss.read_index(str(folder / "index.faiss"), faiss.IO_FLAG_MMAP))
        self._index.nprobe = PROBES

    def nearest(self, code: Array, k: int) -> tuple[Array, Array]:
        cosines, ids = self._index.search(_unit(code[None]), k)
        return ids[0], cosines[0]


class FaissHnsw(VectorPeer):
    """Faiss's graph of neighbours over 8-bit vectors."""

    name = "faiss HNSW,SQ8"
    package = "faiss"
    most_keywords = 200_000

    @classmethod
    def build(cls, codes: Array, folder: Path) -> None:
        import faiss

        faiss.omp_set_num_threads(1)
        index = faiss.index_factory(codes.shape[1], "HNSW16,SQ8", faiss.METRIC_INNER_PRODUCT)
        index.train(_unit(codes[:CHUNK]))
        index.add(_unit(codes))
        faiss.write_index(index, str(folder / "index.faiss"))

    def __init__(self, codes: Array, folder: Path) -> None:
        import faiss

        faiss.omp_set_num_threads(1)
        self._index = cast(Any, faiss.read_index(str(folder / "index.faiss")))
        self._index.hnsw.efSearch = SEARCHED

    def nearest(self, code: Array, k: int) -> tuple[Array, Array]:
        cosines, ids = self._index.search(_unit(code[None]), k)
        return ids[0], cosines[0]


def _unit(codes: Array) -> Array:
    """The vectors as 32-bit floats of length 1."""
    vectors = codes.astype(np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def _usearch_index(dims: int, dtype: str) -> Any:
    from usearch.index import Index

    return Index(ndim=dims, metric="cos", dtype=dtype, connectivity=16, expansion_add=128)


PEERS: tuple[type[VectorPeer], ...] = (BruteForce, UsearchInt8, UsearchFloat16, UsearchFloat32, FaissIvf, FaissHnsw)
