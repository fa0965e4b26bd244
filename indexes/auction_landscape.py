"""What forecasts are read from: demand, click, conversion and price levels of keywords, and the auctions they are in.

An optional part, written at build by `mining.forecast_part`; a snapshot from a log without ads has none. Rows belong
to the canonical keyword of each group of close variants; other rows are zero.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtr

from indexes.arrays import Array, ArrayReader, checked, write_array, write_json

SLOTS = 8
RATES = ("depth", "clicks", "floor", "conversions", "order_value")
"""Rates of a keyword, columns of `rates` and of `term_effects`: ads on a page; clicks over those expected of the slots;
the least price of a click, micros; conversions of a click; value of a conversion, micros."""
CURVES = ("shown", "clicks", "cost", "position")
"""Of a search at a bid: whether the ad is shown, its clicks where the keyword's click rate is 1, what these cost, and
the position times whether it is shown."""
_CODES_AN_OCTAVE = 16
_LEAST_PRICE = 10_000
_LEAST_SPREAD = 1e-6
"""A standard deviation below which a least price is known."""
WEEKS_AHEAD = 52


def price_codes(micros: Array) -> Array:
    """Prices as uint8 on a scale of 16 steps an octave from 0.01; 0 stands for none (a price of 0 or below)."""
    steps = np.rint(np.log2(np.maximum(micros, 1) / _LEAST_PRICE) * _CODES_AN_OCTAVE) + 1
    codes: Array = np.where(np.asarray(micros) > 0, np.clip(steps, 1, 255), 0).astype(np.uint8)
    return codes


PRICES: Array = np.concatenate([[0.0], _LEAST_PRICE * 2.0 ** (np.arange(255) / _CODES_AN_OCTAVE)])
"""The price in micros of each code, float64 (256,)."""

RATIOS: Array = 2.0 ** (np.arange(-2, 29) / 4)
"""Bids over the least price, at which the pooled curves are given, float64."""


@dataclass(frozen=True)
class AuctionLandscape:
    """The mapped columns; K keywords, T terms."""

    level: Array
    """float32 (K, 2): shape a and rate b of the gamma distribution of searches a week where the pool's demand is 1."""
    pool: Array
    """uint16 (K,): whose season and trend the keyword follows."""
    rates: Array
    """float32 (K, RATES)."""
    shapes: Array
    """float32 (K, RATES): how many events stand behind each rate, those of the prior included."""
    evidence: Array
    """int32 (K, 3): searches, clicks on ads, conversions of its group in the log."""
    page_offsets: Array
    pages: Array
    """uint8 (pages, SLOTS): price codes of the bids that hold the slots, of sampled pages with ads; from slot 1."""
    page_counts: Array
    """uint16 (K,): sampled pages, those without ads too."""
    term_effects: Array
    """float32 (T, RATES): logarithms that a keyword's words add to each rate."""
    term_pools: Array
    """int32 (T,): the pool of a term, -1 where it has none; a keyword takes that of its term with the least demand."""
    pool_demand: Array
    """float32 (pools, WEEKS_AHEAD): demand in the coming weeks, 1 as in the average week of the past year."""
    curves: Array
    """float32 (depth classes, RATIOS, CURVES): the auctions of alike keywords, prices in units of the least price."""
    model: dict[str, Any]
    """Numbers of the whole market: see `mining.forecast_part`."""

    @staticmethod
    def open(reader: ArrayReader, facts: dict[str, Any], keywords: int, terms: int) -> "AuctionLandscape | None":
        """The part, or None in a snapshot that was built without."""
        if not facts.get("auction_landscape"):
            return None

        def part(name: str, dtype: Any, length: int | None, ndim: int = 1) -> Array:
            return checked(reader, f"forecast/{name}", dtype, length, ndim)

        return AuctionLandscape(
            level=part("level", np.float32, keywords, 2),
            pool=part("pool", np.uint16, keywords),
            rates=part("rates", np.float32, keywords, 2),
            shapes=part("shapes", np.float32, keywords, 2),
            evidence=part("evidence", np.int32, keywords, 2),
            page_offsets=part("page_offsets", np.int64, keywords + 1),
            pages=part("pages", np.uint8, None, 2),
            page_counts=part("page_counts", np.uint16, keywords),
            term_effects=part("term_effects", np.float32, terms, 2),
            term_pools=part("term_pools", np.int32, terms),
            pool_demand=part("pool_demand", np.float32, None, 2),
            curves=part("curves", np.float32, None, 3),
            model=reader.json("forecast/model.json"),
        )

    def write(self, folder: Path) -> None:
        """Write every column."""
        for name, value in vars(self).items():
            if name == "model":
                write_json(folder, "forecast/model.json", value)
            else:
                write_array(folder, f"forecast/{name}.npy", value)


def least_price_up_to(price: Array, floor: Array, spread: Array) -> tuple[Array, Array]:
    """The chance that the least price of a click is at most `price`, and its mean there, counted as 0 above it.

    The least price is lognormal with the mean `floor`; `spread` is the standard deviation of its logarithm, 0 where it
    is known. Micros float64, of one shape.
    """
    known = spread < _LEAST_SPREAD
    width = np.where(known, 1.0, spread)
    place = np.log(np.maximum(price, 1e-9) / floor) / width + width / 2
    below = price >= floor
    chance: Array = np.where(known, below, ndtr(place))
    mean: Array = floor * np.where(known, below, ndtr(place - width))
    return chance, mean


def page_curves(pages: Array, row: Array, floor: Array, spread: Array, bid: Array, slot_rates: Array) -> Array:
    """What bids get on pages: float64 (pages, CURVES), money in micros; averages over what the least price may be.

    `pages` float64 (pages, SLOTS) are the bids in the slots, 0 for none, highest first; `row` int64 (pages,) says which
    of the bids is made there. Of each bid, float64 (bids,): the bid, and the least price as in `least_price_up_to`. The
    bid takes the place of the first ad that it beats and pays that ad's bid, at least the least price and at most its
    own (a second price). Below the least price it is not shown.
    """
    chance, least = least_price_up_to(bid, floor, spread)
    beaten_by = (pages > bid[row, None]).sum(axis=1)
    slot = np.minimum(beaten_by, SLOTS - 1)
    below = np.take_along_axis(pages, slot[:, None], axis=1)[:, 0]
    shown = np.where(beaten_by < SLOTS, chance[row], 0.0)
    clicks = slot_rates[slot] * shown
    cheaper, cheap = least_price_up_to(below, floor[row], spread[row])
    # The next ad's bid where the least price is below it, else the least price, if the bid reaches that.
    price = below * cheaper + least[row] - cheap
    cost = np.where(beaten_by < SLOTS, slot_rates[slot] * price, 0.0)
    return np.column_stack([shown, clicks, cost, shown * (slot + 1)]).astype(np.float64)
