"""How rows stand to their seeds, and every kind of close variant from a log to a reply."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexes.text import tokens
from kr.pipeline_bench import sample_requests
from kr.reasons import VARIANT_TEXTS, Reason
from kr.relevance.match import Variant, match, suggested_match_type
from kr.reply import Reply
from kr.seeds import parse_seeds
from kr.service import KeywordService
from kr.settings import Settings
from kr.types import Request
from mining.build import build
from mining.ingest import ingest
from mining.mine import mine
from mining.settings import mining_settings

SEARCHED = {
    "鲜花速递": 40,
    "速递鲜花": 3,  # order
    "鮮花速遞": 2,  # traditional
    "鲜花 速递": 2,  # spacing
    "鲜花素递": 1,  # another character of the same sound
    "xianhuasudi": 8,  # Latin letters of the same sound
    "flower delivery": 30,
    "ＦＬＯＷＥＲ delivery": 2,  # width
    "Flowers Delivery": 2,  # plural
    "delivery flower": 1,  # order
    "down load": 1,
    "download": 9,  # spacing within a word: another keyword
}


def searches(start: datetime) -> Iterator[dict[str, object]]:
    """Each search by a user of its own; who types Latin letters then types the characters."""
    users = (query for query, count in SEARCHED.items() for _ in range(count))
    for number, query in enumerate(users):
        typed = [query, "鲜花速递"] if query == "xianhuasudi" else [query]
        for place, each in enumerate(typed):
            at = start + timedelta(hours=number, minutes=place)
            yield {"search_id": f"{number}-{place}", "ts": at, "user_id": f"u{number}", "query": each}


@pytest.fixture(scope="module")
def spelt(tmp_path_factory: pytest.TempPathFactory) -> KeywordService:
    """A service over a log of one thing in many spellings."""
    folder = tmp_path_factory.mktemp("spelt")
    (folder / "raw").mkdir()
    rows = list(searches(datetime(2024, 1, 1, tzinfo=UTC)))
    pq.write_table(pa.Table.from_pylist(rows), folder / "raw" / "searches.parquet")
    ingest("parquet", folder / "raw", folder / "logs")
    mine(folder / "logs", folder / "mined", mining_settings(["min_users=1"]))
    build(folder / "mined", folder / "store")
    return KeywordService.open(Settings(store=folder / "store"))


@pytest.fixture(scope="module")
def tiny(tiny_store: Path) -> KeywordService:
    return KeywordService.open(Settings(store=tiny_store))


def ask(service: KeywordService, *seeds: str) -> Reply:
    return service.keyword_ideas(Request(parse_seeds(seeds, service.settings)))


def row_of(reply: Reply, text: str) -> dict:
    return next(row for row in reply.rows if row["text"] == text)


def kinds(row: dict) -> dict[str, str]:
    return {variant["text"]: variant["kind"] for variant in row["close_variants"]}


def test_one_row_stands_for_every_spelling_and_says_which_kind_each_is(spelt: KeywordService) -> None:
    reply = ask(spelt, "鲜花速递")
    assert kinds(row_of(reply, "鲜花速递")) == {
        "速递鲜花": "order",
        "鮮花速遞": "traditional",
        "鲜花 速递": "spacing",
        "鲜花素递": "pinyin",
    }
    texts = [row["text"] for row in reply.rows]
    assert not set(kinds(row_of(reply, "鲜花速递"))) & set(texts)


def test_full_width_is_one_keyword_and_its_searches_are_its_own(spelt: KeywordService) -> None:
    row = row_of(ask(spelt, "ｆｌｏｗｅｒ　Delivery"), "flower delivery")
    assert row["own_searches"] == SEARCHED["flower delivery"] + SEARCHED["ＦＬＯＷＥＲ delivery"]
    assert kinds(row) == {"flowers delivery": "plural", "delivery flower": "order"}


def test_letters_that_spell_a_keyword_are_a_keyword_of_their_own_that_says_so(spelt: KeywordService) -> None:
    row = row_of(ask(spelt, "鲜花速递"), "xianhuasudi")
    assert (row["direction"], row["variant_of_seed"], row["suggested_match_type"]) == ("same", "pinyin", "EXACT")
    assert (row["matched_terms"], row["missed_terms"]) == (["鲜花", "速递"], [])
    assert row["own_searches"] == row["searches"] == SEARCHED["xianhuasudi"]
    reason = row["reasons"][0]
    assert (reason["code"], reason["evidence"]) == (Reason.SPELLING.value, {"kind": "pinyin"})
    assert reason["text_zh"] == "是“鲜花速递”的另一种写法：同音"


def test_a_variant_that_nobody_searched_is_told_from_the_keyword_that_was(spelt: KeywordService) -> None:
    row = row_of(ask(spelt, "deliveries flower"), "flower delivery")
    assert (row["direction"], row["variant_of_seed"]) == ("same", "order")


def test_a_searched_keyword_is_the_same_as_itself_and_no_variant(tiny: KeywordService) -> None:
    row = row_of(ask(tiny, "鲜花"), "鲜花")
    assert (row["closest_seed"], row["direction"], row["variant_of_seed"]) == ("鲜花", "same", None)
    assert (row["suggested_match_type"], row["matched_terms"]) == ("EXACT", ["鲜花"])


def test_rows_say_what_they_share_lack_and_add(tiny: KeywordService) -> None:
    reply = ask(tiny, "鲜花速递")
    stands = {
        row["text"]: (row["direction"], row["matched_terms"], row["missed_terms"], row["added_terms"])
        for row in reply.rows
    }
    assert stands["鲜花店"] == ("overlapping", ["鲜花"], ["速递"], ["鲜花店"])
    row = row_of(ask(tiny, "red running shoes"), "running shoes")
    assert (row["direction"], row["missed_terms"], row["added_terms"]) == ("broader", ["red"], [])
    assert row_of(ask(tiny, "鲜花"), "鲜花速递")["direction"] == "narrower"
    assert row_of(ask(tiny, "鲜花"), "生日蛋糕")["direction"] == "disjoint"


def test_of_several_seeds_a_row_stands_to_the_closest(tiny: KeywordService) -> None:
    reply = ask(tiny, "running shoes", "red flower bouquet", "flower", "鲜花")
    closest = {row["text"]: row["closest_seed"] for row in reply.rows}
    # The other variant of the group is what was searched, so that it is shown instead.
    assert closest["flower"] == "flower"
    assert closest["鲜花速递"] == "鲜花"
    assert closest["running shoes"] == "running shoes"
    # No word in common: the seed through which people came there.
    assert closest["生日蛋糕"] == "鲜花"


def test_every_row_of_a_market_stands_as_its_two_texts_do(small_store: Path) -> None:
    service = KeywordService.open(Settings(store=small_store))
    checked = 0
    for request in sample_requests(service.indexes, 25, 3):
        for row in service.keyword_ideas(request).rows:
            found = match(row["closest_seed"], row["text"])
            monthly = row["avg_monthly_searches"]
            terms = [tuple(row[f"{which}_terms"]) for which in ("matched", "missed", "added")]
            assert tuple(terms) == found[:3], row["text"]
            assert (row["direction"], row["variant_of_seed"]) == (found.direction, found.variant), row["text"]
            assert row["suggested_match_type"] == suggested_match_type(found, row["relevance"], monthly), row["text"]
            for variant in row["close_variants"]:
                assert variant["kind"] == (match(row["text"], variant["text"]).variant or Variant.PINYIN)
            checked += 1
    assert checked > 500


def test_shared_words_of_the_reasons_are_those_of_the_row(tiny: KeywordService) -> None:
    for row in ask(tiny, "鲜花 北京", "flower delivery").rows:
        for reason in row["reasons"]:
            if reason["source"] == "token_match":
                assert reason["seed"] == row["closest_seed"]
                assert set(reason["evidence"]["words"]) <= set(row["matched_terms"]) <= set(tokens(reason["seed"]))


def test_every_kind_of_variant_has_its_texts() -> None:
    assert set(VARIANT_TEXTS) == set(Variant)
    assert all(english and chinese for english, chinese in VARIANT_TEXTS.values())
