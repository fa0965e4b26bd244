"""A snapshot's keywords as the kernels read them, without segmenting anything at request time.

Tokens come from the forward index. What the model knows of a term (hash, row, kind, spelling) is looked up when a
candidate first holds the term, and kept: opening stays O(1), a warm process only gathers.
"""

import threading

import numpy as np

from indexes.arrays import Array, offsets_from_counts, sorted_distinct
from indexes.opened import Indexes
from kr.relevance.encoding import EncodedTexts, encode_characters, spelling_signature, token_hash, token_kind
from kr.relevance.text_knowledge import TextKnowledge


class SnapshotTexts:
    """Encodes keywords of one snapshot for one model. Safe from any thread."""

    def __init__(self, indexes: Indexes, knowledge: TextKnowledge) -> None:
        self._indexes = indexes
        self._vocabulary = knowledge.statistics.vocabulary
        self._numbered = knowledge.lexicons.lexemes
        count = len(indexes.terms)
        # Zeroed pages take memory only where a term was met.
        self._known = np.zeros(count, bool)
        self._hashes = np.zeros(count, np.int32)
        self._rows = np.zeros(count, np.int32)
        self._kinds = np.zeros(count, np.uint8)
        self._spellings = np.zeros(count, np.uint64)
        self._lexemes = np.zeros(count, np.int32)
        self._lock = threading.Lock()

    def encode(self, keyword_ids: Array) -> EncodedTexts:
        """These keywords, in the order given."""
        counts, terms = self._indexes.forward.tokens_of(keyword_ids)
        self._meet(terms)
        char_offsets, chars = encode_characters(self._indexes.keywords.take(keyword_ids))
        return EncodedTexts(
            char_offsets,
            chars,
            offsets_from_counts(counts),
            self._hashes[terms],
            self._rows[terms],
            self._kinds[terms],
            self._spellings[terms],
            self._lexemes[terms],
        )

    def _meet(self, terms: Array) -> None:
        new = terms[~self._known[terms]]
        if not len(new):
            return
        with self._lock:
            distinct = sorted_distinct(new)
            unknown = len(self._vocabulary)
            for term, token in zip(distinct.tolist(), self._indexes.terms.take(distinct), strict=True):
                self._hashes[term] = token_hash(token)
                self._rows[term] = self._vocabulary.get(token, unknown)
                self._kinds[term] = token_kind(token)
                self._spellings[term] = spelling_signature(token)
                self._lexemes[term] = self._numbered.get(token, 0)
            self._known[distinct] = True  # last: whoever sees it may read the rest
