"""Keywords that sound alike and words one edit apart are found."""

from pathlib import Path

import numpy as np
import pytest

from indexes.arrays import ArrayFolder
from indexes.spelling import Spelling, pinyin, sounds_of, write_spelling
from indexes.vocabulary import Vocabulary, write_vocabulary

KEYWORDS = sorted(["鲜花", "先花", "线花", "现花", "限花", "running shoes", "shoe repair"])
TERMS = sorted(["running", "runing", "shoe", "repair", "鲜花", "ab", "rare"])


@pytest.fixture
def spelling(tmp_path: Path) -> Spelling:
    searches = np.array([100 if keyword == "鲜花" else len(keyword) for keyword in KEYWORDS])
    weights = np.array([{"rare": 1, "runing": 2}.get(term, 50) for term in TERMS])
    write_vocabulary(tmp_path, "terms", TERMS)
    write_spelling(tmp_path, sounds_of(KEYWORDS), searches, TERMS, weights)
    reader = ArrayFolder(tmp_path)
    return Spelling(reader, Vocabulary(reader, "terms"))


@pytest.mark.parametrize("query", ["鲜花", "闲花", "xianhua", "xian hua", "鮮花"])
def test_what_sounds_alike_is_found_most_searched_first(spelling: Spelling, query: str) -> None:
    found = [KEYWORDS[keyword_id] for keyword_id in spelling.sounds_like(query).tolist()]
    assert found[0] == "鲜花" and len(found) == 4


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
