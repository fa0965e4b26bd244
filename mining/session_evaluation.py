"""How well sessions are split and robots found, against the planted truth."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from indexes.errors import NotFoundError
from mining.share_interval import share_interval

MAX_ID_DIGITS = 10
"""The truth names a search by its number, the log by the letter s and so many digits."""


def session_rows(mined: Path, truth_folder: Path) -> list[dict[str, Any]]:
    """Rows `sessions` and `robots` with precision and recall and their 95 % bootstrap intervals.

    A session is found if one was mined that starts with the same search; only sessions that start with a person's
    search are judged. A robot is found if its user was set aside; users of click-fraud rings are people's accounts in
    the log and count as neither.
    """
    planted = _read(truth_folder, "searches-*", ["search_number", "session", "made_by"])
    by_people = np.array(planted["made_by"].to_pylist()) == "person"
    numbers = planted["search_number"].to_numpy()[by_people]
    _, first = np.unique(planted["session"].to_numpy()[by_people], return_index=True)
    ids = _read(mined, "sessions", ["first_search_id"])["first_search_id"].to_pylist()
    mined_starts = np.array([int(search_id[1 : MAX_ID_DIGITS + 1]) for search_id in ids], np.int64)
    mined_starts = mined_starts[np.isin(mined_starts, numbers)]
    robots = set(_read(truth_folder, "robots", ["user_id"])["user_id"].to_pylist())
    rings = _read(truth_folder, "fraud_rings", ["user_ids"])["user_ids"].to_pylist()
    found = set(_read(mined, "robot_users", ["user_id"])["user_id"].to_pylist())
    found -= {user for ring in rings for user in ring}
    return [
        _row("sessions", set(mined_starts.tolist()), set(numbers[first].tolist())),
        _row("robots", found, robots),
    ]


def _read(folder: Path, name: str, columns: list[str]) -> pa.Table:
    paths = sorted(folder.glob(f"{name}.parquet"))
    if not paths:
        raise NotFoundError(
            f"{folder} holds no {name}.parquet.", "Name the folder of a mining, and the truth folder of a simulation."
        )
    return pa.concat_tables(pq.read_table(path, columns=columns) for path in paths)


def _row(system: str, found: set[Any], planted: set[Any]) -> dict[str, Any]:
    right = len(found & planted)
    row: dict[str, Any] = {"system": system, "queries": None}
    for name, count in (("precision", len(found)), ("recall", len(planted))):
        row[name] = round(right / count, 4) if count else None
        row[f"{name}_interval"] = share_interval(right, count)
    return row
