"""`bench relevance`: the pair features beside rapidfuzz, and the trees beside LightGBM's own predict, in one run."""

from collections.abc import Callable
from typing import Any

import numpy as np

from indexes.arrays import Array
from indexes.bench_table import bench_row
from kr.relevance.feature_list import KERNEL_FEATURES
from kr.relevance.features import KERNELS, EncodedPairs, encode_for, kernel_feature_count, pair_features
from kr.relevance.latency import CANDIDATES, CPU, WALL, interleaved, kernel_calls
from kr.relevance.lexicons import Lexicons, shipped_terms
from kr.relevance.substitutions import CODE_BITS, Substitutions
from kr.relevance.synonyms import PLACE_BITS, RELATION_BITS, SynonymGroup
from kr.relevance.text_knowledge import TextKnowledge
from kr.relevance.tree_kernel import read_trees

TREE_ROWS = 1000
LEAVES = 31
VECTOR_SIZE = 32
QUERIES = 20
CLASSES = 3
WORDS_A_GROUP = 4


def run_relevance_bench(repeats: int) -> list[dict[str, Any]]:
    """Rows with milliseconds a call; `ratio` is the peer's median CPU time over ours. Peers and KR take turns."""
    queries, keywords = _texts()
    return [
        *_feature_rows(queries, keywords, repeats),
        *_tree_rows(20, 1, TREE_ROWS, repeats),
        *_tree_rows(100, 1, TREE_ROWS, repeats),
        *_tree_rows(20, CLASSES, CANDIDATES, repeats),
    ]


def _words() -> list[str]:
    generator = np.random.default_rng(7)
    chinese = [chr(0x4E00 + code) for code in generator.permutation(3000)[:400]]
    words = ["".join(generator.choice(chinese, 2)) for _ in range(600)]
    return [*words, "shoes", "running", "red", "cheap", "flower", "delivery", "lamp", "online", "北京", "上海"]


def _texts() -> tuple[list[str], list[str]]:
    """Keywords of two to four words, Chinese and English, by a fixed seed; words of which some are synonyms."""
    generator, words = np.random.default_rng(8), _words()
    texts = ["".join(generator.choice(words, generator.integers(2, 5))) for _ in range(CANDIDATES + QUERIES)]
    return texts[:QUERIES], texts[QUERIES:]


def _knowledge(queries: list[str], keywords: list[str]) -> TextKnowledge:
    words = _words()
    groups = [
        SynonymGroup((number + 1) << PLACE_BITS << RELATION_BITS, tuple(words[number : number + WORDS_A_GROUP]))
        for number in range(0, len(words), WORDS_A_GROUP)
    ]
    return TextKnowledge.fit([*queries, *keywords], VECTOR_SIZE, Lexicons.of(groups, shipped_terms()))


def _feature_rows(queries: list[str], keywords: list[str], repeats: int) -> list[dict[str, Any]]:
    from rapidfuzz import process
    from rapidfuzz.distance import Levenshtein

    knowledge = _knowledge(queries, keywords)
    encoded = encode_for(keywords, knowledge)
    rows, nothing = np.arange(len(keywords)), np.zeros(len(keywords), np.int64)
    pairs = [EncodedPairs(encode_for([query], knowledge), nothing, encoded, rows) for query in queries]
    weights = np.random.default_rng(0).standard_normal((1 << CODE_BITS, CLASSES)).astype(np.float32)
    substitutions = {outputs: Substitutions(weights[:, :outputs].copy(), np.zeros(outputs)) for outputs in (1, CLASSES)}

    def edit_distances(call: int) -> Array:
        return process.cdist([queries[call % QUERIES]], keywords, scorer=Levenshtein.distance, workers=1)

    def scored_by(model: Substitutions) -> Callable[[int], Array]:
        return lambda call: model.scores(pairs[call % QUERIES])

    peer = f"rapidfuzz: edit distance alone × {len(keywords):,}"
    calls: dict[str, Callable[[int], object]] = {
        f"KR: {kernel_feature_count(knowledge)} features × {len(keywords):,}": lambda call: pair_features(
            pairs[call % QUERIES], knowledge
        ),
        **{
            f"KR: of which {name} × {len(keywords):,}": run
            for name, run in kernel_calls(pairs, knowledge, range(len(KERNELS))).items()
        },
        **{
            f"KR: substitution, {outputs} outputs × {len(keywords):,}": scored_by(model)
            for outputs, model in substitutions.items()
        },
        peer: edit_distances,
    }
    place = [feature.name for feature in KERNEL_FEATURES].index("edit_distance")
    agree = bool(np.array_equal(pair_features(pairs[0], knowledge)[:, place], edit_distances(0)[0].astype(np.float32)))
    return _rows(interleaved(calls, repeats), peer, agree)


def _tree_rows(trees: int, outputs: int, count: int, repeats: int) -> list[dict[str, Any]]:
    import lightgbm

    generator = np.random.default_rng(3)
    features = generator.random((8000, len(KERNEL_FEATURES)), np.float32)
    target: Array = (
        features[:, 0] * features[:, 1] + features[:, 2] ** 2 + 0.1 * generator.standard_normal(len(features))
    )
    parameters: dict[str, Any] = {"num_leaves": LEAVES, "verbose": -1, "num_threads": 1, "seed": 1}
    name = f"{trees} trees"
    if outputs > 1:
        name = f"{trees} rounds of {outputs} classes"
        target = np.digitize(target, np.quantile(target, np.arange(1, outputs) / outputs))
        parameters |= {"objective": "multiclass", "num_class": outputs}
    booster = lightgbm.train(parameters, lightgbm.Dataset(features, target), trees)
    walked = read_trees((booster.model_to_string(),))
    rows = features[:count]
    peer = f"lightgbm: {name} × {count:,}"
    calls: dict[str, Callable[[int], object]] = {
        f"KR: {name} × {count:,}": lambda call: walked.scores(rows),
        peer: lambda call: booster.predict(rows, raw_score=True, num_threads=1),
    }
    expected = np.asarray(booster.predict(rows, raw_score=True)).reshape(count, outputs)
    return _rows(interleaved(calls, repeats), peer, bool(np.array_equal(walked.scores(rows), expected)))


def _rows(times: dict[str, Array], peer: str, agree: bool) -> list[dict[str, Any]]:
    used = {name: float(np.median(found[CPU])) for name, found in times.items()}
    return [
        bench_row(name, found[WALL], agrees=agree, cpu_ms=used[name], ratio=used[peer] / used[name])
        for name, found in times.items()
    ]
