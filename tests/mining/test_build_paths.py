"""Paths between keywords of a cluster come back from their ids as the texts that were mined."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.arrays import ArrayFolder, write_array
from indexes.click_paths import ClickPaths
from indexes.errors import CorruptError
from indexes.vocabulary import Vocabulary, write_vocabulary
from mining import build_paths
from mining.build_paths import PathWriter
from mining.build_tables import MinedTables
from mining.text_ids import TextIds

KEYWORDS = ["a", "b", "鲜花"]
STEP = st.tuples(st.sampled_from(["http://x/", "http://y/花", "a"]), st.sampled_from(KEYWORDS))
PATHS = st.none() | st.tuples(st.sampled_from(KEYWORDS), st.lists(STEP, min_size=1, max_size=3)).map(
    lambda path: [path[0], *(text for step in path[1] for text in step)]
)


def mined_paths(folder: Path, paths: list[list[str] | None]) -> tuple[MinedTables, pa.Table]:
    folder.mkdir()
    (folder / "mining_report.json").write_text("{}")
    table = pa.table({"path": pa.array(paths, pa.list_(pa.string()))})
    pq.write_table(table, folder / "click_neighbors.parquet", row_group_size=3)
    write_vocabulary(folder, "keywords", KEYWORDS)
    return MinedTables(folder), table


@pytest.mark.parametrize("gathered", [1, 100])
@settings(max_examples=25)
@given(paths=st.lists(PATHS, max_size=10))
def test_paths_are_read_back_as_they_were_mined(
    tmp_path_factory: pytest.TempPathFactory, gathered: int, paths: list[list[str] | None]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_paths, "URLS", gathered)
        assert_paths_are_read_back(tmp_path_factory, paths)


def assert_paths_are_read_back(tmp_path_factory: pytest.TempPathFactory, paths: list[list[str] | None]) -> None:
    folder = tmp_path_factory.mktemp("paths") / "mined"
    mined, table = mined_paths(folder, paths)
    with PathWriter(mined, TextIds(folder), folder) as writer:
        numbers = [writer.append(table["path"].slice(begin, 4)) for begin in range(0, len(paths), 4)]
    found = np.concatenate([np.empty(0, np.int64), *numbers]).tolist()
    known = [path for path in paths if path is not None]
    assert [number for number in found if number >= 0] == list(range(len(known)))
    assert [number < 0 for number in found] == [path is None for path in paths]
    reader = ArrayFolder(folder)
    read = ClickPaths(reader, Vocabulary(reader, "keywords"))
    assert [read[number] for number in range(len(read))] == [" → ".join(path) for path in known]
    with pytest.raises(IndexError):
        read[len(known)]


@pytest.mark.parametrize(
    ("path", "message"), [(["a", "http://x/"], "does not end with a keyword"), (["a", "http://x/", "c"], "names 'c'")]
)
def test_a_path_that_leads_nowhere_is_refused(tmp_path: Path, path: list[str], message: str) -> None:
    folder = tmp_path / "mined"
    mined, table = mined_paths(folder, [path])
    with pytest.raises(CorruptError, match=message), PathWriter(mined, TextIds(folder), folder) as writer:
        writer.append(table["path"])


def test_steps_that_do_not_fit_their_offsets_are_corrupt(tmp_path: Path) -> None:
    folder = tmp_path / "mined"
    mined, table = mined_paths(folder, [["a", "http://x/", "b"]])
    with PathWriter(mined, TextIds(folder), folder) as writer:
        writer.append(table["path"])
    write_array(folder, "click_paths/steps.npy", np.zeros(2, np.int32))
    reader = ArrayFolder(folder)
    with pytest.raises(CorruptError, match=r"steps\.npy"):
        ClickPaths(reader, Vocabulary(reader, "keywords"))
