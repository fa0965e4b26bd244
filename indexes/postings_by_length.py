"""The k best keywords of tens of millions, exactly, by counting classes instead of scoring keywords.

Keywords are short, and a token rarely stands in one twice. So keywords are renumbered ("documents"): first those of
one token, then of two and so on, each length a *segment*, in the order of their ids; last the *mixed* ones, which
repeat a token or are longer than 15. In a segment a score depends only on which of the query's terms a keyword holds: a
*class* is a set of terms and a segment, all its members score the same, and a query of 3 terms over 6 lengths has at
most 42.

`top` goes through the classes from the best score down and stops at k. Members are found as they are asked for, a block
of documents at a time: the list of the class's rarest term is read, and each document's byte gains the other terms that
it holds: from the term's bitmap if it is one of the commonest, else by reading its list, or by searching a list that is
much longer. Lists, segments and blocks that cannot reach the k best are never touched.

Then the mixed keywords are scored one by one, and those that reach the k-th score are merged in. A query of more than
MOST_TERMS terms is scored that way in every segment.

Scores add the same numbers in the same order as `Postings.scores`, so they are equal bit for bit, and ties stay ties.
"""

from collections.abc import Sequence

import numpy as np

from indexes import postings_kernels as kernels
from indexes.arrays import Array, ArrayReader
from indexes.bm25 import impact, length_norm

PARTS = ("documents", "keywords", "bitmaps", "bitmap_terms", "mixed_offsets", "mixed_frequencies", "mixed_lengths")
"""The files in `postings/by_length/`, in the order in which `kernels.top` takes them."""


class PostingsByLength:
    """Postings whose documents are keywords numbered by length, mapped.

    For token t, `documents[offsets[t]:offsets[t + 1]]` int32 ascend; `keywords` int32 (n,) gives the ids. Document
    `first_documents[i]` is the first of i + 1 tokens. Mixed documents start at `first_documents[-1]`; they end each
    list, with frequencies `mixed_frequencies[mixed_offsets[t]:mixed_offsets[t + 1]]`, and have `mixed_lengths`.
    `bitmaps` uint8 (rows, n / 8) has document d at bit d % 8 of byte d // 8; row i belongs to token `bitmap_terms[i]`.
    """

    def __init__(self, reader: ArrayReader) -> None:
        statistics = reader.json("postings/statistics.json")
        self._mean_length = float(statistics["mean_length"])
        segments = np.array(statistics["by_length"]["first_documents"], np.int64)
        impacts = impact(1.0, length_norm(np.arange(1.0, len(segments)), self._mean_length))
        names = ("offsets", "idf", *(f"by_length/{name}" for name in PARTS))
        # Plain arrays over the mapped memory: numba takes them faster than their subclass memmap.
        mapped = [np.asarray(reader.array(f"postings/{name}.npy")) for name in names]
        self._keywords = mapped[3]
        self._arrays = (*mapped, segments, impacts)
        # Loads the kernels, or compiles them where they never ran: opening may wait for that, the first request not.
        self.top([0], 1)

    def top(self, token_ids: Sequence[int], k: int) -> tuple[Array, Array]:
        """The k best keywords by score, best first, ties by id: ids int32 and scores float64, fewer if fewer match."""
        k = min(k, len(self._keywords))
        if not len(token_ids) or k <= 0:
            return np.empty(0, np.int32), np.empty(0, np.float64)
        top: tuple[Array, Array] = kernels.top(np.array(token_ids, np.int64), k, *self._arrays, self._mean_length)
        return top
