"""Spelling features: each token beside the one of the other side that is spelt most alike."""

from indexes.arrays import Array
from indexes.compiled import inner_njit
from kr.relevance.bit_kernels import bit_count
from kr.relevance.token_kernel import MOST_TOKENS


@inner_njit
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
