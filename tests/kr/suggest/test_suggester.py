"""What somebody sees while typing: own words first, nothing unsafe, each demand once, with what is matched marked."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from indexes.errors import UsageError
from indexes.opened import Indexes
from indexes.prefixes_match import Kind, exact_match, matched_span, near_match
from indexes.prefixes_query import Query
from indexes.text.readings import read_aloud
from kr.audit.stage import UnsafeKeywordAudit
from kr.commands import suggest as suggest_command
from kr.suggest.suggester import Suggester, Suggestion, SuggestRequest


@pytest.fixture(scope="module")
def suggester(tiny_store: Path) -> Suggester:
    indexes = Indexes.open(tiny_store)
    return Suggester(indexes, UnsafeKeywordAudit.open(indexes, (), 1))


def suggested(suggester: Suggester, query: str, **more: object) -> list[Suggestion]:
    return suggester.suggest(SuggestRequest(query, **more))  # type: ignore[arg-type]


def texts(rows: list[Suggestion]) -> list[str]:
    return [row.text for row in rows]


@pytest.mark.parametrize(
    ("query", "kind", "highlight"),
    [
        ("鲜花", "string", (0, 2)),
        ("鮮花", "string", (0, 2)),
        ("xianhua", "pinyin", (0, 2)),
        ("xianh", "pinyin", (0, 2)),
        ("xian'hua", "pinyin", (0, 2)),
        ("ＸＩＡＮ", "pinyin", (0, 1)),
        ("xh", "initials", (0, 2)),
        ("xian花", "mixed", (0, 2)),
        ("xhua", "mixed", (0, 2)),
        ("鲜h", "mixed", (0, 2)),
        ("xianghua", "typo", (0, 2)),
        ("线花", "typo", (0, 2)),
    ],
)
def test_every_way_of_typing_finds_the_flowers(
    suggester: Suggester, query: str, kind: str, highlight: tuple[int, int]
) -> None:
    first = suggested(suggester, query)[0]
    assert (first.text, first.kind, first.highlights) == ("鲜花", kind, (highlight,))
    assert first.avg_monthly_searches and first.avg_monthly_searches > 0


def test_latin_keywords_are_found_through_a_typo_and_marked_up_to_the_word(suggester: Suggester) -> None:
    rows = suggested(suggester, "runnign sh")
    assert texts(rows)[0] == "running shoes"
    assert rows[0].kind == "typo" and rows[0].highlights == ((0, 10),)


def test_keywords_are_ranked_by_searches_and_close_variants_shown_once(suggester: Suggester) -> None:
    rows = suggested(suggester, "鲜花")
    assert texts(rows)[:2] == ["鲜花", "鲜花速递"]
    assert not {"鮮花速遞", "速递鲜花"} & set(texts(rows))
    weights = [row.avg_monthly_searches or 0 for row in rows if row.kind == "string"]
    assert weights == sorted(weights, reverse=True)


def test_the_accounts_words_come_first_by_the_same_rules(suggester: Suggester) -> None:
    rows = suggested(suggester, "xh", own=("鲜花花篮", "飞机"), recent=("鲜花速递", "西湖  酒店"))
    assert texts(rows)[:3] == ["鲜花花篮", "鲜花速递", "西湖 酒店"]
    assert [row.kind for row in rows[:4]] == ["own", "recent", "recent", "initials"]
    assert rows[0].avg_monthly_searches is None and rows[1].avg_monthly_searches
    assert rows[2].highlights == ((0, 2),)
    assert len(set(texts(rows))) == len(rows)


def test_an_own_word_with_a_typo_comes_after_what_matches_exactly(suggester: Suggester) -> None:
    rows = suggested(suggester, "flowre", own=("flower pots",))
    assert texts(rows)[0] == "flower pots" and rows[0].kind == "own"
    rows = suggested(suggester, "flower", own=("flowerr",))
    assert texts(rows)[0] == "flowerr"
    rows = suggested(suggester, "flowers", own=("flowe shop",))
    assert texts(rows).index("flowers") < texts(rows).index("flowe shop")


def test_what_was_typed_nothing_of_shows_recent_own_and_popular_words(suggester: Suggester) -> None:
    for nothing in ("", "  ", "'", "\u200b"):
        rows = suggested(suggester, nothing, own=("花篮",), recent=("鲜花店",), limit=4)
        assert texts(rows)[:2] == ["鲜花店", "花篮"]
        assert [row.kind for row in rows] == ["recent", "own", "popular", "popular"]


def test_nothing_unsafe_is_suggested(suggester: Suggester) -> None:
    for query in ("在线", "zaixian", "zx", "在线d"):
        assert "在线赌博" not in texts(suggested(suggester, query, own=("在线赌博",), recent=("在线 赌博",)))
    assert suggested(suggester, "在线赌博", own=("在线赌博平台",)) == []
    assert "在线赌博" not in texts(suggested(suggester, "", recent=("在线赌博",)))


def test_lists_of_unsafe_terms_newer_than_the_snapshot_count(tiny_store: Path, tmp_path: Path) -> None:
    lexicon = tmp_path / "own.txt"
    header = "format: 1\nname: own\nlanguage: zh\n\n[drugs severity=3]\n"
    lexicon.write_text(f"{header}鲜花速递\n", encoding="utf-8")
    indexes = Indexes.open(tiny_store)
    audit = UnsafeKeywordAudit.open(indexes, (lexicon,), 1)
    rows = Suggester(indexes, audit).suggest(SuggestRequest("鲜花", limit=2))
    assert texts(rows) == ["鲜花", "鲜花店"]


@pytest.mark.parametrize("query", ["x" * 1000, "鲜" * 61, "xian" * 300_000, "\ud800", "\x00\x07", "𠀀", "{}"])
def test_strange_queries_are_answered(suggester: Suggester, query: str) -> None:
    rows = suggested(suggester, query)
    assert all(row.kind == "popular" for row in rows)


def test_limits_are_kept(suggester: Suggester) -> None:
    assert suggested(suggester, "鲜花", limit=0) == []
    assert len(suggested(suggester, "鲜花", limit=1, own=("鲜花一", "鲜花二"))) == 1
    everything = suggested(suggester, "x", limit=1000)
    assert 0 < len(everything) < 20


@pytest.mark.parametrize(
    ("query", "keyword", "kind", "characters"),
    [
        ("x光", "x光", Kind.STRING, 2),
        ("xg", "x光", Kind.PINYIN, 2),
        ("zhg", "中国", Kind.INITIALS, 2),
        ("zg", "中国银行", Kind.INITIALS, 2),
        ("zhongg", "中国", Kind.PINYIN, 2),
        ("xian", "西安", Kind.PINYIN, 2),
        ("xian", "先", Kind.PINYIN, 1),
        ("zho", "中国", Kind.PINYIN, 1),
        ("zhonguo", "中国", Kind.TYPO, 2),
        ("womens", "women's shoes", Kind.STRING, 6),
    ],
)
def test_how_a_keyword_matches(query: str, keyword: str, kind: Kind, characters: int) -> None:
    typed, read = Query.of(query), read_aloud(keyword)
    match = exact_match(typed, read) or near_match(typed, read)
    assert match and (match.kind, match.characters) == (kind, characters)


def test_spans_are_offsets_into_the_text_as_shown() -> None:
    assert matched_span("women's shoes", 6) == (0, 7)
    assert matched_span("'北京 鲜花", 3) == (1, 5)


def test_the_command_prints_the_envelope(tiny_store: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("鲜花花篮\n", encoding="utf-8")
    arguments = ["xh", "--store", str(tiny_store), "--own", str(own), "--recent", "鲜花店", "--limit", "3"]
    result = CliRunner().invoke(suggest_command, [*arguments, "--json"])
    document = json.loads(result.stdout)
    assert set(document) == {"data", "meta"}
    assert set(document["meta"]) == {"snapshot", "request_id", "degraded", "took_ms"}
    rows = document["data"]["suggestions"]
    assert [row["text"] for row in rows] == ["鲜花花篮", "鲜花店", "鲜花"]
    assert set(rows[0]) == {"text", "avg_monthly_searches", "kind", "highlights"}
    listed = CliRunner().invoke(suggest_command, arguments).stdout
    assert "鲜花花篮" in listed and "own" in listed


def test_a_missing_file_of_own_words_is_named(tiny_store: Path) -> None:
    result = CliRunner().invoke(suggest_command, ["xh", "--store", str(tiny_store), "--own", "/nowhere.txt"])
    assert isinstance(result.exception, UsageError) and "/nowhere.txt" in str(result.exception)
