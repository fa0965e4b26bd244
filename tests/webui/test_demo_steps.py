"""The demo's memory of its steps, and the command over commands that only note that they ran."""

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from indexes.errors import KRError, UsageError
from kr.store import open_database
from kr.store.accounts import utc_now
from kr.store.sign_in import sign_in
from webui.commands import demo
from webui.demo_accounts import database_url, ensure_accounts
from webui.demo_steps import MEMORY, claim_folder, demo_steps, pending

ORDER = ["simulate", "ingest", "mine", "build"]


@pytest.fixture
def ran() -> list[str]:
    """Names of the steps that ran, in order."""
    return []


@pytest.fixture
def line(ran: list[str]) -> click.Group:
    """A command line with the demo, whose steps write their folders and note their names."""
    group = click.Group()

    def step(name: str, *parameters: str, writes: str, within: click.Group = group) -> None:
        def run(**values: Any) -> None:
            ran.append(name)
            folder = Path(values[writes]) if name != "simulate" else Path(values[writes]) / "raw"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "part").write_text(str(values.get("size", "")), encoding="utf-8")
            if name == "simulate":
                (Path(values[writes]) / "truth").mkdir(exist_ok=True)
                (Path(values[writes]) / "truth" / "part").touch()

        command = click.Command(name.split()[-1], callback=run, params=[click.Option([f"--{p}"]) for p in parameters])
        within.add_command(command)

    step("simulate", "size", "seed", "out", writes="out")
    step("ingest", "adapter", "path", "out", writes="out")
    step("mine", "logs", "out", writes="out")
    step("build", "mined", "store", "recommend-model", writes="store")
    train = click.Group("train")
    step("train recommend", "logs", "out", writes="out", within=train)
    group.add_command(train)
    group.add_command(demo)
    return group


def run_demo(line: click.Group, folder: Path, *arguments: str) -> None:
    CliRunner().invoke(line, ["demo", "--dir", str(folder), "--no-serve", *arguments], catch_exceptions=False)


def test_all_steps_run_in_order_and_none_of_them_twice(line: click.Group, ran: list[str], tmp_path: Path) -> None:
    run_demo(line, tmp_path / "demo")
    assert ran == ORDER
    run_demo(line, tmp_path / "demo")
    assert ran == ORDER


def test_another_size_makes_everything_anew(line: click.Group, ran: list[str], tmp_path: Path) -> None:
    run_demo(line, tmp_path / "demo")
    run_demo(line, tmp_path / "demo", "--size", "small")
    assert ran == ORDER * 2
    assert (tmp_path / "demo" / "raw" / "part").read_text(encoding="utf-8") == "small"


def test_the_trained_demo_learns_between_mining_and_building_and_keeps_what_was_mined(
    line: click.Group, ran: list[str], tmp_path: Path
) -> None:
    run_demo(line, tmp_path / "demo")
    run_demo(line, tmp_path / "demo", "--trained")
    assert ran == [*ORDER, "train recommend", "build"]
    run_demo(line, tmp_path / "demo", "--trained")
    assert ran == [*ORDER, "train recommend", "build"]
    [build] = [step for step in demo_steps(tmp_path / "demo", "medium", trained=True) if step.command == "build"]
    assert build.parameters["recommend_model"] == tmp_path / "demo" / "recommend"


@pytest.mark.parametrize(("lost", "again"), [("raw", 4), ("truth", 4), ("logs", 3), ("mined", 2), ("store", 1)])
def test_a_folder_that_is_gone_is_made_again_with_all_that_follows(
    line: click.Group, ran: list[str], tmp_path: Path, lost: str, again: int
) -> None:
    import shutil

    run_demo(line, tmp_path / "demo")
    shutil.rmtree(tmp_path / "demo" / lost)
    run_demo(line, tmp_path / "demo")
    assert ran == ORDER + ORDER[-again:]


def test_a_step_that_failed_is_run_again_and_those_before_it_are_not(
    line: click.Group, ran: list[str], tmp_path: Path
) -> None:
    mine = line.commands["mine"]
    whole = mine.callback

    def fail(**values: Any) -> None:
        whole(**values)  # type: ignore[misc]
        raise KRError("the disk is full")

    mine.callback = fail
    with pytest.raises(KRError):
        run_demo(line, tmp_path / "demo")
    mine.callback = whole
    run_demo(line, tmp_path / "demo")
    assert ran == ["simulate", "ingest", "mine", "mine", "build"]


def test_a_step_finds_its_folder_empty(line: click.Group, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    run_demo(line, folder)
    (folder / "raw" / "from an earlier run").touch()
    run_demo(line, folder, "--size", "small")
    assert [path.name for path in (folder / "raw").iterdir()] == ["part"]


def test_a_folder_with_somebody_elses_files_is_left_alone(line: click.Group, ran: list[str], tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "diary.txt").touch()
    with pytest.raises(UsageError, match="not made by the demo"):
        run_demo(line, tmp_path)
    assert not ran and (tmp_path / "raw" / "diary.txt").exists()


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        claim_folder(tmp_path / "file")


@pytest.mark.parametrize("memory", ["", "[]", "{", '{"simulate": 3}'])
def test_a_damaged_memory_means_that_nothing_is_done(tmp_path: Path, memory: str) -> None:
    (tmp_path / MEMORY).write_text(memory, encoding="utf-8")
    assert [must_run for _, must_run in pending(tmp_path, demo_steps(tmp_path, "small"))] == [True] * 4


def test_the_steps_are_commands_that_exist_and_take_these_parameters(tmp_path: Path) -> None:
    import manage

    for step in demo_steps(tmp_path, "small", trained=True):
        command: click.Command = manage.main
        for word in step.command.split():
            assert isinstance(command, click.Group)
            command = command.commands[word]
        assert set(step.parameters) <= {parameter.name for parameter in command.params}


def test_the_demo_has_ready_accounts_of_advertisers_of_its_log(small_market: Path, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "logs").symlink_to(small_market / "logs")
    file = ensure_accounts(folder)
    assert file.stat().st_mode & 0o077 == 0
    first, *users = file.read_text(encoding="utf-8").splitlines()
    password = first.removeprefix("password of all: ")
    assert len(users) == 5
    database = open_database(database_url(folder))
    for line in users:
        with database.writing() as session:
            signed_in = sign_in(session, line.split()[0], password, "127.0.0.1", "", utc_now())
            advertiser = signed_in.user.organisation.advertiser_id
            assert advertiser is None or f"advertiser {advertiser} of the log" in line
    database.close()
    assert ensure_accounts(folder).read_text(encoding="utf-8").splitlines()[0] == first, "made once"
