"""The compiled inner loops of `indexes.vectors`."""

import numpy as np

from indexes.arrays import Array
from indexes.compiled import njit

BLOCK = 512
"""Products that are computed before they are looked at."""


@njit
def best_rows(codes: Array, wanted: Array, begins: Array, ends: Array, k: int) -> tuple[Array, Array]:
    """The rows of `codes` int8 (n, dims) in these ranges whose inner product with `wanted` int8 (dims,) is among the k
    greatest, and all that equal the k-th: rows int64 and products int32, in no order.

    Rows wait in a buffer; whenever it is full, all below the k-th product so far leave it, and later ones below that
    never enter.
    """
    room = 8 * k + 1024
    rows, products = np.empty(room, np.int64), np.empty(room, np.int32)
    count, bar = 0, np.int32(-(2**31))
    block = np.empty(BLOCK, np.int32)
    for part in range(len(begins)):
        for first in range(begins[part], ends[part], BLOCK):
            last = min(first + BLOCK, ends[part])
            inner_products(codes, wanted, first, last, block)
            for row in range(first, last):
                if block[row - first] < bar:
                    continue
                rows[count], products[count] = row, block[row - first]
                count += 1
                if count < room:
                    continue
                bar, count = keep_best(rows, products, count, k)
                if 2 * count > room:
                    # Ties beyond number.
                    rows = np.concatenate((rows, np.empty(room, np.int64)))
                    products = np.concatenate((products, np.empty(room, np.int32)))
                    room *= 2
    if count > k:
        bar, count = keep_best(rows, products, count, k)
    return rows[:count], products[:count]


@njit
def inner_products(codes: Array, wanted: Array, first: int, last: int, products: Array) -> None:
    """Fill `products` with those of the rows first..last. A loop of its own is what the compiler makes fast."""
    for row in range(first, last):
        product = np.int32(0)
        for component in range(codes.shape[1]):
            product += np.int32(codes[row, component]) * np.int32(wanted[component])
        products[row - first] = product


@njit
def keep_best(rows: Array, products: Array, count: int, k: int) -> tuple[int, int]:
    """Move the first `count` that reach the k-th product to the front; that product and how many they are."""
    bar = np.partition(products[:count], count - k)[count - k]
    kept = 0
    for place in range(count):
        if products[place] >= bar:
            rows[kept], products[kept] = rows[place], products[place]
            kept += 1
    return bar, kept
