"""What a forecast needs of the log (SPEC §2.10): weeks of searches and ads, click rates of slots, bids on pages.

Ads belong to the keyword that was searched, as in `keyword_statistics`. Weeks begin on Monday, UTC. All sums are of
whole numbers; rates that enter a sum are whole millionths. Advertisers differ in quality: a bid that holds a slot
counts as it ranks, times quality, and clicks are compared with those that the ads' quality lets expect, so that rates
are those of the mean advertiser and not of the winners.
"""

import ibis
import ibis.expr.types as ir

from mining.engines import Engine
from mining.settings import MiningSettings

PAGE_SLOTS = 8
"""Slots of a page of which the bids are kept."""
_MILLION = 1_000_000
_THOUSAND = 1_000

SCRATCH_TABLES = (
    "repeated_clicks",
    "counted_ad_events",
    "raw_slots",
    "advertiser_ratios",
    "mean_ratio",
    "slot_rates",
    "searched_weeks",
    "lowest_ads",
    "advertised_weeks",
    "advertiser_quality",
    "latest_pages",
    "chosen_pages",
    "page_slots",
)
"""Steps to drop when the mined tables are written."""


def without_repeated_clicks(engine: Engine, ad_events: ir.Table, settings: MiningSettings) -> ir.Table:
    """The ad events without the clicks and conversions of who clicked one advertiser's ads too often in a week.

    People seldom come back so often; robots, click farms and competitors do (SPEC §1.14), mostly in the first slot, so
    that with them every forecast of clicks there would be too high.
    """
    dated = ad_events.mutate(week=ad_events.ts.truncate("W").date())
    clicks = dated.filter(dated.event == "click")
    counted = clicks.group_by("user_id", "advertiser_id", "week").agg(repeated=clicks.count())
    often = counted.filter(counted.repeated > settings.most_ad_clicks_a_week)
    often = engine.materialise("repeated_clicks", often)
    joined = dated.left_join(often, ["user_id", "advertiser_id", "week"])
    kept = joined.filter((joined.event == "impression") | joined.repeated.isnull())
    return engine.materialise("counted_ad_events", kept.select(*ad_events.columns))


def rank_advertisers(engine: Engine, ad_events: ir.Table, settings: MiningSettings) -> ir.Table:
    """Each advertiser's quality in whole thousandths, 1,000 for the mean advertiser.

    Its clicks over those expected of the slots where it stood, drawn to 1; over the mean of all advertisers, each
    counted once: those that win more often are better than that, and a newcomer is not.
    """
    slots = ad_events.group_by("position").agg(clicks=_count(ad_events, "click"), shows=_count(ad_events, "impression"))
    slots = slots.select("position", rate=(slots.clicks * _MILLION // slots.shows.nullif(0)).fill_null(0))
    shown = ad_events.join(engine.materialise("raw_slots", slots), "position")
    each = shown.group_by("advertiser_id").agg(
        clicks=_count(shown, "click"), expected=_sum(shown, "impression", "rate")
    )
    drawn = float(settings.quality_shrinkage_clicks)
    ratio = (each.clicks.cast("float64") + drawn) / (each.expected.cast("float64") / float(_MILLION) + drawn)
    each = engine.materialise(
        "advertiser_ratios", each.select("advertiser_id", ratio=(ratio * float(_MILLION)).round().cast("int64"))
    )
    mean = engine.materialise("mean_ratio", each.agg(total=each.ratio.sum(), advertisers=each.count()))
    # A cross join with one row, written as a join on a constant, which both engines take.
    both = each.mutate(one=1).join(mean.mutate(one=1), "one")
    quality = both.ratio.cast("float64") * both.advertisers / both.total * float(_THOUSAND)
    return engine.materialise("advertiser_quality", both.select("advertiser_id", quality=quality.round().cast("int64")))


def count_slots(engine: Engine, ad_events: ir.Table, quality: ir.Table) -> ir.Table:
    """The rows of the mined table slot_rates, and `rate`: clicks in a million impressions of the mean advertiser."""
    events = ad_events.join(quality, "advertiser_id")
    slots = events.group_by("position").agg(
        impressions=_count(events, "impression"),
        quality_impressions=_sum(events, "impression", "quality"),
        clicks=_count(events, "click"),
        cost_micros=_sum(events, "click", "cost_micros"),
        conversions=_count(events, "conversion"),
        value_micros=_sum(events, "conversion", "value_micros"),
    )
    # A slot without an impression, as in a broken log, has no rate.
    rate = slots.clicks * (_MILLION * _THOUSAND) // slots.quality_impressions.nullif(0)
    return engine.materialise("slot_rates", slots.mutate(rate=rate.fill_null(0)))


def count_searched_weeks(engine: Engine, counted: ir.Table) -> ir.Table:
    """Searches of each keyword and week; `counted` are people's searches (keyword_id, ts)."""
    weeks = counted.group_by("keyword_id", week=counted.ts.truncate("W").date()).agg(searches=counted.count())
    return engine.materialise("searched_weeks", weeks)


def count_weeks(
    engine: Engine,
    searched: ir.Table,
    ad_events: ir.Table | None = None,
    quality: ir.Table | None = None,
    slots: ir.Table | None = None,
) -> ir.Table:
    """The rows of the mined table keyword_weeks.

    `ad_events`, with keyword_id, are None if the log has none, and then everything of ads is null. A last click is one
    on the lowest ad of its page, if its keyword is what was searched: it pays the least price of a click on the
    keyword, where a phrase or broad ad pays that of another.
    """
    names = ("impressions", "expected_clicks_micros", "clicks", "cost_micros",
             "last_clicks", "last_cost_micros", "conversions", "value_micros")  # fmt: skip
    if ad_events is None or quality is None or slots is None:
        return searched.mutate(**{name: ibis.null("int64") for name in names})
    lowest = ad_events.filter(ad_events.event == "impression", ad_events.search_id.notnull())
    lowest = engine.materialise("lowest_ads", lowest.group_by("search_id").agg(lowest=lowest.position.max()))
    events = ad_events.join(slots.select("position", "rate"), "position").join(quality, "advertiser_id")
    events = events.mutate(expected=events.rate * events.quality // _THOUSAND).left_join(lowest, "search_id")
    last = (events.event == "click") & (events.position == events.lowest) & events.cost_micros.notnull()
    last &= events.match_type == "exact"
    advertised = events.group_by("keyword_id", week=events.ts.truncate("W").date()).agg(
        impressions=_count(events, "impression"),
        expected_clicks_micros=_sum(events, "impression", "expected"),
        clicks=_count(events, "click"),
        cost_micros=_sum(events, "click", "cost_micros"),
        last_clicks=last.sum().cast("int64").fill_null(0),
        last_cost_micros=events.cost_micros.sum(where=last).fill_null(0),
        conversions=_count(events, "conversion"),
        value_micros=_sum(events, "conversion", "value_micros"),
    )
    advertised = engine.materialise("advertised_weeks", advertised)
    # A click in the week after its search makes a row without searches.
    weeks = ibis.union(searched.select("keyword_id", "week"), advertised.select("keyword_id", "week"), distinct=True)
    joined = weeks.left_join(searched, ["keyword_id", "week"]).drop("keyword_id_right").drop("week_right")
    joined = joined.left_join(advertised, ["keyword_id", "week"]).drop("keyword_id_right").drop("week_right")
    return joined.mutate(searches=joined.searches.fill_null(0), **{name: joined[name].fill_null(0) for name in names})


def sample_pages(
    engine: Engine, searches: ir.Table, ad_events: ir.Table, bids: ir.Table, quality: ir.Table, settings: MiningSettings
) -> ir.Table:
    """The rows of the mined table auction_pages: of each keyword's latest pages, evenly spread ones.

    `searches` (keyword_id, search_id, ts) are people's. An ad whose bid is not among the enabled ones leaves its slot
    to be filled by the next: what it bid then is not known.
    """
    latest = searches.filter(searches.search_id.notnull())
    by_time = ibis.window(group_by=latest.keyword_id, order_by=[latest.ts.desc(), latest.search_id.desc()])
    ranked = latest.select("keyword_id", "search_id", rank=ibis.row_number().over(by_time))
    ranked = engine.materialise("latest_pages", ranked.filter(ranked["rank"] < settings.landscape_pages_read))
    counted = ranked.group_by("keyword_id").agg(pages=ranked.count())
    spread = ranked.join(counted, "keyword_id")
    most = settings.landscape_pages
    every = (spread.pages + (most - 1)) // most
    chosen = engine.materialise(
        "chosen_pages",
        spread.filter(spread["rank"] % every == 0).select("keyword_id", "search_id", page=spread["rank"] // every),
    )
    enabled = bids.filter(bids.status == "enabled")
    highest = enabled.group_by("advertiser_id", "keyword", "match_type").agg(bid_micros=enabled.bid_micros.max())
    shown = ad_events.filter(ad_events.event == "impression", ad_events.search_id.notnull())
    shown = shown.select("search_id", "advertiser_id", "keyword", "match_type", "position").distinct()
    ranking = shown.join(highest, ["advertiser_id", "keyword", "match_type"]).join(quality, "advertiser_id")
    ranking = ranking.select("search_id", "position", bid=ranking.bid_micros * ranking.quality // _THOUSAND)
    page_slots = ranking.group_by("search_id").agg(
        **{f"slot_{slot}": ranking.bid.max(where=ranking.position == slot) for slot in range(1, PAGE_SLOTS + 1)}
    )
    page_slots = engine.materialise("page_slots", page_slots)
    return chosen.left_join(page_slots, "search_id").drop("search_id_right").drop("search_id")


def count_match_shares(ad_events: ir.Table, keyword_totals: ir.Table, settings: MiningSettings) -> ir.Table:
    """The rows of the mined table match_shares: how often bids of each match type stood on pages that they may enter.

    Only queries that were searched often enough that a bid held back from most of their pages still shows on some.
    """
    shown = ad_events.filter(ad_events.event == "impression")
    each = shown.group_by("advertiser_id", "match_type", "keyword_id").agg(impressions=shown.count())
    often = keyword_totals.filter(keyword_totals.searches >= settings.match_share_searches)
    each = each.join(often.select("keyword_id", "searches"), "keyword_id")
    return each.group_by("advertiser_id", "match_type").agg(
        queries=each.count(), impressions=each.impressions.sum(), searches=each.searches.sum()
    )


def _count(events: ir.Table, event: str) -> ir.IntegerScalar:
    return events.count(where=events.event == event)


def _sum(events: ir.Table, event: str, column: str) -> ir.IntegerScalar:
    return events[column].sum(where=events.event == event).fill_null(0)
