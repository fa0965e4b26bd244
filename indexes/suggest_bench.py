"""How fast the k best keywords for a prefix are found, beside the installed peers, in one run."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array, ArrayFolder
from indexes.bench_corpus import Corpus, make_corpus
from indexes.bench_process import build_in_own_process
from indexes.bench_table import bench_row
from indexes.prefixes import Prefixes
from indexes.prefixes_match import exact_match, near_match
from indexes.prefixes_query import Query
from indexes.prefixes_write import write_prefixes_of_words
from indexes.suggest_peers import SUGGEST_PEERS, SuggestPeer
from indexes.suggest_queries import KINDS
from indexes.terminal import progress, say, step
from indexes.text.readings import folded

K = 10
QUERIES = 1000
"""Of each kind."""
ROUNDS = 3
WARM_UP = 50
CHECKED = 5
"""Queries of each kind that are checked against reading keywords."""
CHECKED_KEYWORDS = 20_000
"""So many of the most searched keywords, and as many random ones, are read for it."""
CHECKED_AGAINST_PEERS = 200
OURS = "KR"
MOST_SEARCHES = 10**9


def weights_of(keywords: int) -> Array:
    """Searches of each keyword, int64: by Zipf's law, in no order."""
    return MOST_SEARCHES // np.random.default_rng(2).permutation(np.arange(1, keywords + 1))


def run_suggest_bench(keywords: int, folder: Path) -> list[dict[str, Any]]:
    """Build every system in `folder`, ask all of them each query in turn, and check the answers.

    A row a system and kind of query. `build_s` and `rss_mb` (peak) are of building in a process of its own, from
    keywords already split into words; `bytes` on disk; latencies of the 10 best; `ratio` and `p99_ratio`, how many
    times KR's mean and p99 of the same kind it takes. KR's rows of kind typo, and the last, count the search for
    typos; the others don't. `agrees`: a peer gives what KR gives; KR gives what reading keywords one by one does.
    """
    peers = [peer for peer in SUGGEST_PEERS if peer.takes_part(keywords)]
    built = {name: build_in_own_process(_build, name, keywords, folder) for name in (OURS, *(p.name for p in peers))}
    with step(f"draw {keywords:,} keywords and their queries"):
        weights = weights_of(keywords)
        prefixes = Prefixes(ArrayFolder(folder / OURS), np.arange(keywords, dtype=np.int32))
        queries = {kind: _queries(kind, prefixes) for kind in KINDS}
    tops: dict[str, Callable[[str], Any]] = {OURS: lambda text: prefixes.ids[prefixes.exact(Query.of(text), K)]}
    for peer in peers:
        tops[peer.name] = _asked(peer(weights, folder / peer.name))
    with_typos: Callable[[str], Any] = lambda text: prefixes.top(Query.of(text), K).ids  # noqa: E731

    rows = []
    most = {OURS: QUERIES} | {peer.name: peer.most_queries for peer in peers}
    for kind, texts in queries.items():
        say(f"  {kind}: {', '.join(texts[:8])}")
        systems = tops if kind == "string" else {OURS: with_typos if kind == "typo" else tops[OURS]}
        times = _interleaved(systems, most, texts)
        ours = bench_row("", times[OURS])
        for name, milliseconds in times.items():
            row = bench_row(f"{name} {kind}", milliseconds, **_building(built[name] if kind == "string" else {}))
            row["ratio"] = row["mean_ms"] / ours["mean_ms"]
            row["p99_ratio"] = row["p99_ms"] / ours["p99_ms"]
            rows.append(row)
        with step(f"check {kind}"):
            rows[-len(times)]["agrees"] = all(_is_right(prefixes, text) for text in texts[:CHECKED])
            for place, peer in enumerate(peers if kind == "string" else [], 1 - len(times)):
                rows[place]["agrees"] = _agrees(peer, tops[peer.name], tops[OURS], weights, texts)
    together = [text for group in zip(*queries.values(), strict=True) for text in group][:QUERIES]
    rows.append(bench_row("KR any, typos too", _interleaved({OURS: with_typos}, most, together)[OURS]))
    return rows


def _building(row: dict[str, Any]) -> dict[str, Any]:
    """What of a row tells of building; it stands in the first row of a system."""
    return {name: row[name] for name in ("build_s", "bytes", "rss_mb") if name in row}


def _asked(peer: SuggestPeer) -> Callable[[str], list[int]]:
    return lambda text: peer.top(text, K)


def _build(name: str, keywords: int, target: Path) -> Callable[[], Any]:
    corpus = make_corpus(keywords)
    words = [folded(word) for word in corpus.words.texts]
    weights = weights_of(keywords)
    if name == OURS:
        ids = np.arange(keywords, dtype=np.int32)
        shown = np.ones(keywords, bool)
        return lambda: write_prefixes_of_words(target, words, corpus.offsets, corpus.tokens, weights, ids, shown)
    peer = next(peer for peer in SUGGEST_PEERS if peer.name == name)
    return lambda: peer.build(_texts(corpus, words), weights, target)


def _texts(corpus: Corpus, words: list[str]) -> Iterator[str]:
    """The keywords as they are matched."""
    return ("".join([words[word] for word in row]) for row in corpus.rows())


def _queries(kind: str, prefixes: Prefixes) -> list[str]:
    """Queries of a kind, cut from keywords drawn by their searches."""
    generator = np.random.default_rng(3)
    texts: list[str] = []
    while len(texts) < QUERIES:
        # By Zipf's law: the logarithm of the rank is drawn evenly.
        rank = int(np.exp(generator.random() * np.log(len(prefixes)))) - 1
        text = KINDS[kind](prefixes.characters(rank), generator)
        if text:
            texts.append(text)
    return texts


def _interleaved(systems: dict[str, Callable[[str], Any]], most: dict[str, int], texts: list[str]) -> dict[str, Array]:
    """Milliseconds of each query, the systems taking turns so that all meet the same state of the machine.

    All queries are asked three times over, and the median counts: an answer takes less than the turn that the machine
    may give to another process meanwhile.
    """
    times = {name: np.zeros((ROUNDS, min(len(texts), most[name]))) for name in systems}
    for name, top in systems.items():
        for text in texts[-min(WARM_UP, most[name]) :]:
            top(text)
    names = list(systems)
    with progress("queries", ROUNDS * len(texts)) as advance:
        for asked in range(ROUNDS):
            for number, text in enumerate(texts):
                for turn in range(len(names)):
                    name = names[(number + turn) % len(names)]
                    if number < most[name]:
                        started = time.perf_counter()
                        systems[name](text)
                        times[name][asked, number] = (time.perf_counter() - started) * 1000
                advance(1)
    return {name: np.median(milliseconds, axis=0) for name, milliseconds in times.items()}


def _is_right(prefixes: Prefixes, text: str) -> bool:
    """Whether what is found matches, and nothing better is left out of the keywords that are read one by one."""
    query = Query.of(text)
    matches = prefixes.top(query, K)
    generator = np.random.default_rng(4)
    read = np.concatenate(
        [
            np.arange(min(CHECKED_KEYWORDS, len(prefixes))),
            generator.integers(0, len(prefixes), CHECKED_KEYWORDS),
            matches.ranks,
        ]
    )
    exact, near = [], []
    for rank in np.unique(read).tolist():
        characters = prefixes.characters(rank)
        if exact_match(query, characters):
            exact.append(rank)
        elif near_match(query, characters):
            near.append(rank)
    # All ranks found are among those read, so they must be the first of them.
    return (exact + near)[: len(matches.ranks)] == matches.ranks.tolist() and len(exact[:K]) == matches.exact


def _agrees(
    peer: type[SuggestPeer], top: Callable[[str], Any], ours: Callable[[str], Any], weights: Array, texts: list[str]
) -> bool:
    """Whether a peer finds the same keywords, or, if it breaks ties at will, keywords of the same weights."""
    for text in texts[: min(CHECKED_AGAINST_PEERS, peer.most_queries)]:
        found, expected = np.asarray(top(text), np.int64), np.asarray(ours(text), np.int64)
        if not np.array_equal(weights[found], weights[expected]):
            return False
        if peer.breaks_ties_by_id and not np.array_equal(found, expected):
            return False
    return True
