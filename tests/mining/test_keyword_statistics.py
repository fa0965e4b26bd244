"""Keyword statistics against plain Python on random logs, and the calendar they count by."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.text import normalise
from mining.keyword_statistics import months_between

Rows = list[dict[str, Any]]

TEXTS = ["a", "A ", "鲜花", "b", "c c", "\u200b"]
START = datetime(2024, 1, 1, 12, tzinfo=UTC)
DAYS = st.integers(0, 430).map(lambda day: START + timedelta(days=day, hours=day % 11))
PEOPLE = st.sampled_from(["u1", "u2", "u3"])


def rows_of(**columns: st.SearchStrategy[Any]) -> st.SearchStrategy[Rows]:
    return st.lists(st.fixed_dictionaries(columns), max_size=50)


SEARCHES = rows_of(
    ts=DAYS,
    user_id=PEOPLE,
    query=st.sampled_from(TEXTS),
    device=st.sampled_from(["mobile", "desktop", None]),
    region=st.sampled_from(["北京", "London", None]),
    ads_shown=st.sampled_from([None, None, 0, 2, 9]),
)
CLICKS = rows_of(ts=DAYS, user_id=PEOPLE, query=st.sampled_from(TEXTS), url=st.sampled_from(["x", "y"]))
AD_EVENTS = rows_of(
    ts=DAYS,
    user_id=PEOPLE,
    query=st.sampled_from(TEXTS),
    advertiser_id=st.sampled_from(["ad1", "ad2"]),
    keyword=st.sampled_from(TEXTS),
    match_type=st.just("broad"),
    position=st.integers(1, 6),
    event=st.sampled_from(["impression", "click", "click", "conversion"]),
    cost_micros=st.sampled_from([None, 0, 5, 70, 70, 1000, 123_456_789]),
)
BIDS = rows_of(
    advertiser_id=st.sampled_from(["ad1", "ad2", "ad3"]),
    campaign=st.just("c"),
    ad_group=st.just("g"),
    keyword=st.sampled_from(TEXTS),
    match_type=st.just("exact"),
    bid_micros=st.just(1),
    status=st.sampled_from(["enabled", "paused"]),
    created_ts=st.just(START),
)


def nearest_rank(costs: list[int], percent: int) -> int | None:
    return sorted(costs)[ceil(Fraction(len(costs) * percent, 100)) - 1] if costs else None


def share(part: float, whole: float) -> Any:
    return pytest.approx(part / whole) if whole else None


def check_that_statistics_equal_a_naive_count(
    mined: Callable[..., Any],
    searches: Rows,
    clicks: Rows | None,
    ad_events: Rows | None,
    bids: Rows | None,
    percent: int,
) -> None:
    searches = [*searches, {"ts": START, "user_id": "u1", "query": "b"}]
    tables = {"searches": searches, "clicks": clicks, "ad_events": ad_events, "bids": bids}
    result = mined(
        {name: rows for name, rows in tables.items() if rows is not None},
        low_bid_percentile=percent,
        top_slots=3,
        slots_per_page=4,
    )

    months = months_between(min(row["ts"] for row in searches).date(), max(row["ts"] for row in searches).date())
    complete = [month.first_day for month in months if month.complete]
    own: dict[str, Rows] = defaultdict(list)
    for row in searches:
        own[normalise(row["query"])].append(row)
    own.pop("", None)
    found = result.by("keyword_statistics", "keyword")
    assert list(found) == sorted(own)
    for keyword, rows in own.items():
        by_month = Counter(row["ts"].date().replace(day=1) for row in rows)
        whole = [by_month[month] for month in complete]
        ads = [row for row in ad_events or [] if normalise(row["query"]) == keyword]
        shown = [row["ads_shown"] for row in rows if row.get("ads_shown") is not None]
        impressions = sum(row["event"] == "impression" for row in ads)
        ad_clicks = sum(row["event"] == "click" for row in ads)
        costs = [
            row["cost_micros"]
            for row in ads
            if row["event"] == "click" and row["position"] <= 3 and row["cost_micros"] is not None
        ]
        bidding = {
            row["advertiser_id"]
            for row in bids or []
            if normalise(row["keyword"]) == keyword and row["status"] == "enabled"
        }
        if shown:
            index = min(100.0, 100 * sum(shown) / (4 * len(shown)))
        else:
            index = None if ad_events is None else min(100.0, 100 * impressions / (4 * len(rows)))
        level = None if index is None else "LOW" if index < 34 else "MEDIUM" if index < 67 else "HIGH"
        no_ads = ad_events is None
        assert found[keyword] == {
            "keyword": keyword,
            "searches": len(rows),
            "users": len({row["user_id"] for row in rows}),
            "first_date": min(row["ts"] for row in rows).date(),
            "last_date": max(row["ts"] for row in rows).date(),
            "avg_monthly_searches": share(sum(whole[-12:]), len(whole[-12:])),
            "change_3m": share(sum(whole[-3:]) - sum(whole[-6:-3]), sum(whole[-6:-3])) if len(whole) >= 6 else None,
            "change_yoy": share(whole[-1] - whole[-13], whole[-13]) if len(whole) >= 13 else None,
            "clicks": None if clicks is None else sum(normalise(row["query"]) == keyword for row in clicks),
            "ad_impressions": None if no_ads else impressions,
            "ad_clicks": None if no_ads else ad_clicks,
            "ad_ctr": None if no_ads else share(ad_clicks, impressions),
            "advertisers": None if no_ads and bids is None else len(bidding | {row["advertiser_id"] for row in ads}),
            "competition_index": index if index is None else pytest.approx(index),
            "competition": level,
            "low_top_of_page_bid_micros": nearest_rank(costs, percent),
            "high_top_of_page_bid_micros": nearest_rank(costs, 80),
        }

    def counted(*names: str) -> dict[Any, int]:
        table = {1: "keyword_spellings", 2: "keyword_segments"}[len(names)]
        key = ("keyword", *names)
        return {part: row["searches"] for part, row in result.by(table, *key).items()}

    people = [(keyword, row) for keyword, rows in own.items() for row in rows]
    assert counted("query") == Counter((keyword, row["query"]) for keyword, row in people)
    assert counted("device", "region") == Counter(
        (keyword, row.get("device"), row.get("region")) for keyword, row in people
    )
    assert {
        key: (row["searches"], row["complete"]) for key, row in result.by("keyword_months", "keyword", "month").items()
    } == {
        (keyword, month): (count, month in complete)
        for (keyword, month), count in Counter((k, row["ts"].date().replace(day=1)) for k, row in people).items()
    }


def test_statistics_equal_a_naive_count(each_engine: Any) -> None:
    each_engine.check(
        check_that_statistics_equal_a_naive_count,
        *("keyword_statistics", "keyword_spellings", "keyword_segments", "keyword_months"),
        examples=12,
        searches=SEARCHES,
        clicks=st.none() | CLICKS,
        ad_events=st.none() | AD_EVENTS,
        bids=st.none() | BIDS,
        percent=st.sampled_from([1, 20, 50, 99]),
    )


@given(first=st.dates(date(2019, 1, 1), date(2026, 1, 1)), days=st.integers(0, 900))
def test_a_month_is_complete_exactly_if_all_its_days_lie_in_the_log(first: date, days: int) -> None:
    last = first + timedelta(days=days)
    covered = Counter((first + timedelta(days=day)).replace(day=1) for day in range(days + 1))
    months = months_between(first, last)
    assert [month.first_day for month in months] == sorted(covered)
    for month in months:
        length = ((month.first_day + timedelta(days=31)).replace(day=1) - month.first_day).days
        assert month.complete == (covered[month.first_day] == length)
    assert [month.recency for month in months if month.complete] == list(
        reversed(range(sum(m.complete for m in months)))
    )


def test_a_log_of_ten_minutes_knows_no_monthly_average(
    mined: Callable[..., Any], at: Callable[[float], datetime]
) -> None:
    result = mined({"searches": [{"ts": at(minute), "user_id": "u", "query": "a"} for minute in range(10)]})
    (row,) = result.tables["keyword_statistics"]
    assert row["searches"] == 10
    assert {name for name, value in row.items() if value is None} == {
        "avg_monthly_searches", "change_3m", "change_yoy", "clicks", "ad_impressions", "ad_clicks", "ad_ctr",
        "advertisers", "competition_index", "competition", "low_top_of_page_bid_micros", "high_top_of_page_bid_micros",
    }  # fmt: skip


def test_clicks_by_robots_are_in_no_statistic(mined: Callable[..., Any], at: Callable[[float], datetime]) -> None:
    searches = [{"ts": at(0), "user_id": "person", "query": "a"}]
    searches += [{"ts": at(minute / 10), "user_id": "robot", "query": "a"} for minute in range(40)]
    ad = {"ts": at(1), "query": "a", "advertiser_id": "x", "keyword": "a", "match_type": "exact", "position": 1}
    result = mined(
        {
            "searches": searches,
            "clicks": [{"ts": at(1), "user_id": user, "query": "a", "url": "x"} for user in ("person", "robot")],
            "ad_events": [ad | {"user_id": user, "event": "click", "cost_micros": 7} for user in ("person", "robot")],
        },
        robot_gap_variation=0.3,
    )
    (row,) = result.tables["keyword_statistics"]
    assert (row["searches"], row["clicks"], row["ad_clicks"]) == (1, 1, 1)
    assert [robot["user_id"] for robot in result.tables["robot_users"]] == ["robot"]
