"""Days mined one by one and joined at midnight against sessions of the whole log, on random logs round midnight."""

import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import mining.day_sessions
import mining.days
from indexes.errors import UsageError
from indexes.text import normalise
from mining.canonical_logs import find_log_files
from mining.day_store import open_day_store
from mining.days import BATCH_ROWS, batches_of_days, mine_days, read_days
from mining.engines import Engine, open_engine
from mining.keywords import distinct_queries, number_keywords
from mining.mine import mine
from mining.schema import canonical_tables
from mining.sessions import number_users, place_in_sessions
from mining.settings import MiningSettings

Rows = list[dict[str, Any]]

FIRST = datetime(2025, 2, 27, tzinfo=UTC)
QUERIES = ["a", "A", "b", "c", "鲜花", "\u200b"]


@st.composite
def logs(draw: st.DrawFn, size: int = 60) -> Rows:
    """Searches of few users round few midnights, with ties, repeats, sessions of the platform's own or none."""
    count = draw(st.integers(1, size))
    numbers = draw(st.permutations(range(count)))
    offsets = st.one_of(
        st.integers(-45 * 60, 45 * 60).map(lambda seconds: seconds * 1_000_000),
        st.sampled_from([0, -1, 1, 30 * 60_000_000, -30 * 60_000_000, 60_000_000, -60_000_000]),
        st.integers(0, 86_399).map(lambda seconds: seconds * 1_000_000),
    )
    rows = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "user_id": st.sampled_from(["u1", "u2", "ü"]),
                    "ts": st.builds(
                        lambda day, offset: FIRST + timedelta(days=day, microseconds=offset), st.integers(0, 3), offsets
                    ),
                    "query": st.sampled_from(QUERIES),
                    "session_id": st.sampled_from([None, None, None, "s1", "s2"]),
                }
            ),
            min_size=count,
            max_size=count,
        )
    )
    return [row | {"search_id": f"s{number:03d}"} for row, number in zip(rows, numbers, strict=True)]


def comparable(engine: Engine, placed: Any) -> Rows:
    """Searches in sessions without what may differ: the numbers of sessions, and where positions begin."""
    rows = engine.collect(placed.order_by("user_no", "session", "position", "ts", "query_id", "gap")).to_pylist()
    order = {session: place for place, session in enumerate(sorted({row["session"] for row in rows}))}
    start: dict[int, int] = {}
    for row in rows:
        start.setdefault(row["session"], row["position"])
        row["position"] -= start[row["session"]]
        row["session"] = order[row["session"]]
    return rows


def placed_both_ways(logs: Path, state: Path, chosen: MiningSettings, scratch: Path) -> tuple[Rows, Rows]:
    found = find_log_files(logs, "searches")
    with open_day_store(state) as store:
        days = mine_days(store, found, read_days(store, found, chosen), chosen, "duckdb")
    ways = []
    for by_days in (False, True):
        with open_engine("duckdb", scratch, 1, 256) as engine:
            tables = canonical_tables()
            log = engine.read(tables["searches"], found.files)
            others = [engine.read(tables[name], ()) for name in ("clicks", "ad_events", "bids")]
            users = number_users(engine, log, others[0])
            queries, _ = number_keywords(engine, distinct_queries(log, *others))
            placed = (
                days.place_searches(engine, users, queries, chosen)
                if by_days
                else place_in_sessions(engine, log, users, queries, chosen)
            )
            ways.append(comparable(engine, placed))
    return ways[0], ways[1]


def over_many_days(minutes: int, days: int) -> Rows:
    """One user who is never silent for longer than so many minutes."""
    return [
        {
            "user_id": "u",
            "ts": FIRST + timedelta(minutes=minutes * place),
            "query": QUERIES[place // 2 % 4],
            "session_id": None,
            "search_id": f"s{place:05d}",
        }
        for place in range(days * 1440 // minutes)
    ]


@settings(max_examples=25)
@given(rows=logs(), gap=st.sampled_from([1, 30, 1440]))
@example(rows=over_many_days(25, 4), gap=30)
@example(rows=over_many_days(1440, 4), gap=1440)
def test_days_joined_at_midnight_equal_the_sessions_of_the_whole_log(
    written_logs: Callable[..., Path], rows: Rows, gap: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        logs = written_logs(folder / "logs", {"searches": rows})
        chosen = MiningSettings(session_gap_minutes=gap)
        whole, joined = placed_both_ways(logs, folder / "state", chosen, folder)
    assert joined == whole
    assert len(joined) == sum(bool(normalise(row["query"])) for row in rows)


def test_days_mined_together_or_one_by_one_have_the_same_bytes(
    tmp_path: Path, written_logs: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = written_logs(tmp_path / "logs", {"searches": over_many_days(7, 5)})
    found, chosen = find_log_files(logs, "searches"), MiningSettings()
    for name, rows in (("together", BATCH_ROWS), ("alone", 1)):
        monkeypatch.setattr(mining.days, "BATCH_ROWS", rows)
        with open_day_store(tmp_path / name) as store:
            mine_days(store, found, read_days(store, found, chosen), chosen, "duckdb")
    together = {path.relative_to(tmp_path / "together"): path.read_bytes() for path in tmp_path.glob("together/day*/*")}
    alone = {path.relative_to(tmp_path / "alone"): path.read_bytes() for path in tmp_path.glob("alone/day*/*")}
    assert together == alone and len(together) == 10


def test_a_day_keeps_its_rows_by_user_and_time(tmp_path: Path, written_logs: Callable[..., Path]) -> None:
    rows = [row | {"user_id": f"u{place % 3}"} for place, row in enumerate(over_many_days(11, 1))]
    logs = written_logs(tmp_path / "logs", {"searches": rows[::-1]})
    found, chosen = find_log_files(logs, "searches"), MiningSettings()
    with open_day_store(tmp_path / "state") as store:
        mine_days(store, found, read_days(store, found, chosen), chosen, "duckdb")
    day = tmp_path / "state" / "day=2025-02-27"
    kept = pq.ParquetFile(day / "day_searches.parquet").read().to_pylist()
    assert [(row["user_id"], row["ts"]) for row in kept] == sorted((row["user_id"], row["ts"]) for row in rows)


def test_batches_hold_whole_days_in_order_up_to_a_number_of_rows() -> None:
    rows = {date(2025, 1, day): count for day, count in ((3, 5), (1, 4), (2, 4), (4, 99), (5, 1), (6, 9))}
    found = [[day.day for day in batch] for batch in batches_of_days(rows, 10)]
    assert found == [[1, 2], [3], [4], [5, 6]]
    assert list(batches_of_days({}, 10)) == []


def test_more_sessions_of_a_user_than_can_be_numbered_are_an_error_that_says_so(
    tmp_path: Path, written_logs: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = written_logs(tmp_path / "logs", {"searches": over_many_days(120, 1)})
    monkeypatch.setattr(mining.day_sessions, "LOCAL_BITS", 3)
    with pytest.raises(UsageError, match=r"12 sessions of one user on one day.* number 7.*Leave that user out"):
        mine(logs, tmp_path / "mined", MiningSettings(min_users=1), days=tmp_path / "state")
    assert not (tmp_path / "mined").exists()
