"""Token features: matched and missed terms, their weights, and the classical retrieval scores."""

import numpy as np

from indexes.arrays import Array
from indexes.compiled import inner_njit

MOST_TOKENS = 64


@inner_njit
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


@inner_njit
def inverse_probabilities(query_rows: Array, log_probability: Array, inverse: Array) -> None:
    """Write one over the probability of each token of a query, float64 (64,)."""
    for at in range(min(len(query_rows), MOST_TOKENS)):
        inverse[at] = np.exp(-log_probability[query_rows[at]])


@inner_njit
def token_features(
    query: Array,
    query_rows: Array,
    query_kinds: Array,
    keyword: Array,
    rows: Array,
    kinds: Array,
    idf: Array,
    inverse: Array,
    mean_tokens: float,
    times: Array,
    out: Array,
) -> None:
    """Write the 34 token columns of one pair: matched and missed terms, their weights, and the classical scores.

    `inverse` float64 (64,) is one over the probability of each of q's tokens; `times`, int32 (64,), is room to work in.
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
            share = count / n
            dirichlet += np.log(1.0 + 0.1 * count * inverse[at])
            jelinek += np.log(1.0 + 9.0 * share * inverse[at])
            jelinek_long += np.log(1.0 + 0.3 / 0.7 * share * inverse[at])
            discount += np.log(1.0 + (count - 0.7) / n * inverse[at] / 0.7)
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
