"""How the rows of one page stand to the seeds that they are closest to (`kr.relevance.match`).

Terms come from the snapshot's forward index: no keyword is segmented at request time.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from indexes.arrays import Array
from indexes.opened import Indexes
from kr.relevance.match import Comparison, Match, Side, distinct_terms, variant_of
from kr.types import Candidates, Request

MOST_TERMS_KEPT = 65_536


class SeedMatch(NamedTuple):
    """The position of the closest seed, and how the row's keyword stands to it."""

    seed: int
    match: Match


class RowMatcher:
    """Compares the rows of a page with the seeds."""

    def __init__(self, indexes: Indexes, miners: tuple[str, ...]) -> None:
        self._indexes = indexes
        self._miners = miners
        self._terms = _TermTexts(indexes)

    def of_page(self, request: Request, candidates: Candidates, texts: Sequence[str]) -> list[SeedMatch]:
        """One a row; `texts` are the rows' keywords.

        The closest seed is the row itself if that was searched; else the one that shares most of its terms with the
        row (Dice coefficient, the first of equals); where none shares any, one that is read alike, or the one through
        which the row was found.
        """
        seeds = [Side.of(seed) for seed in request.seeds]
        comparisons = [Comparison(seed) for seed in seeds]
        sides = self._sides(candidates.keyword_id, texts)
        exact = candidates["exact_seed"].tolist()
        matches = []
        for row, side in enumerate(sides):
            place = exact[row] if exact[row] >= 0 or len(seeds) == 1 else _most_shared(seeds, side)
            if place < 0:
                place = 0 if len(seeds) == 1 else self._linked(seeds, candidates, row, side)
            matches.append(SeedMatch(place, comparisons[place].with_keyword(side)))
        return matches

    def _sides(self, keyword_ids: Array, texts: Sequence[str]) -> list[Side]:
        counts, flat = self._indexes.forward.tokens_of(keyword_ids)
        terms = self._terms
        in_turn = [terms[term] for term in flat.tolist()]
        ends = np.cumsum(counts).tolist()
        return [
            Side(text, distinct_terms(in_turn[end - count : end]))
            for text, count, end in zip(texts, counts.tolist(), ends, strict=True)
        ]

    def _linked(self, seeds: Sequence[Side], candidates: Candidates, row: int, side: Side) -> int:
        """The seed of a row that shares no term with any of several seeds."""
        for place, seed in enumerate(seeds):
            if variant_of(seed.text, side.text, same_terms=False) is not None:
                return place
        strongest = max(self._miners, key=lambda miner: float(candidates[f"{miner}_strength"][row]))
        anchor = candidates[f"{strongest}_anchor"][row : row + 1]
        if anchor[0] >= 0:
            # An anchor is a seed, its close variant, or a keyword that holds all its words.
            place = _most_shared(seeds, self._sides(anchor, self._indexes.keywords.take(anchor))[0])
            if place >= 0:
                return place
        return max(0, int(candidates["semantic_seed"][row]))


class _TermTexts(dict[int, str]):
    """Terms of one snapshot by id: a few thousand stand in nearly all keywords. Emptied when it has grown large."""

    def __init__(self, indexes: Indexes) -> None:
        super().__init__()
        self._texts = indexes.terms

    def __missing__(self, term: int) -> str:
        if len(self) >= MOST_TERMS_KEPT:
            self.clear()
        text = self[term] = self._texts[term]
        return text


def _most_shared(seeds: Sequence[Side], side: Side) -> int:
    """The position of the seed with the greatest Dice coefficient over terms; -1 if all share none."""
    best, place = 0.0, -1
    for position, seed in enumerate(seeds):
        shared = sum(term in side.terms for term in seed.terms)
        if shared and (share := shared / (len(seed.terms) + len(side.terms))) > best:
            best, place = share, position
    return place
