"""`bench relevance`: the pair features beside rapidfuzz, and the trees beside LightGBM's own predict, in one run."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from indexes.arrays import Array
from indexes.bench_table import bench_row
from kr.relevance.feature_list import KERNEL_FEATURES
from kr.relevance.features import EncodedPairs, encode_for, pair_features
from kr.relevance.lexicons import Lexicons, shipped_terms
from kr.relevance.substitutions import Substitutions
from kr.relevance.text_knowledge import TextKnowledge
from kr.relevance.tree_kernel import read_trees

CANDIDATES = 1500
TREE_ROWS = 1000
LEAVES = 31
VECTOR_SIZE = 32
QUERIES = 20


def run_relevance_bench(repeats: int) -> list[dict[str, Any]]:
    """Rows with milliseconds a call; `ratio` is the peer's median over ours. Peers and KR take turns."""
    queries, keywords = _texts()
    return [
        *_feature_rows(queries, keywords, repeats),
        *(row for trees in (20, 100) for row in _tree_rows(trees, repeats)),
    ]


def _texts() -> tuple[list[str], list[str]]:
    """Keywords of two to four words, Chinese and English, by a fixed seed."""
    generator = np.random.default_rng(7)
    chinese = [chr(0x4E00 + code) for code in generator.permutation(3000)[:400]]
    words = ["".join(generator.choice(chinese, 2)) for _ in range(600)]
    words += ["shoes", "running", "red", "cheap", "flower", "delivery", "lamp", "online"]
    texts = ["".join(generator.choice(words, generator.integers(2, 5))) for _ in range(CANDIDATES + QUERIES)]
    return texts[:QUERIES], texts[QUERIES:]


def _feature_rows(queries: list[str], keywords: list[str], repeats: int) -> list[dict[str, Any]]:
    from rapidfuzz import process
    from rapidfuzz.distance import Levenshtein

    knowledge = TextKnowledge.fit([*queries, *keywords] * 2, VECTOR_SIZE, Lexicons.of(terms=shipped_terms()))
    encoded = encode_for(keywords, knowledge)
    seeds = [encode_for([query], knowledge) for query in queries]
    rows = np.arange(len(keywords))
    pairs = [EncodedPairs(seed, np.zeros(len(keywords), np.int64), encoded, rows) for seed in seeds]
    weights = np.random.default_rng(0).standard_normal((1 << 18, 1)).astype(np.float32)
    substitutions = Substitutions(weights, np.zeros(1))
    calls: dict[str, Callable[[int], object]] = {
        f"KR: {len(KERNEL_FEATURES)} features × {len(keywords):,}": lambda call: pair_features(
            pairs[call % QUERIES], knowledge
        ),
        f"KR: substitution score × {len(keywords):,}": lambda call: substitutions.scores(pairs[call % QUERIES]),
        f"rapidfuzz: edit distance alone × {len(keywords):,}": lambda call: process.cdist(
            [queries[call % QUERIES]], keywords, scorer=Levenshtein.distance, workers=1
        ),
    }
    peer = list(calls)[-1]
    times = _interleaved(calls, repeats)
    agree = bool(
        np.array_equal(
            pair_features(pairs[0], knowledge)[:, [f.name for f in KERNEL_FEATURES].index("edit_distance")],
            process.cdist([queries[0]], keywords, scorer=Levenshtein.distance, workers=1)[0].astype(np.float32),
        )
    )
    return [
        bench_row(name, milliseconds, agrees=agree, ratio=float(np.median(times[peer]) / np.median(milliseconds)))
        for name, milliseconds in times.items()
    ]


def _tree_rows(trees: int, repeats: int) -> list[dict[str, Any]]:
    import lightgbm

    generator = np.random.default_rng(3)
    features = generator.random((8000, len(KERNEL_FEATURES)), np.float32)
    target = features[:, 0] * features[:, 1] + features[:, 2] ** 2 + 0.1 * generator.standard_normal(len(features))
    parameters = {"num_leaves": LEAVES, "verbose": -1, "num_threads": 1, "seed": 1}
    booster = lightgbm.train(parameters, lightgbm.Dataset(features, target), trees)
    walked = read_trees((booster.model_to_string(),))
    rows = features[:TREE_ROWS]
    calls: dict[str, Callable[[int], object]] = {
        f"KR: {trees} trees × {TREE_ROWS:,}": lambda call: walked.scores(rows),
        f"lightgbm: {trees} trees × {TREE_ROWS:,}": lambda call: booster.predict(rows, raw_score=True, num_threads=1),
    }
    agree = bool(np.array_equal(walked.scores(rows)[:, 0], booster.predict(rows, raw_score=True)))
    times = _interleaved(calls, repeats)
    peer = list(calls)[-1]
    return [
        bench_row(name, milliseconds, agrees=agree, ratio=float(np.median(times[peer]) / np.median(milliseconds)))
        for name, milliseconds in times.items()
    ]


def _interleaved(calls: dict[str, Callable[[int], object]], repeats: int) -> dict[str, Array]:
    """Milliseconds of each call, after one that is not counted."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in range(repeats + 1):
        for name, run in calls.items():
            started = time.perf_counter()
            run(call)
            times[name].append((time.perf_counter() - started) * 1000)
    return {name: np.array(found[1:]) for name, found in times.items()}
