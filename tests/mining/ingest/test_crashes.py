"""kill -9 and full disks: what was published stays whole, and the same command run again completes the work."""

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexes.errors import KRError
from mining.ingest import ingest, log_parts

KILL_POINTS = Path(__file__).with_name("kill_points.py")
PROJECT = Path(__file__).parents[3]
HEADER = "search_id,ts,user_id,query\n"


def write(path: Path, *numbers: int, padding: int = 0) -> None:
    path.parent.mkdir(exist_ok=True, parents=True)
    rows = (f"s{number},2020-01-01T00:00:00Z,u,q{number}{'花' * padding}\n" for number in numbers)
    path.write_text(HEADER + "".join(rows), "utf-8")


@pytest.mark.slow
def test_killed_at_any_step_the_old_state_or_the_new_is_whole_and_a_second_run_completes(tmp_path: Path) -> None:
    write(tmp_path / "v1" / "searches-1.csv", 1, 2)
    write(tmp_path / "v1" / "searches-2.csv", 3, 3)
    write(tmp_path / "v2" / "searches-1.csv", 1, 2)
    write(tmp_path / "v2" / "searches-2.csv", 4, 5)
    write(tmp_path / "v2" / "searches-3.csv", 6, 1, 7)
    child = subprocess.run(
        [sys.executable, str(KILL_POINTS), str(tmp_path)],
        cwd=PROJECT,
        env={"PYTHONPATH": str(PROJECT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert child.returncode == 0, child.stderr
    outcomes = [json.loads(line) for line in child.stdout.splitlines()]
    assert len(outcomes) > 40
    assert {outcome["code"] for outcome in outcomes} == {-9}
    assert {outcome["seen"] for outcome in outcomes} == {"old", "new"}
    assert [outcome["step"] for outcome in outcomes if not outcome["complete"]] == []
    # The old state is seen up to one step, the new one from then on; never again the other way round.
    seen = [outcome["seen"] for outcome in outcomes]
    assert seen == sorted(seen, reverse=True)
    # Two files are to be read. What a killed run had staged completely, the next one does not read again.
    before_publishing = [outcome for outcome in outcomes if outcome["staged"]]
    assert before_publishing
    staged_and_read = {(outcome["staged"], outcome["read_again"]) for outcome in before_publishing}
    assert {(1, 1), (2, 0)} <= staged_and_read
    assert all(outcome["read_again"] == 0 for outcome in outcomes if outcome["seen"] == "new")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_told_and_leaves_what_was_published(tiny_disk: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "log", tiny_disk / "out"
    write(source / "searches-1.csv", *range(10))
    ingest("csv", source, out)
    state = (out / "ingest.json").read_bytes()
    big = source / "searches-2.csv"
    with big.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        # Text that does not compress: 300,000 different ids.
        file.writelines(
            f"{hash((number, 'x'))},2020-01-01T00:00:00Z,u{hash((number, 'y'))},q\n" for number in range(300_000)
        )
    with pytest.raises(KRError, match=r"No room left to write below .*out.* make room and run the same command again"):
        ingest("csv", source, out)
    assert (out / "ingest.json").read_bytes() == state
    assert [path.is_file() for path in log_parts(out)["searches"]] == [True]
    write(big, 100, 101)
    assert ingest("csv", source, out).kept == 12


LIMITED = """
import resource, sys
from pathlib import Path
from indexes.errors import KRError
from mining.ingest import ingest
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    ingest("csv", Path(sys.argv[1]), Path(sys.argv[2]))
except KRError as error:
    print(error)
"""


def test_a_limit_on_file_sizes_is_told_like_a_full_disk(tmp_path: Path) -> None:
    write(tmp_path / "searches.csv", *range(1000))
    with (tmp_path / "searches.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"{hash((number, 'x'))},2020-01-01T00:00:00Z,u,q\n" for number in range(50_000))
    child = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "searches.csv"), str(tmp_path / "out")],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert child.returncode == 0, child.stderr
    assert child.stdout.startswith("No room left to write below")
    assert not list((tmp_path / "out").rglob("*.parquet"))
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 200_000
