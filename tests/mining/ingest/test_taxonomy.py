"""Product taxonomies: every line a row or a reject, languages merged by id, parents by path."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.errors import UsageError
from mining.ingest import ingest
from mining.ingest.adapters.taxonomy import Taxonomy
from mining.ingest.inputs import Input

EN = "# Version: 2019\n1 - Pets\n3 - Pets > Food > Dry\n2 - Pets > Food\n9 - Toys\n"
ZH = "# Version: 2015\n9 - 玩具\n1 - 宠物\n2 - 宠物 > 食品\n7 - 宠物 > 住所\n"


def rows_of(out: Path) -> dict[str, tuple[Any, ...]]:
    rows = pq.read_table(out / "industries").to_pylist()
    assert len({row["industry_id"] for row in rows}) == len(rows)
    return {row["industry_id"]: (row["parent_id"], row["name_en"], row["name_zh"]) for row in rows}


def rejects_of(out: Path) -> list[tuple[int, str]]:
    lines = [line for path in (out / "rejects").glob("*.jsonl") for line in path.read_text("utf-8").splitlines()]
    found = [json.loads(line) for line in lines]
    return sorted((row["line"], row["reason"]) for row in found)


def write(folder: Path, **files: str) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / f"taxonomy.{name}.txt").write_text(text, encoding="utf-8")
    return folder


def test_languages_complete_each_other_by_id_and_every_line_is_accounted_for(tmp_path: Path) -> None:
    report = ingest("taxonomy", write(tmp_path / "in", en=EN, zh=ZH), tmp_path / "out")
    assert (report.read, report.kept, report.rejected) == (8, 8, 0)
    assert rows_of(tmp_path / "out") == {
        "1": (None, "Pets", "宠物"),
        "2": ("1", "Food", "食品"),
        "3": ("2", "Dry", None),
        "7": ("1", None, "住所"),
        "9": (None, "Toys", "玩具"),
    }


def test_without_ids_the_path_is_the_id(tmp_path: Path) -> None:
    text = "Pets\nPets > Food\nPets > Food > Dry\n"
    ingest("taxonomy", write(tmp_path / "in", en=text), tmp_path / "out")
    assert rows_of(tmp_path / "out") == {
        "Pets": (None, "Pets", None),
        "Pets > Food": ("Pets", "Food", None),
        "Pets > Food > Dry": ("Pets > Food", "Dry", None),
    }


def test_bad_lines_are_rejected_with_their_place_and_reason(tmp_path: Path) -> None:
    lines = [
        "1 - Pets",
        "2 - Cars > Tyres",
        "4 - Cars > Tyres > Winter",
        "no number",
        "5 - Pets >  > Food",
        "1 - Toys",
        "",
    ]
    source = write(tmp_path / "in", en="\n".join(lines))
    report = ingest("taxonomy", source, tmp_path / "out", max_rejected=1.0)
    assert (report.read, report.kept) == (6, 1)
    assert rejects_of(tmp_path / "out") == [
        (2, "unknown_parent"),
        (3, "unknown_parent"),
        (4, "not_a_category"),
        (5, "not_a_category"),
        (6, "duplicate"),
    ]
    assert rows_of(tmp_path / "out") == {"1": (None, "Pets", None)}


def test_what_is_no_taxonomy_is_not_read_and_options_that_mean_nothing_are_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "in", en=EN)
    (source / "table.tsv").write_text("id\tparent\n1\t2\n", encoding="utf-8")
    assert ingest("taxonomy", source, tmp_path / "out").read == 4
    with pytest.raises(UsageError, match="--table means nothing"):
        ingest("taxonomy", source, tmp_path / "other", table="industries")
    (source / "taxonomy.en.txt").unlink()
    with pytest.raises(UsageError, match="holds no taxonomy"):
        ingest("taxonomy", source, tmp_path / "other")


def test_the_languages_read_one_after_the_other_give_the_same_tree(tmp_path: Path) -> None:
    both = write(tmp_path / "both", en=EN, zh=ZH)
    one = write(tmp_path / "one", en=EN)
    ingest("taxonomy", one, tmp_path / "grown")
    (one / "taxonomy.zh.txt").write_text(ZH, encoding="utf-8")
    ingest("taxonomy", one, tmp_path / "grown")
    ingest("taxonomy", both, tmp_path / "at-once")
    assert rows_of(tmp_path / "grown") == rows_of(tmp_path / "at-once")


PATHS = st.lists(st.lists(st.sampled_from(["a", "b", "猫"]), min_size=1, max_size=3), max_size=12)


@given(PATHS)
def test_every_line_is_a_row_or_a_reject_and_every_parent_is_a_row(
    tmp_path_factory: pytest.TempPathFactory, paths: list[list[str]]
) -> None:
    file = tmp_path_factory.mktemp("taxonomy") / "any.txt"
    file.write_text("".join(f"{n} - {' > '.join(path)}\n" for n, path in enumerate(paths)), encoding="utf-8")
    ((batch,),) = Taxonomy().read(Input("taxonomy", file, file.name), lambda units: None)
    assert sorted([*batch.lines.tolist(), *(reject.line for reject in batch.rejects)]) == list(range(1, len(paths) + 1))
    if not len(batch.lines):
        return
    ids, parents = batch.columns["industry_id"].to_pylist(), batch.columns["parent_id"].to_pylist()
    for line, own, parent in zip(batch.lines.tolist(), ids, parents, strict=True):
        above = paths[line - 1][:-1]
        assert own == str(line - 1)
        assert (parent is None) == (not above)
        assert parent is None or (parent in ids and paths[int(parent)] == above)
    kept = {tuple(paths[line - 1]) for line in batch.lines.tolist()}
    for reject in batch.rejects:
        assert tuple(paths[reject.line - 1][:-1]) not in kept


@pytest.mark.shared_data
def test_the_real_taxonomy_is_read_whole_in_both_languages(shared_data: Path, tmp_path: Path) -> None:
    report = ingest("taxonomy", shared_data / "taxonomy", tmp_path / "out")
    assert (report.read, report.kept, report.rejected) == (11_009, 11_009, 0)
    rows = rows_of(tmp_path / "out")
    assert len(rows) == 5_582 and sum(all(names) for _, *names in rows.values()) == 5_427
    assert rows["3237"] == ("1", "Live Animals", "活体动物")
    assert all(parent is None or parent in rows for parent, _, _ in rows.values())
