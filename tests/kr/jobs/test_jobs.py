"""Jobs are processes of their own whose state is found again by whoever asks; only known commands run."""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from indexes.errors import UsageError
from kr.jobs import runs
from kr.jobs.kinds import JobPlan, plan_job
from kr.jobs.runs import (
    AlreadyRunning,
    cancel_job,
    find_job,
    is_alive,
    job_folder,
    jobs,
    log_tail,
    needs_refresh,
    refresh,
    start_job,
)
from kr.settings import Settings
from kr.store import Database, open_database
from kr.store.accounts import create_organisation
from kr.store.control_versions import Author
from kr.store.migrating import upgrade
from kr.store.operator_schema import Job, JobKind, JobState

WAIT_SECONDS = 300


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/kr.db")
    upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture
def author(database: Database) -> Author:
    now = datetime.now(UTC)
    with database.writing() as session:
        return Author(create_organisation(session, "platform", now, is_platform=True).id, None, now)


@pytest.fixture
def settings(tiny_store: Path, tmp_path: Path) -> Settings:
    shutil.copytree(tiny_store, tmp_path / "work" / "store", copy_function=shutil.copy)
    return Settings(store=tmp_path / "work" / "store")


def wait(settings: Settings, job_id: str) -> None:
    """Until the process beside the job is gone: its lock can be had."""
    import fcntl

    lock = os.open(job_folder(settings, job_id) / "lock", os.O_RDWR)
    old = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("the job does not end"))
    signal.alarm(WAIT_SECONDS)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)
        os.close(lock)


def ended(database: Database, settings: Settings, job_id: str) -> Job:
    wait(settings, job_id)
    with database.writing() as session:
        refresh(session, settings, datetime.now(UTC))
        return find_job(session, job_id)


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Every job runs a script that says that it runs, through a pipe, and never ends by itself."""
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    script = tmp_path / "endless.py"
    script.write_text(
        f"import signal\nprint('begun', flush=True)\nopen({str(ready)!r}, 'w').write('x')\nsignal.pause()\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(runs, "_MANAGE", script)
    return ready


def begun(ready: Path) -> None:
    """Until the script has said that it runs."""
    pipe = os.open(ready, os.O_RDONLY | os.O_NONBLOCK)
    assert select.select([pipe], [], [], WAIT_SECONDS)[0]
    os.close(pipe)


def processes(settings: Settings, job_id: str) -> dict[str, int]:
    found: dict[str, int] = json.loads((job_folder(settings, job_id) / "process.json").read_text())
    return found


def test_verifying_finds_a_changed_byte(database: Database, settings: Settings, author: Author) -> None:
    whole = ended(database, settings, start_job(database, settings, "verify", {}, author))
    assert whole.state == JobState.SUCCEEDED and whole.exit_code == 0 and whole.ended_at
    assert "whole:" in log_tail(settings, whole.id)
    (snapshot,) = (settings.store / "snapshots").iterdir()
    victim = max(snapshot.rglob("*.npy"), key=lambda path: path.stat().st_size)
    victim.chmod(0o644)
    content = bytearray(victim.read_bytes())
    content[-1] ^= 1
    victim.write_bytes(content)
    damaged = ended(database, settings, start_job(database, settings, "verify", {"snapshot": snapshot.name}, author))
    assert damaged.state == JobState.FAILED and damaged.exit_code == 4
    assert victim.name in log_tail(settings, damaged.id)
    assert all(line[:2] == "20" and line[19] == "Z" for line in log_tail(settings, damaged.id).splitlines())


def test_one_of_a_kind_runs_and_can_be_cancelled(
    database: Database, settings: Settings, author: Author, endless: Path
) -> None:
    job_id = start_job(database, settings, "verify", {}, author)
    begun(endless)
    with pytest.raises(AlreadyRunning, match="running already"):
        start_job(database, settings, "verify", {}, author)
    assert is_alive(job_folder(settings, job_id))
    with database.writing() as session:
        assert needs_refresh(session) and refresh(session, settings, datetime.now(UTC)) == 0
        cancel_job(session, settings, job_id, author)
    job = ended(database, settings, job_id)
    assert job.state == JobState.CANCELLED and job.exit_code == -signal.SIGTERM and job.cancelled_at
    assert "begun" in log_tail(settings, job_id)
    with database.writing() as session:
        assert not needs_refresh(session)
        with pytest.raises(UsageError, match="not running"):
            cancel_job(session, settings, job_id, author)


def test_a_command_that_is_killed_is_a_failure(
    database: Database, settings: Settings, author: Author, endless: Path
) -> None:
    job_id = start_job(database, settings, "verify", {}, author)
    begun(endless)
    os.kill(processes(settings, job_id)["command"], signal.SIGKILL)
    job = ended(database, settings, job_id)
    assert job.state == JobState.FAILED and job.exit_code == -signal.SIGKILL


def test_when_all_of_a_job_is_killed_it_counts_as_lost_and_the_next_may_run(
    database: Database, settings: Settings, author: Author, endless: Path
) -> None:
    job_id = start_job(database, settings, "verify", {}, author)
    begun(endless)
    found = processes(settings, job_id)
    os.kill(found["supervisor"], signal.SIGKILL)
    job = ended(database, settings, job_id)
    assert job.state == JobState.LOST and job.exit_code is None
    again = start_job(database, settings, "verify", {}, author)
    begun(endless)
    with database.writing() as session:
        cancel_job(session, settings, again, author)
    assert ended(database, settings, again).state == JobState.CANCELLED
    with database.reading() as session:
        assert [job.id for job in jobs(session)][:2] in ([again, job_id], [job_id, again])


def test_a_job_that_has_no_process_yet_is_not_lost_but_later_is(
    database: Database, settings: Settings, author: Author
) -> None:
    plan = JobPlan(JobKind.VERIFY, {}, ())
    with database.writing() as session:
        runs._insert(session, "x" * 22, plan, author)
        assert refresh(session, settings, author.now + timedelta(seconds=1)) == 0
        assert refresh(session, settings, author.now + timedelta(minutes=1)) == 1
        assert find_job(session, "x" * 22).state == JobState.LOST


@pytest.mark.parametrize(
    ("kind", "given", "told"),
    [
        ("shell", {}, "no job"),
        ("verify", {"path": "/etc"}, "takes no 'path'"),
        ("verify", {"snapshot": "../../etc"}, "no snapshot"),
        ("verify", {"snapshot": "0" * 16}, "holds no"),
        ("mine", {"logs": "../logs"}, "no name"),
        ("mine", {"logs": "/etc"}, "no name"),
        ("mine", {"logs": "-x"}, "no name"),
        ("mine", {"logs": "."}, "no name"),
        ("mine", {"logs": "missing"}, "no folder"),
        ("mine", {"logs": "away"}, "leads out"),
        ("mine", {"logs": "here", "out": "here"}, "something else"),
        ("mine", {"logs": "here", "out": "store"}, "something else"),
        ("mine", {"logs": "here; rm -rf /"}, "no name"),
        ("build", {"mined": ""}, "no name"),
        ("publish", {"snapshot": "0" * 16}, "not in incoming"),
        ("rollback", {"snapshot": ""}, "no snapshot"),
    ],
)
def test_only_known_commands_with_checked_parameters_run(
    settings: Settings, tmp_path: Path, kind: str, given: dict[str, str], told: str
) -> None:
    (tmp_path / "work" / "here").mkdir()
    (tmp_path / "work" / "away").symlink_to("/etc")
    with pytest.raises(UsageError, match=told):
        plan_job(kind, given, settings)


def test_the_commands_are_those_of_the_command_line(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "work" / "logs").mkdir()
    plan = plan_job("mine", {"logs": "logs", "days": "1"}, settings)
    work = str((tmp_path / "work").resolve())
    assert plan.arguments == ("mine", "--logs", f"{work}/logs", "--out", f"{work}/mined", "--days", f"{work}/days-logs")
    assert plan.parameters == {"logs": "logs", "out": "mined", "days": "1"}
    (snapshot,) = (path.name for path in (settings.store / "snapshots").iterdir())
    assert plan_job("rollback", {"snapshot": snapshot}, settings).arguments[:4] == (
        "index",
        "rollback",
        "--to",
        snapshot,
    )


SERVER = """
import signal, sys
from datetime import UTC, datetime
from pathlib import Path
from kr.jobs import runs
from kr.settings import Settings
from kr.store import open_database
from kr.store.control_versions import Author
database, store, script, organisation = sys.argv[1:]
runs._MANAGE = Path(script)
author = Author(organisation, None, datetime.now(UTC))
job = runs.start_job(open_database(database), Settings(store=Path(store)), "mine", {"logs": "logs"}, author)
print(job, flush=True)
signal.pause()
"""
WAITS = """
import os, sys
open({ready!r}, "w").write("x")
open({go!r}).read()
os.execv(sys.executable, [sys.executable, {manage!r}, *sys.argv[1:]])
"""


def test_mining_goes_on_when_the_server_that_started_it_is_killed(
    database: Database, settings: Settings, author: Author, tmp_path: Path
) -> None:
    manage, work = Path(runs._MANAGE), tmp_path / "work"
    log = tmp_path / "searches.csv"
    queries = ["flowers", "flower delivery", "birthday cake"]
    rows = [
        f"{user}-{place},2024-01-{1 + user:02d}T10:{place:02d}:00Z,u{user},{query}"
        for user in range(20)
        for place, query in enumerate(queries)
    ]
    log.write_text("search_id,ts,user_id,query\n" + "\n".join(rows) + "\n", encoding="utf-8")
    ingest = ["ingest", "csv", str(log), "--table", "searches", "--out", str(work / "logs")]
    subprocess.run([sys.executable, str(manage), *ingest], check=True, capture_output=True)
    ready, go, script = (tmp_path / name for name in ("ready", "go", "waits.py"))
    os.mkfifo(ready)
    os.mkfifo(go)
    script.write_text(WAITS.format(ready=str(ready), go=str(go), manage=str(manage)), encoding="utf-8")
    url = database.engine.url.render_as_string(hide_password=False)
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, url, str(settings.store), str(script), author.organisation_id],
        cwd=manage.parent,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert server.stdout is not None
    job_id = server.stdout.readline().strip()
    begun(ready)
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()
    server.stdout.close()

    with database.writing() as session:
        assert refresh(session, settings, datetime.now(UTC)) == 0
        assert find_job(session, job_id).state == JobState.RUNNING and is_alive(job_folder(settings, job_id))
    go.write_text("go", encoding="utf-8")
    job = ended(database, settings, job_id)
    assert job.state == JobState.SUCCEEDED and job.exit_code == 0, log_tail(settings, job_id)
    mined = pq.read_table(work / "mined" / "keyword_statistics.parquet")
    assert set(mined["keyword"].to_pylist()) == set(queries)
    # What was mined can be built from the next job on.
    assert plan_job("build", {"mined": "mined"}, settings).parameters == {"mined": "mined"}
