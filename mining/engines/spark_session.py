"""How a Spark session is opened: what must be there, what the results rest on, and who stops it."""

import logging
import os
import re
import shutil
import socket
from concurrent.futures import ThreadPoolExecutor, wait
from concurrent.futures import TimeoutError as TooLateError
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from warnings import catch_warnings, simplefilter

import pyarrow.parquet as pq

from indexes.errors import KRError, TryAgainError, UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOCAL_MASTER = re.compile(r"local\[([1-9]\d{0,2}|\*)\]")
CLUSTER_MASTER = re.compile(r"spark://[^\s,/:]+:\d+(,[^\s,/:]+:\d+)*")
REACH_SECONDS = 5.0
WORKER_SECONDS = 60.0
LEAST_MEMORY_MB = 512
"""Spark itself refuses less than 450 MiB."""
PARTITIONS_A_THREAD = 4
SHARE = "Name an --out that this machine and all workers share at the same path and may write to."
PROBE = "probe"
PROBES_A_CORE = 4
"""So many small tasks a core reach every worker that is there."""

DECIDING = {
    # Miners see UTC without a zone.
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # A sum beyond 64 bits is an error, as in DuckDB, and not a wrong number.
    "spark.sql.ansi.enabled": "true",
    # A file that cannot be read is an error, not fewer rows.
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
}
"""What the results rest on; set on every session, whatever the machine's own defaults are."""


def is_master(name: str) -> bool:
    """Whether an engine's name is that of a Spark master: local[N], local[*] or spark://host:port[,host:port…]."""
    return bool(LOCAL_MASTER.fullmatch(name) or CLUSTER_MASTER.fullmatch(name))


def open_session(master: str, scratch: Path, memory_mb: int) -> tuple["SparkSession", bool]:
    """A session on a master, with its own views, and whether Spark was started for it.

    A session of the same master that runs in this process already, as under spark-submit, is used and left running.
    Raises KRError if Java or pyspark is missing, or the master cannot be reached; TryAgainError if no worker takes
    the work; UsageError if this process runs Spark elsewhere or the workers do not see `scratch`.
    """
    _check_installed()
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    if running and running.sparkContext.master != master:
        raise UsageError(f"This process runs Spark on {running.sparkContext.master} already.", "Use that as --engine.")
    session = running.newSession() if running else _start(master, scratch, memory_mb)
    # It would write each failed query to the terminal, which the error says already.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    for name, value in DECIDING.items():
        session.conf.set(name, value)
    if CLUSTER_MASTER.fullmatch(master):
        try:
            _check_workers(session, master, scratch, memory_mb)
        except BaseException:
            close_session(session, owned=running is None)
            raise
    return session, running is None


def close_session(session: "SparkSession", owned: bool) -> None:
    """Stop Spark if it was started for this session."""
    from py4j.protocol import Py4JError

    # Where the Java process has died there is nothing to stop, and the step that noticed has said so.
    with suppress(Py4JError, ConnectionError), catch_warnings():
        simplefilter("ignore", RuntimeWarning)
        if owned:
            session.stop()


def _check_installed() -> None:
    if find_spec("pyspark") is None or find_spec("pandas") is None:
        raise KRError("The engine Spark needs the package pyspark.", "Install it: pip install 'kr[spark]'")
    home = os.environ.get("JAVA_HOME")
    if shutil.which(f"{home}/bin/java" if home else "java") is None:
        where = f"JAVA_HOME={home} holds none" if home else "there is no command java"
        raise KRError(
            f"The engine Spark needs Java 17 or newer, and {where}.",
            "Install it, on Debian: apt-get install default-jre-headless",
        )


def _start(master: str, scratch: Path, memory_mb: int) -> "SparkSession":
    """Start Spark; its Java process writes its messages into a file in `scratch`."""
    from py4j.protocol import Py4JError
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkException
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    conf = SparkConf().setMaster(master).setAppName("KR mining").set("spark.ui.showConsoleProgress", "false")
    memory = f"{max(memory_mb, LEAST_MEMORY_MB)}m"
    local = LOCAL_MASTER.fullmatch(master)
    if local:
        threads = os.cpu_count() or 1 if local[1] == "*" else int(local[1])
        conf.set("spark.driver.memory", memory)
        conf.set("spark.driver.host", "127.0.0.1").set("spark.driver.bindAddress", "127.0.0.1")
        conf.set("spark.ui.enabled", "false")
        conf.set("spark.local.dir", str(scratch))
        conf.set("spark.sql.shuffle.partitions", str(PARTITIONS_A_THREAD * threads))
    else:
        _check_reachable(master)
        conf.set("spark.executor.memory", memory)
    messages = scratch / "spark.log"
    try:
        if SparkContext._gateway is None:
            with messages.open("wb") as file:
                gateway = launch_gateway(conf, {"stderr": file, "stdout": file})
        else:
            gateway = SparkContext._gateway
        SparkContext(conf=conf, gateway=gateway)
        return SparkSession.builder.getOrCreate()
    except (PySparkException, Py4JError) as error:
        raise KRError(
            f"Spark could not be started on {master}: {_last_error(messages) or error}",
            "It needs Java 17 or newer; for a cluster see docs/spark.md.",
        ) from error


def _check_reachable(master: str) -> None:
    """Raise KRError unless one of the masters takes a connection; Spark itself would try for a minute."""
    refused = []
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), REACH_SECONDS).close()
            return
        except (OSError, OverflowError) as error:
            refused.append(f"{address}: {error}")
    raise KRError(
        f"No Spark master can be reached at {master} ({'; '.join(refused)}).",
        "Start one: spark-class org.apache.spark.deploy.master.Master, and on each machine spark-class "
        "org.apache.spark.deploy.worker.Worker spark://HOST:7077 (docs/spark.md); or use --engine local[2].",
    )


def _check_workers(session: "SparkSession", master: str, scratch: Path, memory_mb: int) -> None:
    """Raise unless workers take work, and what they write under `scratch` is seen here.

    On folders of their own Spark would lose the workers' rows without an error.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    context = session.sparkContext
    folder = scratch / PROBE

    def count_one() -> None:
        context.setJobGroup(PROBE, "is there a worker?")
        session.range(1).count()

    with ThreadPoolExecutor(1) as background:
        first = background.submit(count_one)
        try:
            first.result(WORKER_SECONDS)
        except TooLateError:
            # Again and again, since the job may not have been there yet.
            while wait([first], timeout=0.1).not_done:
                context.cancelJobGroup(PROBE)
            raise TryAgainError(
                f"{master} gave no worker for {WORKER_SECONDS:g} s.",
                f"Start a worker with {memory_mb} MiB free, wait for other work to end, or ask for less memory with "
                "--set memory_mb=….",
            ) from None
    tasks = PROBES_A_CORE * context.defaultParallelism
    try:
        session.range(0, tasks, 1, tasks).write.parquet(f"file://{folder}")
        seen = sum(pq.read_metadata(path).num_rows for path in folder.glob("part-*.parquet"))
    except (PySparkException, Py4JError) as error:
        raise UsageError(
            f"The workers of {master} cannot write below {scratch}: {first_cause(error)}", SHARE
        ) from error
    shutil.rmtree(folder, ignore_errors=True)
    if seen != tasks:
        raise UsageError(
            f"{scratch} is not one folder for all workers of {master}: of {tasks} rows written there {seen} are seen.",
            SHARE,
        )


def first_cause(error: Exception) -> str:
    """The line of a Java error's text that says what happened: the innermost of Spark's own, else the first."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or ["no reason given"]
    named = [found[0] for line in lines if (found := re.search(r"\[[A-Z][A-Z_.0-9]+\].*", line))]
    return named[-1] if named else lines[0]


def _last_error(path: Path) -> str:
    """The last of Java's messages that names an error."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    return next((line.strip() for line in reversed(lines) if re.search(r"(Error|Exception)\b.*:", line)), "")
