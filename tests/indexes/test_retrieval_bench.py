"""The retrieval bench: the same corpus every time, right answers recognised, wrong ones too, absent peers left out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from indexes import retrieval_bench, start_bench
from indexes.arrays import ArrayFolder
from indexes.bench_corpus import KEYWORD_LENGTHS, QUERY_LENGTHS, make_corpus, make_queries
from indexes.bench_table import COLUMNS, bench_row, table
from indexes.commands import bench_retrieval
from indexes.errors import UsageError
from indexes.postings import Postings, write_postings
from indexes.retrieval_peers import PEERS, RankBm25


def test_the_corpus_is_the_same_every_time_and_skewed() -> None:
    corpus, again = make_corpus(2000), make_corpus(2000)
    assert np.array_equal(corpus.tokens, again.tokens)
    assert np.array_equal(corpus.offsets, again.offsets)
    lengths = np.diff(corpus.offsets)
    assert (lengths.min(), lengths.max()) == KEYWORD_LENGTHS
    assert np.bincount(corpus.tokens).max() > 100
    words = corpus.words.texts
    assert len(set(words)) == len(words) == len(corpus.words.cumulative)
    assert all(word.isalnum() and word == word.casefold() for word in words)
    assert [len(row) for row in corpus.texts()] == lengths.tolist()


def test_queries_hold_each_word_once() -> None:
    queries = make_queries(make_corpus(1000).words, 200)
    assert {len(query) for query in queries} <= set(range(QUERY_LENGTHS[0], QUERY_LENGTHS[1] + 1))
    assert all(len(set(query)) == len(query) for query in queries)


@pytest.mark.parametrize("peer", [peer for peer in PEERS if peer.is_installed()], ids=lambda peer: peer.name)
@pytest.mark.filterwarnings("ignore")
def test_each_installed_peer_answers_by_its_own_variant_of_bm25(peer: Any, tmp_path: Path) -> None:
    corpus = make_corpus(3000)
    write_postings(tmp_path / "KR", len(corpus.words.texts), corpus.offsets, corpus.tokens)
    postings = Postings(ArrayFolder(tmp_path / "KR"))
    (tmp_path / "peer").mkdir()
    peer.build(corpus, tmp_path / "peer")
    top = peer(corpus, tmp_path / "peer").top
    queries = [query for query in make_queries(corpus.words, 60) if len(postings.scores(query)[0])]
    assert retrieval_bench._agrees(peer, top, postings, queries)

    def without_the_best(query: list[int], k: int) -> tuple[Sequence[int], Sequence[float]]:
        ids, scores = top(query, k + 1)
        return ids[1:], scores[1:]

    assert not retrieval_bench._agrees(peer, without_the_best, postings, queries)


def test_the_bench_prints_a_row_for_every_system_that_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrieval_bench, "QUERIES", 30)
    monkeypatch.setattr(retrieval_bench, "PEERS", (RankBm25,))
    rows = retrieval_bench.run_retrieval_bench(2000, tmp_path)
    filtered = ["KR, a filter passes 1 in 2", "KR, a filter passes 1 in 100", "KR, a filter passes 1 in 10,000"]
    assert [row["system"] for row in rows] == ["KR", "rank-bm25", *filtered, "KR, 2 threads"]
    assert all(set(COLUMNS) <= set(row) for row in rows)
    assert all(row["agrees"] for row in rows[:-1])
    assert rows[-1]["queries_per_second"] > 0
    assert rows[0]["ratio"] == 1
    assert rows[0]["build_s"] > 0
    monkeypatch.setattr(RankBm25, "package", "no_such_package")
    systems = [row["system"] for row in retrieval_bench.run_retrieval_bench(1000, tmp_path / "again")]
    assert systems == ["KR", *filtered, "KR, 2 threads"]


def test_a_fresh_process_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_bench, "STARTS", 2)
    rows = start_bench.run_start_bench(2000, tmp_path)
    assert [row["system"] for row in rows] == ["KR, first answer", "numpy, imported"]
    assert all(row["mean_ms"] > 0 for row in rows)


def test_a_work_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    result = CliRunner().invoke(bench_retrieval, ["--work", str(tmp_path)])
    assert isinstance(result.exception, UsageError)


def test_the_table_has_a_line_for_every_row() -> None:
    text = table([bench_row("KR", np.array([1.0, 3.0]), bytes=12_345, agrees=True)])
    header, line = text.splitlines()
    assert header.split() == list(COLUMNS)
    assert line.split() == ["KR", "12,345", "2.00", "2.00", "2.90", "2.98", "True"]
