"""How well groupings find the planted products and intents of a simulated market, beside peers in the same run.

A planted group is a product, an intent and a language. Rests count as keywords that were not grouped: each alone.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array
from indexes.errors import NotFoundError, UsageError
from indexes.opened import Indexes
from kr.planning.grouping import WAYS, Grouping, group_keywords
from kr.planning.intents import IntentReader
from kr.planning.keyword_space import KeywordSpace

SEED = 20240630
MIN_SEARCHES = 5
ROUNDS_OF_PEERS = 100


@dataclass(frozen=True)
class PlantedKeywords:
    """Keywords with what was planted: numbers of product and intent, and of both with the language; int64 (n,)."""

    keywords: tuple[str, ...]
    product: Array
    intent: Array
    group: Array


def evaluate_grouping(
    store: Path, truth: Path, keywords: int, industry: str | None = None, seed: int = SEED
) -> list[dict[str, Any]]:
    """A row a system: adjusted Rand index and pairwise precision, recall and F1 against the planted groups, intent
    purity (share of keywords whose planted intent is that of most of their group), groups, and seconds.

    The keywords are drawn by chance from those that people searched, of one industry if it is named.
    """
    planted = read_planted(truth, keywords, industry, seed)
    indexes = Indexes.open(store)
    rows = []
    started = time.perf_counter()
    intents = IntentReader(indexes).intents(planted.keywords)
    space = KeywordSpace.of(indexes, planted.keywords)
    prepared = time.perf_counter() - started
    for by in WAYS:
        started = time.perf_counter()
        grouping = group_keywords(space, intents, by)
        seconds = prepared + time.perf_counter() - started
        rows.append(_row(f"KR, {by}", labels_of(grouping), planted, seconds))
    count = len(np.unique(planted.group))
    for name, peer in _peers().items():
        started = time.perf_counter()
        labels = peer(space, count)
        rows.append(_row(name, labels, planted, time.perf_counter() - started))
    return rows


def read_planted(truth: Path, keywords: int, industry: str | None, seed: int) -> PlantedKeywords:
    """So many of the truth's keywords, drawn by chance. NotFoundError if the folder holds no truth."""
    import pyarrow.parquet as pq

    file = truth / "keywords.parquet"
    if not file.is_file():
        raise NotFoundError(f"{truth} holds no keywords.parquet.", "Name the truth folder of a simulation.")
    columns = ["keyword", "language", "product_id", "industry_id", "intent", "unsafe", "searches"]
    table = pq.read_table(file, columns=columns).to_pydict()
    known = [
        row
        for row in range(len(table["keyword"]))
        if table["intent"][row]
        and not table["unsafe"][row]
        and table["searches"][row] >= MIN_SEARCHES
        and industry in (None, table["industry_id"][row])
    ]
    if not known:
        raise UsageError(f"The truth has no keyword of the industry {industry!r}.", "Name one of industry_id.")
    drawn = np.random.default_rng(seed).permutation(len(known))[:keywords]
    chosen = sorted((known[place] for place in drawn.tolist()), key=lambda row: str(table["keyword"][row]))
    texts = tuple(table["keyword"][row] for row in chosen)
    numbers = [_numbers([tuple(table[name][row] for name in names) for row in chosen]) for names in
               (("product_id",), ("intent",), ("product_id", "intent", "language"))]  # fmt: skip
    return PlantedKeywords(texts, *numbers)


def labels_of(grouping: Grouping) -> Array:
    """The group of each keyword, those of rests apart; int64."""
    labels = grouping.labels.astype(np.int64)
    in_rest = np.array([group.is_rest for group in grouping.groups], bool)[grouping.labels]
    labels[in_rest] = len(grouping.groups) + np.arange(int(in_rest.sum()))
    return labels


def adjusted_rand(found: Array, planted: Array) -> float:
    """The adjusted Rand index (Hubert & Arabie 1985) of two partitions; 1 for equal ones."""
    same_both, same_found, same_planted, pairs = _pair_counts(found, planted)
    expected = same_found * same_planted / pairs if pairs else 0.0
    greatest = (same_found + same_planted) / 2
    return 1.0 if greatest == expected else (same_both - expected) / (greatest - expected)


def pairwise(found: Array, planted: Array) -> tuple[float, float, float]:
    """Precision, recall and F1 of the pairs that stand in one group."""
    same_both, same_found, same_planted, _ = _pair_counts(found, planted)
    precision = same_both / same_found if same_found else 1.0
    recall = same_both / same_planted if same_planted else 1.0
    return precision, recall, 2 * same_both / (same_found + same_planted) if same_found + same_planted else 1.0


def purity(found: Array, kind: Array) -> float:
    """The share of items whose kind is the commonest of their group."""
    if not len(found):
        return 1.0
    pairs, counts = np.unique(np.stack([found, kind]), axis=1, return_counts=True)
    best = np.zeros(int(found.max()) + 1, np.int64)
    np.maximum.at(best, pairs[0], counts)
    return float(best.sum() / len(found))


def _pair_counts(found: Array, planted: Array) -> tuple[float, float, float, float]:
    def pairs(counts: Array) -> float:
        return float((counts.astype(np.float64) * (counts - 1) / 2).sum())

    _, cells = np.unique(np.stack([found, planted]), axis=1, return_counts=True)
    count = len(found)
    sizes = [np.unique(labels, return_counts=True)[1] for labels in (found, planted)]
    both, one, other = pairs(cells), pairs(sizes[0]), pairs(sizes[1])
    return both, one, other, count * (count - 1) / 2


def _numbers(texts: Sequence[tuple[str, ...]]) -> Array:
    known: dict[tuple[str, ...], int] = {}
    return np.array([known.setdefault(text, len(known)) for text in texts], np.int64)


def _row(system: str, labels: Array, planted: PlantedKeywords, seconds: float) -> dict[str, Any]:
    precision, recall, f1 = pairwise(labels, planted.group)
    return {
        "system": system,
        "keywords": len(labels),
        "groups": len(np.unique(labels)),
        "adjusted_rand": round(adjusted_rand(labels, planted.group), 4),
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(f1, 4),
        "intent_purity": round(purity(labels, planted.intent), 4),
        "seconds": round(seconds, 2),
    }


def _peers() -> dict[str, Callable[[KeywordSpace, int], Array]]:
    """Peers that are told how many planted groups there are; none if scikit-learn is not installed."""
    try:
        from sklearn.cluster import KMeans, MiniBatchKMeans
        from sklearn.feature_extraction.text import TfidfVectorizer
    except ImportError:
        return {}
    from indexes.text import tokens

    def kmeans_of_words(space: KeywordSpace, count: int) -> Array:
        points = TfidfVectorizer(analyzer=tokens).fit_transform(space.keywords)
        fitted = MiniBatchKMeans(count, random_state=0, n_init=1, max_iter=ROUNDS_OF_PEERS)
        return np.asarray(fitted.fit_predict(points), np.int64)

    def kmeans_of_vectors(space: KeywordSpace, count: int) -> Array:
        fitted = KMeans(count, random_state=0, n_init=1, max_iter=ROUNDS_OF_PEERS)
        return np.asarray(fitted.fit_predict(space.vectors), np.int64)

    return {
        "k-means of TF-IDF, scikit-learn, told k": kmeans_of_words,
        "k-means of KR's vectors, scikit-learn, told k": kmeans_of_vectors,
    }
