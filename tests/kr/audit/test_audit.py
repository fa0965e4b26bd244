"""The audit stage: thresholds, adult goods, lists that change while the service runs, and failing closed."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.errors import TryAgainError, UsageError
from indexes.unsafe_terms import UnsafeTerms
from kr.audit.lexicons import LexiconsInForce
from kr.audit.stage import UnsafeKeywordAudit
from kr.reasons import Removal
from kr.types import Candidates, Request, StageResult

KEYWORDS = ["鲜花", "情趣内衣", "彩票", "手枪", "porn", "casino porn", "海洛因", "电子烟"]
SHIPPED = UnsafeTerms.load()
IN_FORCE = LexiconsInForce(())
HEADER = "format: 1\nname: own\nlanguage: zh\n"
TOBACCO = HEADER + "[tobacco severity=2]\n电子烟\n"


class Keywords:
    """The keywords of a snapshot; counts how many were read."""

    def __init__(self) -> None:
        self.read = 0

    def take(self, ids: np.ndarray) -> list[str]:
        self.read += len(ids)
        return [KEYWORDS[keyword_id] for keyword_id in ids]


@dataclass(frozen=True)
class Snapshot:
    """What the audit reads of `Indexes`."""

    keywords: Keywords
    unsafe_categories: np.ndarray
    unsafe_severity: np.ndarray
    lexicons_sha256: str


def snapshot(built_with: UnsafeTerms = SHIPPED) -> Any:
    masks, severities = built_with.scan(KEYWORDS)
    return Snapshot(Keywords(), masks, severities, built_with.sha256)


def candidates() -> Candidates:
    ids = np.arange(len(KEYWORDS), dtype=np.int32)
    return Candidates(ids, np.ones(len(ids), np.uint32), {"relevance": np.linspace(1, 0, len(ids))})


def removals(result: StageResult) -> dict[str, Removal]:
    return {
        KEYWORDS[keyword_id]: Removal(code)
        for keyword_id, code in zip(result.removed.keyword_id, result.removal_codes, strict=True)
    }


def kept(result: StageResult) -> list[str]:
    return [KEYWORDS[keyword_id] for keyword_id in result.kept.keyword_id]


def test_unsafe_keywords_go_with_the_code_of_their_category() -> None:
    audit = UnsafeKeywordAudit.open(snapshot(), (), 1)
    result = audit.run(Request(seeds=("鲜花",)), candidates())
    assert kept(result) == ["鲜花", "电子烟"]
    assert removals(result) == {
        "情趣内衣": Removal.UNSAFE_PORN,
        "彩票": Removal.UNSAFE_GAMBLING,
        "手枪": Removal.UNSAFE_WEAPONS,
        "porn": Removal.UNSAFE_PORN,
        "casino porn": Removal.UNSAFE_PORN,
        "海洛因": Removal.UNSAFE_DRUGS,
    }


@pytest.mark.parametrize(
    ("severity", "shown"),
    [(1, "鲜花 电子烟"), (2, "鲜花 情趣内衣 彩票 电子烟"), (3, "鲜花 情趣内衣 彩票 手枪 电子烟")],
)
def test_only_keywords_from_the_threshold_on_are_removed(severity: int, shown: str) -> None:
    audit = UnsafeKeywordAudit.open(snapshot(), (), severity)
    assert kept(audit.run(Request(seeds=("鲜花",)), candidates())) == shown.split()


def test_a_request_for_adults_shows_lawful_goods_and_nothing_else_more() -> None:
    audit = UnsafeKeywordAudit.open(snapshot(), (), 1)
    result = audit.run(Request(seeds=("鲜花",), parameters={"adult": 1}), candidates())
    assert kept(result) == ["鲜花", "情趣内衣", "电子烟"]
    assert audit.unsafe_categories_of("情趣内衣", adult=True) == ()
    assert audit.unsafe_categories_of("情趣内衣") == audit.unsafe_categories_of("porn", adult=True) == ("porn",)


def test_a_query_is_audited_however_it_is_spelt() -> None:
    audit = UnsafeKeywordAudit.open(snapshot(), (), 2)
    assert audit.unsafe_categories_of("賭*博 平台") == ("gambling",)
    assert audit.unsafe_categories_of("c@sino p0rn") == ("porn", "gambling")
    assert audit.unsafe_categories_of("彩票") == audit.unsafe_categories_of("") == ()


def test_the_columns_of_the_snapshot_are_read_when_the_lists_are_those_of_its_build() -> None:
    indexes = snapshot()
    UnsafeKeywordAudit.open(indexes, (), 1).run(Request(seeds=("鲜花",)), candidates())
    assert indexes.keywords.read == 0


def test_a_list_newer_than_the_snapshot_is_applied_to_each_candidate_once(tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text(TOBACCO, encoding="utf-8")
    indexes = snapshot()
    audit = UnsafeKeywordAudit.open(indexes, (own,), 1)
    for _ in range(3):
        result = audit.run(Request(seeds=("鲜花",)), candidates())
        assert kept(result) == ["鲜花"] and removals(result)["电子烟"] == Removal.UNSAFE_OTHER
    assert indexes.keywords.read == len(KEYWORDS)
    assert audit.is_shown(np.array([0, 7], np.int32)).tolist() == [True, False]
    assert audit.unsafe_categories_of("电子烟") == ("tobacco",)


def test_a_snapshot_built_with_more_lists_than_are_in_force_is_audited_by_those_in_force(tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text(TOBACCO, encoding="utf-8")
    audit = UnsafeKeywordAudit.open(snapshot(UnsafeTerms.load([own])), (), 1)
    assert "电子烟" in kept(audit.run(Request(seeds=("鲜花",)), candidates()))


def test_a_missing_or_wrong_list_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="absent"):
        UnsafeKeywordAudit.open(snapshot(), (tmp_path / "absent.txt",), 1)


def replace_with(path: Path, content: str) -> None:
    """Write beside and rename, so that the file is another one even where clocks are coarse."""
    beside = path.with_suffix(".new")
    beside.write_text(content, encoding="utf-8")
    beside.replace(path)


def test_a_list_that_changes_takes_effect_while_running(tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text(TOBACCO, encoding="utf-8")
    audit = UnsafeKeywordAudit(snapshot(), LexiconsInForce((own,), check_seconds=0), 1)
    assert audit.unsafe_categories_of("鲜花") == ()
    replace_with(own, TOBACCO + "[flowers severity=1]\n鲜花\n")
    assert audit.unsafe_categories_of("鲜花") == ("flowers",)
    assert kept(audit.run(Request(seeds=("电脑",)), candidates())) == []


@pytest.mark.parametrize("damage", ["missing", "mistake", "emptied"])
def test_while_a_list_cannot_be_read_nothing_is_shown_and_the_operator_is_told_why(tmp_path: Path, damage: str) -> None:
    own = tmp_path / "own.txt"
    own.write_text(TOBACCO, encoding="utf-8")
    audit = UnsafeKeywordAudit(snapshot(), LexiconsInForce((own,), check_seconds=0), 1)
    assert audit.problem is None
    if damage == "missing":
        own.unlink()
    else:
        replace_with(own, "" if damage == "emptied" else TOBACCO + "[tobacco]\nvape\n")
    result = audit.run(Request(seeds=("鲜花",)), candidates())
    assert kept(result) == [] and set(removals(result).values()) == {Removal.AUDIT_UNAVAILABLE}
    for ask in (lambda: audit.unsafe_categories_of("鲜花"), lambda: audit.is_shown(np.array([0]))):
        with pytest.raises(TryAgainError, match="cannot be audited") as caught:
            ask()
        assert str(own) not in str(caught.value)
    assert audit.problem is not None and str(own) in audit.problem
    replace_with(own, TOBACCO)
    assert audit.problem is None
    assert kept(audit.run(Request(seeds=("鲜花",)), candidates())) == ["鲜花"]


def test_the_files_are_looked_at_once_in_the_interval(tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text(TOBACCO, encoding="utf-8")
    lexicons = LexiconsInForce((own,), check_seconds=3600)
    before = lexicons.terms()
    own.unlink()
    assert lexicons.terms() is before and lexicons.problem is None


def test_a_list_that_is_only_touched_keeps_its_fingerprint(tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text(TOBACCO, encoding="utf-8")
    lexicons = LexiconsInForce((own,), check_seconds=0)
    before = lexicons.terms().sha256
    os.utime(own, ns=(1, 1))
    assert lexicons.terms().sha256 == before


@given(st.lists(st.sampled_from(range(len(KEYWORDS))), unique=True), st.integers(1, 3), st.booleans())
def test_the_stage_agrees_with_the_audit_of_each_text_alone(ids: list[int], severity: int, adult: bool) -> None:
    audit = UnsafeKeywordAudit(snapshot(), IN_FORCE, severity)
    request = Request(seeds=("鲜花",), parameters={"adult": float(adult)})
    result = audit.run(request, candidates().take(np.array(ids, np.int64)))
    alone = [KEYWORDS[place] for place in ids if not audit.unsafe_categories_of(KEYWORDS[place], adult)]
    assert kept(result) == alone
    assert len(result.kept) + len(result.removed) == len(ids)
