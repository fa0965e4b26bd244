"""Keywords as words of clicked pages, against the definitions in plain Python."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from mining import sparse_blocks
from mining.page_term_vectors import (
    COSINE_UNIT,
    WEIGHT_UNIT,
    keyword_vectors,
    nearest_and_clusters,
    page_weights,
    rank_members,
)
from mining.settings import MiningSettings

START = datetime(2025, 3, 1, tzinfo=UTC)
WORDS = ["flower", "delivery", "shoe", "paris", "鲜花", "red"]


def chosen(**values: Any) -> MiningSettings:
    return MiningSettings.model_validate(values)


@settings(max_examples=60)
@given(
    pages=st.lists(st.lists(st.sampled_from(WORDS), max_size=8), min_size=1, max_size=6),
    clicks=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(1, 3)), max_size=15),
    most=st.sampled_from([1, 2, 30]),
)
def test_vectors_are_the_sums_of_the_paper(pages: list[list[str]], clicks: list[Any], most: int) -> None:
    users: dict[tuple[int, int], int] = {(keyword, page): count for keyword, page, count in clicks if page < len(pages)}
    weights = page_weights([" ".join(page) for page in pages], [""] * len(pages), chosen(page_term_max_share=1))
    terms = sorted({word for page in pages for word in page})
    matrix = np.zeros((5, len(pages)), np.int64)
    for place, count in users.items():
        matrix[place] = count
    vectors = keyword_vectors(csr_array(matrix), weights, chosen(page_vector_terms=most)).toarray()
    for keyword in range(5):
        sums: dict[str, int] = defaultdict(int)
        for (own, page), count in users.items():
            frequency = Counter(pages[page])
            for word, times in frequency.items():
                share = Fraction(times, max(frequency.values()))
                if own == keyword:
                    sums[word] += count * round(share * WEIGHT_UNIT)
        heaviest = sorted(sums.items(), key=lambda item: (-item[1], item[0]))[:most]
        length = math.sqrt(sum(weight**2 for _, weight in heaviest))
        expected = [0] * len(terms)
        for word, weight in heaviest:
            expected[terms.index(word)] = round(weight / length * COSINE_UNIT)
        assert vectors[keyword].tolist() == expected


@settings(max_examples=100)
@given(
    rows=st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=9),
    users=st.lists(st.integers(1, 4), min_size=9, max_size=9),
    least=st.sampled_from([0.3, 0.6, 0.95]),
    joining=st.sampled_from([0.5, 0.8]),
    most=st.integers(1, 4),
    products=st.sampled_from([1, 20, 10**6]),
)
def test_neighbors_clusters_and_ranks_equal_a_naive_comparison(
    rows: list[list[int]], users: list[int], least: float, joining: float, most: int, products: int
) -> None:
    count = len(rows)
    units = [[round(v / (math.hypot(*row) or 1) * COSINE_UNIT) for v in row] for row in rows]
    cosine = [
        [sum(a * b for a, b in zip(one, other, strict=True)) / COSINE_UNIT**2 for other in units] for one in units
    ]
    setting = chosen(page_term_similarity=least, page_cluster_similarity=joining, page_neighbors=most)
    people = np.array(users[:count], np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sparse_blocks, "PRODUCTS_A_BLOCK", products)
        found = nearest_and_clusters(csr_array(np.array(units, np.int32)), people, setting)

    pairs = list(zip(found.keyword.tolist(), found.neighbor.tolist(), strict=True))
    expected = [
        (keyword, neighbor)
        for keyword in range(count)
        for neighbor in sorted(
            sorted(
                (other for other in range(count) if other != keyword and cosine[keyword][other] >= least),
                key=lambda other: (-cosine[keyword][other], other),
            )[:most]
        )
    ]
    assert pairs == expected
    assert found.cosine.tolist() == [min(cosine[one][other], 1.0) for one, other in pairs]

    leader: dict[int, int] = {}
    for keyword in sorted(range(count), key=lambda keyword: (-users[keyword], keyword)):
        if keyword not in leader:
            leader |= {
                other: keyword for other in range(count) if other not in leader and cosine[keyword][other] >= joining
            }
            leader[keyword] = keyword
    assert found.leader.tolist() == [leader[keyword] for keyword in range(count)]

    rank = rank_members(found, people, chosen(page_rank_popularity=0.4)).tolist()
    for keyword, own in leader.items():
        members = sorted(
            (other for other in leader if leader[other] == own),
            key=lambda other: (
                -(found.leader_cosine[other] ** 0.6 * (users[other] / users[own]) ** 0.4),
                other,
            ),
        )
        assert members.index(keyword) + 1 == rank[keyword]


def test_words_of_every_page_say_nothing_once_there_are_enough_pages() -> None:
    titles = [f"shop {word}" for word in ["rose"] * 30 + ["tulip"] * 5]
    weights = page_weights(titles, [""] * 35, chosen(page_term_max_share=0.2))
    assert weights.shape == (35, 1)
    assert np.flatnonzero(weights.toarray().ravel()).tolist() == list(range(30, 35))


def test_pages_without_any_word_are_no_error() -> None:
    assert page_weights(["!", ""], ["", "…"], chosen()).shape == (2, 0)
    assert page_weights([], [], chosen()).shape == (0, 0)


def logs() -> dict[str, list[dict[str, Any]]]:
    """Two pages on flowers, one on shoes; `bouquet` and `roses` share no page and no word of their own."""
    clicks = [
        {"ts": START + timedelta(days=day), "user_id": user, "query": query, "url": url}
        for day, (user, query, url) in enumerate(
            [
                ("u1", "bouquet", "a"),
                ("u2", "bouquet", "a"),
                ("u1", "roses", "b"),
                ("u3", "roses", "b"),
                ("u4", "roses", "b"),
                ("u1", "sneakers", "c"),
                ("u2", "sneakers", "c"),
                ("u9", "tulips", "a"),
            ]
        )
    ]
    pages = [
        {"url": "a", "title": "Flower delivery", "text": "fresh flowers"},
        {"url": "b", "title": "Flower delivery Paris", "text": ""},
        {"url": "c", "title": "Running shoes", "text": ""},
        {"url": "unclicked", "title": "Flower delivery", "text": ""},
    ]
    searches = [{key: row[key] for key in ("ts", "user_id", "query")} for row in clicks]
    return {"searches": searches, "clicks": clicks, "pages": pages}


def test_keywords_of_different_pages_with_the_same_words_are_neighbors(each_engine: Any) -> None:
    tables = logs()
    result = each_engine.mined(tables, "page_term_clusters", "page_term_neighbors")
    found = result.by("page_term_neighbors", "keyword", "neighbor")
    assert found.keys() == {("bouquet", "roses"), ("roses", "bouquet")}
    row = found["bouquet", "roses"]
    assert row["similarity"] == pytest.approx(2 / math.sqrt(6), abs=1e-4)
    # Two users clicked for the one and three for the other; their clicks reach from the first day to the fifth.
    assert (row["users"], row["first_date"].day, row["last_date"].day) == (2, 1, 5)
    clusters = result.tables["page_term_clusters"]
    assert [(row["keyword"], row["rank"], row["users"]) for row in clusters] == [("bouquet", 2, 2), ("roses", 1, 3)]
    assert {row["cluster_size"] for row in clusters} == {2}


def test_the_start_of_the_text_is_read_if_asked_for(mined: Callable[..., Any]) -> None:
    tables = logs()
    found = mined(tables, page_text_characters=5).by("page_term_neighbors", "keyword", "neighbor")
    assert found["bouquet", "roses"]["similarity"] == pytest.approx(2 / 3, abs=1e-4)


def test_only_so_many_keywords_of_the_most_users_get_vectors(mined: Callable[..., Any]) -> None:
    # Three users clicked for roses, two each for bouquet and sneakers: bouquet comes first by its text.
    found = mined(logs(), page_keywords=2, page_term_similarity=0.01).by("page_term_neighbors", "keyword", "neighbor")
    assert found.keys() == {("bouquet", "roses"), ("roses", "bouquet")}
    assert not mined(logs(), page_keywords=2, min_users=3).tables["page_term_neighbors"]


@pytest.mark.parametrize("missing", ["pages", "clicks"])
def test_without_pages_or_clicks_the_tables_are_empty(mined: Callable[..., Any], missing: str) -> None:
    tables = logs()
    del tables[missing]
    result = mined(tables)
    assert result.tables["page_term_neighbors"] == result.tables["page_term_clusters"] == []
