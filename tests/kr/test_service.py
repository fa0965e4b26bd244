"""Keyword search over a market small enough to check by hand."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.errors import NotFoundError, UsageError
from kr.envelope import envelope
from kr.pipelines.keyword_search import SOURCES
from kr.rank.order import Order
from kr.reasons import NOTICE_TEXTS, REASON_TEXTS, REMOVAL_TEXTS, Notice, Reason, Removal
from kr.reply import Reply
from kr.row_reasons import counted_en, span_en, span_zh
from kr.seeds import parse_seeds
from kr.service import KeywordService
from kr.settings import Settings
from kr.types import Candidates, Filters, Request


@pytest.fixture(scope="module")
def service(tiny_store: Path) -> KeywordService:
    return KeywordService.open(Settings(store=tiny_store))


def ask(service: KeywordService, *seeds: str, **more: object) -> Reply:
    request = Request(seeds=parse_seeds(seeds, service.settings), **more)  # type: ignore[arg-type]
    return service.keyword_ideas(request)


def texts(reply: Reply) -> list[str]:
    return [row["text"] for row in reply.rows]


def row_of(reply: Reply, text: str) -> dict:
    return next(row for row in reply.rows if row["text"] == text)


def codes(reply: Reply) -> list[str]:
    return [note.code.value for note in reply.notices]


def test_a_search_finds_its_own_keyword_its_extensions_and_its_neighbours(service: KeywordService) -> None:
    reply = ask(service, "鲜花")
    assert texts(reply)[0] == "鲜花"
    assert {"鲜花速递", "鲜花店", "鲜花 北京", "生日蛋糕", "送女友礼物", "flowers"} <= set(texts(reply))
    assert "running shoes" not in texts(reply)


def test_thin_evidence_about_an_unrelated_keyword_is_not_enough(service: KeywordService) -> None:
    assert "英语培训" not in texts(ask(service, "鲜花"))


def test_every_row_says_why_it_is_shown(service: KeywordService) -> None:
    for seed in ("鲜花", "flowers", "running shoes"):
        for row in ask(service, seed).rows:
            assert row["reasons"], row["text"]


def test_evidence_is_what_the_miners_counted(service: KeywordService) -> None:
    reasons = {reason["code"]: reason for reason in row_of(ask(service, "鲜花"), "生日蛋糕")["reasons"]}
    together = reasons[Reason.COOCCURRENCE.value]
    assert together["evidence"] == {
        "sessions": 60,
        "users": 55,
        "first_date": "2024-01-03",
        "last_date": "2024-03-30",
    }
    assert together["text_en"] == ("Searched in the same session as “鲜花” in 60 sessions by 55 users, Jan–Mar 2024")
    assert together["text_zh"] == "2024年1月至3月，55 位用户在 60 次会话中与“鲜花”一起搜索"
    assert reasons[Reason.RULE.value]["evidence"]["lift"] == 30.0


def test_a_member_without_common_pages_shows_the_path_of_clicks(service: KeywordService) -> None:
    reply = ask(service, "鲜花")
    path = next(r for r in row_of(reply, "鲜花店")["reasons"] if r["source"] == "click_clusters")
    assert path["code"] == Reason.CLUSTER_PATH.value
    assert "http://a.example/" in path["text_en"] and "http://a.example/" in path["text_zh"]


def test_shared_words_are_named(service: KeywordService) -> None:
    reason = row_of(ask(service, "鲜花速递"), "鲜花店")["reasons"][0]
    assert (reason["code"], reason["evidence"]) == (Reason.CONTAINS.value, {"words": ["鲜花"], "missed": ["速递"]})


def test_close_variants_are_one_row_and_their_demand_is_counted_once(service: KeywordService) -> None:
    reply = ask(service, "鲜花速递")
    row = row_of(reply, "鲜花速递")
    assert row["close_variants"] == [
        {"text": "速递鲜花", "searches": 6, "kind": "order"},
        {"text": "鮮花速遞", "searches": 3, "kind": "traditional"},
    ]
    assert (row["own_searches"], row["searches"]) == (380, 389)
    assert not {"速递鲜花", "鮮花速遞"} & set(texts(reply))
    assert [volume["searches"] for volume in row["monthly_search_volumes"]] == [0, 103, 124, 162]
    assert row["avg_monthly_searches"] == pytest.approx((103 + 124 + 162) / 3, abs=0.05)


def test_a_searched_variant_is_shown_as_typed(service: KeywordService) -> None:
    assert "速递鲜花" in texts(ask(service, "速递鲜花"))


def test_what_is_unknown_is_null(service: KeywordService) -> None:
    row = row_of(ask(service, "runing shoes"), "runing shoes")
    for name in ("competition", "competition_index", "low_top_of_page_bid_micros", "advertisers", "change_yoy"):
        assert row[name] is None


def test_unsafe_keywords_are_removed_however_related(service: KeywordService) -> None:
    reply = ask(service, "鲜花", explain=True)
    assert "在线赌博" not in texts(reply)
    assert reply.explain is not None
    removed = {item["text"]: item["removal"] for stage in reply.explain["stages"] for item in stage.get("removed", [])}
    assert removed["在线赌博"] == "unsafe_gambling"


def test_an_unsafe_search_is_answered_with_words_and_no_rows(service: KeywordService) -> None:
    reply = ask(service, "在线赌博")
    assert not reply.rows and codes(reply) == [Notice.QUERY_UNSAFE.value]


def test_a_seed_that_nobody_searched_is_spoken_for_by_keywords_that_hold_it(service: KeywordService) -> None:
    reply = ask(service, "delivery")
    assert "flower delivery" in texts(reply)
    assert codes(reply) == [Notice.QUERY_NEVER_SEARCHED.value]


@pytest.mark.parametrize(
    ("typed", "meant"), [("线花", "鲜花"), ("xianhua", "鲜花"), ("runnnig shoes", "running shoes")]
)
def test_a_misspelt_search_is_corrected_and_says_so(service: KeywordService, typed: str, meant: str) -> None:
    reply = ask(service, typed)
    assert [correction.correction for correction in reply.corrections] == [meant]
    assert meant in texts(reply)


def test_a_rare_misspelling_in_the_log_suggests_what_was_meant(service: KeywordService) -> None:
    for rare, meant in (("先花", "鲜花"), ("runing shoes", "running shoes")):
        reply = ask(service, rare)
        assert [(c.seed, c.correction) for c in reply.corrections] == [(rare, meant)]
        assert rare in texts(reply)


@pytest.mark.parametrize("seed", ["鲜花", "flowers", "running shoes"])
def test_a_known_keyword_is_not_corrected(service: KeywordService, seed: str) -> None:
    assert not ask(service, seed).corrections


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", Notice.QUERY_EMPTY),
        (" \u200b\u202e ", Notice.QUERY_EMPTY),
        ("\ud800", Notice.QUERY_EMPTY),
        ("???", Notice.QUERY_WITHOUT_WORDS),
        ("😀😀", Notice.QUERY_WITHOUT_WORDS),
        ("qzxv kjwq", Notice.QUERY_UNKNOWN),
        ("'; DROP TABLE keywords; --", Notice.QUERY_UNKNOWN),
        ("<script>alert(1)</script>", Notice.QUERY_UNKNOWN),
    ],
)
def test_odd_queries_get_a_clear_answer(service: KeywordService, query: str, code: Notice) -> None:
    reply = ask(service, query)
    assert not reply.rows and codes(reply) == [code.value]


def test_full_width_text_is_the_same_search(service: KeywordService) -> None:
    assert ask(service, "Ｆｌｏｗｅｒｓ").rows == ask(service, "flowers").rows


def test_a_keyword_of_symbols_that_was_searched_is_found(service: KeywordService) -> None:
    assert texts(ask(service, "!!!")) == ["!!!"]


@given(st.text(max_size=200))
def test_no_query_breaks_the_path(service: KeywordService, query: str) -> None:
    reply = ask(service, query)
    assert reply.rows or reply.notices
    json.dumps(envelope(reply, Request(seeds=reply.seeds)), allow_nan=False).encode()


def test_too_long_and_too_many_seeds_are_refused(service: KeywordService) -> None:
    with pytest.raises(UsageError, match="10000 characters; at most 200"):
        ask(service, "a" * 10_000)
    with pytest.raises(UsageError, match="11 seed keywords were sent; at most 10"):
        ask(service, *map(str, range(11)))


def test_several_seeds_are_answered_together(service: KeywordService) -> None:
    assert {"鲜花", "running shoes"} <= set(texts(ask(service, "鲜花", "running shoes")))


@pytest.mark.parametrize(
    ("filters", "holds"),
    [
        (Filters(min_searches=100), lambda row: row["avg_monthly_searches"] >= 100),
        (Filters(max_searches=50), lambda row: row["avg_monthly_searches"] <= 50),
        (Filters(competition=("HIGH",)), lambda row: row["competition"] == "HIGH"),
        (Filters(min_bid_micros=2_000_000), lambda row: row["high_top_of_page_bid_micros"] >= 2_000_000),
        (Filters(max_bid_micros=2_000_000), lambda row: row["high_top_of_page_bid_micros"] <= 2_000_000),
        (Filters(languages=("en",)), lambda row: row["language"] == "en"),
        (Filters(must_contain=("速递",)), lambda row: "速递" in row["text"]),
        (Filters(must_not_contain=("鲜花",)), lambda row: "鲜花" not in row["text"]),
    ],
)
def test_filters_leave_exactly_what_they_allow(service: KeywordService, filters: Filters, holds: object) -> None:
    everything = ask(service, "鲜花").rows
    allowed = []
    for row in everything:
        try:
            if holds(row):  # type: ignore[operator]
                allowed.append(row["text"])
        except TypeError:
            continue
    assert 0 < len(allowed) < len(everything)
    assert texts(ask(service, "鲜花", filters=filters)) == allowed


def test_filters_that_leave_nothing_say_so(service: KeywordService) -> None:
    assert codes(ask(service, "鲜花", filters=Filters(min_searches=10**9))) == [Notice.ALL_FILTERED.value]


@pytest.mark.parametrize("column", ["searches", "competition_index", "relevance", "high_top_of_page_bid_micros"])
def test_sorting_by_a_column_puts_unknown_numbers_last(service: KeywordService, column: str) -> None:
    sort = {"competition_index": "competition", "high_top_of_page_bid_micros": "bid"}.get(column, column)
    for prefix, sign in (("", 1), ("-", -1)):
        values = [row[column] for row in ask(service, "鲜花", sort=prefix + sort).rows]
        known = [value for value in values if value is not None]
        assert known == sorted(known, key=lambda value: sign * value)
        assert values[len(known) :] == [None] * (len(values) - len(known))


def test_pages_are_slices_of_one_list(service: KeywordService) -> None:
    whole = ask(service, "鲜花")
    pages = [ask(service, "鲜花", limit=3, offset=offset) for offset in range(0, whole.total, 3)]
    assert [text for page in pages for text in texts(page)] == texts(whole)
    assert {page.total for page in pages} == {whole.total}


def test_the_dial_moves_between_relevance_and_demand(service: KeywordService) -> None:
    by_relevance = [row["relevance"] for row in ask(service, "鲜花", parameters={"t": 1.0}).rows]
    assert by_relevance == sorted(by_relevance, reverse=True)
    by_demand = [row["searches"] for row in ask(service, "鲜花", parameters={"t": 0.0}).rows]
    assert by_demand == sorted(by_demand, reverse=True)


def test_the_same_request_gives_the_same_bytes(tiny_store: Path) -> None:
    replies = set()
    for _ in range(2):
        service = KeywordService.open(Settings(store=tiny_store))
        request = Request(seeds=("鲜花",), explain=True)
        replies.add(json.dumps(envelope(service.keyword_ideas(request), request)))
    assert len(replies) == 1


def test_explaining_changes_no_row(service: KeywordService) -> None:
    request = Request(seeds=("鲜花",))
    assert service.keyword_ideas(request).rows == service.keyword_ideas(replace(request, explain=True)).rows


def test_every_candidate_is_shown_or_has_a_removal_code(service: KeywordService) -> None:
    reply = ask(service, "鲜花", limit=2, explain=True)
    assert reply.explain is not None
    removed = [item["text"] for stage in reply.explain["stages"] for item in stage.get("removed", [])]
    assert len(removed) + len(reply.rows) == reply.explain["merged"]
    assert not set(removed) & set(texts(reply))
    assert [source["name"] for source in reply.explain["sources"]] == list(SOURCES)


def test_no_snapshot_yet_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="make demo"):
        KeywordService.open(Settings(store=tmp_path))


def test_every_reason_removal_and_notice_has_texts_in_both_languages() -> None:
    for closed, given_texts in ((Reason, REASON_TEXTS), (Removal, REMOVAL_TEXTS), (Notice, NOTICE_TEXTS)):
        assert set(closed) == set(given_texts)
        for english, chinese in given_texts.values():
            assert english.isascii() or "“" in english or "…" in english
            assert any("\u4e00" <= character <= "\u9fff" for character in chinese)


@pytest.mark.parametrize(
    ("first", "last", "english", "chinese"),
    [
        (date(2024, 3, 1), date(2024, 3, 1), "1 Mar 2024", "2024年3月1日"),
        (date(2024, 2, 20), date(2024, 3, 1), "20 Feb–1 Mar 2024", "2024年2月20日至3月1日"),
        (date(2024, 1, 1), date(2024, 3, 31), "Jan–Mar 2024", "2024年1月至3月"),
        (date(2023, 5, 1), date(2024, 3, 31), "May 2023–Mar 2024", "2023年5月至2024年3月"),
    ],
)
def test_spans_of_days_read_well(first: date, last: date, english: str, chinese: str) -> None:
    assert (span_en(first, last), span_zh(first, last)) == (english, chinese)


def test_seeds_are_distinct_and_normalised() -> None:
    assert parse_seeds(["  Flower ", "flower", "", "鲜\u200b花"], Settings()) == ("flower", "鲜花")


def test_scores_that_are_not_numbers_sink(service: KeywordService) -> None:
    scores = np.array([np.nan, 1.0, np.inf, 2.0])
    columns = {"score": scores, "relevance": scores}
    candidates = Candidates(np.arange(4, dtype=np.int32), np.zeros(4, np.uint32), columns)
    kept = Order(service.indexes).run(Request(seeds=("a",)), candidates).kept
    assert kept.keyword_id.tolist() == [3, 1, 0, 2]


def test_one_of_something_is_said_in_the_singular() -> None:
    assert counted_en({"sessions": 1, "users": 1200}) == {"sessions": "1 session", "users": "1,200 users"}


def test_a_seeds_own_evidence_is_told_before_that_of_keywords_that_hold_it(service: KeywordService) -> None:
    for row in ask(service, "鲜花").rows:
        for reason in row["reasons"]:
            if row["text"] in ("生日蛋糕", "送女友礼物") and reason["source"] == "cooccurrence":
                assert reason["seed"] == "鲜花"
    shop = next(r for r in row_of(ask(service, "鲜花"), "鲜花店")["reasons"] if r["source"] == "cooccurrence")
    assert shop["seed"] == "鲜花速递"
