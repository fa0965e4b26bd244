"""In CI a test that is skipped fails the run and is named, with workers and without."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
ONE_OF_TWO = """
import pytest

def test_that_is_skipped():
    pytest.skip("no browser")

def test_that_runs():
    pass
"""
WHOLE_FILE = """
import pytest

pytest.skip("no library", allow_module_level=True)
"""


def run(folder: Path, workers: int, ci: bool) -> subprocess.CompletedProcess[str]:
    """Run tests in a folder under this project's conftest."""
    pytest.importorskip("xdist")
    shutil.copy(CONFTEST, folder)
    command = [sys.executable, "-m", "pytest", "-n", str(workers), "-p", "no:cacheprovider", f"--rootdir={folder}"]
    environment = {name: text for name, text in os.environ.items() if name != "CI" and not name.startswith("PYTEST_")}
    if ci:
        environment["CI"] = "true"
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_skipped_test_and_a_skipped_file_fail_the_run(tmp_path: Path, workers: int) -> None:
    (tmp_path / "test_one_of_two.py").write_text(ONE_OF_TWO, encoding="utf-8")
    (tmp_path / "test_whole_file.py").write_text(WHOLE_FILE, encoding="utf-8")
    done = run(tmp_path, workers, ci=True)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    assert "counts as a failure: test_one_of_two.py::test_that_is_skipped: Skipped: no browser" in done.stdout
    assert "counts as a failure: test_whole_file.py: Skipped: no library" in done.stdout


def test_outside_of_ci_a_skipped_test_is_only_told(tmp_path: Path) -> None:
    (tmp_path / "test_one_of_two.py").write_text(ONE_OF_TWO, encoding="utf-8")
    done = run(tmp_path, 2, ci=False)
    assert done.returncode == pytest.ExitCode.OK, done.stdout + done.stderr
