"""The compiled kernels give what scoring every keyword gives: the same ids, the same bits of every score."""

import subprocess
import sys
from bisect import bisect_left
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes import compiled, postings_kernels, postings_write
from indexes.arrays import Array, ArrayFolder, offsets_from_counts
from indexes.bm25 import impact, length_norm
from indexes.postings import Postings, write_postings

TOKENS = 9
CORPUS = st.lists(st.lists(st.integers(0, TOKENS - 1), max_size=20), max_size=40)
ONE_TOKEN_KEYWORDS = st.lists(st.lists(st.integers(0, TOKENS - 1), min_size=1, max_size=1), min_size=1, max_size=40)
QUERY = st.lists(st.integers(0, TOKENS - 1), max_size=12)


def write(folder: Path, corpus: list[list[int]]) -> Postings:
    offsets = offsets_from_counts(np.array([len(row) for row in corpus], np.int64))
    write_postings(folder, TOKENS, offsets, np.array([token for row in corpus for token in row], np.int32), 0)
    return Postings(ArrayFolder(folder))


def assert_top_is_exact(postings: Postings, query: list[int], k: int) -> None:
    ids, scores = postings.top(query, k)
    expected_ids, expected_scores = postings.top_of_all_scores(query, k)
    assert ids.tolist() == expected_ids.tolist()
    assert scores.tolist() == expected_scores.tolist()


@settings(deadline=None, max_examples=300)
@given(st.one_of(CORPUS, ONE_TOKEN_KEYWORDS), QUERY, st.integers(0, 60))
def test_any_query_on_any_corpus_has_the_ids_and_scores_of_the_reference(
    tmp_path_factory: pytest.TempPathFactory, corpus: list[list[int]], query: list[int], k: int
) -> None:
    postings = write(tmp_path_factory.mktemp("postings"), corpus)
    assert_top_is_exact(postings, query, k)


def test_many_blocks_skewed_lists_and_bitmaps_change_nothing(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    counts = generator.integers(0, 8, 400_000)
    offsets = offsets_from_counts(counts)
    tokens = (5_000 * generator.random(int(offsets[-1])) ** 6).astype(np.int32)
    write_postings(tmp_path, 5_000, offsets, tokens)
    postings = Postings(ArrayFolder(tmp_path))
    assert 0 < len(np.load(tmp_path / "postings/by_length/bitmap_terms.npy")) <= postings_write.BITMAPS
    for length in (1, 2, 3, 4, 6, 7, 12):
        for k in (1, 1000, 500_000):
            assert_top_is_exact(postings, (5_000 * generator.random(length) ** 4).astype(int).tolist(), k)
    assert_top_is_exact(postings, [0, 4_000, 0, 4_000, 1], 1000)


def test_ties_are_cut_by_id(tmp_path: Path) -> None:
    postings = write(tmp_path, [[0, 1], [2, 0], [1, 0], [0, 2], [3, 3, 3], [3, 4]])
    assert postings.top([0], 3)[0].tolist() == [0, 1, 2]
    # Tokens 1 and 2 are equally common, so that four keywords of two classes tie.
    assert postings.top([1, 2], 3)[0].tolist() == [0, 1, 2]


def test_an_index_without_keywords_or_without_tokens_finds_nothing(tmp_path: Path) -> None:
    for name, corpus in {"none": [], "empty": [[], []]}.items():
        postings = write(tmp_path / name, corpus)
        assert [len(part) for part in postings.top([0, 1], 5)] == [0, 0]


def test_the_bytes_do_not_depend_on_how_much_is_sorted_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = [[row % 3, row % 7, (row * row) % 9, 8][: row % 5] for row in range(200)]
    write(tmp_path / "whole", corpus)
    monkeypatch.setattr(postings_write, "RANGE", 7)
    write(tmp_path / "ranges", corpus)
    files = sorted(path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole").rglob("*.*"))
    assert len(files) == 13
    for file in files:
        assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "ranges" / file).read_bytes()


def test_opening_a_small_index_does_not_load_the_compiler(tmp_path: Path) -> None:
    write_postings(tmp_path, 2, np.array([0, 2, 3, 4]), np.array([0, 1, 0, 1], np.int32))
    program = (
        "import sys; from pathlib import Path\n"
        "from indexes.arrays import ArrayFolder; from indexes.postings import Postings\n"
        f"print(Postings(ArrayFolder(Path({str(tmp_path)!r}))).top([0], 5)[0].tolist(), 'numba' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert printed == "[0, 1] False\n"


def test_kernels_are_kept_in_the_temporary_directory_where_nothing_else_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(compiled.config, "CACHE_DIR", "")
    compiled.use_a_writable_cache()
    assert compiled.config.CACHE_DIR == ""
    monkeypatch.setattr(compiled, "_is_cacheable", lambda: False)
    compiled.use_a_writable_cache()
    folder = Path(compiled.config.CACHE_DIR)
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o777 == 0o700


# Plain-Python twins of the kernels.


@given(st.lists(st.integers(0, 60), unique=True).map(sorted), st.integers(0, 10), st.integers(0, 61))
def test_galloping_equals_bisection(documents: list[int], begin: int, wanted: int) -> None:
    begin = min(begin, len(documents))
    found = postings_kernels.first_at_least(np.array(documents, np.int32), begin, len(documents), wanted)
    assert found == bisect_left(documents, wanted, begin)


LISTS = st.lists(st.dictionaries(st.integers(0, 20_000), st.integers(1, 4), max_size=30), min_size=1, max_size=5)


@settings(deadline=None)
@given(LISTS, st.floats(0, 3))
def test_scored_equals_a_dictionary_of_sums(lists: list[dict[int, int]], floor: float) -> None:
    lengths = 1 + np.arange(20_001, dtype=np.uint16) % 9
    idfs = np.arange(1.0, len(lists) + 1)
    expected: dict[int, float] = {}
    for idf, postings in zip(idfs.tolist(), lists, strict=True):
        for document, frequency in postings.items():
            score = idf * impact(float(frequency), length_norm(lengths[document], 4.0))
            expected[document] = expected.get(document, 0.0) + float(score)
    documents, begins, ends, frequencies = _concatenated(lists)
    found, scores = postings_kernels.scored(documents, begins, ends, idfs, frequencies, begins, lengths, 0, 4.0, floor)
    assert dict(zip(found.tolist(), scores.tolist(), strict=True)) == {
        document: score for document, score in expected.items() if score >= floor
    }


def _concatenated(lists: list[dict[int, int]]) -> tuple[Array, Array, Array, Array]:
    offsets = offsets_from_counts(np.array([len(postings) for postings in lists]))
    documents = np.array([document for postings in lists for document in sorted(postings)], np.int32)
    frequencies = np.array([postings[document] for postings in lists for document in sorted(postings)], np.uint8)
    return documents, offsets[:-1], offsets[1:], frequencies


RANKING = st.lists(st.tuples(st.sampled_from([0.5, 1.0, 2.0]), st.integers(0, 99)), max_size=12)


@settings(deadline=None)
@given(RANKING, RANKING, st.integers(0, 30))
def test_merged_equals_sorting_both(first: list[tuple[float, int]], second: list[tuple[float, int]], k: int) -> None:
    rankings = [sorted(ranking, key=lambda row: (-row[0], row[1])) for ranking in (first, second)]
    columns = [
        column
        for ranking in rankings
        for column in (np.array([row[1] for row in ranking], np.int32), np.array([row[0] for row in ranking]))
    ]
    ids, scores = postings_kernels.merged(*columns, k)
    expected = sorted(first + second, key=lambda row: (-row[0], row[1]))[:k]
    assert list(zip(scores.tolist(), ids.tolist(), strict=True)) == expected
