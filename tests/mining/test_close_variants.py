"""Spellings of one demand are one group, headed by the most searched."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from indexes.text import fingerprint
from indexes.text.readings import sounds_of, words_of_each
from mining.close_variants import HOMOPHONE_RATIO, MIN_HOMOPHONE_CHARACTERS, close_variants, variant_keys


def sounds(keywords: list[str]) -> list[str | None]:
    return sounds_of(keywords, list(words_of_each(keywords)))


def groups_of(searches: dict[str, int]) -> list[list[str]]:
    keywords = sorted(searches)
    counts = np.array([searches[keyword] for keyword in keywords])
    canonical, offsets, members = close_variants(*variant_keys(keywords, sounds(keywords)), counts)
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


def naive_groups(searches: dict[str, int]) -> list[list[str]]:
    """The same by dictionaries: groups of one fingerprint, then each rare group to the best one of its sound."""
    keywords = sorted(searches)
    by_fingerprint: dict[str, list[str]] = {}
    for keyword in keywords:
        by_fingerprint.setdefault(fingerprint(keyword), []).append(keyword)
    groups = [sorted(group, key=lambda keyword: (-searches[keyword], keyword)) for group in by_fingerprint.values()]
    by_sound: dict[str, list[list[str]]] = {}
    for group in groups:
        sound = sounds(group[:1])[0]
        if sound and sum(ord(character) > 0x3400 for character in group[0]) >= MIN_HOMOPHONE_CHARACTERS:
            by_sound.setdefault(sound, []).append(group)
    for alike in by_sound.values():
        best = min(alike, key=lambda group: (-searches[group[0]], group[0]))
        limit = searches[best[0]]
        for group in alike:
            if group is not best and searches[group[0]] * HOMOPHONE_RATIO <= limit:
                best += group
                groups.remove(group)
    ordered = [sorted(group, key=lambda keyword: (-searches[keyword], keyword)) for group in groups]
    return sorted(group for group in ordered if len(group) > 1)


@given(
    st.dictionaries(
        st.sampled_from(
            ["英语培训", "影语培训", "培训 英语", "英雨培训", "鲜花店", "线花店", "鲜花 店", "a b", "b a", "花", "华"]
        ),
        st.sampled_from([1, 2, 3, 20, 100, 100_000]),
    )
)
def test_groups_are_those_of_a_plain_computation(searches: dict[str, int]) -> None:
    assert groups_of(searches) == naive_groups(searches)
