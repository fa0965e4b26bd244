"""`manage.py feedback`: from ingested logs to a report and to training pairs, and what is said of bad input."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from indexes.errors import CorruptError, KRError, NotFoundError, UsageError
from kr.relevance.feedback_commands import feedback
from kr.relevance.feedback_log import read_feedback
from kr.relevance.pairs import read_pairs
from mining.ingest import ingest
from mining.schema import canonical_tables

Row = tuple[str, str, str, str]
START = datetime(2024, 1, 1, tzinfo=UTC)
ROWS: list[Row] = [
    ("a", "鲜花", "鲜花店", "up"),
    ("b", "鲜花", "鲜花店", "saved"),
    ("c", "鲜花", "鲜花店", "irrelevant"),
    ("a", "鲜花", "跑鞋", "irrelevant"),
    ("b", "鲜花", "跑鞋", "irrelevant"),
    ("a", "鲜花", "蛋糕", "up"),
    ("b", "鲜花", "蛋糕", "irrelevant"),
    ("c", "鲜花", "婚庆", "up"),
    ("c", "鲜花", "婚庆", "not_my_business"),
    ("b", "鲜花", "花圈", "not_my_business"),
]


def write_part(path: Path, rows: list[Row]) -> Path:
    """A Parquet file as ingest writes them, a row a minute."""
    path.parent.mkdir(parents=True, exist_ok=True)
    records = [
        {"ts": START + timedelta(minutes=minute), "account_id": a, "query": q, "keyword": k, "verdict": v}
        for minute, (a, q, k, v) in enumerate(rows)
    ]
    pq.write_table(pa.Table.from_pylist(records, canonical_tables()["feedback"].arrow_schema), path)
    return path


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A log of feedback, ingested from two files."""
    write_part(tmp_path / "raw" / "feedback" / "one.parquet", ROWS[:5])
    write_part(tmp_path / "raw" / "feedback" / "two.parquet", ROWS[5:])
    ingest("parquet", tmp_path / "raw", tmp_path / "logs")
    return tmp_path / "logs"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(feedback, [str(argument) for argument in arguments], catch_exceptions=False)


def report_of(logs: Path, *more: object) -> dict[str, Any]:
    result = run("report", "--logs", logs, "--json", *more)
    assert result.exit_code == 0
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_the_report_counts_pairs_accounts_ties_and_keeps_what_is_personal_apart(logs: Path) -> None:
    report = report_of(logs)
    assert (report["rows"], report["accounts"]) == (10, 3)
    assert report["verdicts"] == {"up": 3, "saved": 1, "irrelevant": 4, "not_my_business": 2}
    assert report["not_my_business"] == {"judgements": 2, "accounts": 2, "keywords": 2}
    assert (report["pairs_judged"], report["pairs_by_accounts"]) == (3, {"2": 2, "3": 1})
    assert (report["positive"], report["negative"], report["ties"]) == (1, 1, 1)
    # Of 7 judgements 2 · 1/2 of 鲜花店 and 2 of 跑鞋 meet agreement.
    assert report["observed_agreement"] == pytest.approx(3 / 7)
    # 3 positive and 4 negative: by chance (3·2 + 4·3) / (7·6).
    assert report["krippendorff_alpha"] == pytest.approx((3 / 7 - 18 / 42) / (1 - 18 / 42))
    assert [each["keyword"] for each in report["most_contested"]] == ["蛋糕", "鲜花店"]
    assert report["contested"] == 2 and len(report_of(logs, "--most", 1)["most_contested"]) == 1


def test_the_report_reads_as_text(logs: Path) -> None:
    text = run("report", "--logs", logs).stdout
    assert "Krippendorff's alpha" in text and "+1 −1  鲜花 | 蛋糕" in text
    assert "2 by 2 accounts on 2 keywords; never a label" in text


def test_pairs_can_be_trained_on_and_never_hold_what_is_not_my_business(logs: Path, tmp_path: Path) -> None:
    out, personal = tmp_path / "pairs.jsonl.gz", tmp_path / "personal.jsonl"
    result = run("pairs", "--logs", logs, "--out", out, "--personal-out", personal, "--json")
    assert json.loads(result.stdout) == {"pairs": 2, "positive": 1, "negative": 1, "ties": 1, "personal": 2}
    pairs = read_pairs([out])
    assert list(zip(pairs.keywords, pairs.labels.tolist(), strict=True)) == [("跑鞋", 0.0), ("鲜花店", 1.0)]
    assert [json.loads(line) for line in personal.read_text(encoding="utf-8").splitlines()] == [
        {"account_id": "b", "keyword": "花圈"},
        {"account_id": "c", "keyword": "婚庆"},
    ]


def test_the_same_log_gives_the_same_bytes(logs: Path, tmp_path: Path) -> None:
    for name in ("one.jsonl.gz", "two.jsonl.gz"):
        run("pairs", "--logs", logs, "--out", tmp_path / name)
    assert (tmp_path / "one.jsonl.gz").read_bytes() == (tmp_path / "two.jsonl.gz").read_bytes()


def test_what_is_personal_and_not_written_is_told(logs: Path, tmp_path: Path) -> None:
    assert (
        "2 keywords that are not an account's business" in run("pairs", "--logs", logs, "--out", tmp_path / "p").stderr
    )


def test_nothing_is_written_over_and_two_outputs_are_two_files(logs: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs.jsonl"
    with pytest.raises(UsageError, match="Name two files"):
        run("pairs", "--logs", logs, "--out", out, "--personal-out", out)
    out.write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="exists"):
        run("pairs", "--logs", logs, "--out", out)
    assert out.read_text(encoding="utf-8") == "mine"


def test_a_file_that_cannot_be_written_is_named_and_nothing_is_left_behind(logs: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(KRError, match=r"file/pairs\.jsonl cannot be written"):
        run("pairs", "--logs", logs, "--out", tmp_path / "file" / "pairs.jsonl")


def test_feedback_that_decides_nothing_gives_no_pairs(tmp_path: Path) -> None:
    write_part(tmp_path / "logs" / "feedback" / "part.parquet", [("a", "鲜花", "花圈", "not_my_business")])
    with pytest.raises(UsageError, match="decides no pair: 0 ties, 1 times"):
        run("pairs", "--logs", tmp_path / "logs", "--out", tmp_path / "pairs.jsonl")
    assert not (tmp_path / "pairs.jsonl").exists()
    report = report_of(tmp_path / "logs")
    assert (report["pairs_judged"], report["observed_agreement"], report["krippendorff_alpha"]) == (0, None, None)


def test_one_label_alone_is_written_and_said(tmp_path: Path) -> None:
    write_part(tmp_path / "logs" / "feedback" / "part.parquet", [("a", "鲜花", "鲜花店", "up")])
    result = run("pairs", "--logs", tmp_path / "logs", "--out", tmp_path / "pairs.jsonl")
    assert "one label" in result.stderr and len(read_pairs([tmp_path / "pairs.jsonl"])) == 1


def test_a_missing_log_table_or_row_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no folder"):
        list(read_feedback(tmp_path / "none"))
    (tmp_path / "logs").mkdir()
    with pytest.raises(NotFoundError, match="has no table feedback"):
        list(read_feedback(tmp_path / "logs"))
    write_part(tmp_path / "logs" / "feedback" / "part.parquet", [])
    with pytest.raises(NotFoundError, match="is empty"):
        list(read_feedback(tmp_path / "logs"))


def test_a_wrong_verdict_or_a_missing_value_is_named_with_file_and_row(tmp_path: Path) -> None:
    path = write_part(tmp_path / "logs" / "feedback" / "part.parquet", [*ROWS[:2], ("a", "鲜花", "花", "meh")])
    with pytest.raises(UsageError, match=r"part\.parquet, row 3: the verdict 'meh' is unknown\. Use one of up"):
        list(read_feedback(tmp_path / "logs"))
    table = pq.read_table(path)
    keywords = pa.array([None, "花", "花"], pa.string())
    pq.write_table(pa.table({**{name: table[name] for name in table.column_names}, "keyword": keywords}), path)
    with pytest.raises(UsageError, match=r"part\.parquet, row 1: the field keyword is missing"):
        list(read_feedback(tmp_path / "logs"))


def test_a_file_of_another_shape_is_refused(tmp_path: Path) -> None:
    path = write_part(tmp_path / "logs" / "feedback" / "part.parquet", ROWS)
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["verdict"]), path)
    with pytest.raises(CorruptError, match="lacks the column verdict"):
        list(read_feedback(tmp_path / "logs"))
    pq.write_table(table.set_column(0, "ts", pa.array(range(len(ROWS)))), path)
    with pytest.raises(CorruptError, match="holds ts as int64, not a timestamp"):
        list(read_feedback(tmp_path / "logs"))
    path.write_bytes(b"PAR1 but no more")
    with pytest.raises(CorruptError, match="no readable Parquet file"):
        list(read_feedback(tmp_path / "logs"))


def test_parts_that_the_log_does_not_name_are_not_read_and_missing_ones_are_told(logs: Path) -> None:
    before = len(list(read_feedback(logs)))
    write_part(logs / "feedback" / "left-over.parquet", ROWS)
    assert len(list(read_feedback(logs))) == before == len(ROWS)
    next(path for path in sorted((logs / "feedback").iterdir()) if path.name != "left-over.parquet").unlink()
    with pytest.raises(CorruptError, match="missing or damaged"):
        list(read_feedback(logs))
