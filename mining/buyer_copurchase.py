"""Keywords that the same advertisers buy (同购; SPEC §1.8): who buys what, and pairs with buyers in common.

An advertiser buys a keyword if a bid on it was not removed, or if an ad of the advertiser was shown for it as the
keyword bid on. Two keywords with n buyers in common, of a and b, weigh the cosine n / √(a · b), shrunk by
n / (n + `copurchase_shrinkage`): two keywords of one buyer each that is the same have a cosine of 1 and prove little.
Lift was not taken since it favours the rarest keywords, which is what the shrinkage works against.

Advertisers with very many keywords (a setting) sell everything: they are no evidence of what belongs together and are
left out of everything here, of factors, walks and recall tables; the mining report counts them.
"""

import ibis
import ibis.expr.types as ir

from mining.engines import Engine
from mining.settings import MiningSettings


def find_purchases(
    engine: Engine, bids: ir.Table, ad_events: ir.Table, settings: MiningSettings
) -> tuple[ir.Table, ir.Table]:
    """Who buys what, and all advertisers numbered, from bids and ad_events with the keyword_id of the keyword bid on.

    First the purchases: advertiser_no, keyword_id, first_date, last_date. Then every advertiser with a purchase, also
    those of everything, in the order of their ids: advertiser_id, advertiser_no.
    """
    standing = bids.filter(bids.status != "removed")
    each = ibis.union(
        standing.select("advertiser_id", "keyword_id", day=standing.created_ts.date()),
        ad_events.select("advertiser_id", "keyword_id", day=ad_events.ts.date()),
    )
    advertisers = each.select("advertiser_id").distinct()
    accounts = engine.materialise(
        "accounts", advertisers.mutate(advertiser_no=ibis.row_number().over(order_by=advertisers.advertiser_id))
    )
    each = each.join(accounts, "advertiser_id")
    bought = each.group_by("advertiser_no", "keyword_id").agg(first_date=each.day.min(), last_date=each.day.max())
    sized = bought.mutate(keywords=bought.count().over(ibis.window(group_by=bought.advertiser_no)))
    purchases = sized.filter(sized.keywords <= settings.account_max_keywords).drop("keywords")
    return engine.materialise("purchases", purchases), accounts


def count_buyers(engine: Engine, purchases: ir.Table) -> ir.Table:
    """How many advertisers buy each keyword, and when: keyword_id, buyers, first_date, last_date."""
    return engine.materialise(
        "buyers",
        purchases.group_by("keyword_id").agg(
            buyers=purchases.count(), first_date=purchases.first_date.min(), last_date=purchases.last_date.max()
        ),
    )


def find_copurchases(engine: Engine, purchases: ir.Table, buyers: ir.Table, settings: MiningSettings) -> ir.Table:
    """Pairs with enough buyers in common: low_id < high_id, weight, advertisers, first_date, last_date.

    A pair is dated by the first and the last bid or ad of the common buyers on either keyword.
    """
    # A pair cannot have more buyers than either keyword.
    popular = buyers.filter(buyers.buyers >= settings.min_advertisers)
    one = purchases.semi_join(popular, "keyword_id")
    other = one.view()
    both = one.join(other, [one.advertiser_no == other.advertiser_no, one.keyword_id < other.keyword_id]).select(
        low_id=one.keyword_id,
        high_id=other.keyword_id,
        first_date=ibis.least(one.first_date, other.first_date),
        last_date=ibis.greatest(one.last_date, other.last_date),
    )
    pairs = both.group_by("low_id", "high_id").agg(
        advertisers=both.count(), first_date=both.first_date.min(), last_date=both.last_date.max()
    )
    pairs = pairs.filter(pairs.advertisers >= settings.min_advertisers)
    pairs = engine.materialise("bought_pairs", pairs)
    low = buyers.select(low_id="keyword_id", low_buyers="buyers")
    high = buyers.select(high_id="keyword_id", high_buyers="buyers")
    pairs = pairs.join(low, "low_id").join(high, "high_id")
    common = pairs.advertisers.cast("float64")
    cosine = common / (pairs.low_buyers.cast("float64") * pairs.high_buyers.cast("float64")).sqrt()
    return pairs.select(
        "low_id", "high_id", "advertisers", "first_date", "last_date",
        weight=cosine * common / (common + settings.copurchase_shrinkage),
    )  # fmt: skip


def weigh_pairs(pairs: ir.Table, purchases: ir.Table, buyers: ir.Table) -> ir.Table:
    """Pairs keyword_id, neighbor_id with their evidence: advertisers in common, which may be none, and dates.

    The dates are the first and the last on which anybody bought either.
    """
    one = purchases.select("keyword_id", "advertiser_no")
    other = purchases.select("advertiser_no", neighbor_id="keyword_id")
    common = pairs.join(one, "keyword_id").join(other, ["neighbor_id", "advertiser_no"])
    common = common.group_by("keyword_id", "neighbor_id").agg(advertisers=common.count())
    first = buyers.select("keyword_id", first_of_one="first_date", last_of_one="last_date")
    second = buyers.select(neighbor_id="keyword_id", first_of_other="first_date", last_of_other="last_date")
    rows = pairs.join(first, "keyword_id").join(second, "neighbor_id")
    rows = rows.left_join(common, ["keyword_id", "neighbor_id"])
    return rows.select(
        *pairs.columns,
        advertisers=rows.advertisers.fill_null(0),
        first_date=ibis.least(rows.first_of_one, rows.first_of_other),
        last_date=ibis.greatest(rows.last_of_one, rows.last_of_other),
    )
