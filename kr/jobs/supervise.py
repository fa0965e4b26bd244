"""The process that stays beside a job's command: `python -I supervise.py FOLDER`, standard library only.

It leaves whoever started it, runs the command that FOLDER/command.json names, writes what it prints with the time into
FOLDER/log.txt, and at the end its exit code into FOLDER/exit.json. While it lives it holds a lock on FOLDER/lock, which
the kernel drops when it dies, so that nobody has to trust a process number. SIGTERM cancels.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import BinaryIO

PATIENCE_SECONDS = 10.0
"""How long a cancelled command may take to end by itself."""
MOST_LOG_BYTES = 10_000_000
_LONGEST_LINE = 4_000
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def main(folder: Path) -> int:
    """Take the lock, leave the starter, run the command."""
    lock = os.open(folder / "lock.new", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    # Under its name it is never seen unlocked while this process lives.
    (folder / "lock.new").rename(folder / "lock")
    if os.fork():
        return 0  # the lock is the child's too
    os.setsid()
    quiet = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(quiet, descriptor)
    code, cancelled = _run(folder)
    ended = {"exit_code": code, "cancelled": cancelled, "ended_at": datetime.now(UTC).isoformat()}
    _write(folder / "exit.json", ended)
    return 0


def _run(folder: Path) -> tuple[int, bool]:
    command = json.loads((folder / "command.json").read_text(encoding="utf-8"))
    cancelled = threading.Event()
    process: subprocess.Popen[bytes] | None = None

    def cancel(number: int, frame: FrameType | None) -> None:
        cancelled.set()
        if process is not None:
            _signal_group(process, signal.SIGTERM)
            timer = threading.Timer(PATIENCE_SECONDS, _signal_group, (process, signal.SIGKILL))
            timer.daemon = True
            timer.start()

    signal.signal(signal.SIGTERM, cancel)
    with (folder / "log.txt").open("ab") as log:
        try:
            process = subprocess.Popen(
                command["arguments"],
                cwd=command["folder"],
                env={**os.environ, **command["environment"]},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=_die_with_parent,
            )
        except OSError as error:
            log.write(f"{_now()} cannot be started: {error}\n".encode())
            return 127, False
        _write(folder / "process.json", {"supervisor": os.getpid(), "command": process.pid})
        if cancelled.is_set():
            _signal_group(process, signal.SIGTERM)
        assert process.stdout is not None
        reader = threading.Thread(target=_copy, args=(process.stdout, log))
        reader.start()
        code = process.wait()
        # What the command left running would keep the log open.
        _signal_group(process, signal.SIGKILL)
        reader.join()
    return code, cancelled.is_set()


def _copy(lines: BinaryIO, log: BinaryIO) -> None:
    written = 0
    for line in iter(lambda: lines.readline(_LONGEST_LINE), b""):
        if written > MOST_LOG_BYTES:
            continue
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        written += log.write(f"{_now()} {text}\n".encode())
        if written > MOST_LOG_BYTES:
            log.write(f"{_now()} the log ends here: it is too long\n".encode())
        log.flush()


def _signal_group(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # it is over
        os.killpg(process.pid, number)


def _die_with_parent() -> None:
    """Let the kernel end the command when this process is killed: nothing may run that nobody watches."""
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _write(path: Path, document: dict[str, object]) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
