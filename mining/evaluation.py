"""How much of the planted truth each miner finds, and how little else. Only evaluations read a simulation's truth."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from indexes.arrays import Array, offsets_from_counts, ranges
from indexes.errors import NotFoundError
from indexes.neighbors import KIND_OF_EVIDENCE, joint_strength
from indexes.vectors import embedding_strength
from mining.burst_evaluation import burst_rows
from mining.embedding_evaluation import embedding_neighbors, pairs_with_embeddings
from mining.fusion_model import FusionModel
from mining.mined_pairs import PAIR_MINERS, Demand
from mining.pair_evidence import PairEvidence
from mining.session_evaluation import session_rows
from mining.simulator.truth import Truth

QUERIES = 2000
"""Keywords asked for, drawn by their searches."""
MIN_SEARCHES = 5
"""Only keywords searched as often by people are asked for, and only those count as missed."""
RELEVANT_GRADE = 2
"""From this grade (same product, same language) a pair counts as right for precision and recall."""
CUT = 10
BEST_ORDER = "all pairs, in the best order"
"""The row that says how much any combination of the miners could reach."""
RESAMPLES = 1000
SEED = 20240630

Metrics = dict[str, Array]


@dataclass(frozen=True)
class RankedNeighbors:
    """A miner's neighbours as CSR over keyword rows, best first: `offsets` int64 (n + 1,), `neighbor` int32."""

    offsets: Array
    neighbor: Array

    @staticmethod
    def of_pairs(keyword: Array, neighbor: Array, score: Array, count: int) -> "RankedNeighbors":
        """Pairs in any order, ranked by score, ties by the neighbour's row."""
        order = np.lexsort((neighbor, -score, keyword))
        return RankedNeighbors(offsets_from_counts(np.bincount(keyword, minlength=count)), neighbor[order])

    def of(self, row: int) -> Array:
        return self.neighbor[self.offsets[row] : self.offsets[row + 1]]


def evaluate_miners(mined: Path, truth_folder: Path, fusion: Path | None = None) -> list[dict[str, Any]]:
    """A row a miner, one for all that are served together, one for each that leaves one of those out, and four more.

    BEST_ORDER puts the pairs of all of them into the order of the truth: no combination of the miners can do better.
    With the folder of a fusion model there is a row `fusion` too: the pairs of all miners and of the vectors, by its
    strength.

    Columns: coverage (share of asked keywords with any neighbour), precision (share of right ones among all
    neighbours), precision_at_10, recall (share of the right keywords that are among the neighbours) and ndcg_at_10
    (gain 2^grade − 1), each averaged over the asked keywords, with 95 % bootstrap intervals over them. Keywords
    without neighbours count 0 everywhere but in precision, where there is nothing to judge. The last rows say how well
    sessions and robots (mining.session_evaluation) and bursts (mining.burst_evaluation) were found.
    """
    truth = Truth.load(truth_folder)
    miners, strengths = read_pairs(mined, truth)
    asked = asked_keywords(truth)
    miners["embeddings"], strengths["embeddings"] = _embeddings(mined, truth, asked)
    relevant = truth.relevant_counts([truth.keywords[row] for row in asked.tolist()], MIN_SEARCHES)
    count = len(truth.keywords)
    systems: dict[str, RankedNeighbors] = {
        name: RankedNeighbors.of_pairs(*miners[name], strength, count) for name, strength in strengths.items()
    }
    weight = _weights(mined, len(miners["cooccurrence"][0]))
    systems["cooccurrence, by weight"] = RankedNeighbors.of_pairs(*miners["cooccurrence"], weight, count)
    served = {name: pairs for name, pairs in miners.items() if name in KIND_OF_EVIDENCE}
    systems["all together"] = joined(served, strengths, count)
    for left_out in served:
        rest = {name: pair for name, pair in served.items() if name != left_out}
        systems[f"all but {left_out}"] = joined(rest, strengths, count)
    if fusion is not None:
        systems["fusion"] = _fused(mined, FusionModel.read(fusion), truth, asked)
    systems[BEST_ORDER] = best_order(miners, truth, asked)
    rows = [_row(name, _metrics(truth, ranked, asked, relevant)) for name, ranked in systems.items()]
    return rows + session_rows(mined, truth_folder) + burst_rows(mined, truth_folder)


def asked_keywords(truth: Truth, count: int = QUERIES) -> Array:
    """Rows of the keywords to ask for: distinct, safe, drawn with the probability of being searched; ascending."""
    weight = np.where((truth.searches >= MIN_SEARCHES) & ~truth.unsafe, truth.searches, 0).astype(np.float64)
    draws = min(count, int((weight > 0).sum()))
    drawn = np.random.default_rng(SEED).choice(len(weight), draws, replace=False, p=weight / weight.sum())
    return np.sort(drawn)


def read_pairs(mined: Path, truth: Truth) -> tuple[dict[str, tuple[Array, Array]], dict[str, Array]]:
    """Pairs (rows of the truth) and strengths (as `mining.build` gives them) of each miner."""
    searches = _searches(mined, truth)
    sessions = _session_count(mined)
    pairs: dict[str, tuple[Array, Array]] = {}
    strengths: dict[str, Array] = {}
    for name, miner in PAIR_MINERS.items():
        table = _read(mined, miner.table)
        keyword, neighbor = (_rows(table[side], truth) for side in ("keyword", "neighbor"))
        pairs[name] = keyword, neighbor
        strengths[name] = miner.strength(table, Demand(searches[keyword], searches[neighbor], sessions))
    return pairs, strengths


def _embeddings(mined: Path, truth: Truth, asked: Array) -> tuple[tuple[Array, Array], Array]:
    """The pairs of the keywords asked for that are alike by their vectors, and strengths as served."""
    position, neighbors, similarity = embedding_neighbors(mined, [truth.keywords[row] for row in asked.tolist()])
    return (asked[position], truth.rows(neighbors)), embedding_strength(similarity)


def _read(mined: Path, name: str) -> pa.Table:
    path = mined / f"{name}.parquet"
    if not path.is_file():
        raise NotFoundError(f"{mined} holds no table {name}.", "Run manage.py mine first.")
    return pq.read_table(path)


def _session_count(mined: Path) -> int:
    report: dict[str, Any] = json.loads((mined / "mining_report.json").read_text(encoding="utf-8"))
    return int(report["counts"]["sessions"])


def _rows(column: pa.ChunkedArray, truth: Truth) -> Array:
    """Rows of the truth; the truth knows every keyword of its log."""
    found = pc.index_in(column, value_set=pa.array(truth.keywords, pa.string()))
    if found.null_count:
        raise NotFoundError(
            "The mined tables hold keywords that the truth does not know.", "Name the truth of this log."
        )
    return found.to_numpy().astype(np.int64)


def _searches(mined: Path, truth: Truth) -> Array:
    """Mined searches of every keyword of the truth, int64; 0 where it was not mined."""
    table = _read(mined, "keyword_statistics")
    searches = np.zeros(len(truth.keywords), np.int64)
    searches[_rows(table["keyword"], truth)] = table["searches"].to_numpy()
    return searches


def _weights(mined: Path, count: int) -> Array:
    weight = _read(mined, "cooccurrence")["weight"].to_numpy()
    assert len(weight) == count
    return weight


def joined(miners: dict[str, tuple[Array, Array]], strengths: dict[str, Array], count: int) -> RankedNeighbors:
    """All miners' pairs, each once, by their joint strength."""
    keys = {name: keyword * count + neighbor for name, (keyword, neighbor) in miners.items()}
    distinct = np.unique(np.concatenate(list(keys.values())))
    dense = {}
    for name, own in keys.items():
        dense[name] = np.zeros(len(distinct))
        dense[name][np.searchsorted(distinct, own)] = strengths[name]
    return RankedNeighbors.of_pairs(distinct // count, distinct % count, joint_strength(dense), count)


def best_order(miners: dict[str, tuple[Array, Array]], truth: Truth, asked: Array) -> RankedNeighbors:
    """The pairs of all miners of the keywords asked for, each once, in the order of their true grades."""
    count = len(truth.keywords)
    keys = [keyword * count + neighbor for keyword, neighbor in miners.values()]
    distinct = np.unique(np.concatenate([own[np.isin(own // count, asked)] for own in keys]))
    keyword, neighbor = distinct // count, distinct % count
    return RankedNeighbors.of_pairs(keyword, neighbor, truth.row_grades(keyword, neighbor), count)


def _fused(mined: Path, model: FusionModel, truth: Truth, asked: Array) -> RankedNeighbors:
    """The pairs of the keywords asked for by what the model makes of all evidence."""
    evidence = PairEvidence(mined)
    rows = truth.rows(evidence.keywords.to_pylist())
    places = np.flatnonzero(np.isin(rows, asked))
    pairs, _ = pairs_with_embeddings(mined, evidence, places)
    return RankedNeighbors.of_pairs(
        rows[pairs.keyword], rows[pairs.neighbor], model.strength(pairs.features), len(truth.keywords)
    )


def _metrics(truth: Truth, ranked: RankedNeighbors, asked: Array, relevant: Array) -> Metrics:
    """Each metric of each asked keyword, float64, NaN where it does not apply."""
    counts = np.diff(ranked.offsets)[asked]
    owner = np.repeat(np.arange(len(asked)), counts)
    neighbor = ranked.neighbor[ranges(ranked.offsets[asked], counts)]
    place = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    grades = truth.row_grades(asked[owner], neighbor).astype(np.int64)
    right = grades >= RELEVANT_GRADE
    countable = right & (truth.searches[neighbor] >= MIN_SEARCHES) & ~truth.unsafe[neighbor]

    def total(values: Array) -> Array:
        return np.bincount(owner, weights=values, minlength=len(asked))

    wanted = relevant[:, :2].sum(axis=1)
    gain = np.where(place < CUT, (2.0**grades - 1) / np.log2(place + 2), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "coverage": (counts > 0).astype(np.float64),
            "precision": np.where(counts > 0, total(right) / counts, np.nan),
            "precision_at_10": total(right & (place < CUT)) / CUT,
            "recall": np.where(wanted > 0, np.minimum(total(countable) / wanted, 1.0), np.nan),
            "ndcg_at_10": total(gain) / _ideal(truth, asked),
        }


def _ideal(truth: Truth, asked: Array) -> Array:
    """The best possible discounted gain of each asked keyword over all keywords of the log."""
    best = truth.relevant_counts([truth.keywords[row] for row in asked.tolist()], 1, with_unsafe=True)
    discounts = 1 / np.log2(np.arange(CUT) + 2)
    ladder = np.concatenate([[0.0], np.cumsum(discounts)])
    reached = np.minimum(np.cumsum(best, axis=1), CUT)
    before = np.concatenate([np.zeros((len(asked), 1), np.int64), reached[:, :2]], axis=1)
    ideal = ((ladder[reached] - ladder[before]) * np.array([7.0, 3.0, 1.0])).sum(axis=1)
    return np.where(ideal > 0, ideal, np.nan)


def _row(system: str, metrics: Metrics) -> dict[str, Any]:
    row: dict[str, Any] = {"system": system, "queries": len(metrics["coverage"])}
    for name, values in metrics.items():
        known = values[~np.isnan(values)]
        row[name] = round(float(known.mean()), 4) if len(known) else None
        row[f"{name}_interval"] = interval_of_mean(known)
    return row


def interval_of_mean(values: Array) -> list[float] | None:
    """The 95 % bootstrap interval of the mean."""
    if not len(values):
        return None
    generator = np.random.default_rng(SEED)
    means = [values[generator.integers(0, len(values), len(values))].mean() for _ in range(RESAMPLES)]
    return [round(float(bound), 4) for bound in np.percentile(means, [2.5, 97.5])]


METRICS = ("coverage", "precision", "precision_at_10", "recall", "ndcg_at_10")


def table(rows: Sequence[dict[str, Any]], names: Sequence[str] = METRICS) -> str:
    """The rows as text for a terminal."""
    lines = [["system", *names], *([row["system"], *(_cell(row, name) for name in names)] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def _cell(row: dict[str, Any], name: str) -> str:
    if row.get(name) is None:
        return "–"
    if row.get(f"{name}_interval") is None:
        return str(row[name])
    low, high = row[f"{name}_interval"]
    return f"{row[name]:.3f} [{low:.3f}, {high:.3f}]"
