"""Same seed, same bytes; folders appear whole or not at all; bad input is named."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from indexes.errors import KRError, UsageError
from mining.simulator import FORMATS, simulate, truth_files
from mining.simulator.sizes import streams


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(small, tmp_path: Path) -> None:
    simulate("small", small.summary["seed"], tmp_path / "again")
    assert digests(tmp_path / "again") == digests(small.folder)
    simulate("small", small.summary["seed"] + 1, tmp_path / "other")
    ours, other = digests(small.folder), digests(tmp_path / "other")
    assert {name for name in ours if ours[name] == other.get(name)} <= {
        "raw/industries.parquet",
        "raw/mapping.toml",
        "truth/product_relations.parquet",
    }


@pytest.mark.parametrize("raw_format", FORMATS)
def test_every_format_repeats_byte_by_byte(tmp_path: Path, tiny, tiny_markets, raw_format: str) -> None:
    tiny(tmp_path, raw_format)
    assert digests(tmp_path) == digests(tiny_markets[raw_format][0])


def test_random_streams_depend_on_seed_and_name_only() -> None:
    alone = streams(5, "users")["users"].random(4)
    together = streams(5, "pages", "users")["users"].random(4)
    assert np.array_equal(alone, together)
    assert not np.array_equal(alone, streams(5, "pages")["pages"].random(4))
    assert not np.array_equal(alone, streams(6, "users")["users"].random(4))


@pytest.mark.parametrize(
    ("size", "seed", "raw_format", "named"),
    [
        ("huge", 1, "parquet", "huge.*small, medium, large"),
        ("small", -1, "parquet", "-1"),
        ("small", 1, "xml", "xml.*parquet"),
    ],
)
def test_a_wrong_option_is_named_and_nothing_is_written(
    tmp_path: Path, size: str, seed: int, raw_format: str, named: str
) -> None:
    with pytest.raises(UsageError, match=named):
        simulate(size, seed, tmp_path, raw_format)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_earlier_simulation_is_never_overwritten(tmp_path: Path, tiny) -> None:
    tiny(tmp_path)
    before = digests(tmp_path)
    with pytest.raises(UsageError, match="there already"):
        tiny(tmp_path, seed=2)
    assert digests(tmp_path) == before


def test_what_a_killed_run_left_is_cleared_by_the_next(tmp_path: Path, tiny) -> None:
    (tmp_path / ".unfinished" / "raw").mkdir(parents=True)
    (tmp_path / ".unfinished" / "raw" / "searches-0099.parquet").write_bytes(b"torn")
    tiny(tmp_path)
    assert not (tmp_path / ".unfinished").exists()
    assert not (tmp_path / "raw" / "searches-0099.parquet").exists()


def test_a_full_disk_leaves_no_half_written_market(tmp_path: Path, tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: truth_files.TruthFiles, name: str, rows: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(truth_files.TruthFiles, "_write", full)
    with pytest.raises(KRError, match="No space left on device"):
        tiny(tmp_path)
    assert list(tmp_path.iterdir()) == []
