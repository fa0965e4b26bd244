"""What embeddings learn from, that training repeats itself to the bit, and what it does with too little."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexes.arrays import ArrayFolder, offsets_from_counts
from indexes.errors import NotFoundError
from indexes.forward import write_forward
from indexes.term_vectors import TermVectors
from indexes.vectors import Vectors
from indexes.vocabulary import Vocabulary, write_vocabulary
from mining import embeddings
from mining.embeddings import sentences, stride, train
from mining.keyword_vectors import write_keyword_vectors
from mining.settings import MiningSettings

SETTINGS = MiningSettings(embedding_dims=8, embedding_words=2000)


def rows(**columns: list[Any]) -> pa.Table:
    return pa.table(columns)


def test_sentences_are_pages_with_their_queries_then_sessions() -> None:
    keywords = pa.array(["cheap flowers", "roses", "鲜花"])
    pages = rows(url_id=[4, 4, 9], place=[0, 1, 0], keyword_id=[1, 0, 2])
    titles = rows(url_id=[9, 4], title=["鲜花 Shop", "Flowers!"])
    searches = rows(session=[1, 1, 2, 2], position=[1, 2, 1, 2], keyword_id=[2, 0, 1, 1])
    assert list(sentences(pages, titles, searches, keywords)) == [
        ["flower", "rose", "cheap", "flower"],
        ["鲜花", "shop", "鲜花"],
        ["鲜花", "cheap", "flower"],
        ["rose", "rose"],
    ]


def test_without_pages_and_sessions_there_is_no_sentence() -> None:
    nothing = pa.array([], pa.int64())
    pages = rows(url_id=nothing, place=nothing, keyword_id=nothing)
    searches = rows(session=nothing, position=nothing, keyword_id=nothing)
    titles = rows(url_id=nothing, title=pa.array([], pa.string()))
    assert list(sentences(pages, titles, searches, pa.array(["roses"]))) == []


def test_a_long_session_is_read_up_to_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "QUERIES_A_SESSION", 2)
    nothing = pa.array([], pa.int64())
    pages = rows(url_id=nothing, place=nothing, keyword_id=nothing)
    searches = rows(session=[1, 1, 1], position=[1, 2, 3], keyword_id=[0, 1, 0])
    titles = rows(url_id=nothing, title=pa.array([], pa.string()))
    assert list(sentences(pages, titles, searches, pa.array(["a", "b"]))) == [["a", "b"]]


@pytest.mark.parametrize(("count", "most", "every"), [(0, 5, 1), (5, 5, 1), (6, 5, 2), (10, 5, 2), (11, 5, 3)])
def test_beyond_the_limit_every_so_manieth_is_drawn(count: int, most: int, every: int) -> None:
    assert stride(count, most) == every


def test_queries_are_drawn_from_clicks_and_sessions_by_users_and_pages(
    each_engine: Any, at: Callable[[float], Any]
) -> None:
    searches = [
        {"ts": at(minute), "user_id": f"u{minute % 4}", "query": f"rose{minute % 3} flower"} for minute in range(24)
    ]
    clicks = [row | {"url": f"p{number % 2}"} for number, row in enumerate(searches)]
    log = {"searches": searches, "clicks": clicks}

    def occurrences(**drawn: int) -> dict[str, int]:
        result = each_engine.mined(log, "term_vectors", embedding_words=100, **drawn)
        return {row["term"]: row["occurrences"] for row in result.tables["term_vectors"]}

    everything = occurrences()
    half = occurrences(embedding_page_queries=3, embedding_session_queries=12)
    assert everything.keys() == {"rose0", "rose1", "rose2", "flower"}
    assert everything["flower"] == 24 + 6
    assert half["flower"] == 12 + 3


def test_training_repeats_itself_to_the_bit() -> None:
    generator = np.random.default_rng(0)
    corpus = [[f"w{word}" for word in generator.integers(0, 50, 6)] for _ in range(300)]
    first = train(corpus, SETTINGS)
    assert train(corpus, SETTINGS).equals(first)
    assert len(first) == 50
    assert first["term"].to_pylist() == sorted(first["term"].to_pylist())
    assert sum(first["occurrences"].to_pylist()) == 300 * 6
    assert {len(vector) for vector in first["vector"].to_pylist()} == {8}


@pytest.mark.parametrize("corpus", [[], [[]], [["once"]], [["few", "few"]] * 4])
def test_too_little_to_learn_from_gives_no_term(corpus: list[list[str]]) -> None:
    assert len(train(corpus, SETTINGS)) == 0


def write_index(folder: Path, trained: pa.Table, keywords: list[list[str]]) -> tuple[TermVectors, Vectors]:
    """The vectors of keywords, given as tokens, under a model."""
    terms = sorted({token for keyword in keywords for token in keyword})
    flat = np.array([terms.index(token) for keyword in keywords for token in keyword], np.int32)
    write_vocabulary(folder, "terms", terms)
    write_forward(folder, offsets_from_counts(np.array([len(keyword) for keyword in keywords])), flat)
    pq.write_table(trained, folder / "term_vectors.parquet")
    facts = write_keyword_vectors(folder, folder)
    reader = ArrayFolder(folder)
    vectors = Vectors(reader)
    assert facts["keywords"] == len(vectors)
    return TermVectors(reader, Vocabulary(reader, "terms")), vectors


def test_words_used_alike_are_nearer_than_words_that_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of eleven words each is a frequent one; none must be skipped for that.
    monkeypatch.setattr(embeddings, "SUBSAMPLE", 0)
    generator = np.random.default_rng(1)
    themes = [
        ["rose", "tulip", "bouquet", "lily"],
        ["laptop", "tablet", "keyboard", "screen"],
        ["loan", "bank", "rate"],
    ]
    corpus = [generator.choice(themes[place % 3], 5).tolist() for place in range(3000)]
    trained = train(corpus, MiningSettings(embedding_dims=8, embedding_words=150_000))
    term_vectors, vectors = write_index(tmp_path, trained, [[word] for theme in themes for word in theme])
    code = term_vectors.code(("rose",))
    assert code is not None
    ids, cosines = vectors.nearest(code, 11)
    assert set(ids[:4].tolist()) == {0, 1, 2, 3}
    assert cosines[0] > 0.98
    assert cosines[3] > cosines[4] + 0.3


def test_a_model_of_nothing_gives_an_index_of_nothing(tmp_path: Path) -> None:
    term_vectors, vectors = write_index(tmp_path, train([], SETTINGS), [["rose"], ["tulip", "rose"]])
    assert len(vectors) == 0
    assert term_vectors.code(("rose",)) is None


def test_mined_tables_without_term_vectors_name_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"term_vectors.*manage\.py mine"):
        write_keyword_vectors(tmp_path, tmp_path)
