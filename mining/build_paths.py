"""Writes `indexes.click_paths` from the paths of mined pairs, a batch at a time.

The pages on paths are gathered first, as one Arrow array (their text's bytes and 8 more each are in memory); then each
path's texts become ids.
"""

from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from indexes.array_writer import ArrayWriter
from indexes.arrays import Array
from indexes.errors import CorruptError
from indexes.keyword_stats import UNKNOWN
from indexes.vocabulary import VocabularyWriter
from mining.build_tables import MINE_AGAIN, MinedTables
from mining.text_ids import TextIds

TABLE = "click_neighbors"
COLUMN = "path"
URLS = 100_000
"""Pages that are written at a time, and at least gathered before equal ones are found."""


class PathWriter:
    """A context manager: `append` the paths of the table's rows in order; all is written when the block ends well."""

    def __init__(self, mined: MinedTables, keyword_ids: TextIds, folder: Path) -> None:
        self._write_urls(mined, folder)
        self._keyword_ids = keyword_ids
        self._url_ids = TextIds(folder, "click_paths/urls")
        self._steps = ArrayWriter(folder, "click_paths/steps.npy", np.int32)
        self._offsets = ArrayWriter(folder, "click_paths/offsets.npy", np.int64)
        self._offsets.append(np.zeros(1, np.int64))

    def append(self, paths: pa.ChunkedArray) -> Array:
        """The number of each row's path, int64, UNKNOWN for rows without one."""
        has_path = pc.is_valid(paths).to_numpy()
        numbers = np.where(has_path, self._offsets.length - 2 + np.cumsum(has_path), UNKNOWN)
        texts, places, counts = _flattened(paths)
        if not (counts % 2).all():
            raise CorruptError(f"The mined table {TABLE} holds a path that does not end with a keyword.", MINE_AGAIN)
        is_page = places % 2 == 1
        steps = np.empty(len(texts), np.int64)
        steps[is_page] = self._url_ids.of(TABLE, texts.filter(pa.array(is_page)))
        steps[~is_page] = self._keyword_ids.of(TABLE, texts.filter(pa.array(~is_page)))
        self._offsets.append(self._steps.length + np.cumsum(counts))
        self._steps.append(steps)
        return numbers

    @staticmethod
    def _write_urls(mined: MinedTables, folder: Path) -> None:
        urls, gathered = pa.array([], pa.large_string()), pa.chunked_array([], pa.large_string())
        for batch in mined.batches(TABLE, [COLUMN]):
            texts, places, _ = _flattened(batch[COLUMN])
            found = pc.unique(texts.filter(pa.array(places % 2 == 1))).cast(pa.large_string())
            gathered = pa.chunked_array([*gathered.chunks, found])
            # Seldom, since all that was gathered is read each time.
            if len(gathered) > max(len(urls), URLS):
                urls = pc.unique(pa.chunked_array([urls, *gathered.chunks]))
                gathered = pa.chunked_array([], pa.large_string())
        urls = pc.unique(pa.chunked_array([urls, *gathered.chunks]))
        urls = urls.take(pc.sort_indices(urls))
        with VocabularyWriter(folder, "click_paths/urls") as writer:
            for begin in range(0, len(urls), URLS):
                writer.append(urls.slice(begin, URLS).to_pylist())

    def __enter__(self) -> "PathWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for writer in (self._steps, self._offsets):
            if kind is None:
                writer.finish()
            else:
                writer.abandon()


def _flattened(paths: pa.ChunkedArray) -> tuple[pa.ChunkedArray, Array, Array]:
    """All texts of the paths that are there, each one's place in its path, and how many each path has, int64."""
    if pa.types.is_null(paths.type):
        paths = paths.cast(pa.list_(pa.string()))
    known = paths.drop_null()
    counts = pc.list_value_length(known).to_numpy().astype(np.int64)
    ends = np.cumsum(counts)
    places = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)
    return pc.list_flatten(known), places, counts
