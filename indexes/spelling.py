"""What somebody may have meant: keywords that sound like the query, and known words near its unknown ones."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from indexes.arrays import Array, ArrayReader, offsets_from_counts, write_array
from indexes.text import language, words
from indexes.text.segment import simplified
from indexes.vocabulary import Vocabulary, write_vocabulary

MOST_PER_SOUND = 4
"""Keywords kept for one pronunciation, the most searched first."""
MIN_WORD_LENGTH = 4
"""Shorter Latin words are not corrected: too many words lie one edit away."""


def pinyin(keyword: str) -> str:
    """The toneless pinyin of a keyword without spaces, Latin letters kept: 鲜花 and `xian hua` both give `xianhua`."""
    from pypinyin import lazy_pinyin

    return "".join("".join(lazy_pinyin(simplified(keyword), errors="default")).split())


class Spelling:
    """Keywords by pronunciation and the Latin words of the corpus, mapped."""

    def __init__(self, reader: ArrayReader, terms: Vocabulary) -> None:
        self._sounds = Vocabulary(reader, "spelling/sounds")
        self._offsets = reader.array("spelling/keyword_offsets.npy")
        self._keywords = reader.array("spelling/keywords.npy")
        self._latin_terms = reader.array("spelling/latin_terms.npy")
        self._terms = terms

    def sounds_like(self, query: str) -> Array:
        """Ids of keywords, the most searched first, that are pronounced like the query; int32, at most 4."""
        sound = self._sounds.find(pinyin(query))
        if sound < 0:
            return np.empty(0, np.int32)
        return self._keywords[self._offsets[sound] : self._offsets[sound + 1]]

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


def sounds_of(keywords: Sequence[str]) -> list[str | None]:
    """The pinyin of each Chinese keyword, None for the others."""
    return [pinyin(keyword) if language(keyword) == "zh" else None for keyword in keywords]


def write_spelling(
    folder: Path, sounds_of_keywords: Sequence[str | None], searches: Array, terms: Sequence[str], weights: Array
) -> None:
    """Write the keywords by pronunciation (see `sounds_of`), and the Latin terms by falling weight.

    `searches` (keywords,) and `weights` (terms,) are counts; terms of less than two searches correct nothing.
    """
    by_sound: dict[str, list[int]] = {}
    for keyword_id in np.argsort(-np.asarray(searches), kind="stable").tolist():
        sound = sounds_of_keywords[keyword_id]
        if sound is not None:
            same = by_sound.setdefault(sound, [])
            if len(same) < MOST_PER_SOUND:
                same.append(keyword_id)
    sounds = sorted(by_sound)
    counts = np.fromiter((len(by_sound[sound]) for sound in sounds), np.int64, len(sounds))
    write_vocabulary(folder, "spelling/sounds", sounds)
    write_array(folder, "spelling/keyword_offsets.npy", offsets_from_counts(counts))
    members = [keyword_id for sound in sounds for keyword_id in by_sound[sound]]
    write_array(folder, "spelling/keywords.npy", np.array(members, np.int32))
    order = np.argsort(-np.asarray(weights), kind="stable")
    latin = [
        term_id
        for term_id in order.tolist()
        if weights[term_id] >= 2 and len(terms[term_id]) >= MIN_WORD_LENGTH - 1 and _is_latin_word(terms[term_id])
    ]
    write_array(folder, "spelling/latin_terms.npy", np.array(latin, np.int32))


def _is_latin_word(term: str) -> bool:
    return term.isascii() and term.isalpha() and words(term) == (term,)
