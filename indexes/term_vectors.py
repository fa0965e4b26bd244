"""A vector for any text, from the vectors of its tokens: the same code for every keyword at build and a query later.

A token's *contribution* is its trained vector, weighed by how rare the token is and without the direction that all
keywords share (smooth inverse frequency, Arora et al. 2017); `mining.keyword_vectors` computes it. The vector of a text
is the sum of its tokens' contributions, brought to unit length and stored in 8 bits: component · 127, rounded.

A token that was never trained is put together from its character n-grams, whose vectors were fitted to the trained
tokens (after Zhao et al. 2018, "bag of subwords"). It counts only if at least half of its n-grams are known; a text
none of whose tokens counts has no vector.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from indexes.arrays import Array, ArrayReader, offsets_from_counts
from indexes.vocabulary import Vocabulary

SCALE = 127
"""A component of 1 in 8 bits; the inner product of two vectors is their cosine · SCALE²."""
LATIN_GRAMS = (3, 5)
"""Characters of the n-grams of a word of ASCII characters, its beginning and end marked."""
OTHER_GRAMS = (1, 2)
KNOWN_SHARE = 0.5
"""The least share of a token's n-grams that must be known."""


def character_grams(token: str) -> list[str]:
    """The distinct n-grams of a token, in order."""
    text, (shortest, longest) = (f"<{token}>", LATIN_GRAMS) if token.isascii() else (token, OTHER_GRAMS)
    spans = (
        text[start : start + size] for size in range(shortest, longest + 1) for start in range(len(text) - size + 1)
    )
    return list(dict.fromkeys(spans))


def unit_codes(contributions: Array, counts: Array) -> tuple[Array, Array]:
    """The vectors of texts with so many tokens each (int64 (n,)), whose contributions (tokens, dims) follow each other.

    Returns codes int8 (n, dims) and whether a text has a vector, bool (n,); the codes of those without are 0. A text's
    code depends on nothing but its own tokens.
    """
    sums = np.zeros((len(counts), contributions.shape[1]), np.float32)
    filled = counts > 0
    if filled.any():
        starts = offsets_from_counts(counts)[:-1][filled]
        sums[filled] = np.add.reduceat(contributions.astype(np.float32), starts, axis=0)
    lengths = np.sqrt(np.square(sums, dtype=np.float64).sum(axis=1))
    known = lengths > 0
    codes = np.zeros(sums.shape, np.int8)
    codes[known] = np.rint(sums[known] * (SCALE / lengths[known, None]))
    return codes, known


class TermVectors:
    """The contributions of all terms of a snapshot, float16 (terms, dims), mapped; and those of n-grams."""

    def __init__(self, reader: ArrayReader, terms: Vocabulary) -> None:
        self.contributions = reader.array("vectors/terms.npy")
        self._grams = GramVectors(reader)
        self._terms = terms

    @property
    def dims(self) -> int:
        return int(self.contributions.shape[1])

    def contribution(self, token: str) -> Array:
        """What a token adds to the vector of a text, float16 (dims,); 0 for a token that means nothing to the model."""
        term_id = self._terms.find(token)
        return self.contributions[term_id] if term_id >= 0 else self._grams.contribution(token)

    def code(self, tokens: Sequence[str]) -> Array | None:
        """The vector of a text with these tokens, int8 (dims,); None if it has none."""
        if not tokens:
            return None
        contributions = np.stack([self.contribution(token) for token in tokens])
        codes, known = unit_codes(contributions, np.array([len(tokens)]))
        return codes[0] if known[0] else None

    def codes(self, texts: Sequence[Sequence[str]]) -> tuple[Array, Array]:
        """The vectors of texts given by their tokens, as `unit_codes` returns them; each token is looked up once."""
        rows = {token: row for row, token in enumerate(dict.fromkeys(token for text in texts for token in text))}
        if not rows:
            return np.zeros((len(texts), self.dims), np.int8), np.zeros(len(texts), bool)
        contributions = np.stack([self.contribution(token) for token in rows])
        places = np.array([rows[token] for text in texts for token in text])
        return unit_codes(contributions[places], np.array([len(text) for text in texts]))

    def codes_of_keywords(self, offsets: Array, tokens: Array, at_a_time: int) -> Iterator[tuple[Array, Array]]:
        """The vectors of keywords given as CSR of term ids, so many at a time, as `unit_codes` returns them."""
        for begin in range(0, len(offsets) - 1, at_a_time):
            bounds = np.asarray(offsets[begin : begin + at_a_time + 1])
            yield unit_codes(self.contributions[tokens[bounds[0] : bounds[-1]]], np.diff(bounds))


class GramVectors:
    """The vectors of character n-grams, float16 (grams, dims), mapped."""

    def __init__(self, reader: ArrayReader) -> None:
        self._grams = Vocabulary(reader, "vectors/grams")
        self._vectors = reader.array("vectors/gram_vectors.npy")

    def contribution(self, token: str) -> Array:
        """The mean of the token's known n-grams, float16 (dims,); 0 if too few are known."""
        grams = character_grams(token)
        known = [gram_id for gram_id in map(self._grams.find, grams) if gram_id >= 0]
        if not known or len(known) < KNOWN_SHARE * len(grams):
            return np.zeros(self._vectors.shape[1], np.float16)
        return self._vectors[known].astype(np.float32).mean(axis=0).astype(np.float16)
