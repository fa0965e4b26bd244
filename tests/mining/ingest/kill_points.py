"""Run by test_crashes.py in a process of its own: ingest, killed (SIGKILL) before every step that changes the disk.

Each attempt is a forked child of this process, which has no threads and no DuckDB of its own. Prints one JSON object a
kill point: whether a reader of the folder saw the old state whole, what the repeated run read, and whether its outcome
is the one of a run that was never interrupted.
"""

import functools
import hashlib
import json
import os
import pathlib
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mining.ingest import ingest, log_parts
from mining.ingest.adapters.tabular import Tabular


def digest(paths: list[Path], root: Path) -> str:
    content = hashlib.sha256()
    for path in sorted(paths):
        content.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return content.hexdigest()


def whole_tree(folder: Path) -> str:
    return digest([path for path in folder.rglob("*") if path.is_file()], folder)


def published(folder: Path) -> str:
    """What a reader sees: the state and the parts it names."""
    parts = [path for paths in log_parts(folder).values() for path in paths]
    return digest([*parts, folder / "ingest.json"], folder)


def in_child(work: Callable[[], Any]) -> int:
    """Run in a forked child; its exit code, or minus the signal that killed it."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_before(step: int) -> None:
    """From now on the process dies before its step-th change of the disk."""
    left = [step]

    def dying(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*arguments: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return call

    os.fsync = dying(os.fsync)
    setattr(shutil, "rmtree", dying(shutil.rmtree))  # noqa: B010
    for name in ("replace", "unlink", "mkdir", "rmdir"):
        setattr(pathlib.Path, name, dying(getattr(pathlib.Path, name)))


def names_read(log: Path) -> None:
    """From now on the name of each file that is read is written into a file."""
    original = Tabular.read

    def read(self: Any, item: Any, advance: Any) -> Any:
        with log.open("a") as file:
            file.write(item.name + "\n")
        return original(self, item, advance)

    Tabular.read = read  # type: ignore[method-assign]


def main(folder: Path) -> None:
    # A killed process, unlike a power cut, loses nothing that was written: the steps count, the waiting does not.
    os.fsync = lambda fd: None
    source, out, before, fresh = (folder / name for name in ("log", "out", "before", "fresh"))
    first, second = (folder / "v1", folder / "v2")
    run = functools.partial(ingest, "csv", source, max_rejected=1.0)

    shutil.copytree(first, source)
    assert in_child(functools.partial(run, before)) == 0
    shutil.rmtree(source)
    shutil.copytree(second, source)
    assert in_child(functools.partial(run, fresh)) == 0
    states = {published(before): "old", published(fresh): "new"}
    complete = whole_tree(fresh)

    log = folder / "names"

    def run_again() -> None:
        names_read(log)
        run(out)

    step = 0
    while True:
        step += 1
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(before, out)

        def attempt(step: int = step) -> None:
            killed_before(step)
            run(out)

        code = in_child(attempt)
        if code == 0:
            break
        staged = sorted(path.parent.name for path in out.glob(".ingest/staging/*/staged.json"))
        seen = states.get(published(out), "neither")
        log.write_text("")
        assert in_child(run_again) == 0
        read_again = log.read_text().split()
        outcome = {
            "step": step,
            "code": code,
            "seen": seen,
            "staged": len(staged),
            "read_again": len(read_again),
            "complete": whole_tree(out) == complete,
        }
        print(json.dumps(outcome), flush=True)


main(Path(sys.argv[1]))
