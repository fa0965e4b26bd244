"""Paths of clicks against breadth-first search over networkx graphs, in plain Python."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator

import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mining.cluster_paths import find_paths

Path = tuple[int, ...]
KEYWORDS, URLS = 9, 8
EDGES = st.sets(st.tuples(st.integers(0, KEYWORDS - 1), st.integers(0, URLS - 1)), max_size=28)


@given(
    edges=EDGES,
    drawn=st.lists(st.integers(0, 2), min_size=KEYWORDS, max_size=KEYWORDS),
    rooms=st.lists(st.integers(0, 4), min_size=KEYWORDS, max_size=KEYWORDS),
)
def test_paths_equal_a_search_of_the_clusters_graph(
    edges: set[tuple[int, int]], drawn: list[int], rooms: list[int]
) -> None:
    ordered = sorted(edges)
    keywords = sorted({keyword for keyword, _ in edges})
    urls = sorted({url for _, url in edges})
    place_of = {keyword: place for place, keyword in enumerate(keywords)}
    url_place = {url: place for place, url in enumerate(urls)}
    placed = [(place_of[keyword], url_place[url]) for keyword, url in ordered]
    lowest: dict[int, int] = {}
    cluster = [lowest.setdefault(drawn[place], place) for place in range(len(keywords))]
    room = rooms[: len(keywords)]
    found = find_paths(
        np.array([keyword for keyword, _ in placed], np.int64),
        np.array([url for _, url in placed], np.int64),
        np.array(cluster, np.int64),
        np.array(room, np.int64),
    )
    paths = [
        tuple(found.steps[begin:end].tolist()) for begin, end in zip(found.offsets, found.offsets[1:], strict=False)
    ]
    assert paths == list(naive_paths(placed, cluster, room))
    assert [(path[0], path[-1]) for path in paths] == list(
        zip(found.keyword.tolist(), found.member.tolist(), strict=True)
    )


def naive_paths(edges: list[tuple[int, int]], cluster: list[int], room: list[int]) -> Iterator[Path]:
    """The paths of each keyword, cluster by cluster; URL u is node −1 − u."""
    urls_of, keywords_of = defaultdict(list), defaultdict(list)
    for keyword, url in edges:
        urls_of[keyword].append(url)
        keywords_of[url].append(keyword)
    members_of: dict[int, list[int]] = defaultdict(list)
    for member, root in enumerate(cluster):
        members_of[root].append(member)
    for members in members_of.values():
        inside = nx.Graph()
        inside.add_edges_from((member, -1 - url) for member in members for url in urls_of[member])
        for member in members:
            sharing = {other for url in urls_of[member] for other in keywords_of[url]}
            strangers = set(members) - sharing
            found = list(nearest_paths(inside, member, strangers, room[member]))
            if len(found) < min(room[member], len(strangers)):
                strangers.difference_update(path[-1] for path in found)
                wider = with_guests(inside, members, urls_of, keywords_of)
                found += nearest_paths(wider, member, strangers, room[member] - len(found))
            yield from (tuple(step if step >= 0 else -1 - step for step in path) for path in found)


def with_guests(
    inside: nx.Graph, members: list[int], urls_of: dict[int, list[int]], keywords_of: dict[int, list[int]]
) -> nx.Graph:
    """The clicks on the URLs of a cluster by its members, and by whoever clicked two of them."""
    urls = sorted({url for member in members for url in urls_of[member]})
    clicked = Counter(keyword for url in urls for keyword in keywords_of[url])
    links = inside.copy()
    links.add_edges_from((keyword, -1 - url) for url in urls for keyword in keywords_of[url] if clicked[keyword] > 1)
    return links


def nearest_paths(links: nx.Graph, start: int, wanted: set[int], most: int) -> Iterator[Path]:
    """Shortest paths from a keyword to the `most` nearest of the wanted ones, neighbours in the order of the graph."""
    before = {start: start}
    waiting = deque([start])
    while waiting and most > 0:
        node = waiting.popleft()
        for reached in links[node]:
            if reached not in before:
                before[reached] = node
                waiting.append(reached)
                if most > 0 and reached in wanted:
                    steps = [reached]
                    while before[steps[-1]] != steps[-1]:
                        steps.append(before[steps[-1]])
                    yield tuple(reversed(steps))
                    most -= 1


def test_long_lists_of_long_paths_are_kept_whole() -> None:
    # A chain of keywords, each sharing a URL with the next: everybody is led along it.
    length = 900
    edges = sorted({(keyword, keyword + step) for keyword in range(length) for step in (0, 1)})
    keyword, url = np.array(edges, np.int64).T
    found = find_paths(keyword, url, np.zeros(length, np.int64), np.full(length, 2))
    assert len(found.keyword) == 2 * length
    assert np.diff(found.offsets).tolist().count(5) >= length
    assert (found.steps[found.offsets[:-1]] == found.keyword).all()
    assert (found.steps[found.offsets[1:] - 1] == found.member).all()
