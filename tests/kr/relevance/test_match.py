"""Matched and missed terms, direction, variants and match types."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.text import fingerprint, normalise, tokens
from kr.relevance.match import (
    HARDLY_SEARCHED,
    SURELY_RELEVANT,
    Comparison,
    Direction,
    Match,
    MatchType,
    Side,
    Variant,
    longest,
    match,
    suggested_match_type,
    variant_of,
    words_in_another_order,
)

texts = st.text(alphabet="鲜花鮮速递北京店到的 flower shoes")


@pytest.mark.parametrize(
    ("query", "keyword", "variant"),
    [
        ("鲜花", "鲜花", None),
        ("Ｆlower", "flower", Variant.WIDTH),
        ("鲜花 北京", "鲜花北京", Variant.SPACING),
        ("down load", "download", Variant.SPACING),
        ("鲜花速递", "鮮花速遞", Variant.TRADITIONAL),
        ("鲜花 速递", "鮮花速遞", Variant.TRADITIONAL),
        ("running shoes", "running shoe", Variant.PLURAL),
        ("running shoes", "shoes running", Variant.ORDER),
        ("running shoes", "shoe running", Variant.ORDER),
        ("鲜花", "先花", Variant.PINYIN),
        ("鲜花", "xianhua", Variant.PINYIN),
        ("xian hua", "鮮花", Variant.PINYIN),
        ("西安", "xi'an", Variant.PINYIN),
        ("鲜花", "跑鞋", None),
        ("鲜花", "shoes", None),
        ("先", "西安", None),
        ("银行", "银型", None),
        ("北京到上海", "上海到北京", None),
    ],
)
def test_variants_are_named_by_what_differs(query: str, keyword: str, variant: Variant | None) -> None:
    assert match(query, keyword).variant is variant
    assert match(keyword, query).variant is variant


@pytest.mark.parametrize(
    ("query", "keyword", "direction"),
    [
        ("red running shoes", "running shoes", Direction.BROADER),
        ("running shoes", "red running shoes", Direction.NARROWER),
        ("running shoes", "shoe running", Direction.SAME),
        ("red shoes", "blue shoes", Direction.OVERLAPPING),
        ("red shoes", "lamp", Direction.DISJOINT),
        ("北京鲜花", "鲜花", Direction.BROADER),
        ("鲜花", "鲜花店", Direction.NARROWER),
        ("鲜花", "xianhua", Direction.SAME),
        ("鲜花价格", "鲜花的价格", Direction.SAME),
        ("北京到上海", "上海到北京", Direction.OVERLAPPING),
        ("!!!", "!!!", Direction.SAME),
        ("!!!", "???", Direction.DISJOINT),
    ],
)
def test_direction_is_said_of_terms_held(query: str, keyword: str, direction: Direction) -> None:
    assert match(query, keyword).direction is direction


def test_terms_are_matched_missed_or_added() -> None:
    found = match("red running shoes", "cheap shoe in red")
    assert (found.matched, found.missed, found.added) == (("red", "shoe"), ("running",), ("cheap", "in"))


def test_of_overlapping_chinese_terms_the_longest_is_named_and_english_ones_all() -> None:
    assert match("鲜花", "鲜花店").added == ("鲜花店",)
    assert match("car", "car in carpet").added == ("in", "carpet")


def test_a_variant_misses_nothing() -> None:
    found = match("鲜花速递", "xianhuasudi")
    assert (found.matched, found.missed, found.added) == (("鲜花", "速递"), (), ())


@given(texts, texts)
def test_seen_from_the_other_side_everything_is_mirrored(query: str, keyword: str) -> None:
    there, back = match(query, keyword), match(keyword, query)
    mirrored = {Direction.BROADER: Direction.NARROWER, Direction.NARROWER: Direction.BROADER}
    assert back.direction is mirrored.get(there.direction, there.direction)
    assert back.variant is there.variant
    assert (back.missed, back.added) == (there.added, there.missed)
    if not normalise(query) or not normalise(keyword):
        assert there.variant is None


@given(texts, texts)
def test_keywords_of_one_fingerprint_are_variants_of_each_other(query: str, keyword: str) -> None:
    one, other = normalise(query), normalise(keyword)
    if one != other and fingerprint(one) == fingerprint(other):
        # What lets a page compare fingerprints only where the terms are the same.
        assert set(tokens(one)) == set(tokens(other))
        assert match(one, other).variant is not None


def stands(direction: Direction, *added: str) -> Match:
    return Match(("鲜花",), (), added, direction, None)


@pytest.mark.parametrize(
    ("found", "relevance", "searches", "expected"),
    [
        (stands(Direction.SAME), 1.0, 500.0, MatchType.EXACT),
        (stands(Direction.NARROWER, "速递"), 0.9, 500.0, MatchType.PHRASE),
        (stands(Direction.NARROWER, "速递", "北京"), 0.9, HARDLY_SEARCHED, MatchType.PHRASE),
        (stands(Direction.NARROWER, "速递", "北京"), 0.9, HARDLY_SEARCHED / 2, MatchType.BROAD),
        (stands(Direction.NARROWER, "速递"), 0.9, HARDLY_SEARCHED / 2, MatchType.PHRASE),
        (stands(Direction.NARROWER, "速递", "北京"), 0.9, None, MatchType.PHRASE),
        (stands(Direction.BROADER), 0.9, 0.1, MatchType.PHRASE),
        (stands(Direction.OVERLAPPING, "店"), SURELY_RELEVANT, 500.0, MatchType.PHRASE),
        (stands(Direction.OVERLAPPING, "店"), SURELY_RELEVANT - 0.01, 500.0, MatchType.EXACT),
        (stands(Direction.DISJOINT, "蛋糕"), 1.0, 500.0, MatchType.EXACT),
    ],
)
def test_the_match_type_follows_from_direction_relevance_and_demand(
    found: Match, relevance: float, searches: float | None, expected: MatchType
) -> None:
    assert suggested_match_type(found, relevance, searches) is expected


def plain_comparison(query: Side, keyword: Side) -> Match:
    """Two texts compared term by term, whatever was compared before."""
    missed = tuple(term for term in query.terms if term not in keyword.terms)
    added = tuple(term for term in keyword.terms if term not in query.terms)
    matched = tuple(term for term in query.terms if term in keyword.terms)
    same_terms = not missed and not added
    variant = variant_of(query.text, keyword.text, same_terms)
    if variant is not None or (query.text and query.text == keyword.text):
        return Match(longest(query.terms), (), (), Direction.SAME, variant)
    if not matched:
        direction = Direction.DISJOINT
    elif same_terms:
        turned = words_in_another_order(query.text, keyword.text)
        direction = Direction.OVERLAPPING if turned else Direction.SAME
    elif missed and added:
        direction = Direction.OVERLAPPING
    else:
        direction = Direction.BROADER if missed else Direction.NARROWER
    return Match(longest(matched), longest(missed), longest(added), direction, None)


@given(
    texts,
    st.lists(st.one_of(texts, st.sampled_from(("xianhua", "xian hua", "鮮花", "花 鲜", "flowers", ""))), max_size=8),
)
def test_a_query_stands_to_each_of_many_keywords_as_to_it_alone(query: str, keywords: list[str]) -> None:
    wanted = Side.of(query)
    comparison = Comparison(wanted)
    for keyword in (query, *keywords):
        offered = Side.of(keyword)
        assert comparison.with_keyword(offered) == plain_comparison(wanted, offered)
