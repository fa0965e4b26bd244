"""Compiled kernels are cached where only those can write who could change the source, and never run stale."""

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from indexes import compiled

SOURCE = """
from indexes.compiled import entry_point, inner_njit

@inner_njit
def part(number):
    return number + {added}

@entry_point("int64(int64)")
def more(number):
    return part(number)
"""


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module of kernels in a folder of its own, while the user's caches are folders of the test."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    folder = tmp_path / "package"
    folder.mkdir(mode=0o755)
    path = folder / "some_kernels.py"
    path.write_text(SOURCE.format(added=1))
    yield path
    sys.modules.pop("some_kernels", None)


def load(source: Path) -> Any:
    """The module's kernel, as a new process would have it."""
    compiled._stamp.cache_clear()
    spec = importlib.util.spec_from_file_location("some_kernels", source)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["some_kernels"] = module  # cached code names its module, and numba imports it
    spec.loader.exec_module(module)
    return module.more


def was_cached(kernel: Any) -> bool:
    return sum(kernel.stats.cache_hits.values()) == 1


def read_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to write below a folder; its permissions would not stop root, who may run the tests."""
    make = compiled._make_trusted

    def refusing(wanted: Path, source: Path) -> None:
        if folder in wanted.parents:
            raise PermissionError(f"{wanted} is read-only")
        make(wanted, source)

    monkeypatch.setattr(compiled, "_make_trusted", refusing)


def test_code_is_kept_beside_the_source(source: Path) -> None:
    first = load(source)
    assert (first(1), was_cached(first)) == (2, False)
    again = load(source)
    assert (again(1), was_cached(again)) == (2, True)
    assert list((source.parent / "__pycache__/kernels").glob("*.nbc"))
    assert not (source.parent.parent / "user").exists()


def test_a_read_only_environment_serves_what_was_compiled_before(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(source)
    read_only(source.parent, monkeypatch)
    assert was_cached(load(source))
    assert not (source.parent.parent / "user").exists()


def test_a_read_only_environment_without_code_has_it_kept_in_the_users_cache(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_only(source.parent, monkeypatch)
    assert not was_cached(load(source))
    assert was_cached(load(source))
    assert (source.parent.parent / "user/kr-kernels/package").stat().st_mode & 0o777 == 0o700


def test_without_a_home_code_is_kept_in_a_private_temporary_folder(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_only(source.parent, monkeypatch)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(compiled.os.path, "expanduser", lambda path: path)  # what it gives where nobody has a home
    assert not was_cached(load(source))
    assert was_cached(load(source))
    folder = source.parent.parent / f"temporary/kr-kernels-{os.getuid()}"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_where_nothing_can_be_written_code_is_compiled_for_the_process(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_only(source.parent.parent, monkeypatch)
    for _ in range(2):
        kernel = load(source)
        assert (kernel(1), was_cached(kernel)) == (2, False)


def test_code_that_others_could_have_written_is_not_run(source: Path) -> None:
    load(source)
    folder = source.parent / "__pycache__/kernels"
    folder.chmod(0o777)
    assert not was_cached(load(source))
    assert was_cached(load(source))  # from the user's cache
    assert list((source.parent.parent / "user/kr-kernels/package").glob("*.nbc"))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_code_of_another_user_is_not_run(source: Path) -> None:
    load(source)
    os.chown(source.parent / "__pycache__/kernels", 12_345, -1)
    assert not was_cached(load(source))


def test_the_folder_that_the_environment_names_comes_first(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = source.parent.parent / "named"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(named))
    load(source)
    assert was_cached(load(source))
    assert list(named.rglob("*.nbc"))
    assert not (source.parent / "__pycache__/kernels").exists()


def test_code_is_stale_when_its_source_changes(source: Path) -> None:
    load(source)
    assert was_cached(load(source))
    source.write_text(SOURCE.format(added=5))
    kernel = load(source)
    assert (kernel(1), was_cached(kernel)) == (6, False)


def test_two_processes_that_compile_at_once_both_get_it_right(source: Path) -> None:
    program = "import sys; sys.path.insert(0, sys.argv[1]); import some_kernels; print(some_kernels.more(41))"
    command = [sys.executable, "-c", program, str(source.parent)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate()[0] for process in running] == ["42\n", "42\n"]
    assert [process.returncode for process in running] == [0, 0]
    assert was_cached(load(source))
