"""A plan changes by edits that can be turned around, whatever was done to it."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.errors import UsageError
from kr.planning.exporting import Export
from kr.planning.importing import PlanImport
from kr.planning.matching import blocks_text, triggers
from kr.planning.operations import (
    AddKeywords,
    AddNegatives,
    ChangeKeywords,
    MergeAdGroups,
    MoveKeywords,
    NewAdGroup,
    Regroup,
    RemoveKeywords,
    RenameAdGroup,
    SetBudget,
    SplitAdGroup,
    perform,
    read_operations,
)
from kr.planning.plan import Plan, PlanEditor, edits_as_json, edits_from_json, inverted
from kr.planning.plan_row import MatchType, PlanRow, Status
from kr.planning.plan_rows import add_rows, months_of, plan_rows
from kr.planning.source_file import SourceFile

ROWS = [
    PlanRow("鲜花速递", "花", "速递", MatchType.PHRASE, max_cpc_micros=2_000_000, currency="CNY", labels=("a", "b")),
    PlanRow("鲜花店", "花", "店", MatchType.EXACT, status=Status.PAUSED, final_url="https://shop.example/x"),
    PlanRow(
        "flower delivery", "花", "速递", metrics={"avg_monthly_searches": 40}, months={"2024-01": 3}, source="file"
    ),
    PlanRow("免费", "花", "", MatchType.BROAD, negative=True),
    PlanRow("批发", "花", "店", MatchType.PHRASE, negative=True),
    PlanRow("招聘", negative=True, match_type=MatchType.BROAD),
    PlanRow("cake", other={"Ad type": "text"}, reasons=("why",), source="file"),
]


def plan_of(rows: list[PlanRow]) -> Plan:
    editor = PlanEditor(Plan())
    add_rows(editor, rows)
    return editor.plan()


def named(plan: Plan, name: str) -> int:
    return next(group.id for group in plan.ad_groups.values() if group.name == name)


def number(plan: Plan, text: str) -> int:
    return next(keyword.id for keyword in plan.keywords.values() if keyword.text == text)


def test_rows_become_a_plan_and_the_same_rows_again() -> None:
    plan = plan_of(ROWS)
    assert list(plan_rows(plan)) == ROWS
    assert [campaign.name for campaign in plan.campaigns.values()] == ["花", ""]
    assert plan.keywords[number(plan, "招聘")].campaign is None
    assert plan.keywords[number(plan, "免费")].ad_group is None


@pytest.mark.parametrize("format", ["csv", "xlsx", "jsonl"])
def test_a_plan_exported_and_imported_again_keeps_everything(format: str) -> None:
    plan = plan_of(ROWS)
    content = b"".join(Export(format, months_of(plan)).chunks(plan_rows(plan)))
    found = [row for row in PlanImport(SourceFile("x", content=content), max_rows=100) if isinstance(row, PlanRow)]
    again = plan_of(found)
    assert list(plan_rows(again)) == ROWS
    assert again == plan


@st.composite
def operations(draw: st.DrawFn, plan: Plan) -> object:
    keywords = st.lists(st.sampled_from(sorted(plan.keywords)), min_size=1, max_size=4, unique=True).map(tuple)
    groups = sorted(plan.ad_groups)
    group = st.sampled_from(groups)
    name = st.sampled_from(["x", "速递", "店", "new"])
    return draw(
        st.one_of(
            st.builds(RenameAdGroup, ad_group=group, name=name),
            st.builds(MergeAdGroups, ad_groups=st.lists(group, min_size=1, max_size=3).map(tuple), into=group),
            st.builds(MoveKeywords, keywords=keywords, ad_group=group),
            st.builds(SplitAdGroup, keywords=keywords, name=name),
            st.builds(RemoveKeywords, keywords=keywords),
            st.builds(ChangeKeywords, keywords=keywords, bid_micros=st.none() | st.integers(0, 9)),
            st.builds(ChangeKeywords, keywords=keywords, match_type=st.sampled_from(MatchType)),
            st.builds(AddKeywords, keywords=st.just(("new one", "鲜花店")), ad_group=group),
            st.builds(AddNegatives, keywords=st.just(("free",)), ad_group=st.none() | group),
            st.builds(SetBudget, campaign=st.sampled_from(sorted(plan.campaigns)), daily_budget_micros=st.just(5)),
        )
    )


@settings(max_examples=150)
@given(st.data())
def test_undoing_every_change_in_turn_gives_the_plan_of_the_beginning(data: st.DataObject) -> None:
    before = plan = plan_of(ROWS)
    done = []
    for _ in range(data.draw(st.integers(1, 6))):
        if not plan.keywords or not plan.ad_groups:
            break
        operation = data.draw(operations(plan))
        try:
            edits = perform(plan, [operation])
        except UsageError:
            continue
        after = plan.edited(edits)
        assert sum(1 for keyword in after.keywords.values() if keyword.ad_group not in (None, *after.ad_groups)) == 0
        assert all(group.campaign in after.campaigns for group in after.ad_groups.values())
        # What is stored is JSON.
        done.append(list(edits_from_json(json.loads(json.dumps(edits_as_json(edits))))))
        assert plan.edited(done[-1]) == after
        plan = after
    for edits in reversed(done):
        plan = plan.edited(inverted(edits))
    assert replace(plan, next_id=1) == replace(before, next_id=1)


def test_an_edit_that_does_not_fit_is_refused() -> None:
    plan = plan_of(ROWS)
    edits = perform(plan, [RenameAdGroup(ad_group=named(plan, "店"), name="x")])
    with pytest.raises(ValueError, match="changed since"):
        plan.edited(edits).edited(edits)


def test_moving_keeps_what_a_keyword_is_bid() -> None:
    plan = plan_of(ROWS)
    shop, delivery = named(plan, "店"), named(plan, "速递")
    plan = plan.edited(perform(plan, read_operations([{"op": "set_ad_group_bid", "ad_group": shop, "bid_micros": 7}])))
    keyword = number(plan, "鲜花店")
    assert plan.bid_of(plan.keywords[keyword]) == 7
    moved = plan.edited(perform(plan, [MoveKeywords(keywords=(keyword,), ad_group=delivery)]))
    assert moved.bid_of(moved.keywords[keyword]) == 7


def test_regrouping_takes_negatives_along_but_never_lets_them_block() -> None:
    plan = plan_of([*ROWS[:2], PlanRow("鲜花批发", "花", "速递"), ROWS[4]])
    one, two, three = (number(plan, text) for text in ("鲜花速递", "鲜花店", "鲜花批发"))
    groups = (NewAdGroup(name="a", keywords=(one,)), NewAdGroup(name="b", keywords=(two, three)))
    campaign = plan.keywords[one].campaign or 0
    blocked = plan.edited(perform(plan, [Regroup(campaign=campaign, ad_groups=groups)]))
    assert not blocked.negative(), "批发 would block 鲜花批发 in b, and a has nothing of its old group"
    groups = (NewAdGroup(name="a", keywords=(one, three)), NewAdGroup(name="b", keywords=(two,)))
    kept = plan.edited(perform(plan, [Regroup(campaign=campaign, ad_groups=groups)]))
    assert [keyword.ad_group for keyword in kept.negative()] == [named(kept, "b")]
    assert sorted(keyword.id for keyword in kept.positive()) == sorted((one, two, three))


def test_regrouping_must_name_every_keyword_once() -> None:
    plan = plan_of(ROWS[:3])
    one = number(plan, "鲜花速递")
    with pytest.raises(UsageError, match="each keyword of the campaign once"):
        perform(plan, [Regroup(campaign=1, ad_groups=(NewAdGroup(name="a", keywords=(one,)),))])


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ({"op": "rename_ad_group", "ad_group": 99, "name": "x"}, "no ad group 99"),
        ({"op": "remove_keywords", "keywords": [99]}, "no keyword 99"),
        ({"op": "rename_ad_group", "ad_group": 2, "name": " "}, "no letters"),
        ({"op": "rename_ad_group", "ad_group": 2, "name": "店"}, "already"),
        ({"op": "set_budget", "campaign": 99, "daily_budget_micros": 1}, "no campaign 99"),
        ({"op": "add_keywords", "keywords": ["x"]}, "No ad group was named"),
        ({"op": "add_negatives", "keywords": ["\u200b"], "campaign": 1}, "not a keyword"),
    ],
)
def test_what_cannot_be_done_says_why(operation: dict[str, object], message: str) -> None:
    plan = plan_of(ROWS)
    with pytest.raises(UsageError, match=message):
        perform(plan, read_operations([operation]))


@pytest.mark.parametrize("data", [[{"op": "nothing"}], [{"op": "remove_keywords", "keywords": []}], {"x": 1}])
def test_what_is_no_operation_is_named(data: object) -> None:
    with pytest.raises(UsageError, match="has a mistake"):
        read_operations(data)


@pytest.mark.parametrize(
    ("negative", "match_type", "search", "expected"),
    [
        ("free", MatchType.BROAD, "flowers free delivery", True),
        ("free delivery", MatchType.BROAD, "delivery for free", True),
        ("free delivery", MatchType.PHRASE, "delivery for free", False),
        ("free delivery", MatchType.PHRASE, "the free delivery shop", True),
        ("flower", MatchType.BROAD, "flowers", False),
        ("free", MatchType.EXACT, "free", True),
        ("free", MatchType.EXACT, "free x", False),
        ("art", MatchType.PHRASE, "party", False),
        ("批发", MatchType.PHRASE, "鲜花批发", True),
        ("批发", MatchType.BROAD, "鲜花批发", True),
        ("批发", MatchType.BROAD, "鲜花店", False),
    ],
)
def test_negative_keywords_block_by_their_words_as_they_are(
    negative: str, match_type: MatchType, search: str, expected: bool
) -> None:
    assert blocks_text(negative, match_type, search) is expected


@pytest.mark.parametrize(
    ("keyword", "match_type", "search", "expected"),
    [
        ("flower", MatchType.EXACT, "flowers", True),
        ("flower", MatchType.EXACT, "red flowers", False),
        ("flower shop", MatchType.PHRASE, "best flower shops here", True),
        ("flower shop", MatchType.PHRASE, "shop flower", False),
        ("flower shop", MatchType.BROAD, "shop for a flower", True),
        ("鲜花", MatchType.PHRASE, "鲜花店", True),
        ("鲜花", None, "生日鲜花", True),
    ],
)
def test_keywords_match_searches_with_their_variants(
    keyword: str, match_type: MatchType | None, search: str, expected: bool
) -> None:
    assert triggers(keyword, match_type)(search) is expected
