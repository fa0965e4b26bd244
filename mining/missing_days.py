"""Days of a log that are missing: nobody searched on them, though people search every day.

A log of few searches has days without any, and nothing is wrong with it. In one of many, a day without searches was not
delivered, and what is counted by calendar months would be too little.
"""

from datetime import date, timedelta
from statistics import median_low

import ibis.expr.types as ir

from mining.engines import Engine
from mining.settings import MiningSettings


def find_missing_days(
    engine: Engine, searches: ir.Table, first: date, last: date, settings: MiningSettings
) -> list[date]:
    """The days between the first and the last without searches, in order, if days usually have enough of them."""
    dated = searches.select(date=searches.ts.date())
    days = engine.collect(dated.group_by("date").agg(searches=dated.count()).order_by("date"))
    if median_low(days["searches"].to_pylist()) < settings.missing_day_searches:
        return []
    present = set(days["date"].to_pylist())
    every = (first + timedelta(days=place) for place in range((last - first).days + 1))
    return [day for day in every if day not in present]
