"""How long a model takes to score the candidates of one request, beside LightGBM's own predict in the same run.

Times differ from run to run and are kept in `latency.json`, apart from the files that make the model.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array
from kr.relevance.feature_list import KERNEL_FEATURES
from kr.relevance.features import (
    FIRST_COLUMNS,
    KERNELS,
    EncodedPairs,
    encode_for,
    kernel_feature_count,
    kernels_of,
    write_pair_features,
)
from kr.relevance.model import RelevanceModel
from kr.relevance.pairs import LabelledPairs
from kr.relevance.text_knowledge import TextKnowledge

CANDIDATES = 1500
"""Keywords that a request brings before the relevance stage."""
QUERIES = 20
REPEATS = 100
WALL, CPU = 0, 1
FILE = "latency.json"
PARTS = ("features", "substitutions", "trees", "lightgbm", "all")
NOT_THE_MODEL = (FILE, "card.json", "card.md")


def measure_latency(model: RelevanceModel, pairs: LabelledPairs, repeats: int = REPEATS) -> dict[str, Any]:
    """CPU time, medians over calls: milliseconds for 1,500 pairs of one query, and nanoseconds a pair by kernel.

    Queries and keywords are drawn from the pairs. The model must be one without the sentence encoder.
    """
    import lightgbm

    generator = np.random.default_rng(0)
    distinct = list(dict.fromkeys(pairs.keywords))
    drawn = [distinct[place] for place in generator.integers(0, len(distinct), CANDIDATES)]
    keywords = encode_for(drawn, model.knowledge)
    rows, nothing = np.arange(CANDIDATES), np.zeros(CANDIDATES, np.int64)
    queries = [pairs.queries[place] for place in generator.integers(0, len(pairs), QUERIES)]
    lists = [EncodedPairs(encode_for([query], model.knowledge), nothing, keywords, rows) for query in queries]
    read = np.flatnonzero(kernels_of(model.columns, model.knowledge)).tolist()
    width = kernel_feature_count(model.knowledge)
    out = np.zeros((CANDIDATES, width), np.float32)
    whole = [model.features(some) for some in lists]
    given = [np.ascontiguousarray(features[:, model.columns]) for features in whole]
    boosters = [lightgbm.Booster(model_str=text) for text in model.forest.texts]
    calls: dict[str, Callable[[int], object]] = {
        "features": lambda call: write_pair_features(
            lists[call % QUERIES], model.knowledge, kernels_of(model.columns, model.knowledge), out
        ),
        "substitutions": lambda call: model.substitutions.scores(lists[call % QUERIES]),
        "trees": lambda call: model.forest.predict(whole[call % QUERIES]),
        "lightgbm": lambda call: [
            booster.predict(given[call % QUERIES], raw_score=True, num_threads=1) for booster in boosters
        ],
        "all": lambda call: model.predict_encoded(lists[call % QUERIES]),
        "": lambda call: write_pair_features(lists[call % QUERIES], model.knowledge, np.zeros(len(KERNELS), bool), out),
        **kernel_calls(lists, model.knowledge, read),
    }
    times = {name: float(np.median(found[CPU])) for name, found in interleaved(calls, repeats).items()}
    nothing_run = times.pop("")
    return {
        "pairs": CANDIDATES,
        "milliseconds": {name: round(times[name], 4) for name in PARTS},
        "trees_over_lightgbm": round(times["lightgbm"] / times["trees"], 2),
        "nanoseconds_a_pair": {
            KERNELS[kernel]: {
                "families": families_of_kernel(kernel, model.knowledge.lexicons.kinds),
                "cost": round(max(times[KERNELS[kernel]] - nothing_run, 0.0) / CANDIDATES * 1e6),
            }
            for kernel in read
        },
    }


def kernel_calls(
    pairs: Sequence[EncodedPairs], knowledge: TextKnowledge, kernels: Iterable[int]
) -> dict[str, Callable[[int], object]]:
    """By name: a call of each of these kernels alone, on the pairs in turn."""
    out = np.zeros((max(len(some) for some in pairs), kernel_feature_count(knowledge)), np.float32)

    def alone(kernel: int) -> Callable[[int], object]:
        wanted = np.arange(len(KERNELS)) == kernel
        return lambda call: write_pair_features(pairs[call % len(pairs)], knowledge, wanted, out)

    return {KERNELS[kernel]: alone(kernel) for kernel in kernels}


def families_of_kernel(kernel: int, kinds: Sequence[str]) -> list[str]:
    """The families of features that a kernel computes, in the order of its columns."""
    if KERNELS[kernel] == "terms":
        return list(kinds)
    columns = KERNEL_FEATURES[FIRST_COLUMNS[kernel] : FIRST_COLUMNS[kernel + 1]]
    return list(dict.fromkeys(feature.family for feature in columns))


def interleaved(calls: Mapping[str, Callable[[int], object]], repeats: int) -> dict[str, Array]:
    """Milliseconds of each call, after one that is not counted: float64 (2, repeats), elapsed and of this thread's CPU.

    The calls take turns. A busy machine lengthens what elapses, but hardly what the CPU is used.
    """
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for call in range(repeats + 1):
        for name, run in calls.items():
            started, used = time.perf_counter(), time.thread_time()
            run(call)
            used, ended = time.thread_time() - used, time.perf_counter()
            times[name].append(((ended - started) * 1000, used * 1000))
    return {name: np.array(found[1:]).T for name, found in times.items()}


def model_sha256(folder: Path) -> str:
    """One hash of all files that make a model, by name: neither its card nor its times."""
    digest = hashlib.sha256()
    for file in sorted(file for file in folder.rglob("*") if file.is_file() and file.name not in NOT_THE_MODEL):
        digest.update(f"{file.relative_to(folder).as_posix()}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
