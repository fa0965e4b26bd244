"""The keywords nearest in meaning to a text: by the cosine of 8-bit vectors (`indexes.term_vectors`).

Keywords are stored in *lists*, one around each of about √n centroids. A search looks through the lists whose centroids
are nearest, `probes` of them, and is exact there; a small index has a single list and is exact altogether. All sums are
of whole numbers, so no thread count, chunk or machine changes an answer or a byte of the index.

Chosen over a graph of neighbours (HNSW, as usearch builds it): on one core it builds in a twentieth of the time, takes
a quarter of the bytes, and reads memory in long runs, which suits a mapped file; `manage.py bench vectors` shows both.
"""

import numpy as np

from indexes.arrays import Array, ArrayReader
from indexes.errors import CorruptError
from indexes.term_vectors import SCALE

REMEDY = "Build it again: `python manage.py build`."

LEAST_SIMILARITY = 0.95
"""Keywords that are less alike are not related by their vectors alone: below it, more than 1 in 10 is wrong."""
STRENGTHS = (0.15, 0.25)
"""Strength at the least similarity and at 1. Likeness is weaker evidence than what people did with both keywords."""


def embedding_strength(similarity: Array) -> Array:
    """Strength of pairs of so similar keywords on the scale of `mining.pair_strength`, float32; 0 below the least.

    Chosen on the simulator's medium market with seed 2.
    """
    low, high = STRENGTHS
    beyond = (similarity - LEAST_SIMILARITY) / (1 - LEAST_SIMILARITY)
    return np.where(similarity >= LEAST_SIMILARITY, low + (high - low) * beyond, 0.0).astype(np.float32)


class Vectors:
    """The vectors of all keywords that have one, mapped.

    List i holds the keywords `members[offsets[i]:offsets[i + 1]]` int32, ascending, with their vectors `codes` int8
    (n, dims) in the same places; its centroid is `centroids[i]` int8 (dims,).
    """

    def __init__(self, reader: ArrayReader) -> None:
        self.probes = int(reader.json("vectors/search.json")["probes"])
        centroids, offsets, members, codes = (
            reader.array(f"vectors/{name}.npy") for name in ("centroids", "offsets", "members", "codes")
        )
        shapes_fit = (
            codes.ndim == centroids.ndim == 2
            and codes.dtype == centroids.dtype == np.int8
            and codes.shape[1] == centroids.shape[1]
            and len(offsets) == len(centroids) + 1
            and int(offsets[-1]) == len(members) == len(codes)
        )
        if not shapes_fit:
            raise CorruptError("The parts of vectors/ do not fit each other.", REMEDY)
        self._offsets = np.asarray(offsets)
        self._members = members
        # Plain arrays over the mapped memory: numba takes them faster than their subclass memmap.
        self._codes = np.asarray(codes)
        self._centroids = centroids.astype(np.float32)
        if len(centroids) > 1:
            # Imports numba, which small snapshots need not wait for, and loads the kernel before the first request.
            self.nearest(np.zeros(self.dims, np.int8), 1)

    def __len__(self) -> int:
        return len(self._members)

    @property
    def dims(self) -> int:
        return int(self._codes.shape[1])

    def nearest(self, code: Array, k: int, probes: int | None = None) -> tuple[Array, Array]:
        """The k keywords nearest to a vector int8 (dims,): ids int32 and cosines float32, ties by id; all if fewer.

        `probes` overrules how many lists are looked through; as many as there are lists is exact.
        """
        if k <= 0 or not len(self):
            return np.empty(0, np.int32), np.empty(0, np.float32)
        if len(self._centroids) == 1:
            rows, products = self._best_of_all(code, k)
        else:
            from indexes.vectors_kernels import best_rows

            lists = self._nearest_lists(code, self.probes if probes is None else probes)
            rows, products = best_rows(self._codes, code, self._offsets[lists], self._offsets[lists + 1], k)
        ids = np.asarray(self._members[rows])
        order = np.lexsort((ids, -products))[:k]
        return ids[order], np.clip(products[order] / np.float32(SCALE * SCALE), -1, 1).astype(np.float32)

    def _nearest_lists(self, code: Array, probes: int) -> Array:
        """The lists with the nearest centroids, the nearest first; int64."""
        products = self._centroids @ code.astype(np.float32)
        probes = max(min(probes, len(products)), 1)
        lists = np.argpartition(-products, probes - 1)[:probes]
        return lists[np.argsort(-products[lists], kind="stable")]

    def _best_of_all(self, code: Array, k: int) -> tuple[Array, Array]:
        """What the kernel returns for all rows: for small indexes, and to check the kernel by."""
        # 32-bit floats hold these whole numbers exactly.
        products = (self._codes.astype(np.float32) @ code.astype(np.float32)).astype(np.int32)
        k = min(k, len(products))
        bar = np.partition(products, len(products) - k)[len(products) - k]
        rows = np.flatnonzero(products >= bar)
        return rows, products[rows]
