"""Publishing, opening, pruning and rolling back whole snapshots."""

import fcntl
import json
from pathlib import Path

import numpy as np
import pytest

from indexes.errors import CorruptError, NotFoundError, TryAgainError, UsageError
from indexes.snapshot import (
    current,
    list_snapshots,
    open_folder,
    open_snapshot,
    publish,
    publish_copy,
    rollback,
    stage,
    verify,
    verify_current,
)

FIXTURES = Path(__file__).with_name("fixtures")


def publish_number(store: Path, number: int, keep: int = 3) -> str:
    with stage(store) as staged:
        np.save(staged / "numbers.npy", np.full(50, number))
        (staged / "texts").mkdir()
        (staged / "texts" / "words.json").write_text(json.dumps(["鲜花", number]), encoding="utf-8")
        return publish(store, staged, built_from={"number": number}, models={"rank": "abc"}, keep=keep)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_was_published_is_what_opens(tmp_path: Path) -> None:
    snapshot_id = publish_number(tmp_path, 7)
    snapshot = open_snapshot(tmp_path)
    assert snapshot.id == current(tmp_path) == snapshot_id
    assert snapshot.array("numbers.npy").tolist() == [7] * 50
    assert snapshot.json("texts/words.json") == ["鲜花", 7]
    assert snapshot.text("texts/words.json") == bytes(snapshot.data("texts/words.json")).decode()
    assert snapshot.manifest.built_from == {"number": 7}
    assert snapshot.manifest.models == {"rank": "abc"}
    assert "numbers.npy" in snapshot and "letters.npy" not in snapshot
    assert verify(tmp_path, snapshot_id) == [] == verify_current(tmp_path)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 3), np.float32),
        np.asfortranarray(np.arange(12, dtype=np.int16).reshape(3, 4)),
        np.array(["鲜花", "flowers"]),
        np.array(5),
        np.array([(1, 2.5)], dtype=[("keyword_id", "<i4"), ("weight", "<f8")]),
    ],
)
def test_arrays_of_any_shape_and_order_come_back_equal_and_read_only(tmp_path: Path, array: np.ndarray) -> None:
    with stage(tmp_path) as staged:
        np.save(staged / "array.npy", array)
        publish(tmp_path, staged, built_from={})
    opened = open_snapshot(tmp_path).array("array.npy")
    assert opened.dtype == array.dtype and opened.shape == array.shape
    assert opened.tolist() == array.tolist()
    assert not opened.flags.writeable


def test_pickled_objects_are_refused(tmp_path: Path) -> None:
    with stage(tmp_path) as staged:
        np.save(staged / "objects.npy", np.array([{}], dtype=object))
        (staged / "not.npy").write_text("no array")
        (staged / "empty.npy").write_bytes(b"")
        publish(tmp_path, staged, built_from={})
    snapshot = open_snapshot(tmp_path)
    for name in ("objects.npy", "not.npy", "empty.npy"):
        with pytest.raises(CorruptError, match=f"{name} is not a plain"):
            snapshot.array(name)
    with pytest.raises(CorruptError, match="not JSON"):
        snapshot.json("not.npy")
    with pytest.raises(NotFoundError, match=r"has no file absent\.npy"):
        snapshot.array("absent.npy")


def test_the_same_content_gives_the_same_id_and_the_same_bytes_in_any_store(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    snapshot_id = publish_number(one, 7)
    publish_number(two, 8)
    assert publish_number(two, 7) == snapshot_id
    assert bytes_of(one / "snapshots" / snapshot_id) == bytes_of(two / "snapshots" / snapshot_id)


def test_publishing_what_is_there_already_only_makes_it_current(tmp_path: Path) -> None:
    first = publish_number(tmp_path, 1)
    publish_number(tmp_path, 2)
    before = (tmp_path / "snapshots" / first).stat().st_ino
    assert publish_number(tmp_path, 1) == first == current(tmp_path)
    assert (tmp_path / "snapshots" / first).stat().st_ino == before
    assert [row.is_current for row in list_snapshots(tmp_path)] == [False, True]


def test_publishing_over_a_damaged_twin_mends_it(tmp_path: Path) -> None:
    first = publish_number(tmp_path, 1)
    (tmp_path / "snapshots" / first / "numbers.npy").unlink()
    assert publish_number(tmp_path, 1) == first
    assert verify(tmp_path, first) == []


def test_only_the_last_ones_are_kept(tmp_path: Path) -> None:
    ids = [publish_number(tmp_path, number, keep=3) for number in range(5)]
    assert [row.id for row in list_snapshots(tmp_path)] == ids[2:]
    assert publish_number(tmp_path, 9, keep=1) == current(tmp_path)
    assert len(list_snapshots(tmp_path)) == 1
    assert list((tmp_path / "staging").iterdir()) == []


def test_a_reader_keeps_the_snapshot_it_opened_over_publish_and_prune(tmp_path: Path) -> None:
    first = publish_number(tmp_path, 1)
    snapshot = open_snapshot(tmp_path)
    for number in range(2, 6):
        publish_number(tmp_path, number, keep=1)
    assert not (tmp_path / "snapshots" / first).exists()
    assert snapshot.array("numbers.npy").tolist() == [1] * 50
    assert snapshot.json("texts/words.json") == ["鲜花", 1]


def test_rollback_goes_back_along_what_was_served(tmp_path: Path) -> None:
    a, b, c = (publish_number(tmp_path, number) for number in range(3))
    assert rollback(tmp_path) == b == current(tmp_path)
    assert rollback(tmp_path) == a == current(tmp_path)
    with pytest.raises(NotFoundError, match=f"no snapshot before {a}"):
        rollback(tmp_path)
    assert rollback(tmp_path, to=c) == c == current(tmp_path)
    assert rollback(tmp_path) == a
    with pytest.raises(NotFoundError, match="holds no snapshot"):
        rollback(tmp_path, to="0" * 16)


def test_after_a_rollback_the_bad_snapshot_is_the_first_to_be_pruned(tmp_path: Path) -> None:
    a, b, bad = (publish_number(tmp_path, number) for number in range(3))
    rollback(tmp_path)
    d = publish_number(tmp_path, 4)
    assert [row.id for row in list_snapshots(tmp_path)] == [a, b, d]
    assert rollback(tmp_path) == b
    assert bad not in [row.id for row in list_snapshots(tmp_path)]


def test_rollback_to_a_damaged_snapshot_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    first, second = publish_number(tmp_path, 1), publish_number(tmp_path, 2)
    with (tmp_path / "snapshots" / first / "numbers.npy").open("r+b") as file:
        file.write(b"!")
    with pytest.raises(CorruptError, match=r"numbers\.npy.*Nothing was changed"):
        rollback(tmp_path)
    assert current(tmp_path) == second


def test_the_second_publisher_is_told_which_lock_is_held(tmp_path: Path) -> None:
    first = publish_number(tmp_path, 1)
    with (tmp_path / "publish.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for attempt in (lambda: publish_number(tmp_path, 2), lambda: rollback(tmp_path, first)):
            with pytest.raises(TryAgainError, match=r"publish\.lock") as caught:
                attempt()
            assert caught.value.exit_code == 75
    assert publish_number(tmp_path, 2) == current(tmp_path)


def test_a_publisher_leaves_the_staging_of_a_living_writer_alone_and_clears_the_rest(tmp_path: Path) -> None:
    with stage(tmp_path) as being_written:
        (being_written / "half.npy").write_bytes(b"half")
        (tmp_path / "staging" / "1-dead").mkdir()
        (tmp_path / "staging" / "1-dead" / "half.npy").write_bytes(b"half")
        publish_number(tmp_path, 1)
        assert list((tmp_path / "staging").iterdir()) == [being_written]
        assert (being_written / "half.npy").read_bytes() == b"half"
        second = publish(tmp_path, being_written, built_from={})
    assert current(tmp_path) == second


def test_staging_is_removed_when_the_build_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), stage(tmp_path) as staged:
        (staged / "half.npy").write_bytes(b"half")
        raise ZeroDivisionError
    assert list((tmp_path / "staging").iterdir()) == []


def test_what_a_snapshot_cannot_hold_is_refused_by_name(tmp_path: Path) -> None:
    def publish_made_by(make) -> None:  # type: ignore[no-untyped-def]
        with stage(tmp_path) as staged:
            make(staged)
            publish(tmp_path, staged, built_from={})

    with pytest.raises(UsageError, match="is empty"):
        publish_made_by(lambda staged: None)
    with pytest.raises(UsageError, match="folder is an empty folder"):
        publish_made_by(lambda staged: (staged / "folder").mkdir())
    with pytest.raises(UsageError, match="link is a symbolic link"):
        publish_made_by(lambda staged: (staged / "link").symlink_to("/etc/hostname"))
    with pytest.raises(UsageError, match=r"already has a MANIFEST\.json"):
        publish_made_by(lambda staged: (staged / "MANIFEST.json").write_text("{}"))
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(UsageError, match="elsewhere is not a staged folder"):
        publish(tmp_path, tmp_path / "elsewhere", built_from={})
    with stage(tmp_path) as staged, pytest.raises(UsageError, match="keep is 0"):
        (staged / "a.json").write_text("1")
        publish(tmp_path, staged, built_from={}, keep=0)
    with pytest.raises(NotFoundError):
        current(tmp_path)


def test_a_store_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be a snapshot store"):
        publish_number(tmp_path / "file", 1)
    with pytest.raises(NotFoundError):
        open_snapshot(tmp_path / "file")


def test_no_snapshot_yet_names_the_commands_that_make_one(tmp_path: Path) -> None:
    for ask in (current, open_snapshot, list_snapshots, rollback, verify_current):
        with pytest.raises(NotFoundError, match=r"no snapshot in .*make demo.*manage\.py build"):
            ask(tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_a_snapshot_from_another_machine_is_published_whole(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    snapshot_id = publish_number(there, 1)
    publish_number(here, 2)
    assert publish_copy(here, there / "snapshots" / snapshot_id) == snapshot_id == current(here)
    assert verify(here, snapshot_id) == []
    assert open_folder(there / "snapshots" / snapshot_id).array("numbers.npy")[0] == 1


def test_a_damaged_renamed_or_absent_foreign_snapshot_is_not_published(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    folder = there / "snapshots" / publish_number(there, 1)
    publish_number(here, 2)
    before = bytes_of(here)
    (folder / "extra.npy").write_bytes(b"")
    with pytest.raises(CorruptError, match=r"extra\.npy: not in the manifest"):
        publish_copy(here, folder)
    (folder / "extra.npy").unlink()
    with pytest.raises(CorruptError, match="its checksum says snapshot"):
        publish_copy(here, folder.rename(there / "renamed"))
    with pytest.raises(NotFoundError):
        publish_copy(here, folder)
    assert bytes_of(here) == before


def test_the_committed_snapshot_of_this_format_opens_and_is_made_again_byte_for_byte(tmp_path: Path) -> None:
    store = FIXTURES / "snapshot_format_2"
    snapshot = open_snapshot(store)
    assert verify(store, snapshot.id) == []
    assert snapshot.array("searches.npy").tolist() == [0, 7, 14, 21, 28, 35]
    assert snapshot.json("texts/keywords.json") == ["鲜花", "flowers"]
    with stage(tmp_path) as staged:
        np.save(staged / "searches.npy", np.arange(6, dtype="<i8") * 7)
        (staged / "texts").mkdir()
        (staged / "texts" / "keywords.json").write_text('["鲜花","flowers"]\n', encoding="utf-8")
        again = publish(tmp_path, staged, built_from={"searches": {"rows": 6}})
    assert again == snapshot.id
    assert bytes_of(tmp_path / "snapshots" / again) == bytes_of(snapshot.path)


def test_a_snapshot_of_an_old_format_is_refused_by_name() -> None:
    store = FIXTURES / "snapshot_format_1"
    with pytest.raises(CorruptError, match=r"is of snapshot format 1; this version of KR reads format 2.*build"):
        open_snapshot(store)
    (problem,) = verify(store, current(store))
    assert "snapshot format 1" in problem.what
