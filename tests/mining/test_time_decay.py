"""Time decay against a plain sum, and what it leaves alone."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mining.cooccurrence import WEIGHT_SCALE, decay_weights
from mining.mined_pairs import PAIR_MINERS, Demand
from mining.settings import MiningSettings
from mining.time_decay import UNIT, day_weights

Rows = list[dict[str, Any]]
LAST = date(2025, 3, 20)
FADING = ("weight", "recency")


def session(day: date, user: str, *queries: str) -> Rows:
    """Searches a minute apart from noon on."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return [
        {"ts": noon + timedelta(minutes=place), "user_id": user, "query": query} for place, query in enumerate(queries)
    ]


def click(day: date, user: str, query: str, url: str) -> dict[str, Any]:
    return {"ts": datetime(day.year, day.month, day.day, 13, tzinfo=UTC), "user_id": user, "query": query, "url": url}


def before(days: int) -> date:
    return LAST - timedelta(days=days)


def test_a_day_weighs_half_after_the_half_life() -> None:
    assert day_weights(before(4), LAST, 2) == [UNIT // 4, round(UNIT / 8**0.5), UNIT // 2, round(UNIT / 2**0.5), UNIT]


@settings(max_examples=8)
@given(
    ages=st.lists(st.tuples(st.integers(0, 90), st.sampled_from(["ab", "abc", "ba", "aba", "cb"])), max_size=12),
    half_life=st.sampled_from([0.5, 7, 30, 1000]),
)
def test_weights_of_pairs_are_the_sum_over_faded_sessions_and_counts_stay(
    mined: Callable[..., Any], ages: list[tuple[int, str]], half_life: float
) -> None:
    ages = [(0, "ab"), *ages]
    rows = [row for number, (age, text) in enumerate(ages) for row in session(before(age), f"u{number}", *text)]
    plain = mined({"searches": rows}, min_users=1, rule_min_significance=-1e9, rule_min_sessions=1)
    fading = mined(
        {"searches": rows}, min_users=1, rule_min_significance=-1e9, rule_min_sessions=1, half_life_days=half_life
    )
    step_weights = decay_weights(MiningSettings())
    weights, recent, count = {}, {}, {}
    for age, text in ages:
        share = round(UNIT * 0.5 ** (age / half_life)) / UNIT
        pairs = set()
        for first in range(len(text)):
            for second in range(first + 1, len(text)):
                if text[first] != text[second]:
                    pair = "".join(sorted(text[first] + text[second]))
                    pairs.add(pair)
                    weight = int(step_weights[second - first - 1] * share)
                    weights[pair] = weights.get(pair, 0) + weight
        for pair in pairs:
            recent[pair] = recent.get(pair, 0) + share
            count[pair] = count.get(pair, 0) + 1
    of_log = sum(round(UNIT * 0.5 ** (age / half_life)) / UNIT for age, _ in ages) / len(ages)
    found = fading.by("cooccurrence", "keyword", "neighbor")
    for pair, weight in weights.items():
        row = found[pair[0], pair[1]]
        assert row["weight"] == weight / WEIGHT_SCALE
        assert row["recency"] == pytest.approx(recent[pair] / count[pair] / of_log)
        assert found[pair[1], pair[0]]["recency"] == row["recency"]
    for name in ("cooccurrence", "association_rules", "keyword_statistics", "sessions", "term_vectors"):
        whole, faded = (
            [{column: value for column, value in row.items() if column not in FADING} for row in result.tables[name]]
            for result in (plain, fading)
        )
        assert whole == faded, name
    assert {row["recency"] for row in plain.tables["cooccurrence"]} == {None}


def test_a_session_over_midnight_is_as_old_as_its_first_day(mined: Callable[..., Any]) -> None:
    late = datetime(2025, 3, 18, 23, 59, tzinfo=UTC)
    rows = [
        *(
            {"ts": late + timedelta(minutes=2 * place), "user_id": "u", "query": query}
            for place, query in enumerate("ab")
        ),
        *session(LAST, "v", "c"),
    ]
    found = mined({"searches": rows}, min_users=1, half_life_days=1).by("cooccurrence", "keyword", "neighbor")
    assert found["a", "b"]["weight"] == int(decay_weights(MiningSettings())[0] / 4) / WEIGHT_SCALE
    assert (found["a", "b"]["first_date"], found["a", "b"]["last_date"]) == (date(2025, 3, 19), date(2025, 3, 19))


def test_pairs_by_clicks_are_as_recent_as_the_clicks_beside_those_of_the_log(mined: Callable[..., Any]) -> None:
    days = {"a": 10, "b": 10, "c": 0, "d": 0}
    rows = [
        row for query, age in days.items() for user in "uv" for row in session(before(age), f"{query}{user}", query)
    ]
    clicks = [
        click(before(age), f"{query}{user}", query, "old" if query in "ab" else "new")
        for query, age in days.items()
        for user in "uv"
    ]
    pages = [{"url": url, "title": f"{url} page", "text": ""} for url in ("old", "new")]
    result = mined(
        {"searches": rows, "clicks": clicks, "pages": pages},
        half_life_days=10,
        content_click_min_points=1,
        content_weight=0,
    )
    for name in ("click_neighbors", "content_click_neighbors", "page_term_neighbors"):
        found = result.by(name, "keyword", "neighbor")
        assert found["a", "b"]["recency"] == pytest.approx(0.5 / 0.75), name
        assert found["c", "d"]["recency"] == pytest.approx(1 / 0.75), name
        assert found["a", "b"]["last_date"] == before(10), name


@pytest.mark.parametrize(
    "miner", ["cooccurrence", "association_rules", "click_clusters", "content_click", "page_terms"]
)
def test_strengths_are_multiplied_by_the_recency_up_to_one(miner: str) -> None:
    rows = pa.table(
        {
            **{name: [5] * 4 for name in ("sessions", "users", "shared_urls")},
            **{name: [0.5] * 4 for name in ("similarity", "support")},
            "lift": [1.5] * 4,
            "recency": [None, 1.0, 0.25, 7.0],
        }
    )
    demand = Demand(np.full(4, 9), np.full(4, 9), 100)
    strength = PAIR_MINERS[miner].strength(rows, demand)
    assert strength.dtype == np.float32 and strength[0] > 0
    assert strength.tolist() == [strength[0], strength[0], strength[0] / 4, strength[0]]


def test_only_the_days_of_the_window_are_mined_and_the_others_are_counted(mined: Callable[..., Any]) -> None:
    rows = [*session(before(9), "u", "a", "old"), *session(before(2), "v", "a", "b"), *session(LAST, "w", "a")]
    clicks = [click(before(9), "u", "a", "gone"), click(LAST, "w", "a", "page")]
    result = mined({"searches": rows, "clicks": clicks}, min_users=1, window_days=3)
    assert result.report["set_aside"]["searches_before_window"] == 2
    assert {row["keyword"]: row["searches"] for row in result.tables["keyword_statistics"]} == {"a": 2, "b": 1}
    assert result.by("keyword_statistics", "keyword")["a"]["clicks"] == 1
    assert result.report["window"]["first_ts"].startswith("2025-03-18")
    alone = mined({"searches": rows[2:], "clicks": clicks[1:]}, min_users=1)
    assert {name: rows for name, rows in alone.tables.items() if name != "sessions"} == {
        name: rows for name, rows in result.tables.items() if name != "sessions"
    }
