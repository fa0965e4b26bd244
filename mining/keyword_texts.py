"""What a keyword's text alone says: its words, and its vector. Held for all keywords, compared pair by pair."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexes.arrays import Array, ArrayFolder, offsets_from_counts, ranges, sorted_distinct
from indexes.forward import Forward, write_forward
from indexes.term_vectors import SCALE, TermVectors
from indexes.text import tokens
from indexes.vocabulary import Vocabulary, write_vocabulary
from mining.keyword_vectors import read_term_vectors, write_contributions

KEYWORDS_AT_A_TIME = 100_000


@dataclass(frozen=True)
class KeywordTexts:
    """The keywords of one mining by their place in the sorted list.

    `codes` int8 (keywords, dims) are the vectors as a snapshot has them, 0 without one; `words` int64 ascending holds
    keyword · terms + term, once for every different term of a keyword, and `word_counts` int64 (keywords,) how many.
    """

    codes: Array
    words: Array
    word_counts: Array
    terms: int

    @staticmethod
    def of_mined(mined: Path, keywords: Sequence[str], scratch: Path) -> "KeywordTexts":
        """Segment the keywords and make their vectors from the term vectors of a mining, in an empty folder."""
        trained = read_term_vectors(mined)
        tokenised = [tokens(keyword) for keyword in keywords]
        terms = sorted({token for row in tokenised for token in row})
        term_ids = {term: term_id for term_id, term in enumerate(terms)}
        counts = np.array([len(row) for row in tokenised], np.int64)
        flat = np.array([term_ids[token] for row in tokenised for token in row], np.int32)
        write_vocabulary(scratch, "terms", terms)
        write_forward(scratch, offsets_from_counts(counts), flat)
        reader = ArrayFolder(scratch)
        vocabulary, forward = Vocabulary(reader, "terms"), Forward(reader)
        write_contributions(scratch, trained, vocabulary, forward)
        vectors = TermVectors(reader, vocabulary)
        chunks = vectors.codes_of_keywords(forward.offsets, forward.tokens, KEYWORDS_AT_A_TIME)
        codes = np.concatenate([np.empty((0, vectors.dims), np.int8), *(part for part, _ in chunks)])
        owner = np.repeat(np.arange(len(counts)), counts)
        words = sorted_distinct(owner * max(len(terms), 1) + flat)
        return KeywordTexts(
            codes, words, np.bincount(words // max(len(terms), 1), minlength=len(counts)), max(len(terms), 1)
        )

    def similarity(self, left: Array, right: Array) -> Array:
        """The cosine of each pair's vectors, float32, 0 if one has none or they point apart."""
        products = np.einsum("ij,ij->i", self.codes[left], self.codes[right], dtype=np.int32)
        return np.maximum(products / np.float32(SCALE * SCALE), 0).astype(np.float32)

    def shared_words(self, left: Array, right: Array) -> Array:
        """Different words in common over the larger number of them, float32."""
        counts = self.word_counts[left]
        firsts = offsets_from_counts(self.word_counts)[:-1]
        owner = np.repeat(np.arange(len(left)), counts)
        wanted = self.words[ranges(firsts[left], counts)] % self.terms + right[owner] * self.terms
        place = np.minimum(np.searchsorted(self.words, wanted), max(len(self.words) - 1, 0))
        common = np.bincount(owner[self.words[place] == wanted], minlength=len(left)) if len(wanted) else 0
        return (common / np.maximum(np.maximum(counts, self.word_counts[right]), 1)).astype(np.float32)
