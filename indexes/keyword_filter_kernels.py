"""Whether a keyword passes a filter, compiled: `indexes.keyword_filter` says what is meant and lays out the numbers."""

from typing import Any

import numpy as np

from indexes.arrays import Array
from indexes.compiled import inner_njit
from indexes.memory_kernels import float32s, float64s, int32s, int64s, uint8s, uint16s, uint32s

CHECKS, MIN_SEARCHES, MAX_SEARCHES, COMPETITION, MIN_BID, MAX_BID, LANGUAGES, CATEGORIES = range(8)
SEARCHES_SIZE, BID_SIZE, DEVICE_SIZE, REGION_SIZE, DEVICES, REGIONS, REQUIRED, SCALARS = range(8, 16)
"""Places in the numbers of a filter; addresses begin at SCALARS, with these slots:"""
AVERAGE, COMPETITION_INDEX, LANGUAGE, UNSAFE, TEXT_OFFSETS, UTF8 = range(6)
PARTS, PART_OFFSETS, SIMPLIFIED, DEVICE_IDS, REGION_IDS, OWNED = range(6, 12)
SEARCHES, BID, BY_DEVICE, BY_REGION = range(12, 24, 3)
"""A narrow column takes three slots."""

CHECK_SEARCHES, CHECK_COMPETITION, CHECK_BID, CHECK_LANGUAGE = 1, 2, 4, 8
CHECK_DEVICE, CHECK_REGION, CHECK_UNSAFE, CHECK_OWNED, CHECK_TEXT = 16, 32, 64, 128, 256
"""Bits of CHECKS; none is no filter."""


@inner_njit
def whole_number(places: Array, slot: int, size: int, position: int) -> Any:
    """A number of a narrow column whose items have so many bytes: see `indexes.narrow_column`."""
    if size == 1:
        number, greatest = np.int64(uint8s(places, slot)[position]), np.int64(0xFF)
    elif size == 2:
        number, greatest = np.int64(uint16s(places, slot)[position]), np.int64(0xFFFF)
    else:
        number, greatest = np.int64(uint32s(places, slot)[position]), np.int64(0xFFFFFFFF)
    if number < greatest - 1:
        return number
    if number == greatest - 1:
        return np.int64(-1)
    return int64s(places, slot + 2)[np.searchsorted(int64s(places, slot + 1), position)]


@inner_njit
def code_point(utf8: Array, at: int) -> tuple[Any, int]:
    """The character at a byte, and how many bytes it takes."""
    first = np.int64(utf8[at])
    if first < 0x80:
        return first, 1
    if first < 0xE0:
        return ((first & 0x1F) << 6) | (np.int64(utf8[at + 1]) & 0x3F), 2
    if first < 0xF0:
        return ((first & 0x0F) << 12) | ((np.int64(utf8[at + 1]) & 0x3F) << 6) | (np.int64(utf8[at + 2]) & 0x3F), 3
    high = ((first & 0x07) << 18) | ((np.int64(utf8[at + 1]) & 0x3F) << 12)
    return high | ((np.int64(utf8[at + 2]) & 0x3F) << 6) | (np.int64(utf8[at + 3]) & 0x3F), 4


@inner_njit
def contains(utf8: Array, begin: int, end: int, part: Array, simplified: Array) -> bool:
    """Whether a text, its characters simplified one by one, contains a part (simplified code points int32)."""
    start = begin
    while start < end:
        at, matched, step = start, 0, 1
        while matched < len(part) and at < end:
            point, size = code_point(utf8, at)
            if at == start:
                step = size
            if point < len(simplified):
                point = np.int64(simplified[point])
            if point != part[matched]:
                break
            at += size
            matched += 1
        if matched == len(part):
            return True
        start += step
    return len(part) == 0


@inner_njit
def has_any(places: Array, slot: int, size: int, keyword: int, width: int, wanted: Array) -> bool:
    """Whether a keyword's row of a narrow table has a number above 0 in one of the columns wanted."""
    for column in wanted:  # noqa: SIM110 (numba compiles loops better than generators)
        if whole_number(places, slot, size, keyword * width + column) > 0:
            return True
    return False


@inner_njit
def text_passes(keyword: int, numbers: Array) -> bool:
    """Whether the text contains all required parts and no other one."""
    places = numbers[SCALARS:]
    offsets, utf8 = int64s(places, TEXT_OFFSETS), uint8s(places, UTF8)
    parts, part_offsets = int32s(places, PARTS), int64s(places, PART_OFFSETS)
    simplified = uint32s(places, SIMPLIFIED)
    for number in range(len(part_offsets) - 1):
        part = parts[part_offsets[number] : part_offsets[number + 1]]
        found = contains(utf8, offsets[keyword], offsets[keyword + 1], part, simplified)
        if found != (number < numbers[REQUIRED]):
            return False
    return True


@inner_njit
def passes(keyword: int, numbers: Array) -> bool:
    """Whether a keyword passes a filter; the cheapest checks come first."""
    checks = numbers[CHECKS]
    places = numbers[SCALARS:]
    if checks & CHECK_LANGUAGE and not (numbers[LANGUAGES] >> np.int64(uint8s(places, LANGUAGE)[keyword])) & 1:
        return False
    if checks & CHECK_UNSAFE and np.int64(uint32s(places, UNSAFE)[keyword]) & numbers[CATEGORIES]:
        return False
    if checks & CHECK_SEARCHES:
        searches = float64s(places, AVERAGE)[keyword]
        if np.isnan(searches):
            searches = np.float64(whole_number(places, SEARCHES, numbers[SEARCHES_SIZE], keyword))
        if searches < numbers[MIN_SEARCHES] or searches > numbers[MAX_SEARCHES]:
            return False
    if checks & CHECK_COMPETITION:
        index = float32s(places, COMPETITION_INDEX)[keyword]
        level = 0 if np.isnan(index) else 1 + (index >= 34) + (index >= 67)
        if not (numbers[COMPETITION] >> level) & 1:
            return False
    if checks & CHECK_BID:
        bid = whole_number(places, BID, numbers[BID_SIZE], keyword)
        if bid < 0 or bid < numbers[MIN_BID] or bid > numbers[MAX_BID]:
            return False
    if checks & CHECK_DEVICE:
        wanted = int32s(places, DEVICE_IDS)
        if not has_any(places, BY_DEVICE, numbers[DEVICE_SIZE], keyword, numbers[DEVICES], wanted):
            return False
    if checks & CHECK_REGION:
        wanted = int32s(places, REGION_IDS)
        if not has_any(places, BY_REGION, numbers[REGION_SIZE], keyword, numbers[REGIONS], wanted):
            return False
    if checks & CHECK_OWNED:
        owned = int32s(places, OWNED)
        place = np.searchsorted(owned, keyword)
        if place < len(owned) and owned[place] == keyword:
            return False
    return not checks & CHECK_TEXT or text_passes(keyword, numbers)
