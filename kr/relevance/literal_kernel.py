"""The compiled inner loop of `kr.relevance.literal`: one pass over the candidates' mapped tokens and letters.

It gives the numbers of `literal.plain_overlap` and of rapidfuzz, bit for bit, without making a string a candidate.
"""

import numpy as np

from indexes.arrays import Array
from indexes.compiled import inner_njit, njit
from kr.relevance.bit_kernels import ALL, ZERO, bit_count


@njit
def overlap(
    keyword_ids: Array,
    offsets: Array,
    tokens: Array,
    idf: Array,
    known: Array,
    mass: Array,
    shared: Array,
    covered: Array,
) -> bool:
    """For each keyword: the idf of all its tokens, of those in `known`, and of those once each; False if damaged.

    `offsets` int64 and `tokens` int32 are the forward index, `known` int64 ascending token ids; the results, float64,
    are added up in the order in which numpy does it.
    """
    for row in range(len(keyword_ids)):
        first, last = offsets[keyword_ids[row]], offsets[keyword_ids[row] + 1]
        if not 0 <= first <= last <= len(tokens):
            return False
        all_mass, known_mass = 0.0, 0.0
        for place in range(first, last):
            token = tokens[place]
            if not 0 <= token < len(idf):
                return False
            all_mass += abs(idf[token])
            for each in known:
                if each == token:
                    known_mass += abs(idf[token])
                    break
        once = 0.0
        if known_mass != 0:
            for each in known:
                for place in range(first, last):
                    if tokens[place] == each:
                        once += abs(idf[each])
                        break
        mass[row], shared[row], covered[row] = all_mass, known_mass, once
    return True


@njit
def spelling_similarity(
    keyword_ids: Array,
    offsets: Array,
    utf8: Array,
    letters: Array,
    places: Array,
    length: int,
    bar: float,
    found: Array,
) -> bool:
    """How alike each keyword is spelt to a seed (normalised Indel similarity), 0 below the bar; False if damaged.

    `offsets` int64 and `utf8` uint8 are the vocabulary; `letters` int64 the distinct characters of the seed and
    `places` uint64 at which of its `length` positions, 64 at most, each stands; `found` float32.
    """
    for row in range(len(keyword_ids)):
        first, last = offsets[keyword_ids[row]], offsets[keyword_ids[row] + 1]
        if not 0 <= first <= last <= len(utf8):
            return False
        count = 0
        for place in range(first, last):
            count += (utf8[place] & 0xC0) != 0x80
        longest = length + count
        # No common subsequence is longer than the shorter of the two.
        if longest == 0 or 2 * min(length, count) < (bar - 0.01) * longest:
            found[row] = 0
            continue
        common = _longest_common_subsequence(utf8[first:last], letters, places, length)
        distance = (longest - 2 * common) / longest
        found[row] = 1.0 - distance if distance <= 1.0 - bar else 0.0
    return True


@inner_njit
def _longest_common_subsequence(utf8: Array, letters: Array, places: Array, length: int) -> int:
    """By bits (Hyyrö 2004): a zero in `row` for each character of the seed that the best subsequence has."""
    row = ALL
    place = 0
    while place < len(utf8):
        lead = np.int64(utf8[place])
        size = 1 if lead < 0x80 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
        letter = lead if size == 1 else lead & (0xFF >> (size + 1))
        for after in range(place + 1, min(place + size, len(utf8))):
            letter = letter << 6 | np.int64(utf8[after]) & 0x3F
        place += size
        at = ZERO
        for each in range(len(letters)):
            if letters[each] == letter:
                at = places[each]
                break
        if at != ZERO:
            matching = row & at
            row = (row + matching) | (row - matching)
    unused = np.uint64(64 - length)
    return bit_count((~row) << unused >> unused)
