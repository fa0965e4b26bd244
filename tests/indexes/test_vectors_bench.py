"""The vectors bench: the same vectors every time, a row for every system installed, wrong answers recognised."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from indexes import vectors_bench
from indexes.arrays import Array
from indexes.bench_corpus import make_corpus
from indexes.bench_table import COLUMNS, table
from indexes.commands import bench_vectors
from indexes.errors import UsageError
from indexes.term_vectors import SCALE
from indexes.vectors_peers import PEERS, BruteForce


@pytest.fixture(scope="module")
def codes() -> Array:
    return vectors_bench.bench_codes(make_corpus(2000))


@pytest.fixture(scope="module")
def queries() -> Array:
    return vectors_bench.bench_queries(30)


def test_the_vectors_are_the_same_every_time_and_of_unit_length(codes: Array) -> None:
    assert np.array_equal(codes, vectors_bench.bench_codes(make_corpus(2000)))
    assert np.abs(np.linalg.norm(codes.astype(float), axis=1) - SCALE).max() < 3


@pytest.mark.parametrize("peer", [peer for peer in PEERS if peer.is_installed()], ids=lambda peer: peer.name)
@pytest.mark.filterwarnings("ignore")
def test_each_installed_peer_finds_the_nearest(peer: Any, codes: Array, queries: Array, tmp_path: Path) -> None:
    peer.build(codes, tmp_path)
    nearest = peer(codes, tmp_path).nearest
    bars = vectors_bench._hundredth_products(codes, queries)
    measured = vectors_bench._quality(nearest, codes, queries, bars)
    assert measured["agrees"]
    assert measured["recall_at_100"] > 0.9

    def of_another_query(code: Array, k: int) -> tuple[Array, Array]:
        return nearest(-code, k)

    wrong = vectors_bench._quality(of_another_query, codes, queries, bars)
    assert not wrong["agrees"]
    assert wrong["recall_at_100"] < 0.1


def test_the_bar_is_the_product_of_the_hundredth_nearest(codes: Array, queries: Array) -> None:
    products = np.sort(queries.astype(int) @ codes.astype(int).T, axis=1)
    assert vectors_bench._hundredth_products(codes, queries).tolist() == products[:, -100].tolist()
    assert vectors_bench._hundredth_products(codes[:7], queries).tolist() == [
        min(int(query @ code) for code in codes[:7].astype(int)) for query in queries.astype(int)
    ]


def test_the_bench_prints_a_row_for_every_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors_bench, "QUERIES", 30)
    monkeypatch.setattr(vectors_bench, "PEERS", (BruteForce,))
    rows = vectors_bench.run_vectors_bench(2000, tmp_path)
    assert [row["system"] for row in rows] == ["KR", "numpy, exact"]
    assert all(set(COLUMNS) <= set(row) and row["agrees"] for row in rows)
    assert rows[0]["recall_at_100"] == 1
    assert rows[0]["ratio"] == 1
    assert "recall_at_100" in table(rows)
    monkeypatch.setattr(BruteForce, "most_keywords", 10)
    assert [row["system"] for row in vectors_bench.run_vectors_bench(1000, tmp_path / "again")] == ["KR"]


def test_a_work_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    result = CliRunner().invoke(bench_vectors, ["--work", str(tmp_path)])
    assert isinstance(result.exception, UsageError)
