"""Synonym features: how much of what one side lacks the other says in other words."""

from indexes.arrays import Array
from indexes.compiled import inner_njit
from kr.relevance.token_kernel import MOST_TOKENS

LEVELS = 5
NOTHING, RELATED, SYNONYM = 0, 1, 2


@inner_njit
def common_levels(a: int, b: int) -> int:
    """How many of the five class levels two senses share from the top; see synonyms.py for the bits of a sense."""
    differing = (a ^ b) >> 2
    if differing == 0:
        return LEVELS
    if differing < 1 << 7:
        return 4
    if differing < 1 << 12:
        return 3
    if differing < 1 << 19:
        return 2
    if differing < 1 << 24:
        return 1
    return 0


@inner_njit
def compare_senses(one: int, other: int, offsets: Array, senses: Array) -> tuple[int, int]:
    """What two lexemes are to each other, and the levels of their nearest common class."""
    relation, depth = NOTHING, 0
    for place in range(offsets[one], offsets[one + 1]):
        for beside in range(offsets[other], offsets[other + 1]):
            levels = common_levels(senses[place], senses[beside])
            depth = max(depth, levels)
            if levels == LEVELS:
                kind = senses[place] & 3
                if kind == 0:
                    relation = SYNONYM
                elif kind == 1 and relation == NOTHING:
                    relation = RELATED
    return relation, depth


@inner_njit
def synonym_features(
    query: Array,
    query_rows: Array,
    query_found: Array,
    keyword: Array,
    rows: Array,
    found: Array,
    idf: Array,
    offsets: Array,
    senses: Array,
    relations: Array,
    depths: Array,
    out: Array,
) -> None:
    """Write the 14 synonym columns of one pair. `query` and `keyword` are lexemes, int32; without senses all are 0.

    `relations` and `depths`, int32 (64,), are room to work in.
    """
    out[:] = 0
    if len(senses) == 0:
        return
    m, n = min(len(query), MOST_TOKENS), min(len(keyword), MOST_TOKENS)
    for place in range(n):
        relations[place] = NOTHING
        depths[place] = 0
    total = found_weight = missed = covered = deep = 0.0
    misses = synonyms = related = 0
    least = LEVELS
    for at in range(m):
        weight = idf[query_rows[at]]
        total += weight
        best, depth = NOTHING, 0
        if query[at]:
            for place in range(n):
                if keyword[place] and not (query_found[at] and found[place]):
                    relation, levels = compare_senses(query[at], keyword[place], offsets, senses)
                    best, depth = max(best, relation), max(depth, levels)
                    relations[place] = max(relations[place], relation)
                    depths[place] = max(depths[place], levels)
        if query_found[at]:
            found_weight += weight
            continue
        missed += weight
        misses += 1
        deep += weight * depth
        least = min(least, depth)
        if best == SYNONYM:
            covered += weight
            synonyms += 1
        elif best == RELATED:
            related += 1
    out[0] = covered / missed if missed > 0 else 0.0
    out[1] = synonyms
    out[2] = synonyms / misses if misses else 0.0
    out[3] = related
    out[4] = deep / (LEVELS * missed) if missed > 0 else 1.0
    out[5] = least / LEVELS
    out[6] = (found_weight + covered) / total if total > 0 else 0.0
    total = found_weight = missed = covered = deep = 0.0
    misses = synonyms = related = 0
    least = LEVELS
    for place in range(n):
        weight = idf[rows[place]]
        total += weight
        if found[place]:
            found_weight += weight
            continue
        missed += weight
        misses += 1
        deep += weight * depths[place]
        least = min(least, depths[place])
        if relations[place] == SYNONYM:
            covered += weight
            synonyms += 1
        elif relations[place] == RELATED:
            related += 1
    out[7] = covered / missed if missed > 0 else 0.0
    out[8] = synonyms
    out[9] = synonyms / misses if misses else 0.0
    out[10] = related
    out[11] = deep / (LEVELS * missed) if missed > 0 else 1.0
    out[12] = least / LEVELS
    out[13] = (found_weight + covered) / total if total > 0 else 0.0
