"""The bench of neighbours: the same pairs every time, every system's right answers recognised, wrong ones too."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from indexes import neighbors_bench, neighbors_corpus
from indexes.arrays import Array
from indexes.bench_table import COLUMNS as ROW_KEYS
from indexes.commands import bench_neighbors
from indexes.errors import UsageError
from indexes.neighbors import NeighborList
from indexes.neighbors_corpus import COLUMNS, PairCorpus
from indexes.neighbors_peers import PEERS, Packed, PackedWithoutCompiler, UncompressedColumns

KEYWORDS = 4000


def test_pairs_are_the_same_every_time_sorted_and_skewed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbors_corpus, "CHUNK", 1000)
    corpus = PairCorpus(KEYWORDS)
    pairs_of = {}
    for miner in COLUMNS:
        chunks = list(corpus.chunks(miner))
        assert len(chunks) == 4
        keys = np.concatenate([chunk.keyword * KEYWORDS + chunk.neighbor for chunk in chunks])
        assert (np.diff(keys) > 0).all()
        assert np.array_equal(chunks[1].strength, corpus.pairs(miner, 1000).strength)
        degrees = np.bincount(keys // KEYWORDS, minlength=KEYWORDS)
        assert degrees.max() > 20 * degrees.mean() > 0
        pairs_of[miner] = dict(zip(keys.tolist(), np.concatenate([c.evidence["users"] for c in chunks]), strict=True))
    # Rules are session pairs, and tell of the same people.
    assert pairs_of["association_rules"].items() <= pairs_of["cooccurrence"].items()


def test_the_bench_has_rows_for_every_system_and_all_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbors_bench, "REQUESTS", 30)
    monkeypatch.setattr(neighbors_bench, "MOST", 20)
    monkeypatch.setattr(neighbors_bench, "CHECKED", 5)
    rows = neighbors_bench.run_neighbors_bench(KEYWORDS, tmp_path)
    names = [Packed.name, *(peer.name for peer in PEERS), PackedWithoutCompiler.name]
    systems = [row["system"] for row in rows]
    assert systems[: len(names)] == [f"{name}, 1 anchor" for name in names]
    assert systems[len(names) : 2 * len(names)] == [f"{name}, 20 anchors" for name in names]
    assert all(set(ROW_KEYS) <= set(row) for row in rows)
    assert all(row["agrees"] for row in rows[: 2 * len(names)])
    assert rows[0]["ratio"] == 1 and rows[0]["build_s"] > 0 and rows[0]["bytes_per_pair"] < rows[1]["bytes_per_pair"]


def test_wrong_answers_do_not_agree(tmp_path: Path) -> None:
    for system in (Packed, UncompressedColumns):
        (tmp_path / system.name).mkdir()
        system.build(KEYWORDS, tmp_path / system.name)
    packed, exact = Packed(tmp_path / Packed.name), UncompressedColumns(tmp_path / UncompressedColumns.name)
    request = PairCorpus(KEYWORDS).popular(np.random.default_rng(0), 20)
    assert neighbors_bench._agrees(packed, exact, request)
    right = packed.neighbors.of

    def shifted(keyword_ids: Array, most: int) -> dict[str, NeighborList]:
        return {
            miner: replace(found, strength=np.roll(found.strength, 1))
            for miner, found in right(keyword_ids, most).items()
        }

    packed.neighbors.of = shifted  # type: ignore[method-assign]
    assert not neighbors_bench._agrees(packed, exact, request)


def test_a_work_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    result = CliRunner().invoke(bench_neighbors, ["--work", str(tmp_path)])
    assert isinstance(result.exception, UsageError)
