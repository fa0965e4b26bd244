"""Nearest vectors equal looking at every vector, whatever the lists, ties, duplicates and numbers asked for."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes import vectors_write
from indexes.arrays import Array, ArrayFolder, write_array
from indexes.errors import CorruptError
from indexes.opened import Indexes
from indexes.snapshot import open_snapshot
from indexes.term_vectors import SCALE
from indexes.vectors import LEAST_SIMILARITY, STRENGTHS, Vectors, embedding_strength
from indexes.vectors_kernels import best_rows
from indexes.vectors_write import write_vectors

DIMS = 8


def unit_vectors(count: int, seed: int, topics: int = 0, dims: int = DIMS) -> Array:
    """Random codes int8, around so many topics if any."""
    generator = np.random.default_rng(seed)
    values = generator.standard_normal((count, dims))
    if topics:
        values = generator.standard_normal((topics, dims))[generator.integers(0, topics, count)] + 0.5 * values
    return np.rint(values / np.linalg.norm(values, axis=1, keepdims=True) * SCALE).astype(np.int8)


def written(folder: Path, codes: Array, counts: Array | None = None, chunk: int = 1000) -> Vectors:
    counted = np.ones(len(codes), bool) if counts is None else counts

    def chunks() -> Iterator[tuple[Array, Array]]:
        for begin in range(0, len(codes), chunk):
            yield codes[begin : begin + chunk], counted[begin : begin + chunk]

    assert write_vectors(folder, codes.shape[1], chunks()) == counted.sum()
    return Vectors(ArrayFolder(folder))


def expected(codes: Array, wanted: Array, k: int) -> tuple[list[int], list[int]]:
    """The ids and products of the k nearest, ties by id."""
    products = codes.astype(int) @ wanted.astype(int)
    best = sorted(range(len(codes)), key=lambda row: (-products[row], row))[:k]
    return best, [int(products[row]) for row in best]


@settings(max_examples=40)
@given(
    rows=st.lists(st.lists(st.integers(-2, 2), min_size=3, max_size=3), min_size=1, max_size=80),
    wanted=st.lists(st.integers(-2, 2), min_size=3, max_size=3),
    k=st.integers(0, 100),
    several_lists=st.booleans(),
)
def test_all_lists_together_give_what_looking_at_every_vector_gives(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[int]], wanted: list[int], k: int, several_lists: bool
) -> None:
    codes, query = np.array(rows, np.int8), np.array(wanted, np.int8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors_write, "EXACT_UP_TO", 2 if several_lists else 10_000)
        vectors = written(tmp_path_factory.mktemp("vectors"), codes, chunk=7)
    ids, cosines = vectors.nearest(query, k, probes=10**9)
    best, products = expected(codes, query, k)
    assert ids.tolist() == best
    assert cosines.tolist() == np.float32(np.array(products, np.float32) / np.float32(SCALE * SCALE)).tolist()
    assert ids.dtype == np.int32
    assert cosines.dtype == np.float32


@settings(max_examples=30)
@given(st.integers(1, 3000), st.integers(1, 40), st.integers(0, 3), st.integers(0, 5))
def test_the_kernel_keeps_the_best_and_all_their_equals(count: int, k: int, spread: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    codes = generator.integers(-spread, spread + 1, (count, 4)).astype(np.int8)
    wanted = generator.integers(-3, 4, 4).astype(np.int8)
    begins, ends = np.array([count // 2, 0]), np.array([count, count // 3])
    rows, products = best_rows(codes, wanted, begins, ends, k)
    seen = np.concatenate([np.arange(begin, end) for begin, end in zip(begins, ends, strict=True)])
    own = codes[seen].astype(int) @ wanted.astype(int)
    bar = np.sort(own)[::-1][min(k, len(own)) - 1] if len(own) else 0
    assert sorted(rows.tolist()) == sorted(seen[own >= bar].tolist())
    assert products.tolist() == (codes[rows].astype(int) @ wanted.astype(int)).tolist()


def test_the_recall_at_100_is_at_least_95_percent(tmp_path: Path) -> None:
    codes = unit_vectors(30_000, 3, topics=200, dims=32)
    vectors = written(tmp_path, codes)
    found = 0
    for query in codes[::1000]:
        nearest, _ = vectors.nearest(query, 100)
        every, _ = vectors.nearest(query, 100, probes=10**9)
        found += len(set(nearest.tolist()) & set(every.tolist()))
    assert found >= 0.95 * 100 * 30
    assert vectors.probes < len(ArrayFolder(tmp_path).array("vectors/centroids.npy"))


def test_the_same_vectors_give_the_same_bytes_however_they_come(tmp_path: Path) -> None:
    codes = unit_vectors(12_000, 1)

    def digest(folder: Path, chunk: int) -> dict[str, str]:
        written(folder, codes, chunk=chunk)
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "vectors").iterdir()}

    first = digest(tmp_path / "one", 12_000)
    assert digest(tmp_path / "other", 777) == first
    assert first.keys() == {"centroids.npy", "codes.npy", "members.npy", "offsets.npy", "search.json"}


def test_keywords_without_a_vector_are_never_found(tmp_path: Path) -> None:
    codes = unit_vectors(50, 2)
    counts = np.arange(50) % 3 > 0
    vectors = written(tmp_path, codes, counts)
    assert len(vectors) == counts.sum()
    ids, _ = vectors.nearest(codes[0], 100)
    assert sorted(ids.tolist()) == np.flatnonzero(counts).tolist()


@pytest.mark.parametrize("keywords", [0, 1])
def test_an_index_of_nothing_and_of_one_keyword_answers(tmp_path: Path, keywords: int) -> None:
    codes = unit_vectors(keywords, 0) if keywords else np.zeros((0, DIMS), np.int8)
    vectors = written(tmp_path, codes)
    assert vectors.dims == DIMS
    ids, cosines = vectors.nearest(unit_vectors(1, 5)[0], 10)
    assert len(ids) == len(cosines) == keywords


def test_parts_that_do_not_fit_are_refused_with_the_remedy(tmp_path: Path) -> None:
    written(tmp_path, unit_vectors(20, 0))
    write_array(tmp_path, "vectors/members.npy", np.arange(19, dtype=np.int32))
    with pytest.raises(CorruptError, match=r"vectors/.*manage\.py build"):
        Vectors(ArrayFolder(tmp_path))


def test_a_truncated_file_of_a_snapshot_is_named(tiny_store: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_store, tmp_path / "store")
    path = next((tmp_path / "store" / "snapshots").glob("*/vectors/members.npy"))
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptError, match=r"vectors/members\.npy.*manage\.py index"):
        Indexes.open(tmp_path / "store")


def test_an_opened_index_stays_readable_when_its_files_are_gone(small_store: Path, tmp_path: Path) -> None:
    shutil.copytree(small_store, tmp_path / "store")
    indexes = Indexes.open(tmp_path / "store")
    code = indexes.term_vectors.code(("flower", "delivery"))
    assert code is not None
    shutil.rmtree(tmp_path / "store")
    ids, _ = indexes.vectors.nearest(code, 20)
    assert indexes.keywords.find("flower delivery") in ids.tolist()


def test_the_snapshot_vouches_for_the_vectors(small_store: Path) -> None:
    files = open_snapshot(small_store).manifest.files
    parts = ("centroids", "codes", "gram_vectors", "grams/offsets", "grams/utf8", "members", "offsets", "terms")
    assert {f"vectors/{part}.npy" for part in parts} | {"vectors/search.json"} == {
        name for name in files if name.startswith("vectors/")
    }


def test_strength_begins_at_the_least_similarity_and_grows() -> None:
    similarity = np.array([-1, 0, LEAST_SIMILARITY - 1e-4, LEAST_SIMILARITY, 0.99, 1.0])
    strength = embedding_strength(similarity)
    assert strength[:3].tolist() == [0, 0, 0]
    assert strength[3] == pytest.approx(STRENGTHS[0])
    assert strength[3] < strength[4] < strength[5] == pytest.approx(STRENGTHS[1])
