"""Work that runs beside the main line of mining and of the build, on the cores that it leaves idle.

Mining asks one engine, step by step, in the order of the program. What is computed of arrays in between (clusters,
similarities, term vectors) is a function of its arguments alone: it is announced as soon as those are known and asked
for when its turn to be written has come. Until then a thread may have run it; whoever asks for one that has not begun
runs it there and then. So the order of what is written, and every byte of it, is the same with any number of threads,
and one thread is the serial program. The build writes its largest part, the neighbours, the same way.

Threads and not processes: the kernels, numpy, scipy and gensim's training release the interpreter's lock, and the
engine hardly needs it.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from indexes.errors import KRError

Result = TypeVar("Result")


class Computation(Generic[Result]):
    """One computation that was announced; `result` gives what it returned, and is to be asked for once."""

    def __init__(self, stage: str, compute: Callable[[], Result]) -> None:
        self.stage = stage
        self._compute: Callable[[], Result] | None = compute
        self._running: Future[Result] | None = None

    def begin(self, pool: ThreadPoolExecutor) -> None:
        """Let a thread of the pool run it when one is free."""
        self._running = pool.submit(self._run)

    def result(self) -> Result:
        """What it returned, run here if it has not begun; raises what it raised, with the stage's name."""
        running, self._running = self._running, None
        if running is None or running.cancel():
            return self._run()
        return running.result()

    def raise_failure(self) -> None:
        """Raise what it raised if it has failed already."""
        if self._running and self._running.done() and not self._running.cancelled():
            self._running.result()

    def _run(self) -> Result:
        compute, self._compute = self._compute, None
        assert compute is not None, "a computation runs once"
        try:
            return compute()
        except MemoryError as error:
            raise MemoryError(f"at the stage {self.stage}: {str(error) or 'no more memory is given'}") from error
        except KRError:
            raise
        except Exception as error:
            error.add_note(f"This was at the stage {self.stage}.")
            raise


class Computations:
    """A context manager: at most `threads` − 1 computations at once beside whoever asks; none outlives the block.

    When the block ends with an error, nothing that has not begun will.
    """

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads - 1, "computation") if threads > 1 else None
        self._announced: list[Computation[Any]] = []

    def announce(self, stage: str, compute: Callable[[], Result]) -> Computation[Result]:
        """A computation that may begin now; it owns what `compute` refers to, and lets go of it when it has run."""
        computation = Computation(stage, compute)
        if self._pool:
            computation.begin(self._pool)
            self._announced.append(computation)
        return computation

    def raise_failures(self) -> None:
        """Raise the error of a computation that has failed, rather than when its result is asked for."""
        for computation in self._announced:
            computation.raise_failure()

    def __enter__(self) -> "Computations":
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
