"""Seed queries for industries, accounts and everyone (SPEC §1.12): S = Q^t · U^(1−t), made at build.

Where candidates come from: what an industry's advertisers buy, what an account buys or might (the recall tables), the
most searched keywords, and the keywords of recent bursts, which join every context that they fit.

    Q  quality: fit · √(coherence · relevance)
       fit        the recall table's score, relative to the context's greatest; of a burst its coherence
       coherence  cosine of the seed and the context among the topics of the log (`mining.topics`; where it has none, by
                  their words' vectors). A context is the sum of its keywords by score: of an account those that it
                  buys, if there are any
       relevance  mean √strength of the RETRIEVED strongest keywords that the seed returns, all miners joined; those
                  that it lacks count 0
       Fit and coherence are 1 for everyone.
    U  utility: log(1 + good results) on the scale where the most useful candidate has 1. A good result is a safe
       keyword, each group of close variants once, of at least GOOD_STRENGTH. Fewer than MIN_RESULTS: no seed.

Q and U are stored apart, since t is the caller's. They are made at build and not with the other tables, because they
read what the build makes: vectors of keywords, groups of close variants, what is unsafe, and strengths of all miners
joined, which the mined tables hold only apart.
"""

from functools import cache
from pathlib import Path

import numpy as np

from indexes.arrays import Array
from indexes.seed_queries import COLUMNS, EVERYONE, Origin, SeedRows, write_seed_queries
from mining.build_tables import MinedTables
from mining.seed_bases import Base, account_bases, industry_bases, popular_base, recent_bursts
from mining.seed_worth import Coherence, Worth, candidate_vectors
from mining.text_ids import TextIds

MIN_RESULTS = 3
MIN_COHERENCE = {Coherence.TOPICS: 0.5, Coherence.VECTORS: 0.7}
"""From which on a keyword belongs to a context, unless the account or the industry's advertisers buy it. Both were
chosen on the simulator's small market with seed 2 (docs/decisions/0010)."""
KEPT = 50
"""Seeds kept for each context: those with the greatest Q · U."""


def write_seeds(candidates: "SeedCandidates", folder: Path) -> int:
    """Write the seeds of all contexts into a snapshot's folder, whose other parts are there; return their contexts."""
    contexts = {name: candidates.best_of(name) for name in candidates.bases}
    write_seed_queries(folder, contexts)
    return len(contexts)


class SeedCandidates:
    """The candidates of all contexts with their worth; `bases` are those of each context but for the bursts.

    `canonical` int32 and `severity` uint8 are those of the statistics and of the audit, a keyword a row.
    """

    def __init__(self, mined: MinedTables, ids: TextIds, canonical: Array, severity: Array, folder: Path) -> None:
        self.bursts = recent_bursts(mined, ids)
        self.bases = {
            EVERYONE: popular_base(folder, mined),
            **dict(industry_bases(mined, ids)),
            **dict(account_bases(mined, ids)),
        }
        every = np.unique(np.concatenate([base["keyword"] for base in (*self.bases.values(), self.bursts)]))
        every = every[severity[every] == 0]
        self._canonical = canonical
        self.worth = Worth(folder, every, canonical, severity)
        self.vectors_of = cache(lambda by: candidate_vectors(mined, folder, every, by))

    def scored(self, name: str, by: Coherence = Coherence.TOPICS) -> Base:
        """The candidates of a context that may be its seeds, in no order, each group of close variants once.

        Columns of a base, and fit, coherence, relevance, quality and utility float64, results int64. A burst's reason
        is told before any other.
        """
        base, bursts, worth = self.bases[name], self.bursts, self.worth
        joined = {column: np.concatenate([bursts[column], base[column]]) for column in base}
        place, known = worth.places(joined["keyword"])
        known &= worth.results[place] >= MIN_RESULTS
        rows = {column: values[known] for column, values in joined.items()}
        place = place[known]
        relevance = worth.relevance[place]
        fit = coherence = belongs = np.ones(len(place))
        if name != EVERYONE:
            fit, coherence, belongs = self._standing(rows, place, by)
        found = {
            **rows,
            "fit": fit,
            "coherence": coherence,
            "relevance": relevance,
            "quality": fit * np.sqrt(coherence * relevance),
            "utility": worth.utility[place],
            "results": worth.results[place],
        }
        kept = np.flatnonzero((belongs > 0) & (found["quality"] > 0))
        _, first = np.unique(self._canonical[rows["keyword"][kept]], return_index=True)
        return {column: values[kept[np.sort(first)]] for column, values in found.items()}

    def _standing(self, rows: Base, place: Array, by: Coherence) -> tuple[Array, Array, Array]:
        """How candidates stand to their context: fit and coherence, float64 in 0..1, and whether they belong, bool."""
        all_vectors, found_by = self.vectors_of(by)
        vectors = all_vectors[place]
        of_base = rows["origin"] != Origin.BURST
        weights = np.where(of_base, rows["score"], 0.0)
        greatest = float(weights.max(initial=0)) or 1.0
        coherence = np.clip(vectors @ _centre(weights, rows["origin"], vectors), 0, 1)
        bought = np.isin(rows["origin"], (Origin.OWNED, Origin.INDUSTRY))
        fit = np.where(of_base, rows["score"] / greatest, coherence)
        return fit, coherence, bought | (coherence >= MIN_COHERENCE[found_by])

    def own_keywords(self, name: str) -> Array:
        """What an account buys, if it buys anything, else all keywords of a context's recall table; int64."""
        base = self.bases[name]
        owned = base["origin"] == Origin.OWNED
        keywords: Array = base["keyword"][owned if owned.any() else slice(None)]
        return keywords

    def centre_of(self, name: str, by: Coherence = Coherence.TOPICS) -> Array:
        """The direction of an industry or account, float64 (dims,), of length 1 or 0."""
        base = self.bases[name]
        place, known = self.worth.places(base["keyword"])
        vectors, _ = self.vectors_of(by)
        return _centre(base["score"][known], base["origin"][known], vectors[place[known]])

    def best_of(self, name: str) -> SeedRows:
        """The KEPT seeds of a context with the greatest Q · U, best first."""
        found = self.scored(name)
        order = np.lexsort((found["keyword"], -np.round(found["quality"] * found["utility"], 9)))[:KEPT]
        return SeedRows({column: found[column][order].astype(dtype) for column, dtype in COLUMNS.items()})


def _centre(weights: Array, origin: Array, vectors: Array) -> Array:
    """The direction of what an account buys, if it buys anything, else of all keywords, by their weights."""
    owned = weights * (origin == Origin.OWNED)
    centre: Array = (owned if owned.any() else weights) @ vectors
    return centre / (float(np.linalg.norm(centre)) or 1.0)
