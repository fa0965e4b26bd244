"""The source that finds keywords which share words with a seed, by BM25."""

from collections.abc import Mapping

import numpy as np

from indexes.opened import Indexes
from indexes.text import tokens
from kr.retrieval.filters import FilterCompiler
from kr.types import Candidates, ColumnSpec, Request


class TokenMatchSource:
    """The best keywords of each seed by BM25; `bm25` is the best score over the seeds, `token_seed` that seed.

    With filters these are the best that pass, however rare they are, and beside them the best of all keywords: what a
    filter removes of these is told by the stage of the filters. Keywords beyond, which were never among the best, are
    not told one by one.
    """

    name = "token_match"
    adds: Mapping[str, ColumnSpec] = {"bm25": ColumnSpec("float64", 0.0), "token_seed": ColumnSpec("int32", -1)}

    def __init__(self, indexes: Indexes, most: int, filters: FilterCompiler) -> None:
        self._indexes = indexes
        self._most = most
        self._filters = filters

    def retrieve(self, request: Request) -> Candidates:
        keyword_filter = self._filters.compiled(request.filters)
        asked = (None,) if keyword_filter is None else (None, keyword_filter)
        ids, scores, seeds = [], [], []
        for position, seed in enumerate(request.seeds):
            token_ids = self._indexes.token_ids(tokens(seed))
            for each in asked:
                found, found_scores = self._indexes.postings.top(token_ids, self._most, each)
                ids.append(found)
                scores.append(found_scores)
                seeds.append(np.full(len(found), position, np.int32))
        if not ids:
            return Candidates.empty({"bm25": np.dtype("float64"), "token_seed": np.dtype("int32")})
        return best_of_each(np.concatenate(ids), np.concatenate(scores), "bm25", {"token_seed": np.concatenate(seeds)})


def best_of_each(
    keyword_ids: "np.ndarray", values: "np.ndarray", name: str, others: Mapping[str, "np.ndarray"]
) -> Candidates:
    """One row a keyword: the one with the greatest value, the first of equals; `name` is the value's column."""
    if bool((keyword_ids[1:] > keyword_ids[:-1]).all()):
        # What one anchor or seed found stands there once, in order.
        rows = np.arange(len(keyword_ids))
    else:
        order = np.lexsort((-values, keyword_ids))
        ids = keyword_ids[order]
        first = np.ones(len(ids), bool)
        first[1:] = ids[1:] != ids[:-1]
        rows = order[first]
    columns = {name: values[rows], **{other: column[rows] for other, column in others.items()}}
    return Candidates(keyword_ids[rows].astype(np.int32), np.zeros(len(rows), np.uint32), columns)
