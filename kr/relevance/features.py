"""Pair features of many pairs at once: the one entry to the kernels, for training and for serving."""

from dataclasses import dataclass

import numpy as np

from indexes.arrays import Array
from indexes.compiled import njit
from kr.relevance.encoding import CODE_POINTS, EncodedTexts, encode_distinct
from kr.relevance.feature_kernels import (
    MOST_QUERY_CHARS,
    MOST_TOKENS,
    alignment_features,
    character_features,
    exchange_features,
    find_tokens,
    mark,
    spelling_features,
    token_features,
    unmark,
)
from kr.relevance.feature_list import (
    ALIGNMENT_FEATURES,
    CHARACTER_FEATURES,
    KERNEL_FEATURES,
    SPELLING_FEATURES,
    TOKEN_FEATURES,
)
from kr.relevance.text_statistics import TextStatistics

TOKENS_FROM = len(CHARACTER_FEATURES)
ALIGNMENT_FROM = TOKENS_FROM + len(TOKEN_FEATURES)
SPELLING_FROM = ALIGNMENT_FROM + len(ALIGNMENT_FEATURES)
EXCHANGE_FROM = SPELLING_FROM + len(SPELLING_FEATURES)
ALL_FEATURES = len(KERNEL_FEATURES)


@dataclass(frozen=True)
class EncodedPairs:
    """Pairs of encoded texts: pair i is `queries[query_rows[i]]` and `keywords[keyword_rows[i]]`; rows int64 (n,)."""

    queries: EncodedTexts
    query_rows: Array
    keywords: EncodedTexts
    keyword_rows: Array

    def __len__(self) -> int:
        return len(self.query_rows)


def encode_pairs(queries: tuple[str, ...], keywords: tuple[str, ...], statistics: TextStatistics) -> EncodedPairs:
    """Encode both sides, each distinct text once."""
    encoded_queries, query_rows = encode_distinct(queries, statistics.vocabulary)
    encoded_keywords, keyword_rows = encode_distinct(keywords, statistics.vocabulary)
    return EncodedPairs(encoded_queries, query_rows, encoded_keywords, keyword_rows)


def pair_features(pairs: EncodedPairs, statistics: TextStatistics, vectors: Array) -> Array:
    """The columns of `KERNEL_FEATURES` for each pair; float32 (n, 153)."""
    out = np.empty((len(pairs), ALL_FEATURES), np.float32)
    queries, keywords = pairs.queries, pairs.keywords
    _compute(
        pairs.query_rows,
        pairs.keyword_rows,
        (
            queries.char_offsets,
            queries.chars,
            queries.token_offsets,
            queries.hashes,
            queries.rows,
            queries.kinds,
            queries.spellings,
        ),
        (
            keywords.char_offsets,
            keywords.chars,
            keywords.token_offsets,
            keywords.hashes,
            keywords.rows,
            keywords.kinds,
            keywords.spellings,
        ),
        statistics.idf,
        statistics.log_probability,
        statistics.mean_tokens,
        statistics.char_idf,
        statistics.pinyin,
        vectors,
        np.zeros(CODE_POINTS, np.uint64),
        np.zeros(CODE_POINTS, np.uint64),
        out,
    )
    return out


@njit
def _compute(
    query_rows: Array,
    keyword_rows: Array,
    queries: tuple[Array, ...],
    keywords: tuple[Array, ...],
    idf: Array,
    log_probability: Array,
    mean_tokens: float,
    char_idf: Array,
    syllables: Array,
    vectors: Array,
    masks: Array,
    syllable_masks: Array,
    out: Array,
) -> None:
    query_char_offsets, query_chars, query_offsets, query_hashes, query_token_rows, query_kinds, query_spellings = (
        queries
    )
    char_offsets, chars, offsets, hashes, token_rows, kinds, spellings = keywords
    size = vectors.shape[1]
    query_found, found = np.zeros(MOST_TOKENS, np.bool_), np.zeros(MOST_TOKENS, np.bool_)
    counts, ended = np.zeros(MOST_TOKENS, np.int32), np.zeros(MOST_QUERY_CHARS, np.int32)
    best, sum_query, sum_keyword = (
        np.zeros(MOST_TOKENS),
        np.zeros(size, np.float32),
        np.zeros(size, np.float32),
    )
    for pair in range(len(query_rows)):
        q, k = query_rows[pair], keyword_rows[pair]
        query = query_chars[query_char_offsets[q] : query_char_offsets[q + 1]]
        keyword = chars[char_offsets[k] : char_offsets[k + 1]]
        if pair == 0 or query_rows[pair - 1] != q:
            mark(query, syllables, masks, syllable_masks)
        of_query = slice(query_offsets[q], query_offsets[q + 1])
        of_keyword = slice(offsets[k], offsets[k + 1])
        row = out[pair]
        character_features(query, keyword, masks, syllable_masks, syllables, char_idf, counts, ended, row[:TOKENS_FROM])
        token_features(
            query_hashes[of_query],
            query_token_rows[of_query],
            query_kinds[of_query],
            hashes[of_keyword],
            token_rows[of_keyword],
            kinds[of_keyword],
            idf,
            log_probability,
            mean_tokens,
            counts,
            row[TOKENS_FROM:ALIGNMENT_FROM],
        )
        find_tokens(query_hashes[of_query], hashes[of_keyword], query_found, found)
        alignment_features(
            query_token_rows[of_query],
            query_found,
            token_rows[of_keyword],
            found,
            vectors,
            idf,
            best,
            sum_query,
            sum_keyword,
            row[ALIGNMENT_FROM:SPELLING_FROM],
        )
        spelling_features(
            query_spellings[of_query],
            query_token_rows[of_query],
            query_found,
            spellings[of_keyword],
            token_rows[of_keyword],
            found,
            idf,
            best,
            row[SPELLING_FROM:EXCHANGE_FROM],
        )
        exchange_features(
            query_token_rows[of_query],
            query_found,
            token_rows[of_keyword],
            found,
            vectors,
            row[EXCHANGE_FROM:],
        )
        if pair + 1 == len(query_rows) or query_rows[pair + 1] != q:
            unmark(query, syllables, masks, syllable_masks)
