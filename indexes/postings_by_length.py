"""The k best keywords of tens of millions, exactly, by counting classes instead of scoring keywords.

In a segment (`indexes.postings`: keywords of one length, no token twice) a score depends only on which of the query's
terms a keyword holds: a *class* is a set of terms and a segment, all its members score the same, and a query of 3 terms
over 6 lengths has at most 42.

`top` goes through the classes from the best score down and stops at k. Members are found as they are asked for, a block
of documents at a time: the list of the class's rarest term is read, and each document's byte gains the other terms that
it holds: from the term's bitmap if it is one of the commonest, else by reading its list, or by searching a list that is
much longer. A filter is asked where a document would become a member. Lists, segments and blocks that cannot reach the
k best are never touched.

Then the mixed keywords are scored one by one, and those that reach the k-th score are merged in. A query of more than
MOST_TERMS terms is scored that way in every segment.

Scores add the same numbers in the same order as `Postings.scores`, so they are equal bit for bit, and ties stay ties.
"""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from indexes import postings_kernels as kernels
from indexes.arrays import Array
from indexes.bm25 import impact, length_norm
from indexes.memory_kernels import addresses
from indexes.postings_class_kernels import BLOCK

if TYPE_CHECKING:
    from indexes.keyword_filter import KeywordFilter
    from indexes.postings import Postings

MEMBERS = 500_000
"""Members of classes for which a thread keeps memory; more are allocated for the query."""
NO_FILTER = np.zeros(1, np.int64)


class _Memory(threading.local):
    """The working memory of a thread: made when it first asks, a new one in each thread."""

    def __init__(self) -> None:
        self._arrays = (
            np.zeros(BLOCK, np.uint8),
            np.empty(MEMBERS, np.int32),
            np.zeros(kernels.SCORED_BLOCK, np.float64),
            np.zeros(kernels.SCORED_BLOCK, np.uint8),
        )
        self.addresses = addresses(*self._arrays)


_MEMORY = _Memory()


class PostingsByLength:
    """The compiled side of `Postings`: its arrays, as addresses."""

    def __init__(self, postings: "Postings") -> None:
        segments = postings.first_documents
        impacts = impact(1.0, length_norm(np.arange(1.0, len(segments)), postings.mean_length or 1.0))
        self._count = len(postings)
        # In the order of the slots; kept, since the kernels have their addresses alone.
        self._arrays = (
            postings.offsets,
            postings.idf,
            postings.documents,
            postings.keywords,
            postings.ranks,
            postings.bitmaps,
            postings.bitmap_terms,
            postings.mixed_offsets,
            postings.mixed_frequencies,
            postings.mixed_lengths,
            segments,
            postings.runs,
            impacts,
            np.array([postings.mean_length]),
            postings.bound_rows,
            postings.bounds,
        )
        self._addresses = addresses(*self._arrays)

    def top(self, token_ids: Sequence[int], k: int, keyword_filter: "KeywordFilter | None") -> tuple[Array, Array]:
        """See `Postings.top`."""
        k = max(min(k, self._count), 0)
        ids, scores = np.empty(k, np.int32), np.empty(k, np.float64)
        count = 0
        if k and len(token_ids):
            query = np.array(token_ids, np.int64)
            count = kernels.top(query, self._addresses, _numbers(keyword_filter), _MEMORY.addresses, ids, scores)
        return ids[:count], scores[:count]

    def holding_all(self, token_ids: Sequence[int], most: int, keyword_filter: "KeywordFilter | None") -> Array:
        """See `Postings.holding_all`."""
        ids = np.empty(min(most, self._count), np.int32)
        query = np.array(token_ids, np.int64)
        count = kernels.holding_all(query, self._addresses, _numbers(keyword_filter), ids) if len(ids) else 0
        return ids[:count]

    def most_searched(self, most: int, keyword_filter: "KeywordFilter | None", reads: int) -> tuple[Array, bool]:
        """See `Postings.most_searched`."""
        ids = np.empty(max(min(most, self._count), 0), np.int32)
        count, read = kernels.first_by_rank(self._addresses, _numbers(keyword_filter), reads, ids)
        return ids[:count], count == most or read == self._count


def _numbers(keyword_filter: "KeywordFilter | None") -> Array:
    return NO_FILTER if keyword_filter is None else keyword_filter.numbers
