"""Starting, watching and cancelling jobs. What is known of a job is in the database and in its folder, not in memory.

One of a kind runs at a time: the database itself refuses a second. Jobs go on when the server stops, and are found
again by whatever process asks next.
"""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import kr
from indexes.errors import KRError, UsageError
from kr.audit.stored_lists import decode_lists
from kr.jobs import supervise
from kr.jobs.kinds import JOBS, JobPlan, plan_job, work_folder
from kr.settings import Settings
from kr.store.accounts import NoSuchRecord, record
from kr.store.control_versions import Author, live
from kr.store.database import Database
from kr.store.operator_schema import Control, Job, JobState
from kr.store.schema import new_id

LOG_TAIL_BYTES = 20_000
STARTING = timedelta(seconds=30)
"""Within this time after its row was written a job may have no process yet."""
_LAUNCH_SECONDS = 30
_MANAGE = Path(kr.__file__).resolve().parents[1] / "manage.py"


class AlreadyRunning(UsageError):
    """One of this kind runs already."""

    http_status = 409


def start_job(database: Database, settings: Settings, kind: str, given: dict[str, str], author: Author) -> str:
    """Start a job as a process of its own; return its identifier.

    AlreadyRunning; UsageError as `plan_job`; KRError if no process can be made.
    """
    job_id = new_id()
    folder = job_folder(settings, job_id)
    with database.reading() as session:
        in_force = live(session, Control.LEXICONS)
    lists = decode_lists(in_force.content) if in_force else ()
    files = tuple(folder / f"lexicon-{number}.txt" for number in range(1, len(lists) + 1))
    plan = plan_job(kind, given, settings, files)
    with database.writing() as session:
        refresh(session, settings, author.now)
        _insert(session, job_id, plan, author)
        what = json.dumps(plan.parameters, ensure_ascii=False)
        record(
            session, author.organisation_id, author.user, "job.started", f"{plan.kind} {job_id}", author.now, after=what
        )
    try:
        folder.mkdir(parents=True, mode=0o700)
        for path, each in zip(files, lists, strict=True):
            path.write_text(each.text, encoding="utf-8")
        _launch(folder, plan)
    except (OSError, subprocess.SubprocessError) as error:
        with database.writing() as session:
            _end(find_job(session, job_id), JobState.FAILED, author.now, 127)
        raise KRError(f"The job could not be started: {error}.", "Check the work folder and the machine.") from error
    return job_id


def jobs(session: Session, most: int = 50) -> Sequence[Job]:
    """The latest jobs, the newest first; as they were last refreshed."""
    return list(session.scalars(select(Job).order_by(Job.created_at.desc(), Job.id).limit(most)))


def find_job(session: Session, job_id: str) -> Job:
    """One job. NoSuchRecord."""
    found = session.get(Job, job_id)
    if found is None:
        raise NoSuchRecord("There is no such job.")
    return found


def refresh(session: Session, settings: Settings, now: datetime) -> int:
    """Write down what became of the jobs of this machine that ran; return how many ended."""
    running = session.scalars(
        select(Job).where(Job.state == JobState.RUNNING, Job.host == socket.gethostname()).with_for_update()
    )
    ended = 0
    for job in running.all():
        folder = job_folder(settings, job.id)
        if outcome := _outcome(folder):
            code = int(outcome["exit_code"])
            state = JobState.SUCCEEDED if code == 0 else JobState.CANCELLED if outcome["cancelled"] else JobState.FAILED
            _end(job, state, datetime.fromisoformat(outcome["ended_at"]), code)
        elif not is_alive(folder) and now - job.created_at > (timedelta(0) if (folder / "lock").exists() else STARTING):
            # Between our two looks it may have written its outcome and died.
            if _outcome(folder):
                continue
            _end(job, JobState.LOST, now, None)
        else:
            continue
        ended += 1
    session.flush()
    return ended


def needs_refresh(session: Session) -> bool:
    """Whether a job of this machine ran when it was last looked at: readers ask before they write."""
    running = select(Job.id).where(Job.state == JobState.RUNNING, Job.host == socket.gethostname())
    return session.scalar(running.limit(1)) is not None


def cancel_job(session: Session, settings: Settings, job_id: str, author: Author) -> None:
    """Ask a job to end. UsageError if it does not run, or runs on another machine."""
    refresh(session, settings, author.now)
    job = find_job(session, job_id)
    if job.state != JobState.RUNNING:
        raise UsageError("The job is not running: it {state}.", "Nothing has to be cancelled.", state=job.state)
    if job.host != socket.gethostname():
        raise UsageError("The job runs on {host}.", "Cancel it there.", host=job.host)
    folder = job_folder(settings, job_id)
    try:
        process = json.loads((folder / "process.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UsageError("The job is only just starting.", "Cancel it in a moment.") from None
    job.cancelled_at = author.now
    record(session, author.organisation_id, author.user, "job.cancelled", f"{job.kind} {job_id}", author.now)
    if is_alive(folder):
        os.kill(int(process["supervisor"]), signal.SIGTERM)


def log_tail(settings: Settings, job_id: str, most: int = LOG_TAIL_BYTES) -> str:
    """The end of what a job printed, whole lines, each with its time (UTC); empty if it printed nothing."""
    path = job_folder(settings, job_id) / "log.txt"
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - most))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return text if size <= most else text.partition("\n")[2]


def job_folder(settings: Settings, job_id: str) -> Path:
    """Where a job's files lie."""
    return work_folder(settings) / JOBS / job_id


def is_alive(folder: Path) -> bool:
    """Whether the process beside a job's command lives: it holds the lock as long as it does."""
    try:
        lock = os.open(folder / "lock", os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(lock)


def _insert(session: Session, job_id: str, plan: JobPlan, author: Author) -> None:
    job = Job(
        id=job_id,
        kind=plan.kind.value,
        state=JobState.RUNNING.value,
        holds_kind=plan.kind.value,
        parameters=json.dumps(plan.parameters, ensure_ascii=False),
        host=socket.gethostname(),
        user_id=author.user_id,
        created_at=author.now,
    )
    try:
        with session.begin_nested():
            session.add(job)
            session.flush()
    except IntegrityError:
        raise AlreadyRunning(
            "A job {kind} is running already.", "Wait until it is done, or cancel it.", kind=plan.kind
        ) from None


def _launch(folder: Path, plan: JobPlan) -> None:
    command: dict[str, Any] = {
        "arguments": [sys.executable, str(_MANAGE), *plan.arguments],
        "folder": str(_MANAGE.parent),
        # A job is nobody's terminal, and must not count as a worker of the server that started it.
        "environment": {"PYTHONUNBUFFERED": "1", "PROMETHEUS_MULTIPROC_DIR": "", "TERM": "dumb"},
    }
    (folder / "command.json").write_text(json.dumps(command), encoding="utf-8")
    subprocess.run(
        [sys.executable, "-I", supervise.__file__, str(folder)],
        check=True,
        timeout=_LAUNCH_SECONDS,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def _outcome(folder: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads((folder / "exit.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def _end(job: Job, state: JobState, at: datetime, code: int | None) -> None:
    job.state, job.ended_at, job.exit_code, job.holds_kind = state.value, at.astimezone(UTC), code, None
