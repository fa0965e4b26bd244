"""The compiled kernels that compute pair features: one pass over a keyword's characters, one over its tokens.

The query's first 64 characters are the bits of a word, so that overlap, n-grams, the longest common subsequence
(Hyyrö 2004) and the edit distance (Myers 1999, Hyyrö 2003) cost a few instructions a character of the keyword. Each
kernel writes its family's columns of one row; `compute` in features.py is the only caller.
"""

import functools
from typing import Any

import numba
import numpy as np

from indexes.arrays import Array
from indexes.compiled import njit
from kr.relevance.feature_list import EXCHANGE_AXES

MOST_QUERY_CHARS = 64
MOST_TOKENS = 64
sum_in_any_order: Any = functools.partial(numba.njit, cache=True, nogil=True, fastmath={"reassoc", "contract"})
"""Lets the compiler vectorise a sum; the same machine code gives the same bits, in training and in serving."""
ONE = np.uint64(1)
ZERO = np.uint64(0)
ALMOST_ONE = 0.999
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@njit
def bit_count(word: np.uint64) -> int:
    """How many bits are set."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit
def highest_bit(word: np.uint64) -> int:
    """The place of the highest bit that is set; the word is not zero."""
    word |= word >> np.uint64(1)
    word |= word >> np.uint64(2)
    word |= word >> np.uint64(4)
    word |= word >> np.uint64(8)
    word |= word >> np.uint64(16)
    word |= word >> np.uint64(32)
    return bit_count(word) - 1


@njit
def mark(query: Array, syllables: Array, masks: Array, syllable_masks: Array) -> None:
    """Set the bits of the places where each of the query's characters, and each syllable, stands."""
    for place in range(min(len(query), MOST_QUERY_CHARS)):
        bit = ONE << np.uint64(place)
        masks[query[place]] |= bit
        if syllables[query[place]]:
            syllable_masks[syllables[query[place]]] |= bit


@njit
def unmark(query: Array, syllables: Array, masks: Array, syllable_masks: Array) -> None:
    """Make the masks zero again."""
    for place in range(min(len(query), MOST_QUERY_CHARS)):
        masks[query[place]] = ZERO
        syllable_masks[syllables[query[place]]] = ZERO


@njit
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


@njit
def token_features(
    query: Array,
    query_rows: Array,
    query_kinds: Array,
    keyword: Array,
    rows: Array,
    kinds: Array,
    idf: Array,
    log_probability: Array,
    mean_tokens: float,
    times: Array,
    out: Array,
) -> None:
    """Write the 34 token columns of one pair: matched and missed terms, their weights, and the classical scores.

    `times`, int32 (64,), is room to work in.
    """
    m, n = min(len(query), MOST_TOKENS), min(len(keyword), MOST_TOKENS)
    times[:m] = 0
    matched = 0
    keyword_idf = matched_idf = missed_idf = most_missed = keyword_squares = 0.0
    missed_numbers = missed_latin = 0
    last_matched = False
    ordered = 0
    previous = -1
    for place in range(n):
        weight = idf[rows[place]]
        keyword_idf += weight
        keyword_squares += weight * weight
        found = -1
        for at in range(m):
            if query[at] == keyword[place]:
                times[at] += 1
                if found < 0:
                    found = at
        if found >= 0:
            matched += 1
            matched_idf += weight
            ordered += found > previous
            previous = found
        else:
            missed_idf += weight
            most_missed = max(most_missed, weight)
            missed_numbers += (kinds[place] & 1) != 0
            missed_latin += (kinds[place] & 2) != 0
        last_matched = found >= 0
    query_idf = query_matched_idf = query_most_missed = query_squares = dot = 0.0
    query_matched = 0
    query_missed_numbers = query_missed_latin = query_missed_single = 0
    bm25 = bm25_flat = dirichlet = jelinek = jelinek_long = discount = 0.0
    length_norm = n / mean_tokens
    missed_position = 0
    heaviest, heaviest_matched = -1.0, 0
    for at in range(m):
        weight = idf[query_rows[at]]
        query_idf += weight
        query_squares += weight * weight
        count = times[at]
        if weight > heaviest:
            heaviest, heaviest_matched = weight, count > 0
        if count:
            # A token that the keyword lacks adds nothing to a likelihood ratio, but for Dirichlet's length.
            inverse = np.exp(-log_probability[query_rows[at]])
            share = count / n
            dirichlet += np.log(1.0 + 0.1 * count * inverse)
            jelinek += np.log(1.0 + 9.0 * share * inverse)
            jelinek_long += np.log(1.0 + 0.3 / 0.7 * share * inverse)
            discount += np.log(1.0 + (count - 0.7) / n * inverse / 0.7)
            query_matched += 1
            query_matched_idf += weight
            dot += weight * weight * count
            bm25 += weight * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length_norm))
            bm25_flat += weight * count * 1.6 / (count + 0.6 * (0.7 + 0.3 * length_norm))
        else:
            query_most_missed = max(query_most_missed, weight)
            query_missed_numbers += (query_kinds[at] & 1) != 0
            query_missed_latin += (query_kinds[at] & 2) != 0
            query_missed_single += (query_kinds[at] & 8) != 0
            missed_position = at + 1
    query_missed_idf = query_idf - query_matched_idf
    out[0] = m
    out[1] = n
    out[2] = query_matched
    out[3] = query_matched / max(m, 1)
    out[4] = matched / max(n, 1)
    out[5] = query_matched_idf
    out[6] = query_matched_idf / query_idf if query_idf > 0 else 0.0
    out[7] = matched_idf / keyword_idf if keyword_idf > 0 else 0.0
    out[8] = query_missed_idf
    out[9] = missed_idf
    out[10] = query_most_missed
    out[11] = most_missed
    out[12] = dot / np.sqrt(query_squares * keyword_squares) if query_squares * keyword_squares > 0 else 0.0
    out[13] = bm25
    out[14] = bm25_flat
    out[15] = bm25 / max(query_idf, 1e-9)
    out[16] = dirichlet / max(m, 1) - np.log(1.0 + n / 10.0) if m else 0.0
    out[17] = jelinek / max(m, 1)
    out[18] = jelinek_long
    out[19] = discount / max(m, 1)
    out[20] = query_missed_numbers
    out[21] = missed_numbers
    out[22] = query_missed_latin
    out[23] = missed_latin
    out[24] = query_missed_single
    out[25] = heaviest_matched
    out[26] = m > 0 and times[0] > 0
    out[27] = m > 0 and times[m - 1] > 0
    out[28] = last_matched
    out[29] = ordered / max(matched, 1)
    out[30] = missed_position / max(m, 1)
    out[31] = query_idf / max(m, 1)
    out[32] = keyword_idf / max(n, 1)
    out[33] = n > 0 and m > 0 and query[m - 1] == keyword[n - 1]


@sum_in_any_order
def dot_product(a: Array, b: Array) -> Any:
    """The inner product of two float32 vectors."""
    total = np.float32(0.0)
    for axis in range(len(a)):
        total += a[axis] * b[axis]
    return total


@njit
def find_tokens(query: Array, keyword: Array, query_found: Array, found: Array) -> None:
    """Mark, for up to 64 token hashes a side, those that stand on the other side too; both bool (64,)."""
    m, n = min(len(query), MOST_TOKENS), min(len(keyword), MOST_TOKENS)
    query_found[:m] = False
    found[:n] = False
    for at in range(m):
        for place in range(n):
            if query[at] == keyword[place]:
                query_found[at] = True
                found[place] = True


@njit
def alignment_features(
    query_rows: Array,
    query_found: Array,
    rows: Array,
    found: Array,
    vectors: Array,
    idf: Array,
    best_of_keyword: Array,
    sum_query: Array,
    sum_keyword: Array,
    out: Array,
) -> None:
    """Write the 9 alignment columns of one pair: each term beside the most similar one of the other side.

    `vectors` float32 (V + 1, d) have length one, the unknown row is zero; equal tokens count 1 whatever their vector,
    others less. `best_of_keyword` float64 (64,), `sum_query` and `sum_keyword` (d,) float32 are room to work in.
    """
    m, n = min(len(query_rows), MOST_TOKENS), min(len(rows), MOST_TOKENS)
    size = vectors.shape[1]
    for place in range(n):
        best_of_keyword[place] = 1.0 if found[place] else 0.0
    sum_query[:] = 0
    sum_keyword[:] = 0
    weighted = total = plain = 0.0
    worst = 1.0
    missed_weighted = missed_total = 0.0
    for place in range(n):
        weight = idf[rows[place]]
        for axis in range(size):
            sum_keyword[axis] += weight * vectors[rows[place], axis]
    for at in range(m):
        weight = idf[query_rows[at]]
        best = 1.0 if query_found[at] else 0.0
        for axis in range(size):
            sum_query[axis] += weight * vectors[query_rows[at], axis]
        for place in range(n):
            if query_found[at] and found[place]:
                continue  # both are as near as can be to something
            similarity = min(float(dot_product(vectors[query_rows[at]], vectors[rows[place]])), ALMOST_ONE)
            best = max(best, similarity)
            best_of_keyword[place] = max(float(best_of_keyword[place]), similarity)
        weighted += weight * best
        total += weight
        plain += best
        worst = min(worst, best)
        if best < 1.0:
            missed_weighted += weight * best
            missed_total += weight
    out[0] = weighted / total if total > 0 else 0.0
    out[1] = plain / max(m, 1)
    out[2] = worst if m else 0.0
    out[3] = missed_weighted / missed_total if missed_total > 0 else 1.0
    weighted = total = 0.0
    worst = 1.0
    missed_weighted = missed_total = 0.0
    for place in range(n):
        weight = idf[rows[place]]
        similarity = float(best_of_keyword[place])
        weighted += weight * similarity
        total += weight
        worst = min(worst, similarity)
        if similarity < 1.0:
            missed_weighted += weight * similarity
            missed_total += weight
    out[4] = weighted / total if total > 0 else 0.0
    out[5] = worst if n else 0.0
    out[6] = missed_weighted / missed_total if missed_total > 0 else 1.0
    dot = dot_product(sum_query, sum_keyword)
    query_square = dot_product(sum_query, sum_query)
    keyword_square = dot_product(sum_keyword, sum_keyword)
    out[7] = dot / np.sqrt(query_square * keyword_square) if query_square * keyword_square > 0 else 0.0
    out[8] = np.sqrt(query_square) - np.sqrt(keyword_square)


@njit
def spelling_features(
    query: Array,
    query_rows: Array,
    query_found: Array,
    keyword: Array,
    rows: Array,
    found: Array,
    idf: Array,
    best_of_keyword: Array,
    out: Array,
) -> None:
    """Write the 6 spelling columns of one pair: each token beside the one of the other side spelt most alike.

    `query` and `keyword` are signatures, uint64; likeness is the share of bits in common (Jaccard), 1 for equal tokens.
    `best_of_keyword`, float64 (64,), is room to work in.
    """
    m, n = min(len(query), MOST_TOKENS), min(len(keyword), MOST_TOKENS)
    for place in range(n):
        best_of_keyword[place] = 1.0 if found[place] else 0.0
    weighted = total = missed_weighted = missed_total = head = 0.0
    worst = 1.0
    for at in range(m):
        best = 1.0 if query_found[at] else 0.0
        for place in range(n):
            if query_found[at] and found[place]:
                continue
            likeness = bit_count(query[at] & keyword[place]) / max(bit_count(query[at] | keyword[place]), 1)
            best = max(best, likeness)
            best_of_keyword[place] = max(float(best_of_keyword[place]), likeness)
        head = best  # the last one stays
        weight = idf[query_rows[at]]
        weighted += weight * best
        total += weight
        worst = min(worst, best)
        if best < 1.0:
            missed_weighted += weight * best
            missed_total += weight
    out[0] = weighted / total if total > 0 else 0.0
    out[1] = worst if m else 0.0
    out[2] = missed_weighted / missed_total if missed_total > 0 else 1.0
    weighted = total = missed_weighted = missed_total = 0.0
    for place in range(n):
        weight = idf[rows[place]]
        weighted += weight * best_of_keyword[place]
        total += weight
        if best_of_keyword[place] < 1.0:
            missed_weighted += weight * best_of_keyword[place]
            missed_total += weight
    out[3] = weighted / total if total > 0 else 0.0
    out[4] = missed_weighted / missed_total if missed_total > 0 else 1.0
    out[5] = head


@njit
def exchange_features(
    query_rows: Array, query_found: Array, rows: Array, found: Array, vectors: Array, out: Array
) -> None:
    """Write the 4 × EXCHANGE_AXES exchange columns of one pair: where, in meaning, a pair differs.

    On the first axes of the token vectors: the sum of q's missed tokens, the sum of k's added ones, the products of the
    two, and the mean of q's tokens. Trees learn from these which differences matter for which kind of query.
    """
    m, n = min(len(query_rows), MOST_TOKENS), min(len(rows), MOST_TOKENS)
    axes = min(vectors.shape[1], EXCHANGE_AXES)
    out[:] = 0
    for at in range(m):
        for axis in range(axes):
            out[3 * EXCHANGE_AXES + axis] += vectors[query_rows[at], axis] / m
        if not query_found[at]:
            for axis in range(axes):
                out[axis] += vectors[query_rows[at], axis]
    for place in range(n):
        if not found[place]:
            for axis in range(axes):
                out[EXCHANGE_AXES + axis] += vectors[rows[place], axis]
    for axis in range(axes):
        out[2 * EXCHANGE_AXES + axis] = out[axis] * out[EXCHANGE_AXES + axis]
