"""Each miner's strongest pairs are read back with their evidence, the same by numpy, by the kernel and by hand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes import neighbors_write
from indexes.arrays import Array, ArrayFolder, write_array, write_json
from indexes.bit_packing import GROUP, PADDING, bit_lengths, pack, unpack
from indexes.errors import CorruptError
from indexes.neighbors import EvidenceColumn, Neighbors, NeighborsWriter

NEVER, ALWAYS = 10**9, 0
"""Numbers of keywords from which the kernel reads."""
COLUMNS = (EvidenceColumn("sessions"), EvidenceColumn("path", minimum=-1), EvidenceColumn("lift", decimals=2))
KEYWORDS = 9

Pair = tuple[int, int]
Market = dict[str, dict[Pair, tuple[float, int, int, float]]]

VALUES = st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.integers(0, 2**40), st.integers(-1, 3), st.floats(0, 99))
IDS = st.integers(0, KEYWORDS - 1)
MARKETS = st.dictionaries(
    st.sampled_from(["a", "b", "c"]), st.dictionaries(st.tuples(IDS, IDS), VALUES, max_size=60), max_size=3
)


def write(folder: Path, market: Market, keywords: int = KEYWORDS, chunk: int = 7, columns: bool = True) -> None:
    with NeighborsWriter(folder, keywords) as writer:
        for miner, pairs in market.items():
            writer.add_miner(miner, COLUMNS if columns else ())
            ordered = sorted(pairs)
            for begin in range(0, len(ordered), chunk):
                part = ordered[begin : begin + chunk]
                rows = [pairs[pair] for pair in part]
                writer.append(
                    np.array([pair[0] for pair in part]),
                    np.array([pair[1] for pair in part]),
                    np.array([row[0] for row in rows], np.float32),
                    {column.name: np.array([row[place + 1] for row in rows]) for place, column in enumerate(COLUMNS)},
                )


def read(neighbors: Neighbors, asked: list[int], most: int) -> dict[str, list[tuple[int, int, float, int, int, float]]]:
    found = {}
    for miner, entries in neighbors.of(np.array(asked, np.int64), most).items():
        evidence = [neighbors.evidence(miner, entries.row)[column.name].tolist() for column in COLUMNS]
        lists = (entries.position.tolist(), entries.neighbor.tolist(), entries.strength.tolist(), *evidence)
        found[miner] = list(zip(*lists, strict=True))
    return found


def stored(strength: float) -> float:
    return float(np.float32(round(strength * 65535)) / np.float32(65535))


def expected_lists(market: Market, asked: list[int], most: int) -> dict[str, list[tuple]]:
    lists: dict[str, list[tuple]] = {}
    for miner, pairs in market.items():
        lists[miner] = []
        for position, keyword in enumerate(asked):
            own = [(neighbor, *row) for (owner, neighbor), row in pairs.items() if owner == keyword]
            best = sorted(own, key=lambda entry: (-stored(entry[1]), entry[0]))[:most]
            lists[miner] += [
                (position, n, stored(s), c, p, round(lift * 100) / 100) for n, s, c, p, lift in sorted(best)
            ]
    return lists


@given(MARKETS, st.lists(IDS, max_size=6), st.integers(0, 5), st.integers(1, 30))
def test_every_miners_strongest_neighbours_are_read_with_their_own_evidence(
    tmp_path_factory: pytest.TempPathFactory, market: Market, asked: list[int], most: int, chunk: int
) -> None:
    folder = tmp_path_factory.mktemp("neighbors")
    write(folder, market, chunk=chunk)
    for compiled_from in (NEVER, ALWAYS):
        neighbors = Neighbors(ArrayFolder(folder), compiled_from)
        assert neighbors.miners == tuple(market)
        assert read(neighbors, asked, most) == expected_lists(market, asked, most)


@pytest.fixture
def hubs(tmp_path: Path) -> tuple[Path, dict[str, set[Pair]]]:
    """Three miners over 120,000 keywords; keyword 5 has 100,000 neighbours, keyword 7 none."""
    generator = np.random.default_rng(3)
    count = 120_000
    pairs: dict[str, set[Pair]] = {}
    with NeighborsWriter(tmp_path, count) as writer:
        for miner, hub in (("a", 100_000), ("b", 300), ("c", 0)):
            keys = generator.integers(0, count, (30_000, 2))
            keys = keys[(keys[:, 0] != 7) & (keys[:, 0] != 5)]
            spokes = np.column_stack([np.full(hub, 5), generator.permutation(count)[:hub]])
            keys = np.unique(np.concatenate([keys, spokes]), axis=0)
            pairs[miner] = set(map(tuple, keys.tolist()))
            writer.add_miner(miner, (EvidenceColumn("users", minimum=1),))
            for part in np.array_split(keys, 3):
                strength = (part.sum(axis=1) % 1000 / 999).astype(np.float32)
                writer.append(part[:, 0], part[:, 1], strength, {"users": part.sum(axis=1) % 77 + 1})
    return tmp_path, pairs


def test_hubs_and_keywords_without_neighbours_are_read_alike_by_both_readers(
    hubs: tuple[Path, dict[str, set[Pair]]],
) -> None:
    folder, pairs = hubs
    plain, compiled = (Neighbors(ArrayFolder(folder), compiled_from) for compiled_from in (NEVER, ALWAYS))
    asked = np.array([5, 7, 0, 119_999, *range(100, 140)])
    for most in (1, 2000, 10**6):
        lists = plain.of(asked, most)
        for miner, other in compiled.of(asked, most).items():
            for name in ("position", "neighbor", "row", "strength"):
                one, two = getattr(lists[miner], name), getattr(other, name)
                assert one.dtype == two.dtype and np.array_equal(one, two)
    assert len(lists["a"].neighbor[lists["a"].position == 0]) == 100_000
    assert not (lists["a"].position == 1).any()
    for miner, found in lists.items():
        read_pairs = set(zip(asked[found.position].tolist(), found.neighbor.tolist(), strict=True))
        assert read_pairs == {pair for pair in pairs[miner] if pair[0] in set(asked.tolist())}
        users = plain.evidence(miner, found.row)["users"]
        assert np.array_equal(users, (asked[found.position] + found.neighbor) % 77 + 1)


def test_ranges_of_the_merge_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(1)
    market: Market = {
        miner: {(int(k), int(n)): (float(n) / 300, int(k), 0, 0.0) for k, n in generator.integers(0, 300, (2000, 2))}
        for miner in ("a", "b")
    }
    write(tmp_path / "one", market, keywords=300, chunk=1000)
    monkeypatch.setattr(neighbors_write, "MERGE_RANGE", 50)
    monkeypatch.setattr(neighbors_write, "READ_KEYS", 7)
    write(tmp_path / "two", market, keywords=300, chunk=33)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert len(files) == 11
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert not (tmp_path / "one" / "neighbors" / "spool").exists()


def test_a_miner_may_have_no_evidence_and_a_snapshot_no_pair(tmp_path: Path) -> None:
    write(tmp_path / "vectors", {"embeddings": {(0, 1): (0.5, 0, 0, 0.0)}}, columns=False)
    neighbors = Neighbors(ArrayFolder(tmp_path / "vectors"))
    found = neighbors.of(np.array([0]), 10)["embeddings"]
    assert found.neighbor.tolist() == [1] and neighbors.evidence("embeddings", found.row) == {}
    for keywords in (0, 1, 5):
        folder = tmp_path / f"empty-{keywords}"
        write(folder, {"a": {}}, keywords=keywords)
        for compiled_from in (NEVER, ALWAYS):
            empty = Neighbors(ArrayFolder(folder), compiled_from)
            assert len(empty.of(np.arange(keywords), 10)["a"].neighbor) == 0
            assert len(empty.evidence("a", np.empty(0, np.int64))["sessions"]) == 0


def one(values: list[int]) -> Array:
    return np.array(values)


@pytest.mark.parametrize(
    ("keyword", "neighbor", "strength", "sessions", "message"),
    [
        ([1, 1], [2, 2], [0.1, 0.1], [1, 1], "not distinct and ascending"),
        ([1, 0], [2, 2], [0.1, 0.1], [1, 1], "not distinct and ascending"),
        ([1, 9], [2, 2], [0.1, 0.1], [1, 1], "outside 0..8"),
        ([1, 2], [2, 9], [0.1, 0.1], [1, 1], "outside 0..8"),
        ([1, 2], [2, 2], [0.1, 1.1], [1, 1], "does not lie in 0..1"),
        ([1, 2], [2, 2], [0.1, np.nan], [1, 1], "does not lie in 0..1"),
        ([1, 2], [2, 2], [0.1, 0.1], [1, -1], "sessions holds a value below 0"),
    ],
)
def test_pairs_that_cannot_be_kept_are_refused_by_name(
    tmp_path: Path, keyword: list[int], neighbor: list[int], strength: list[float], sessions: list[int], message: str
) -> None:
    with pytest.raises(ValueError, match=message), NeighborsWriter(tmp_path, KEYWORDS) as writer:
        writer.add_miner("a", (EvidenceColumn("sessions"),))
        writer.append(one(keyword), one(neighbor), np.array(strength), {"sessions": one(sessions)})


def test_a_miner_is_added_once_and_not_beyond_the_last_bit(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="22 fit"), NeighborsWriter(tmp_path, KEYWORDS) as writer:
        for number in range(neighbors_write.MAX_MINERS + 1):
            writer.add_miner(f"miner {number}")
    with pytest.raises(ValueError, match="added before"), NeighborsWriter(tmp_path / "other", KEYWORDS) as writer:
        writer.add_miner("a")
        writer.add_miner("a")


def shortened(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        array = np.load(folder / "neighbors" / f"{name}.npy")
        write_array(folder, f"neighbors/{name}.npy", array[:-1])

    return damage


def changed_layout(**changes: object) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        layout = ArrayFolder(folder).json("neighbors/layout.json")
        write_json(folder, "neighbors/layout.json", {**layout, **changes})

    return damage


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        *((shortened(name), name) for name in ("offsets", "records", "ranks", "strengths")),
        *((shortened(f"a/{name}"), f"a/{name}") for name in ("evidence", "widths", "starts")),
        (changed_layout(version=99), "version 99"),
        (changed_layout(keywords=8), "offsets"),
        (changed_layout(pairs=3), "offsets"),
        (changed_layout(miners=[{"name": "a"}]), "layout"),
    ],
)
def test_files_that_do_not_fit_each_other_are_corrupt_and_named(
    tmp_path: Path, damage: Callable[[Path], None], name: str
) -> None:
    write(tmp_path, {"a": {(1, 2): (0.5, 3, 0, 1.5), (4, 2): (0.5, 3, 0, 1.5)}})
    damage(tmp_path)
    with pytest.raises(CorruptError, match=name) as caught:
        Neighbors(ArrayFolder(tmp_path))
    assert "rebuild" in caught.value.remedy


@pytest.mark.parametrize("compiled_from", [NEVER, ALWAYS])
@pytest.mark.parametrize("broken", ["offsets", "ranks", "records"])
def test_a_list_that_leads_out_of_its_file_is_corrupt(tmp_path: Path, compiled_from: int, broken: str) -> None:
    write(tmp_path, {"a": {(1, 2): (0.5, 3, 0, 1.5), (4, 2): (0.5, 3, 0, 1.5)}})
    array = np.load(tmp_path / "neighbors" / f"{broken}.npy")
    if broken == "offsets":
        array[3] = 2**31
    elif broken == "ranks":
        array[0] = 2
    else:
        array[0] = np.iinfo(np.uint64).max
    write_array(tmp_path, f"neighbors/{broken}.npy", array)
    neighbors = Neighbors(ArrayFolder(tmp_path), compiled_from)
    with pytest.raises(CorruptError, match="contradict"):
        neighbors.of(np.array([1, 2, 3]), 10)


@given(st.integers(0, 53).flatmap(lambda w: st.tuples(st.just(w), st.lists(st.integers(0, 2**w - 1), max_size=150))))
def test_packed_numbers_are_read_back(case: tuple[int, list[int]]) -> None:
    width, numbers = case
    padded = np.array(numbers + [0] * (-len(numbers) % GROUP), np.uint64)
    words = pack(padded, width)
    assert len(words) * 64 == len(padded) * width
    words = np.concatenate([words, np.zeros(PADDING, np.uint64)])
    assert unpack(words, np.arange(len(numbers), dtype=np.int64) * width, width).tolist() == numbers
    assert bit_lengths(np.array(numbers, np.int64)).tolist() == [number.bit_length() for number in numbers]
