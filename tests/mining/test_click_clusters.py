"""The click graph, its clusters and their neighbours against plain Python on random clicks."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from indexes.text import normalise

Rows = list[dict[str, Any]]

START = datetime(2025, 3, 1, tzinfo=UTC)
TEXTS = ["a", "A", "b", "c", "d", "e", "鲜花", "\u200b", "never searched"]
CLICKS = st.lists(
    st.fixed_dictionaries(
        {
            "ts": st.integers(0, 200).map(lambda hours: START + timedelta(hours=hours)),
            "user_id": st.sampled_from(["u1", "u2", "u3"]),
            "query": st.sampled_from(TEXTS),
            "url": st.sampled_from(["x", "y", "z", "http://é", "w", "v"]),
        }
    ),
    max_size=40,
)
SEARCHES = [{"ts": START, "user_id": "u1", "query": text} for text in TEXTS[:-1]]


def check_that_clusters_and_neighbors_follow_the_clicks(
    mined: Callable[..., Any],
    clicks: Rows,
    least_clicks: int,
    least_users: int,
    most_keywords: int,
    threshold: float,
    most: int,
) -> None:
    result = mined(
        {"searches": SEARCHES, "clicks": clicks},
        edge_min_clicks=least_clicks,
        edge_min_users=least_users,
        url_max_keywords=most_keywords,
        cluster_similarity=threshold,
        click_neighbors=most,
    )

    searched = {normalise(text) for text in TEXTS[:-1]} - {""}
    by_edge: dict[tuple[str, str], Rows] = defaultdict(list)
    for click in clicks:
        if normalise(click["query"]) in searched:
            by_edge[normalise(click["query"]), click["url"]].append(click)
    by_edge = {
        edge: rows
        for edge, rows in by_edge.items()
        if len(rows) >= least_clicks and len({row["user_id"] for row in rows}) >= least_users
    }
    popularity = Counter(url for _, url in by_edge)
    by_edge = {edge: rows for edge, rows in by_edge.items() if popularity[edge[1]] <= most_keywords}
    urls = defaultdict(set)
    for keyword, url in by_edge:
        urls[keyword].add(url)

    cluster_of = naive_clusters(by_edge.keys(), threshold)
    sizes = Counter(cluster_of.values())
    roots = sorted(root for root, size in sizes.items() if size > 1)
    assert result.tables["click_clusters"] == [
        {"keyword": keyword, "cluster_id": roots.index(root), "cluster_size": sizes[root]}
        for keyword, root in sorted(cluster_of.items())
        if sizes[root] > 1
    ]

    found = result.by("click_neighbors", "keyword", "neighbor")
    for keyword, root in cluster_of.items():
        others = [other for other, own in cluster_of.items() if own == root and other != keyword]
        sharing = {other: urls[keyword] & urls[other] for other in others if urls[keyword] & urls[other]}
        nearest = sorted(
            sharing,
            key=lambda other: (-len(sharing[other]) / len(urls[keyword] | urls[other]), -len(sharing[other]), other),
        )[:most]
        rows = {neighbor: row for (own, neighbor), row in found.items() if own == keyword}
        assert {neighbor for neighbor, row in rows.items() if row["path"] is None} == set(nearest)
        assert len(rows) <= most
        for neighbor, row in rows.items():
            if row["path"] is None:
                links = [(word, url) for word in (keyword, neighbor) for url in sharing[neighbor]]
                assert row["similarity"] == len(sharing[neighbor]) / len(urls[keyword] | urls[neighbor])
            else:
                assert neighbor in others and neighbor not in sharing
                links = links_of_path(row["path"], keyword, neighbor)
                assert row["similarity"] == 0
                if (neighbor, keyword) in found:
                    assert row["path"] == found[neighbor, keyword]["path"][::-1]
            evidence = [click for link in links for click in by_edge[link]]
            assert row["shared_urls"] == len(sharing.get(neighbor, ()))
            assert row["clicks"] == len(evidence)
            assert row["users"] == len({click["user_id"] for click in evidence})
            assert row["first_date"] == min(click["ts"] for click in evidence).date()
            assert row["last_date"] == max(click["ts"] for click in evidence).date()


def test_clusters_and_neighbors_follow_the_clicks(each_engine: Any) -> None:
    each_engine.check(
        check_that_clusters_and_neighbors_follow_the_clicks,
        *("click_clusters", "click_neighbors"),
        examples=12,
        clicks=CLICKS,
        least_clicks=st.integers(1, 2),
        least_users=st.integers(1, 2),
        most_keywords=st.sampled_from([3, 100]),
        threshold=st.sampled_from([0.2, 0.3, 0.5, 1.0]),
        most=st.sampled_from([2, 50]),
    )


def naive_clusters(edges: Any, threshold: float) -> dict[str, str]:
    """The lowest keyword in the cluster of each keyword, by the definition in mining.agglomeration."""
    sides: list[dict[str, set[str]]] = [defaultdict(set), defaultdict(set)]
    for keyword, url in edges:
        sides[0][keyword].add(url)
        sides[1][url].add(keyword)
    root = {keyword: keyword for keyword in sides[0]}
    turn = passed = 0
    while passed < 2:
        own, others = sides[turn], sides[1 - turn]
        pairs = [(-len(own[a] & own[b]) / len(own[a] | own[b]), a, b) for a in own for b in own if a < b]
        passing = [pair for pair in pairs if -pair[0] >= threshold]
        passed = 0 if passing else passed + 1
        if passing:
            _, kept, gone = min(passing)
            for other in own[gone]:
                others[other] = others[other] - {gone} | {kept}
            own[kept] = own[kept] | own.pop(gone)
            if turn == 0:
                root = {keyword: kept if label == gone else label for keyword, label in root.items()}
        turn = 1 - turn
    return root


def links_of_path(path: list[str], start: str, end: str) -> set[tuple[str, str]]:
    """The clicks (keyword, URL) along a path keyword, URL, keyword, …"""
    assert path[0] == start and path[-1] == end and len(path) % 2 == 1 and len(path) >= 5
    return {
        (path[place], path[place + 1]) if place % 2 == 0 else (path[place + 1], path[place])
        for place in range(len(path) - 1)
    }


def click(user: str, query: str, url: str) -> dict[str, Any]:
    return {"ts": START, "user_id": user, "query": query, "url": url}


def test_members_that_share_no_page_are_linked_by_a_path_of_clicks(mined: Callable[..., Any]) -> None:
    clicks = [click("u", *edge.split()) for edge in ("a x", "b y", "c x", "c y", "d x", "d y")]
    result = mined({"searches": SEARCHES, "clicks": clicks}, cluster_similarity=0.5)
    found = result.by("click_neighbors", "keyword", "neighbor")
    assert found["a", "b"]["path"] == ["a", "x", "c", "y", "b"]
    assert found["b", "a"]["path"] == ["b", "y", "c", "x", "a"]
    assert (found["a", "b"]["clicks"], found["a", "b"]["users"]) == (4, 1)


@pytest.mark.parametrize("most", [0, 2])
def test_no_more_paths_are_kept_than_the_setting_says(mined: Callable[..., Any], most: int) -> None:
    pages = [(f"k{number}", f"p{number}") for number in range(5)]
    hubs = [(hub, page) for hub in ("hub one", "hub two") for _, page in pages]
    clicks = [click("u", *edge) for edge in pages + hubs]
    searches = [{"ts": START, "user_id": "u", "query": row["query"]} for row in clicks]
    rows = mined({"searches": searches, "clicks": clicks}, cluster_similarity=0.1, click_paths=most).tables[
        "click_neighbors"
    ]
    paths = Counter(row["keyword"] for row in rows if row["path"])
    assert {keyword: paths[keyword] for keyword, _ in pages} == {keyword: most for keyword, _ in pages}
