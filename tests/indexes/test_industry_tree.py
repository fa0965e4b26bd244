"""The industry tree in a snapshot, against the tree that was written."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from indexes.arrays import ArrayFolder, offsets_from_counts
from indexes.industries import KEYWORD_COLUMNS, Industries, IndustryRows, write_industries

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
TREE = st.lists(st.tuples(NAMES, NAMES, st.integers(0, 5), st.integers(0, 3), st.integers(0, 10**6)), max_size=12)


@given(TREE)
def test_what_is_read_is_what_was_written(tmp_path_factory, tree) -> None:  # type: ignore[no-untyped-def]
    count = len(tree)
    # The parent of node n is any earlier one, or none.
    parents = np.array([parent % (n + 1) - 1 for n, (_, _, _, _, parent) in enumerate(tree)], np.int64)
    keywords = [list(range(size)) for _, _, _, size, _ in tree]
    rows = IndustryRows(
        [f"i{n:02d}" for n in range(count)],
        [english for english, *_ in tree],
        [chinese for _, chinese, *_ in tree],
        parents,
        np.array([advertisers for _, _, advertisers, *_ in tree], np.int64),
        offsets_from_counts(np.array([len(own) for own in keywords], np.int64)),
        {name: np.array([k for own in keywords for k in own], dtype) for name, dtype in KEYWORD_COLUMNS.items()},
    )
    folder = Path(tmp_path_factory.mktemp("industries"))
    write_industries(folder, rows)
    found = Industries(ArrayFolder(folder), cut=range(0, count, 2), most=2)
    written_earlier = Industries(ArrayFolder(folder), most=2)
    assert [found[n].more_keywords for n in range(count)] == [n % 2 == 0 for n in range(count)]
    assert [written_earlier[n].more_keywords for n in range(count)] == [len(own) >= 2 for own in keywords]
    assert len(found) == count and found.find("nowhere") == -1
    children = {parent: [n for n in range(count) if parents[n] == parent] for parent in range(-1, count)}
    for parent, own in children.items():
        assert [child.number for child in found.children(parent)] == sorted(own, key=lambda n: (-tree[n][2], n))
    for number, (english, chinese, advertisers, size, _) in enumerate(tree):
        node = found[found.find(f"i{number:02d}")]
        assert (node.number, node.name_en, node.name_zh, node.advertisers) == (number, english, chinese, advertisers)
        assert (node.keywords, node.children) == (size, len(children[number]))
        assert found.keywords(number)["keyword"].tolist() == keywords[number]
        path, at = [], int(parents[number])
        while at >= 0:
            path.append(at)
            at = int(parents[at])
        assert [each.number for each in found.above(number)] == path[::-1]
