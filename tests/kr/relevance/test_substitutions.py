"""The codes of the linear model over exchanged words, against a plain twin."""

from collections import Counter

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexes.text import normalise, tokens
from kr.relevance import substitutions
from kr.relevance.encoding import encode_characters, token_hash
from kr.relevance.features import encode_pairs
from kr.relevance.lexicons import Lexicons
from kr.relevance.substitutions import BOUNDARY, CODE_BITS, MOST_CODES, MOST_PAIRED, Substitutions, code_matrix
from kr.relevance.text_knowledge import TextKnowledge

KNOWLEDGE = TextKnowledge.fit(["鲜花店", "red shoes"], 2, Lexicons.of())
pieces = st.sampled_from(["鲜花", "花", "店", "价格", "red", "shoes", "4", " ", "?", "鮮"])
texts = st.lists(pieces, max_size=12).map("".join)
WORD = 2**64 - 1


def code(kind: int, first: int, second: int = 0) -> int:
    value = (first & 0xFFFFFFFF) | (second & 0xFFFFFFFF) << 32
    value = (value + kind * 0x9E3779B97F4A7C15) * 0xBF58476D1CE4E5B9 & WORD
    value ^= value >> 29
    return (value * 0x94D049BB133111EB & WORD) >> 64 - CODE_BITS


def codes_twin(query: str, keyword: str) -> list[int]:
    q, k = ([token_hash(token) for token in tokens(text)] for text in (query, keyword))
    missed, added = [t for t in q if t not in k], [t for t in k if t not in q]
    found = [code(substitutions.SHARED if t in k else substitutions.MISSED, t) for t in q]
    found += [code(substitutions.ADDED, t) for t in added]
    found += [
        code(substitutions.EXCHANGED, one, other)
        for one in missed[:MOST_PAIRED] or [0]
        for other in added[:MOST_PAIRED] or [0]
    ]
    a, b = encode_characters([query])[1].tolist()[:64], encode_characters([keyword])[1].tolist()
    pairs = [list(zip([BOUNDARY, *side], [*side, BOUNDARY], strict=True)) for side in (a, b)]
    # A bigram at a boundary is only met at the same boundary.
    number = lambda pair: pair[0] << 16 | pair[1]  # noqa: E731
    found += [
        code(substitutions.SHARED_BIGRAM if pair in pairs[1] else substitutions.MISSED_BIGRAM, number(pair))
        for pair in pairs[0]
    ]
    found += [code(substitutions.MISSED_CHAR, char) for char in a if char not in b]
    found += [code(substitutions.ADDED_BIGRAM, number(pair)) for pair in pairs[1] if pair not in pairs[0]]
    return found + [code(substitutions.ADDED_CHAR, char) for char in b if char not in a]


@settings(max_examples=60)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=4))
@example([("", ""), ("", "鲜花"), ("鲜花", ""), ("鲜花", "鲜花")])
@example([("鲜花" * 50, "花鲜" * 50)])
def test_codes_and_scores_equal_their_twin(pairs: list[tuple[str, str]]) -> None:
    queries, keywords = tuple(q for q, _ in pairs), tuple(k for _, k in pairs)
    encoded = encode_pairs(queries, keywords, KNOWLEDGE)
    matrix = code_matrix(encoded)
    weights = np.random.default_rng(0).standard_normal((1 << CODE_BITS, 2)).astype(np.float32)
    scores = Substitutions(weights, np.array([0.5, -1.0])).scores(encoded)
    for row, (query, keyword) in enumerate(pairs):
        expected = codes_twin(normalise(query), normalise(keyword))
        if len(expected) > MOST_CODES:
            continue
        counts = Counter(expected)
        values = matrix[[row]]
        times = np.round(values.data * np.sqrt(len(expected)), 6)
        assert dict(zip(values.indices.tolist(), times.tolist(), strict=True)) == counts
        wanted = weights[expected].astype(np.float64).sum(axis=0) / np.sqrt(len(expected)) + [0.5, -1.0]
        assert np.allclose(scores[row], wanted, atol=1e-4)
