"""Accounts that grow while the log runs."""

import numpy as np
import pandas as pd

from mining.simulator.growth import creation_times
from mining.simulator.sizes import DAY_MICROS, WINDOW_END, WINDOW_START, streams

FIRST = pd.Timestamp(WINDOW_START, unit="us", tz="UTC")


def test_a_part_of_each_markets_bids_is_made_during_the_log_and_some_accounts_begin_in_it(small) -> None:
    bids = small.raw("bids").to_pandas()
    late = bids["created_ts"] >= FIRST
    assert 0.2 < late.mean() < 0.6
    begun = bids.groupby("advertiser_id")["created_ts"].min()
    assert 0.04 < (begun >= FIRST).mean() < 0.2
    grown = late.groupby(bids["advertiser_id"]).mean()
    assert ((grown > 0) & (grown < 1)).mean() > 0.6
    assert bids["created_ts"].max() < pd.Timestamp(WINDOW_END, unit="us", tz="UTC")


def test_no_ad_is_shown_before_its_bid_was_made_even_where_a_wider_bid_stood_in(small) -> None:
    key = ["advertiser_id", "keyword", "match_type"]
    shown = small.raw("ad_events").to_pandas().merge(small.raw("bids").to_pandas(), on=key, how="left")
    assert (shown["created_ts"] < shown["ts"]).all()
    narrow = shown[(shown["match_type"] == "exact") & (shown["created_ts"] >= FIRST)]
    bought = narrow[["advertiser_id", "query", "created_ts"]].drop_duplicates(["advertiser_id", "query"])
    wider = shown[shown["match_type"] != "exact"].merge(bought, on=["advertiser_id", "query"], suffixes=("", "_narrow"))
    assert (wider["ts"] < wider["created_ts_narrow"]).any()


def test_what_does_not_belong_to_growth_keeps_its_moment_and_campaigns_begin_with_their_first_keyword() -> None:
    rng = np.random.default_rng(3)
    advertiser = np.sort(rng.integers(0, 50, 2000))
    campaign = rng.integers(0, 4, 2000)
    before = WINDOW_START - 1 - rng.integers(0, 400 * DAY_MICROS, 2000)
    made = creation_times(advertiser, campaign, before, 50, streams(1, "growth")["growth"])
    again = creation_times(advertiser, campaign, before, 50, streams(1, "growth")["growth"])
    assert (made == again).all()
    old = made < WINDOW_START
    assert (made[old] == before[old]).all()
    assert (made < WINDOW_END).all()
    assert 0 < old.mean() < 1


def test_a_site_says_what_its_owner_sells(small) -> None:
    pages = small.raw("pages").to_pandas().set_index("url")
    advertisers = small.raw("advertisers").to_pandas()
    titles = pages.loc[advertisers["site_url"], "title"].to_numpy()
    assert all(title.startswith(name) for title, name in zip(titles, advertisers["name"], strict=True))
