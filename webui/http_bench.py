"""How many keyword searches a second the server answers over HTTP on loopback, and how long each takes."""

import json
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

    The `count` requests are drawn by searches; the clients run on the same machine. Raises KRError if the
    server does not start or a request fails.
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
        started = time.perf_counter()
        milliseconds = _ask(port, bodies)
        seconds = time.perf_counter() - started
    finally:
        server.terminate()
        server.wait()
    row = bench_row(f"HTTP, {workers} worker{'s' if workers > 1 else ''}", np.array(milliseconds))
    row["per_second"] = len(bodies) / seconds
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
