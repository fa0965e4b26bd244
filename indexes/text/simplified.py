"""Traditional characters as simplified ones, one by one: for finding a part of a text in another.

`segment.simplified` maps phrases (OpenCC): a character's form may depend on its neighbours, so that a part of a text
need not be found in the text. Character by character it always is.
"""

from functools import cache

import numpy as np

from indexes.arrays import Array
from indexes.text.segment import simplified

_RANGES = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00), (0x20000, 0x323B0))


@cache
def _mapping() -> dict[int, int]:
    characters = [chr(point) for first, last in _RANGES for point in range(first, last)]
    # A line each, so that no two make a phrase.
    lines = simplified("\n".join(characters)).split("\n")
    pairs = zip(characters, lines, strict=True)
    return {ord(old): ord(new) for old, new in pairs if len(new) == 1 and new != old}


@cache
def simplified_characters() -> Array:
    """By code point the code point of the simplified character, uint32; those past the end are their own."""
    points = np.arange(_RANGES[-1][1], dtype=np.uint32)
    mapping = _mapping()
    points[list(mapping)] = list(mapping.values())
    return points


def with_simplified_characters(text: str) -> str:
    """The text with each character simplified by itself; as many characters as before."""
    return text if text.isascii() else text.translate(_mapping())
