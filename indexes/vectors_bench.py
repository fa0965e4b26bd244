"""How fast the nearest keywords are found, beside the installed peers, on the same vectors and queries in one run.

The vectors are made as a snapshot's are: words of the benchmark's corpus get random vectors around random topics, and a
keyword the weighed mean of its words'. Queries are the vectors of texts of one to four words, most of them no keyword.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array, ArrayFolder
from indexes.bench_corpus import Corpus, Words, make_corpus, make_queries
from indexes.bench_process import build_in_own_process
from indexes.bench_table import bench_row
from indexes.term_vectors import unit_codes
from indexes.terminal import progress, step
from indexes.vectors import Vectors
from indexes.vectors_peers import PEERS
from indexes.vectors_write import write_vectors

K = 100
DIMS = 48
TOPICS = 500
SPREAD = 0.7
"""How far words stray from their topic; a topic's own components have a standard deviation of 1."""
SMOOTHING = 1e-3
"""a of the words' weights a / (a + p), as in `mining.keyword_vectors`."""
QUERIES = 1000
WARM_UP = 20
CHECKED = 200
"""Queries whose answers are compared with those of looking at every keyword."""
CHUNK = 100_000
OURS = "KR"

Nearest = Callable[[Array, int], tuple[Array, Array]]


def run_vectors_bench(keywords: int, folder: Path) -> list[dict[str, Any]]:
    """Build every system in `folder`, ask all of them each query in turn, and check the answers.

    A row a system: `build_s` and `rss_mb` (peak) of building in a process of its own, which includes making the
    vectors; `bytes` on disk; latencies of the 100 nearest; `recall_at_100` against looking at every keyword, ties
    counting as found; `agrees` if the cosines given with the keywords are right; `ratio` and `p99_ratio`, how many
    times KR's mean and p99 it takes.
    """
    peers = [peer for peer in PEERS if peer.takes_part(keywords)]
    names = (OURS, *(peer.name for peer in peers))
    rows = {name: build_in_own_process(_build, name, keywords, folder) for name in names}
    with step(f"read {keywords:,} vectors"):
        vectors = Vectors(ArrayFolder(folder / OURS))
        codes = bench_codes(make_corpus(keywords))
    systems: dict[str, Nearest] = {OURS: vectors.nearest}
    for peer in peers:
        with step(f"open {peer.name}"):
            systems[peer.name] = peer(codes, folder / peer.name).nearest
    queries = bench_queries(QUERIES)
    with step(f"check {CHECKED} queries"):
        bars = _hundredth_products(codes, queries[:CHECKED])
        for name, nearest in systems.items():
            rows[name] |= _quality(nearest, codes, queries[:CHECKED], bars)
    most = {OURS: QUERIES} | {peer.name: peer.most_queries for peer in peers}
    for name, milliseconds in _interleaved(systems, most, queries).items():
        rows[name] = bench_row(name, milliseconds) | {
            key: value for key, value in rows[name].items() if value is not None
        }
    for row in rows.values():
        row["ratio"] = row["mean_ms"] / rows[OURS]["mean_ms"]
        row["p99_ratio"] = row["p99_ms"] / rows[OURS]["p99_ms"]
    return list(rows.values())


def word_contributions(words: Words) -> Array:
    """A vector a word, weighed, float32 (words, dims)."""
    generator = np.random.default_rng(2)
    topics = generator.standard_normal((TOPICS, DIMS), np.float32)
    count = len(words.texts)
    vectors = topics[generator.integers(0, TOPICS, count)]
    vectors += np.float32(SPREAD) * generator.standard_normal((count, DIMS), np.float32)
    share = np.diff(words.cumulative, prepend=0.0)
    return vectors * (SMOOTHING / (SMOOTHING + share))[:, None].astype(np.float32)


def code_chunks(corpus: Corpus) -> Iterator[tuple[Array, Array]]:
    """The keywords' vectors as `write_vectors` takes them."""
    contributions = word_contributions(corpus.words)
    for begin in range(0, corpus.keywords, CHUNK):
        bounds = corpus.offsets[begin : begin + CHUNK + 1]
        yield unit_codes(contributions[corpus.tokens[bounds[0] : bounds[-1]]], np.diff(bounds))


def bench_codes(corpus: Corpus) -> Array:
    """The keywords' vectors, int8 (keywords, dims)."""
    codes = np.empty((corpus.keywords, DIMS), np.int8)
    for place, (chunk, _) in enumerate(code_chunks(corpus)):
        codes[place * CHUNK : place * CHUNK + len(chunk)] = chunk
    return codes


def bench_queries(count: int) -> Array:
    """The vectors of texts that a person might type, int8 (count, dims)."""
    words = make_corpus(1).words
    queries = make_queries(words, count)
    counts = np.array([len(query) for query in queries])
    flat = np.concatenate([np.array(query) for query in queries])
    return unit_codes(word_contributions(words)[flat], counts)[0]


def _hundredth_products(codes: Array, queries: Array) -> Array:
    """The inner product of each query with its 100th nearest keyword, by looking at all; int64."""
    best = np.full((len(queries), 0), 0.0, np.float32)
    for begin in range(0, len(codes), CHUNK):
        products = queries.astype(np.float32) @ codes[begin : begin + CHUNK].astype(np.float32).T
        best = np.concatenate([best, products], axis=1)
        keep = min(K, best.shape[1])
        best = np.partition(best, best.shape[1] - keep, axis=1)[:, -keep:]
    return best.min(axis=1).astype(np.int64)


def _quality(nearest: Nearest, codes: Array, queries: Array, bars: Array) -> dict[str, Any]:
    """Recall, and whether each keyword comes with its own cosine, best first."""
    found, agrees = 0, True
    wanted = min(K, len(codes))
    for query, bar in zip(queries, bars.tolist(), strict=True):
        ids, cosines = nearest(query, K)
        own = codes[ids].astype(np.int64) @ query.astype(np.int64)
        found += int((own >= bar).sum())
        lengths = np.linalg.norm(codes[ids].astype(np.float64), axis=1) * np.linalg.norm(query.astype(np.float64))
        # Peers divide by the lengths, which 8 bits leave at 127 to within a hundredth.
        agrees &= bool(len(set(ids.tolist())) == len(ids) and np.allclose(cosines, own / lengths, atol=0.03))
        agrees &= bool((np.diff(cosines) <= 1e-6).all())
    return {"recall_at_100": found / (wanted * len(queries)), "agrees": agrees}


def _interleaved(systems: dict[str, Nearest], most: dict[str, int], queries: Array) -> dict[str, Array]:
    """Milliseconds of each query, the systems taking turns so that all meet the same state of the machine."""
    times: dict[str, list[float]] = {name: [] for name in systems}
    for name, nearest in systems.items():
        for query in queries[: min(WARM_UP, most[name])]:
            nearest(query, K)
    names = list(systems)
    with progress("queries", len(queries)) as advance:
        for number, query in enumerate(queries):
            for turn in range(len(names)):
                name = names[(number + turn) % len(names)]
                if number < most[name]:
                    started = time.perf_counter()
                    systems[name](query, K)
                    times[name].append((time.perf_counter() - started) * 1000)
            advance(1)
    return {name: np.array(milliseconds) for name, milliseconds in times.items()}


def _build(name: str, keywords: int, target: Path) -> Callable[[], Any]:
    corpus = make_corpus(keywords)
    if name == OURS:
        return lambda: write_vectors(target, DIMS, code_chunks(corpus))
    peer = next(peer for peer in PEERS if peer.name == name)
    return lambda: peer.build(bench_codes(corpus), target)
