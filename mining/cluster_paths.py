"""Shortest paths of clicks between members of a cluster that share no URL, by breadth-first search in compiled kernels.

A search goes from a keyword to its URLs, from a URL to keywords, and so on, and takes the first members that it meets.
It goes through members of the cluster first. Where those do not lead to enough, a second search takes in the other
keywords that clicked two of the cluster's URLs. Ties are broken by the order in which a node's neighbours are visited:
ascending; but a member's URLs in the second search by the lowest member that clicked them first.

A URL as seen from one cluster is called a page here: a number of its own, whose keywords are members of that cluster.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexes.arrays import Array, offsets_from_counts
from indexes.compiled import inner_njit, njit
from mining.growing_arrays import twice_as_long

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ClickPaths:
    """For keywords (places) the members that they are led to, in the order found; all arrays int64.

    Path p is `steps[offsets[p]:offsets[p + 1]]`: places of keywords at even positions, of URLs at odd ones, from
    `keyword[p]` to `member[p]`.
    """

    keyword: IntArray
    member: IntArray
    offsets: IntArray
    steps: IntArray


def find_paths(edge_keyword: IntArray, edge_url: IntArray, cluster: IntArray, room: IntArray) -> ClickPaths:
    """Up to `room` shortest paths of each keyword to members of its cluster with which it shares no URL.

    Edges are places of keywords and URLs from 0, in the order of (keyword, url); `cluster` and `room` are those of each
    keyword, and a cluster is named by the place of its lowest keyword.
    """
    count = len(cluster)
    urls = int(edge_url.max(initial=-1)) + 1
    of_edge = cluster[edge_keyword]
    page_keys, edge_page = np.unique((of_edge << 32) | edge_url, return_inverse=True)
    page_url = page_keys & (2**32 - 1)
    by_page, by_url = np.argsort(edge_page, kind="stable"), np.argsort(edge_url, kind="stable")
    page_offsets = offsets_from_counts(np.bincount(edge_page, minlength=len(page_keys)))
    page_keywords = edge_keyword[by_page]
    # A member's pages, those whose lowest member is lowest first.
    lowest = page_keywords[page_offsets[:-1]]
    by_lowest = np.lexsort((edge_page, lowest[edge_page], edge_keyword))
    found = _find(
        cluster,
        room,
        # Keywords of a cluster follow each other.
        np.argsort(cluster, kind="stable"),
        offsets_from_counts(np.bincount(edge_keyword, minlength=count)),
        edge_url,
        edge_page.astype(np.int64),
        edge_page[by_lowest].astype(np.int64),
        page_offsets,
        page_keywords,
        page_url,
        np.searchsorted(page_keys >> 32, np.arange(count + 1)),
        offsets_from_counts(np.bincount(edge_url, minlength=urls)),
        edge_keyword[by_url],
    )
    return ClickPaths(*found)


@njit
def _find(
    cluster: Array,
    room: Array,
    by_cluster: Array,
    bounds: Array,
    keyword_urls: Array,
    keyword_pages: Array,
    pages_by_lowest: Array,
    page_bounds: Array,
    page_keywords: Array,
    page_url: Array,
    cluster_pages: Array,
    url_bounds: Array,
    url_keywords: Array,
) -> tuple[Array, Array, Array, Array]:
    """The fields of ClickPaths. The pages of cluster c are cluster_pages[c] … cluster_pages[c + 1]."""
    keywords, pages = len(cluster), len(page_url)
    # When a node was last met, and where from: keywords first, pages after them.
    met = np.zeros(keywords + pages, np.int64)
    before = np.empty(keywords + pages, np.int64)
    taken = np.zeros(keywords, np.int64)
    queue = np.empty(keywords + pages, np.int64)
    clicked = np.zeros(keywords, np.int64)
    page_of = np.full(len(url_bounds) - 1, -1, np.int64)
    guests, guest_bounds = np.empty(0, np.int64), np.zeros(1, np.int64)
    prepared, first = -1, 0
    ends = np.empty((2, 1024), np.int64)
    offsets = np.zeros(1025, np.int64)
    steps = np.empty(8192, np.int64)
    count, search = 0, 0
    for start in by_cluster:
        most = room[start]
        for outside in range(2):
            if most <= 0:
                break
            own = cluster[start]
            if outside and prepared != own:
                if prepared >= 0:
                    for page in range(first, cluster_pages[prepared + 1]):
                        page_of[page_url[page]] = -1
                prepared, first = own, cluster_pages[own]
                for page in range(first, cluster_pages[own + 1]):
                    page_of[page_url[page]] = page
                guests, guest_bounds = _guests(
                    own, first, cluster, cluster_pages, page_url, url_bounds, url_keywords, clicked
                )
            search += 1
            met[start], before[start], queue[0] = search, start, start
            head, tail = 0, 1
            while head < tail and most > 0:
                node = queue[head]
                head += 1
                if node < keywords:
                    member = cluster[node] == own
                    for place in range(bounds[node], bounds[node + 1]):
                        if not outside:
                            page = keyword_pages[place]
                        elif member:
                            page = pages_by_lowest[place]
                        else:
                            page = page_of[keyword_urls[place]]
                        if page >= 0 and met[keywords + page] != search:
                            met[keywords + page], before[keywords + page] = search, node
                            queue[tail] = keywords + page
                            tail += 1
                    continue
                page = node - keywords
                of_guests = guest_bounds[page - first + 1] - guest_bounds[page - first] if outside else 0
                members = page_bounds[page + 1] - page_bounds[page]
                for place in range(members + of_guests):
                    if place < members:
                        keyword = page_keywords[page_bounds[page] + place]
                    else:
                        keyword = guests[guest_bounds[page - first] + place - members]
                    if met[keyword] == search:
                        continue
                    met[keyword], before[keyword] = search, node
                    queue[tail] = keyword
                    tail += 1
                    # Who is met on a page of the start's own shares that URL.
                    if place < members and before[node] != start and taken[keyword] != start + 1:
                        if count == ends.shape[1]:
                            ends, offsets = twice_as_long(ends), twice_as_long(offsets)
                        taken[keyword] = start + 1
                        ends[0, count], ends[1, count] = start, keyword
                        steps = _write_path(before, keyword, keywords, page_url, steps, offsets, count)
                        count += 1
                        most -= 1
                        if most == 0:
                            break
    return ends[0, :count].copy(), ends[1, :count].copy(), offsets[: count + 1], steps[: offsets[count]]


@inner_njit
def _guests(
    own: int,
    first: int,
    cluster: Array,
    cluster_pages: Array,
    page_url: Array,
    url_bounds: Array,
    url_keywords: Array,
    clicked: Array,
) -> tuple[Array, Array]:
    """For each page of a cluster the keywords of other clusters that clicked two of them; `clicked` is zero again."""
    last = cluster_pages[own + 1]
    total = 0
    for page in range(first, last):
        for place in range(url_bounds[page_url[page]], url_bounds[page_url[page] + 1]):
            clicked[url_keywords[place]] += 1
            total += 1
    guests, guest_bounds = np.empty(total, np.int64), np.zeros(last - first + 1, np.int64)
    count = 0
    for page in range(first, last):
        for place in range(url_bounds[page_url[page]], url_bounds[page_url[page] + 1]):
            keyword = url_keywords[place]
            if clicked[keyword] > 1 and cluster[keyword] != own:
                guests[count] = keyword
                count += 1
        guest_bounds[page - first + 1] = count
    for page in range(first, last):
        for place in range(url_bounds[page_url[page]], url_bounds[page_url[page] + 1]):
            clicked[url_keywords[place]] = 0
    return guests[:count].copy(), guest_bounds


@inner_njit
def _write_path(
    before: Array, end: int, keywords: int, page_url: Array, steps: Array, offsets: Array, count: int
) -> Array:
    """Write the way to a node as path `count`; the steps, in a longer array if they did not fit."""
    length, node = 1, end
    while before[node] != node:
        node = before[node]
        length += 1
    begin = offsets[count]
    offsets[count + 1] = begin + length
    while begin + length > len(steps):
        steps = twice_as_long(steps)
    node = end
    for place in range(begin + length - 1, begin - 1, -1):
        steps[place] = node if node < keywords else page_url[node - keywords]
        node = before[node]
    return steps
