"""The compiled kernels give what scoring every keyword gives: the same ids, the same bits of every score."""

import subprocess
import sys
from bisect import bisect_left
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes import memory_kernels, postings_class_kernels, postings_write
from indexes.arrays import ArrayFolder, offsets_from_counts
from indexes.errors import CorruptError
from indexes.postings import Postings, write_postings

TOKENS = 9
CORPUS = st.lists(st.lists(st.integers(0, TOKENS - 1), max_size=20), max_size=40)
ONE_TOKEN_KEYWORDS = st.lists(st.lists(st.integers(0, TOKENS - 1), min_size=1, max_size=1), min_size=1, max_size=40)
QUERY = st.lists(st.integers(0, TOKENS - 1), max_size=12)


def write(folder: Path, corpus: list[list[int]], demand: list[int] | None = None) -> Postings:
    """The compiled postings of a small corpus; each keyword's demand is a digit, so that many are equal."""
    offsets = offsets_from_counts(np.array([len(row) for row in corpus], np.int64))
    tokens = np.array([token for row in corpus for token in row], np.int32)
    write_postings(folder, TOKENS, offsets, tokens, None if demand is None else np.array(demand, np.int64))
    return Postings(ArrayFolder(folder), kernels_from=0)


def digits(corpus: list[list[int]]) -> list[int]:
    return [(7 * row + len(words)) % 10 for row, words in enumerate(corpus)]


def assert_top_is_exact(postings: Postings, query: list[int], k: int) -> None:
    ids, scores = postings.top(query, k)
    expected_ids, expected_scores = postings.top_of_all_scores(query, k)
    assert ids.tolist() == expected_ids.tolist()
    assert scores.tolist() == expected_scores.tolist()


@settings(deadline=None, max_examples=300)
@given(st.one_of(CORPUS, ONE_TOKEN_KEYWORDS), QUERY, st.integers(0, 60), st.booleans())
def test_any_query_on_any_corpus_has_the_ids_and_scores_of_the_reference(
    tmp_path_factory: pytest.TempPathFactory, corpus: list[list[int]], query: list[int], k: int, by_demand: bool
) -> None:
    postings = write(tmp_path_factory.mktemp("postings"), corpus, digits(corpus) if by_demand else None)
    assert_top_is_exact(postings, query, k)


@settings(deadline=None, max_examples=200)
@given(CORPUS, st.lists(st.integers(0, TOKENS - 1), min_size=1, max_size=4), st.integers(0, 60), st.booleans())
def test_keywords_that_hold_all_tokens_come_by_demand(
    tmp_path_factory: pytest.TempPathFactory, corpus: list[list[int]], query: list[int], most: int, compiled: bool
) -> None:
    folder = tmp_path_factory.mktemp("postings")
    demand = digits(corpus)
    write(folder, corpus, demand)
    postings = Postings(ArrayFolder(folder), kernels_from=0 if compiled else 1000)
    by_demand = sorted(range(len(corpus)), key=lambda row: (-demand[row], row))
    expected = [row for row in by_demand if set(query) <= set(corpus[row])]
    assert postings.holding_all(query, most).tolist() == expected[:most]
    assert postings.most_searched(most)[0].tolist() == by_demand[:most]


def test_a_bounded_walk_says_whether_it_saw_everything(tmp_path: Path) -> None:
    write(tmp_path, [[0], [], [1, 2], [3]], [5, 9, 7, 1])
    for kernels_from in (0, 100):
        postings = Postings(ArrayFolder(tmp_path), kernels_from)
        assert [postings.most_searched(3, most_read=2)[0].tolist(), postings.most_searched(3, most_read=2)[1]] == [
            [1, 2],
            False,
        ]
        assert postings.most_searched(2, most_read=2)[1]
        assert postings.most_searched(9)[1]


def test_of_equal_scores_the_most_searched_come_first(tmp_path: Path) -> None:
    postings = write(tmp_path, [[0, 1], [0, 2], [0, 3], [0, 4]], [1, 5, 5, 9])
    assert postings.top([0], 3)[0].tolist() == [3, 1, 2]


def test_many_blocks_skewed_lists_and_bitmaps_change_nothing(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    counts = generator.integers(0, 8, 400_000)
    offsets = offsets_from_counts(counts)
    tokens = (5_000 * generator.random(int(offsets[-1])) ** 6).astype(np.int32)
    write_postings(tmp_path, 5_000, offsets, tokens, generator.zipf(2.0, len(counts)))
    postings = Postings(ArrayFolder(tmp_path))
    assert 0 < len(postings.bitmap_terms) <= postings_write.BITMAPS
    assert (postings.bound_rows >= 0).sum() == len(postings.bounds) == (np.diff(postings.offsets) >= 512).sum() > 100
    for length in (1, 2, 3, 4, 6, 7, 12):
        for k in (1, 1000, 500_000):
            assert_top_is_exact(postings, (5_000 * generator.random(length) ** 4).astype(int).tolist(), k)
    assert_top_is_exact(postings, [0, 4_000, 0, 4_000, 1], 1000)
    plain = Postings(ArrayFolder(tmp_path), kernels_from=10**9)
    for query in ([0], [1, 0], [30, 2, 500], [4_000, 1]):
        for most in (1, 100, 500_000):
            assert postings.holding_all(query, most).tolist() == plain.holding_all(query, most).tolist()


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


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("documents", slice(1, None)),
        ("keywords", slice(1, None)),
        ("ranks", slice(1, None)),
        ("idf", slice(1, None)),
        ("offsets", slice(None, -1)),
        ("mixed_offsets", slice(None, -1)),
        ("mixed_frequencies", slice(1, None)),
        ("mixed_lengths", slice(1, None)),
        ("bitmap_terms", slice(1, None)),
        ("bound_rows", slice(1, None)),
        ("bounds", (slice(None), slice(1, None))),
    ],
)
def test_files_that_do_not_fit_one_another_are_named_when_opened(tmp_path: Path, name: str, rows: Any) -> None:
    write(tmp_path, [[0, 1], [2, 2], [0]], [1, 2, 3])
    path = tmp_path / f"postings/{name}.npy"
    np.save(path, np.load(path)[rows])
    with pytest.raises(CorruptError, match=r"postings/.*manage\.py build"):
        Postings(ArrayFolder(tmp_path))


def test_postings_of_another_type_or_format_are_named_when_opened(tmp_path: Path) -> None:
    write(tmp_path, [[0, 1], [2, 2], [0]])
    statistics = tmp_path / "postings/statistics.json"
    whole = statistics.read_text()
    for broken in ("{}", whole.replace("[", "[9, ", 1)):
        statistics.write_text(broken)
        with pytest.raises(CorruptError, match=r"statistics\.json"):
            Postings(ArrayFolder(tmp_path))
    statistics.write_text(whole)
    np.save(tmp_path / "postings/documents.npy", np.zeros(3, np.int64))
    with pytest.raises(CorruptError, match=r"documents\.npy holds 1-dimensional int64"):
        Postings(ArrayFolder(tmp_path))


def test_a_token_that_is_none_is_refused(tmp_path: Path) -> None:
    postings = write(tmp_path, [[0, 1]])
    for token in (-1, TOKENS):
        with pytest.raises(IndexError, match=str(token)):
            postings.top([token], 1)
        with pytest.raises(IndexError, match=str(token)):
            postings.holding_all([token], 1)


def test_more_keywords_than_ids_are_refused(tmp_path: Path) -> None:
    offsets = np.lib.stride_tricks.as_strided(np.zeros(1, np.int64), (2**31 + 1,), (0,))
    with pytest.raises(ValueError, match="2,147,483,648 keywords"):
        write_postings(tmp_path, 1, offsets, np.empty(0, np.int32))


# Plain-Python twins of the kernels.


@given(st.lists(st.integers(0, 60), unique=True).map(sorted), st.integers(0, 10), st.integers(0, 61))
def test_galloping_equals_bisection(documents: list[int], begin: int, wanted: int) -> None:
    begin = min(begin, len(documents))
    found = postings_class_kernels.first_at_least(np.array(documents, np.int32), begin, len(documents), wanted)
    assert found == bisect_left(documents, wanted, begin)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.5, 1.0, 2.0]), st.integers(0, 99)), max_size=40), st.integers(0, 30))
def test_the_heap_keeps_and_orders_the_best(rows: list[tuple[float, int]], room: int) -> None:
    scores, ties = np.empty(room, np.float64), np.empty(room, np.int64)
    count = 0
    for score, tie in rows:
        count = memory_kernels.offer(scores, ties, count, score, tie)
    memory_kernels.sort_best_first(scores, ties, count)
    expected = sorted(rows, key=lambda row: (-row[0], row[1]))[:room]
    assert list(zip(scores[:count].tolist(), ties[:count].tolist(), strict=True)) == expected
