"""Content and click similarity and its density clusters against plain Python on random keywords and clicks."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.text import words
from mining.content_click_similarity import NO_CLUSTER, density_clusters, similar_pairs, term_matrix, url_matrix
from mining.settings import MiningSettings

START = datetime(2025, 3, 1, tzinfo=UTC)
KEYWORDS = [
    "!",
    "flower",
    "flower delivery",
    "flower delivery paris",
    "flowers",
    "鲜花",
    "鲜花速递",
    "red shoe",
    "shoe",
]


def chosen(**values: Any) -> MiningSettings:
    return MiningSettings.model_validate(values)


def naive_similarities(
    edges: set[tuple[int, str]], most: int, weight: float, threshold: float
) -> dict[tuple[int, int], tuple[int, int, float]]:
    """(shared terms, shared URLs, similarity) of all pairs that are compared and reach the threshold."""
    terms = [set(words(keyword)) for keyword in KEYWORDS]
    urls = [{url for own, url in edges if own == number} for number in range(len(KEYWORDS))]
    popularity = Counter(feature for features in (*terms, *urls) for feature in features)
    found = {}
    for one, other in combinations(range(len(KEYWORDS)), 2):
        shared = [features[one] & features[other] for features in (terms, urls)]
        if not any(popularity[feature] <= most for features in shared for feature in features):
            continue
        content, click = (
            len(common) / max(len(features[one]), len(features[other]), 1)
            for common, features in zip(shared, (terms, urls), strict=True)
        )
        similarity = weight * content + (1 - weight) * click
        if similarity >= threshold:
            found[one, other] = (len(shared[0]), len(shared[1]), similarity)
    return found


def naive_clusters(similarity: dict[tuple[int, int], float], count: int, min_points: int) -> list[int]:
    """DBSCAN by its definition: clusters grow from cores; others join their nearest core, the lowest first."""
    near: dict[int, dict[int, float]] = defaultdict(dict)
    for (one, other), value in similarity.items():
        near[one][other] = near[other][one] = value
    cores = [keyword for keyword in range(count) if len(near[keyword]) >= min_points]
    cluster = [NO_CLUSTER] * count
    for core in cores:
        waiting = [core] if cluster[core] == NO_CLUSTER else []
        while waiting:
            reached = waiting.pop()
            cluster[reached] = core
            waiting += [other for other in near[reached] if other in cores and cluster[other] == NO_CLUSTER]
    for keyword in set(range(count)) - set(cores):
        around = sorted((-value, other) for other, value in near[keyword].items() if other in cores)
        if around:
            cluster[keyword] = cluster[around[0][1]]
    return cluster


@settings(max_examples=150)
@given(
    edges=st.sets(st.tuples(st.integers(0, len(KEYWORDS) - 1), st.sampled_from("uvwxyz")), max_size=30),
    most=st.sampled_from([2, 3, 4, 100]),
    weight=st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    threshold=st.sampled_from([0.2, 0.4, 0.7]),
    min_points=st.integers(1, 4),
)
def test_pairs_and_clusters_equal_a_naive_comparison(
    edges: set[tuple[int, str]], most: int, weight: float, threshold: float, min_points: int
) -> None:
    ordered = sorted(edges)
    ids = np.arange(len(KEYWORDS)) * 10
    urls = url_matrix(
        ids, np.array([own * 10 for own, _ in ordered], np.int64), np.array([ord(url) for _, url in ordered], np.int64)
    )
    pairs = similar_pairs(
        term_matrix(KEYWORDS),
        urls,
        chosen(content_click_max_keywords=most, content_weight=weight, content_click_similarity=threshold),
    )
    found = {
        (low, high): (terms, common, similarity)
        for low, high, terms, common, similarity in zip(
            *(column.tolist() for column in (pairs.low, pairs.high, pairs.shared_terms, pairs.shared_urls)),
            pairs.similarity.tolist(),
            strict=True,
        )
    }
    expected = naive_similarities(edges, most, weight, threshold)
    assert found == {pair: (terms, common, pytest.approx(value)) for pair, (terms, common, value) in expected.items()}
    clusters = density_clusters(pairs, len(KEYWORDS), min_points)
    similarity = dict(zip(found, pairs.similarity.tolist(), strict=True))
    assert clusters.tolist() == naive_clusters(similarity, len(KEYWORDS), min_points)


def test_edges_of_keywords_that_are_not_compared_are_left_out() -> None:
    urls = url_matrix(np.array([2, 5]), np.array([1, 2, 3, 5, 9]), np.array([7, 7, 7, 8, 8]))
    assert urls.toarray().tolist() == [[1, 0], [0, 1]]


SEARCHES = [{"ts": START, "user_id": user, "query": keyword} for keyword in KEYWORDS for user in ("u1", "u2")]


def click(user: str, query: str, url: str, day: int = 0) -> dict[str, Any]:
    return {"ts": START + timedelta(days=day), "user_id": user, "query": query, "url": url}


def test_pairs_of_a_cluster_carry_both_parts_and_the_clicks_behind_them(each_engine: Any) -> None:
    clicks = [
        click("u1", "flower", "x"),
        click("u2", "flower delivery", "x", day=3),
        click("u2", "flower delivery", "x", day=4),
        click("u3", "flower delivery", "y", day=9),
    ]
    result = each_engine.mined(
        {"searches": SEARCHES, "clicks": clicks},
        *("content_click_clusters", "content_click_neighbors"),
        content_click_similarity=0.2,
        content_click_min_points=1,
    )
    found = result.by("content_click_neighbors", "keyword", "neighbor")
    row = found["flower", "flower delivery"]
    assert row["similarity"] == pytest.approx(0.3 * 0.5 + 0.7 * 0.5)
    assert (row["content"], row["click"], row["shared_terms"], row["shared_urls"]) == (0.5, 0.5, 1, 1)
    assert (row["clicks"], row["users"]) == (3, 2)
    assert (row["first_date"].day, row["last_date"].day) == (1, 5)
    back = found["flower delivery", "flower"]
    assert back | {"keyword": "flower", "neighbor": "flower delivery"} == row
    by_words = found["flower", "flowers"]
    assert (by_words["content"], by_words["users"], by_words["first_date"]) == (1.0, 0, None)
    clusters = result.by("content_click_clusters", "keyword")
    assert clusters["flower"]["cluster_id"] == clusters["flowers"]["cluster_id"]
    assert clusters["flower"]["cluster_size"] == len(clusters)


def test_what_one_person_clicked_alone_links_nothing(mined: Callable[..., Any]) -> None:
    clicks = [click("u1", query, url) for query in ("flower", "shoe") for url in "xyz"]
    result = mined({"searches": SEARCHES, "clicks": clicks}, content_click_min_points=1)
    assert ("flower", "shoe") not in result.by("content_click_neighbors", "keyword", "neighbor")
    clicks += [click("u2", query, "x") for query in ("flower", "shoe")]
    result = mined({"searches": SEARCHES, "clicks": clicks}, content_click_min_points=1)
    assert result.by("content_click_neighbors", "keyword", "neighbor")["flower", "shoe"]["users"] == 2


def test_keywords_of_one_person_are_not_compared(mined: Callable[..., Any]) -> None:
    searches = [*SEARCHES, {"ts": START, "user_id": "u1", "query": "flower bouquet"}]
    clicks = [click(user, query, "x") for user in ("u1", "u2") for query in ("flower", "flower bouquet")]
    result = mined({"searches": searches, "clicks": clicks}, content_click_min_points=1, content_click_similarity=0.1)
    assert "flower bouquet" not in {row["keyword"] for row in result.tables["content_click_neighbors"]}


def test_no_keyword_has_more_neighbors_than_the_setting(mined: Callable[..., Any]) -> None:
    clicks = [click(user, query, "x") for user in ("u1", "u2") for query in KEYWORDS]
    result = mined({"searches": SEARCHES, "clicks": clicks}, content_click_min_points=1, content_click_neighbors=2)
    rows = result.tables["content_click_neighbors"]
    assert Counter(row["keyword"] for row in rows) == dict.fromkeys(KEYWORDS, 2)
    assert {row["neighbor"] for row in rows if row["keyword"] == "flower"} == {"flowers", "flower delivery"}


def test_a_url_that_everybody_clicks_brings_nobody_together(mined: Callable[..., Any]) -> None:
    clicks = [click(user, query, "portal") for user in ("u1", "u2") for query in KEYWORDS]
    result = mined({"searches": SEARCHES, "clicks": clicks}, content_click_min_points=1, content_click_max_keywords=5)
    found = result.by("content_click_neighbors", "keyword", "neighbor")
    assert ("flower", "flowers") in found
    assert ("flower", "shoe") not in found
