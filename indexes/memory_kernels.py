"""Arrays that kernels read by address, and the bounded heap in which they keep the best: see `compiled.pointer`."""

from typing import Any

import numba
import numpy as np

from indexes.arrays import Array
from indexes.compiled import inner_njit, pointer


def addresses(*arrays: Array) -> Array:
    """Address and length of each array, int64 (2 × arrays,); the caller keeps the arrays.

    Raises ValueError for arrays that are not contiguous.
    """
    for array in arrays:
        if not array.flags.c_contiguous:
            raise ValueError("a kernel reads contiguous arrays only")
    return np.array([number for array in arrays for number in (array.ctypes.data, array.size)], np.int64)


@inner_njit
def int32s(places: Array, slot: int) -> Any:
    """The array at a slot, int32."""
    return numba.carray(pointer(places[2 * slot]), (places[2 * slot + 1],), np.int32)


@inner_njit
def int64s(places: Array, slot: int) -> Any:
    """The array at a slot, int64."""
    return numba.carray(pointer(places[2 * slot]), (places[2 * slot + 1],), np.int64)


@inner_njit
def uint8s(places: Array, slot: int) -> Any:
    """The array at a slot, uint8."""
    return numba.carray(pointer(places[2 * slot]), (places[2 * slot + 1],), np.uint8)


@inner_njit
def uint16s(places: Array, slot: int) -> Any:
    """The array at a slot, uint16."""
    return numba.carray(pointer(places[2 * slot]), (places[2 * slot + 1],), np.uint16)


@inner_njit
def uint32s(places: Array, slot: int) -> Any:
    """The array at a slot, uint32."""
    return numba.carray(pointer(places[2 * slot]), (places[2 * slot + 1],), np.uint32)


@inner_njit
def float32s(places: Array, slot: int) -> Any:
    """The array at a slot, float32."""
    return numba.carray(pointer(places[2 * slot]), (places[2 * slot + 1],), np.float32)


@inner_njit
def float64s(places: Array, slot: int) -> Any:
    """The array at a slot, float64."""
    return numba.carray(pointer(places[2 * slot]), (places[2 * slot + 1],), np.float64)


@inner_njit
def is_worse(score: float, tie: int, other_score: float, other_tie: int) -> bool:
    """Whether the first stands behind the second: lower score, or as high and a higher tie-breaker."""
    return score < other_score or (score == other_score and tie > other_tie)


@inner_njit
def sift_down(scores: Array, ties: Array, count: int, place: int) -> None:
    """Restore the heap below a place: every row is worse than the two below it."""
    score, tie = scores[place], ties[place]
    while True:
        child = 2 * place + 1
        if child >= count:
            break
        if child + 1 < count and is_worse(scores[child + 1], ties[child + 1], scores[child], ties[child]):
            child += 1
        if not is_worse(scores[child], ties[child], score, tie):
            break
        scores[place], ties[place] = scores[child], ties[child]
        place = child
    scores[place], ties[place] = score, tie


@inner_njit
def heapify(scores: Array, ties: Array, count: int) -> None:
    """Make a heap of the first `count` rows."""
    for place in range(count // 2 - 1, -1, -1):
        sift_down(scores, ties, count, place)


@inner_njit
def offer(scores: Array, ties: Array, count: int, score: float, tie: int) -> int:
    """Keep a row if it is among the best len(scores); the new count. A heap, the worst row at 0, once it is full."""
    if count < len(scores):
        scores[count], ties[count] = score, tie
        if count + 1 == len(scores):
            heapify(scores, ties, count + 1)
        return count + 1
    if count and is_worse(scores[0], ties[0], score, tie):
        scores[0], ties[0] = score, tie
        sift_down(scores, ties, count, 0)
    return count


@inner_njit
def sort_best_first(scores: Array, ties: Array, count: int) -> None:
    """Order the first `count` rows, which were offered, the best first."""
    if count < len(scores):
        heapify(scores, ties, count)
    last = count - 1
    while last > 0:
        score, tie = scores[last], ties[last]
        scores[last], ties[last] = scores[0], ties[0]
        scores[0], ties[0] = score, tie
        sift_down(scores, ties, last, 0)
        last -= 1
