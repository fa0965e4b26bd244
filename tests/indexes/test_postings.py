"""BM25 over postings equals rank-bm25's Okapi, for every corpus and query."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi

from indexes.arrays import ArrayFolder, offsets_from_counts
from indexes.forward import Forward, write_forward
from indexes.postings import Postings, write_postings

WORDS = st.sampled_from(["鲜花", "速递", "shoe", "run", "北京", "a", "b", "😀"])
CORPUS = st.lists(st.lists(WORDS, min_size=0, max_size=6), min_size=1, max_size=25).filter(lambda rows: any(rows))


def write(folder: Path, corpus: list[list[str]], kernels_from: int = 100) -> tuple[Postings, dict[str, int]]:
    terms = sorted({word for row in corpus for word in row})
    ids = {term: position for position, term in enumerate(terms)}
    offsets = offsets_from_counts(np.array([len(row) for row in corpus]))
    flat = np.array([ids[word] for row in corpus for word in row], np.int32)
    write_postings(folder, len(terms), offsets, flat)
    write_forward(folder, offsets, flat)
    return Postings(ArrayFolder(folder), kernels_from), ids


@settings(deadline=None)
@given(CORPUS, st.lists(WORDS, min_size=1, max_size=5), st.integers(1, 30), st.sampled_from([0, 100]))
def test_scores_and_top_k_equal_rank_bm25(
    tmp_path_factory: pytest.TempPathFactory, corpus: list[list[str]], query: list[str], k: int, kernels_from: int
) -> None:
    postings, ids = write(tmp_path_factory.mktemp("postings"), corpus, kernels_from)
    expected = BM25Okapi(corpus).get_scores(query)
    token_ids = [ids[word] for word in query if word in ids]
    found, scores = postings.scores(token_ids)
    assert found.tolist() == [row for row, words in enumerate(corpus) if set(words) & set(query)]
    np.testing.assert_allclose(scores, expected[found], rtol=1e-12, atol=1e-12)
    top, top_scores = postings.top(token_ids, k)
    order = sorted(range(len(found)), key=lambda row: (-scores[row], found[row]))[:k]
    assert top.tolist() == found[order].tolist()
    assert top_scores.tolist() == scores[order].tolist()


def test_a_query_of_unknown_words_finds_nothing(tmp_path: Path) -> None:
    postings, _ = write(tmp_path, [["a"], ["b"]])
    ids, scores = postings.top([], 10)
    assert len(ids) == len(scores) == 0


def test_the_forward_index_gives_each_keywords_tokens_in_order(tmp_path: Path) -> None:
    corpus = [["b", "a", "b"], [], ["a"]]
    _, ids = write(tmp_path, corpus)
    counts, flat = Forward(ArrayFolder(tmp_path)).tokens_of(np.array([2, 0, 1]))
    assert counts.tolist() == [1, 3, 0]
    assert flat.tolist() == [ids["a"], ids["b"], ids["a"], ids["b"]]
