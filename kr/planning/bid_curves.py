"""What a search brings a keyword at a bid: the chance to be shown, clicks, cost, position.

From the sampled pages of the query itself, joined with the curve of queries that have as many ads; the more pages a
query has, the more its own count (a Dirichlet process with `POOLED_PAGES` pages of prior).
"""

from dataclasses import dataclass

import numpy as np

from indexes.arrays import Array, ranges
from indexes.auction_landscape import CURVES, PRICES, RATES, RATIOS, SLOTS, AuctionLandscape, page_curves

POOLED_PAGES = 6.0
AT_A_TIME = 200_000
_DEPTH, _CLICKS, _FLOOR = (RATES.index(name) for name in ("depth", "clicks", "floor"))
SHOWN, CLICKED, COST, POSITION = range(len(CURVES))


@dataclass(frozen=True)
class Curves:
    """Of a search of each query at its bid: float64 (queries, CURVES), clicks by the query's own click rate, money in
    micros; and `pages` float64 (queries,), how many pages stand behind it, the prior's included."""

    values: Array
    pages: Array


def curves_at(landscape: AuctionLandscape, query: Array, bid: Array) -> Curves:
    """The curves of queries (canonical ids int64) at bids (micros float64), row by row."""
    parts = [_curves(landscape, query[begin : begin + AT_A_TIME], bid[begin : begin + AT_A_TIME])
             for begin in range(0, len(query), AT_A_TIME)]  # fmt: skip
    values = np.concatenate([np.empty((0, len(CURVES))), *(part[0] for part in parts)])
    return Curves(values, np.concatenate([np.empty(0), *(part[1] for part in parts)]))


def _curves(landscape: AuctionLandscape, query: Array, bid: Array) -> tuple[Array, Array]:
    rates = landscape.rates[query].astype(np.float64)
    floor, click_rate = np.maximum(rates[:, _FLOOR], 1.0), rates[:, _CLICKS]
    slot_rates = np.array(landscape.model["slot_rates"])
    sampled = landscape.page_counts[query].astype(np.float64)
    starts = landscape.page_offsets[query]
    with_ads = landscape.page_offsets[query + 1] - starts
    row = np.repeat(np.arange(len(query)), with_ads)
    pages = PRICES[landscape.pages[ranges(starts, with_ads)]]
    each = page_curves(pages, floor[row], bid[row], slot_rates)
    own = np.column_stack([np.bincount(row, each[:, column], len(query)) for column in range(len(CURVES))])
    alone = page_curves(np.zeros((len(query), SLOTS)), floor, bid, slot_rates)
    own = (own + (sampled - with_ads)[:, None] * alone) / np.maximum(sampled, 1.0)[:, None]
    weight = (sampled / (sampled + POOLED_PAGES))[:, None]
    values = weight * own + (1 - weight) * _pooled(landscape, rates[:, _DEPTH], floor, bid)
    values[:, CLICKED : COST + 1] *= click_rate[:, None]
    return values, sampled + POOLED_PAGES


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
