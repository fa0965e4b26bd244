"""What forecasts are mined from, against plain Python on random logs, on both engines."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

Rows = list[dict[str, Any]]

START = datetime(2024, 1, 3, 12, tzinfo=UTC)
TEXTS = ["a", "b", "鲜花"]
PEOPLE = st.sampled_from(["u1", "u2", "u3"])
DAYS = st.integers(0, 40).map(lambda day: START + timedelta(days=day, hours=day % 7))


def rows_of(**columns: st.SearchStrategy[Any]) -> st.SearchStrategy[Rows]:
    return st.lists(st.fixed_dictionaries(columns), max_size=40)


SEARCHES = rows_of(ts=DAYS, user_id=PEOPLE, query=st.sampled_from(TEXTS))
AD_EVENTS = rows_of(
    ts=DAYS,
    search_id=st.sampled_from([None, "s0000", "s0001", "s0002", "s0003"]),
    user_id=PEOPLE,
    query=st.sampled_from(TEXTS),
    advertiser_id=st.sampled_from(["ad1", "ad2"]),
    keyword=st.sampled_from(TEXTS),
    match_type=st.sampled_from(["exact", "broad"]),
    position=st.integers(1, 4),
    event=st.sampled_from(["impression", "impression", "click", "conversion"]),
    cost_micros=st.sampled_from([None, 0, 50_000, 1_230_000]),
    value_micros=st.sampled_from([None, 9_000_000]),
)
BIDS = rows_of(
    advertiser_id=st.sampled_from(["ad1", "ad2", "ad3"]),
    campaign=st.just("c"),
    ad_group=st.sampled_from(["g", "h"]),
    keyword=st.sampled_from(TEXTS),
    match_type=st.sampled_from(["exact", "broad"]),
    bid_micros=st.sampled_from([100_000, 2_000_000]),
    status=st.sampled_from(["enabled", "enabled", "paused"]),
    created_ts=st.just(START),
)


def without_repeats(rows: Rows, *key: str) -> Rows:
    return list({tuple(row[name] for name in key): row for row in rows}.values())


def monday(moment: datetime) -> date:
    return (moment - timedelta(days=moment.weekday())).date()


def without_repeated_clicks(events: Rows, most: int) -> Rows:
    clicks = Counter(
        (row["user_id"], row["advertiser_id"], monday(row["ts"])) for row in events if row["event"] == "click"
    )
    return [
        row
        for row in events
        if row["event"] == "impression" or clicks[row["user_id"], row["advertiser_id"], monday(row["ts"])] <= most
    ]


def slot_counts(events: Rows) -> dict[int, Counter[str]]:
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for row in events:
        found[row["position"]][row["event"]] += 1
        money = row["cost_micros"] if row["event"] == "click" else None
        found[row["position"]]["cost"] += money or 0
    return found


def test_weeks_slots_pages_and_shares_are_those_of_plain_python(each_engine: Any) -> None:
    def body(mined: Callable[..., Any], searches: Rows, events: Rows, bids: Rows) -> None:
        if not searches:
            return
        events = without_repeats(
            events, "ts", "search_id", "user_id", "query", "advertiser_id", "keyword", "position", "event"
        )
        bids = without_repeats(bids, "advertiser_id", "campaign", "ad_group", "keyword", "match_type")
        found = mined(
            {"searches": searches, "ad_events": events, "bids": bids},
            match_share_searches=1, landscape_pages=4, most_ad_clicks_a_week=1,
        )  # fmt: skip
        searched = {row["query"] for row in searches}
        events = [row for row in events if row["query"] in searched]
        events = without_repeated_clicks(events, 1)
        if not events:
            return
        slots = slot_counts(events)
        for row in found.tables["slot_rates"]:
            own = slots[row["position"]]
            assert (row["impressions"], row["clicks"], row["conversions"], row["cost_micros"]) == (
                own["impression"], own["click"], own["conversion"], own["cost"],
            )  # fmt: skip
        quality = qualities(events, slots)
        rate = {position: expected_rate(position, events, quality, own["click"]) for position, own in slots.items()}
        check_weeks(found.tables["keyword_weeks"], searches, events, rate, quality)
        check_pages(found.tables["auction_pages"], searches, events, bids, quality)
        check_shares(found.tables["match_shares"], searches, events)

    wanted = ("slot_rates", "keyword_weeks", "auction_pages", "match_shares")
    each_engine.check(body, *wanted, examples=25, searches=SEARCHES, events=AD_EVENTS, bids=BIDS)


def qualities(events: Rows, slots: dict[int, Counter[str]]) -> dict[str, int]:
    """In whole thousandths, 1,000 for the mean advertiser."""
    raw = {
        position: own["click"] * 1_000_000 // own["impression"] if own["impression"] else 0
        for position, own in slots.items()
    }
    ratio = {}
    for advertiser in {row["advertiser_id"] for row in events}:
        own = [row for row in events if row["advertiser_id"] == advertiser]
        clicks = sum(row["event"] == "click" for row in own)
        hoped = sum(raw[row["position"]] for row in own if row["event"] == "impression")
        ratio[advertiser] = round((clicks + 30.0) / (hoped / 1_000_000 + 30.0) * 1_000_000)
    return {name: round(value * len(ratio) / sum(ratio.values()) * 1000) for name, value in ratio.items()}


def expected_rate(position: int, events: Rows, quality: dict[str, int], clicks: int) -> int:
    exposure = sum(
        quality[row["advertiser_id"]] for row in events if row["position"] == position and row["event"] == "impression"
    )
    return clicks * 10**9 // exposure if exposure else 0


def check_weeks(rows: Rows, searches: Rows, events: Rows, rate: dict[int, int], quality: dict[str, int]) -> None:
    lowest: dict[str, int] = {}
    for row in events:
        if row["event"] == "impression" and row["search_id"]:
            lowest[row["search_id"]] = max(lowest.get(row["search_id"], 0), row["position"])
    expected: dict[tuple[str, date], Counter[str]] = defaultdict(Counter)
    for row in searches:
        expected[row["query"], monday(row["ts"])]["searches"] += 1
    for row in events:
        own = expected[row["query"], monday(row["ts"])]
        own[{"impression": "impressions", "click": "clicks", "conversion": "conversions"}[row["event"]]] += 1
        if row["event"] == "impression":
            own["expected_clicks_micros"] += rate[row["position"]] * quality[row["advertiser_id"]] // 1000
        if row["event"] == "conversion":
            own["value_micros"] += row["value_micros"] or 0
        if row["event"] == "click":
            own["cost_micros"] += row["cost_micros"] or 0
            last = lowest.get(row["search_id"]) == row["position"] and row["match_type"] == "exact"
            if row["cost_micros"] is not None and last:
                own["last_clicks"] += 1
                own["last_cost_micros"] += row["cost_micros"]
    assert {(row["keyword"], row["week"]) for row in rows} == set(expected)
    for row in rows:
        own = expected[row["keyword"], row["week"]]
        assert {name: value for name, value in row.items() if name not in ("keyword", "week")} == {
            name: own[name] for name in row if name not in ("keyword", "week")
        }


def check_pages(rows: Rows, searches: Rows, events: Rows, bids: Rows, quality: dict[str, int]) -> None:
    best: dict[tuple[str, ...], int] = {}
    for bid in bids:
        if bid["status"] == "enabled":
            key = (bid["advertiser_id"], bid["keyword"], bid["match_type"])
            best[key] = max(best.get(key, 0), bid["bid_micros"])
    slots: dict[str, dict[int, int]] = defaultdict(dict)
    for row in events:
        key = (row["advertiser_id"], row["keyword"], row["match_type"])
        if row["event"] == "impression" and row["search_id"] and key in best:
            ranks = best[key] * quality[row["advertiser_id"]] // 1000
            own_slots = slots[row["search_id"]]
            own_slots[row["position"]] = max(own_slots.get(row["position"], 0), ranks)
    by_keyword: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for number, row in enumerate(searches):
        by_keyword[row["query"]].append((row["ts"], f"s{number:04d}"))
    found = {(row["keyword"], row["page"]): row for row in rows}
    count = 0
    for keyword, pages in by_keyword.items():
        latest = sorted(pages, reverse=True)
        every = -(-len(latest) // 4)
        for number, (_, search) in enumerate(latest[::every]):
            count += 1
            for slot in range(1, 9):
                own = found[keyword, number][f"slot_{slot}"]
                assert own == slots[search].get(slot)
    assert count == len(rows)


def check_shares(rows: Rows, searches: Rows, events: Rows) -> None:
    volume = Counter(row["query"] for row in searches)
    shown = Counter(
        (row["advertiser_id"], row["match_type"], row["query"]) for row in events if row["event"] == "impression"
    )
    expected: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for (advertiser, match_type, query), impressions in shown.items():
        for place, number in enumerate((1, impressions, volume[query])):
            expected[advertiser, match_type][place] += number
    assert {
        (row["advertiser_id"], row["match_type"]): [row["queries"], row["impressions"], row["searches"]] for row in rows
    } == expected


def test_a_log_without_ads_has_weeks_of_searches_and_unknown_ads(mined: Callable[..., Any]) -> None:
    found = mined({"searches": [{"ts": START, "user_id": "u", "query": "a"}]})
    (row,) = found.tables["keyword_weeks"]
    assert (row["searches"], row["impressions"], row["clicks"]) == (1, None, None)
    assert found.tables["auction_pages"] == found.tables["slot_rates"] == found.tables["match_shares"] == []


def test_the_clicks_of_who_clicks_an_advertiser_again_and_again_count_for_nothing(mined: Callable[..., Any]) -> None:
    searches = [{"ts": START, "user_id": user, "query": "a"} for user in ("person", "bot")]
    click = {
        "search_id": None, "query": "a", "advertiser_id": "ad1", "keyword": "a", "match_type": "exact", "position": 1,
        "event": "click", "cost_micros": 50_000, "value_micros": None,
    }  # fmt: skip
    times = {"person": [0, 1, 8], "bot": [0, 1, 2]}
    events = [
        click | {"user_id": user, "ts": START + timedelta(days=day)} for user, days in times.items() for day in days
    ]
    found = mined({"searches": searches, "ad_events": events, "bids": []})
    assert sum(row["clicks"] for row in found.tables["keyword_weeks"]) == 3
    assert found.report["set_aside"]["repeated_ad_clicks"] == 3
