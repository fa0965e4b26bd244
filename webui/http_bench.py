"""How many keyword searches a second the server answers over HTTP on loopback, and how long each takes."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from indexes.bench_table import bench_row
from indexes.errors import KRError
from indexes.opened import Indexes
from indexes.terminal import say
from kr.pipeline_bench import sample_requests

WARM_UP = 50
CONNECTIONS = 4
"""Clients that ask again as soon as they are answered."""
ANNOUNCED = re.compile(rb"KR is at http://127\.0\.0\.1:(\d+)")


@dataclass
class _Client:
    """One connection that is kept open, written by hand so that the client costs little beside the server."""

    port: int
    bodies: list[bytes]
    milliseconds: list[float] = field(default_factory=list)
    failed: str | None = None

    def run(self) -> None:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
                reader = connection.makefile("rb")
                for body in self.bodies:
                    started = time.perf_counter()
                    connection.sendall(
                        b"POST /api/v1/keyword-ideas HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
                    )
                    status = reader.readline()
                    length = 0
                    while (line := reader.readline()) not in (b"\r\n", b""):
                        if line.lower().startswith(b"content-length:"):
                            length = int(line[15:])
                    reader.read(length)
                    self.milliseconds.append((time.perf_counter() - started) * 1000)
                    if b" 200 " not in status:
                        self.failed = f"the server answered {status.decode('latin-1').strip() or 'nothing'}"
                        return
        except OSError as error:
            self.failed = str(error)


def run_http_bench(store: Path, count: int, workers: tuple[int, ...] = (1, 2)) -> list[dict[str, Any]]:
    """A row for each number of worker processes: latencies, and `per_second`, of pages of 100 rows.

    `cpu_ms` is how long the server's processes worked for a request, whatever else the machine did. The `count`
    requests are drawn by searches; the clients run on the same machine. Raises KRError if the server does not start
    or a request fails.
    """
    requests = sample_requests(Indexes.open(store), count, seed=1)
    bodies = [
        json.dumps({"keyword_seed": {"keywords": list(request.seeds)}, "page_size": request.limit}).encode()
        for request in requests
    ]
    return [_measure(store, processes, bodies) for processes in workers]


def _measure(store: Path, workers: int, bodies: list[bytes]) -> dict[str, Any]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, sys.argv[0], "serve", "--store", str(store), "--port", str(port)]
    server = subprocess.Popen([*command, "--workers", str(workers)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _wait(server)
        _ask(port, bodies[:WARM_UP])
        processor = _processor_seconds(server.pid)
        started = time.perf_counter()
        milliseconds = _ask(port, bodies)
        seconds = time.perf_counter() - started
        processor = _processor_seconds(server.pid) - processor
    finally:
        server.terminate()
        server.wait()
    row = bench_row(f"HTTP, {workers} worker{'s' if workers > 1 else ''}", np.array(milliseconds))
    row["per_second"] = len(bodies) / seconds
    row["cpu_ms"] = processor / len(bodies) * 1000
    say(f"  {row['system']}: {row['per_second']:.0f} requests/s")
    return row


def _wait(server: "subprocess.Popen[bytes]") -> None:
    """Until the server has said its address; its further lines are read away, or the pipe would fill and stop it."""
    assert server.stderr is not None
    said = b""
    for line in server.stderr:
        said += line
        if ANNOUNCED.search(line):
            threading.Thread(target=server.stderr.read, daemon=True).start()
            return
    raise KRError("The server ended before it answered.", said.decode(errors="replace").strip())


def _processor_seconds(process: int) -> float:
    """Processor time of a process and all below it, so far; 0 where the system keeps no /proc."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return 0.0
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(map(_processor_seconds, map(int, children)))


def _ask(port: int, bodies: list[bytes]) -> list[float]:
    clients = [_Client(port, bodies[number::CONNECTIONS]) for number in range(CONNECTIONS)]
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for client in clients:
        if client.failed:
            raise KRError(f"A request failed: {client.failed}.", "Start the server by hand to see why.")
    return [value for client in clients for value in client.milliseconds]
