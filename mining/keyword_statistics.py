"""What is known of each keyword (SPEC §1.10): its demand over time, its clicks, and the auction for it.

Months are UTC calendar months. A month counts for averages and changes only if the log covers all of its days: its
first search falls on or before the month's first day and its last on or after the month's last, and none of its days is
missing (mining.missing_days). Quantities of tables
that the log does not have are null, and so are ratios over nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from mining.engines import Engine
from mining.settings import MiningSettings

MONTHS_A_YEAR = 12
MONTHS_A_QUARTER = 3


@dataclass(frozen=True)
class Month:
    """A calendar month of the log; `recency` is 0 for the last complete one, 1 for the one before, else None."""

    first_day: date
    complete: bool
    recency: int | None


def months_between(first: date, last: date, missing: Collection[date] = ()) -> list[Month]:
    """The calendar months from the first to the last day of a log, oldest first; `missing` days are not covered."""
    starts = []
    start = first.replace(day=1)
    while start <= last:
        starts.append(start)
        start = (start + timedelta(days=31)).replace(day=1)
    ends = [*starts[1:], start]
    complete = [
        first <= month and end - timedelta(days=1) <= last and not any(month <= day < end for day in missing)
        for month, end in zip(starts, ends, strict=True)
    ]
    return [
        Month(month, whole, sum(complete[place + 1 :]) if whole else None)
        for place, (month, whole) in enumerate(zip(starts, complete, strict=True))
    ]


def register_months(engine: Engine, months: Sequence[Month]) -> ir.Table:
    """The engine's table of months: (month date, complete bool, recency int32)."""
    return engine.register(
        "months",
        pa.table(
            {
                "month": pa.array([month.first_day for month in months], pa.date32()),
                "complete": pa.array([month.complete for month in months], pa.bool_()),
                "recency": pa.array([month.recency for month in months], pa.int32()),
            }
        ),
    )


def count_months(engine: Engine, counted: ir.Table, months: ir.Table) -> ir.Table:
    """The rows of the mined table keyword_months, and each month's recency."""
    searches = counted.group_by("keyword_id", month=counted.ts.truncate("M").date()).agg(searches=counted.count())
    return engine.materialise("keyword_months", searches.join(months, "month"))


def count_segments(counted: ir.Table) -> ir.Table:
    """The rows of the mined table keyword_segments."""
    return counted.group_by("keyword_id", "device", "region").agg(searches=counted.count())


def count_spellings(counted: ir.Table, queries: ir.Table) -> ir.Table:
    """The rows of the mined table keyword_spellings."""
    searches = counted.group_by("keyword_id", "query_id").agg(searches=counted.count())
    return searches.join(queries.select("query_id", "query"), "query_id").select("keyword_id", "query", "searches")


def count_demand(engine: Engine, counted: ir.Table, keyword_months: ir.Table, complete_months: int) -> ir.Table:
    """Searches, users and dates of each keyword, ads shown, and its average and changes over complete months."""
    totals = engine.materialise(
        "keyword_totals",
        counted.group_by("keyword_id").agg(
            searches=counted.count(),
            users=counted.user_no.nunique(),
            first_date=counted.ts.min().date(),
            last_date=counted.ts.max().date(),
            ads_shown=counted.ads_shown.cast("int64").sum(),
            ads_known=counted.ads_shown.count(),
        ),
    )
    recency, searches = keyword_months.recency, keyword_months.searches

    def between(low: int, high: int) -> ir.IntegerScalar:
        return searches.sum(where=(recency >= low) & (recency < high)).fill_null(0)

    periods = keyword_months.group_by("keyword_id").agg(
        year=between(0, MONTHS_A_YEAR),
        quarter=between(0, MONTHS_A_QUARTER),
        quarter_before=between(MONTHS_A_QUARTER, 2 * MONTHS_A_QUARTER),
        month=between(0, 1),
        month_year_ago=between(MONTHS_A_YEAR, MONTHS_A_YEAR + 1),
    )
    unknown = ibis.null("float64")
    averaged = min(complete_months, MONTHS_A_YEAR)
    return totals.join(periods, "keyword_id").select(
        *totals.columns,
        avg_monthly_searches=periods.year.cast("float64") / averaged if averaged else unknown,
        change_3m=_change(periods.quarter, periods.quarter_before)
        if complete_months >= 2 * MONTHS_A_QUARTER
        else unknown,
        change_yoy=_change(periods.month, periods.month_year_ago) if complete_months > MONTHS_A_YEAR else unknown,
    )


def _change(now: ir.IntegerColumn, before: ir.IntegerColumn) -> ir.FloatingColumn:
    return (now.cast("float64") - before) / before.nullif(0)


def count_auction(
    engine: Engine, ad_events: ir.Table | None, bids: ir.Table | None, settings: MiningSettings
) -> ir.Table | None:
    """What advertisers do about each keyword; None if the log has neither ads nor bids.

    Ads and clicks on them belong to the keyword that was searched, not to the one that was bid on. Advertisers are
    those with an enabled bid on the keyword and those whose ad stood on its result page. `ad_events` and `bids` carry
    keyword_id. Columns: keyword_id, ad_impressions, ad_clicks, low_bid, high_bid, advertisers; null or missing as
    unknown.
    """
    advertisers = []
    if ad_events is not None:
        advertisers.append(ad_events.select("keyword_id", "advertiser_id").distinct())
    if bids is not None:
        enabled = bids.filter(bids.status == "enabled")
        advertisers.append(enabled.select("keyword_id", "advertiser_id").distinct())
    if not advertisers:
        return None
    each = ibis.union(*advertisers, distinct=True) if len(advertisers) > 1 else advertisers[0]
    bidding = engine.materialise("bidding", each.group_by("keyword_id").agg(advertisers=each.count()))
    if ad_events is None:
        return bidding
    ads = ad_events.group_by("keyword_id").agg(
        ad_impressions=ad_events.count(where=ad_events.event == "impression"),
        ad_clicks=ad_events.count(where=ad_events.event == "click"),
    )
    ads = engine.materialise("ad_counts", ads)
    prices = engine.materialise("top_of_page_prices", _price_percentiles(ad_events, settings))
    joined = bidding.left_join(ads, "keyword_id").drop("keyword_id_right")
    return joined.left_join(prices, "keyword_id").drop("keyword_id_right")


def _price_percentiles(ad_events: ir.Table, settings: MiningSettings) -> ir.Table:
    """Nearest-rank percentiles of what clicks on top-of-page ads cost: keyword_id, low_bid, high_bid."""
    clicks = ad_events.filter(
        ad_events.event == "click", ad_events.position <= settings.top_slots, ad_events.cost_micros.notnull()
    )
    by_price = ibis.window(group_by=clicks.keyword_id, order_by=clicks.cost_micros)
    ranked = clicks.select(
        "keyword_id",
        "cost_micros",
        rank=ibis.row_number().over(by_price) + 1,
        number=clicks.count().over(ibis.window(group_by=clicks.keyword_id)),
    )

    def percentile(percent: int) -> ir.IntegerScalar:
        # The smallest rank that covers the percentage: (rank − 1) · 100 < number · percent ≤ rank · 100.
        wanted = ((ranked["rank"] - 1) * 100 < ranked.number * percent) & (
            ranked.number * percent <= ranked["rank"] * 100
        )
        return ranked.cost_micros.max(where=wanted)

    return ranked.group_by("keyword_id").agg(
        low_bid=percentile(settings.low_bid_percentile), high_bid=percentile(settings.high_bid_percentile)
    )


def statistics_to_write(
    demand: ir.Table, clicks: ir.Table | None, auction: ir.Table | None, settings: MiningSettings
) -> ir.Table:
    """The rows of the mined table keyword_statistics; `clicks` (a row a click, with keyword_id) is None if unknown.

    The competition index is 100 · ad slots filled / ad slots on the result pages: by the searches that say how many ads
    they showed; for keywords without such searches by the ad impressions.
    """
    rows = demand
    if clicks is not None:
        clicked = clicks.group_by("keyword_id").agg(clicks=clicks.clicks.sum())
        rows = rows.left_join(clicked, "keyword_id").drop("keyword_id_right")
        rows = rows.mutate(clicks=rows.clicks.fill_null(0))
    else:
        rows = rows.mutate(clicks=ibis.null("int64"))
    if auction is not None:
        rows = rows.left_join(auction, "keyword_id").drop("keyword_id_right")
    for name in ("ad_impressions", "ad_clicks", "advertisers"):
        known = auction is not None and name in auction.columns
        rows = rows.mutate(**{name: rows[name].fill_null(0) if known else ibis.null("int64")})
    for name in ("low_bid", "high_bid"):
        if auction is None or name not in auction.columns:
            rows = rows.mutate(**{name: ibis.null("int64")})
    filled = (rows.ads_known > 0).ifelse(rows.ads_shown, rows.ad_impressions)
    pages = (rows.ads_known > 0).ifelse(rows.ads_known, rows.searches)
    percentage = filled.cast("float64") * 100 / (pages * settings.slots_per_page)
    # Not least(percentage, 100): DuckDB's least passes over null, and what is unknown would become 100.
    rows = rows.mutate(competition_index=(percentage > 100.0).ifelse(ibis.literal(100.0), percentage))
    index = rows.competition_index
    return rows.mutate(
        ad_ctr=rows.ad_clicks.cast("float64") / rows.ad_impressions.nullif(0),
        competition=ibis.cases(
            (index.isnull(), ibis.null("string")),
            (index < settings.medium_competition, "LOW"),
            (index < settings.high_competition, "MEDIUM"),
            else_="HIGH",
        ),
    ).rename(low_top_of_page_bid_micros="low_bid", high_top_of_page_bid_micros="high_bid")
