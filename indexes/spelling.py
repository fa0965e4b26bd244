"""What somebody may have meant: keywords that sound like the query, and known words near its unknown ones."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from indexes.arrays import Array, ArrayReader, write_array
from indexes.prefixes import Prefixes
from indexes.text import words
from indexes.text.readings import pinyin
from indexes.vocabulary import Vocabulary

MOST_PER_SOUND = 4
"""Keywords found for one pronunciation."""
MIN_WORD_LENGTH = 4
"""Shorter Latin words are not corrected: too many words lie one edit away."""


class Spelling:
    """Keywords by pronunciation, which `Prefixes` knows, and the Latin words of the corpus, mapped."""

    def __init__(self, reader: ArrayReader, terms: Vocabulary, prefixes: Prefixes) -> None:
        self._latin_terms = reader.array("spelling/latin_terms.npy")
        self._terms = terms
        self._prefixes = prefixes

    def sounds_like(self, query: str) -> Array:
        """Ids of Chinese keywords, the most searched first, that are pronounced like the query; int32, at most 4.

        Only keywords that are safe to show, and one of each group of close variants.
        """
        return self._prefixes.pronounced(pinyin(query), MOST_PER_SOUND)

    @lru_cache(maxsize=1)  # noqa: B019 - one Spelling a snapshot; the list is dropped with it
    def _latin_words(self) -> list[str]:
        return self._terms.take(self._latin_terms)

    def nearest_word(self, word: str) -> str | None:
        """The known Latin word nearest to another one, at most one edit away (two from eight letters on), or None.

        An edit is an insertion, deletion, substitution or transposition. Words are compared in order of their weight
        at build, so that of equally near words the most used wins.
        """
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        if len(word) < MIN_WORD_LENGTH or not word.isascii():
            return None
        allowed = 2 if len(word) >= 8 else 1
        # Two, because a misspelling that is in the log is itself the nearest.
        nearest = process.extract(word, self._latin_words(), scorer=OSA.distance, score_cutoff=allowed, limit=2)
        return next((text for text, _, _ in nearest if text != word), None)


def write_spelling(folder: Path, terms: Sequence[str], weights: Array) -> None:
    """Write the Latin terms by falling weight.

    `weights` (terms,) are counts; terms of less than two searches correct nothing.
    """
    order = np.argsort(-np.asarray(weights), kind="stable")
    latin = [
        term_id
        for term_id in order.tolist()
        if weights[term_id] >= 2 and len(terms[term_id]) >= MIN_WORD_LENGTH - 1 and _is_latin_word(terms[term_id])
    ]
    write_array(folder, "spelling/latin_terms.npy", np.array(latin, np.int32))


def _is_latin_word(term: str) -> bool:
    return term.isascii() and term.isalpha() and words(term) == (term,)
