"""The bench of the server runs the real server and answers for every request."""

import json
import subprocess
import sys
from pathlib import Path

MANAGE = Path(__file__).parents[2] / "manage.py"


def test_the_http_bench_measures_one_worker_and_two(small_store: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(MANAGE), "bench", "http", "--store", str(small_store), "--requests", "40", "--json"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert [row["system"] for row in rows] == ["HTTP, 1 worker", "HTTP, 2 workers"]
    assert all(row["per_second"] > 0 and 0 < row["p50_ms"] <= row["p99_ms"] for row in rows)


def test_the_http_bench_of_a_missing_store_says_what_is_missing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(MANAGE), "bench", "http", "--store", str(tmp_path / "none")],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 3
    assert "none" in done.stderr and "Traceback" not in done.stderr
