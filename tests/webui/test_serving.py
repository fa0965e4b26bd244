"""`manage.py serve` as a process of its own, on loopback."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from indexes.errors import UsageError
from webui.commands import serve
from webui.serving import address_text, check_address

PROJECT = Path(__file__).parents[2]


@contextmanager
def serving(port: int, *arguments: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """The server's address, as it announces it, and its process; stopped like an operator stops it."""
    environment = {name: value for name, value in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
    command = [sys.executable, "manage.py", "serve", "--port", str(port), *arguments]
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        announced = None
        lines = []
        while announced is None and (line := process.stderr.readline()):
            lines.append(line)
            announced = re.search(r"http://[\d.:]+", line)
        assert announced, "".join(lines)
        yield announced[0], process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)


def get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=120) as reply:
        return str(reply.read().decode())


def test_two_workers_answer_and_their_metrics_add_up(tiny_store: Path, free_port: int) -> None:
    with serving(free_port, "--store", str(tiny_store), "--workers", "2") as (address, process):
        assert get(f"{address}/healthz") == "ok\n"
        for _ in range(20):
            assert "鲜花速递" in get(f"{address}/search?q=%E9%B2%9C%E8%8A%B1")
        counted = re.findall(r'kr_http_requests_total\{.*route="/search".*\} (\S+)', get(f"{address}/metrics"))
        assert [float(count) for count in counted] == [20.0]
    assert process.returncode == 0


def test_a_server_starts_without_a_snapshot_and_says_so(tmp_path: Path, free_port: int) -> None:
    with (
        serving(free_port, "--store", str(tmp_path)) as (address, _),
        pytest.raises(urllib.error.HTTPError) as refused,
    ):
        get(f"{address}/readyz")
    assert refused.value.code == 503
    refused.value.close()


def test_a_port_in_use_is_told_with_the_remedy_before_anything_starts() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(serve, ["--port", str(port)])
        assert isinstance(result.exception, UsageError)
        assert f"port {port} is in use" in str(result.exception) and "--port" in str(result.exception)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "203.0.113.7"])
def test_a_host_that_is_not_this_machine_is_told_with_the_remedy(host: str) -> None:
    with pytest.raises(UsageError, match="--host"):
        check_address(host, 8000)


def test_a_mistake_in_the_rules_ends_the_start_and_names_the_file(
    tiny_store: Path, tmp_path: Path, free_port: int
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text("[[rule]\n", encoding="utf-8")
    environment = {**os.environ, "KR_RULES": str(rules)}
    command = [sys.executable, "manage.py", "serve", "--store", str(tiny_store), "--port", str(free_port)]
    result = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=300)
    assert result.returncode == 2 and "rules.toml" in result.stderr and "Traceback" not in result.stderr


def test_the_address_that_is_announced_can_be_typed_into_a_browser() -> None:
    assert address_text("0.0.0.0", 80) == "http://127.0.0.1:80"
    assert address_text("::1", 8000) == address_text("::", 8000) == "http://[::1]:8000"
    assert address_text("localhost", 8000) == "http://localhost:8000"
