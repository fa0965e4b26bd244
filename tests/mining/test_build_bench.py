"""The bench of the build: tables made for it are mined tables, the same every time, and every part is measured."""

from itertools import pairwise
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from indexes.arrays import ArrayFolder
from indexes.bench_table import COLUMNS
from indexes.errors import UsageError
from indexes.opened import Indexes
from mining import build_corpus
from mining.build import PARTS
from mining.build_bench import run_build_bench
from mining.build_corpus import write_mined_tables
from mining.commands import bench_build
from mining.mined_tables import MINED_TABLES

KEYWORDS = 3000


def test_made_tables_are_sorted_by_their_key_and_the_same_every_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_corpus, "ROW_GROUP_ROWS", 1000)
    write_mined_tables(KEYWORDS, tmp_path / "one")
    write_mined_tables(KEYWORDS, tmp_path / "two")
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(files) == 9
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    for path in (tmp_path / "one").glob("*.parquet"):
        table, mined = pq.read_table(path), MINED_TABLES[path.stem]
        assert table.schema.equals(mined.schema)
        keys = table.select(list(mined.key)).to_pylist()
        ordered = [tuple("" if value is None else str(value) for value in row.values()) for row in keys]
        assert all(one < other for one, other in pairwise(ordered))
    paths = pq.read_table(tmp_path / "one" / "click_neighbors.parquet")
    linked = paths.filter(pc.is_valid(paths["path"])).to_pylist()
    assert linked and all(
        [row["path"][0], row["path"][-1]] == [row["keyword"], row["neighbor"]] and not row["shared_urls"]
        for row in linked
    )


def test_every_part_is_measured_and_the_parts_open(tmp_path: Path) -> None:
    rows = run_build_bench(KEYWORDS, tmp_path, processes=1)
    assert [row["system"] for row in rows] == [*PARTS, "all parts"]
    assert all(set(COLUMNS) - {"ratio"} <= set(row) and row["build_s"] >= 0 for row in rows)
    assert sum(row["bytes"] for row in rows[:-1]) == pytest.approx(rows[-1]["bytes"], rel=0.01)
    indexes = Indexes.read(ArrayFolder(tmp_path / "parts"), "bench")
    assert len(indexes.keywords) == KEYWORDS == indexes.neighbors.keyword_count
    assert not (tmp_path / "parts" / "scratch").exists()


def test_a_work_folder_with_parts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    result = CliRunner().invoke(bench_build, ["--work", str(tmp_path)])
    assert isinstance(result.exception, UsageError)
