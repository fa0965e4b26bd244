"""Mining on a real standalone Spark cluster on loopback: the same tables, whole or with a worker killed on the way."""

import hashlib
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
READY_SECONDS = 300
STOP_SECONDS = 120
MEMORY = "memory_mb=512"

KILLING_RUN = """
import os, signal, sys, threading
from pathlib import Path
from mining.engines.spark_engine import SparkEngine
from mining.mine import mine
from mining.settings import mining_settings

master, logs, out, memory, worker = sys.argv[1:]
materialise = SparkEngine.materialise
steps, mined = [], threading.Event()

def kill_once_tasks_run(tracker):
    while not mined.is_set():
        for stage in tracker.getActiveStageIds():
            info = tracker.getStageInfo(stage)
            if info and info.numActiveTasks:
                os.killpg(int(worker), signal.SIGKILL)
                print("killed at step", len(steps), "while tasks ran:", info.numActiveTasks)
                return

def watched(engine, name, expression):
    steps.append(name)
    if len(steps) == 6:
        tracker = engine._session.sparkContext.statusTracker()
        threading.Thread(target=kill_once_tasks_run, args=(tracker,)).start()
    return materialise(engine, name, expression)

SparkEngine.materialise = watched
try:
    mine(Path(logs), Path(out), mining_settings([memory]), master)
finally:
    mined.set()
print("steps in all:", len(steps))
"""


class SparkProcess:
    """A master or a worker in a process group of its own, with its messages."""

    def __init__(self, folder: Path, *command: str) -> None:
        import pyspark

        home = Path(pyspark.__file__).parent
        environment = os.environ | {"SPARK_HOME": str(home), **LOOPBACK, "SPARK_DAEMON_MEMORY": "256m"}
        self.process = subprocess.Popen(
            [str(home / "bin" / "spark-class"), *command],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self._lines.put(line)
        self._lines.put(None)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first message that a pattern matches; fails if the process ends or is not ready in time."""
        deadline = time.monotonic() + READY_SECONDS
        seen = []
        while (line := self._lines.get(timeout=max(0.0, deadline - time.monotonic()))) is not None:
            seen.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError("".join(seen))

    def stop(self) -> None:
        """End the process and what it started, executors of a worker among them."""
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(STOP_SECONDS)
        except ProcessLookupError:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(STOP_SECONDS)
        self._reader.join()
        assert self.process.stderr
        self.process.stderr.close()


LOOPBACK = {"SPARK_LOCAL_IP": "127.0.0.1"}
ANY_PORTS = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0")


@contextmanager
def running(folder: Path, *command: str) -> Iterator[SparkProcess]:
    spark = SparkProcess(folder, *command)
    try:
        yield spark
    finally:
        spark.stop()


@pytest.fixture(scope="module")
def master(spark_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a master."""
    folder = tmp_path_factory.mktemp("master")
    with running(folder, "org.apache.spark.deploy.master.Master", *ANY_PORTS) as spark:
        address = spark.wait_for(r"Starting Spark master at (spark://127\.0\.0\.1:\d+)")[1]
        spark.wait_for("I have been elected leader")
        yield address


@pytest.fixture
def workers(master: str, tmp_path: Path) -> Iterator[list[SparkProcess]]:
    """Two workers of the master, of one core each."""
    size = ("--cores", "1", "--memory", "600m", "--work-dir", str(tmp_path / "work"))
    command = ("org.apache.spark.deploy.worker.Worker", *ANY_PORTS, *size, master)
    with running(tmp_path, *command) as first, running(tmp_path, *command) as second:
        for spark in (first, second):
            spark.wait_for("Successfully registered with master")
        yield [first, second]


@pytest.fixture(scope="module")
def market(
    tmp_path_factory: pytest.TempPathFactory, written_logs: Callable[..., Path], at: Callable[[float], Any]
) -> Path:
    """logs/ with all tables that are mined, and mined/ by DuckDB."""
    from mining.mine import mine
    from mining.settings import MiningSettings

    folder = tmp_path_factory.mktemp("market")
    queries = ["flower", "flower delivery", "roses", "鲜花", "鲜花 速递", "shoes", "running shoes"]
    searches = [
        {"ts": at(7 * number + 900 * (number // 9)), "user_id": f"u{number % 11}", "query": queries[number % 7]}
        for number in range(240)
    ]
    clicks = [row | {"url": f"http://{number % 6}.example/"} for number, row in enumerate(searches)]
    bids = [
        {"advertiser_id": f"a{number % 4}", "campaign": "c", "ad_group": "g", "keyword": queries[number % 5]}
        | {"match_type": "exact", "bid_micros": 10**6, "status": "enabled", "created_ts": at(number)}
        for number in range(12)
    ]
    shown = {"match_type": "exact", "position": 1, "event": "click", "cost_micros": 1000}
    ads = [row | shown | {"advertiser_id": "a1", "keyword": row["query"]} for row in searches[::3]]
    tables = {
        "searches": searches,
        "clicks": clicks,
        "bids": bids,
        "ad_events": ads,
        "pages": [{"url": f"http://{n}.example/", "title": f"{queries[n]} shop", "text": ""} for n in range(6)],
        "advertisers": [{"advertiser_id": f"a{n}", "name": f"a{n}", "industry_id": f"i{n % 2}"} for n in range(4)],
        "industries": [{"industry_id": "i0"}, {"industry_id": "i1", "parent_id": "i0"}],
    }
    written_logs(folder / "logs", tables)
    mine(folder / "logs", folder / "mined", MiningSettings())
    return folder


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def run(tmp_path: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python with a driver on loopback and executors that start fast."""
    conf = tmp_path / "conf"
    conf.mkdir()
    options = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    (conf / "spark-defaults.conf").write_text(
        # What runs is told at once, not every so often.
        "spark.ui.enabled false\nspark.ui.liveUpdate.period 0\n"
        f"spark.sql.shuffle.partitions 3\nspark.driver.extraJavaOptions {options}\n"
        f"spark.executor.extraJavaOptions {options}\n"
    )
    environment = os.environ | LOOPBACK | {"SPARK_CONF_DIR": str(conf), "PYTHONPATH": str(PROJECT)}
    return subprocess.run([sys.executable, *command], env=environment, cwd=tmp_path, capture_output=True, text=True)


def test_a_cluster_mines_the_same_bytes_as_duckdb(
    master: str, workers: list[SparkProcess], market: Path, tmp_path: Path
) -> None:
    folders = ("--logs", str(market / "logs"), "--out", str(tmp_path / "mined"))
    ended = run(tmp_path, str(PROJECT / "manage.py"), "mine", *folders, "--engine", master, "--set", MEMORY)
    assert ended.returncode == 0, ended.stderr
    # Every line is KR's own: Java's are kept apart.
    assert all(line.startswith(("▸", "  ")) for line in ended.stderr.splitlines())
    assert hashes(tmp_path / "mined") == hashes(market / "mined")


def test_a_worker_that_is_killed_while_it_works_changes_nothing(
    master: str, workers: list[SparkProcess], market: Path, tmp_path: Path
) -> None:
    victim = workers[1].process
    folders = (str(market / "logs"), str(tmp_path / "mined"))
    ended = run(tmp_path, "-c", KILLING_RUN, master, *folders, MEMORY, str(victim.pid))
    assert ended.returncode == 0, ended.stderr
    killed = re.search(r"killed at step (\d+) while tasks ran: [1-9]", ended.stdout)
    steps = re.search(r"steps in all: (\d+)", ended.stdout)
    assert killed and steps and int(killed[1]) < int(steps[1]), ended.stdout
    assert victim.wait(STOP_SECONDS) == -signal.SIGKILL
    assert hashes(tmp_path / "mined") == hashes(market / "mined")


def test_a_cluster_without_workers_is_told_apart_and_may_be_tried_again(
    master: str, market: Path, tmp_path: Path
) -> None:
    code = (
        "import runpy, sys; from mining.engines import spark_session; spark_session.WORKER_SECONDS = 0.5; "
        f"sys.argv = ['manage.py', 'mine', '--logs', {str(market / 'logs')!r}, '--out', 'mined', '--engine', "
        f"{master!r}, '--set', {MEMORY!r}]; runpy.run_path({str(PROJECT / 'manage.py')!r}, run_name='__main__')"
    )
    ended = run(tmp_path, "-c", code)
    assert ended.returncode == 75, ended.stderr
    error = ended.stderr.splitlines()[-1]
    assert "gave no worker" in error and "Start a worker with 512 MiB free" in error
    assert not (tmp_path / "mined").exists()
