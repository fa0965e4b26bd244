"""How fast neighbours are read, and in how few bytes they are kept, beside other ways, in one run."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array
from indexes.bench_process import build_in_own_process
from indexes.bench_table import bench_row
from indexes.neighbors_corpus import COLUMNS, PairCorpus
from indexes.neighbors_peers import PEERS, NeighborSystem, Packed, PackedWithoutCompiler, UncompressedColumns
from indexes.terminal import progress

REQUESTS = 1000
SLOW_REQUESTS = 50
"""Of SQLite's at 20 anchors: it takes a hundred times as long."""
WARM_UP = 20
CHECKED = 50
ANCHORS = (1, 20)
MOST = 2000
"""What keyword search asks for: the setting candidates_per_source."""
SHOWN_ROWS = 100
TOLERANCE = 1.0 / 65535

Call = Callable[[], Any]


def run_neighbors_bench(keywords: int, folder: Path) -> list[dict[str, Any]]:
    """Build every system in `folder`, ask all of them each request in turn, and check the answers.

    A row a system and number of anchors, and a row for reading the evidence of 100 rows of each miner: `build_s` and
    `rss_mb` (peak) of building in a process of its own (drawing the pairs included); `bytes` on disk and
    `bytes_per_pair`, a pair counted once for each miner that has it; latencies; `ratio` to KR's mean.
    """
    chosen: list[type[NeighborSystem]] = [Packed, *(peer for peer in PEERS if peer.takes_part(keywords))]
    built = {system.name: build_in_own_process(_build, system.name, keywords, folder) for system in chosen}
    systems = {system.name: system(folder / system.name) for system in chosen}
    exact = systems[UncompressedColumns.name]
    assert isinstance(exact, UncompressedColumns)
    for row in built.values():
        row["bytes_per_pair"] = row["bytes"] / max(sum(exact.row_counts().values()), 1)
    systems[PackedWithoutCompiler.name] = PackedWithoutCompiler(folder / Packed.name)
    corpus = PairCorpus(keywords)
    rows = []
    for anchors in ANCHORS:
        generator = np.random.default_rng(anchors)
        requests = [corpus.popular(generator, anchors) for _ in range(REQUESTS)]
        agrees = {name: all(_agrees(system, exact, request) for request in requests[:CHECKED])
                  for name, system in systems.items()}  # fmt: skip
        calls = {
            name: [_asking(system, request) for request in _share(name, requests, anchors)]
            for name, system in systems.items()
        }
        times = _interleaved(calls)
        for name, milliseconds in times.items():
            row = bench_row(f"{name}, {anchors} anchor{'s' if anchors > 1 else ''}", milliseconds)
            rows.append(row | built.get(name, {}) | {"agrees": agrees[name], "anchors": anchors})
            rows[-1]["ratio"] = float(milliseconds.mean() / times[Packed.name].mean())
    for system in systems.values():
        if hasattr(system, "close"):
            system.close()
    return rows + _evidence_rows(systems, exact)


def _build(name: str, keywords: int, target: Path) -> Callable[[], Any]:
    systems: tuple[type[NeighborSystem], ...] = (Packed, *PEERS)
    system = next(system for system in systems if system.name == name)
    return lambda: system.build(keywords, target)


def _share(name: str, requests: list[Array], anchors: int) -> list[Array]:
    return requests[:SLOW_REQUESTS] if name == "SQLite" and anchors > 1 else requests


def _asking(system: NeighborSystem, request: Array) -> Call:
    return lambda: system.of(request, MOST)


def _interleaved(calls: dict[str, list[Call]]) -> dict[str, Array]:
    """Milliseconds of each call, the systems taking turns so that all meet the same state of the machine."""
    for own in calls.values():
        for call in own[:WARM_UP]:
            call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    longest = max(len(own) for own in calls.values())
    with progress("requests", longest) as advance:
        for number in range(longest):
            for turn in range(len(names)):
                name = names[(number + turn) % len(names)]
                if number < len(calls[name]):
                    started = time.perf_counter()
                    calls[name][number]()
                    times[name].append((time.perf_counter() - started) * 1000)
            advance(1)
    return {name: np.array(milliseconds) for name, milliseconds in times.items()}


def _agrees(system: NeighborSystem, exact: UncompressedColumns, request: Array) -> bool:
    """Whether a system's answer is the uncompressed one's: the same pairs, strengths but for the 16 bits.

    Where more than MOST are known the strengths at the cut may tie by 16 bits, so there only strengths are compared.
    KR's evidence must be the same too.
    """
    lists, expected = system.of(request, MOST), exact.of(request, MOST)
    for miner, wanted in expected.items():
        found = lists[miner]
        for position, keyword_id in enumerate(request.tolist()):
            own, other = (_of_position(entries, position) for entries in (found, wanted))
            if len(own[0]) != len(other[0]):
                return False
            if len(own[0]) == MOST:
                strengths = (np.sort(own[1]), np.sort(other[1]))
            elif (own[0] != other[0]).any():
                return False
            else:
                strengths = (own[1], other[1])
            if not np.allclose(*strengths, rtol=0, atol=TOLERANCE):
                return False
            if isinstance(system, Packed) and not _same_evidence(system, exact, miner, keyword_id):
                return False
    return True


def _of_position(entries: tuple[Array, Array, Array], position: int) -> tuple[Array, Array]:
    """Neighbours, ascending, and their strengths, of one of the keywords asked for."""
    own = np.flatnonzero(entries[0] == position)
    order = own[np.argsort(entries[1][own])]
    return entries[1][order], entries[2][order]


def _same_evidence(system: Packed, exact: UncompressedColumns, miner: str, keyword_id: int) -> bool:
    rows = system.neighbors.of(np.array([keyword_id]), 2**31)[miner].row
    found, wanted = system.neighbors.evidence(miner, rows), exact.evidence_of(miner, keyword_id)
    return all(
        np.allclose(found[column.name], wanted[column.name], rtol=1e-6, atol=0.51 * 10.0**-column.decimals)
        if column.decimals
        else np.array_equal(found[column.name], wanted[column.name])
        for column in COLUMNS[miner]
    )


def _evidence_rows(systems: dict[str, NeighborSystem], exact: UncompressedColumns) -> list[dict[str, Any]]:
    packed = systems[Packed.name]
    assert isinstance(packed, Packed)
    generator = np.random.default_rng(0)
    counts = exact.row_counts()
    wanted = [
        {miner: generator.integers(0, count, SHOWN_ROWS) for miner, count in counts.items()} for _ in range(REQUESTS)
    ]

    def reading(read: Callable[[str, Array], Any], rows: dict[str, Array]) -> Call:
        return lambda: [read(miner, own) for miner, own in rows.items()]

    times = _interleaved(
        {
            Packed.name: [reading(packed.neighbors.evidence, rows) for rows in wanted],
            exact.name: [reading(exact.evidence, rows) for rows in wanted],
        }
    )
    return [
        bench_row(f"{name}, evidence of {SHOWN_ROWS} rows a miner", milliseconds)
        | {"ratio": float(milliseconds.mean() / times[Packed.name].mean())}
        for name, milliseconds in times.items()
    ]
