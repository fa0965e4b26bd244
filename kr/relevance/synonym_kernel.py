"""Synonym features: how much of what one side lacks the other says in other words."""

import numpy as np

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
def keep_comparisons(query: Array, lexeme: int, offsets: Array, senses: Array, slot: int, kept: Array) -> None:
    """Write into the slot of `kept`, uint8 (slots, 64), what a lexeme is to the query's: relation · 8 + levels."""
    for at in range(min(len(query), MOST_TOKENS)):
        relation, levels = compare_senses(query[at], lexeme, offsets, senses)
        kept[slot, at] = relation << 3 | levels


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
    stamp: int,
    stamps: Array,
    kept: Array,
    relations: Array,
    depths: Array,
    out: Array,
) -> None:
    """Write the 14 synonym columns of one pair. `query` and `keyword` are lexemes, int32; without senses all are 0.

    `relations` and `depths`, int32 (64,), are room to work in. `stamps` int64 (slots,), a power of two, tell whose
    comparisons `kept` uint8 (slots, 64) holds: `stamp`, the query's, and a lexeme.
    """
    out[:] = 0
    if len(senses) == 0:
        return
    m, n = min(len(query), MOST_TOKENS), min(len(keyword), MOST_TOKENS)
    relations[:m] = NOTHING
    depths[:m] = 0
    total = found_weight = missed = covered = deep = 0.0
    misses = synonyms = related = 0
    least = LEVELS
    for place in range(n):
        weight = idf[rows[place]]
        total += weight
        best = depth = 0
        if keyword[place]:
            lexeme = np.int64(keyword[place])
            slot, key = lexeme & (len(stamps) - 1), stamp << 32 | lexeme
            if stamps[slot] != key:
                keep_comparisons(query, lexeme, offsets, senses, slot, kept)
                stamps[slot] = key
            for at in range(m):
                if not (query_found[at] and found[place]):
                    relation, levels = kept[slot, at] >> 3, kept[slot, at] & 7
                    best, depth = max(best, relation), max(depth, levels)
                    relations[at] = max(relations[at], relation)
                    depths[at] = max(depths[at], levels)
        if found[place]:
            found_weight += weight
            continue
        missed += weight
        misses += 1
        deep += weight * depth
        least = min(least, depth)
        synonyms += best == SYNONYM
        related += best == RELATED
        if best == SYNONYM:
            covered += weight
    out[7] = covered / missed if missed > 0 else 0.0
    out[8] = synonyms
    out[9] = synonyms / misses if misses else 0.0
    out[10] = related
    out[11] = deep / (LEVELS * missed) if missed > 0 else 1.0
    out[12] = least / LEVELS
    out[13] = (found_weight + covered) / total if total > 0 else 0.0
    total = found_weight = missed = covered = deep = 0.0
    misses = synonyms = related = 0
    least = LEVELS
    for at in range(m):
        weight = idf[query_rows[at]]
        total += weight
        if query_found[at]:
            found_weight += weight
            continue
        missed += weight
        misses += 1
        deep += weight * depths[at]
        least = min(least, depths[at])
        synonyms += relations[at] == SYNONYM
        related += relations[at] == RELATED
        if relations[at] == SYNONYM:
            covered += weight
    out[0] = covered / missed if missed > 0 else 0.0
    out[1] = synonyms
    out[2] = synonyms / misses if misses else 0.0
    out[3] = related
    out[4] = deep / (LEVELS * missed) if missed > 0 else 1.0
    out[5] = least / LEVELS
    out[6] = (found_weight + covered) / total if total > 0 else 0.0
