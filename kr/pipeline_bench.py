"""How long the whole build takes and how fast the path answers, with rank-bm25 as the baseline in the same run."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from indexes.bench_table import bench_row, timed
from indexes.errors import KRError
from indexes.opened import Indexes
from indexes.terminal import say
from indexes.text import tokens
from kr.service import KeywordService
from kr.settings import load_settings
from kr.types import Request

REQUESTS = 1000
BASELINE_REQUESTS = 50
"""rank-bm25 takes so long that fewer requests must do; the same ones are the first of the path's."""
ROWS = 100


def run_pipeline_bench(work: Path, size: str, seed: int, reuse: bool) -> list[dict[str, Any]]:
    """Simulate, ingest, mine and build in `work`, each step a process of its own, then answer requests.

    Returns a row for every step and for the path, with the keys of DESIGN §3 (seconds, bytes, MB resident at the peak,
    milliseconds). `reuse` keeps a store that is already there.
    """
    store = work / "store"
    rows = [] if reuse and (store / "CURRENT").is_file() else _build(work, size, seed)
    service = KeywordService.open(load_settings(store=store))
    requests = sample_requests(service.indexes, REQUESTS, seed)
    for request in requests[:20]:
        service.keyword_ideas(request)
    worked = time.process_time()
    path = timed(lambda: (service.keyword_ideas(request) for request in requests))
    worked = (time.process_time() - worked) / len(requests) * 1000
    explained = timed(lambda: (service.keyword_ideas(replace(r, explain=True)) for r in requests[:BASELINE_REQUESTS]))
    rows.append(bench_row("whole path, 100 rows", path, keywords=len(service.indexes.keywords), cpu_ms=worked))
    rows.append(bench_row("whole path with explain", explained))
    rows += _baseline(service.indexes, requests[:BASELINE_REQUESTS])
    return rows


def sample_requests(indexes: Indexes, count: int, seed: int) -> list[Request]:
    """Requests as users would send them: keywords drawn by their searches, safe ones only."""
    searches = np.where(indexes.unsafe_severity == 0, indexes.stats.own_searches, 0).astype(np.float64)
    drawn = np.random.default_rng(seed).choice(len(searches), count, p=searches / searches.sum())
    return [Request(seeds=(indexes.keywords[keyword_id],), limit=ROWS) for keyword_id in drawn.tolist()]


def _build(work: Path, size: str, seed: int) -> list[dict[str, Any]]:
    steps = {
        "simulate": ["simulate", "--size", size, "--seed", str(seed), "--out", str(work)],
        "ingest": ["ingest", "parquet", str(work / "raw"), "--out", str(work / "logs")],
        "mine": ["mine", "--logs", str(work / "logs"), "--out", str(work / "mined")],
        "build": ["build", "--mined", str(work / "mined"), "--store", str(work / "store")],
    }
    outputs = {"simulate": "raw", "ingest": "logs", "mine": "mined", "build": "store"}
    rows = []
    for name, arguments in steps.items():
        say(f"▸ {name} …")
        started = time.monotonic()
        process = subprocess.Popen([sys.executable, sys.argv[0], *arguments], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise KRError(f"{name} failed with exit code {process.returncode}.", "Run it alone to see why.")
        size_on_disk = sum(path.stat().st_size for path in (work / outputs[name]).rglob("*") if path.is_file())
        row = bench_row(name)
        row |= {"build_s": time.monotonic() - started, "bytes": size_on_disk, "rss_mb": usage.ru_maxrss / 1024}
        rows.append(row)
    total = bench_row("ingest + mine + build")
    total["build_s"] = sum(row["build_s"] for row in rows[1:])
    total["rss_mb"] = max(row["rss_mb"] for row in rows[1:])
    return [*rows, total]


def _baseline(indexes: Indexes, requests: Sequence[Request]) -> list[dict[str, Any]]:
    """rank-bm25 over the same keywords and queries: retrieval alone, and whether our scores agree with it."""
    try:
        from rank_bm25 import BM25Okapi
    except ImportError:
        say("  rank-bm25 is not installed (pip install -e '.[bench]'): no baseline")
        return []
    peer = BM25Okapi([tokens(keyword) for keyword in indexes.keywords])
    queries = [tokens(request.seeds[0]) for request in requests]
    peer_ms = timed(lambda: (peer.get_scores(query) for query in queries))
    ours_ms = timed(lambda: (indexes.postings.top(indexes.token_ids(query), 1000) for query in queries))
    agrees = True
    for query in queries:
        found, scores = indexes.postings.scores(indexes.token_ids(query))
        agrees &= bool(np.allclose(peer.get_scores(query)[found], scores, rtol=1e-9))
    ours = bench_row("BM25 top 1,000, KR", ours_ms)
    theirs = bench_row("BM25 scores, rank-bm25", peer_ms)
    ours["agrees"] = agrees
    ours["ratio"] = float(np.mean(peer_ms) / np.mean(ours_ms))
    theirs["ratio"] = 1.0
    return [ours, theirs]
