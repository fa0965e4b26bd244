"""Mining by days as a whole: the tables of the whole log, whatever was mined when, and only what changed is mined."""

import fcntl
import json
import os
import random
import signal
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import mining.days
from indexes.errors import KRError, TryAgainError, UsageError
from mining.commands import mine as mine_command
from mining.day_store import DayStore
from mining.mine import mine
from mining.settings import MiningSettings

Rows = list[dict[str, Any]]
SETTINGS = MiningSettings(min_users=1)
FIRST = date(2025, 3, 1)
DAYS = [FIRST + timedelta(days=place) for place in range(5)]


def searches_of(day: date, seed: int = 0) -> Rows:
    """Some searches of one day, of which a few stand at its midnights."""
    drawn = random.Random(f"{day} {seed}")
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    minutes = [*range(0, 20, 7), *(drawn.randrange(1440) for _ in range(12)), *range(1425, 1440, 6)]
    return [
        {
            "search_id": f"{day} {place:02d}",
            "ts": midnight + timedelta(minutes=minute),
            "user_id": f"u{drawn.randrange(3)}",
            "query": drawn.choice("abcdef"),
        }
        for place, minute in enumerate(minutes)
    ]


def clicks_of(searches: Rows) -> Rows:
    return [row | {"ts": row["ts"] + timedelta(seconds=5), "url": f"p{row['query'] > 'c'}"} for row in searches]


@pytest.fixture
def log_of(tmp_path: Path, written_logs: Callable[..., Path]) -> Callable[..., Path]:
    """Writes a log of days into a new folder; days given with a seed have other searches."""

    def write(days: dict[date, int]) -> Path:
        rows = [row for day, seed in days.items() for row in searches_of(day, seed)]
        folder = Path(tempfile.mkdtemp(dir=tmp_path)) / "logs"
        return written_logs(folder, {"searches": rows, "clicks": clicks_of(rows)})

    return write


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def mined_days(state: Path) -> dict[str, bytes]:
    return {name: content for name, content in contents(state).items() if name.startswith("day=")}


@settings(max_examples=4)
@given(
    order=st.permutations(range(len(DAYS))),
    steps=st.lists(st.integers(1, len(DAYS)), max_size=1),
    chosen=st.fixed_dictionaries(
        {
            "session_gap_minutes": st.sampled_from([5, 30, 1440]),
            "session_max_queries": st.sampled_from([3, 100]),
            "window_days": st.sampled_from([None, 2]),
            "half_life_days": st.sampled_from([None, 1.5]),
        }
    ),
)
def test_days_that_arrive_in_any_order_give_the_bytes_of_the_whole_log(
    written_logs: Callable[..., Path], order: list[int], steps: list[int], chosen: dict[str, Any]
) -> None:
    wanted = MiningSettings.model_validate(chosen | {"min_users": 1})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for step, arrived in enumerate([*steps, len(DAYS)]):
            rows = [row for place in order[:arrived] for row in searches_of(DAYS[place])]
            logs = written_logs(folder / f"logs{step}", {"searches": rows, "clicks": clicks_of(rows)})
            mine(logs, folder / "by_days", wanted, days=folder / "state")
        mine(logs, folder / "whole", wanted)
        assert contents(folder / "by_days") == contents(folder / "whole")


def test_only_the_day_that_changed_is_mined_again(tmp_path: Path, log_of: Callable[..., Path]) -> None:
    state = tmp_path / "state"
    first = mine(log_of(dict.fromkeys(DAYS, 0)), tmp_path / "out", SETTINGS, days=state)
    assert (first["days_mined"], first["days_reused"], first["days_removed"]) == (5, 0, 0)
    before = mined_days(state)
    changed = log_of(dict.fromkeys(DAYS, 0) | {DAYS[2]: 1})
    again = mine(changed, tmp_path / "out", SETTINGS, days=state)
    assert (again["days_mined"], again["days_reused"]) == (1, 4)
    after = mined_days(state)
    differing = {name.partition("/")[0] for name in before if before[name] != after[name]}
    assert before.keys() == after.keys() and differing == {"day=2025-03-03"}
    mine(changed, tmp_path / "whole", SETTINGS)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_a_day_that_left_the_log_is_removed_and_one_before_the_window_is_kept(
    tmp_path: Path, log_of: Callable[..., Path]
) -> None:
    state = tmp_path / "state"
    mine(log_of(dict.fromkeys(DAYS, 0)), tmp_path / "out", SETTINGS, days=state)
    report = mine(
        log_of(dict.fromkeys(DAYS[1:], 0)),
        tmp_path / "out",
        SETTINGS.model_copy(update={"window_days": 2}),
        days=state,
    )
    assert (report["days_mined"], report["days_reused"], report["days_removed"]) == (0, 2, 1)
    assert {path.name for path in state.glob("day=*")} == {f"day={day}" for day in DAYS[1:]}


def test_a_setting_that_decides_the_days_is_named_and_they_are_mined_again(
    tmp_path: Path, log_of: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    logs, state = log_of(dict.fromkeys(DAYS[:2], 0)), tmp_path / "state"
    mine(logs, tmp_path / "out", SETTINGS, days=state)
    report = mine(logs, tmp_path / "out", SETTINGS.model_copy(update={"min_users": 2}), days=state)
    assert report["days_mined"] == 0
    report = mine(logs, tmp_path / "out", SETTINGS.model_copy(update={"session_gap_minutes": 9}), days=state)
    assert report["days_mined"] == 2
    assert "session_gap_minutes is 9, was 30: days that were mined otherwise are mined again" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["cut", "flip", "gone", "no description"])
def test_a_damaged_day_is_mined_again(tmp_path: Path, log_of: Callable[..., Path], damage: str) -> None:
    logs, state = log_of(dict.fromkeys(DAYS[:2], 0)), tmp_path / "state"
    mine(logs, tmp_path / "out", SETTINGS, days=state)
    before, tables = mined_days(state), contents(tmp_path / "out")
    path = state / f"day={DAYS[0]}" / ("partition.json" if damage == "no description" else "day_searches.parquet")
    content = path.read_bytes()
    if damage in ("gone", "no description"):
        path.unlink()
    else:
        path.write_bytes(content[:-9] if damage == "cut" else content[:100] + b"\xff" + content[101:])
    report = mine(logs, tmp_path / "out", SETTINGS, days=state)
    assert (report["days_mined"], report["days_reused"]) == (1, 1)
    assert mined_days(state) == before and contents(tmp_path / "out") == tables


def test_an_index_that_cannot_be_read_is_made_anew(tmp_path: Path, log_of: Callable[..., Path]) -> None:
    logs, state = log_of({DAYS[0]: 0}), tmp_path / "state"
    mine(logs, tmp_path / "out", SETTINGS, days=state)
    for content in (b"{", b"[]", json.dumps({"duckdb": "another", "files": {}}).encode()):
        (state / "log_days.json").write_bytes(content)
        assert mine(logs, tmp_path / "out", SETTINGS, days=state)["days_reused"] == 1


def test_two_processes_with_the_same_days_do_not_mix(tmp_path: Path, log_of: Callable[..., Path]) -> None:
    (tmp_path / "state" / ".staging").mkdir(parents=True)
    other = os.open(tmp_path / "state" / ".staging", os.O_RDONLY)
    try:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(TryAgainError, match=r"Another process is mining with .*state"):
            mine(log_of({DAYS[0]: 0}), tmp_path / "out", SETTINGS, days=tmp_path / "state")
    finally:
        os.close(other)
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else_is_no_place_for_days(tmp_path: Path, log_of: Callable[..., Path]) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"cat")
    for place in ("photos", "photos/cat.jpg"):
        with pytest.raises(UsageError, match="holds no mined days; it is left alone"):
            mine(log_of({DAYS[0]: 0}), tmp_path / "out", SETTINGS, days=tmp_path / place)
    with pytest.raises(KRError, match="cannot be written"):
        mine(log_of({DAYS[0]: 0}), tmp_path / "out", SETTINGS, days=tmp_path / "photos" / "cat.jpg" / "state")
    assert contents(tmp_path / "photos") == {"cat.jpg": b"cat"}


def test_the_command_tells_how_many_days_were_mined(tmp_path: Path, log_of: Callable[..., Path]) -> None:
    logs = log_of(dict.fromkeys(DAYS[:3], 0))
    arguments = ["--logs", str(logs), "--out", str(tmp_path / "out"), "--days", str(tmp_path / "state"), "--json"]
    for mined, reused in ((3, 0), (0, 3)):
        run = CliRunner().invoke(mine_command, arguments, catch_exceptions=False)
        assert run.exit_code == 0 and f"days mined: {mined}, reused: {reused}" in run.stderr
        document = json.loads(run.stdout)
        assert (document["days_mined"], document["days_reused"]) == (mined, reused)


def fork(act: Callable[[], object]) -> int:
    """The process id of a child that acts and exits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        try:
            act()
        finally:
            os._exit(0)
    return child


def killed(child: int) -> bool:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize("at", ["before", "inside", "after"])
def test_a_kill_at_any_day_leaves_whole_days_and_the_next_run_goes_on(
    tmp_path: Path, log_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    days = DAYS[:3]
    logs, state = log_of(dict.fromkeys(days, 0)), tmp_path / "state"
    mine(logs, tmp_path / "whole", SETTINGS)
    publish, rename = DayStore.publish, Path.rename
    # A day to replace: then its publishing moves the old one away first.
    mine(log_of({DAYS[1]: 1}), tmp_path / "other", SETTINGS, days=state)

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def rename_and_die(self: Path, target: Path) -> None:
        rename(self, target)
        die()

    for number, day in enumerate(days):

        def publish_until(store: DayStore, published: date, about: dict[str, Any], last: date = day) -> None:
            if published == last and at == "before":
                die()
            if published == last and at == "inside":
                Path.rename = rename_and_die  # type: ignore[method-assign, assignment]
            publish(store, published, about)
            if published == last and at == "after":
                die()

        monkeypatch.setattr(mining.days.DayStore, "publish", publish_until)
        assert killed(fork(lambda: mine(logs, tmp_path / "out", SETTINGS, days=state)))
        assert not (tmp_path / "out").exists()
        done = {path.name for path in state.glob("day=*")}
        assert {f"day={other}" for other in days[:number]} <= done <= {f"day={other}" for other in days}
    monkeypatch.undo()
    report = mine(logs, tmp_path / "out", SETTINGS, days=state)
    assert report["days_reused"] >= len(days) - 1
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert list((state / ".staging").iterdir()) == []


@pytest.mark.parametrize("by_days", [False, True])
def test_kills_at_random_moments_leave_the_old_tables_or_none_and_a_run_gives_the_same_bytes(
    tmp_path: Path, log_of: Callable[..., Path], by_days: bool
) -> None:
    logs, older = log_of(dict.fromkeys(DAYS, 0)), log_of(dict.fromkeys(DAYS[:4], 0))
    out, state = tmp_path / "out", tmp_path / "state" if by_days else None
    mine(older, out, SETTINGS)
    before = contents(out)
    started = time.perf_counter()
    mine(logs, tmp_path / "whole", SETTINGS, days=state)
    duration = time.perf_counter() - started
    whole = contents(tmp_path / "whole")
    moments, kills = random.Random(20261122), 0
    for quarter in range(4):
        child = fork(lambda: mine(logs, out, SETTINGS, days=state))
        # One moment in each quarter: were the later runs faster than the timed one, the first would still be in it.
        time.sleep((quarter + moments.random()) / 4 * duration)
        os.kill(child, signal.SIGKILL)
        kills += killed(child)
        assert not out.exists() or contents(out) in (before, whole)
    assert kills
    mine(logs, out, SETTINGS, days=state)
    assert contents(out) == whole
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith(".")} == set()
