"""How fast the k best keywords are found, beside the installed peers, on the same keywords and queries in one run."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array, ArrayFolder
from indexes.bench_corpus import CHUNK, make_corpus, make_queries
from indexes.bench_process import build_in_own_process
from indexes.bench_table import bench_row
from indexes.keyword_filter import Conditions, KeywordFilter
from indexes.keyword_stats import NARROW, PLAIN, TABLES, KeywordStats
from indexes.postings import Postings, write_postings
from indexes.retrieval_peers import PEERS, Peer
from indexes.terminal import progress, say, step
from indexes.vocabulary import Vocabulary, write_vocabulary

K = 1000
QUERIES = 1000
WARM_UP = 20
CHECKED = 50
"""Queries whose results are checked keyword by keyword."""
TOLERANCE = 1e-4
"""Relative; the peers compute with 32-bit floats."""
OURS = "KR"
PASSING = (2, 100, 10_000)
"""Filters pass one keyword in so many."""
SEARCHES = 1_000_000
"""Monthly searches are drawn below this."""
THREADS = 2

Top = Callable[[list[int], int], tuple[Any, Any]]


def run_retrieval_bench(keywords: int, folder: Path) -> list[dict[str, Any]]:
    """Build every system in `folder`, ask all of them each query in turn, and check the answers.

    A row a system, and one for each filter and for several threads. `build_s` and `rss_mb` (peak) are of building in a
    process of its own, from words already split; `bytes` on disk; latencies of the 1,000 best; `ratio` and `p99_ratio`
    say how many times KR's mean and p99 it takes. `cpu_ms` and `cpu_p99_ms` leave out what a busy machine takes away.
    """
    with step(f"draw {keywords:,} keywords"):
        corpus = make_corpus(keywords)
    peers = [peer for peer in PEERS if peer.takes_part(keywords)]
    systems = (OURS, *(peer.name for peer in peers))
    rows = {name: build_in_own_process(_build, name, keywords, folder) for name in systems}
    postings = Postings(ArrayFolder(folder / OURS))
    tops: dict[str, Top] = {OURS: postings.top}
    for peer in peers:
        tops[peer.name] = peer(corpus, folder / peer.name).top

    queries = make_queries(corpus.words, QUERIES)
    with step(f"check {CHECKED} queries"):
        rows[OURS]["agrees"] = _is_exact(postings, queries[:CHECKED])
        for peer in peers:
            checked = queries[: min(CHECKED, peer.most_queries)]
            rows[peer.name]["agrees"] = _agrees(peer, tops[peer.name], postings, checked)
        for passing, keyword_filter in _filters(keywords, folder).items():
            name = f"{OURS}, a filter passes 1 in {passing:,}"
            tops[name] = partial(postings.top, keyword_filter=keyword_filter)
            rows[name] = {"agrees": _is_exact(postings, queries[:CHECKED], keyword_filter)}
    most = dict.fromkeys(tops, QUERIES) | {peer.name: peer.most_queries for peer in peers}
    for name, (milliseconds, on_cpu) in _interleaved(tops, most, queries).items():
        rows[name] = bench_row(name, milliseconds) | {
            key: value for key, value in rows[name].items() if value is not None
        }
        rows[name] |= {"cpu_ms": float(on_cpu.mean()), "cpu_p99_ms": float(np.percentile(on_cpu, 99))}
    for row in rows.values():
        row["ratio"] = row["mean_ms"] / rows[OURS]["mean_ms"]
        row["p99_ratio"] = row["p99_ms"] / rows[OURS]["p99_ms"]
    return [*rows.values(), _threads(postings, queries)]


def _threads(postings: Postings, queries: list[list[int]]) -> dict[str, Any]:
    """All queries by one thread and by several at once: `mean_ms` is the time that passes a query, `ratio` to one's."""

    def answer(part: list[list[int]]) -> None:
        for query in part:
            postings.top(query, K)

    seconds = {}
    for threads in (1, THREADS, 1, THREADS):  # the second time everything is warm
        with ThreadPoolExecutor(threads) as pool:
            started = time.perf_counter()
            list(pool.map(answer, [queries[place::threads] for place in range(threads)]))
            seconds[threads] = time.perf_counter() - started
    row = bench_row(f"{OURS}, {THREADS} threads")
    return row | {
        "mean_ms": seconds[THREADS] * 1000 / len(queries),
        "ratio": seconds[THREADS] / seconds[1],
        "queries_per_second": len(queries) / seconds[THREADS],
        "queries_per_second_of_one": len(queries) / seconds[1],
    }


def _filters(keywords: int, folder: Path) -> dict[int, KeywordFilter]:
    """Filters on monthly searches, drawn evenly, by how many keywords there are for each that passes."""
    demand = np.lib.format.open_memmap(folder / "demand.npy", "w+", np.float64, (keywords,))
    generator = np.random.default_rng(2)
    for begin in range(0, keywords, CHUNK):
        demand[begin : begin + CHUNK] = generator.random(len(demand[begin : begin + CHUNK])) * SEARCHES
    columns: dict[str, Any] = {name: np.empty(0, dtype) for name, dtype in PLAIN.items()}
    columns |= {name: np.empty((0, 0) if name in TABLES else 0, dtype) for name, (_, dtype) in NARROW.items()}
    columns["avg_monthly_searches"] = np.load(folder / "demand.npy", mmap_mode="r")
    write_vocabulary(folder, "no_texts", [])
    texts = Vocabulary(ArrayFolder(folder), "no_texts")
    stats, unsafe = KeywordStats(**columns), np.empty(0, np.uint32)
    return {
        passing: KeywordFilter(Conditions(min_searches=SEARCHES - SEARCHES // passing), stats, texts, unsafe)
        for passing in PASSING
    }


def _interleaved(tops: dict[str, Top], most: dict[str, int], queries: list[list[int]]) -> dict[str, Array]:
    """Milliseconds of each query by the clock and on the processor (2, queries), the systems taking turns."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in tops}
    for name, top in tops.items():
        for query in queries[:WARM_UP]:
            top(query, K)
        say(f"  {name} is warm")
    names = list(tops)
    with progress("queries", len(queries)) as advance:
        for number, query in enumerate(queries):
            for turn in range(len(names)):
                name = names[(number + turn) % len(names)]
                if number < most[name]:
                    started, on_cpu = time.perf_counter(), time.thread_time()
                    tops[name](query, K)
                    times[name].append((time.perf_counter() - started, time.thread_time() - on_cpu))
            advance(1)
    return {name: np.array(seconds).T * 1000 for name, seconds in times.items()}


def _is_exact(postings: Postings, queries: list[list[int]], keyword_filter: KeywordFilter | None = None) -> bool:
    """Whether ids and scores equal those of scoring every keyword that matches."""
    for query in queries:
        ids, scores = postings.top(query, K, keyword_filter)
        expected_ids, expected_scores = postings.top_of_all_scores(query, K, keyword_filter)
        if ids.tolist() != expected_ids.tolist() or scores.tolist() != expected_scores.tolist():
            return False
    return True


def _agrees(peer: type[Peer], top: Top, postings: Postings, queries: list[list[int]]) -> bool:
    """Whether the peer's scores are those of its variant of BM25, and no keyword left out has a higher one.

    Ids alone cannot be compared: variants order differently, and ties are cut at will.
    """
    idf = peer.idf(np.diff(postings.offsets), len(postings))
    for query in queries:
        found, expected = postings.scores_as(query, peer.k1, peer.b, peer.factor * idf)
        best = np.sort(expected)[::-1][:K]
        ids, scores = (np.asarray(part)[: len(best)] for part in top(query, K))
        if len(ids) < len(best) or not np.isin(ids, found).all():
            return False
        own = expected[np.searchsorted(found, ids)]
        if not (np.allclose(scores, own, rtol=TOLERANCE) and np.allclose(scores, best, rtol=TOLERANCE)):
            return False
    return True


def _build(name: str, keywords: int, target: Path) -> Callable[[], Any]:
    corpus = make_corpus(keywords)
    if name == OURS:
        return lambda: write_postings(target, len(corpus.words.texts), corpus.offsets, corpus.tokens)
    peer = next(peer for peer in PEERS if peer.name == name)
    return lambda: peer.build(corpus, target)
