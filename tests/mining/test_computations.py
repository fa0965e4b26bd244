"""What runs beside the engine: each once, wherever there is room, and no failure is lost."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mining.click_neighbors
import mining.embeddings
from indexes.errors import KRError, UsageError
from mining.computations import Computations
from mining.mine import mine
from mining.settings import MiningSettings


def test_one_thread_computes_when_it_is_asked_and_in_the_order_of_asking() -> None:
    done: list[str] = []
    with Computations(1) as computations:
        first = computations.announce("first", lambda: done.append("first"))
        second = computations.announce("second", lambda: done.append("second"))
        assert done == []
        second.result()
        first.result()
    assert done == ["second", "first"]


def test_what_has_begun_is_waited_for_and_what_has_not_is_run_by_whoever_asks() -> None:
    released, begun = threading.Event(), threading.Event()

    def hold() -> threading.Thread:
        begun.set()
        assert released.wait(60)
        return threading.current_thread()

    with Computations(2) as computations:
        holding = computations.announce("holding", hold)
        waiting = computations.announce("waiting", threading.current_thread)
        assert begun.wait(60)
        # The one thread beside this one is taken.
        assert waiting.result() is threading.current_thread()
        released.set()
        assert holding.result() is not threading.current_thread()


def test_more_threads_run_more_at_once() -> None:
    together = threading.Barrier(3)
    with Computations(4) as computations:
        announced = [computations.announce(str(number), lambda: together.wait(60)) for number in range(3)]
        assert sorted(each.result() for each in announced) == [0, 1, 2]


def test_a_failure_is_told_with_its_stage_before_anybody_asks() -> None:
    ended = threading.Event()

    def fail() -> None:
        ended.set()
        raise ValueError("what went wrong")

    with Computations(2) as computations:
        failing = computations.announce("page term vectors", fail)
        assert ended.wait(60)
        with pytest.raises(ValueError, match="what went wrong") as failure:
            # The thread may be about to keep the error.
            while True:
                computations.raise_failures()
        assert failure.value.__notes__ == ["This was at the stage page term vectors."]
        with pytest.raises(ValueError, match="what went wrong"):
            failing.result()


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_for_people_stays_as_it_is_and_memory_that_ran_out_says_where(threads: int) -> None:
    def refuse() -> None:
        raise UsageError("A wrong thing.", "Use a right one.")

    def exhaust() -> None:
        raise MemoryError

    with Computations(threads) as computations:
        with pytest.raises(UsageError, match=r"^A wrong thing\. Use a right one\.$"):
            computations.announce("topics", refuse).result()
        with pytest.raises(MemoryError, match="at the stage topics: no more memory is given"):
            computations.announce("topics", exhaust).result()


def test_after_an_error_nothing_new_begins_and_nothing_outlives_the_block() -> None:
    released, begun = threading.Event(), threading.Event()
    done: list[str] = []

    def hold() -> None:
        begun.set()
        assert released.wait(60)
        done.append("running")

    with pytest.raises(KeyboardInterrupt), Computations(2) as computations:
        computations.announce("running", hold)
        waiting = computations.announce("waiting", lambda: done.append("waiting"))
        assert begun.wait(60) and waiting._running
        waiting._running.add_done_callback(lambda _: released.set())
        raise KeyboardInterrupt
    assert done == ["running"]


@pytest.fixture
def logs(tmp_path: Path, written_logs: Callable[..., Path], at: Callable[[float], Any]) -> Path:
    """A log of a few searches and clicks."""
    searches = [{"ts": at(minute), "user_id": f"u{minute % 3}", "query": f"q{minute % 4}"} for minute in range(24)]
    clicks = [row | {"url": f"p{number % 5}"} for number, row in enumerate(searches)]
    return written_logs(tmp_path / "logs", {"searches": searches, "clicks": clicks})


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("module", "function", "stage"),
    [
        (mining.click_neighbors, "choose_neighbors", "click clusters"),
        (mining.embeddings, "train", "term vectors and topics"),
    ],
)
def test_a_computation_without_memory_is_named_and_leaves_nothing_behind(
    threads: int,
    module: Any,
    function: str,
    stage: str,
    logs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def exhaust(*_: object) -> None:
        raise MemoryError("Unable to allocate 7 GiB")

    monkeypatch.setattr(module, function, exhaust)
    with pytest.raises(KRError, match=f"not enough memory .* at the stage {stage}: Unable to allocate 7 GiB") as error:
        mine(logs, tmp_path / "mined", MiningSettings(threads=threads))
    assert "window_days" in error.value.remedy
    assert {path.name for path in tmp_path.iterdir()} == {"logs"}
