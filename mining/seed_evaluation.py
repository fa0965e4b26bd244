"""How good seed queries are against the planted truth, and what each part of their score is worth.

A context is an industry or an account that buys something. A keyword belongs to an industry if it stands for a product
of the industry or of one below it, and to an account if it stands for a product of a keyword that the account buys.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from indexes.arrays import Array
from indexes.errors import NotFoundError
from indexes.neighbors import FUSION, joint_strength
from indexes.opened import Indexes
from indexes.seed_queries import ACCOUNT_PREFIX, EVERYONE, INDUSTRY_PREFIX
from indexes.snapshot import open_snapshot
from indexes.unsafe_terms import UnsafeTerms
from mining.build_seed_urls import PageChoice
from mining.build_tables import MinedTables
from mining.evaluation import MIN_SEARCHES, SEED, interval_of_mean
from mining.recall_tables import industries_above
from mining.seed_bases import Base
from mining.seed_queries import SeedCandidates
from mining.seed_worth import GOOD_STRENGTH, MOST_NEIGHBORS, Coherence
from mining.simulator.truth import Truth
from mining.text_ids import TextIds

CUT = 10
ACCOUNTS = 300
"""Accounts that are judged, drawn evenly; all industries are."""
BALANCE = 0.7
"""t of S, the operator's default."""
KINDS = ("industry", "account")
MEASURES = ("coverage", "precision_at_10", "reach", "result_precision", "needs", "separation")
COLUMNS = ("kind", "contexts", *MEASURES)

Score = Callable[[Base], Array]
"""From the candidates of a context to what they are ordered by."""


def _balanced(rows: Base) -> Array:
    return rows["quality"] ** BALANCE * rows["utility"] ** (1 - BALANCE)


def evaluate_seeds(mined: Path, truth_folder: Path, store: Path) -> list[dict[str, Any]]:
    """A row a system and kind of context, industry or account.

    Columns: coverage (share of contexts with a seed); precision_at_10 (seeds offered that belong); reach (of the
    planted keywords of the context that were searched MIN_SEARCHES times, as far as so many seeds have room for them,
    the share among the good results of its seeds); result_precision (good results of the seeds that belong); needs
    (different pairs of intent and facets of planted products among the seeds, a seed). Systems: what everybody
    searches; what is searched most of the context's own keywords; the recall table's score; Q, U and S as served, by
    topics; S by the vectors of words; S without coherence. Rows named pages judge seed URLs: a page belongs if most of
    those who clicked it did so for keywords that belong. Two rows say how far coherence alone tells what belongs:
    separation is the probability that a keyword that belongs is nearer to the context than one that doesn't, where
    every other keyword of the recall table makes the context and neither of the two is among them. Each value is a
    mean with its 95 % bootstrap interval over contexts. Raises NotFoundError for a store or a truth of other tables.
    """
    return SeedEvaluation(mined, truth_folder, store).rows()


class SeedEvaluation:
    """One mining, its snapshot and the truth of its log."""

    def __init__(self, mined: Path, truth_folder: Path, store: Path) -> None:
        self._truth = Truth.load(truth_folder)
        tables = MinedTables(mined)
        snapshot = open_snapshot(store)
        indexes = Indexes.read(snapshot, snapshot.id)
        ids = TextIds(snapshot.path)
        if len(indexes.keywords) != tables.count_keywords():
            raise NotFoundError(f"{store} was not built from {mined}.", "Build a snapshot of these tables first.")
        canonical, severity = np.asarray(indexes.stats.canonical), np.asarray(indexes.unsafe_severity)
        self._neighbors, self._severity = indexes.neighbors, severity
        self._searches = np.asarray(indexes.stats.searches)
        self._canonical = canonical
        self._row_of = self._truth.rows(indexes.keywords.take(np.arange(len(indexes.keywords))))
        self._candidates = SeedCandidates(tables, ids, canonical, severity, snapshot.path)
        unsafe_terms = UnsafeTerms.load()
        self._pages = PageChoice(tables, ids, self._candidates, canonical, severity, unsafe_terms, snapshot.path)
        self._belonging = self._planted(mined, truth_folder)

    def rows(self) -> list[dict[str, Any]]:
        """The rows of `evaluate_seeds`."""
        contexts = self._contexts()
        rows = []
        for name, offered in self._systems().items():
            for kind in KINDS:
                own = [context for context in contexts if context.startswith(f"{kind}:")]
                rows.append({"system": name, "kind": kind} | self._row(own, offered))
        for name, pages in self._page_systems().items():
            for kind in KINDS:
                own = [context for context in contexts if context.startswith(f"{kind}:")]
                measured = [self._measured_pages(self._belonging[context], pages(context)) for context in own]
                row = _averaged({measure: [each[measure] for each in measured] for measure in measured[0]})
                rows.append({"system": name, "kind": kind, "contexts": len(own)} | row)
        for by in Coherence:
            for kind in KINDS:
                own = [context for context in contexts if context.startswith(f"{kind}:")]
                separation = [self._separation(context, by) for context in own]
                row = _averaged({"separation": separation})
                rows.append({"system": f"coherence by {by.value}", "kind": kind, "contexts": len(own)} | row)
        return rows

    def _contexts(self) -> list[str]:
        known = [name for name in self._belonging if name in self._candidates.bases]
        accounts = [name for name in known if name.startswith(ACCOUNT_PREFIX)]
        drawn = np.random.default_rng(SEED).permutation(len(accounts))[:ACCOUNTS]
        return [
            *(name for name in known if name.startswith(INDUSTRY_PREFIX)),
            *(accounts[place] for place in sorted(drawn.tolist())),
        ]

    def _systems(self) -> Mapping[str, Callable[[str], Array]]:
        """By name, the seeds (keyword ids) that a system offers a context, best first."""

        def of_base(context: str, score: Callable[[Base], Array]) -> Array:
            base = self._candidates.bases[context]
            safe = self._severity[base["keyword"]] == 0
            return self._first({name: column[safe] for name, column in base.items()}, score)

        def of_seeds(by: Coherence, score: Score) -> Callable[[str], Array]:
            return lambda context: self._first(self._candidates.scored(context, by), score)

        topics = Coherence.TOPICS
        return {
            "popularity": lambda context: of_base(EVERYONE, lambda base: base["score"]),
            "popularity in the context": lambda context: of_base(context, lambda base: self._searches[base["keyword"]]),
            "c2i / u2i score": lambda context: of_base(context, lambda base: base["score"]),
            "Q (topics)": of_seeds(topics, lambda rows: rows["quality"]),
            "U": of_seeds(topics, lambda rows: rows["utility"]),
            "S without coherence": of_seeds(
                topics, lambda rows: _balanced({**rows, "quality": rows["fit"] * np.sqrt(rows["relevance"])})
            ),
            "S with vectors": of_seeds(Coherence.VECTORS, _balanced),
            "S with topics": of_seeds(topics, _balanced),
        }

    def _first(self, rows: Base, score: Score) -> Array:
        """The CUT keywords with the greatest scores, of close variants one."""
        keyword = rows["keyword"]
        order = np.lexsort((keyword, -np.round(score(rows), 9)))
        _, first = np.unique(self._canonical[keyword[order]], return_index=True)
        return keyword[order[np.sort(first)[:CUT]]]

    def _row(self, contexts: Sequence[str], offered: Callable[[str], Array]) -> dict[str, Any]:
        values: dict[str, list[float]] = {name: [] for name in MEASURES}
        for context in contexts:
            seeds = offered(context)
            values["coverage"].append(float(len(seeds) > 0))
            if not len(seeds):
                values["reach"].append(0.0)
                continue
            for name, value in self._measured(self._belonging[context], seeds).items():
                values[name].append(value)
        return {"contexts": len(contexts)} | _averaged(values)

    def _separation(self, context: str, by: Coherence) -> float:
        """The probability that coherence ranks a keyword that belongs above one that does not; NaN without both."""
        candidates, base = self._candidates, self._candidates.bases[context]
        vectors, _ = candidates.vectors_of(by)
        place, known = candidates.worth.places(base["keyword"])
        place, score = place[known], base["score"][known]
        centre = score[::2] @ vectors[place[::2]]
        asked = np.ones(len(vectors), bool)
        asked[place[::2]] = False
        belongs = self._belonging[context][self._row_of[candidates.worth.candidates]]
        return separation(vectors[asked] @ centre, belongs[asked])

    def _measured(self, belongs: Array, seeds: Array) -> dict[str, float]:
        """`belongs` bool, a row of the truth each; `seeds` keyword ids."""
        truth = self._truth
        rows = self._row_of[seeds]
        right = belongs[rows]
        results = np.unique(self._good_results(seeds))
        of_truth = self._row_of[results]
        planted = belongs & (truth.searches >= MIN_SEARCHES) & ~truth.unsafe
        room = min(int(planted.sum()), CUT * MOST_NEIGHBORS)
        own = rows[right]
        needs = np.column_stack([truth.product[own], truth.intent[own], truth.facets[own]])
        return {
            "precision_at_10": float(right.mean()),
            "reach": min(float(planted[of_truth].sum()) / room, 1.0) if room else float("nan"),
            "result_precision": float(belongs[of_truth].mean()) if len(results) else float("nan"),
            "needs": len(np.unique(needs, axis=0)) / len(seeds),
        }

    def _page_systems(self) -> Mapping[str, Callable[[str], Array]]:
        """By name, the pages (numbers of the choice) that a system offers a context, best first."""
        choice = self._pages
        users = choice.pages.columns["users"]

        def most_clicked(context: str) -> Array:
            pages = choice.clicked_for(self._candidates.own_keywords(context))
            return pages[np.lexsort((pages, -users[pages]))][:CUT]

        return {
            "pages: most clicked for its keywords": most_clicked,
            "pages: S": lambda context: choice.best_of(context)["page"][:CUT],
        }

    def _measured_pages(self, belongs: Array, pages: Array) -> dict[str, float]:
        """A page belongs if most of those who clicked it did so for keywords that belong."""
        found = {"coverage": float(len(pages) > 0), "precision_at_10": float("nan"), "needs": float("nan")}
        if len(pages):
            own = self._pages.pages
            right = []
            for page in pages.tolist():
                part = slice(own.offsets[page], own.offsets[page + 1])
                of_it = belongs[self._row_of[own.keyword[part]]]
                right.append(2 * own.users[part][of_it].sum() > own.users[part].sum())
            leads = self._row_of[own.keyword[own.offsets[pages]]]
            needs = np.column_stack([self._truth.product[leads], self._truth.intent[leads], self._truth.facets[leads]])
            found |= {"precision_at_10": float(np.mean(right)), "needs": len(np.unique(needs, axis=0)) / len(pages)}
        return found

    def _good_results(self, seeds: Array) -> Array:
        """The good results of seeds, as `mining.seed_worth` counts them but with their variants."""
        every = self._neighbors.of(seeds, MOST_NEIGHBORS)
        found = {name: each for name, each in every.items() if name != FUSION}
        span = len(self._canonical)
        keys = {name: each.position.astype(np.int64) * span + each.neighbor for name, each in found.items()}
        distinct = np.unique(np.concatenate([np.empty(0, np.int64), *keys.values()]))
        strengths = {name: np.zeros(len(distinct)) for name in found}
        for name, each in found.items():
            strengths[name][np.searchsorted(distinct, keys[name])] = each.strength
        results = distinct[joint_strength(strengths) >= GOOD_STRENGTH] % span if found else distinct
        return results[self._severity[results] == 0]

    def _planted(self, mined: Path, truth_folder: Path) -> dict[str, Array]:
        """Which rows of the truth belong to each context."""
        truth = self._truth
        industry = pq.read_table(truth_folder / "keywords.parquet", columns=["industry_id"])["industry_id"]
        names, code = np.unique(np.array(industry.to_pylist()), return_inverse=True)
        tree = _read(mined, "industries", ["industry_id", "parent_id"])
        parents = dict(zip(tree["industry_id"].to_pylist(), tree["parent_id"].to_pylist(), strict=True))
        below: dict[str, set[str]] = {}
        for own, above in industries_above(parents):
            below.setdefault(above, set()).add(own)
        found = {
            f"{INDUSTRY_PREFIX}{above}": np.isin(code, np.flatnonzero(np.isin(names, sorted(own))))
            for above, own in sorted(below.items())
        }
        bought = _read(mined, "account_keywords", ["advertiser_id", "keyword", "owned"])
        products: dict[str, set[int]] = {}
        for account, keyword, owned in zip(*(bought[name].to_pylist() for name in bought.column_names), strict=True):
            if owned:
                products.setdefault(account, set()).add(int(truth.product[truth.row_of[keyword]]))
        for account in sorted(products):
            found[f"{ACCOUNT_PREFIX}{account}"] = np.isin(truth.product, sorted(products[account]))
        return {name: belongs for name, belongs in found.items() if belongs.any()}


def separation(score: Array, belongs: Array) -> float:
    """The area under the ROC curve: how often a row that belongs has the greater score, ties half; NaN without both."""
    positives = int(belongs.sum())
    negatives = len(belongs) - positives
    if not positives or not negatives:
        return float("nan")
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return float((rank[belongs].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def _averaged(values: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name in MEASURES:
        measured = np.array(values.get(name, ()), np.float64)
        known = measured[~np.isnan(measured)]
        row[name] = round(float(known.mean()), 4) if len(known) else None
        row[f"{name}_interval"] = interval_of_mean(known)
    return row


def _read(mined: Path, name: str, columns: list[str]) -> pa.Table:
    path = mined / f"{name}.parquet"
    if not path.is_file():
        raise NotFoundError(f"{mined} holds no table {name}.", "Run manage.py mine again.")
    return pq.read_table(path, columns=columns)
