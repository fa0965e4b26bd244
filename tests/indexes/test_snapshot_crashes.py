"""Publishers that are killed, race, or run out of disk never leave a bad snapshot to be served."""

import errno
import itertools
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

from indexes.errors import KRError, TryAgainError
from indexes.snapshot import current, list_snapshots, open_snapshot, publish, rollback, stage, verify, verify_current

KILLS = 200
PUBLISHED, RAN_OUT, BUSY = 0, 10, 75


def publish_number(store: Path, number: int, keep: int = 2) -> str:
    with stage(store) as staged:
        for name in ("a.npy", "c.npy"):
            np.save(staged / name, np.full(3000, number))
        (staged / "number.json").write_text(json.dumps(number))
        return publish(store, staged, built_from={"number": number}, keep=keep)


def fork(act: Callable[[], object]) -> int:
    """The process id of a child that acts and exits; its exit code tells how it went."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        return child
    code = 1
    try:
        act()
        code = PUBLISHED
    except TryAgainError as error:
        code = error.exit_code
    except KRError as error:
        code = RAN_OUT if "no room" in error.message else 1
    finally:
        os._exit(code)


def exit_code(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def assert_whole(store: Path, allowed: set[int]) -> int:
    """The store is whole, every snapshot in it too, and the one served is allowed; returns its number."""
    snapshot = open_snapshot(store)
    assert verify_current(store) == []
    for row in list_snapshots(store):
        assert verify(store, row.id) == []
    number = snapshot.json("number.json")
    assert number in allowed
    assert snapshot.manifest.built_from == {"number": number}
    assert set(snapshot.array("c.npy").tolist()) == {number}
    return number


def test_two_hundred_kills_at_random_moments_leave_the_old_or_the_new_snapshot(tmp_path: Path) -> None:
    publish_number(tmp_path, 0)
    durations = []
    for number in range(1, 6):
        started = time.perf_counter()
        assert exit_code(fork(partial(publish_number, tmp_path, number))) == PUBLISHED
        durations.append(time.perf_counter() - started)
    span = 1.3 * sorted(durations)[len(durations) // 2]
    moments = random.Random(20261121)
    served, outcomes = 5, {"old": 0, "new": 0}
    for number in range(6, 6 + KILLS):
        child = fork(partial(publish_number, tmp_path, number))
        time.sleep(moments.uniform(0, span))
        os.kill(child, signal.SIGKILL)
        exit_code(child)
        now = assert_whole(tmp_path, {served, number})
        outcomes["new" if now == number else "old"] += 1
        served = now
    assert min(outcomes.values()) > 0, f"the kills did not span the publish: {outcomes}"
    publish_number(tmp_path, 1)
    assert list((tmp_path / "staging").iterdir()) == []
    assert len(list_snapshots(tmp_path)) == 2


@pytest.mark.slow
def test_a_kill_before_any_line_of_the_publishing_code_leaves_the_old_or_the_new_snapshot(tmp_path: Path) -> None:
    publish_number(tmp_path, 0)
    publish_number(tmp_path, 1)
    for at_line in itertools.count(1):
        code = exit_code(fork(partial(_killed_at_line, at_line, partial(publish_number, tmp_path, 2))))
        served = assert_whole(tmp_path, {1, 2})
        if code != -signal.SIGKILL:
            break
        # The next publisher clears what the dead one left.
        publish_number(tmp_path, 1)
        assert list((tmp_path / "staging").iterdir()) == []
    assert code == PUBLISHED and served == 2
    assert at_line > 200


def test_a_kill_before_any_line_of_a_rollback_leaves_one_of_the_two(tmp_path: Path) -> None:
    publish_number(tmp_path, 0)
    newer = publish_number(tmp_path, 1)
    for at_line in itertools.count(1):
        code = exit_code(fork(partial(_killed_at_line, at_line, partial(rollback, tmp_path))))
        served = assert_whole(tmp_path, {0, 1})
        if code != -signal.SIGKILL:
            break
        if served == 0:
            rollback(tmp_path, to=newer)
    assert code == PUBLISHED and served == 0
    assert at_line > 50


def _killed_at_line(at_line: int, act: Callable[[], object]) -> None:
    """Act, and die by SIGKILL before the given line (counted as they run) of indexes/snapshot*.py."""
    lines = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal lines
        if "indexes/snapshot" not in frame.f_code.co_filename.replace(os.sep, "/"):
            return None
        if event == "line":
            lines += 1
            if lines == at_line:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    act()


def test_a_reader_that_never_rests_sees_only_whole_snapshots(tmp_path: Path) -> None:
    publish_number(tmp_path, 0)

    def publish_many() -> None:
        for number in range(1, 60):
            publish_number(tmp_path, number, keep=1)

    child = fork(publish_many)
    seen = set()
    while not (status := os.waitpid(child, os.WNOHANG))[0]:
        snapshot = open_snapshot(tmp_path)
        number = snapshot.json("number.json")
        assert set(snapshot.array("a.npy").tolist()) == set(snapshot.array("c.npy").tolist()) == {number}
        seen.add(number)
    assert os.waitstatus_to_exitcode(status[1]) == PUBLISHED
    assert len(seen) > 1
    assert_whole(tmp_path, {59})


def test_many_publishers_at_once_publish_whole_or_are_told_to_try_again(tmp_path: Path) -> None:
    publish_number(tmp_path, 0)
    children = {fork(partial(publish_number, tmp_path, number)): number for number in range(1, 9)}
    codes = {number: exit_code(child) for child, number in children.items()}
    assert set(codes.values()) <= {PUBLISHED, BUSY}
    assert_whole(tmp_path, {number for number, code in codes.items() if code == PUBLISHED})


def test_publishers_that_wait_for_each_other_all_succeed(tmp_path: Path) -> None:
    def publish_waiting(number: int) -> None:
        with stage(tmp_path) as staged:
            (staged / "number.json").write_text(json.dumps(number))
            publish(tmp_path, staged, built_from={"number": number}, wait_seconds=30)

    children = [fork(partial(publish_waiting, number)) for number in range(6)]
    assert [exit_code(child) for child in children] == [PUBLISHED] * 6
    assert open_snapshot(tmp_path).id == current(tmp_path)


def test_the_lock_of_a_dead_publisher_is_free(tmp_path: Path) -> None:
    publish_number(tmp_path, 0)
    read_end, write_end = os.pipe()

    def hold_the_lock_for_ever() -> None:
        from indexes.snapshot_store import publish_lock

        with publish_lock(tmp_path):
            os.write(write_end, b"held")
            signal.pause()

    child = fork(hold_the_lock_for_ever)
    assert os.read(read_end, 4) == b"held"
    with pytest.raises(TryAgainError):
        publish_number(tmp_path, 1)
    os.kill(child, signal.SIGKILL)
    exit_code(child)
    publish_number(tmp_path, 1)
    assert_whole(tmp_path, {1})


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 400 KiB, which needs the right to mount."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"cannot mount a small file system: {getattr(error, 'stderr', error)!r}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_is_full_at_any_point_of_publishing_leaves_the_store_whole(small_disk: Path) -> None:
    store, filler = small_disk / "store", small_disk / "filler"
    publish_number(store, 0)
    served, number, ran_out, free_pages = 0, 1, 0, 0
    while served == 0:
        with filler.open("wb") as file:
            free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
            os.posix_fallocate(file.fileno(), 0, free - 4096 * free_pages)
        try:
            publish_number(store, number)
        except KRError as error:
            assert "no room to write" in error.message and "Free some space" in error.remedy
            ran_out += 1
            assert list((store / "staging").iterdir()) == []
            assert len(list_snapshots(store)) == 1
        filler.unlink()
        served = assert_whole(store, {0, number})
        number, free_pages = number + 1, free_pages + 1
    assert ran_out >= 10


def test_a_write_that_fails_anywhere_leaves_the_store_whole(tmp_path: Path) -> None:
    """The same without the right to mount: a limit on the size of the files that the child may write."""
    publish_number(tmp_path, 0)

    def publish_under(limit: int) -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        publish_number(tmp_path, 1)

    codes = []
    for limit in (0, 1, 100, 300, 500, 800, 10_000, 1_000_000):
        codes.append(exit_code(fork(partial(publish_under, limit))))
        if codes[-1] != PUBLISHED:
            assert_whole(tmp_path, {0})
            assert list((tmp_path / "staging").iterdir()) == []
    assert codes == [RAN_OUT] * 7 + [PUBLISHED]
    assert_whole(tmp_path, {1})


def test_a_disk_error_at_any_fsync_leaves_the_old_or_the_new_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_fsync = os.fsync
    for failing_call in itertools.count(1):
        calls = 0

        def fsync(descriptor: int) -> None:
            nonlocal calls
            calls += 1
            if calls == failing_call:  # noqa: B023
                raise OSError(errno.ENOSPC, "No space left on device")
            really_fsync(descriptor)

        monkeypatch.undo()
        publish_number(tmp_path, 0)
        monkeypatch.setattr(os, "fsync", fsync)
        try:
            publish_number(tmp_path, failing_call)
            break
        except KRError as error:
            assert "no room" in error.message
            assert_whole(tmp_path, {0, failing_call})
    assert_whole(tmp_path, {failing_call})
    assert failing_call > 8
