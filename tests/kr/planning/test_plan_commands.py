"""`manage.py plan` as people and scripts use it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from indexes.errors import UsageError
from kr.commands import search
from kr.planning.commands import plan

EDITOR = (
    "Campaign,Ad Group,Keyword,Criterion Type,Max CPC\nC,G,鲜花,Exact,1.5\nC,G,玫瑰,Fuzzy,1\nC,G,+red roses,Broad,\n"
)


def run(*arguments: object, command: Any = plan) -> Result:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments], catch_exceptions=True)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def editor_file(tmp_path: Path) -> Path:
    path = tmp_path / "editor.csv"
    path.write_text(EDITOR, encoding="utf-8-sig")
    return path


def test_the_accounting_is_one_json_document(editor_file: Path) -> None:
    document = json.loads(run("import", editor_file, "--json").stdout)
    expected = {"format": "google_ads_editor", "read": 3, "kept": 2, "rejected": 1}
    assert {name: document[name] for name in expected} == expected
    assert document["reasons"] == {"unknown_match_type": 1}
    (rejection,) = document["rejections"]
    assert (rejection["line"], rejection["field"], rejection["value"]) == (3, "Criterion Type", "Fuzzy")


def test_people_see_the_same_in_words(editor_file: Path) -> None:
    result = run("import", editor_file)
    assert "google_ads_editor: 3 rows read, 2 kept, 1 rejected" in result.stdout
    assert "unknown_match_type: the match type is not one that is known / 无法识别的匹配方式" in result.stdout
    assert "line 3, Criterion Type" in result.stderr


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".xlsx"])
def test_rows_and_rejected_rows_are_written_and_can_be_read_again(
    editor_file: Path, tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"plan{suffix}"
    run("import", editor_file, "--out", out)
    again = json.loads(run("import", out, "--json").stdout)
    assert (again["read"], again["kept"]) == (2, 2)
    (rejected,) = (tmp_path / f"plan{suffix}.rejects.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(rejected)["reason"] == "unknown_match_type"


def test_an_import_that_fails_leaves_what_was_there(editor_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "plan.jsonl"
    out.write_text("before", encoding="utf-8")
    with pytest.raises(UsageError, match="more than 1 rows; nothing was imported"):
        run("import", editor_file, "--out", out, "--max-rows", 1)
    assert out.read_text(encoding="utf-8") == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["editor.csv", "plan.jsonl"]


def test_a_second_import_without_rejected_rows_removes_the_list_of_the_first(editor_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "plan.jsonl"
    run("import", editor_file, "--out", out)
    editor_file.write_text(EDITOR.replace("Fuzzy", "Phrase"), encoding="utf-8")
    run("import", editor_file, "--out", out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["editor.csv", "plan.jsonl"]


@pytest.mark.parametrize(
    ("format", "name"),
    [("csv", "x.csv"), ("xlsx", "x.xlsx"), ("jsonl", "x.jsonl"), ("google_ads_editor", "x.csv"),
     ("microsoft_bulk", "x.csv"), ("google_keyword_planner", "x.csv")],
)  # fmt: skip
def test_a_search_is_exported_in_every_format_and_imported_again(
    tiny_store: Path, tmp_path: Path, format: str, name: str
) -> None:
    out = tmp_path / name
    told = json.loads(run("export", "鲜花", "--store", tiny_store, "--out", out, "--format", format, "--json").stdout)
    assert told["rows"] == told["total"] > 5 and told["format"] == format
    again = json.loads(run("import", out, "--json").stdout)
    assert (again["read"], again["kept"]) == (told["rows"], told["rows"])
    assert again["format"] == {"jsonl": "kr_json_lines"}.get(format, format)


def test_an_exported_search_holds_volumes_bids_and_reasons(tiny_store: Path, tmp_path: Path) -> None:
    out, plan_file = tmp_path / "x.csv", tmp_path / "x.jsonl"
    run("export", "鲜花", "--store", tiny_store, "--out", out, "--texts", "zh", "--campaign", "春季")
    run("import", out, "--out", plan_file)
    first = json.loads(plan_file.read_text(encoding="utf-8").splitlines()[0])
    assert first["keyword"] == "鲜花" and first["currency"] == "CNY"
    assert first["metrics"]["avg_monthly_searches"] == 400
    assert first["metrics"]["low_top_of_page_bid_micros"] == 2_000_000 and first["metrics"]["competition"] == "HIGH"
    assert first["months"] == {"2023-12": 0, "2024-01": 300, "2024-02": 400, "2024-03": 500}
    assert first["reasons"][0] == "就是您搜索的“鲜花”" and first["source"].startswith("KR ")


def test_files_for_upload_name_a_campaign_a_group_and_a_match_type(tiny_store: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    run("export", "鲜花", "--store", tiny_store, "--out", out, "--format", "google_ads_editor")
    assert "\nKR 鲜花,鲜花,鲜花,Exact," in out.read_text(encoding="utf-8-sig")
    run("export", "鲜花", "--store", tiny_store, "--out", out, "--format", "microsoft_bulk", "--campaign", "C",
        "--ad-group", "G", "--match-type", "broad")  # fmt: skip
    assert "\nKeyword,,,,C,G,鲜花,Broad," in out.read_text(encoding="utf-8-sig")


def test_search_writes_the_same_rows_with_export(tiny_store: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "a.csv", tmp_path / "b.csv"
    run("鲜花", "--store", tiny_store, "--limit", 3, "--export", one, command=search)
    run("export", "鲜花", "--store", tiny_store, "--limit", 3, "--out", other)
    assert one.read_bytes() == other.read_bytes() and len(one.read_text(encoding="utf-8-sig").splitlines()) == 4


def test_a_file_is_converted_into_another_format(editor_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "bulk.csv"
    result = run("export", "--from", editor_file, "--out", out, "--format", "microsoft_bulk")
    assert "\nKeyword,,,,C,G, +red roses,Broad," in out.read_text(encoding="utf-8-sig")
    assert "1 rows of editor.csv were not taken: unknown_match_type" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("export", "--out", "x.csv"), "QUERY or --from"),
        (("export", "a", "--from", "b", "--out", "x.csv"), "QUERY or --from"),
        (("export", "a", "--out", "x.pdf"), "does not end in"),
        (("export", "a", "--out", "x.csv", "--sort", "colour"), "colour"),
        (("export", "a", "--out", "x.csv", "--limit", "10001"), "more than 10,000"),
        (("import", "FILE", "--out", "x.doc"), "does not end in"),
        (("import", "FILE", "--out", "/nowhere/x.csv"), "cannot be written"),
    ],
)
def test_mistakes_are_named(editor_file: Path, tiny_store: Path, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run(*(str(editor_file) if argument == "FILE" else argument for argument in arguments))
