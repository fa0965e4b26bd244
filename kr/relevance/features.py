"""Pair features of many pairs at once: the one entry to the kernels, for training and for serving."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from indexes.arrays import Array
from indexes.compiled import njit
from kr.relevance.alignment_kernel import alignment_features, sum_of_query
from kr.relevance.character_kernel import MOST_QUERY_CHARS, character_features, mark, unmark
from kr.relevance.encoding import CODE_POINTS, EncodedTexts, encode_distinct, encode_texts
from kr.relevance.exchange_kernel import exchange_features, topic_of_query
from kr.relevance.feature_list import (
    ALIGNMENT_FEATURES,
    CHARACTER_FEATURES,
    EXCHANGE_AXES,
    EXCHANGE_FEATURES,
    KERNEL_FEATURES,
    SPELLING_FEATURES,
    SYNONYM_FEATURES,
    TOKEN_FEATURES,
)
from kr.relevance.spelling_kernel import spelling_features
from kr.relevance.synonym_kernel import synonym_features
from kr.relevance.term_kernel import COLUMNS, MOST_THINGS, find_things, term_features
from kr.relevance.text_knowledge import TextKnowledge
from kr.relevance.token_kernel import MOST_TOKENS, find_tokens, inverse_probabilities, token_features

KERNELS = ("characters", "tokens", "alignment", "spelling", "exchange", "synonyms", "terms")
"""What computes the columns, in their order; each computes all of its columns or, if nobody reads one, none."""
CHARACTERS, TOKENS, ALIGNMENT, SPELLING, EXCHANGE, SYNONYMS, TERMS = range(len(KERNELS))
TOKENS_FROM = len(CHARACTER_FEATURES)
ALIGNMENT_FROM = TOKENS_FROM + len(TOKEN_FEATURES)
SPELLING_FROM = ALIGNMENT_FROM + len(ALIGNMENT_FEATURES)
EXCHANGE_FROM = SPELLING_FROM + len(SPELLING_FEATURES)
SYNONYMS_FROM = EXCHANGE_FROM + len(EXCHANGE_FEATURES)
TERMS_FROM = SYNONYMS_FROM + len(SYNONYM_FEATURES)
FIRST_COLUMNS = (0, TOKENS_FROM, ALIGNMENT_FROM, SPELLING_FROM, EXCHANGE_FROM, SYNONYMS_FROM, TERMS_FROM)

SLOTS = 4096
"""A power of two. Tokens of the candidates of one query for which what was computed is kept."""
_of_thread = threading.local()


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
    return len(KERNEL_FEATURES) + COLUMNS * len(knowledge.lexicons.kinds)


def kernels_of(columns: Array, knowledge: TextKnowledge) -> Array:
    """Which kernels must run for these columns, bool (kernels,); columns that no kernel computes need none."""
    computed = columns[columns < kernel_feature_count(knowledge)]
    return np.isin(np.arange(len(KERNELS)), np.searchsorted(FIRST_COLUMNS, computed, side="right") - 1)


def pair_features(pairs: EncodedPairs, knowledge: TextKnowledge) -> Array:
    """The columns of `KERNEL_FEATURES`, then of `term_feature_list`, for each pair; float32 (n, columns)."""
    out = np.empty((len(pairs), kernel_feature_count(knowledge)), np.float32)
    write_pair_features(pairs, knowledge, np.ones(len(KERNELS), bool), out)
    return out


def write_pair_features(pairs: EncodedPairs, knowledge: TextKnowledge, wanted: Array, out: Array) -> None:
    """Write these columns first in each row of `out`, float32 (n, at least as many); those of others stay."""
    statistics, lexicons = knowledge.statistics, knowledge.lexicons
    _compute(
        pairs.query_rows,
        pairs.keyword_rows,
        _arrays(pairs.queries),
        _arrays(pairs.keywords),
        (statistics.idf, statistics.log_probability, statistics.char_idf, statistics.pinyin, knowledge.vectors),
        statistics.mean_tokens,
        (lexicons.senses.offsets, lexicons.senses.senses),
        (lexicons.trie.first, lexicons.trie.keys, lexicons.trie.targets, lexicons.trie.things),
        room_of_thread(),
        wanted,
        out,
    )


def room_of_thread() -> tuple[Array, ...]:
    """This thread's room for the kernels, two megabytes: the marks of the query's characters and of its syllables,
    uint64 (65536,), all zero before and after; and what was computed for single tokens: stamps int64 (slots,) and
    similarities float32 (slots, 64), stamps and comparisons of senses uint8 (slots, 64)."""
    room: tuple[Array, ...] | None = getattr(_of_thread, "room", None)
    if room is None:
        room = _of_thread.room = (
            np.zeros(CODE_POINTS, np.uint64),
            np.zeros(CODE_POINTS, np.uint64),
            np.empty(SLOTS, np.int64),
            np.empty((SLOTS, MOST_TOKENS), np.float32),
            np.empty(SLOTS, np.int64),
            np.empty((SLOTS, MOST_TOKENS), np.uint8),
        )
    return room


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
    room: tuple[Array, ...],
    wanted: Array,
    out: Array,
) -> None:
    """`room` is `room_of_thread`'s."""
    (query_char_offsets, query_chars, query_offsets, query_hashes, query_token_rows, query_kinds, query_spellings,
     query_lexemes) = queries  # fmt: skip
    char_offsets, chars, offsets, hashes, token_rows, kinds, spellings, lexemes = keywords
    idf, log_probability, char_idf, syllables, vectors = of_text
    sense_offsets, senses = synonyms
    first, keys, targets, things = trie
    masks, syllable_masks, stamps, similar, sense_stamps, compared = room
    stamps[:] = -1
    sense_stamps[:] = -1
    size = vectors.shape[1]
    query_found, found = np.zeros(MOST_TOKENS, np.bool_), np.zeros(MOST_TOKENS, np.bool_)
    counts, ended = np.zeros(MOST_TOKENS, np.int32), np.zeros(MOST_QUERY_CHARS, np.int32)
    best, best_of_query, inverse = np.zeros(MOST_TOKENS), np.zeros(MOST_TOKENS, np.float32), np.zeros(MOST_TOKENS)
    query_sum, keyword_sum = np.zeros(size, np.float32), np.zeros(size, np.float32)
    topic = np.zeros(min(size, EXCHANGE_AXES), np.float32)
    stamp = 0
    relations, depths = np.zeros(MOST_TOKENS, np.int32), np.zeros(MOST_TOKENS, np.int32)
    asked = np.zeros((things.shape[1], MOST_THINGS), np.int32)
    offered = np.zeros((things.shape[1], MOST_THINGS), np.int32)
    terms_to = TERMS_FROM + COLUMNS * things.shape[1]
    compares_tokens = wanted[ALIGNMENT] or wanted[SPELLING] or wanted[EXCHANGE] or wanted[SYNONYMS]
    for pair in range(len(query_rows)):
        q, k = query_rows[pair], keyword_rows[pair]
        if pair == 0 or query_rows[pair - 1] != q:
            query = query_chars[query_char_offsets[q] : query_char_offsets[q + 1]]
            of_query = slice(query_offsets[q], query_offsets[q + 1])
            q_hashes, q_rows, q_kinds = query_hashes[of_query], query_token_rows[of_query], query_kinds[of_query]
            q_spellings, q_lexemes = query_spellings[of_query], query_lexemes[of_query]
            mark(query, syllables, masks, syllable_masks)
            find_things(q_lexemes, first, keys, targets, things, asked)
            inverse_probabilities(q_rows, log_probability, inverse)
            sum_of_query(q_rows, vectors, idf, query_sum)
            topic_of_query(q_rows, vectors, topic)
            stamp = pair
        keyword = chars[char_offsets[k] : char_offsets[k + 1]]
        of_keyword = slice(offsets[k], offsets[k + 1])
        k_hashes, k_rows, k_lexemes = hashes[of_keyword], token_rows[of_keyword], lexemes[of_keyword]
        row = out[pair]
        if wanted[CHARACTERS]:
            character_features(
                query, keyword, masks, syllable_masks, syllables, char_idf, counts, ended, row[:TOKENS_FROM]
            )
        if wanted[TOKENS]:
            token_features(
                q_hashes,
                q_rows,
                q_kinds,
                k_hashes,
                k_rows,
                kinds[of_keyword],
                idf,
                inverse,
                mean_tokens,
                counts,
                row[TOKENS_FROM:ALIGNMENT_FROM],
            )
        if compares_tokens:
            find_tokens(q_hashes, k_hashes, query_found, found)
        if wanted[ALIGNMENT]:
            alignment_features(
                q_rows,
                query_found,
                query_sum,
                k_rows,
                found,
                vectors,
                idf,
                stamp,
                stamps,
                similar,
                best_of_query,
                keyword_sum,
                row[ALIGNMENT_FROM:SPELLING_FROM],
            )
        if wanted[SPELLING]:
            spelling_features(
                q_spellings,
                q_rows,
                query_found,
                spellings[of_keyword],
                k_rows,
                found,
                idf,
                best,
                row[SPELLING_FROM:EXCHANGE_FROM],
            )
        if wanted[EXCHANGE]:
            exchange_features(
                q_rows,
                query_found,
                topic,
                k_rows,
                found,
                vectors,
                row[EXCHANGE_FROM:SYNONYMS_FROM],
            )
        if wanted[SYNONYMS]:
            synonym_features(
                q_lexemes,
                q_rows,
                query_found,
                k_lexemes,
                k_rows,
                found,
                idf,
                sense_offsets,
                senses,
                stamp,
                sense_stamps,
                compared,
                relations,
                depths,
                row[SYNONYMS_FROM:TERMS_FROM],
            )
        if wanted[TERMS]:
            find_things(k_lexemes, first, keys, targets, things, offered)
            term_features(asked, offered, row[TERMS_FROM:terms_to])
        if pair + 1 == len(query_rows) or query_rows[pair + 1] != q:
            unmark(query, syllables, masks, syllable_masks)
