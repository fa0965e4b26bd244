"""Ingesting again: what has not changed is not read again, and the outcome depends on the inputs alone."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.errors import CorruptError, KRError, NotFoundError, TryAgainError, UsageError
from mining.ingest import IngestReport, TooManyRejectsError, ingest, log_parts
from mining.ingest.adapters import tabular
from mining.ingest.state import ingest_lock

Run = Callable[..., IngestReport]
Rows = Callable[[Path, str], list[dict[str, Any]]]
Tree = Callable[[Path], dict[str, bytes]]
HEADER = "search_id,ts,user_id,query\n"


def write(path: Path, *rows: tuple[int, str]) -> Path:
    path.parent.mkdir(exist_ok=True)
    text = "".join(f"s{number},2020-01-01T00:00:00Z,u,{query}\n" for number, query in rows)
    path.write_text(HEADER + text, "utf-8")
    return path


@pytest.fixture
def files_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose rows are read, as it happens."""
    names: list[str] = []
    original = tabular.Tabular.read

    def read(self: Any, item: Any, advance: Any) -> Any:
        names.append(item.name)
        return original(self, item, advance)

    monkeypatch.setattr(tabular.Tabular, "read", read)
    return names


def test_the_same_log_twice_gives_the_same_bytes(run: Run, tree: Tree, tmp_path: Path) -> None:
    write(tmp_path / "log" / "searches-1.csv", (1, "a"), (2, "b"), (1, "again"))
    write(tmp_path / "log" / "searches-2.csv", (3, "c"), (2, "b"))
    first = run("csv", tmp_path / "log", max_rejected=1.0)
    second = run("csv", tmp_path / "log", max_rejected=1.0, out=tmp_path / "other")
    assert tree(tmp_path / "out") == tree(tmp_path / "other")
    assert first.as_dict() == second.as_dict()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["ingest.json", "rejects", "searches"]


def test_unchanged_files_are_not_read_again_and_count_the_same(
    run: Run, tree: Tree, files_read: list[str], tmp_path: Path
) -> None:
    write(tmp_path / "log" / "searches-1.csv", *[(number, "a") for number in range(40)], (1, "again"))
    first = run("csv", tmp_path / "log")
    before = tree(tmp_path / "out")
    files_read.clear()
    second = run("csv", tmp_path / "log")
    assert files_read == []
    assert tree(tmp_path / "out") == before
    assert (second.read, second.kept, second.reasons) == (first.read, first.kept, first.reasons)
    assert [file.status for file in second.files] == ["unchanged"]
    write(tmp_path / "log" / "searches-2.csv", (100, "b"))
    assert run("csv", tmp_path / "log").read == 42
    assert files_read == ["searches-2.csv"]


def test_a_changed_file_replaces_its_rows_and_another_option_reads_again(
    run: Run, rows: Rows, files_read: list[str], tmp_path: Path
) -> None:
    source = write(tmp_path / "log" / "searches.csv", (1, "a"), (2, "b"))
    run("csv", source)
    write(source, (1, "new"))
    assert [file.status for file in run("csv", source).files] == ["replaced"]
    assert [row["query"] for row in rows(tmp_path / "out", "searches")] == ["new"]
    files_read.clear()
    run("csv", source, encoding="gb18030")
    assert files_read == ["searches.csv"]


def test_other_sources_add_to_the_same_folder(run: Run, rows: Rows, tmp_path: Path) -> None:
    run("csv", write(tmp_path / "a" / "searches-a.csv", (1, "a")))
    (tmp_path / "industries.jsonl").write_text('{"industry_id": "i"}\n')
    run("jsonl", tmp_path / "industries.jsonl")
    again = run("csv", write(tmp_path / "b" / "searches-b.csv", (2, "b"), (1, "repeats a")), max_rejected=0.5)
    assert (again.read, again.reasons) == (2, {"duplicate": 1})
    assert {name: len(rows(tmp_path / "out", name)) for name in log_parts(tmp_path / "out")} == {
        "industries": 1,
        "searches": 2,
    }
    # searches-b lost a row to searches-a; with searches-a changed nobody can tell from here what that row should be.
    with pytest.raises(UsageError, match=r"searches-a\.csv#searches has changed.*searches-b.*Ingest everything"):
        run("csv", write(tmp_path / "a" / "searches-a.csv", (7, "a")))


contents = st.dictionaries(
    st.sampled_from(["searches-1.csv", "searches-2.csv", "searches-3.csv"]),
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from("ab")), min_size=1, max_size=4),
    min_size=1,
)


@settings(max_examples=15, deadline=None)
@given(steps=st.lists(contents, min_size=1, max_size=3))
def test_what_a_folder_holds_depends_on_its_inputs_not_on_their_history(
    steps: list[dict[str, list[tuple[int, str]]]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for step in steps:
            for file, rows in step.items():
                write(folder / "log" / file, *rows)
            report = ingest("csv", folder / "log", folder / "out", max_rejected=1.0)
        fresh = ingest("csv", folder / "log", folder / "fresh", max_rejected=1.0)
        states = [
            {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
            for out in (folder / "out", folder / "fresh")
        ]
        assert states[0] == states[1]
        assert (report.read, report.kept, report.reasons) == (fresh.read, fresh.kept, fresh.reasons)
        # Of every key exactly the first row, in the order of files and lines, is kept.
        final: dict[str, list[tuple[int, str]]] = {}
        for step in steps:
            final |= step
        expected: dict[int, str] = {}
        for file in sorted(final):
            for number, query in final[file]:
                expected.setdefault(number, query)
        assert report.kept == len(expected)
        import pyarrow.parquet as pq

        kept = [row for part in log_parts(folder / "out")["searches"] for row in pq.read_table(part).to_pylist()]
        assert {int(row["search_id"][1:]): row["query"] for row in kept} == expected


def test_a_failed_run_leaves_what_was_published_and_is_not_repeated_from_the_start(
    run: Run, tree: Tree, files_read: list[str], tmp_path: Path
) -> None:
    write(tmp_path / "log" / "searches-1.csv", (1, "a"))
    run("csv", tmp_path / "log")
    published = {name: content for name, content in tree(tmp_path / "out").items() if name.endswith(".parquet")}
    state = (tmp_path / "out" / "ingest.json").read_bytes()
    write(tmp_path / "log" / "searches-2.csv", (2, " "), (3, "c"))
    with pytest.raises(TooManyRejectsError):
        run("csv", tmp_path / "log")
    assert (tmp_path / "out" / "ingest.json").read_bytes() == state
    seen = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").glob("*/*.parquet")}
    assert seen == set(published)
    files_read.clear()
    assert run("csv", tmp_path / "log", max_rejected=0.5).kept == 2
    assert files_read == []


def test_a_missing_or_shortened_part_is_made_again(run: Run, rows: Rows, tmp_path: Path) -> None:
    source = write(tmp_path / "searches.csv", (1, "a"))
    run("csv", source)
    part = log_parts(tmp_path / "out")["searches"][0]
    for damage in (lambda: part.unlink(), lambda: part.write_bytes(b"")):
        damage()
        with pytest.raises(CorruptError, match=r"missing or damaged.*Run the ingest again"):
            log_parts(tmp_path / "out")
        run("csv", source)
        assert len(rows(tmp_path / "out", "searches")) == 1


def test_leftovers_of_an_interrupted_run_are_not_read_and_go_away(run: Run, rows: Rows, tmp_path: Path) -> None:
    source = write(tmp_path / "searches.csv", (1, "a"))
    run("csv", source)
    part = log_parts(tmp_path / "out")["searches"][0]
    orphan = part.with_name("part-left-over.parquet")
    orphan.write_bytes(part.read_bytes())
    assert len(rows(tmp_path / "out", "searches")) == 1
    run("csv", source)
    assert not orphan.exists()


def test_a_damaged_or_foreign_state_is_refused(run: Run, tmp_path: Path) -> None:
    source = write(tmp_path / "searches.csv", (1, "a"))
    run("csv", source)
    state = tmp_path / "out" / "ingest.json"
    for content in ("{", '{"format_version": 99, "inputs": []}', '{"format_version": 1, "inputs": [{}]}'):
        state.write_text(content)
        with pytest.raises(CorruptError, match=r"ingest\.json is"):
            run("csv", source)
    with pytest.raises(NotFoundError, match="There are no logs"):
        log_parts(tmp_path / "nothing")


def test_a_path_without_permission_is_named(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = write(tmp_path / "searches.csv", (1, "a"))
    original = Path.open

    # Permissions do not bind the superuser, who may be the one to run this test.
    def refuse(self: Path, *arguments: Any, **options: Any) -> Any:
        if self == source:
            raise PermissionError(13, "Permission denied", str(source))
        return original(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(KRError, match=r"searches\.csv cannot be read: Permission denied"):
        run("csv", source)


def test_two_ingests_into_one_folder_do_not_run_at_once(run: Run, tmp_path: Path) -> None:
    source = write(tmp_path / "searches.csv", (1, "a"))
    with ingest_lock(tmp_path / "out"), pytest.raises(TryAgainError, match="Another ingest"):
        run("csv", source)
    assert run("csv", source).kept == 1


def test_a_file_that_grows_while_it_is_read_is_not_published(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = write(tmp_path / "searches.csv", (1, "a"))
    original = tabular.Tabular.read

    def read(self: Any, item: Any, advance: Any) -> Any:
        yield from original(self, item, advance)
        with item.path.open("a") as file:
            file.write("s2,2020-01-01T00:00:00Z,u,late\n")

    monkeypatch.setattr(tabular.Tabular, "read", read)
    with pytest.raises(TryAgainError, match=r"searches\.csv changed while it was read"):
        run("csv", source)
    assert not (tmp_path / "out" / "ingest.json").exists()
