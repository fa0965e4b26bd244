"""Probes in the simulated market: the same searches as the log's, and auctions in which money buys what it should."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from mining.simulator.probing import MATCH_NUMBERS, OUTCOMES, PeopleSearches, people_searches, probe
from mining.simulator.setting import Setting, build_setting
from mining.simulator.sizes import size_named

SINCE = int(datetime(2024, 6, 1, tzinfo=UTC).timestamp()) * 1_000_000
UNTIL = int(datetime(2024, 7, 1, tzinfo=UTC).timestamp()) * 1_000_000


@pytest.fixture(scope="module")
def setting() -> Setting:
    return build_setting(size_named("small"), 1)


@pytest.fixture(scope="module")
def searches(setting: Setting) -> PeopleSearches:
    return people_searches(setting, SINCE)


def run(setting: Setting, searches: PeopleSearches, bid: float, match_type: str = "exact", **more: bool) -> np.ndarray:
    """Every query's own bid, as one item a query: float64 (queries, OUTCOMES)."""
    count = len(setting.catalogue)
    owner = np.concatenate([np.arange(count), setting.spellings.base])
    match = np.full(count, MATCH_NUMBERS[match_type])
    return probe(setting, searches, (SINCE, UNTIL), owner, np.arange(count), match, np.full(count, bid), seed=3, **more)


def column(outcomes: np.ndarray, name: str) -> float:
    return float(outcomes[:, OUTCOMES.index(name)].sum())


def test_the_searches_are_those_that_people_made_in_the_log(searches: PeopleSearches, small_market: Path) -> None:
    logged = pq.read_table(small_market / "logs" / "searches", columns=["search_id", "ts"]).to_pydict()
    made_by = pq.read_table(sorted((small_market / "truth").glob("searches-*.parquet"))).to_pydict()
    people = {
        f"s{number:010d}"
        for number, maker in zip(made_by["search_number"], made_by["made_by"], strict=True)
        if maker == "person"
    }
    moments = sorted(
        int(ts.timestamp() * 1_000_000 + 0.5)
        for name, ts in zip(logged["search_id"], logged["ts"], strict=True)
        if name in people and ts.timestamp() * 1_000_000 >= SINCE
    )
    assert len(moments) == len(searches.ts) > 1000
    assert np.abs(np.array(moments) - np.sort(searches.ts)).max() <= 1


def test_higher_bids_win_more_and_pay_more(setting: Setting, searches: PeopleSearches) -> None:
    low, high = (run(setting, searches, bid, expected=True) for bid in (1_000_000, 20_000_000))
    assert column(low, "searches") == column(high, "searches")
    for name in ("clicks", "cost_micros", "conversions", "value_micros"):
        assert column(low, name) < column(high, name)
    for outcomes, bid in ((low, 1_000_000), (high, 20_000_000)):
        assert column(outcomes, "cost_micros") <= column(outcomes, "clicks") * bid * (1 + 1e-9)


def test_a_bid_below_the_reserve_is_not_shown(setting: Setting, searches: PeopleSearches) -> None:
    nothing, low, high = (run(setting, searches, bid, expected=True) for bid in (10_000, 1_000_000, 20_000_000))
    # Only where nobody sells anything is there no reserve.
    assert column(nothing, "impressions") < 0.01 * column(high, "impressions")
    clicked, shown = OUTCOMES.index("clicks"), OUTCOMES.index("impressions")
    # A query whose reserve lies between the bids is bought at the higher one alone, and for more than the lower one.
    between = (low[:, shown] == 0) & (high[:, clicked] > 0)
    assert between.sum() > 10
    price = high[between, OUTCOMES.index("cost_micros")] / high[between, clicked]
    assert price.min() > 1_000_000


def test_wider_matches_enter_fewer_auctions(setting: Setting, searches: PeopleSearches) -> None:
    shown = [column(run(setting, searches, 5_000_000, match), "impressions") for match in ("exact", "phrase", "broad")]
    assert shown[0] > 2 * shown[1] > 2 * shown[2] > 0


def test_drawn_outcomes_are_near_their_expectation(setting: Setting, searches: PeopleSearches) -> None:
    drawn, expected = (run(setting, searches, 8_000_000, expected=flag) for flag in (False, True))
    clicks = column(expected, "clicks")
    assert abs(column(drawn, "clicks") - clicks) < 4 * clicks**0.5
    assert column(drawn, "impressions") == column(expected, "impressions")
