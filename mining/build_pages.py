"""Writes `indexes.crawled_pages` from the mined table, a batch at a time.

Titles and texts are written in the table's order; in memory are only the pages' keys while they are sorted.
"""

from pathlib import Path

import numpy as np

from indexes.arrays import Array, write_array
from indexes.crawled_pages import PART, page_key
from indexes.vocabulary import StringWriter, VocabularyWriter
from mining.build_tables import MinedTables

TABLE = "crawled_pages"
KEYS = 100_000
"""Keys that are written at a time."""


def write_crawled_pages(mined: MinedTables, folder: Path) -> int | None:
    """Write the part and return the number of pages; None, and nothing written, if there are none.

    Of addresses with the same key the first counts.
    """
    # Older mined tables lack this one, and a log need not have pages.
    if not (mined.folder / f"{TABLE}.parquet").is_file():
        return None
    keys: list[str] = []
    with StringWriter(folder, f"{PART}/titles") as titles, StringWriter(folder, f"{PART}/texts") as texts:
        for batch in mined.batches(TABLE, ["url", "title", "text"]):
            keys += map(page_key, batch["url"].to_pylist())
            titles.append(batch["title"].to_pylist())
            texts.append(batch["text"].to_pylist())
    rows = _first_of_each(keys)
    with VocabularyWriter(folder, f"{PART}/keys") as writer:
        for begin in range(0, len(rows), KEYS):
            writer.append([keys[row] for row in rows[begin : begin + KEYS].tolist()])
    write_array(folder, f"{PART}/rows.npy", rows)
    return len(rows)


def _first_of_each(keys: list[str]) -> Array:
    """The rows of distinct keys in the order of the keys, int64."""
    order = sorted(range(len(keys)), key=lambda row: (keys[row], row))
    return np.array(
        [row for place, row in enumerate(order) if not place or keys[order[place - 1]] != keys[row]], np.int64
    )
