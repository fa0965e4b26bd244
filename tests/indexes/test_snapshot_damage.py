"""Every changed byte, cut, missing or added file in a store is found, and names its file."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.errors import CorruptError, KRError, NotFoundError
from indexes.snapshot import (
    current,
    list_snapshots,
    open_snapshot,
    publish,
    rollback,
    stage,
    verify,
    verify_current,
)

FILES = ["MANIFEST.json", "empty.json", "numbers.npy", "texts/words.json"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("store")
    for number in (1, 2):
        with stage(store) as staged:
            np.save(staged / "numbers.npy", np.full(20, number))
            (staged / "empty.json").write_bytes(b"")
            (staged / "texts").mkdir()
            (staged / "texts" / "words.json").write_text('["鲜花", "flowers"]', encoding="utf-8")
            publish(store, staged, built_from={"number": number})
    return store


def path_of(store: Path, name: str) -> Path:
    return store / name if name == "CURRENT" else store / "snapshots" / current(store) / name


class damaged_for_a_while:
    """Replaces one file by other bytes (None removes it), and puts it back."""

    def __init__(self, path: Path, content: bytes | None) -> None:
        self.path, self.content, self.whole = path, content, path.read_bytes()

    def __enter__(self) -> None:
        self.path.unlink()
        if self.content is not None:
            self.path.write_bytes(self.content)

    def __exit__(self, *_: object) -> None:
        self.path.unlink(missing_ok=True)
        self.path.write_bytes(self.whole)


@pytest.mark.parametrize("name", FILES)
def test_each_single_flipped_bit_pattern_of_each_byte_is_found_by_verify(store: Path, name: str) -> None:
    snapshot_id = current(store)
    path = path_of(store, name)
    whole = path.read_bytes()
    for position in range(len(whole)):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << (position % 8)
        with damaged_for_a_while(path, bytes(flipped)):
            assert [problem.file for problem in verify(store, snapshot_id)] == [name]
    assert verify(store, snapshot_id) == []


def test_each_flipped_byte_of_current_is_found_and_never_served(store: Path) -> None:
    whole = (store / "CURRENT").read_bytes()
    for position in range(len(whole)):
        for mask in (1, 0x20, 0x80):
            flipped = bytearray(whole)
            flipped[position] ^= mask
            with damaged_for_a_while(store / "CURRENT", bytes(flipped)):
                assert [problem.file for problem in verify_current(store)] == ["CURRENT"]
                with pytest.raises(CorruptError, match="CURRENT is damaged"):
                    open_snapshot(store)
    assert verify_current(store) == []


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_change_of_any_file_is_found(store: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*FILES, "CURRENT"]))
    path = path_of(store, name)
    whole = path.read_bytes()
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.integers(start, len(whole)))
    changed = whole[:start] + data.draw(st.binary(max_size=8)) + whole[stop:]
    if changed == whole:
        return
    snapshot_id = current(store)
    with damaged_for_a_while(path, changed):
        found = verify_current(store) if name == "CURRENT" else verify(store, snapshot_id)
        assert [problem.file for problem in found] == [name]


@pytest.mark.parametrize("name", [*FILES, "CURRENT"])
def test_a_truncated_or_grown_file_is_never_opened(store: Path, name: str) -> None:
    path = path_of(store, name)
    whole = path.read_bytes()
    for changed in {whole[:-1], whole[: len(whole) // 2], b"", whole + b"\n"} - {whole}:
        with damaged_for_a_while(path, changed), pytest.raises(CorruptError, match=path.name):
            open_snapshot(store)


@pytest.mark.parametrize("name", [*FILES, "CURRENT"])
def test_a_missing_file_is_never_overlooked(store: Path, name: str) -> None:
    path = path_of(store, name)
    snapshot_id = current(store)
    with damaged_for_a_while(path, None):
        with pytest.raises(NotFoundError if name == "CURRENT" else CorruptError):
            open_snapshot(store)
        found = verify_current(store) if name == "CURRENT" else verify(store, snapshot_id)
        assert [problem.file for problem in found] == [name]


def test_whatever_is_added_is_found(store: Path) -> None:
    folder = store / "snapshots" / current(store)
    additions: list[tuple[str, Callable[[Path], object]]] = [
        ("more.npy", lambda path: path.write_bytes(b"")),
        ("texts/more.json", lambda path: path.write_text("1")),
        ("folder", lambda path: path.mkdir()),
        ("link", lambda path: path.symlink_to("numbers.npy")),
    ]
    for name, add in additions:
        add(folder / name)
        assert [problem.file for problem in verify(store, folder.name)] == [name]
        shutil.rmtree(folder / name) if (folder / name).is_dir() else (folder / name).unlink()
    assert verify(store, folder.name) == []


def test_a_file_replaced_by_a_folder_or_a_link_is_found(store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "store"
    shutil.copytree(store, copy)
    folder = copy / "snapshots" / current(copy)
    (folder / "numbers.npy").rename(tmp_path / "numbers.npy")
    (folder / "numbers.npy").symlink_to(tmp_path / "numbers.npy")
    assert [problem.file for problem in verify(copy, folder.name)] == ["numbers.npy"]
    (folder / "numbers.npy").unlink()
    (folder / "numbers.npy").mkdir()
    assert [problem.file for problem in verify(copy, folder.name)] == ["numbers.npy"]
    with pytest.raises(KRError):
        open_snapshot(copy)


def test_a_damaged_current_is_mended_by_naming_a_snapshot(store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "store"
    shutil.copytree(store, copy)
    first, second = (row.id for row in list_snapshots(copy))
    (copy / "CURRENT").write_bytes(b"{")
    assert {row.id for row in list_snapshots(copy)} == {first, second}
    with pytest.raises(CorruptError, match="rollback --to ID"):
        rollback(copy)
    assert rollback(copy, to=first) == first == current(copy)
    assert open_snapshot(copy).array("numbers.npy")[0] == 1


def test_a_current_that_names_a_removed_snapshot_is_found(store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "store"
    shutil.copytree(store, copy)
    gone = current(copy)
    shutil.rmtree(copy / "snapshots" / gone)
    assert [problem.what for problem in verify_current(copy)] == [f"names snapshot {gone}, gone"]
    with pytest.raises(KRError, match=gone):
        open_snapshot(copy)
