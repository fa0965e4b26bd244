"""Sessions, robots, co-occurrence and association rules against plain Python on random logs."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import combinations, pairwise
from statistics import fmean, pstdev
from typing import Any

import pytest
from hypothesis import strategies as st

from indexes.text import normalise
from mining.association_rules import SIGNIFICANCE_UNIT
from mining.cooccurrence import WEIGHT_SCALE, decay_weights
from mining.settings import MiningSettings

Rows = list[dict[str, Any]]

QUERIES = ["a", "A", "Ａ", "b", "b ", "c", "d e", "d\te", "鲜花", "鲜 花", "é", "😀", "\u200b", "!"]
START = datetime.fromisoformat("2025-03-01T23:00:00+00:00")


@st.composite
def logs(draw: st.DrawFn, size: int = 120) -> Rows:
    """Searches with ties in time, interleaved users, repeats, unicode, sessions of the platform's own or none."""
    count = draw(st.integers(1, size))
    numbers = draw(st.permutations(range(count)))
    rows = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "user_id": st.sampled_from(["u1", "u2", "u3", "ü"]),
                    "ts": st.integers(0, 400).map(lambda half_minutes: START + timedelta(seconds=30 * half_minutes)),
                    "query": st.sampled_from(QUERIES),
                    "session_id": st.sampled_from([None, None, None, "s1", "s2"]),
                }
            ),
            min_size=count,
            max_size=count,
        )
    )
    return [row | {"search_id": f"s{number:03d}"} for row, number in zip(rows, numbers, strict=True)]


def naive_sessions(rows: Rows, gap_minutes: int) -> list[Rows]:
    """Sessions as lists of searches with their keyword."""
    sessions: list[Rows] = []
    before: dict[str, Any] = {}
    for row in sorted(rows, key=lambda row: (row["user_id"], row["ts"], row["search_id"])):
        keyword = normalise(row["query"])
        if not keyword:
            continue
        same_user = before.get("user_id") == row["user_id"]
        silent = same_user and row["ts"] - before["ts"] > timedelta(minutes=gap_minutes)
        other_session = (
            same_user
            and None not in (row["session_id"], before["session_id"])
            and row["session_id"] != before["session_id"]
        )
        if not same_user or silent or other_session:
            sessions.append([])
        before = row | {"keyword": keyword}
        sessions[-1].append(before)
    return sessions


def without_repeats(session: Rows) -> Rows:
    return [row for place, row in enumerate(session) if not place or session[place - 1]["keyword"] != row["keyword"]]


def naive_pairs(sessions: list[Rows], weights: list[int]) -> dict[tuple[str, str], dict[str, Any]]:
    """Evidence of every unordered pair of keywords, weights scaled."""
    pairs: dict[tuple[str, str], dict[str, Any]] = defaultdict(
        lambda: {"weight": 0, "sessions": set(), "users": set(), "dates": []}
    )
    for number, session in enumerate(sessions):
        for (place, one), (other_place, other) in combinations(enumerate(without_repeats(session)), 2):
            if one["keyword"] != other["keyword"]:
                low, high = sorted((one["keyword"], other["keyword"]))
                pair = pairs[low, high]
                pair["weight"] += weights[other_place - place - 1]
                pair["sessions"].add(number)
                pair["users"].add(one["user_id"])
                pair["dates"].append(other["ts"].date())
    return pairs


def check_that_sessions_equal_a_naive_split(mined: Callable[..., Any], rows: Rows, gap: int, longest: int) -> None:
    rows = [*rows, {"user_id": "last", "ts": START, "query": "last", "session_id": None, "search_id": "z"}]
    result = mined({"searches": rows}, session_gap_minutes=gap, session_max_queries=longest)

    sessions = naive_sessions(rows, gap)
    kept = [session for session in sessions if len(without_repeats(session)) <= longest]
    expected = [
        {
            "user_id": session[0]["user_id"],
            "start_ts": session[0]["ts"],
            "first_search_id": session[0]["search_id"],
            "last_ts": session[-1]["ts"],
            "searches": len(session),
            "queries": len(without_repeats(session)),
        }
        for session in kept
    ]
    assert result.tables["sessions"] == sorted(expected, key=lambda row: tuple(row.values()))
    counts, set_aside = result.report["counts"], result.report["set_aside"]
    assert counts["sessions"] == len(kept)
    assert set_aside["long_sessions"] == len(sessions) - len(kept)
    assert set_aside["long_session_searches"] == sum(map(len, sessions)) - sum(map(len, kept))
    assert set_aside["empty_query_searches"] + counts["searches"] == len(rows)


def test_sessions_equal_a_naive_split(each_engine: Any) -> None:
    each_engine.check(
        check_that_sessions_equal_a_naive_split,
        "sessions",
        examples=12,
        rows=logs(),
        gap=st.sampled_from([1, 5, 30]),
        longest=st.sampled_from([2, 4, 100]),
    )


def check_that_cooccurrence_and_rules_equal_a_naive_count(
    mined: Callable[..., Any],
    rows: Rows,
    form: str,
    decay: float,
    least_users: int,
    longest: int,
    least_significance: float,
) -> None:
    rows = [*rows, {"user_id": "last", "ts": START, "query": "last", "session_id": None, "search_id": "z"}]
    chosen = {
        "cooccurrence_form": form,
        "cooccurrence_decay": decay,
        "min_users": least_users,
        "session_max_queries": longest,
        "rule_min_sessions": 2,
        "rule_min_confidence": 0.3,
        "rule_min_support": 0.01,
        "rule_min_significance": least_significance,
    }
    result = mined({"searches": rows}, **chosen)

    sessions = [session for session in naive_sessions(rows, 30) if len(without_repeats(session)) <= longest]
    pairs = naive_pairs(sessions, decay_weights(MiningSettings.model_validate(chosen)))
    holding = Counter(keyword for session in sessions for keyword in {row["keyword"] for row in session})
    cooccurring, rules = {}, {}
    for (low, high), pair in pairs.items():
        for keyword, neighbor in ((low, high), (high, low)):
            if len(pair["users"]) < least_users:
                continue
            together = len(pair["sessions"])
            evidence = {
                "sessions": together,
                "users": len(pair["users"]),
                "first_date": min(pair["dates"]),
                "last_date": max(pair["dates"]),
                "recency": None,
            }
            cooccurring[keyword, neighbor] = {"weight": pair["weight"] / WEIGHT_SCALE, **evidence}
            support, confidence = together / len(sessions), together / holding[keyword]
            signed = naive_significance(together, holding[keyword], holding[neighbor], len(sessions))
            if together >= 2 and support >= 0.01 and confidence >= 0.3 and signed >= least_significance:
                rules[keyword, neighbor] = {
                    "support": support,
                    "confidence": confidence,
                    "lift": pytest.approx(confidence / (holding[neighbor] / len(sessions))),
                    "significance": signed,
                    **evidence,
                }
    assert _by_pair(result.tables["cooccurrence"]) == cooccurring
    assert _by_pair(result.tables["association_rules"]) == rules


def test_cooccurrence_and_rules_equal_a_naive_count(each_engine: Any) -> None:
    each_engine.check(
        check_that_cooccurrence_and_rules_equal_a_naive_count,
        *("cooccurrence", "association_rules"),
        examples=12,
        rows=logs(),
        form=st.sampled_from(["power", "cumulative"]),
        decay=st.sampled_from([0.1, 0.5, 0.8]),
        least_users=st.integers(1, 3),
        longest=st.sampled_from([4, 100]),
        least_significance=st.sampled_from([-1e9, 0.01, 1.17]),
    )


def naive_significance(both: int, first: int, second: int, total: int) -> float:
    """G² by entropies: 2 · (Σ cells − Σ rows − Σ columns + whole), each as n · ln n; signed like ln(lift)."""

    def entropy(*counts: int) -> float:
        return sum(count * math.log(count) for count in counts if count)

    cells = (both, first - both, second - both, total - first - second + both)
    margins = entropy(first, total - first) + entropy(second, total - second)
    ratio = 2 * (entropy(*cells) - margins + entropy(total))
    signed = ratio if both * total >= first * second else -ratio
    return round(signed * SIGNIFICANCE_UNIT) / SIGNIFICANCE_UNIT


def test_significance_has_the_value_of_a_worked_example_and_the_same_bits_both_ways(
    mined: Callable[..., Any], at: Callable[[float], datetime]
) -> None:
    # Of 10 sessions 3 hold both, 4 the first, 5 the second.
    sessions = ["a b", "a b", "a b", "a", "b", "b", "c", "c", "c", "c"]
    rows = [
        {"ts": at(100 * number + place), "user_id": f"u{number}", "query": query}
        for number, session in enumerate(sessions)
        for place, query in enumerate(session.split())
    ]
    found = mined({"searches": rows}, rule_min_significance=0).by("association_rules", "keyword", "neighbor")
    cells = [(3, 2.0), (1, 2.0), (2, 3.0), (4, 3.0)]
    by_hand = 2 * sum(observed * math.log(observed / expected) for observed, expected in cells)
    assert found["a", "b"]["significance"] == pytest.approx(by_hand, abs=0.5 / SIGNIFICANCE_UNIT)
    assert found["a", "b"]["significance"] == found["b", "a"]["significance"]


def test_keywords_that_meet_less_often_than_by_chance_are_no_rule(
    mined: Callable[..., Any], at: Callable[[float], datetime]
) -> None:
    sessions = ["a b"] * 3 + ["a"] * 8 + ["b"] * 8
    rows = [
        {"ts": at(100 * number + place), "user_id": f"u{number}", "query": query}
        for number, session in enumerate(sessions)
        for place, query in enumerate(session.split())
    ]
    assert not mined({"searches": rows}, rule_min_significance=0).tables["association_rules"]
    [rule, _] = mined({"searches": rows}, rule_min_significance=-1e9).tables["association_rules"]
    assert rule["lift"] < 1 and rule["significance"] < 0


def _by_pair(rows: Rows) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row.pop("keyword"), row.pop("neighbor")): row for row in rows}


@pytest.mark.parametrize(("form", "expected"), [("power", [0.5, 0.25, 0.125]), ("cumulative", [0.5, 0.75, 0.875])])
def test_the_weight_of_steps_follows_the_form(form: str, expected: list[float]) -> None:
    chosen = MiningSettings.model_validate({"cooccurrence_form": form, "cooccurrence_decay": 0.5})
    assert [weight / WEIGHT_SCALE for weight in decay_weights(chosen)[:3]] == expected


def test_a_pair_two_steps_apart_in_one_session_gains_the_square_of_the_decay(
    mined: Callable[..., Any], at: Callable[[float], datetime]
) -> None:
    rows = [
        {"ts": at(minute), "user_id": "u", "query": query} for minute, query in enumerate(["a", "b", "b", "c", "a"])
    ]
    found = mined({"searches": rows}, min_users=1, cooccurrence_decay=0.5).by("cooccurrence", "keyword", "neighbor")
    assert {pair: row["weight"] for pair, row in found.items() if pair[0] < pair[1]} == {
        ("a", "b"): 0.5 + 0.25,
        ("a", "c"): 0.25 + 0.5,
        ("b", "c"): 0.5,
    }
    assert found["a", "b"]["sessions"] == found["b", "a"]["sessions"] == 1


def test_a_silence_of_exactly_the_gap_does_not_end_a_session(
    mined: Callable[..., Any], at: Callable[[float], datetime]
) -> None:
    rows = [{"ts": at(minutes), "user_id": "u", "query": "a"} for minutes in (0, 30, 60 + 1 / 60_000_000)]
    starts = [row["start_ts"] for row in mined({"searches": rows}).tables["sessions"]]
    assert starts == [at(0), at(60 + 1 / 60_000_000)]


def check_that_robots_are_the_users_who_break_a_rule_and_nothing_of_theirs_is_counted(
    mined: Callable[..., Any], rows: Rows, clicked: list[str], with_clicks: bool
) -> None:
    rows = [*rows, {"user_id": "last", "ts": START, "query": "last", "session_id": None, "search_id": "z"}]
    clicks = [{"user_id": user, "ts": START, "query": "last", "url": "u"} for user in clicked]
    tables = {"searches": rows} | ({"clicks": clicks} if with_clicks else {})
    result = mined(
        tables,
        min_users=1,
        robot_daily_searches=25,
        robot_regular_gaps=5,
        robot_gap_variation=0.9,
        robot_clickless_daily_searches=5,
        robot_click_rate=0.05,
    )

    sessions = naive_sessions(rows, 30)
    robots = {}
    for user in {row["user_id"] for row in rows}:
        own = [session for session in sessions if session[0]["user_id"] == user]
        days = Counter(row["ts"].date() for session in own for row in session)
        gaps = [
            (later["ts"] - earlier["ts"]).total_seconds() * 10
            for session in own
            for earlier, later in pairwise(session)
        ]
        searches = sum(map(len, own))
        variation = None if not gaps else pstdev(gaps) / fmean(gaps) if any(gaps) else 0.0
        signs = {
            "too_many_searches": bool(days) and max(days.values()) > 25,
            "regular_gaps": len(gaps) >= 5 and variation is not None and variation < 0.9,
            "no_clicks": with_clicks and searches > 5 * len(days) and clicked.count(user) < 0.05 * searches,
        }
        if any(signs.values()):
            robots[user] = signs | {"searches": searches, "active_days": len(days), "gap_variation": variation}
    found = result.by("robot_users", "user_id")
    assert found.keys() == robots.keys()
    for user, expected in robots.items():
        assert {name: found[user][name] for name in expected} == {
            name: pytest.approx(value) if name == "gap_variation" else value for name, value in expected.items()
        }
        assert found[user]["clicks"] == (clicked.count(user) if with_clicks else None)
    assert result.report["set_aside"]["robot_users"] == len(robots)
    assert not {row["user_id"] for row in result.tables["sessions"]} & robots.keys()
    people = [row for session in sessions for row in session if row["user_id"] not in robots]
    counted = {row["keyword"]: row["searches"] for row in result.tables["keyword_statistics"]}
    assert counted == Counter(row["keyword"] for row in people)


def test_robots_are_the_users_who_break_a_rule_and_nothing_of_theirs_is_counted(each_engine: Any) -> None:
    each_engine.check(
        check_that_robots_are_the_users_who_break_a_rule_and_nothing_of_theirs_is_counted,
        *("robot_users", "sessions", "keyword_statistics"),
        examples=10,
        rows=logs(),
        clicked=st.lists(st.sampled_from(["u1", "u2", "u3", "x"]), max_size=6),
        with_clicks=st.booleans(),
    )
