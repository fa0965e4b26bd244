"""Keywords that sound alike and words one edit apart are found."""

from pathlib import Path

import numpy as np
import pytest

from indexes.arrays import ArrayFolder
from indexes.prefixes import Prefixes
from indexes.prefixes_write import write_prefixes
from indexes.spelling import Spelling, write_spelling
from indexes.text.readings import pinyin, sounds_of, words_of_each
from indexes.vocabulary import Vocabulary, write_vocabulary

KEYWORDS = sorted(["鲜花", "先花", "线花", "现花", "限花", "running shoes", "shoe repair"])
TERMS = sorted(["running", "runing", "shoe", "repair", "鲜花", "ab", "rare"])


@pytest.fixture
def spelling(tmp_path: Path) -> Spelling:
    searches = np.array([100 if keyword == "鲜花" else len(keyword) for keyword in KEYWORDS])
    weights = np.array([{"rare": 1, "runing": 2}.get(term, 50) for term in TERMS])
    write_vocabulary(tmp_path, "terms", TERMS)
    write_spelling(tmp_path, TERMS, weights)
    heads = np.arange(len(KEYWORDS), dtype=np.int32)
    write_prefixes(tmp_path, KEYWORDS, searches, heads, np.ones(len(KEYWORDS), bool))
    reader = ArrayFolder(tmp_path)
    return Spelling(reader, Vocabulary(reader, "terms"), Prefixes(reader, heads))


@pytest.mark.parametrize("query", ["鲜花", "闲花", "xianhua", "xian hua", "鮮花"])
def test_what_sounds_alike_is_found_most_searched_first(spelling: Spelling, query: str) -> None:
    found = [KEYWORDS[keyword_id] for keyword_id in spelling.sounds_like(query).tolist()]
    assert found[0] == "鲜花" and len(found) == 4


def test_sounds_are_those_of_the_words(spelling: Spelling) -> None:
    keywords = ["鲜花", "银行 行长", "iphone 手机壳", "flowers", "重庆火锅", "!"]
    sounds = ["xianhua", "yinhanghangzhang", "iphoneshoujike", None, "chongqinghuoguo", None]
    assert sounds_of(keywords, list(words_of_each(keywords))) == sounds
    assert [pinyin(keyword) for keyword, sound in zip(keywords, sounds, strict=True) if sound] == list(
        filter(None, sounds)
    )


def test_long_sounds_and_latin_words_are_told_apart(tmp_path: Path) -> None:
    keywords = sorted(["重庆火锅店加盟", "重庆火锅店加盟费", "xianhua", "鲜花", "崇庆火锅店加盟"])
    searches, heads = np.arange(5), np.arange(5, dtype=np.int32)
    write_prefixes(tmp_path, keywords, searches, heads, np.ones(5, bool))
    prefixes = Prefixes(ArrayFolder(tmp_path), heads)

    def found(text: str) -> list[str]:
        return [keywords[keyword_id] for keyword_id in prefixes.pronounced(pinyin(text), 4).tolist()]

    assert found("xianhua") == ["鲜花"]
    assert set(found("重庆火锅店加盟")) == {"重庆火锅店加盟", "崇庆火锅店加盟"}
    assert found("重庆火锅店加盟费") == ["重庆火锅店加盟费"]
    assert found("") == found("重庆") == found("zzz") == []


def test_nothing_sounds_like_an_unknown_word(spelling: Spelling) -> None:
    assert len(spelling.sounds_like("飞机")) == 0


@pytest.mark.parametrize("wrong", ["runnin", "runnning", "rumning", "runnign", "runing"])
def test_one_edit_of_any_kind_is_mended(spelling: Spelling, wrong: str) -> None:
    assert spelling.nearest_word(wrong) == "running"


@pytest.mark.parametrize("word", ["abc", "zzzzzz", "rarr", "鲜花店"])
def test_short_far_rare_or_chinese_words_are_left_alone(spelling: Spelling, word: str) -> None:
    assert spelling.nearest_word(word) is None


def test_pinyin_keeps_letters_and_drops_spaces() -> None:
    assert pinyin("iphone 手机壳") == "iphoneshoujike"
