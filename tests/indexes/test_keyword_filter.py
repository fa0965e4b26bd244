"""Filters inside retrieval leave exactly what filtering everything first would, and take no row of memory."""

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes import keyword_filter_kernels as kernels
from indexes.arrays import Array, ArrayFolder, offsets_from_counts
from indexes.keyword_filter import Check, Conditions, KeywordFilter
from indexes.keyword_stats import KeywordStats
from indexes.postings import Postings, write_postings
from indexes.text.simplified import simplified_characters, with_simplified_characters
from indexes.vocabulary import Vocabulary, write_vocabulary

COUNT = 300
TOKENS = 12
PIECES = ("鲜花", "鮮花", "汽車", "汽车", "shoe", "𠮷", "😀", "é", "a")


def make_stats(count: int, seed: int = 0) -> KeywordStats:
    """Random columns, a third of what can be unknown being so, and a few numbers that need 8 bytes."""
    generator = np.random.default_rng(seed)

    def counts(*shape: int) -> Array:
        drawn = (generator.zipf(1.3, (count, *shape)) - 1).clip(0, 2**40)
        return drawn.astype(np.int64)

    def unknown(column: Array, value: Any) -> Array:
        return np.where(generator.random(len(column)) < 0.33, value, column)

    return KeywordStats(
        searches=counts(),
        own_searches=counts(),
        users=counts(),
        first_day=generator.integers(15_000, 70_000, count).astype(np.int32),
        last_day=generator.integers(15_000, 70_000, count).astype(np.int32),
        avg_monthly_searches=unknown(counts() / 3, np.nan),
        monthly_searches=counts(3).clip(0, 2**30).astype(np.int32),
        change_3m=np.full(count, np.nan, np.float32),
        change_yoy=np.full(count, np.nan, np.float32),
        competition_index=unknown(generator.integers(0, 101, count), np.nan).astype(np.float32),
        low_bid_micros=unknown(counts() * 1000, -1),
        high_bid_micros=unknown(counts() * 1000, -1),
        advertisers=unknown(counts().clip(0, 2**30), -1).astype(np.int32),
        clicks=unknown(counts(), -1),
        ad_ctr=np.full(count, np.nan, np.float32),
        language=generator.integers(0, 3, count).astype(np.uint8),
        canonical=np.arange(count, dtype=np.int32),
        searches_by_device=(counts(2) - 1).clip(0, 2**30).astype(np.int32),
        searches_by_region=(counts(5) - 3).clip(0, 2**30).astype(np.int32),
    )


class Corpus:
    """Keywords with random tokens, texts and statistics, as a snapshot has them."""

    def __init__(self, folder: Path) -> None:
        generator = np.random.default_rng(1)
        offsets = offsets_from_counts(generator.integers(1, 5, COUNT))
        tokens = (TOKENS * generator.random(int(offsets[-1])) ** 2).astype(np.int32)
        texts = {f"{' '.join(generator.choice(PIECES, 2))} {number}" for number in range(COUNT)}
        write_vocabulary(folder, "keywords", sorted(texts))
        make_stats(COUNT).write(folder)
        reader = ArrayFolder(folder)
        self.stats = KeywordStats.open(reader)
        write_postings(folder, TOKENS, offsets, tokens, self.stats.own_searches[:])
        self.keywords = Vocabulary(reader, "keywords")
        self.unsafe = (1 << generator.integers(0, 20, COUNT)).astype(np.uint32)
        self.plain = Postings(reader, kernels_from=COUNT + 1)
        self.compiled = Postings(reader, kernels_from=0)

    def filter(self, conditions: Conditions) -> KeywordFilter:
        return KeywordFilter(conditions, self.stats, self.keywords, self.unsafe)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus(tmp_path_factory.mktemp("corpus"))


def some(elements: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(elements, max_size=2).map(tuple)


BOUND = st.one_of(st.none(), st.integers(0, 30), st.sampled_from([-5, 1000, 10**6, 2**62, 2**70]))
CONDITIONS = st.builds(
    Conditions,
    min_searches=BOUND,
    max_searches=BOUND,
    competition_levels=some(st.integers(0, 3)),
    min_bid_micros=BOUND,
    max_bid_micros=BOUND,
    languages=some(st.integers(0, 2)),
    devices=some(st.integers(0, 1)),
    regions=some(st.integers(0, 4)),
    unsafe_categories=st.sampled_from([0, 0, 1, 0xFF, 1 << 19]),
    owned=some(st.integers(0, COUNT - 1)),
    must_contain=some(st.sampled_from([*PIECES, "花 ", "1", ""])),
    must_not_contain=some(st.sampled_from([*PIECES, "hoe", "9"])),
)
QUERY = st.lists(st.integers(0, TOKENS - 1), max_size=8)


def passes(corpus: Corpus, wanted: Conditions, row: int) -> bool:
    """The meaning of the conditions, written down once more."""
    stats = corpus.stats
    average = float(stats.avg_monthly_searches[row])
    searches = int(stats.searches[row]) if np.isnan(average) else average
    index = float(stats.competition_index[row])
    level = 0 if np.isnan(index) else 1 if index < 34 else 2 if index < 67 else 3
    bid = int(stats.high_bid_micros[row])
    text = with_simplified_characters(corpus.keywords[row])
    ranged = wanted.min_bid_micros is not None or wanted.max_bid_micros is not None
    return (
        (wanted.min_searches is None or searches >= wanted.min_searches)
        and (wanted.max_searches is None or searches <= wanted.max_searches)
        and (not wanted.competition_levels or level in wanted.competition_levels)
        and (not ranged or bid >= 0)
        and (wanted.min_bid_micros is None or bid >= wanted.min_bid_micros)
        and (wanted.max_bid_micros is None or bid <= wanted.max_bid_micros)
        and (not wanted.languages or int(stats.language[row]) in wanted.languages)
        and (not wanted.devices or any(stats.searches_by_device[row][place] > 0 for place in wanted.devices))
        and (not wanted.regions or any(stats.searches_by_region[row][place] > 0 for place in wanted.regions))
        and not int(corpus.unsafe[row]) & wanted.unsafe_categories
        and row not in wanted.owned
        and all(with_simplified_characters(part) in text for part in wanted.must_contain)
        and not any(with_simplified_characters(part) in text for part in wanted.must_not_contain)
    )


@settings(deadline=None, max_examples=300)
@given(CONDITIONS, QUERY, st.integers(0, 40))
def test_a_filter_leaves_the_best_of_all_that_pass(
    corpus: Corpus, conditions: Conditions, query: list[int], k: int
) -> None:
    allowed = [row for row in range(COUNT) if passes(corpus, conditions, row)]
    keyword_filter = corpus.filter(conditions)
    assert np.flatnonzero(keyword_filter.passing(np.arange(COUNT))).tolist() == allowed
    ids, scores = corpus.plain.top_of_all_scores(query, COUNT)
    kept = np.isin(ids, allowed)
    for postings in (corpus.plain, corpus.compiled):
        found, found_scores = postings.top(query, k, keyword_filter)
        assert found.tolist() == ids[kept][:k].tolist()
        assert found_scores.tolist() == scores[kept][:k].tolist()
        by_demand = sorted(allowed, key=lambda row: (-int(corpus.stats.own_searches[row]), row))
        browsed, is_all = postings.most_searched(k, keyword_filter)
        assert (browsed.tolist(), is_all) == (by_demand[:k], True)
        held = postings.holding_all(query, COUNT)
        assert postings.holding_all(query, k, keyword_filter).tolist() == held[np.isin(held, allowed)][:k].tolist()


def test_the_first_failure_is_told(corpus: Corpus) -> None:
    ids = np.arange(COUNT)
    wanted = Conditions(languages=(0,), must_contain=("鲜花",))
    codes = corpus.filter(wanted).failed(ids)
    assert set(codes.tolist()) == {0, Check.LANGUAGE, Check.MUST_CONTAIN}
    assert ((codes == Check.LANGUAGE) == (corpus.stats.language[ids] != 0)).all()


def test_columns_that_are_not_narrow_yet_are_filtered_alike(corpus: Corpus) -> None:
    wanted = Conditions(min_searches=2, regions=(1, 3), max_bid_micros=10**6)
    in_memory = KeywordFilter(wanted, make_stats(COUNT), corpus.keywords, corpus.unsafe)
    for postings in (corpus.plain, corpus.compiled):
        found = postings.top([0, 1], COUNT, in_memory)[0]
        assert found.tolist() == corpus.plain.top([0, 1], COUNT, corpus.filter(wanted))[0].tolist()


def test_a_filter_takes_no_row_of_memory_however_rare_what_passes_is(tmp_path: Path) -> None:
    count = 1_000_000
    offsets = np.arange(0, 2 * count + 1, 2)
    tokens = np.stack([np.arange(count) % 7, 7 + np.arange(count) % 50_000], axis=1).reshape(-1).astype(np.int32)
    write_postings(tmp_path, 50_007, offsets, tokens)
    postings = Postings(ArrayFolder(tmp_path))
    rare = np.zeros(count, np.uint8)
    rare[:: count // 20] = 1
    stats = make_stats(2)
    columns = {name: getattr(stats, name) for name in stats.__dataclass_fields__} | {"language": rare}
    write_vocabulary(tmp_path, "keywords", ["a", "b"])
    keyword_filter = KeywordFilter(
        Conditions(languages=(1,)), KeywordStats(**columns), Vocabulary(ArrayFolder(tmp_path), "keywords"), rare
    )
    expected = [row for row in np.flatnonzero(rare).tolist() if row % 7 in (0, 1, 2)]
    postings.top([0, 1, 2], 1000, keyword_filter)
    tracemalloc.start()
    try:
        found = postings.top([0, 1, 2], 1000, keyword_filter)[0]
        browsed = postings.most_searched(1000, keyword_filter)[0]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sorted(found.tolist()) == expected
    assert browsed.tolist() == np.flatnonzero(rare).tolist()
    # Compiled code allocates where this cannot see: its blocks and members don't grow with the rows either.
    assert peak < 300_000


@settings(deadline=None)
@given(st.text(max_size=8), st.text(max_size=3))
def test_the_compiled_search_in_a_text_is_that_of_python(text: str, part: str) -> None:
    utf8 = np.frombuffer(b"xx" + text.encode() + b"yy", np.uint8)
    points = np.array([ord(letter) for letter in with_simplified_characters(part)], np.int32)
    found = kernels.contains(utf8, 2, len(utf8) - 2, points, simplified_characters())
    assert found == (with_simplified_characters(part) in with_simplified_characters(text))


def test_characters_are_simplified_one_by_one() -> None:
    assert with_simplified_characters("鮮花速遞 乾坤 Ａ") == "鲜花速递 干坤 Ａ"
    assert len(with_simplified_characters("𠮷野家😀")) == 4
