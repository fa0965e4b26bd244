"""Arrays that kernels fill without knowing how much will come: twice as long whenever they are full."""

import numpy as np

from indexes.arrays import Array
from indexes.compiled import inner_njit


@inner_njit
def twice_as_long(array: Array) -> Array:
    """A copy with room for as much again, the last axis doubled."""
    longer = np.empty((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    longer[..., : array.shape[-1]] = array
    return longer
