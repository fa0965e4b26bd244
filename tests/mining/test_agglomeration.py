"""Click-graph clustering against a naive implementation of the definition, on random small graphs."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mining.agglomeration
from mining.agglomeration import agglomerate

Edges = list[tuple[int, int]]
Labels = tuple[list[int], list[int]]


def naive_clusters(edges: Edges, threshold: float) -> Labels:
    """The definition, word by word: at each turn compare all pairs of the side."""
    neighbors: tuple[dict[int, set[int]], dict[int, set[int]]] = ({}, {})
    for keyword, url in edges:
        neighbors[0].setdefault(keyword, set()).add(url)
        neighbors[1].setdefault(url, set()).add(keyword)
    labels = tuple(list(range(max(side) + 1)) for side in neighbors)
    passed = turn = 0
    while passed < 2:
        own, others = neighbors[turn], neighbors[1 - turn]
        pairs = [
            (-len(own[a] & own[b]) / len(own[a] | own[b]), a, b) for a in sorted(own) for b in sorted(own) if a < b
        ]
        passing = [pair for pair in pairs if -pair[0] >= threshold]
        passed = 0 if passing else passed + 1
        if passing:
            _, kept, gone = min(passing)
            for other in own[gone]:
                others[other].discard(gone)
                others[other].add(kept)
            own[kept] |= own.pop(gone)
            labels[turn][:] = [kept if label == gone else label for label in labels[turn]]
        turn = 1 - turn
    return labels[0], labels[1]


def clusters(edges: Edges, threshold: float) -> Labels:
    keywords, urls = (np.array(side, np.int64) for side in zip(*edges, strict=True))
    found = agglomerate(keywords, urls, threshold)
    return found[0].tolist(), found[1].tolist()


def without_gaps(edges: Edges) -> Edges:
    """Number the vertices of both sides from 0 without gaps."""
    sides = [{vertex: place for place, vertex in enumerate(sorted(set(side)))} for side in zip(*edges, strict=True)]
    return sorted({(sides[0][keyword], sides[1][url]) for keyword, url in edges})


THRESHOLDS = st.sampled_from([0.05, 0.1, 0.2, 0.25, 0.3, 1 / 3, 0.34, 0.4, 0.5, 0.6, 2 / 3, 0.75, 0.9, 1.0])
# Popular pages and keywords make ties, twins and hubs likely.
VERTEX = st.integers(0, 11) | st.integers(0, 2)
GRAPHS = st.lists(st.tuples(VERTEX, VERTEX), min_size=1, max_size=60).map(without_gaps)


@settings(max_examples=400)
@given(edges=GRAPHS, threshold=THRESHOLDS)
def test_clusters_equal_the_naive_definition(edges: Edges, threshold: float) -> None:
    assert clusters(edges, threshold) == naive_clusters(edges, threshold)


@pytest.mark.parametrize("large", [2, 3, 5])
def test_clusters_equal_the_naive_definition_where_vertices_count_as_large(
    monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    monkeypatch.setattr(mining.agglomeration, "LARGE", large)
    monkeypatch.setattr(mining.agglomeration, "REGISTER_FACTOR", large % 3)

    @settings(max_examples=250)
    @given(edges=GRAPHS, threshold=THRESHOLDS)
    def check(edges: Edges, threshold: float) -> None:
        assert clusters(edges, threshold) == naive_clusters(edges, threshold)

    check()


@settings(max_examples=40)
@given(edges=GRAPHS, threshold=THRESHOLDS, shuffle=st.randoms(use_true_random=False))
def test_the_order_of_the_edges_does_not_matter(edges: Edges, threshold: float, shuffle: "Callable[..., None]") -> None:
    shuffled = list(edges)
    shuffle.shuffle(shuffled)  # type: ignore[attr-defined]
    assert clusters(shuffled, threshold) == clusters(edges, threshold)


def test_a_graph_without_edges_has_no_clusters() -> None:
    nothing = np.empty(0, np.int64)
    assert [side.tolist() for side in agglomerate(nothing, nothing, 0.5)] == [[], []]


def test_keywords_without_a_common_page_join_once_their_pages_have() -> None:
    # 0 and 1 share no page, but pages 0 and 1 are both clicked for 2 and 3, so the pages become one.
    edges = [(0, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1)]
    keywords, urls = clusters(edges, 0.5)
    assert urls == [0, 0]
    assert keywords == [0, 0, 0, 0]
    assert (keywords, urls) == naive_clusters(edges, 0.5)


@pytest.mark.timeout(120)
def test_a_page_clicked_for_thousands_of_keywords_takes_no_quadratic_time() -> None:
    count = 4000
    star = [(keyword, 0) for keyword in range(count)]
    tails = [(count + keyword, page) for keyword in range(count) for page in (0, keyword + 1)]
    clusters([(0, 0)], 0.5)  # compiles
    started = time.process_time()
    keywords, _ = clusters(star + tails, 0.5)
    assert time.process_time() - started < 5
    assert keywords[: count + 1] == [0] * (count + 1)
    assert len(set(keywords)) == count
