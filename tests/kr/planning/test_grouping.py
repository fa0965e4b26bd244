"""Groupings: each keyword once, intents never mixed, the same every time; and what negatives and findings say."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.errors import NotFoundError, UsageError
from indexes.opened import Indexes
from indexes.text import language, normalise
from kr.audit.stage import UnsafeKeywordAudit
from kr.planning import grouping as grouping_module
from kr.planning.diagnosis import diagnose, mended
from kr.planning.findings import FINDING_TEXTS, SEVERITIES, Code
from kr.planning.grouping import WAYS, Grouping, group_keywords
from kr.planning.grouping_evaluation import adjusted_rand, evaluate_grouping, pairwise, purity
from kr.planning.intents import INTENT_NAMES, Intent, IntentReader, core_words
from kr.planning.keyword_space import KeywordSpace
from kr.planning.negatives import NEGATIVE_TEXTS, NegativeReason
from kr.planning.operations import perform
from kr.planning.plan import Plan, PlanEditor, inverted
from kr.planning.plan_row import MatchType, PlanRow
from kr.planning.plan_rows import add_rows
from kr.planning.planner import Planner
from kr.planning.suggested_bids import BidQuestion, BidReason, suggested_bids

WORDS = [
    "鲜花",
    "速递",
    "蛋糕",
    "价格",
    "附近",
    "怎么选",
    "批发",
    "北京",
    "红",
    "shoes",
    "running",
    "best",
    "buy",
    "cheap",
    "how to",
]
KEYWORDS = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join).map(normalise),
    min_size=1,
    max_size=40,
    unique=True,
)


def grouped(keywords: list[str], by: str, indexes: Indexes | None = None) -> tuple[Grouping, list[Intent]]:
    intents = IntentReader(indexes).intents(keywords)
    return group_keywords(KeywordSpace.of(indexes, keywords), intents, by), intents  # type: ignore[arg-type]


@settings(max_examples=60)
@given(KEYWORDS, st.sampled_from(WAYS))
def test_every_keyword_is_in_one_group_and_no_group_mixes_intents_or_languages(keywords: list[str], by: str) -> None:
    found, intents = grouped(keywords, by)
    assert sorted(keyword for group in found.groups for keyword in group.keywords) == sorted(keywords)
    of = dict(zip(keywords, intents, strict=True))
    for number, group in enumerate(found.groups):
        assert {of[keyword] for keyword in group.keywords} == {group.intent}
        assert {language(keyword) for keyword in group.keywords} == {group.language}
        assert sorted(np.flatnonzero(found.labels == number).tolist()) == sorted(map(keywords.index, group.keywords))
    measure = found.measure
    assert measure.groups == len(found.groups)
    assert measure.largest == max(len(group.keywords) for group in found.groups)
    assert 0 <= measure.ungrouped <= 1
    for value in (measure.cohesion, measure.separation, measure.balance):
        assert value is None or 0 <= value <= 1
    assert measure.silhouette is None or -1 <= measure.silhouette <= 1


@settings(max_examples=20)
@given(KEYWORDS, st.sampled_from(WAYS))
def test_the_same_keywords_give_the_same_groups_in_any_order(keywords: list[str], by: str) -> None:
    first, second = grouped(sorted(keywords), by)[0], grouped(sorted(keywords), by)[0]
    assert first.groups == second.groups and first.measure == second.measure


def test_parts_that_are_clustered_apart_hold_every_keyword_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping_module, "MOST_AT_ONCE", 7)
    keywords = [f"{one} {other}" for one in ("red", "blue", "green", "old", "new") for other in ("shoe", "hat", "coat")]
    for by in WAYS:
        found, _ = grouped(keywords, by)
        assert sorted(keyword for group in found.groups for keyword in group.keywords) == sorted(keywords)


def test_words_in_common_make_a_group_named_after_them() -> None:
    keywords = ["running shoes", "red running shoes", "running shoes women", "birthday cake", "chocolate birthday cake"]
    found, _ = grouped(keywords, "stem")
    assert [group.name for group in found.groups] == ["running shoe", "birthday cake"] or {
        group.name for group in found.groups
    } == {"running shoe", "birthday cake"}
    assert found.measure.silhouette is not None and found.measure.silhouette > 0.5


def test_what_is_asked_too_much_is_refused() -> None:
    space = KeywordSpace.of(None, ["a"])
    with pytest.raises(UsageError, match="not grouped by"):
        group_keywords(space, [Intent.GENERAL], "colour")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("keyword", "intent"),
    [
        ("鲜花", Intent.GENERAL),
        ("鲜花多少钱", Intent.PRICE),
        ("鲜花怎么养", Intent.INFORMATIONAL),
        ("鲜花哪家好", Intent.COMMERCIAL),
        ("鲜花怎么样", Intent.COMMERCIAL),
        ("附近鲜花店", Intent.LOCAL),
        ("鲜花 北京", Intent.LOCAL),
        ("鲜花批发", Intent.SUPPLY),
        ("鲜花退款", Intent.SUPPORT),
        ("网购鲜花", Intent.TRANSACTIONAL),
        ("鮮花價格", Intent.PRICE),
        ("running shoes", Intent.GENERAL),
        ("buy running shoes", Intent.TRANSACTIONAL),
        ("best running shoes", Intent.COMMERCIAL),
        ("running shoes near me", Intent.LOCAL),
        ("how to choose running shoes", Intent.INFORMATIONAL),
        ("cheap running shoes", Intent.PRICE),
        ("asics official site", Intent.NAVIGATIONAL),
        ("running shoes refund", Intent.SUPPORT),
        ("wholesale running shoes", Intent.SUPPLY),
        ("bestow", Intent.GENERAL),
    ],
)
def test_markers_and_places_tell_the_intent(keyword: str, intent: Intent) -> None:
    assert IntentReader(None).intent(normalise(keyword)) is intent


def test_a_brand_that_is_named_makes_a_keyword_navigational() -> None:
    reader = IntentReader(None, brands=["Asics", "花田路"])
    assert reader.intent("asics running shoes price") is Intent.NAVIGATIONAL
    assert reader.intent("花田路鲜花") is Intent.NAVIGATIONAL
    assert reader.intent("basics of running") is not Intent.NAVIGATIONAL


def test_what_a_keyword_is_about_is_left_without_markers_and_places() -> None:
    assert core_words("北京鲜花速递多少钱") == core_words("鲜花速递")
    assert core_words("best running shoes near me") == core_words("running shoes")
    assert core_words("价格") == ("价格",), "if nothing is left, all is"


def test_every_code_has_its_texts() -> None:
    assert FINDING_TEXTS.keys() == SEVERITIES.keys() == set(Code)
    assert NEGATIVE_TEXTS.keys() == set(NegativeReason)
    assert INTENT_NAMES.keys() == set(Intent)


@pytest.fixture(scope="module")
def planner(tiny_store: Path) -> Planner:
    indexes = Indexes.open(tiny_store)
    return Planner(indexes, UnsafeKeywordAudit.open(indexes, (), 1))


def plan_of(*rows: PlanRow) -> Plan:
    editor = PlanEditor(Plan())
    add_rows(editor, rows)
    return editor.plan()


def bid(text: str, group: str = "g", kind: MatchType | None = MatchType.EXACT, **fields: object) -> PlanRow:
    return PlanRow(text, "c", group, kind, **{"max_cpc_micros": 2_000_000, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ((bid("鲜花"), bid("鲜花")), Code.DUPLICATE_IN_GROUP),
        ((bid("鲜花", "a"), bid("鲜花", "b")), Code.DUPLICATE_IN_CAMPAIGN),
        (
            (bid("鲜花"), PlanRow("鲜花", "d", "g", MatchType.EXACT, max_cpc_micros=2_000_000)),
            Code.DUPLICATE_ACROSS_CAMPAIGNS,
        ),
        ((bid("flower"), bid("flowers")), Code.CLOSE_VARIANTS),
        ((bid("鲜花店"), bid("店", negative=True)), None),
        ((bid("鲜花店"), bid("鲜花店", kind=MatchType.PHRASE, negative=True)), Code.CONFLICTING_NEGATIVE),
        ((bid("鲜花"), bid("鲜花多少钱")), Code.MIXED_INTENTS),
        ((bid("鲜花", max_cpc_micros=9_000_000),), Code.BID_ABOVE_RANGE),
        ((bid("鲜花", max_cpc_micros=10_000),), Code.BID_BELOW_RANGE),
        ((bid("鲜花", max_cpc_micros=None),), Code.NO_BID),
        ((bid("鲜花", kind=None),), Code.NO_MATCH_TYPE),
        ((bid("在线赌博"),), Code.UNSAFE),
        ((bid("nobody searches this"),), Code.LOW_VOLUME),
        ((bid("鲜花"),), None),
    ],
)
def test_what_is_wrong_is_found_mended_and_undone(
    planner: Planner, rows: tuple[PlanRow, ...], code: Code | None
) -> None:
    plan = plan_of(*rows)
    found = {finding.code: finding for finding in diagnose(plan, planner)}
    if code is None:
        assert not found
        return
    assert code in found
    finding = found[code]
    assert finding.text_en and finding.text_zh and finding.fix
    edits = perform(plan, finding.operations)
    after = plan.edited(edits)
    assert code not in {other.code for other in diagnose(after, planner)}
    before = after.edited(inverted(edits))
    assert (before.campaigns, before.ad_groups, before.keywords) == (plan.campaigns, plan.ad_groups, plan.keywords)


def test_mending_all_leaves_nothing_to_mend_and_loses_no_keyword(planner: Planner) -> None:
    plan = plan_of(
        bid("鲜花", max_cpc_micros=99_000_000), bid("鲜花"), bid("鲜花多少钱", kind=None), bid("flowers"),
        bid("flower"),
        bid("鲜花", "other", max_cpc_micros=None), bid("免费", kind=MatchType.BROAD, negative=True),
    )  # fmt: skip
    done, count = mended(plan, planner)
    assert count > 0
    assert not [finding for finding in diagnose(done, planner) if finding.fix]
    assert {item.text for item in done.positive()} == {"鲜花", "鲜花多少钱", "flowers"}


def test_negatives_keep_away_what_is_unsafe_and_never_a_keyword_of_their_own(planner: Planner) -> None:
    plan = plan_of(bid("鲜花", "a", MatchType.BROAD), bid("鲜花速递", "b", MatchType.PHRASE))
    found = planner.negatives(plan)
    assert {item.reason for item in found if item.ad_group} == {NegativeReason.SIBLING}
    for suggestion in found:
        edits = perform(plan, [suggestion.operation()])
        codes = {finding.code for finding in diagnose(plan.edited(edits), planner)}
        assert Code.CONFLICTING_NEGATIVE not in codes, suggestion


def test_bids_are_suggested_within_the_range_by_match_type() -> None:
    questions = [
        BidQuestion(1, 7, MatchType.EXACT, 1_000_000, 3_000_000),
        BidQuestion(2, 7, MatchType.PHRASE, 1_000_000, 3_000_000),
        BidQuestion(3, 7, None, 1_000_000, 3_000_000),
        BidQuestion(4, 7, MatchType.EXACT, None, None),
        BidQuestion(5, 8, MatchType.EXACT, None, None),
    ]
    found = suggested_bids(questions)
    assert [found[number].micros for number in (1, 2, 3, 4)] == [2_000_000, 1_700_000, 1_400_000, 1_700_000]
    assert found[4].reason is BidReason.GROUP
    assert (found[5].micros, found[5].reason) == (1_700_000, BidReason.PLAN)
    assert not suggested_bids(questions[3:])


def naive_pairs(found: list[int], planted: list[int]) -> tuple[int, int, int]:
    pairs = [(i, j) for i in range(len(found)) for j in range(i)]
    same = [(found[i] == found[j], planted[i] == planted[j]) for i, j in pairs]
    return sum(a and b for a, b in same), sum(a for a, _ in same), sum(b for _, b in same)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=20))
def test_agreement_is_counted_as_pair_by_pair(pairs: list[tuple[int, int]]) -> None:
    found, planted = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    both, one, other = naive_pairs(found, planted)
    precision, recall, f1 = pairwise(np.array(found), np.array(planted))
    assert precision == (both / one if one else 1) and recall == (both / other if other else 1)
    assert f1 == (2 * both / (one + other) if one + other else 1)
    assert adjusted_rand(np.array(found), np.array(found)) == 1
    assert 0 < purity(np.array(found), np.array(planted)) <= 1


def test_groupings_beat_chance_and_peers_on_the_simulated_market(small_market: Path) -> None:
    rows = evaluate_grouping(small_market / "store", small_market / "truth", 1_000)
    scores = {row["system"]: row for row in rows}
    assert scores["KR, both"]["adjusted_rand"] > 0.5
    assert scores["KR, both"]["intent_purity"] > 0.85
    for name, row in scores.items():
        if "k-means" in name:
            assert row["adjusted_rand"] < scores["KR, both"]["adjusted_rand"]
    with pytest.raises(NotFoundError):
        evaluate_grouping(small_market / "store", small_market, 10)
