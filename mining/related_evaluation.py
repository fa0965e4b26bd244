"""How right, how many and how different related searches are, against the planted truth.

What is served is asked through the command line, as a caller would: mining does not import the online path.
"""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array
from indexes.errors import KRError
from indexes.neighbors import KIND_OF_EVIDENCE
from mining.evaluation import (
    RELEVANT_GRADE,
    SEED,
    RankedNeighbors,
    asked_keywords,
    interval_of_mean,
    joined,
    read_pairs,
)
from mining.simulator.truth import Truth

CUT, FIRST = 8, 5
QUERIES = 1000
"""Keywords asked for, drawn by their searches."""
NONSENSE = 100
"""Made-up queries, to which the only right answer is none."""
BALANCES = (1.0, 0.7, 0.5)
"""Values of t at which related searches are judged, beside the one in force."""

Lists = dict[int, list[int]]
"""Rows of the truth: the keyword asked for, and what is shown beside it, best first; -1 is no keyword of the log."""


def evaluate_related(mined: Path, truth_folder: Path, store: Path, manage: Sequence[str]) -> list[dict[str, Any]]:
    """A row a system: each served miner alone and all of them joined, cut to CUT, and related searches as served.

    Columns: coverage (share of queries with any row), shown (rows a query), precision_at_5 and precision_at_8 (right
    ones among those shown, over queries with any row; right is the same product in the same language), related_at_8
    (the same for any planted relation), needs (distinct pairs of intent and facets among a query's rows), unsafe (rows
    in all), each mean with its 95 % bootstrap interval over queries, and nonsense (made-up queries that get any row).
    `manage` is the command that runs manage.py. Raises KRError if it fails.
    """
    truth = Truth.load(truth_folder)
    asked = asked_keywords(truth, QUERIES)
    lists = {name: _cut(found, asked) for name, found in _by_miner(mined, truth).items()}
    rows = [_row(name, truth, asked, found, None) for name, found in lists.items()]
    made_up = nonsense_queries(NONSENSE, frozenset(truth.keywords))
    for name, options in [
        ("related searches, as served", []),
        *((f"related searches, t = {t:g}", ["--t", str(t)]) for t in BALANCES),
    ]:
        texts = [truth.keywords[row] for row in asked.tolist()]
        answers = ask_command_line([*manage, "related", *options], store, [*texts, *made_up])
        found = {
            row: truth.rows(answer).tolist() for row, answer in zip(asked.tolist(), answers[: len(texts)], strict=True)
        }
        rows.append(_row(name, truth, asked, found, sum(bool(answer) for answer in answers[len(texts) :])))
    return rows


def ask_command_line(command: Sequence[str], store: Path, queries: Sequence[str]) -> list[list[str]]:
    """The related searches of each query, by `manage.py related`. Raises KRError with what the command said."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("\n".join(queries))
        file.flush()
        options = ["--queries", file.name, "--store", str(store), "--limit", str(CUT), "--json"]
        done = subprocess.run([*command, *options], capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        raise KRError(f"{' '.join(command)} failed: {done.stderr.strip()}", "Mend that, then evaluate again.")
    rows = json.loads(done.stdout)["rows"]
    if [row["query"] for row in rows] != list(queries):
        raise KRError(f"{' '.join(command)} did not answer the queries it was asked.", "Evaluate with this version.")
    return [row["related_searches"] for row in rows]


def nonsense_queries(count: int, known: frozenset[str]) -> list[str]:
    """So many made-up queries of letters or of rare Chinese characters, none of them a known keyword."""
    generator = np.random.default_rng(SEED)
    queries: list[str] = []
    while len(queries) < count:
        letters = (ord("a"), 26) if len(queries) % 2 else (0x9F00, 0xA0)
        size = int(generator.integers(6, 11)) if len(queries) % 2 else int(generator.integers(2, 5))
        text = "".join(chr(letters[0] + int(code)) for code in generator.integers(0, letters[1], size))
        if text not in known and text not in queries:
            queries.append(text)
    return queries


def _by_miner(mined: Path, truth: Truth) -> dict[str, tuple[Array, Array]]:
    """Of each served miner, and of all joined, offsets by keyword and neighbours, best first."""
    pairs, strengths = read_pairs(mined, truth)
    served = {name: pair for name, pair in pairs.items() if name in KIND_OF_EVIDENCE}
    count = len(truth.keywords)
    ranked = {name: RankedNeighbors.of_pairs(*pair, strengths[name], count) for name, pair in served.items()}
    ranked["all miners joined"] = joined(served, strengths, count)
    return {name: (each.offsets, each.neighbor) for name, each in ranked.items()}


def _cut(found: tuple[Array, Array], asked: Array) -> Lists:
    offsets, neighbor = found
    return {row: neighbor[offsets[row] : min(offsets[row] + CUT, offsets[row + 1])].tolist() for row in asked.tolist()}


def _row(name: str, truth: Truth, asked: Array, lists: Lists, nonsense: int | None) -> dict[str, Any]:
    metrics: dict[str, list[float]] = {
        "coverage": [], "shown": [], "precision_at_5": [], "precision_at_8": [], "related_at_8": [], "needs": []
    }  # fmt: skip
    unsafe = 0
    for query in asked.tolist():
        shown = np.array(lists[query], np.int64)
        metrics["coverage"].append(float(len(shown) > 0))
        metrics["shown"].append(float(len(shown)))
        if not len(shown):
            continue
        grades = truth.row_grades(np.full(len(shown), query), shown)
        right = grades >= RELEVANT_GRADE
        metrics["precision_at_5"].append(float(right[:FIRST].mean()))
        metrics["precision_at_8"].append(float(right.mean()))
        metrics["related_at_8"].append(float((grades > 0).mean()))
        known = shown[shown >= 0]
        needs = np.column_stack([truth.product[known], truth.intent[known], truth.facets[known]])
        metrics["needs"].append(float(len(np.unique(needs, axis=0))))
        unsafe += int(truth.unsafe[known].sum())
    row: dict[str, Any] = {"system": name, "queries": len(asked)}
    for metric, values in metrics.items():
        row[metric] = round(float(np.mean(values)), 4) if values else None
        row[f"{metric}_interval"] = interval_of_mean(np.array(values))
    return row | {"unsafe": unsafe, "nonsense": nonsense}


COLUMNS = ("coverage", "shown", "precision_at_5", "precision_at_8", "related_at_8", "needs", "unsafe", "nonsense")
