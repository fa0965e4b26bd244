"""Keywords and queries for benchmarks: as many as wanted, the same ones every time.

Words are drawn independently: Chinese ones by the frequencies of jieba's dictionary, English-like ones by Zipf's law.
Keywords have 2 to 6 of them, all lengths equally often; queries 1 to 4 different ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from indexes.arrays import Array, offsets_from_counts

ENGLISH_WORDS = 60_000
ENGLISH_SHARE = 0.3
"""Of all words drawn."""
KEYWORD_LENGTHS = (2, 6)
QUERY_LENGTHS = (1, 4)
CHUNK = 500_000
"""Keywords drawn at a time."""


@dataclass(frozen=True)
class Words:
    """The vocabulary: `texts[i]` is drawn with the probability by which `cumulative` float64 rises at i."""

    texts: list[str]
    cumulative: Array

    def draw(self, generator: np.random.Generator, count: int) -> Array:
        """Word ids int32, independent."""
        return np.searchsorted(self.cumulative, generator.random(count), "right").astype(np.int32)


@dataclass(frozen=True)
class Corpus:
    """Keywords as word ids: keyword i is `tokens[offsets[i]:offsets[i + 1]]` int32."""

    words: Words
    offsets: Array
    tokens: Array

    @property
    def keywords(self) -> int:
        return len(self.offsets) - 1

    def rows(self) -> Iterator[list[int]]:
        """The word ids of each keyword."""
        for begin in range(0, self.keywords, CHUNK):
            bounds = self.offsets[begin : begin + CHUNK + 1].tolist()
            ids = self.tokens[bounds[0] : bounds[-1]].tolist()
            for start, end in pairwise(bounds):
                yield ids[start - bounds[0] : end - bounds[0]]

    def texts(self) -> Iterator[list[str]]:
        """The words of each keyword."""
        words = self.words.texts
        return ([words[word] for word in row] for row in self.rows())


def read_words() -> Words:
    """Jieba's dictionary without entries that hold symbols, case folded, and the English-like words."""
    import jieba

    frequencies: dict[str, int] = {}
    dictionary = Path(jieba.__file__).parent / "dict.txt"
    for line in dictionary.read_text(encoding="utf-8").splitlines():
        word, frequency, _ = line.split(" ")
        if word.isalnum() and not word.isascii():
            folded = word.casefold()
            frequencies[folded] = frequencies.get(folded, 0) + int(frequency)
    chinese = sorted(frequencies, key=lambda word: (-frequencies[word], word))
    chinese_weights = np.array([frequencies[word] for word in chinese], np.float64)
    english_weights = 1 / np.arange(1, ENGLISH_WORDS + 1)
    weights = np.concatenate(
        [
            english_weights * (ENGLISH_SHARE / english_weights.sum()),
            chinese_weights * ((1 - ENGLISH_SHARE) / chinese_weights.sum()),
        ]
    )
    cumulative = np.cumsum(weights)
    return Words([*_english_like(ENGLISH_WORDS), *chinese], cumulative / cumulative[-1])


def _english_like(count: int) -> list[str]:
    """Different words of two or more syllables, the shortest first."""
    consonants, vowels = "bdfghklmnprstvw", "aeiou"
    syllables = [first + vowel for first in consonants for vowel in vowels]
    words = [first + second for first in syllables for second in syllables]
    words += [word + last for word in words for last in "drstnlkmpy"]
    return words[:count]


def make_corpus(keywords: int, seed: int = 0) -> Corpus:
    """Draw the keywords."""
    words = read_words()
    generator = np.random.default_rng(seed)
    counts = generator.integers(KEYWORD_LENGTHS[0], KEYWORD_LENGTHS[1] + 1, keywords)
    offsets = offsets_from_counts(counts)
    tokens = np.empty(int(offsets[-1]), np.int32)
    for begin in range(0, keywords, CHUNK):
        part = slice(offsets[begin], offsets[min(begin + CHUNK, keywords)])
        tokens[part] = words.draw(generator, part.stop - part.start)
    return Corpus(words, offsets, tokens)


def make_queries(words: Words, count: int, seed: int = 1) -> list[list[int]]:
    """Draw queries: word ids, each once, in the order drawn."""
    generator = np.random.default_rng(seed)
    lengths = generator.integers(QUERY_LENGTHS[0], QUERY_LENGTHS[1] + 1, count)
    return [list(dict.fromkeys(words.draw(generator, length).tolist())) for length in lengths.tolist()]
