"""Negatives are found by shortcuts that change no answer: each beside what it stands for, written out."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.opened import Indexes
from indexes.term_vectors import TermVectors
from indexes.text import fingerprint, normalise, tokens, words
from kr.planning.matching import NegativeKeywords, blocks_text, triggers
from kr.planning.negatives import (
    LEAST_SEARCHES,
    UNWANTED_SHARE,
    NegativeFinder,
    NegativeReason,
    _added_words,
    _suggest,
    _token_sums_of,
    _Unwanted,
)
from kr.planning.plan_row import MatchType
from kr.planning.reach import Reached, SearchTexts, reached

PARTS = [
    "鲜花",
    "鮮花",
    "鲜花店",
    "花店",
    "速递",
    "送",
    "北京",
    "flower",
    "flowers",
    "shop",
    "shops",
    "24",
    "c++",
    "iphone手机",
    "-",
]
TEXTS = st.lists(st.sampled_from([*PARTS, " "]), min_size=1, max_size=5).map(lambda parts: normalise("".join(parts)))
SPACED = st.lists(st.sampled_from(PARTS), min_size=1, max_size=4).map(lambda parts: normalise(" ".join(parts)))
ANY = st.one_of(TEXTS, SPACED).filter(bool)
TYPES = st.sampled_from([*MatchType, None])


@given(st.lists(st.tuples(ANY, TYPES), max_size=6), ANY)
def test_many_negatives_at_once_block_what_each_alone_blocks(
    negatives: list[tuple[str, MatchType | None]], search: str
) -> None:
    alone = any(blocks_text(text, match_type, search) for text, match_type in negatives)
    assert NegativeKeywords([*negatives, ("", None), ("", MatchType.EXACT)]).block(search) is alone


def shows_ads(text: str, match_type: MatchType | None, search: str) -> bool:
    there, wanted = words(search), words(text)
    if match_type is MatchType.EXACT:
        return fingerprint(text) == fingerprint(search)
    if match_type is MatchType.PHRASE:
        side_by_side = any(there[start : start + len(wanted)] == wanted for start in range(len(there))) and wanted != ()
        return side_by_side or (not text.isascii() and text.replace(" ", "") in search.replace(" ", ""))
    return {*there, *tokens(search)} >= set(wanted)


@given(ANY, TYPES, ANY)
def test_a_keyword_shows_ads_for_the_searches_of_its_match_type(
    text: str, match_type: MatchType | None, search: str
) -> None:
    assert triggers(text, match_type)(search) is shows_ads(text, match_type, search)


@pytest.fixture(scope="module")
def indexes(tiny_store: Path) -> Indexes:
    return Indexes.open(tiny_store)


def test_close_variants_have_equal_sums_of_tokens_and_other_searches_hardly_ever(indexes: Indexes) -> None:
    finder = NegativeFinder(indexes, None, None)  # type: ignore[arg-type]  # neither audits nor reads intents here
    ids = np.arange(len(indexes.keywords))
    sums = finder._token_sums(ids).tolist()
    by_variant: dict[str, set[int]] = {}
    for text, of_search in zip(indexes.keywords.take(ids), sums, strict=True):
        assert _token_sums_of([text], SearchTexts(indexes)).tolist() == [of_search]
        by_variant.setdefault(fingerprint(text), set()).add(of_search)
    assert all(len(found) == 1 for found in by_variant.values())
    assert len({found.pop() for found in by_variant.values()}) > 0.9 * len(by_variant)
    assert not len(_token_sums_of(["a word that nobody searched zzqx"], SearchTexts(indexes)))


class MadeVectors(TermVectors):
    """Vectors of words as they come; "none" means nothing."""

    def __init__(self) -> None:
        self.contributions = np.zeros((1, 6), np.float16)

    def contribution(self, token: str) -> np.ndarray:
        random = np.random.default_rng(sum(token.encode()))
        return np.zeros(6, np.float16) if token == "none" else random.normal(size=6).astype(np.float16)


@given(st.lists(st.lists(st.sampled_from(["flower", "shop", "鲜花", "none"]), max_size=4), max_size=6))
def test_vectors_of_many_texts_are_those_of_each(texts: list[list[str]]) -> None:
    vectors = MadeVectors()
    codes, known = vectors.codes(texts)
    assert codes.shape == (len(texts), 6)
    for row, text in enumerate(texts):
        alone = vectors.code(text)
        assert known[row] == (alone is not None)
        assert not known[row] or codes[row].tolist() == alone.tolist()  # type: ignore[union-attr]


def words_that_keep_searches_away(
    searches: Reached, judged: list[_Unwanted | None], own: list[str], away: NegativeKeywords
) -> set[str]:
    """The words that can be suggested: in nine tenths of all searches, counted one by one, unwanted."""
    volume: dict[str, float] = {}
    bad: dict[str, float] = {}
    for text, by, verdict, demand in zip(searches.texts, searches.by, judged, searches.demand.tolist(), strict=True):
        for word in set() if away.block(text) else _added_words(text, by):
            volume[word] = volume.get(word, 0.0) + demand
            bad[word] = bad.get(word, 0.0) + (demand if verdict else 0.0)
    return {
        word
        for word in bad
        if bad[word] >= LEAST_SEARCHES
        and bad[word] >= UNWANTED_SHARE * volume[word]
        and not any(blocks_text(word, MatchType.PHRASE, text) for text in own)
    }


@given(st.data())
def test_a_word_is_suggested_only_if_most_of_its_searches_are_unwanted(data: st.DataObject) -> None:
    texts = data.draw(st.lists(ANY, min_size=1, max_size=12, unique=True))
    count = len(texts)
    own = data.draw(st.lists(ANY, min_size=1, max_size=2))
    searches = Reached(
        np.arange(count),
        tuple(texts),
        np.array(data.draw(st.lists(st.integers(1, 40), min_size=count, max_size=count)), np.float64),
        tuple(data.draw(st.sampled_from(own)) for _ in texts),
    )
    verdict = _Unwanted(NegativeReason.OTHER_PRODUCT)
    judged = [verdict if data.draw(st.booleans()) else None for _ in texts]
    away = NegativeKeywords(data.draw(st.lists(st.tuples(ANY, TYPES), max_size=2)))
    allowed = words_that_keep_searches_away(searches, judged, own, away)
    suggested = _suggest(searches, judged, own, away, 1, None, None)
    assert {item.text for item in suggested if item.match_type is MatchType.PHRASE} <= allowed
    covered = {
        place
        for place, text in enumerate(texts)
        if judged[place] and not away.block(text) and _added_words(text, searches.by[place]) & allowed
    }
    kept = sum(item.queries for item in suggested if item.match_type is MatchType.PHRASE)
    assert (
        kept == len(covered)
        if all(searches.demand[place] >= LEAST_SEARCHES for place in covered)
        else kept <= len(covered)
    )


def test_what_is_reached_is_the_same_with_texts_that_are_known_already(indexes: Indexes) -> None:
    from kr.planning.plan import PlanKeyword

    known = SearchTexts(indexes)
    for text in ("鲜花", "鲜花速递", "flower", "鲜花"):
        keyword = PlanKeyword(1, text, 1, 1, MatchType.PHRASE, False, None, None, (), "", {})
        fresh, again = reached(indexes, [keyword], 100), reached(indexes, [keyword], 100, texts=known)
        assert fresh.texts == again.texts and fresh.by == again.by and fresh.ids.tolist() == again.ids.tolist()
        assert fresh.texts
