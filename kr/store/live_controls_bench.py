"""What asking at each request costs which rules and lists are in force, beside the search that it belongs to."""

import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import text

from kr.service import KeywordService
from kr.settings import load_settings
from kr.store.database import open_database
from kr.store.live_controls import LiveControls
from kr.store.migrating import upgrade
from kr.types import Request

SEARCHES = 100


def run_controls_bench(store: Path, asks: int, url: str | None = None) -> list[dict[str, Any]]:
    """Rows of mean milliseconds: one look-up, the same through SQLAlchemy, and whole searches of the store.

    Without a URL the database is a fresh SQLite file; one that is given must have been upgraded.
    """
    with tempfile.TemporaryDirectory(prefix="kr-bench-") as folder:
        database = open_database(url or f"sqlite:///{folder}/kr.db")
        if url is None:
            upgrade(database)
        address = database.engine.url.render_as_string(hide_password=False)
        controls = LiveControls(address)

        def through_sqlalchemy() -> None:
            with database.connection() as connection:
                connection.execute(text("SELECT max(live_sequence) FROM control_versions WHERE kind = 'rules'")).one()

        service = KeywordService(load_settings(store=store, database=address))
        indexes = service.indexes
        words = [indexes.keywords[keyword_id] for keyword_id in indexes.popular[:SEARCHES].tolist()]
        turns = itertools.cycle(words)
        for word in words:
            service.keyword_ideas(Request((word,)))
        rows = [
            {"system": "look-up of what is in force", "mean_ms": _mean(controls.sequences, asks)},
            {"system": "the same through SQLAlchemy", "mean_ms": _mean(through_sqlalchemy, max(1, asks // 10))},
            {
                "system": "keyword search of 100 rows, look-ups included",
                "mean_ms": _mean(lambda: service.keyword_ideas(Request((next(turns),))), len(words)),
            },
        ]
        database.close()
    return rows


def _mean(call: Callable[[], object], times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        call()
    return round((time.perf_counter() - started) / times * 1e3, 4)
