"""How well bursts are found, against the planted ones."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from indexes.errors import NotFoundError
from mining.share_interval import share_interval


def burst_rows(mined: Path, truth_folder: Path) -> list[dict[str, Any]]:
    """The row `bursts` with precision and recall and their 95 % bootstrap intervals.

    A mined burst is right if its keyword, or the product that it stands for, has a planted burst on one of its days. A
    planted burst is found if a mined one is right by it; those of keywords that nobody searched count as missed.
    """
    bursts = _read(mined, "bursts")
    products = _read(truth_folder, "keywords", ["keyword", "product_id"])
    product_of = dict(zip(products["keyword"].to_pylist(), products["product_id"].to_pylist(), strict=True))
    planted = _read(truth_folder, "bursts").to_pylist()
    found = [False] * len(planted)
    right = 0
    for burst in bursts.to_pylist():
        matching = [
            place
            for place, true in enumerate(planted)
            if burst["first_date"] <= true["last_date"]
            and true["first_date"] <= burst["last_date"]
            and (
                burst["keyword"] == true["keyword"]
                if true["keyword"] is not None
                else product_of.get(burst["keyword"]) == true["product_id"]
            )
        ]
        right += bool(matching)
        for place in matching:
            found[place] = True
    row: dict[str, Any] = {"system": "bursts", "queries": None}
    for name, hits, count in (("precision", right, len(bursts)), ("recall", sum(found), len(planted))):
        row[name] = round(hits / count, 4) if count else None
        row[f"{name}_interval"] = share_interval(hits, count)
    return [row]


def _read(folder: Path, name: str, columns: list[str] | None = None) -> pa.Table:
    path = folder / f"{name}.parquet"
    if not path.is_file():
        raise NotFoundError(
            f"{folder} holds no {path.name}.", "Name the folder of a mining, and the truth folder of a simulation."
        )
    return pq.read_table(path, columns=columns)
