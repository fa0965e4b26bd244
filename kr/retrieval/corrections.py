"""What the caller may have meant by a seed that nobody, or hardly anybody, searched."""

from indexes.opened import Indexes
from indexes.text import fingerprint, language, tokens
from kr.audit.stage import UnsafeKeywordAudit
from kr.retrieval.anchors import AnchorFinder

MORE_SEARCHED = 10
"""A correction of a known keyword must have this many times its searches: rare is not wrong."""
MOST_COUNTED = 1000
"""Keywords whose searches are added up to say how often a word is searched; the rest of a word's are rare ones."""
OFTEN_SEARCHED = 50
"""Keywords with as many searches are right by that alone; looking for better ones would only take time."""


class Corrections:
    """Finds a correction by sound (Chinese characters or pinyin) or by letters (Latin words)."""

    def __init__(self, indexes: Indexes, anchors: AnchorFinder, audit: UnsafeKeywordAudit) -> None:
        self._indexes = indexes
        self._anchors = anchors
        self._audit = audit

    def find(self, seed: str) -> str | None:
        """A keyword or known words much more likely than the seed and safe to show, or None."""
        stats = self._indexes.stats
        known = self._indexes.keywords.find(seed)
        searches = int(stats.own_searches[known]) if known >= 0 else 0
        if searches >= OFTEN_SEARCHED:
            return None
        candidates = self._by_sound(seed) or self._by_letters(seed)
        for text, text_searches in candidates:
            more = text_searches >= MORE_SEARCHED * max(searches, 0.1)
            if more and fingerprint(text) != fingerprint(seed) and not self._audit.unsafe_categories_of(text):
                return text
        return None

    def _by_sound(self, seed: str) -> list[tuple[str, int]]:
        ids = self._indexes.spelling.sounds_like(seed).tolist()
        searches = self._indexes.stats.own_searches
        return [(self._indexes.keywords[keyword_id], int(searches[keyword_id])) for keyword_id in ids]

    def _by_letters(self, seed: str) -> list[tuple[str, int]]:
        if language(seed) == "zh":
            return []
        parts = seed.split()
        mended = [self._mend(part) for part in parts]
        if mended == parts:
            return []
        text = " ".join(mended)
        holders = self._anchors.holding_all_words(text, 1)
        return [(text, int(self._indexes.stats.own_searches[holders[0]]))] if len(holders) else []

    def _mend(self, word: str) -> str:
        """The word, or its neighbour where that is searched far more often."""
        parts = tokens(word)
        nearest = self._indexes.spelling.nearest_word(parts[0]) if len(parts) == 1 else None
        if nearest is None or self._searches_with(nearest) < MORE_SEARCHED * max(self._searches_with(parts[0]), 1):
            return word
        return nearest

    def _searches_with(self, token: str) -> int:
        """Searches of the keywords that hold a token: of the most searched ones, where very many do."""
        term_id = self._indexes.terms.find(token)
        if term_id < 0:
            return 0
        holders = self._indexes.postings.holding_all([term_id], MOST_COUNTED)
        return int(self._indexes.stats.own_searches[holders].sum())
