"""Whole numbers in as few bits as the greatest needs, readable one by one: the packed arrays of `indexes.neighbors`.

Value i of width w stands in bits i·w … i·w + w − 1 of an array of little-endian 64-bit words, low bits first: 64 values
fill exactly w words. Readers load two words at a time, even for a value of no bits behind the last one: whoever
writes puts PADDING words behind.
"""

import numpy as np

from indexes.arrays import Array

GROUP = 64
"""Values that are packed together: they end where a word ends, whatever their width."""
PADDING = 2
"""Words of zeros behind the last value."""
MAX_WIDTH = 53
"""Bits of the widest values; the bit length of greater ones could not be read off a float64."""

_ONE = np.uint64(1)
_LAST_BIT = np.uint64(63)


def pack(values: Array, width: int) -> Array:
    """Words uint64 of values uint64 below 2^width; their number is a multiple of 64 (n → n · width / 64 words)."""
    slots = np.asarray(values, np.uint64).reshape(-1, GROUP)
    words = np.zeros((len(slots), width), np.uint64)
    for slot in range(GROUP if width else 0):
        word, shift = divmod(slot * width, 64)
        words[:, word] |= slots[:, slot] << np.uint64(shift)
        if shift + width > 64:
            words[:, word + 1] |= slots[:, slot] >> np.uint64(64 - shift)
    return words.reshape(-1)


def unpack(words: Array, bits: Array, widths: Array | int) -> Array:
    """The values uint64 that begin at these bit positions, int64, of one width or of a width each (at most 63)."""
    word = bits >> 6
    shift = (bits & 63).astype(np.uint64)
    # The shift to the left goes in two steps, since one by 64 is not defined.
    values = (words[word] >> shift) | ((words[word + 1] << _ONE) << (_LAST_BIT - shift))
    return values & ((_ONE << np.asarray(widths).astype(np.uint64)) - _ONE)


def bit_lengths(values: Array) -> Array:
    """The width that each whole number below 2^53 needs, int64; 0 needs none."""
    return np.frexp(values.astype(np.float64))[1].astype(np.int64)
