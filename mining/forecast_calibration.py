"""How sure forecasts may be: backtests over the last weeks of the log, each from what was known before.

For each origin everything is fitted to the weeks before it, and four weeks are forecast: searches, impressions, clicks,
cost, conversions and value of all ads on each keyword's pages. Where the outcome fell in its predictive distribution
(a randomised probability integral transform, Czado, Gneiting & Held 2009) says between which levels of the distribution
80 % fall in truth: conformal quantiles, by tier of demand and metric; and of sets of keywords, by their size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from indexes.arrays import Array
from mining.demand_levels import (
    TIERS,
    LevelModel,
    Pools,
    Weeks,
    choose_levels,
    choose_pools,
    levels_of,
    pool_demand,
    tier_of,
)
from mining.log_rates import posterior, word_effects
from mining.set_calibration import EVENTS_OF, SET_SIZES, Moments, moments_of_sets, place_of, random_sets

HORIZON = 4
"""Weeks that are forecast in a backtest."""
ORIGINS = 3
FEWEST_WEEKS = 8
"""Weeks before an origin."""
FEWEST_OUTCOMES = 100
LEAST_MEAN = 0.1
"""Outcomes expected to be rarer are nearly surely nothing, and say nothing of a calibration."""
WIDEST = (0.02, 0.98)
METRICS = ("searches", "impressions", "clicks", "cost_micros", "conversions", "value_micros")
_OTHER_COUNTS = ("expected_clicks_micros", "last_clicks", "last_cost_micros")
SEED = 20231122
FLOOR_SPREAD = 0.2
"""Squared standard deviation of the logarithm of a least price, times its events, where no backtest tells."""
FLOOR_CLICKS = 2
"""Later clicks at the least price from which a keyword tells how right its forecast was."""
_MEDIAN_SQUARE = 0.4549
"""The median of the square of a standard normal variable."""
PRICE_EVENTS = 3.0
"""Clicks (or conversions) as many as which the prior of a price (or an order's value) counts."""
_SLOT_EVENTS = 20.0


@dataclass(frozen=True)
class WeekCounts:
    """Counts of groups of close variants by whole weeks, as entries: `row` of `heads` (keyword ids), `week` from 0."""

    heads: Array
    row: Array
    week: Array
    table: dict[str, Array]
    length: int
    first: int

    def __len__(self) -> int:
        return self.length

    def total(self, name: str, begin: int = 0, end: int | None = None) -> Array:
        """One count of each head over weeks begin..end, float64."""
        inside = (self.week >= begin) & (self.week < (self.length if end is None else end))
        return np.bincount(self.row[inside], self.table[name][inside], len(self.heads))

    def weeks(self) -> Weeks:
        """The searches."""
        entries = (self.table["searches"], (self.row, self.week))
        return Weeks(csr_array(entries, shape=(len(self.heads), self.length)), self.first)


@dataclass(frozen=True)
class Rate:
    """One rate of all heads: its value, the events behind it, the words' effects, and the market's logarithm."""

    value: Array
    shape: Array
    effects: Array
    market: float
    spread: float


@dataclass(frozen=True)
class FittedRates:
    """Rates by name: `indexes.auction_landscape.RATES`, price (of a click), slot (clicks expected of an impression)."""

    of: dict[str, Rate]


def fit_rates(counts: WeekCounts, words: csr_array, until: int) -> FittedRates:
    """Every rate, from what was known when so many weeks had passed."""
    total = {name: counts.total(name, 0, until) for name in counts.table}
    expected = total["expected_clicks_micros"] / 1e6
    rates = {
        "depth": _rate(words, total["impressions"], total["searches"]),
        "clicks": _rate(words, total["clicks"], expected),
        "conversions": _rate(words, total["conversions"], total["clicks"]),
        "floor": _price(words, total["last_cost_micros"], total["last_clicks"]),
        "price": _price(words, total["cost_micros"], total["clicks"]),
        "order_value": _price(words, total["value_micros"], total["conversions"]),
    }
    share = float(expected.sum()) / max(float(total["impressions"].sum()), 1.0)
    own = (expected + _SLOT_EVENTS * share) / (total["impressions"] + _SLOT_EVENTS)
    none = np.zeros(words.shape[1])
    rates["slot"] = Rate(own, total["impressions"] + _SLOT_EVENTS, none, float(np.log(max(share, 1e-9))), _SLOT_EVENTS)
    return FittedRates(rates)


def _rate(words: csr_array, events: Array, exposure: Array) -> Rate:
    market, effects = word_effects(words, events, exposure)
    value, shape, spread = posterior(events, exposure, np.exp(np.clip(market + words @ effects, -30, 30)))
    return Rate(value, shape, effects, market, spread)


def _price(words: csr_array, micros: Array, events: Array) -> Rate:
    """A mean amount of money an event, in micros; events weigh by how many they are, not by their money."""
    unit = max(float(micros.sum()) / max(float(events.sum()), 1.0), 1.0)
    market, effects = word_effects(words, micros / unit, events)
    prior = np.exp(np.clip(market + words @ effects, -30, 30)) * unit
    value = (micros + PRICE_EVENTS * prior) / (events + PRICE_EVENTS)
    return Rate(value, events + PRICE_EVENTS, effects, market + float(np.log(unit)), PRICE_EVENTS)


@dataclass(frozen=True)
class Calibration:
    """What the backtests taught; see `mining.forecast_part` for the names."""

    levels: LevelModel
    week_noise: tuple[float, ...]
    shared: dict[str, float]
    """By metric, errors of the whole market's forecast; and `pool`, those of pools' searches beside it."""
    price_spread: float
    order_spread: float
    floor_spread: float
    bands: dict[str, list[list[float]]]
    set_bands: dict[str, list[list[float]]]
    origins: int

    def as_dict(self) -> dict[str, Any]:
        """For model.json."""
        return {
            "week_noise": [round(value, 8) for value in self.week_noise],
            "shared": {name: round(value, 8) for name, value in self.shared.items()},
            "price_spread": self.price_spread,
            "order_spread": self.order_spread,
            "floor_spread": round(self.floor_spread, 8),
            "calibration": self.bands,
            "set_calibration": self.set_bands,
            "set_sizes": list(SET_SIZES),
            "tiers": list(TIERS),
            "backtests": self.origins,
            "backtest_weeks": HORIZON,
        }


@dataclass(frozen=True)
class _Backtest:
    """One origin: expected searches, their level's shape, the pools, and what came."""

    origin: int
    mean: Array
    shape: Array
    pools: Pools
    pool_forecast: Array
    rates: FittedRates
    actual: dict[str, Array]
    known: Array


PRICE_SPREAD, ORDER_SPREAD = 0.35, 0.6
"""Squared coefficients of variation of a click's price on a page, and of an order's value."""
MONEY_SPREAD = {"cost_micros": 1 + PRICE_SPREAD, "value_micros": 1 + ORDER_SPREAD}


def backtests(counts: WeekCounts, words: csr_array) -> Calibration:
    """Backtest from up to ORIGINS origins, HORIZON weeks apart, the last one HORIZON weeks before the end."""
    last = len(counts)
    origins = [last - HORIZON * number for number in range(1, ORIGINS + 1)]
    origins = [origin for origin in origins if origin >= FEWEST_WEEKS]
    whole = [[list(NOMINAL) for _ in METRICS] for _ in range(len(TIERS) + 1)]
    if not origins:
        default = LevelModel((0.985,) * (len(TIERS) + 1), 0.4, 0.05)
        return Calibration(
            default, (0.5, 0.2, 0.1), dict.fromkeys(METRICS, 0.02) | {"pool": 0.05}, PRICE_SPREAD, ORDER_SPREAD,
            FLOOR_SPREAD, {name: [tier[place] for tier in whole] for place, name in enumerate(METRICS)},
            {name: [list(NOMINAL) for _ in SET_SIZES] for name in METRICS}, 0,
        )  # fmt: skip
    levels = _levels(counts, words, origins[0])
    runs = [_backtest(counts, words, origin, levels) for origin in origins]
    noise, shared = _noise(runs), _shared(runs)
    singles = [_transforms(run, noise, number) for number, run in enumerate(runs)]
    sets = [_set_transforms(run, noise, shared, number) for number, run in enumerate(runs)]
    bands = {name: _bands([each[name] for each in singles], len(TIERS) + 1) for name in METRICS}
    set_bands = {name: _bands([each[name] for each in sets], len(SET_SIZES), even=True) for name in METRICS}
    return Calibration(
        levels, noise, shared, PRICE_SPREAD, ORDER_SPREAD, _floor_spread(runs), bands, set_bands, len(runs)
    )


NOMINAL = (0.1, 0.9)


def _band(places: Array) -> list[float]:
    """The levels between which 80 % of the outcomes fell, as conformal prediction counts them (n + 1)."""
    count = len(places)
    if count < FEWEST_OUTCOMES:
        return list(NOMINAL)
    ordered = np.sort(places)
    low = ordered[max(int(np.floor((count + 1) * NOMINAL[0])) - 1, 0)]
    high = ordered[min(int(np.ceil((count + 1) * NOMINAL[1])) - 1, count - 1)]
    return [round(float(np.clip(low, WIDEST[0], 0.4)), 4), round(float(np.clip(high, 0.6, WIDEST[1])), 4)]


def _bands(outcomes: list[tuple[Array, Array]], classes: int, even: bool = False) -> list[list[float]]:
    """The band of each class, from (class, place) of the outcomes of each origin.

    `even` bands lie as far below the median as above it: all sets of an origin share its weeks, and on which side of
    their forecasts so few origins fell says nothing of the next.
    """
    number, place = (np.concatenate([each[side] for each in outcomes]) for side in (0, 1))
    if even:
        number, place = np.tile(number, 2), np.concatenate([place, 1 - place])
    return [_band(place[number == each]) for each in range(classes)]


def _floor_spread(runs: list[_Backtest]) -> float:
    """How far least prices fell from their forecasts: by the median of squares, which a few odd prices do not move."""
    squares = []
    for run in runs:
        floor = run.rates.of["floor"]
        clicks, cost = run.actual["last_clicks"], run.actual["last_cost_micros"]
        told = (clicks >= FLOOR_CLICKS) & (cost > 0) & (floor.value > 0)
        error = np.log(cost[told] / clicks[told] / floor.value[told])
        squares.append(np.square(error) * floor.shape[told])
    found = np.concatenate(squares)
    return (
        float(np.clip(np.median(found) / _MEDIAN_SQUARE, 0.01, 1.0)) if len(found) >= FEWEST_OUTCOMES else FLOOR_SPREAD
    )


def _levels(counts: WeekCounts, words: csr_array, origin: int) -> LevelModel:
    weeks = counts.weeks().before(origin)
    pools = choose_pools(words, weeks)
    demand = pool_demand(weeks, pools, HORIZON)
    future = demand[pools.of_keyword, origin:].sum(axis=1)
    return choose_levels(weeks, demand, pools, counts.total("searches", origin, origin + HORIZON), future)


def _backtest(counts: WeekCounts, words: csr_array, origin: int, levels: LevelModel) -> _Backtest:
    weeks = counts.weeks().before(origin)
    pools = choose_pools(words, weeks)
    demand = pool_demand(weeks, pools, HORIZON)
    shape, rate = levels_of(weeks, demand, pools, levels)
    mean = shape / rate * demand[pools.of_keyword, origin:].sum(axis=1)
    known = np.asarray(weeks.searches.sum(axis=1)).ravel() > 0
    return _Backtest(
        origin=origin,
        mean=np.where(known, mean, 0.0),
        shape=shape,
        pools=pools,
        pool_forecast=np.bincount(pools.of_keyword, np.where(known, mean, 0.0), pools.count),
        rates=fit_rates(counts, words, origin),
        actual={name: counts.total(name, origin, origin + HORIZON) for name in (*METRICS, *_OTHER_COUNTS)},
        known=known,
    )


def _noise(runs: list[_Backtest]) -> tuple[float, ...]:
    """Squared coefficient of variation beyond Poisson and the level's uncertainty, by tier."""
    found = []
    for tier in range(len(TIERS) + 1):
        above = below = 0.0
        for run in runs:
            own = run.known & (tier_of(run.mean / HORIZON) == tier)
            mean, actual = run.mean[own], run.actual["searches"][own]
            left = np.square(actual - mean) - mean - np.square(mean) / run.shape[own]
            above += float((left / np.maximum(mean, 1e-9)).sum())
            below += float(mean.sum())
        found.append(float(np.clip(above / max(below, 1e-9), 0.0, 2.0)))
    return tuple(found)


def _shared(runs: list[_Backtest]) -> dict[str, float]:
    """Squared errors of the forecasts of the whole market by metric, and of pools beside it, relative."""
    market = dict.fromkeys(METRICS, 0.0)
    pool, pools = 0.0, 0
    for run in runs:
        means = _means(run)
        for name in METRICS:
            actual, expected = float((run.actual[name] * run.known).sum()), float(means[name].sum())
            events = float((run.actual[EVENTS_OF.get(name, name)] * run.known).sum())
            # What so many events vary by themselves is counted elsewhere.
            error = np.log(max(actual, 1.0) / max(expected, 1.0)) if events >= FEWEST_OUTCOMES else 0.0
            market[name] += max(float(error) ** 2 - MONEY_SPREAD.get(name, 1.0) / max(events, 1.0), 0.0)
        actual_of_pool = np.bincount(run.pools.of_keyword, run.actual["searches"] * run.known, run.pools.count)
        whole = np.log(max(actual_of_pool.sum(), 1.0) / max(run.pool_forecast.sum(), 1.0))
        large = run.pool_forecast[1:] >= 30
        error_of_pool = np.log(np.maximum(actual_of_pool[1:][large], 1.0) / run.pool_forecast[1:][large]) - whole
        pool += float((np.square(error_of_pool) - 1 / run.pool_forecast[1:][large]).sum())
        pools += int(large.sum())
    # With so few origins the mean square is itself uncertain: one more of the prior's size is counted in.
    found = {name: (value + 0.003) / (len(runs) + 1) for name, value in market.items()}
    # What shakes searches shakes all that follows from them.
    found = {name: max(value, found["searches"]) for name, value in found.items()}
    return found | {"pool": float(np.clip((pool + 0.02) / (pools + 1), 0.001, 0.5))}


def _advertisers(run: _Backtest) -> tuple[float, float]:
    """What the market showed in a backtest over what was known before: ads a search, and clicks expected of an ad.

    Backtests count the ads of all advertisers, who come and go. A forecast is of one's own bid in auctions as they are,
    so that how many others there are is no error of it.
    """
    actual = {name: counts * run.known for name, counts in run.actual.items()}
    ads, clicks = actual["impressions"], actual["expected_clicks_micros"] / 1e6
    if min(ads.sum(), clicks.sum()) < FEWEST_OUTCOMES:
        return 1.0, 1.0
    depth, slot = (run.rates.of[name].value for name in ("depth", "slot"))
    return float(ads.sum() / (actual["searches"] @ depth)), float(clicks.sum() / (ads @ slot))


def _means(run: _Backtest) -> dict[str, Array]:
    """Expected outcomes of all ads on each keyword's pages, by metric."""
    of = run.rates.of
    more_ads, better_places = _advertisers(run)
    impressions = run.mean * of["depth"].value * more_ads
    clicks = impressions * of["slot"].value * better_places * of["clicks"].value
    conversions = clicks * of["conversions"].value
    return {
        "searches": run.mean,
        "impressions": impressions,
        "clicks": clicks,
        "cost_micros": clicks * of["price"].value,
        "conversions": conversions,
        "value_micros": conversions * of["order_value"].value,
    }


def _moments(run: _Backtest, noise: Sequence[float]) -> Moments:
    """Mean and variance of all metrics; `noise` is the searches' squared variation beyond Poisson, by tier."""
    spread = 1 / run.shape + np.array(noise)[tier_of(run.mean / HORIZON)]
    of, mean, expectations = run.rates.of, run.mean, _means(run)
    impressions, clicks, conversions = (expectations[name] for name in ("impressions", "clicks", "conversions"))
    impression_spread = spread + 1 / of["depth"].shape
    click_spread = impression_spread + 1 / of["clicks"].shape + 1 / of["slot"].shape
    conversion_spread = click_spread + 1 / of["conversions"].shape
    found = {
        # A page shows several ads or none: impressions come in lumps.
        "searches": (mean, mean + mean**2 * spread),
        "impressions": (impressions, impressions * (1 + of["depth"].value) + impressions**2 * impression_spread),
        "clicks": (clicks, clicks + clicks**2 * click_spread),
        "conversions": (conversions, conversions + conversions**2 * conversion_spread),
    }
    price, order = of["price"], of["order_value"]
    amounts = {
        "cost_micros": (price, PRICE_SPREAD, click_spread),
        "value_micros": (order, ORDER_SPREAD, conversion_spread),
    }
    for name, (rate, each, own_spread) in amounts.items():
        events, expected = expectations[EVENTS_OF[name]], expectations[name]
        variance = events * rate.value**2 * (1 + each) + expected**2 * (own_spread + each / rate.shape)
        found[name] = (expected, variance)
    return found


def _transforms(run: _Backtest, noise: Sequence[float], number: int) -> dict[str, tuple[Array, Array]]:
    """Tier and place in the predictive distribution of each outcome, by metric."""
    generator = np.random.default_rng(SEED + number)
    tier = tier_of(run.mean / HORIZON)
    moments = _moments(run, noise)
    found = {}
    for name in METRICS:
        place = place_of(name, run.actual[name], moments, generator.random(len(run.mean)))
        judged = run.known & (moments[EVENTS_OF.get(name, name)][0] >= LEAST_MEAN)
        found[name] = (tier[judged], place[judged])
    return found


def _set_transforms(
    run: _Backtest, noise: Sequence[float], shared: dict[str, float], number: int
) -> dict[str, tuple[Array, Array]]:
    """Place among SET_SIZES, and place in the predictive distribution, of the outcomes of random sets, by metric."""
    generator = np.random.default_rng(SEED + 100 + number)
    tier = np.where(run.known, tier_of(run.mean / HORIZON), -1)
    own = _moments(run, [max(each - shared["searches"] - shared["pool"], 0.0) for each in noise])
    found: dict[str, list[tuple[Array, Array]]] = {name: [] for name in METRICS}
    for place, size in enumerate(SET_SIZES):
        sets = random_sets(generator, tier, len(TIERS) + 1, size)
        moments = moments_of_sets(own, sets, run.pools.of_keyword, shared)
        for name in METRICS:
            fell = place_of(name, run.actual[name][sets].sum(axis=1), moments, generator.random(len(sets)))
            judged = moments[EVENTS_OF.get(name, name)][0] >= LEAST_MEAN
            found[name].append((np.full(int(judged.sum()), place), fell[judged]))
    return {name: (np.concatenate([a for a, _ in each]), np.concatenate([b for _, b in each]))
            for name, each in found.items()}  # fmt: skip
