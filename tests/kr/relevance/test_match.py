"""Matched and missed terms, direction, variants and match types."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.text import normalise
from kr.relevance.match import Direction, MatchType, Variant, match

texts = st.text(alphabet="鲜花速递北京店 flower shoes")


@pytest.mark.parametrize(
    ("query", "keyword", "variant"),
    [
        ("鲜花", "鲜花", Variant.IDENTICAL),
        ("Ｆlower", "flower", Variant.WIDTH_OR_CASE),
        ("鲜花 北京", "鲜花北京", Variant.SPACING),
        ("鲜花速递", "鮮花速遞", Variant.TRADITIONAL),
        ("running shoes", "running shoe", Variant.PLURAL),
        ("running shoes", "shoes running", Variant.ORDER),
        ("鲜花", "先花", Variant.PINYIN),
        ("鲜花", "跑鞋", Variant.NONE),
        ("北京到上海", "上海到北京", Variant.NONE),
    ],
)
def test_variants_are_named_by_what_differs(query: str, keyword: str, variant: Variant) -> None:
    assert match(query, keyword).variant is variant


@pytest.mark.parametrize(
    ("query", "keyword", "direction", "match_type"),
    [
        ("red running shoes", "running shoes", Direction.BROADER, MatchType.PHRASE),
        ("running shoes", "red running shoes", Direction.NARROWER, MatchType.BROAD),
        ("running shoes", "shoe running", Direction.SAME, MatchType.EXACT),
        ("red shoes", "blue shoes", Direction.OVERLAPPING, MatchType.BROAD),
        ("shoes for running", "running shoes", Direction.BROADER, MatchType.BROAD),
        ("red shoes", "lamp", Direction.DISJOINT, MatchType.BROAD),
        ("北京鲜花", "鲜花", Direction.BROADER, MatchType.PHRASE),
    ],
)
def test_direction_and_the_narrowest_match_type(
    query: str, keyword: str, direction: Direction, match_type: MatchType
) -> None:
    found = match(query, keyword)
    assert (found.direction, found.match_type) == (direction, match_type)


def test_terms_are_matched_missed_or_added() -> None:
    found = match("red running shoes", "cheap shoe in red")
    assert (found.matched, found.missed, found.added) == (("red", "shoe"), ("running",), ("cheap", "in"))


@given(texts, texts)
def test_seen_from_the_other_side_everything_is_mirrored(query: str, keyword: str) -> None:
    there, back = match(query, keyword), match(keyword, query)
    mirrored = {Direction.BROADER: Direction.NARROWER, Direction.NARROWER: Direction.BROADER}
    assert back.direction is mirrored.get(there.direction, there.direction)
    assert back.variant is there.variant
    assert (back.missed, back.added) == (there.added, there.missed)
    if not normalise(query) or not normalise(keyword):
        assert there.variant is Variant.NONE
