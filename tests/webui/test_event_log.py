"""The log of widget events: whole lines, on the disk before anybody is told, bounded, and not to be forged."""

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.errors import KRError, UsageError
from webui.widgets.event_log import EventLog, Outcome
from webui.widgets.links import ShownLink

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def log_in(folder: Path, per_second: float = 1000, max_bytes: int = 10**6, clock: Any = lambda: 0.0) -> EventLog:
    return EventLog(folder, per_second, max_bytes, lambda: NOON, clock)


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "ubi-2026-11-22.ndjson").read_bytes().splitlines()]


def test_events_are_appended_with_their_time(tmp_path: Path) -> None:
    log = log_in(tmp_path / "new" / "events")
    assert log.append([{"n": 1}, {"n": 2}]) is Outcome.RECORDED and log.append([]) is Outcome.RECORDED
    log.append([{"n": 3}])
    found = lines(tmp_path / "new" / "events")
    assert [line["n"] for line in found] == [1, 2, 3]
    assert {line["timestamp"] for line in found} == {"2026-11-22T12:00:00.000Z"}


def test_every_event_was_forced_to_the_disk_before_the_call_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    real = os.fsync

    def note(handle: int) -> None:
        synced.append(os.fstat(handle).st_size)
        real(handle)

    monkeypatch.setattr("webui.widgets.event_log.os.fsync", note)
    log = log_in(tmp_path)
    for n in range(3):
        log.append([{"n": n}])
        assert (tmp_path / "ubi-2026-11-22.ndjson").stat().st_size in synced


def test_what_a_crash_left_half_written_spoils_no_other_line(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    log.append([{"n": 1}])
    with (tmp_path / "ubi-2026-11-22.ndjson").open("ab") as file:
        file.write(b'{"n": 2, "client')
    log.append([{"n": 3}])
    texts = (tmp_path / "ubi-2026-11-22.ndjson").read_bytes().splitlines()
    assert json.loads(texts[0])["n"] == 1 and json.loads(texts[2])["n"] == 3 and len(texts) == 3


def test_a_disk_that_takes_only_half_leaves_nothing_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = log_in(tmp_path)
    log.append([{"n": 1}])
    before = (tmp_path / "ubi-2026-11-22.ndjson").read_bytes()
    real = os.write
    calls: list[int] = []

    def full(handle: int, data: bytes) -> int:
        calls.append(handle)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return real(handle, data[:5])

    monkeypatch.setattr("webui.widgets.event_log.os.write", full)
    with pytest.raises(KRError, match="No space left"):
        log.append([{"n": 2}])
    assert (tmp_path / "ubi-2026-11-22.ndjson").read_bytes() == before


def test_rate_and_length_are_bounded(tmp_path: Path) -> None:
    time = [0.0]
    log = log_in(tmp_path / "rate", per_second=2, clock=lambda: time[0])
    assert [log.append([{}]).value for _ in range(3)] == ["recorded", "recorded", "over_rate"]
    time[0] = 0.5
    assert [log.append([{}]).value for _ in range(2)] == ["recorded", "over_rate"]
    small = log_in(tmp_path / "length", max_bytes=100)
    outcomes = [small.append([{"n": n}]) for n in range(10)]
    assert outcomes[0] is Outcome.RECORDED and outcomes[-1] is Outcome.FULL
    assert len(lines(tmp_path / "length")) == outcomes.count(Outcome.RECORDED)
    assert (tmp_path / "length" / "ubi-2026-11-22.ndjson").stat().st_size <= 100


def test_many_writers_at_once_lose_and_mix_nothing(tmp_path: Path) -> None:
    logs = [log_in(tmp_path) for _ in range(4)]
    assert len({log.secret for log in logs}) == 1

    def write(writer: int) -> None:
        for n in range(25):
            logs[writer].append([{"w": writer, "n": n, "text": "花" * 50}])

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(line["w"], line["n"]) for line in lines(tmp_path)} == {(w, n) for w in range(4) for n in range(25)}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="KR_WEB_EVENTS"):
        log_in(tmp_path / "file" / "events")


def test_the_secret_is_kept_and_nobody_elses(tmp_path: Path) -> None:
    assert log_in(tmp_path).secret == log_in(tmp_path).secret != log_in(tmp_path / "other").secret
    assert (tmp_path / ".link-secret").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.glob(".link-secret*")] == [".link-secret"]


LINKS = st.builds(
    ShownLink, st.sampled_from(["seeds", "related"]), st.text("0123456789abcdef", min_size=1), st.text("abc"),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=50), st.integers(1, 100), st.integers(0, 2**40),
)  # fmt: skip


@given(LINKS, st.data())
def test_a_link_reads_back_and_no_changed_one_does(link: ShownLink, data: st.DataObject) -> None:
    token = link.encode(b"secret")
    assert ShownLink.decode(token, b"secret") == link
    with pytest.raises(UsageError):
        ShownLink.decode(token, b"another")
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.characters(max_codepoint=300))
    try:
        changed = ShownLink.decode(token[:place] + letter + token[place + 1 :], b"secret")
    except UsageError:
        return
    # The last letter of base64 may hold bits that mean nothing.
    assert changed == link


@given(st.text(max_size=60))
def test_no_text_is_a_link(text: str) -> None:
    with pytest.raises(UsageError):
        ShownLink.decode(text, b"secret")
