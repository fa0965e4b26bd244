"""Character features: one pass over a keyword's characters beside a query whose first 64 characters are bits.

Overlap, n-grams, the longest common subsequence (Hyyrö 2004) and the edit distance (Myers 1999, Hyyrö 2003) so cost a
few instructions a character of the keyword.
"""

import numpy as np

from indexes.arrays import Array
from indexes.compiled import inner_njit
from kr.relevance.bit_kernels import ALL, ONE, ZERO, bit_count, highest_bit

MOST_QUERY_CHARS = 64


@inner_njit
def mark(query: Array, syllables: Array, masks: Array, syllable_masks: Array) -> None:
    """Set the bits of the places where each of the query's characters, and each syllable, stands."""
    for place in range(min(len(query), MOST_QUERY_CHARS)):
        bit = ONE << np.uint64(place)
        masks[query[place]] |= bit
        if syllables[query[place]]:
            syllable_masks[syllables[query[place]]] |= bit


@inner_njit
def unmark(query: Array, syllables: Array, masks: Array, syllable_masks: Array) -> None:
    """Make the masks zero again."""
    for place in range(min(len(query), MOST_QUERY_CHARS)):
        masks[query[place]] = ZERO
        syllable_masks[syllables[query[place]]] = ZERO


@inner_njit
def character_features(
    query: Array,
    keyword: Array,
    masks: Array,
    syllable_masks: Array,
    syllables: Array,
    char_idf: Array,
    runs: Array,
    ended: Array,
    out: Array,
) -> None:
    """Write the 40 character columns of one pair; both texts are uint16, `masks` marks the query.

    `runs` and `ended`, int32 (64,), are room to work in.
    """
    m, n = min(len(query), MOST_QUERY_CHARS), len(keyword)
    full = ALL if m == 64 else (ONE << np.uint64(m)) - ONE
    top = ONE << np.uint64(max(m - 1, 0))
    subsequence = full
    syllable_subsequence = full
    plus, minus, distance = full, ZERO, m
    covered = covered2 = covered3 = syllables_covered = ZERO
    matched = matched2 = matched3 = 0
    matched_idf = missed_idf = most_missed = 0.0
    before = before2 = ZERO
    for at in range(m):
        ended[at] = -2
    longest = longest_end = 0
    first_match, last_match = -1, -1
    missed_runs, missed_run, longest_missed = 0, 0, 0
    for place in range(n):
        char = keyword[place]
        mask = masks[char]
        idf = char_idf[char]
        # The longest common subsequence.
        both = subsequence & mask
        subsequence = (subsequence + both) | (subsequence - both)
        # The edit distance, by Myers' vectors of vertical differences.
        diagonal = (((mask & plus) + plus) ^ plus) | mask | minus
        horizontal_plus = minus | ~(diagonal | plus)
        horizontal_minus = plus & diagonal
        if horizontal_plus & top:
            distance += 1
        elif horizontal_minus & top:
            distance -= 1
        horizontal_plus = (horizontal_plus << ONE) | ONE
        horizontal_minus = horizontal_minus << ONE
        plus = horizontal_minus | ~(diagonal | horizontal_plus)
        minus = horizontal_plus & diagonal
        syllable = syllables[char]
        if syllable:
            syllable_mask = syllable_masks[syllable]
        else:
            syllable_mask = mask
        syllables_covered |= syllable_mask
        both = syllable_subsequence & syllable_mask
        syllable_subsequence = (syllable_subsequence + both) | (syllable_subsequence - both)
        if mask:
            covered |= mask
            matched += 1
            matched_idf += idf
            if first_match < 0:
                first_match = place
            last_match = place
            missed_run = 0
            two = (before << ONE) & mask
            if two:
                covered2 |= two
                matched2 += 1
                three = (before2 << np.uint64(2)) & two
                if three:
                    covered3 |= three
                    matched3 += 1
            left = mask
            while left:
                # From the highest bit down, so that runs[at - 1] is still that of the character before.
                at = highest_bit(left)
                left ^= ONE << np.uint64(at)
                run = 1
                if at and ended[at - 1] == place - 1:
                    run += runs[at - 1]
                runs[at] = run
                ended[at] = place
                if run > longest:
                    longest, longest_end = run, at
        else:
            missed_idf += idf
            most_missed = max(most_missed, idf)
            if missed_run == 0:
                missed_runs += 1
            missed_run += 1
            longest_missed = max(longest_missed, missed_run)
        before2, before = before, mask
    query_idf = query_missed_idf = query_most_missed = 0.0
    query_missed_runs = query_missed_run = query_longest_missed = 0
    for at in range(m):
        idf = char_idf[query[at]]
        query_idf += idf
        if (covered >> np.uint64(at)) & ONE:
            query_missed_run = 0
        else:
            query_missed_idf += idf
            query_most_missed = max(query_most_missed, idf)
            if query_missed_run == 0:
                query_missed_runs += 1
            query_missed_run += 1
            query_longest_missed = max(query_longest_missed, query_missed_run)
    shorter, longer = max(min(m, n), 1), max(m, n, 1)
    common = bit_count(~subsequence & full)
    covered_count = bit_count(covered)
    prefix = 0
    whole = len(query)
    while prefix < whole and prefix < n and query[prefix] == keyword[prefix]:
        prefix += 1
    suffix = 0
    while suffix < whole and suffix < n and query[whole - 1 - suffix] == keyword[n - 1 - suffix]:
        suffix += 1
    out[0] = m
    out[1] = n
    out[2] = n - m
    out[3] = shorter / longer
    out[4] = covered_count
    out[5] = covered_count / max(m, 1)
    out[6] = matched / max(n, 1)
    out[7] = m - covered_count
    out[8] = n - matched
    out[9] = matched2
    out[10] = bit_count(covered2) / max(m - 1, 1)
    out[11] = matched2 / max(n - 1, 1)
    out[12] = bit_count(covered3) / max(m - 2, 1)
    out[13] = matched3 / max(n - 2, 1)
    out[14] = 1 - query_missed_idf / query_idf if query_idf > 0 else 0.0
    out[15] = matched_idf / (matched_idf + missed_idf) if matched_idf + missed_idf > 0 else 0.0
    out[16] = query_missed_idf
    out[17] = missed_idf
    out[18] = query_most_missed
    out[19] = most_missed
    out[20] = distance
    out[21] = 1 - distance / longer
    out[22] = 2 * common / max(m + n, 1)
    out[23] = common / max(m, 1)
    out[24] = longest
    out[25] = longest / shorter
    out[26] = longest_end + 1 == m and longest > 0
    out[27] = prefix
    out[28] = suffix
    out[29] = prefix == whole and whole == n
    out[30] = longest == shorter
    out[31] = first_match / max(n, 1) if first_match >= 0 else 1.0
    out[32] = (last_match + 1) / max(n, 1)
    out[33] = query_missed_runs
    out[34] = missed_runs
    out[35] = query_longest_missed
    out[36] = longest_missed
    out[37] = bit_count(syllables_covered) / max(m, 1)
    out[38] = 2 * bit_count(~syllable_subsequence & full) / max(m + n, 1)
    out[39] = (bit_count(syllables_covered) - covered_count) / max(m, 1)
