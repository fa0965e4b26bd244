"""Unlabelled text for the statistics: a snapshot's keywords, or files with a text a line."""

from collections.abc import Iterator
from pathlib import Path

from kr.relevance.text_lines import numbered_lines

MOST_KEYWORDS = 500_000
"""Of a snapshot, the most searched."""


def read_corpus(path: Path) -> Iterator[str]:
    """The texts of a file (plain or .gz, UTF-8, one a line), of a store, or of `store/snapshots/<id>`."""
    if path.is_dir():
        yield from _keywords(path)
        return
    for _, line in numbered_lines(path, "corpus", "--corpus"):
        yield line


def _keywords(path: Path) -> Iterator[str]:
    from indexes.opened import Indexes

    store, snapshot_id = (path.parent.parent, path.name) if path.parent.name == "snapshots" else (path, None)
    indexes = Indexes.open(store, snapshot_id)
    count = len(indexes.keywords)
    if count <= MOST_KEYWORDS:
        yield from indexes.keywords
    else:
        yield from indexes.keywords.take(indexes.popular[:MOST_KEYWORDS])
