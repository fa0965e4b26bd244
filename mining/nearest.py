"""The nearest of each: which entries are among the greatest of their owner, without sorting all of them."""

import numpy as np
import numpy.typing as npt

from indexes.arrays import Array, offsets_from_counts
from indexes.compiled import njit

IntArray = npt.NDArray[np.int64]


def among_nearest(owner: IntArray, tie: IntArray, value: npt.NDArray[np.float64], most: int) -> npt.NDArray[np.bool_]:
    """Which entries are among the `most` of their owner with the greatest values.

    Of equal values those with the lowest `tie` come first, which no two entries of an owner share. Owners are whole
    numbers from 0.
    """
    bounds = offsets_from_counts(np.bincount(owner))
    near = np.zeros(len(owner), np.bool_)
    _mark(bounds, np.ascontiguousarray(owner), np.ascontiguousarray(tie), value, most, near)
    return near


@njit
def _mark(bounds: Array, owner: Array, tie: Array, value: Array, most: int, near: Array) -> None:
    """Set `near`; the entries of each owner are brought together first."""
    place = np.empty(len(owner), np.int64)
    end = bounds[:-1].copy()
    for entry in range(len(owner)):
        place[end[owner[entry]]] = entry
        end[owner[entry]] += 1
    for number in range(len(bounds) - 1):
        own = place[bounds[number] : bounds[number + 1]]
        if len(own) <= most:
            for entry in own:
                near[entry] = True
            continue
        least = np.partition(value[own], len(own) - most)[len(own) - most]
        room = most
        for entry in own:
            if value[entry] > least:
                near[entry] = True
                room -= 1
        equal = own[value[own] == least]
        last = np.sort(tie[equal])[room - 1]
        for entry in equal:
            near[entry] = tie[entry] <= last
