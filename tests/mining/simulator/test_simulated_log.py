"""The log of a small market: right by the schema, with the shape of a real one."""

import numpy as np
import pyarrow.compute as pc

from mining.schema import canonical_tables
from mining.simulator.market import load_market
from mining.simulator.sizes import WINDOW_END, WINDOW_START

TABLES = ("searches", "clicks", "ad_events", "pages", "advertisers", "bids", "industries", "users")


def test_every_table_has_the_canonical_columns_and_keeps_every_rule_of_the_schema(small) -> None:
    for name in TABLES:
        rows, table = small.raw(name), canonical_tables()[name]
        assert rows.schema.equals(table.arrow_schema), name
        for column in table.columns:
            values = rows[column.name]
            assert column.nullable or values.null_count == 0, (name, column.name)
            if column.choices:
                assert set(values.drop_null().unique().to_pylist()) <= set(column.choices)
            if column.min is not None and values.null_count < len(values):
                assert pc.min(values).as_py() >= column.min
            if column.max_chars is not None and values.null_count < len(values):
                assert pc.max(pc.utf8_length(values)).as_py() <= column.max_chars


def test_no_two_rows_of_a_table_have_the_same_key(small) -> None:
    for name in TABLES:
        rows = small.raw(name)
        keys = rows.group_by(list(canonical_tables()[name].key)).aggregate([])
        assert len(keys) == len(rows), name


def test_the_summary_counts_what_is_in_the_files(small) -> None:
    assert small.summary["rows"] == {name: len(small.raw(name)) for name in TABLES}
    assert 45_000 <= small.summary["rows"]["searches"] <= 55_000
    assert small.summary["distinct_queries"] == len(small.raw("searches")["query"].unique())


def test_the_log_covers_fourteen_months_in_order_of_time(small) -> None:
    for name in ("searches", "clicks", "ad_events"):
        ts = small.raw(name)["ts"].cast("int64").to_numpy()
        assert ts.min() >= WINDOW_START and ts.max() < WINDOW_END
        if name == "searches":
            assert (np.diff(ts) >= 0).all()
    months = pc.strftime(small.raw("searches")["ts"], format="%Y-%m").value_counts().to_pylist()
    assert len(months) == 14
    assert min(month["counts"] for month in months) > 1000


def test_queries_have_a_heavy_tail(small) -> None:
    counts = np.sort(small.raw("searches")["query"].value_counts().field("counts").to_numpy())[::-1]
    assert small.summary["head_share"] > 0.10
    assert (counts == 1).mean() > 0.5
    # Zipf: the rank-frequency line is straight and falling in log-log over the head and torso.
    rank = np.arange(1, 2001)
    slope, _ = np.polyfit(np.log(rank), np.log(counts[:2000]), 1)
    assert -1.2 < slope < -0.4
    assert np.corrcoef(np.log(rank), np.log(counts[:2000]))[0, 1] < -0.95


def test_clicks_and_ad_events_belong_to_searches(small) -> None:
    searches = small.raw("searches").to_pandas().set_index("search_id")
    for name in ("clicks", "ad_events"):
        rows = small.raw(name).to_pandas()
        own = searches.loc[rows["search_id"]]
        assert (own["query"].to_numpy() == rows["query"].to_numpy()).all()
        assert (own["user_id"].to_numpy() == rows["user_id"].to_numpy()).all()
        assert (own["ts"].to_numpy() < rows["ts"].to_numpy()).all()


def test_pages_hold_every_clicked_address_and_every_advertisers_site_all_under_the_reserved_domain(small) -> None:
    clicked = set(small.raw("clicks")["url"].to_pylist())
    sites = set(small.raw("advertisers")["site_url"].to_pylist())
    pages = small.raw("pages")["url"].to_pylist()
    assert sorted(clicked | sites) == pages
    assert all(url.split("/")[2].endswith(".example") for url in pages)


def test_queries_of_one_need_share_clicked_pages_more_than_others_do(small) -> None:
    truth = small.truth
    clicks = small.raw("clicks").group_by(["query", "url"]).aggregate([]).to_pandas()
    clicks["row"] = truth.rows(clicks["query"].tolist())
    pairs = clicks[clicks["row"] >= 0].merge(clicks[clicks["row"] >= 0], on="url")
    pairs = pairs[pairs["row_x"] < pairs["row_y"]]
    grades = truth.row_grades(pairs["row_x"].to_numpy(), pairs["row_y"].to_numpy())
    assert (grades >= 2).mean() > 0.8
    assert 0 < (grades == 0).mean() < 0.1  # shared portals and odd clicks are the noise


def test_ads_fill_the_slots_from_the_top_with_each_advertiser_once(small) -> None:
    events = small.raw("ad_events").to_pandas()
    shown = events[events["event"] == "impression"]
    by_search = shown.groupby("search_id")
    assert shown["position"].max() <= 8
    assert (by_search["position"].max() == by_search.size()).all()
    assert (by_search["advertiser_id"].nunique() == by_search.size()).all()
    ads_shown = small.raw("searches").to_pandas().set_index("search_id")["ads_shown"]
    assert (ads_shown[ads_shown > 0].sort_index() == by_search.size().sort_index()).all()


def test_a_click_costs_at_most_the_bid_that_won_and_higher_slots_are_clicked_more(small) -> None:
    events, bids = small.raw("ad_events").to_pandas(), small.raw("bids").to_pandas()
    key = ["advertiser_id", "keyword", "match_type"]
    clicks = events[events["event"] == "click"].merge(bids, on=key)
    assert len(clicks) == (events["event"] == "click").sum()
    assert (clicks["cost_micros"] <= clicks["bid_micros"]).all()
    assert (clicks["cost_micros"] > 0).all()
    assert (clicks["status"] == "enabled").all()
    assert (clicks["created_ts"] < clicks["ts"]).all()
    rate = (events[events["event"] == "click"].groupby("position").size()) / events[
        events["event"] == "impression"
    ].groupby("position").size()
    assert rate[1] > rate[3] > rate[5]


def test_conversions_have_values_and_follow_clicks(small) -> None:
    events = small.raw("ad_events").to_pandas()
    conversions = events[events["event"] == "conversion"]
    assert len(conversions) > 20
    assert conversions["value_micros"].notna().all() and conversions["cost_micros"].isna().all()
    clicks = events[events["event"] == "click"].groupby(["search_id", "advertiser_id"])["ts"].min()
    first_click = clicks.loc[list(zip(conversions["search_id"], conversions["advertiser_id"], strict=True))]
    assert (first_click.to_numpy() < conversions["ts"].to_numpy()).all()


def test_nobody_searches_before_signing_up(small) -> None:
    signup = small.raw("users").to_pandas().set_index("user_id")["signup_ts"]
    first = small.raw("searches").to_pandas().groupby("user_id")["ts"].min()
    assert (signup.loc[first.index] < first).all()


def test_every_industry_is_searched_in_both_languages_and_has_advertisers(small) -> None:
    keywords = small.planted("keywords").to_pandas()
    searched = keywords[keywords["searches"] > 0].groupby("industry_id")["language"].nunique()
    safe = {industry.id for industry in load_market().industries if not industry.unsafe}
    assert set(searched[searched == 2].index) >= safe
    assert set(small.raw("advertisers")["industry_id"].to_pylist()) == safe
    tree = small.raw("industries").to_pandas()
    assert set(tree["parent_id"].dropna()) == set(tree[tree["parent_id"].isna()]["industry_id"])
    assert safe == set(tree[tree["parent_id"].notna()]["industry_id"])
