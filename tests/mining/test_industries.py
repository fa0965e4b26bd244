"""The industry tree: whatever the operator wrote, a forest in which every advertiser is counted."""

from hypothesis import given
from hypothesis import strategies as st

from mining.industries import forest

IDS = st.sampled_from("abcdefg")


@given(st.dictionaries(IDS, st.none() | IDS), st.dictionaries(IDS, st.integers(1, 9)))
def test_every_node_leads_to_a_root_and_counts_the_advertisers_in_and_below_it(
    parents: dict[str, str | None], advertisers: dict[str, int]
) -> None:
    rows = forest({name: (parent, name.upper(), None) for name, parent in parents.items()}, advertisers).to_pylist()
    parent_of = {row["industry_id"]: row["parent_id"] for row in rows}
    assert list(parent_of) == sorted({*parents, *advertisers, *(p for p in parents.values() if p is not None)})
    counted = dict.fromkeys(parent_of, 0)
    for name, count in advertisers.items():
        steps, at = 0, name
        while at is not None:
            counted[at] += count
            at = parent_of[at]
            steps += 1
            assert steps <= len(parent_of), "a circle"
    assert counted == {row["industry_id"]: row["advertisers"] for row in rows}
    assert sum(row["advertisers"] for row in rows if row["parent_id"] is None) == sum(advertisers.values())


def test_a_circle_of_parents_is_opened_at_its_first_industry_only() -> None:
    tree = {"b": ("c", None, None), "c": ("a", None, None), "a": ("b", None, None), "d": ("c", None, None)}
    rows = forest(tree, {"d": 2}).to_pylist()
    assert {row["industry_id"]: row["parent_id"] for row in rows} == {"a": None, "b": "c", "c": "a", "d": "c"}
    assert {row["advertisers"] for row in rows if row["industry_id"] in "acd"} == {2}


def test_an_industry_that_only_others_name_is_a_node_without_a_name() -> None:
    rows = forest({"roses": ("flowers", "Roses", "玫瑰")}, {"gifts": 1}).to_pylist()
    assert [(row["industry_id"], row["name_en"]) for row in rows] == [
        ("flowers", None),
        ("gifts", None),
        ("roses", "Roses"),
    ]
