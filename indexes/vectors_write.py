"""Writes the lists of `indexes.vectors`: spherical k-means on a sample, then every keyword to its nearest centroid.

Vectors are whole numbers, so their inner products are exact in 32-bit floats whatever order a library adds them in:
the same vectors give the same bytes. Memory holds 12 bytes a keyword and one chunk of vectors; the vectors themselves
wait in a file beside the index.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from indexes.arrays import Array, offsets_from_counts, write_array, write_json
from indexes.term_vectors import SCALE

EXACT_UP_TO = 10_000
"""So many keywords are one list, all of which is searched."""
LISTS_PER_ROOT = 1.3
"""Lists for the square root of the number of keywords."""
PROBES = 128
"""Lists that a search looks through."""
SAMPLED_PER_LIST = 64
ROUNDS = 8
CHUNK = 65_536
"""Vectors that are moved at a time."""
PRODUCTS_AT_A_TIME = 2**25
"""Inner products of vectors and centroids in hand, 4 bytes each."""


def write_vectors(folder: Path, dims: int, chunks: Iterable[tuple[Array, Array]]) -> int:
    """Write the vectors of keywords 0, 1, …, which come in chunks: codes int8 (n, dims), and which count, bool (n,).

    Returns how many count; the others are in no list.
    """
    (folder / "vectors").mkdir(parents=True, exist_ok=True)
    waiting = folder / "vectors" / "waiting"
    ids = []
    total = 0
    with waiting.open("wb") as file:
        for codes, counts in chunks:
            ids.append((np.flatnonzero(counts) + total).astype(np.int32))
            np.ascontiguousarray(codes[counts]).tofile(file)
            total += len(codes)
    keyword_ids = np.concatenate(ids) if ids else np.empty(0, np.int32)
    found = len(keyword_ids)
    codes = np.memmap(waiting, np.int8, "r", shape=(found, dims)) if found else np.empty((0, dims), np.int8)
    centroids = _centroids(codes)
    nearest = _nearest_centroids(codes, centroids)
    order = np.argsort(nearest, kind="stable")
    write_array(folder, "vectors/offsets.npy", offsets_from_counts(np.bincount(nearest, minlength=len(centroids))))
    del nearest
    write_array(folder, "vectors/centroids.npy", centroids.astype(np.int8))
    write_array(folder, "vectors/members.npy", keyword_ids[order])
    path = folder / "vectors" / "codes.npy"
    if found:
        in_order = np.lib.format.open_memmap(path, "w+", np.int8, (found, dims))
        for begin in range(0, found, CHUNK):
            in_order[begin : begin + CHUNK] = codes[order[begin : begin + CHUNK]]
        in_order.flush()
        del in_order
    else:
        write_array(folder, "vectors/codes.npy", codes)
    write_json(folder, "vectors/search.json", {"probes": PROBES})
    del codes
    waiting.unlink()
    return found


def _centroids(codes: Array) -> Array:
    """Centroids of so many vectors as their number asks for: whole numbers as float32 (lists, dims)."""
    if len(codes) <= EXACT_UP_TO:
        return np.zeros((1, codes.shape[1]), np.float32)
    lists = round(LISTS_PER_ROOT * len(codes) ** 0.5)
    sampled = np.unique(np.linspace(0, len(codes) - 1, min(len(codes), lists * SAMPLED_PER_LIST)).astype(np.int64))
    sample = np.asarray(codes[sampled])
    drawn = np.random.default_rng(0).choice(len(sample), lists, replace=False)
    centroids: Array = sample[np.sort(drawn)].astype(np.float32)
    for _ in range(ROUNDS):
        nearest = _nearest_centroids(sample, centroids)
        counts = np.bincount(nearest, minlength=lists)
        filled = counts > 0
        order = np.argsort(nearest, kind="stable")
        sums = np.add.reduceat(sample[order].astype(np.int64), offsets_from_counts(counts)[:-1][filled], axis=0)
        lengths = np.sqrt(np.square(sums).sum(axis=1, keepdims=True).astype(np.float64))
        # A centroid that lost all its vectors stays where it is.
        centroids[filled] = np.rint(sums * (SCALE / np.maximum(lengths, 1.0)))
    return centroids


def _nearest_centroids(codes: Array, centroids: Array) -> Array:
    """The centroid with the greatest inner product with each vector, the first of equals; int32."""
    nearest = np.empty(len(codes), np.int32)
    at_a_time = max(PRODUCTS_AT_A_TIME // len(centroids), 1)
    for begin in range(0, len(codes), at_a_time):
        part = slice(begin, begin + at_a_time)
        nearest[part] = np.argmax(codes[part].astype(np.float32) @ centroids.T, axis=1)
    return nearest
