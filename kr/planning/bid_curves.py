"""What a search brings a keyword at a bid: the chance to be shown, clicks, cost, position.

From the sampled pages of the query itself, joined with the curve of queries that have as many ads; the more pages a
query has, the more its own count (a Dirichlet process with `POOLED_PAGES` pages of prior). The least price of a click
is known from few clicks: curves are averages over what it may be, so that a bid just below the likeliest is forecast
something, and one just above it not everything.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from indexes.arrays import Array, ranges
from indexes.auction_landscape import (
    CURVES,
    PRICES,
    RATES,
    RATIOS,
    SLOTS,
    AuctionLandscape,
    least_price_up_to,
    page_curves,
)

POOLED_PAGES = 6.0
AT_A_TIME = 200_000
LEAST_PRICES = 7
"""Least prices of equal probability over which the pooled curves are averaged."""
_DEPTH, _CLICKS, _FLOOR = (RATES.index(name) for name in ("depth", "clicks", "floor"))
SHOWN, CLICKED, COST, POSITION = range(len(CURVES))


@dataclass(frozen=True)
class Curves:
    """Of a search of each query at its bid: float64 (queries, CURVES), clicks by the query's own click rate, money in
    micros; `pages` float64 (queries,), how many pages stand behind it, the prior's included; and `reached` float64
    (queries,), the chance that the bid reaches the least price."""

    values: Array
    pages: Array
    reached: Array


def curves_at(landscape: AuctionLandscape, query: Array, bid: Array) -> Curves:
    """The curves of queries (canonical ids int64) at bids (micros float64), row by row."""
    parts = [_curves(landscape, query[begin : begin + AT_A_TIME], bid[begin : begin + AT_A_TIME])
             for begin in range(0, len(query), AT_A_TIME)]  # fmt: skip
    values = np.concatenate([np.empty((0, len(CURVES))), *(part.values for part in parts)])
    pages, reached = (
        np.concatenate([np.empty(0), *(getattr(part, name) for part in parts)]) for name in ("pages", "reached")
    )
    return Curves(values, pages, reached)


def floor_spread(landscape: AuctionLandscape, query: Array) -> Array:
    """Standard deviation of the logarithm of the least price of a click on queries, float64; 0 in older snapshots."""
    events = np.maximum(landscape.shapes[query, _FLOOR].astype(np.float64), 1e-3)
    found: Array = np.sqrt(float(landscape.model.get("floor_spread", 0.0)) / events)
    return found


def _curves(landscape: AuctionLandscape, query: Array, bid: Array) -> Curves:
    rates = landscape.rates[query].astype(np.float64)
    floor, click_rate = np.maximum(rates[:, _FLOOR], 1.0), rates[:, _CLICKS]
    spread = floor_spread(landscape, query)
    slot_rates = np.array(landscape.model["slot_rates"])
    sampled = landscape.page_counts[query].astype(np.float64)
    starts = landscape.page_offsets[query]
    with_ads = landscape.page_offsets[query + 1] - starts
    row = np.repeat(np.arange(len(query)), with_ads)
    pages = PRICES[landscape.pages[ranges(starts, with_ads)]]
    each = page_curves(pages, row, floor, spread, bid, slot_rates)
    own = np.column_stack([np.bincount(row, each[:, column], len(query)) for column in range(len(CURVES))])
    alone = page_curves(np.zeros((len(query), SLOTS)), np.arange(len(query)), floor, spread, bid, slot_rates)
    own = (own + (sampled - with_ads)[:, None] * alone) / np.maximum(sampled, 1.0)[:, None]
    weight = (sampled / (sampled + POOLED_PAGES))[:, None]
    values = weight * own + (1 - weight) * _pooled_on_average(landscape, rates[:, _DEPTH], floor, spread, bid)
    values[:, CLICKED : COST + 1] *= click_rate[:, None]
    return Curves(values, sampled + POOLED_PAGES, least_price_up_to(bid, floor, spread)[0])


def _pooled_on_average(landscape: AuctionLandscape, depth: Array, floor: Array, spread: Array, bid: Array) -> Array:
    """The pooled curve, averaged over what the least price may be."""
    if not spread.any():
        return _pooled(landscape, depth, floor, bid)
    steps = ndtri((np.arange(LEAST_PRICES) + 0.5) / LEAST_PRICES)
    # So few prices vary a little less than all: their mean is made that of all.
    scale = floor / np.exp(spread[:, None] * steps).mean(axis=1)
    total = np.zeros((len(bid), len(CURVES)))
    for step in steps:
        total += _pooled(landscape, depth, scale * np.exp(spread * step), bid)
    return total / LEAST_PRICES


def _pooled(landscape: AuctionLandscape, depth: Array, floor: Array, bid: Array) -> Array:
    """The curve of queries with as many ads on a page, between its two nearest ratios of bid and least price."""
    bounds = np.array(landscape.model["depths"])
    pool = landscape.curves[np.minimum(np.searchsorted(bounds, depth), len(bounds) - 1)]
    step = np.clip(np.log2(np.maximum(bid / floor, 1e-6) / RATIOS[0]) * 4, 0.0, len(RATIOS) - 1.001)
    low = np.floor(step).astype(np.int64)
    # Between the last ratio below the least price and that price an ad is not shown, however near.
    part = np.where(bid >= floor, step - low, 0.0)[:, None]
    low = np.where(bid >= floor, np.maximum(low, int(np.searchsorted(RATIOS, 1.0 - 1e-9))), 0)
    rows = np.arange(len(bid))
    mixed = (1 - part) * pool[rows, low] + part * pool[rows, low + 1]
    mixed[:, COST] *= floor
    result: Array = mixed
    return result
