"""Files of labelled pairs: what is read, and what is refused with its file and line."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from indexes.errors import NotFoundError, UsageError
from kr.relevance.pairs import CLASSES, GRADED, LabelledPairs, read_pairs, refuse_one_label

GOOD = '{"query": "鲜花", "keyword": "鲜花店", "label": 1}\n'


def pairs_of(labels: list[float]) -> LabelledPairs:
    return LabelledPairs(("q",) * len(labels), ("k",) * len(labels), np.array(labels))


def test_plain_and_gzipped_files_are_read_one_after_the_other(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"
    plain.write_text("\ufeff" + GOOD + "\n", encoding="utf-8")
    packed.write_bytes(gzip.compress(GOOD.replace("1", "0").encode()))
    pairs = read_pairs([plain, packed])
    assert pairs.queries == ("鲜花", "鲜花") and pairs.keywords == ("鲜花店", "鲜花店")
    assert pairs.labels.tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "a JSON list, not an object"),
        ('{"query": "a", "label": 1}', "the field keyword is missing"),
        ('{"query": 3, "keyword": "b", "label": 1}', "the field query is 3, not a text"),
        ('{"query": " \\u200b ", "keyword": "b", "label": 1}', "the field query is empty"),
        ('{"query": "a", "keyword": "", "label": 1}', "the field keyword is empty"),
        ('{"query": "a", "keyword": "b"}', "the label is missing"),
        ('{"query": "a", "keyword": "b", "label": "1"}', 'the label is "1", not a number'),
        ('{"query": "a", "keyword": "b", "label": true}', "the label is true"),
        ('{"query": "a", "keyword": "b", "label": NaN}', "the label is NaN"),
    ],
)
def test_a_broken_line_is_refused_with_file_and_number(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text(GOOD + line + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"pairs\.jsonl, line 2: ") as raised:
        read_pairs([file])
    assert message in str(raised.value)


def test_bytes_that_are_not_utf8_and_a_torn_archive_are_refused(tmp_path: Path) -> None:
    latin, torn = tmp_path / "latin.jsonl", tmp_path / "torn.jsonl.gz"
    latin.write_bytes(GOOD.encode() + b'{"query": "caf\xe9"}\n')
    with pytest.raises(UsageError, match=r"latin\.jsonl, line 2: not UTF-8"):
        read_pairs([latin])
    torn.write_bytes(gzip.compress(GOOD.encode() * 50)[:-12])
    with pytest.raises(UsageError, match="cannot be read"):
        read_pairs([torn])


def test_missing_and_empty_files_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        read_pairs([tmp_path / "nowhere.jsonl"])
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n\n")
    with pytest.raises(UsageError, match=r"empty\.jsonl holds no pairs"):
        read_pairs([empty])


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        ([0, 1], CLASSES),
        ([0, 1, 2], CLASSES),
        ([1, 3, 5.0], CLASSES),
        ([0, 1, 2, 3], GRADED),
        ([0, 0.5], GRADED),
        ([1, 2, 2.33], GRADED),
    ],
)
def test_three_or_fewer_whole_labels_are_classes(labels: list[float], kind: str) -> None:
    assert pairs_of(labels).kind == kind


def test_files_of_classes_beside_files_of_grades_are_refused_by_name(tmp_path: Path) -> None:
    classes, grades = tmp_path / "classes.jsonl", tmp_path / "grades.jsonl"
    classes.write_text(GOOD + GOOD.replace("1", "0"), encoding="utf-8")
    grades.write_text(GOOD + GOOD.replace("1", "2.33"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"classes\.jsonl holds classes, .*grades\.jsonl grades"):
        read_pairs([grades, classes])
    assert read_pairs([grades, grades]).kind == GRADED


def test_identical_sides_are_pairs_like_others(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text(GOOD + GOOD.replace("鲜花店", "鲜花"), encoding="utf-8")
    assert read_pairs([file]).keywords == ("鲜花店", "鲜花")


def test_one_label_only_is_refused() -> None:
    with pytest.raises(UsageError, match="All 3 pairs have the label 2"):
        refuse_one_label(pairs_of([2, 2, 2]))


def test_queries_that_are_close_variants_are_one_group() -> None:
    queries = ("running shoes", "Running  Shoe", "跑鞋", "shoes running", "running coat")
    pairs = LabelledPairs(queries, ("k",) * 5, np.zeros(5))
    assert pairs.groups().tolist() == [0, 0, 1, 0, 2]
