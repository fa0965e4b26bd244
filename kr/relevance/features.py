"""Pair features of many pairs at once: the one entry to the kernels, for training and for serving."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from indexes.arrays import Array
from indexes.compiled import njit
from kr.relevance.alignment_kernel import alignment_features
from kr.relevance.character_kernel import MOST_QUERY_CHARS, character_features, mark, unmark
from kr.relevance.encoding import CODE_POINTS, EncodedTexts, encode_distinct, encode_texts
from kr.relevance.exchange_kernel import exchange_features
from kr.relevance.feature_list import (
    ALIGNMENT_FEATURES,
    CHARACTER_FEATURES,
    EXCHANGE_FEATURES,
    KERNEL_FEATURES,
    SPELLING_FEATURES,
    SYNONYM_FEATURES,
    TOKEN_FEATURES,
    term_feature_list,
)
from kr.relevance.spelling_kernel import spelling_features
from kr.relevance.synonym_kernel import synonym_features
from kr.relevance.term_kernel import MOST_THINGS, find_things, term_features
from kr.relevance.text_knowledge import TextKnowledge
from kr.relevance.token_kernel import MOST_TOKENS, find_tokens, token_features

TOKENS_FROM = len(CHARACTER_FEATURES)
ALIGNMENT_FROM = TOKENS_FROM + len(TOKEN_FEATURES)
SPELLING_FROM = ALIGNMENT_FROM + len(ALIGNMENT_FEATURES)
EXCHANGE_FROM = SPELLING_FROM + len(SPELLING_FEATURES)
SYNONYMS_FROM = EXCHANGE_FROM + len(EXCHANGE_FEATURES)
TERMS_FROM = SYNONYMS_FROM + len(SYNONYM_FEATURES)


@dataclass(frozen=True)
class EncodedPairs:
    """Pairs of encoded texts: pair i is `queries[query_rows[i]]` and `keywords[keyword_rows[i]]`; rows int64 (n,)."""

    queries: EncodedTexts
    query_rows: Array
    keywords: EncodedTexts
    keyword_rows: Array

    def __len__(self) -> int:
        return len(self.query_rows)


def encode_for(texts: Sequence[str], knowledge: TextKnowledge) -> EncodedTexts:
    """Encode texts as they are typed, by what a model knows."""
    return encode_texts(texts, knowledge.statistics.vocabulary, knowledge.lexicons.lexemes)


def encode_pairs(queries: tuple[str, ...], keywords: tuple[str, ...], knowledge: TextKnowledge) -> EncodedPairs:
    """Encode both sides, each distinct text once."""
    vocabulary, lexemes = knowledge.statistics.vocabulary, knowledge.lexicons.lexemes
    encoded_queries, query_rows = encode_distinct(queries, vocabulary, lexemes)
    encoded_keywords, keyword_rows = encode_distinct(keywords, vocabulary, lexemes)
    return EncodedPairs(encoded_queries, query_rows, encoded_keywords, keyword_rows)


def kernel_feature_count(knowledge: TextKnowledge) -> int:
    """How many columns `pair_features` gives: those of the code, and those of each kind of listed things."""
    return len(KERNEL_FEATURES) + len(term_feature_list(knowledge.lexicons.kinds))


def pair_features(pairs: EncodedPairs, knowledge: TextKnowledge) -> Array:
    """The columns of `KERNEL_FEATURES`, then of `term_feature_list`, for each pair; float32 (n, columns)."""
    statistics, lexicons = knowledge.statistics, knowledge.lexicons
    out = np.empty((len(pairs), kernel_feature_count(knowledge)), np.float32)
    _compute(
        pairs.query_rows,
        pairs.keyword_rows,
        _arrays(pairs.queries),
        _arrays(pairs.keywords),
        (statistics.idf, statistics.log_probability, statistics.char_idf, statistics.pinyin, knowledge.vectors),
        statistics.mean_tokens,
        (lexicons.senses.offsets, lexicons.senses.senses),
        (lexicons.trie.first, lexicons.trie.keys, lexicons.trie.targets, lexicons.trie.things),
        np.zeros((2, CODE_POINTS), np.uint64),
        out,
    )
    return out


def _arrays(texts: EncodedTexts) -> tuple[Array, ...]:
    return (
        texts.char_offsets,
        texts.chars,
        texts.token_offsets,
        texts.hashes,
        texts.rows,
        texts.kinds,
        texts.spellings,
        texts.lexemes,
    )


@njit
def _compute(
    query_rows: Array,
    keyword_rows: Array,
    queries: tuple[Array, ...],
    keywords: tuple[Array, ...],
    of_text: tuple[Array, ...],
    mean_tokens: float,
    synonyms: tuple[Array, ...],
    trie: tuple[Array, ...],
    room: Array,
    out: Array,
) -> None:
    """`room`, zeros uint64 (2, 65536), holds the marks of the query's characters and syllables."""
    (query_char_offsets, query_chars, query_offsets, query_hashes, query_token_rows, query_kinds, query_spellings,
     query_lexemes) = queries  # fmt: skip
    char_offsets, chars, offsets, hashes, token_rows, kinds, spellings, lexemes = keywords
    idf, log_probability, char_idf, syllables, vectors = of_text
    sense_offsets, senses = synonyms
    first, keys, targets, things = trie
    masks, syllable_masks = room[0], room[1]
    size = vectors.shape[1]
    query_found, found = np.zeros(MOST_TOKENS, np.bool_), np.zeros(MOST_TOKENS, np.bool_)
    counts, ended = np.zeros(MOST_TOKENS, np.int32), np.zeros(MOST_QUERY_CHARS, np.int32)
    best, sum_query, sum_keyword = (
        np.zeros(MOST_TOKENS),
        np.zeros(size, np.float32),
        np.zeros(size, np.float32),
    )
    relations, depths = np.zeros(MOST_TOKENS, np.int32), np.zeros(MOST_TOKENS, np.int32)
    asked = np.zeros((things.shape[1], MOST_THINGS), np.int32)
    offered = np.zeros((things.shape[1], MOST_THINGS), np.int32)
    for pair in range(len(query_rows)):
        q, k = query_rows[pair], keyword_rows[pair]
        query = query_chars[query_char_offsets[q] : query_char_offsets[q + 1]]
        keyword = chars[char_offsets[k] : char_offsets[k + 1]]
        of_query = slice(query_offsets[q], query_offsets[q + 1])
        of_keyword = slice(offsets[k], offsets[k + 1])
        if pair == 0 or query_rows[pair - 1] != q:
            mark(query, syllables, masks, syllable_masks)
            find_things(query_lexemes[of_query], first, keys, targets, things, asked)
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
            row[EXCHANGE_FROM:SYNONYMS_FROM],
        )
        synonym_features(
            query_lexemes[of_query],
            query_token_rows[of_query],
            query_found,
            lexemes[of_keyword],
            token_rows[of_keyword],
            found,
            idf,
            sense_offsets,
            senses,
            relations,
            depths,
            row[SYNONYMS_FROM:TERMS_FROM],
        )
        find_things(lexemes[of_keyword], first, keys, targets, things, offered)
        term_features(asked, offered, row[TERMS_FROM:])
        if pair + 1 == len(query_rows) or query_rows[pair + 1] != q:
            unmark(query, syllables, masks, syllable_masks)
