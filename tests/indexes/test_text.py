"""Text becomes keywords and tokens in one place, for build and query alike."""

import unicodedata

import jieba
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.text import fingerprint, language, normalise, tokens, words
from indexes.text.segment import simplified, singular

HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=12)
ANY = st.text(max_size=60)


@given(ANY)
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(st.characters(), max_size=40))
def test_a_normalised_keyword_encodes_and_holds_no_invisible_character(text: str) -> None:
    keyword = normalise(text)
    keyword.encode("utf-8")
    assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn"} for c in keyword)
    assert keyword == keyword.strip() and "  " not in keyword


@pytest.mark.parametrize(
    ("typed", "keyword"),
    [
        ("ＩＰｈｏｎｅ　１５", "iphone 15"),
        ("  Flower\tDelivery\n", "flower delivery"),
        ("鲜\u200b花", "鲜花"),
        ("\u202eabc", "abc"),
        ("\ud800abc", "abc"),
        ("\x00\x07", ""),
        ("Ｃ＋＋", "c++"),
        ("STRASSE", "strasse"),
        ("straße", "strasse"),
    ],
)
def test_what_was_typed_becomes_one_keyword(typed: str, keyword: str) -> None:
    assert normalise(typed) == keyword


def test_a_pile_of_combining_marks_is_cut() -> None:
    assert len(normalise("a" + "\u0301\u0302\u0303\u0304" * 50)) < 10


@given(st.lists(st.one_of(HAN, st.sampled_from(["iphone", "15", "t", "running shoes"])), min_size=1, max_size=4))
def test_chinese_runs_are_segmented_as_jieba_does(parts: list[str]) -> None:
    for part in parts:
        if not part.isascii():
            run = simplified(part)
            assert list(words(run)) == list(jieba.cut(run))
            assert list(tokens(run)) == list(jieba.cut_for_search(run))


@given(ANY)
def test_words_are_among_the_tokens_and_hold_no_symbols(text: str) -> None:
    keyword = normalise(text)
    assert set(words(keyword)) <= set(tokens(keyword))
    assert all(any(c.isalnum() for c in token) for token in tokens(keyword))


def test_a_long_chinese_word_also_gives_its_parts() -> None:
    assert "鲜花" in tokens("鲜花店") and "鲜花店" in tokens("鲜花店")


def test_mixed_scripts_are_cut_where_the_script_changes() -> None:
    assert tokens("iphone15手机壳")[0] == "iphone15"
    assert tokens("t恤") == ("t", "恤")


@pytest.mark.parametrize(
    ("plural", "one"),
    [
        *[("shoes", "shoe"), ("boxes", "box"), ("glasses", "glass"), ("dishes", "dish"), ("companies", "company")],
        *[("bus", "bus"), ("glass", "glass"), ("tennis", "tennis"), ("ties", "tie"), ("gas", "gas")],
        ("flowers", "flower"),
    ],
)
def test_plurals_lose_their_ending_and_nothing_else(plural: str, one: str) -> None:
    assert singular(plural) == one


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("鲜花速递", "速递鲜花"),
        ("鲜花速递", "鮮花速遞"),
        ("鲜花速递", "鲜花 速递"),
        ("running shoes", "running shoe"),
        ("shoe store", "store shoes"),
    ],
)
def test_close_variants_have_one_fingerprint(one: str, other: str) -> None:
    assert fingerprint(normalise(one)) == fingerprint(normalise(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("北京到上海机票", "上海到北京机票"),
        ("usd to eur", "eur to usd"),
        ("running shoes", "runner shoes"),
        ("!!", "??"),
        ("鲜花", "鲜花速递"),
    ],
)
def test_different_demands_have_different_fingerprints(one: str, other: str) -> None:
    assert fingerprint(normalise(one)) != fingerprint(normalise(other))


@pytest.mark.parametrize(
    ("keyword", "name"),
    [("鲜花", "zh"), ("iphone 手机壳", "zh"), ("shoes", "en"), ("123", "other"), ("すし", "other"), ("цветы", "other")],
)
def test_the_script_tells_the_language(keyword: str, name: str) -> None:
    assert language(keyword) == name
