"""Spellings of one demand are one group, headed by the most searched."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from indexes.spelling import sounds_of
from indexes.text import fingerprint
from mining.close_variants import close_variants, variant_keys


def groups_of(searches: dict[str, int]) -> list[list[str]]:
    keywords = sorted(searches)
    counts = np.array([searches[keyword] for keyword in keywords])
    canonical, offsets, members = close_variants(*variant_keys(keywords, sounds_of(keywords)), counts)
    groups = []
    for head in range(len(keywords)):
        group = members[offsets[head] : offsets[head + 1]].tolist()
        if group:
            assert group[0] == head and set(canonical[group]) == {head}
            groups.append([keywords[member] for member in group])
    assert sum(map(len, groups)) + sum(canonical[k] == k for k in range(len(keywords))) - len(groups) == len(keywords)
    return sorted(groups)


def test_order_plural_and_script_make_no_difference() -> None:
    searches = {"鲜花速递": 50, "速递鲜花": 3, "鮮花速遞": 5, "running shoe": 9, "running shoes": 30, "花店": 4}
    assert groups_of(searches) == [["running shoes", "running shoe"], ["鲜花速递", "鮮花速遞", "速递鲜花"]]


def test_a_rare_homophone_belongs_to_the_keyword_that_it_was_meant_to_be() -> None:
    assert groups_of({"英语培训": 100, "影语培训": 3}) == [["英语培训", "影语培训"]]


def test_a_homophone_that_many_search_or_a_short_one_stands_alone() -> None:
    assert groups_of({"英语培训": 100, "影语培训": 40, "树木": 100, "数目": 2}) == []


@given(
    st.dictionaries(
        st.sampled_from(["鲜花 店", "花店 鲜", "鲜花店", "线花店", "a b", "b a", "a", "!!"]), st.integers(1, 99)
    )
)
def test_keywords_of_one_fingerprint_are_always_in_one_group(searches: dict[str, int]) -> None:
    groups = groups_of(searches)
    home = {keyword: place for place, group in enumerate(groups) for keyword in group}
    for one in searches:
        for other in searches:
            if one != other and fingerprint(one) == fingerprint(other):
                assert home[one] == home[other]
