"""The engines that `indexes.retrieval_bench` runs beside KR: each is built in a folder and asked for its best keywords.

All get keywords that are split into words already, and queries as words. Each has its own variant of BM25, so each says
its constants, and the bench checks its answers against these.
"""

import sqlite3
from abc import abstractmethod
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from indexes import bm25
from indexes.arrays import Array
from indexes.bench_corpus import Corpus
from indexes.bench_peer import BenchPeer

BATCH = 100_000
"""Rows that go to SQLite at a time."""


class Peer(BenchPeer):
    """One engine. `top` gives ids and its own scores of the k best, best first."""

    k1: ClassVar[float] = 1.2
    b: ClassVar[float] = 0.75
    factor: ClassVar[float] = 1.0
    """What its scores are multiplied by, k1 + 1 being in them."""

    @staticmethod
    def idf(frequencies: Array, keywords: int) -> Array:
        """Its idf of tokens in so many of the keywords: Lucene's, unless overridden."""
        return np.log1p((keywords - frequencies + 0.5) / (frequencies + 0.5))

    @classmethod
    @abstractmethod
    def build(cls, corpus: Corpus, folder: Path) -> None:
        """Write the index into an empty folder."""

    @abstractmethod
    def __init__(self, corpus: Corpus, folder: Path) -> None:
        """Open the index."""

    @abstractmethod
    def top(self, query: list[int], k: int) -> tuple[Any, Any]: ...


class Tantivy(Peer):
    """Tantivy with the keyword's id as a fast field, which is read for every hit."""

    name = "tantivy"
    package = "tantivy"
    most_keywords = 2**31

    @staticmethod
    def _schema() -> Any:
        import tantivy

        schema = tantivy.SchemaBuilder()
        schema.add_text_field("words", tokenizer_name="whitespace", index_option="freq")
        schema.add_integer_field("id", fast=True)
        return schema.build()

    @classmethod
    def build(cls, corpus: Corpus, folder: Path) -> None:
        import tantivy

        writer = tantivy.Index(cls._schema(), str(folder)).writer(512_000_000, 1)
        for keyword_id, words in enumerate(corpus.texts()):
            writer.add_document(tantivy.Document(id=keyword_id, words=" ".join(words)))
        writer.commit()
        writer.wait_merging_threads()

    def __init__(self, corpus: Corpus, folder: Path) -> None:
        import tantivy

        self._schema_used = self._schema()
        self._searcher = tantivy.Index(self._schema_used, str(folder)).searcher()
        self._words = corpus.words.texts

    def top(self, query: list[int], k: int) -> tuple[Any, Any]:
        import tantivy

        terms = [tantivy.Query.term_query(self._schema_used, "words", self._words[word], "freq") for word in query]
        any_term = tantivy.Query.boolean_query([(tantivy.Occur.Should, term) for term in terms])
        hits = self._searcher.search(any_term, k, count=False).hits
        return self._searcher.fast_field_values("id", [address for _, address in hits]), [score for score, _ in hits]


class Bm25s(Peer):
    """Bm25s with the numba backend."""

    name = "bm25s"
    package = "bm25s"
    most_keywords = 1_000_000
    k1 = 1.5
    factor = 1 / 2.5

    @classmethod
    def build(cls, corpus: Corpus, folder: Path) -> None:
        import bm25s

        model = bm25s.BM25(k1=cls.k1, b=cls.b, method="lucene", backend="numba")
        vocabulary = {word: token for token, word in enumerate(corpus.words.texts)}
        model.index((list(corpus.rows()), vocabulary), create_empty_token=False, show_progress=False)
        model.save(str(folder), show_progress=False)

    def __init__(self, corpus: Corpus, folder: Path) -> None:
        import bm25s

        self._model = bm25s.BM25.load(str(folder), mmap=True)
        self._model.backend = "numba"
        self._model.activate_numba_scorer()
        self._words = corpus.words.texts

    def top(self, query: list[int], k: int) -> tuple[Any, Any]:
        words = [[self._words[word] for word in query]]
        ids, scores = self._model.retrieve(words, k=k, show_progress=False, n_threads=1)
        return ids[0], scores[0]


class SqliteFts5(Peer):
    """SQLite's full-text search without stored contents."""

    name = "SQLite FTS5"
    package = "sqlite3"
    most_keywords = 1_000_000
    most_queries = 200

    @staticmethod
    def idf(frequencies: Array, keywords: int) -> Array:
        return np.maximum(np.log((keywords - frequencies + 0.5) / (frequencies + 0.5)), 1e-6)

    @classmethod
    def build(cls, corpus: Corpus, folder: Path) -> None:
        database = sqlite3.connect(folder / "fts.sqlite")
        database.execute(
            "CREATE VIRTUAL TABLE keywords USING fts5(words, content='', tokenize='unicode61 remove_diacritics 0')"
        )
        rows = ((keyword_id, " ".join(words)) for keyword_id, words in enumerate(corpus.texts()))
        while batch := list(islice(rows, BATCH)):
            database.executemany("INSERT INTO keywords(rowid, words) VALUES (?, ?)", batch)
        database.execute("INSERT INTO keywords(keywords) VALUES ('optimize')")
        database.commit()
        database.close()

    def __init__(self, corpus: Corpus, folder: Path) -> None:
        self._database = sqlite3.connect(folder / "fts.sqlite")
        self._words = corpus.words.texts

    def top(self, query: list[int], k: int) -> tuple[Any, Any]:
        rows = self._database.execute(
            "SELECT rowid, -rank FROM keywords WHERE keywords MATCH ? ORDER BY rank LIMIT ?",
            (" OR ".join(f'"{self._words[word]}"' for word in query), k),
        ).fetchall()
        return [row[0] for row in rows], [row[1] for row in rows]


class RankBm25(Peer):
    """The reference. It cannot be saved, so opening builds it again."""

    name = "rank-bm25"
    package = "rank_bm25"
    most_keywords = 100_000
    most_queries = 100
    k1 = bm25.K1
    b = bm25.B

    @staticmethod
    def idf(frequencies: Array, keywords: int) -> Array:
        held = frequencies > 0
        idf = np.zeros(len(frequencies))
        idf[held] = bm25.inverse_document_frequencies(frequencies[held], keywords)
        return idf

    @classmethod
    def build(cls, corpus: Corpus, folder: Path) -> None:
        cls(corpus, folder)

    def __init__(self, corpus: Corpus, folder: Path) -> None:
        from rank_bm25 import BM25Okapi

        self._index = BM25Okapi(list(corpus.rows()))

    def top(self, query: list[int], k: int) -> tuple[Any, Any]:
        scores = self._index.get_scores(query)
        best = np.argsort(scores)[::-1][:k]
        return best, scores[best]


PEERS: tuple[type[Peer], ...] = (Tantivy, Bm25s, SqliteFts5, RankBm25)
