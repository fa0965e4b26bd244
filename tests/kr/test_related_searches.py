"""Related searches over a market small enough to check by hand."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kr.reply import Reply
from kr.seeds import parse_seeds
from kr.service import KeywordService
from kr.settings import MIN_RELEVANCE_RELATED, Settings
from kr.types import Request


@pytest.fixture(scope="module")
def service(tiny_store: Path) -> KeywordService:
    return KeywordService.open(Settings(store=tiny_store))


def ask(service: KeywordService, query: str, limit: int = 8, **more: object) -> Reply:
    return service.related(Request(parse_seeds([query], service.settings), limit=limit, **more))  # type: ignore[arg-type]


def texts(reply: Reply) -> list[str]:
    return [row["text"] for row in reply.rows]


def codes(reply: Reply) -> list[str]:
    return [note.code.value for note in reply.notices]


def removals(reply: Reply) -> dict[str, str]:
    assert reply.explain
    return {row["text"]: row["removal"] for stage in reply.explain["stages"] for row in stage.get("removed", ())}


def test_they_are_close_to_the_query_and_each_says_why(service: KeywordService) -> None:
    reply = ask(service, "鲜花")
    assert {"鲜花速递", "鲜花店"} <= set(texts(reply))
    assert not {"running shoes", "英语培训"} & set(texts(reply))
    assert all(row["relevance"] >= MIN_RELEVANCE_RELATED for row in reply.rows)
    assert all(row["reasons"] for row in reply.rows)


def test_neither_the_query_nor_a_variant_of_it_is_told(service: KeywordService) -> None:
    for query in ("鲜花速递", "速递鲜花", "速递 鲜花"):
        reply = ask(service, query, explain=True)
        assert not {"鲜花速递", "速递鲜花", "鮮花速遞"} & set(texts(reply)), query
    assert removals(reply)["鲜花速递"] == "same_as_query"


def test_nothing_unsafe_and_nothing_for_an_unsafe_query(service: KeywordService) -> None:
    assert "在线赌博" not in texts(ask(service, "鲜花", limit=100))
    unsafe = ask(service, "在线赌博")
    assert not unsafe.rows and codes(unsafe) == ["query_unsafe"]


def test_searches_of_few_people_are_not_shown_to_others(tiny_store: Path) -> None:
    shown = KeywordService.open(Settings(store=tiny_store, related_min_users=1, min_relevance_related=0.3))
    kept = KeywordService.open(Settings(store=tiny_store, related_min_users=61, min_relevance_related=0.3))
    assert "鲜花店" in texts(ask(shown, "鲜花"))
    reply = ask(kept, "鲜花", explain=True)
    assert "鲜花店" not in texts(reply) and removals(reply)["鲜花店"] == "too_few_users"


def test_a_misspelling_is_not_proposed(tiny_store: Path) -> None:
    service = KeywordService.open(Settings(store=tiny_store, related_min_users=1, min_relevance_related=0.0))
    reply = ask(service, "running", explain=True)
    assert "runing shoes" not in texts(reply)
    assert "running shoes" in texts(reply)


@pytest.mark.parametrize("query", ["qxzvkw", "龘靐齉", "xkcd 12345", "💐"])
def test_a_hopeless_query_is_answered_by_nothing(service: KeywordService, query: str) -> None:
    reply = ask(service, query)
    assert reply.rows == () and codes(reply)[0] in ("nothing_related", "query_without_words")


def test_an_empty_query_says_so(service: KeywordService) -> None:
    assert codes(ask(service, " ")) == ["query_empty"]


def test_the_limit_is_kept_and_a_shorter_list_begins_like_a_longer_one(service: KeywordService) -> None:
    longer = texts(ask(service, "鲜花", 5))
    for limit in range(1, 5):
        assert texts(ask(service, "鲜花", limit)) == longer[:limit]


def test_value_moves_what_is_sold_to_the_front(tiny_store: Path) -> None:
    service = KeywordService.open(Settings(store=tiny_store, min_relevance_related=0.5))
    by_value = texts(ask(service, "鲜花", parameters={"t": 0.0}))
    assert by_value.index("鲜花速递") < by_value.index("flowers")


def test_the_operators_rules_hold_here_too(tiny_store: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(
        '[[rule]]\nname = "no shops"\naction = "block"\nkeywords = { equals = ["鲜花店"] }\n'
        '[[rule]]\nname = "fast"\naction = "pin"\nposition = 1\nkeywords = { equals = ["flowers"] }\n',
        encoding="utf-8",
    )
    service = KeywordService(
        Settings(store=tiny_store, rules=rules, min_relevance_related=0.5), now=lambda: datetime(2024, 4, 1, tzinfo=UTC)
    )
    found = texts(ask(service, "鲜花"))
    assert "鲜花店" not in found and found[0] == "flowers"


@given(st.text(max_size=40))
def test_no_text_makes_it_fail_and_no_row_repeats(service: KeywordService, query: str) -> None:
    reply = ask(service, query)
    assert len(set(texts(reply))) == len(reply.rows) <= 8
    assert bool(reply.rows) != bool(reply.notices)
