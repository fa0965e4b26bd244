"""A snapshot is built from mined tables: whole, the same bytes each time, and refused with a reason."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from indexes.errors import CorruptError, NotFoundError, UsageError
from indexes.opened import Indexes
from indexes.snapshot import current
from indexes.text import tokens
from indexes.unsafe_terms import UnsafeTerms
from mining import build_keywords
from mining.build import build, write_parts
from mining.build_statistics import demand_figures
from mining.build_tables import MinedTables, check_keyword_count
from mining.pair_strength import click_cluster_strength, cooccurrence_strength, rule_strength

Writer = Callable[[Path], Path]


def hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_tables_give_the_same_bytes(tiny_mined_writer: Writer, tmp_path: Path) -> None:
    mined = tiny_mined_writer(tmp_path / "mined")
    first, second = (build(mined, tmp_path / name)["snapshot"] for name in ("one", "two"))
    assert first == second
    one, two = (hashes(tmp_path / name / "snapshots" / first) for name in ("one", "two"))
    assert one == two and len(one) > 40


def test_what_was_built_is_what_the_tables_say(tiny_store: Path) -> None:
    indexes = Indexes.open(tiny_store)
    assert indexes.snapshot_id == current(tiny_store)
    assert list(indexes.keywords) == sorted(indexes.keywords)
    flowers = indexes.keywords.find("鲜花")
    assert int(indexes.stats.own_searches[flowers]) == 1200
    assert indexes.stats.searches_by_device[flowers].tolist() == [1200] and indexes.devices == ("mobile",)
    assert indexes.regions == ()
    for keyword_id, keyword in enumerate(indexes.keywords):
        for token_id in indexes.token_ids(tokens(keyword)):
            assert keyword_id in indexes.postings.documents_of(token_id)
    assert indexes.keywords[int(indexes.popular[0])] == "鲜花"
    assert "在线赌博" not in indexes.keywords.take(indexes.popular)


def test_groups_of_close_variants_are_symmetric(tiny_store: Path) -> None:
    indexes = Indexes.open(tiny_store)
    for keyword_id in range(len(indexes.keywords)):
        group = indexes.close_variants(keyword_id).tolist()
        assert keyword_id in group
        assert all(indexes.close_variants(member).tolist() == group for member in group)
        assert int(indexes.stats.searches[keyword_id]) == int(indexes.stats.own_searches[group].sum())


def test_unfinished_mining_is_refused(tiny_mined_writer: Writer, tmp_path: Path) -> None:
    mined = tiny_mined_writer(tmp_path / "mined")
    (mined / "mining_report.json").unlink()
    with pytest.raises(NotFoundError, match=r"mining_report\.json is missing"):
        build(mined, tmp_path / "store")
    assert not list((tmp_path / "store").glob("snapshots/*"))


def test_a_missing_table_is_named(tiny_mined_writer: Writer, tmp_path: Path) -> None:
    mined = tiny_mined_writer(tmp_path / "mined")
    (mined / "cooccurrence.parquet").unlink()
    with pytest.raises(NotFoundError, match="no table cooccurrence"):
        build(mined, tmp_path / "store")
    assert not list((tmp_path / "store" / "staging").iterdir())


def test_the_number_of_processes_does_not_show(
    tiny_mined_writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_keywords, "BATCH", 3)
    tables = MinedTables(tiny_mined_writer(tmp_path / "mined"))
    unsafe_terms = UnsafeTerms.load()
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        folder.mkdir()
        write_parts(tables, unsafe_terms, folder, lambda _: None, processes)
    assert hashes(tmp_path / "1") == hashes(tmp_path / "2")


def rewritten(mined: Path, name: str, change: Callable[[pa.Table], pa.Table]) -> None:
    path = mined / f"{name}.parquet"
    pq.write_table(change(pq.read_table(path)), path)


def with_unknown_neighbor(table: pa.Table) -> pa.Table:
    names = ["nobody's", *table["neighbor"].to_pylist()[1:]]
    return table.set_column(table.schema.get_field_index("neighbor"), "neighbor", pa.array(names))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("keyword_statistics", lambda table: table.take([1, 0]), "keyword_statistics is not sorted"),
        ("keyword_statistics", lambda table: table.take([0, 0]), "keyword_statistics is not sorted"),
        ("cooccurrence", lambda table: table.take([1, 0]), "cooccurrence cannot be used.*not distinct and ascending"),
        ("association_rules", with_unknown_neighbor, "association_rules names .nobody's."),
    ],
)
def test_tables_that_contradict_each_other_are_refused_by_name(
    tiny_mined_writer: Writer, tmp_path: Path, name: str, change: Callable[[pa.Table], pa.Table], message: str
) -> None:
    mined = tiny_mined_writer(tmp_path / "mined")
    rewritten(mined, name, change)
    with pytest.raises(CorruptError, match=message):
        build(mined, tmp_path / "store")
    assert not list((tmp_path / "store").glob("snapshots/*"))


def test_a_damaged_table_is_refused_by_name(tiny_mined_writer: Writer, tmp_path: Path) -> None:
    mined = tiny_mined_writer(tmp_path / "mined")
    path = mined / "keyword_months.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CorruptError, match=r"keyword_months\.parquet is not a whole Parquet file"):
        build(mined, tmp_path / "store")


def test_more_keywords_than_ids_can_name_are_refused(tmp_path: Path) -> None:
    check_keyword_count(tmp_path, 2**31 - 1)
    with pytest.raises(UsageError, match=r"2,147,483,648 keywords; a snapshot holds 2,147,483,647 at most"):
        check_keyword_count(tmp_path, 2**31)


def test_no_keyword_is_refused(tiny_mined_writer: Writer, tmp_path: Path) -> None:
    mined = tiny_mined_writer(tmp_path / "mined")
    table = pq.read_table(mined / "keyword_statistics.parquet")
    pq.write_table(table.slice(0, 0), mined / "keyword_statistics.parquet")
    with pytest.raises(UsageError, match="holds no keyword"):
        build(mined, tmp_path / "store")


@given(st.integers(0, 15).flatmap(lambda months: arrays(np.int64, (3, months), elements=st.integers(0, 50))))
def test_demand_figures_are_means_and_changes_of_whole_months(months: np.ndarray) -> None:
    average, quarter, year = demand_figures(months)
    for row, counts in enumerate(months.tolist()):
        assert average[row] == pytest.approx(np.mean(counts[-12:]) if counts else np.nan, nan_ok=True)
        before = sum(counts[-6:-3])
        known = len(counts) >= 6 and before > 0
        expected = sum(counts[-3:]) / before - 1 if known else np.nan
        assert quarter[row] == pytest.approx(expected, nan_ok=True)
        known = len(counts) >= 13 and counts[-13] > 0
        assert year[row] == pytest.approx(counts[-1] / counts[-13] - 1 if known else np.nan, nan_ok=True)


COUNTS = st.integers(1, 10_000)


@given(COUNTS, COUNTS, COUNTS, COUNTS, st.integers(1, 10**7))
def test_strengths_lie_between_nothing_and_one(sessions: int, users: int, a: int, b: int, everything: int) -> None:
    one = np.array
    strength = cooccurrence_strength(one([sessions]), one([users]), one([a]), one([b]), everything)
    assert 0 <= strength[0] < 1
    assert 0 <= click_cluster_strength(one([0.7]), one([sessions]), one([users]))[0] < 1


def test_rarer_than_by_chance_has_no_strength_and_more_people_have_more() -> None:
    assert rule_strength(np.array([0.5]), np.array([0.01]), np.array([100]))[0] == 0
    few, many = rule_strength(np.array([30.0, 30.0]), np.array([0.01, 0.01]), np.array([1, 100]))
    assert few < many
