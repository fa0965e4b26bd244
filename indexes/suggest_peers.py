"""The engines that `bench suggest` runs beside KR: each is asked for the k heaviest keywords that begin with a text.

They match the written form only: pinyin, initials, mixtures and typos are KR's alone.
"""

import sqlite3
from abc import abstractmethod
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from indexes.arrays import Array
from indexes.bench_peer import BenchPeer

BATCH = 100_000
"""Rows that go to SQLite at a time."""


class SuggestPeer(BenchPeer):
    """One engine. `top` gives the ids of the k heaviest keywords with a prefix, ties by id."""

    breaks_ties_by_id: ClassVar[bool] = True

    @classmethod
    @abstractmethod
    def build(cls, keywords: Iterator[str], weights: Array, folder: Path) -> None:
        """Write the index into an empty folder."""

    @abstractmethod
    def __init__(self, weights: Array, folder: Path) -> None:
        """Open the index."""

    @abstractmethod
    def top(self, prefix: str, k: int) -> list[int]: ...


class MarisaTrie(SuggestPeer):
    """A succinct trie: all keywords with the prefix are listed, the heaviest kept."""

    name = "marisa-trie"
    package = "marisa_trie"
    most_keywords = 1_000_000
    most_queries = 300

    @classmethod
    def build(cls, keywords: Iterator[str], weights: Array, folder: Path) -> None:
        import marisa_trie

        rows = ((keyword, (keyword_id,)) for keyword_id, keyword in enumerate(keywords))
        marisa_trie.RecordTrie("<i", rows).save(str(folder / "keywords.marisa"))

    def __init__(self, weights: Array, folder: Path) -> None:
        import marisa_trie

        self._trie: Any = marisa_trie.RecordTrie("<i").mmap(str(folder / "keywords.marisa"))
        self._weights = weights

    def top(self, prefix: str, k: int) -> list[int]:
        ids = np.array([keyword_id for _, (keyword_id,) in self._trie.iteritems(prefix)], np.int64)
        best: list[int] = ids[np.lexsort((ids, -self._weights[ids]))[:k]].tolist()
        return best


class Sqlite(SuggestPeer):
    """A table in the order of its keywords, searched by range."""

    name = "SQLite"
    package = "sqlite3"
    most_keywords = 2**31
    most_queries = 300

    @classmethod
    def build(cls, keywords: Iterator[str], weights: Array, folder: Path) -> None:
        database = sqlite3.connect(folder / "keywords.sqlite")
        database.execute(
            "CREATE TABLE keywords (keyword TEXT, weight INTEGER, id INTEGER, PRIMARY KEY (keyword, weight DESC, id))"
            " WITHOUT ROWID"
        )
        listed = [(keyword, weight, place) for place, (keyword, weight) in
                  enumerate(zip(keywords, weights.tolist(), strict=True))]  # fmt: skip
        # In the order of its tree, which is much faster to build.
        listed.sort()
        rows = iter(listed)
        while batch := list(islice(rows, BATCH)):
            database.executemany("INSERT INTO keywords VALUES (?, ?, ?)", batch)
        database.commit()
        database.close()

    def __init__(self, weights: Array, folder: Path) -> None:
        self._database = sqlite3.connect(folder / "keywords.sqlite")

    def top(self, prefix: str, k: int) -> list[int]:
        rows = self._database.execute(
            "SELECT id FROM keywords WHERE keyword >= ? AND keyword < ? ORDER BY weight DESC, id LIMIT ?",
            (prefix, prefix + "\U0010ffff", k),
        )
        return [row[0] for row in rows]


class Tantivy(SuggestPeer):
    """A field of whole keywords, searched by an expression for the prefix and sorted by a fast field."""

    name = "tantivy"
    package = "tantivy"
    most_keywords = 1_000_000
    most_queries = 300
    breaks_ties_by_id = False

    @staticmethod
    def _schema() -> Any:
        import tantivy

        schema = tantivy.SchemaBuilder()
        schema.add_text_field("keyword", tokenizer_name="raw", index_option="basic")
        schema.add_integer_field("id", fast=True)
        schema.add_integer_field("weight", fast=True)
        return schema.build()

    @classmethod
    def build(cls, keywords: Iterator[str], weights: Array, folder: Path) -> None:
        import tantivy

        writer = tantivy.Index(cls._schema(), str(folder)).writer(512_000_000, 1)
        for keyword_id, (keyword, weight) in enumerate(zip(keywords, weights.tolist(), strict=True)):
            writer.add_document(tantivy.Document(id=keyword_id, keyword=keyword, weight=weight))
        writer.commit()
        writer.wait_merging_threads()

    def __init__(self, weights: Array, folder: Path) -> None:
        import tantivy

        self._schema_used = self._schema()
        self._searcher = tantivy.Index(self._schema_used, str(folder)).searcher()

    def top(self, prefix: str, k: int) -> list[int]:
        import tantivy

        query = tantivy.Query.regex_query(self._schema_used, "keyword", prefix + ".*")
        hits = self._searcher.search(query, k, count=False, order_by_field="weight").hits
        ids: Any = self._searcher.fast_field_values("id", [address for _, address in hits])
        return list(ids)


SUGGEST_PEERS: tuple[type[SuggestPeer], ...] = (MarisaTrie, Sqlite, Tantivy)
"""In the order of their rows."""
