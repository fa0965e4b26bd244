"""`manage.py index …`: what it prints, and its exit codes."""

import fcntl
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from indexes.snapshot import current, publish, stage

ROOT = Path(__file__).parents[2]


def index(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "manage.py"), "index", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, timeout=300)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for number in (1, 2):
        with stage(tmp_path / "store") as staged:
            np.save(staged / "numbers.npy", np.full(20, number))
            publish(tmp_path / "store", staged, built_from={"number": number})
    return tmp_path / "store"


def test_list_shows_the_current_one_last(store: Path) -> None:
    document = json.loads(index("list", "--store", store, "--json").stdout)
    assert [row["is_current"] for row in document["snapshots"]] == [False, True]
    assert [row["built_from"] for row in document["snapshots"]] == [{"number": 1}, {"number": 2}]
    assert index("list", "--store", store).stdout.splitlines()[-1].endswith("current")


def test_verify_exits_with_4_and_names_the_changed_file(store: Path) -> None:
    whole = index("verify", "--store", store, "--json")
    assert whole.returncode == 0 and json.loads(whole.stdout)["ok"] is True
    file = store / "snapshots" / current(store) / "numbers.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.unlink()
    file.write_bytes(content)
    found = index("verify", "--store", store, "--json")
    assert found.returncode == 4
    (problem,) = json.loads(found.stdout)["problems"]
    assert (problem["snapshot"], problem["file"]) == (current(store), "numbers.npy")
    plain = index("verify", current(store), "--store", store)
    assert plain.returncode == 4 and str(file) in plain.stdout and "Traceback" not in plain.stderr


def test_a_damaged_current_is_reported_and_the_ids_are_still_listed(store: Path) -> None:
    served = current(store)
    (store / "CURRENT").write_text("{}")
    for command in ("list", "verify"):
        result = index(command, "--store", store)
        assert result.returncode == 4
        assert "CURRENT" in result.stderr + result.stdout and "rollback --to" in result.stderr
    assert served in index("list", "--store", store).stdout
    assert index("rollback", "--to", served, "--store", store).returncode == 0
    assert index("verify", "--store", store).returncode == 0


def test_publish_and_rollback_print_what_is_served_then(store: Path, tmp_path: Path) -> None:
    newer = current(store)
    rolled_back = index("rollback", "--store", store, "--json")
    assert json.loads(rolled_back.stdout) == {"store": str(store), "current": current(store)}
    assert current(store) != newer
    other = tmp_path / "other"
    assert index("publish", store / "snapshots" / newer, "--store", other).stdout.strip() == newer == current(other)


def test_the_exit_codes_tell_absent_from_busy(store: Path, tmp_path: Path) -> None:
    absent = index("list", "--store", tmp_path / "none")
    assert absent.returncode == 3 and "make demo" in absent.stderr and absent.stdout == ""
    assert index("verify", "0" * 16, "--store", store).returncode == 3
    assert index("publish", tmp_path / "none", "--store", store).returncode == 3
    with (store / "publish.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        busy = index("rollback", "--store", store)
    assert busy.returncode == 75 and "publish.lock" in busy.stderr
