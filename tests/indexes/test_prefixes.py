"""The index of prefixes answers as reading every keyword would."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pypinyin import lazy_pinyin

from indexes.arrays import Array, ArrayFolder
from indexes.errors import CorruptError
from indexes.prefixes import Prefixes
from indexes.prefixes_query import MIN_LETTERS_WITH_TYPO, Query
from indexes.prefixes_ranges import NONE, offer_range
from indexes.prefixes_write import block_minima, write_prefixes
from indexes.text import normalise
from indexes.text.confusable_syllables import confusable
from indexes.text.readings import pinyin, read_aloud, readings_of_word

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
KEYWORDS = [
    *(
        "鲜花",
        "鲜花店",
        "鲜花速递",
        "先锋",
        "先花",
        "线",
        "现货",
        "想法",
        "西安",
        "西安旅游",
        "鮮花批發",
        "银行",
        "行走",
    ),
    *("flower", "flowers", "flower delivery", "floor", "x光", "iphone 手机壳", "xian", "xianhua", "中国", "中国银行"),
    *("重庆", "😀", "😀😀", "𠀀a", "a", "阿", "安", "é", "women's shoes", "北京 鲜花", "!", "长长长长", "昂", "狼烟"),
]
PIECES = [
    *"xianhuasdfloweryzgbjc'  😀𠀀!é",
    "鲜",
    "花",
    "先",
    "鮮",
    "行",
    "银",
    "xian",
    "hua",
    "zh",
    "zhong",
    "lang",
    "Ｘ",
]


def built(folder: Path, keywords: Sequence[str], searches: Array, canonical: Array, is_shown: Array) -> Prefixes:
    write_prefixes(folder, keywords, searches, canonical, is_shown)
    return Prefixes(ArrayFolder(folder), canonical)


def consumed(query: Query, characters: Sequence[tuple[str, str]]) -> bool:
    """The definition, word for word: a prefix of the keyword's characters consumes the query, piece by piece."""
    units = query.units

    @cache
    def goes_on(at: int, depth: int) -> bool:
        if at == len(units):
            return True
        if depth == len(characters):
            return False
        character, reading = characters[depth]
        pieces = {character, reading, reading[0], *({reading[:2]} & {"zh", "ch", "sh"})}
        pieces |= {reading[:end] for end in range(1, len(reading) + 1) if units[at:] == reading[:end]}
        return any(
            units.startswith(piece, at)
            and not any(at < border < at + len(piece) for border in query.borders)
            and goes_on(at + len(piece), depth + 1)
            for piece in pieces
        )

    return bool(units) and len(units) <= 60 and goes_on(0, 0)


def mistaken(letters: str) -> set[str]:
    """All that somebody may have meant who typed the letters."""
    found = {letters}
    for at in range(1, len(letters)):
        found |= {letters[:at] + letter + letters[at:] for letter in ALPHABET}
        if letters[at] in ALPHABET:
            found.add(letters[:at] + letters[at + 1 :])
            found |= {letters[:at] + letter + letters[at + 1 :] for letter in ALPHABET}
            if at + 1 < len(letters) and letters[at + 1] in ALPHABET:
                found.add(letters[:at] + letters[at + 1] + letters[at] + letters[at + 2 :])
    for begin in range(len(letters)):
        for end in range(begin + 1, len(letters) + 1):
            found |= {letters[:begin] + other + letters[end:] for other in confusable(letters[begin:end])}
    return found


def near(query: Query, characters: Sequence[tuple[str, str]], meant: tuple[str, ...]) -> bool:
    return "".join(reading for _, reading in characters).startswith(meant)


def by_reading_all(
    text: str, keywords: Sequence[str], searches: Array, canonical: Array, is_shown: Array
) -> tuple[list[int], int]:
    """All keywords that match, best first, and how many of them without a mistake."""
    query = Query.of(text)
    letters = pinyin(query.normalised)
    can_be_mended = len(letters) >= MIN_LETTERS_WITH_TYPO and len(query.units) <= 60
    meant = tuple(mistaken(letters)) if can_be_mended else ()
    order = sorted(
        (place for place, keyword in enumerate(keywords) if is_shown[place] and read(keyword)),
        key=lambda place: (-searches[place], canonical[place], place != canonical[place], place),
    )
    best: dict[int, int] = {}
    for place in order:
        if consumed(query, read(keywords[place])):
            best.setdefault(int(canonical[place]), place)
    exact = len(best)
    for place in order:
        if near(query, read(keywords[place]), meant):
            best.setdefault(int(canonical[place]), place)
    return list(best.values()), exact


@cache
def read(keyword: str) -> list[tuple[str, str]]:
    return read_aloud(keyword)


@st.composite
def corpora(draw: st.DrawFn) -> tuple[list[str], Array, Array, Array]:
    invented = st.lists(st.sampled_from([*PIECES, "店", "店"]), min_size=1, max_size=5).map("".join).map(normalise)
    strange = st.text(max_size=6).map(normalise)
    keywords = sorted(draw(st.sets(st.one_of(st.sampled_from(KEYWORDS), invented, strange), max_size=40)) - {""})
    count = len(keywords)
    searches = np.array(draw(st.lists(st.integers(0, 4), min_size=count, max_size=count)), np.int64)
    heads = np.array(draw(st.lists(st.integers(0, max(count - 1, 0)), min_size=count, max_size=count)), np.int32)
    # Some keywords join the group of another, which is then its head, and have its searches.
    canonical = np.arange(count, dtype=np.int32)
    for place, head in enumerate(heads.tolist()):
        if place % 3 == 0 and head % 3 == 1:
            canonical[place] = head
    return keywords, searches[canonical], canonical, np.array([place % 7 != 6 for place in range(count)], bool)


QUERIES = st.one_of(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=7).map("".join),
    st.sampled_from(KEYWORDS),
    st.sampled_from(KEYWORDS).map(pinyin).flatmap(lambda letters: st.integers(1, 9).map(lambda end: letters[:end])),
    st.tuples(st.sampled_from(KEYWORDS).map(pinyin), st.integers(0, 9), st.sampled_from(["", "x", "xn", "n"]))
    .map(lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + 1 :]),
    st.text(max_size=8),
)  # fmt: skip


@settings(max_examples=200)
@given(corpora(), QUERIES, st.integers(0, 12))
@example((["鲜花"], np.array([1]), np.array([0], np.int32), np.array([True])), "xianghua", 10)
@example((["狼烟"], np.array([1]), np.array([0], np.int32), np.array([True])), "nanyan", 10)
@example(([], np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, bool)), "a", 10)
def test_any_query_on_any_corpus_is_answered_as_by_reading_all_keywords(
    tmp_path_factory: pytest.TempPathFactory,
    corpus: tuple[list[str], Array, Array, Array],
    text: str,
    k: int,
) -> None:
    keywords, searches, canonical, is_shown = corpus
    prefixes = built(tmp_path_factory.mktemp("prefixes"), keywords, searches, canonical, is_shown)
    expected, exact = by_reading_all(text, keywords, searches, canonical, is_shown)
    matches = prefixes.top(Query.of(text), k)
    assert [keywords[place] for place in matches.ids.tolist()] == [keywords[place] for place in expected[:k]]
    assert matches.exact == min(k, exact)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Prefixes, list[str], Array, Array, Array]:
    """Five thousand keywords of few characters, so that every list has long ranges."""
    generator = np.random.default_rng(7)
    characters = np.array([*"鲜花先想行银店点电安啊x花1nag", "xh", "西安"])
    draws = ("".join(generator.choice(characters, generator.integers(1, 7))) for _ in range(9000))
    keywords = sorted(set(draws))[:5000]
    searches = generator.integers(0, 500, len(keywords))
    canonical = np.arange(len(keywords), dtype=np.int32)
    canonical[1::5] = canonical[::5][: len(canonical[1::5])]
    is_shown = generator.random(len(keywords)) < 0.98
    folder = tmp_path_factory.mktemp("crowded")
    searches = searches[canonical]
    return built(folder, keywords, searches, canonical, is_shown), keywords, searches, canonical, is_shown


@pytest.mark.parametrize(
    "text",
    [
        *(
            "x",
            "xh",
            "xia",
            "xian",
            "xianh",
            "xianhua",
            "xhd",
            "xhdian",
            "xianhdian",
            "xiand",
            "xiang",
            "鲜",
            "鲜h",
            "鲜花",
        ),
        *("鲜花d", "鲜hd", "x花", "xian花", "xi'an", "xi'anh", "行", "h", "银行", "yh", "yhang", "1", "n", "na", "xx"),
        *("xianghua", "xainhua", "xianhuadain", "xihua", "先花", "dianxian", "dianyinxian", "huaxianhuaxian", "anan"),
        *("xianhuadianxianhua", "xianhuadianxianhuaxianhua", "aanxianxianxianxian", "xnhua", "diangxian", "ananananan"),
    ],
)
def test_long_ranges_are_answered_as_by_reading_all_keywords(
    crowded: tuple[Prefixes, list[str], Array, Array, Array], text: str
) -> None:
    prefixes, *corpus = crowded
    expected, exact = by_reading_all(text, *corpus)
    for k in (1, 10, 100, 10_000):
        matches = prefixes.top(Query.of(text), k)
        assert matches.ids.tolist() == expected[:k]
        assert matches.exact == min(k, exact)


def test_a_truncated_list_is_corrupt(tmp_path: Path) -> None:
    heads = np.arange(2, dtype=np.int32)
    built(tmp_path, ["鲜花", "鲜花店"], np.ones(2), heads, np.ones(2, bool))
    np.save(tmp_path / "prefixes/letters_ranks.npy", np.zeros(1, np.int32))
    with pytest.raises(CorruptError, match="prefixes"):
        Prefixes(ArrayFolder(tmp_path), heads)


def test_the_same_keywords_give_the_same_bytes(tmp_path: Path) -> None:
    heads = np.arange(len(KEYWORDS), dtype=np.int32)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        built(tmp_path / name, KEYWORDS, np.ones(len(KEYWORDS)), heads, np.ones(len(KEYWORDS), bool))
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*"))
    assert len(files) > 10
    assert all((tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes() for file in files)


def test_readings_are_those_of_pypinyin_by_word() -> None:
    for word in (
        "银行",
        "行走",
        "重庆",
        "绿茶",
        "女装",
        "略",
        "长大",
        "西藏",
        "音乐厅",
        "和面",
        "的",
        "了",
        "一行白鹭",
        "嗯",
    ):
        assert list(readings_of_word(word)) == lazy_pinyin(word)
    assert readings_of_word("x光é😀") == ("x", "guang", "é", "😀")


@given(st.integers(0, 300_000), st.integers(1, 40), st.randoms(use_true_random=False))
def test_the_best_of_a_range_are_found_by_its_blocks(size: int, k: int, random: object) -> None:
    generator = np.random.default_rng(random.getrandbits(32))  # type: ignore[attr-defined]
    ranks = generator.permutation(size).astype(np.int32)
    minima = block_minima(ranks)
    for _ in range(5):
        low, high = sorted(generator.integers(0, size + 1, 2).tolist())
        best = np.full(k, NONE, np.int32)
        offer_range(ranks, minima, low, high, best)
        offer_range(ranks, minima, low, high, best)
        assert best[best != NONE].tolist() == np.sort(ranks[low:high])[:k].tolist()
