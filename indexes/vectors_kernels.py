"""The compiled inner loop of `indexes.vectors`."""

import numpy as np

from indexes.arrays import Array
from indexes.compiled import njit


@njit
def inner_products(codes: Array, wanted: Array, begins: Array, ends: Array, products: Array) -> None:
    """Inner products int32 of `wanted` int8 (dims,) with the rows of `codes` int8 in each of the ranges, in order."""
    place = 0
    for part in range(len(begins)):
        for row in range(begins[part], ends[part]):
            product = np.int32(0)
            for component in range(codes.shape[1]):
                product += np.int32(codes[row, component]) * np.int32(wanted[component])
            products[place] = product
            place += 1
