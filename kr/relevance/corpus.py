"""Unlabelled text for the statistics: a snapshot's keywords, or files with a text a line."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from indexes.errors import NotFoundError, UsageError

MOST_KEYWORDS = 500_000
"""Of a snapshot, the most searched."""


def read_corpus(path: Path) -> Iterator[str]:
    """The texts of a file (plain or .gz, UTF-8, one a line), of a store, or of `store/snapshots/<id>`."""
    if path.is_dir():
        yield from _keywords(path)
        return
    if not path.is_file():
        raise NotFoundError(f"The corpus {path} does not exist.", "Name a text file or a snapshot store.")
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
                if text:
                    yield text
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}, line {number + 1}: not UTF-8 ({error.reason}).", "Save it as UTF-8.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{path} cannot be read after line {number}: {error}.", "Write the file anew.") from None


def _keywords(path: Path) -> Iterator[str]:
    from indexes.opened import Indexes

    store, snapshot_id = (path.parent.parent, path.name) if path.parent.name == "snapshots" else (path, None)
    indexes = Indexes.open(store, snapshot_id)
    count = len(indexes.keywords)
    if count <= MOST_KEYWORDS:
        yield from indexes.keywords
    else:
        yield from indexes.keywords.take(indexes.popular[:MOST_KEYWORDS])
