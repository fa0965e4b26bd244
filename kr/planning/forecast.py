"""Forecasts of keywords and of sets of them, with 80 % ranges (SPEC §2.10).

    searches      level of the query (gamma) · its pool's coming demand
    impressions   searches · share of the auctions that the match type may enter · chance to be shown at the bid
    clicks        by the slots that the bid wins and the query's click rate; cost by the bids beaten there
    conversions, value  by the query's conversion rate and order value

Each metric has a mean and a variance: of the counts themselves, of each query's level and weeks, of rates (which the
queries of one keyword share), and of shocks that all keywords of a pool, and all of the market, share. A set adds
means, and variances of what its keywords do not share. The predictive distributions are those of `indexes.predictive`,
read between the levels that held 80 % in the backtests that the snapshot was calibrated on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from indexes.arrays import Array
from indexes.auction_landscape import RATES, WEEKS_AHEAD, AuctionLandscape
from indexes.errors import NotFoundError, UsageError
from indexes.opened import Indexes
from indexes.predictive import amount_quantile, count_quantile, no_event
from kr.planning.bid_curves import CLICKED, COST, POSITION, SHOWN, Curves, curves_at, floor_spread
from kr.planning.forecast_types import (
    METRICS,
    MOST_WEEKS,
    Basis,
    Estimate,
    KeywordForecast,
    PlanForecast,
    PlannedKeyword,
)
from kr.planning.plan_reach import PlanReach, plan_reach

METHOD = (
    "gamma-Poisson demand with seasons of pools, sampled second-price auctions, rates shrunk to those of the words; "
    "80 % ranges calibrated on held-out weeks"
)
OWN_SEARCHES = 20
"""Searches in the log from which a keyword speaks for itself."""
MOST_KEYWORDS = 10_000
MOST_BID_MICROS = 10**12
_CENT = 10_000
USUAL_RATIO = 2.5
"""The bid taken where none is given and the log knows no top-of-page bid, over the least price."""
_OF_ADS = np.array([False, True, True, True, True, True])
"""Of searches and METRICS, those that a bid below the least price gets nothing of."""
_BANDS = {"searches": 0, "impressions": 1, "clicks": 2, "cost_micros": 3, "conversions": 4, "value_micros": 5}


@dataclass(frozen=True)
class Period:
    """Weeks to forecast: `weights` float64 (WEEKS_AHEAD,), how much of each week after the log lies inside."""

    start: date
    weeks: int
    weights: Array

    @property
    def reach(self) -> float:
        """How far ahead the period ends, in backtested periods of four weeks."""
        inside = np.flatnonzero(self.weights > 0)
        return float(inside[-1] + 1) / 4


@dataclass(frozen=True)
class _Spread:
    """Means and variance parts of all metrics (rows) of each pair: see `Forecaster._pairs`."""

    mean: Array
    level: Array
    least: Array
    rate: Array

    def of(self, rows: Array) -> "_Spread":
        """Some of the pairs."""
        return _Spread(*(column[rows] for column in vars(self).values()))


class Forecaster:
    """Forecasts from one snapshot. NotFoundError if it has no auctions to learn from."""

    def __init__(self, indexes: Indexes) -> None:
        if indexes.landscape is None:
            raise NotFoundError(
                "The snapshot {snapshot} holds nothing to forecast from.",
                "Mine a log that has ad events and bids, and build again.",
                snapshot=indexes.snapshot_id,
            )
        self.indexes = indexes
        self.landscape: AuctionLandscape = indexes.landscape
        self.model = self.landscape.model

    def period(self, start: date | None, weeks: int) -> Period:
        """The period; without a start, from the day after the log's last. UsageError where the log cannot tell."""
        if not 1 <= weeks <= MOST_WEEKS:
            raise UsageError(
                "{weeks} weeks cannot be forecast.", "Ask for 1 to {most} weeks.", weeks=weeks, most=MOST_WEEKS
            )
        first = date.fromisoformat(self.model["first_week"])
        until = date.fromisoformat(self.model["data_until"])
        start = start or until + timedelta(days=1)
        last = first + timedelta(weeks=WEEKS_AHEAD)
        if start <= until or start + timedelta(weeks=weeks) > last:
            raise UsageError(
                "{weeks} weeks from {start} are not in the future that the log of up to {until} can tell of.",
                "Start after {until} and end by {last}, or build a snapshot of a newer log.",
                weeks=weeks,
                start=start,
                until=until,
                last=last,
            )
        weights = np.zeros(WEEKS_AHEAD)
        for week in range(WEEKS_AHEAD):
            monday = first + timedelta(weeks=week)
            begin, end = max(start, monday), min(start + timedelta(weeks=weeks), monday + timedelta(weeks=1))
            weights[week] = max((end - begin).days, 0) / 7
        if start < first:
            # The log ended within a week, whose rest is as the first whole one.
            weights[0] += min((first - start).days, weeks * 7) / 7
        return Period(start, weeks, weights)

    def bids(self, keywords: Sequence[PlannedKeyword], reach: PlanReach) -> Array:
        """Each keyword's bid in micros, float64; without one, what usually reaches the top of the page; NaN unknown."""
        found = np.full(len(keywords), np.nan)
        for place, keyword in enumerate(keywords):
            if keyword.bid_micros is not None:
                if not 0 < keyword.bid_micros <= MOST_BID_MICROS:
                    raise UsageError(
                        "The bid {bid_micros} of {text!r} is out of range.",
                        "Give micros from 1 to {most}.",
                        bid_micros=keyword.bid_micros,
                        text=keyword.text,
                        most=MOST_BID_MICROS,
                    )
                found[place] = keyword.bid_micros
                continue
            queries = reach.query[reach.offsets[place] : reach.offsets[place + 1]]
            if len(queries):
                own = self.indexes.keywords.find(reach.texts[place])
                query = int(self.indexes.stats.canonical[own]) if own >= 0 else int(queries[0])
                usual = int(self.indexes.stats.high_bid_micros[query])
                floor = float(self.landscape.rates[query, RATES.index("floor")])
                found[place] = max(usual, np.ceil(USUAL_RATIO * floor / _CENT) * _CENT)
        return found

    def forecast(self, keywords: Sequence[PlannedKeyword], start: date | None = None, weeks: int = 4) -> PlanForecast:
        """Forecast a set; rows in the order given. UsageError for what cannot be asked, naming it."""
        if not 0 < len(keywords) <= MOST_KEYWORDS:
            raise UsageError(
                "{count:,} keywords were given.", "Give 1 to {most:,}.", count=len(keywords), most=MOST_KEYWORDS
            )
        period = self.period(start, weeks)
        reach = plan_reach(self.indexes, keywords)
        bids = self.bids(keywords, reach)
        owned = reach.owned()
        searched = self.searches(reach.query, period)
        shares = np.array([self.model["match_shares"][keyword.match_type.value] for keyword in keywords])
        rows = np.flatnonzero(owned)
        item, query = reach.item[rows], reach.query[rows]
        curves = curves_at(self.landscape, query, bids[item])
        entered = Curves(curves.values * shares[item][:, None], curves.pages, curves.reached)
        pairs = self._pairs(query, searched[rows], entered, period)
        reachable = np.bincount(reach.item, searched, len(keywords))
        positions = np.bincount(item, searched[rows] * curves.values[:, POSITION] * shares[item], len(keywords))
        by_item = self._estimates(pairs, item, len(keywords), query, period, item)
        found = [
            self._row(keyword, reach, place, bids[place], by_item, reachable[place], positions[place])
            for place, keyword in enumerate(keywords)
        ]
        unknown = sum(row.basis is Basis.NO_HISTORY for row in found)
        whole = np.zeros(len(rows), np.int64)
        everything = self._estimates(pairs, whole, 1, query, period, item, calibrated=False)
        known = unknown < len(found)
        return PlanForecast(
            start=period.start,
            weeks=weeks,
            keywords=tuple(found),
            total={name: _estimate(everything, name, 0) if known else None for name in METRICS},
            groups=self._groups(keywords, pairs, item, query, period),
            weekly=self._weekly(pairs, item, query, period) if known else (),
            unknown_keywords=unknown,
            data_until=date.fromisoformat(self.model["data_until"]),
            method=METHOD,
            snapshot=self.indexes.snapshot_id,
        )

    def searches(self, query: Array, period: Period) -> Array:
        """Expected searches of queries in a period, float64."""
        level = self.landscape.level[query].astype(np.float64)
        demand = self.landscape.pool_demand.astype(np.float64) @ period.weights
        found: Array = level[:, 0] / np.maximum(level[:, 1], 1e-9) * demand[self.landscape.pool[query]]
        return found

    def _pairs(self, query: Array, searches: Array, curves: Curves, period: Period) -> _Spread:
        """Of each pair and metric (searches, then METRICS): the mean, and squared coefficients of variation of what is
        the query's own (level: level and weeks, least: the least price of its ads) and of what the queries of a keyword
        share (rates). Float64 (pairs, 6), of the query's own (pairs,)."""
        rates = self.landscape.rates[query].astype(np.float64)
        shapes = np.maximum(self.landscape.shapes[query].astype(np.float64), 1e-3)
        conversion, order = RATES.index("conversions"), RATES.index("order_value")
        pages, shown, clicks = curves.pages, curves.values[:, SHOWN], curves.values[:, CLICKED]
        conversions = clicks * rates[:, conversion]
        unit = np.column_stack(
            [np.ones(len(query)), shown, clicks, curves.values[:, COST], conversions, conversions * rates[:, order]]
        )
        share = np.clip(shown, 1e-6, 1.0)
        auction = (1 - share) / (share * (pages + 1))
        click = auction + 0.25 / pages + 1 / shapes[:, RATES.index("clicks")]
        cost = click + 0.25 / pages + self._price_variation(query, shapes)
        converted = click + 1 / shapes[:, conversion]
        rate = np.column_stack(
            [np.zeros(len(query)), auction, click, cost, converted,
             converted + self.model["order_spread"] / shapes[:, order]]
        )  # fmt: skip
        tiers = np.searchsorted(np.array(self.model["tiers"]), searches / max(period.weeks, 1), side="right")
        noise = (
            np.array(self.model["week_noise"])[tiers] - self.model["shared"]["searches"] - self.model["shared"]["pool"]
        )
        # Over fewer weeks less is averaged out; further ahead levels drift.
        noise = np.maximum(noise, 0.0) * max(4 / period.weeks, 1.0) ** 0.5 * max(period.reach, 1.0) ** 0.5
        level = noise + max(period.reach, 1.0) ** 0.5 / np.maximum(self.landscape.level[query, 0].astype(float), 1e-3)
        # All or nothing of a query is gained as its bid reaches the least price or not.
        reached = (1 - curves.reached) / np.maximum(curves.reached, 1e-9)
        return _Spread(searches[:, None] * unit, level, reached, rate)

    def _price_variation(self, query: Array, shapes: Array) -> Array:
        """Squared coefficient of variation of the price of a click that is the least one, float64."""
        if "floor_spread" in self.model:
            return np.square(floor_spread(self.landscape, query))
        found: Array = self.model["price_spread"] / shapes[:, RATES.index("floor")]  # of an older snapshot
        return found

    def _estimates(
        self,
        pairs: _Spread,
        group: Array,
        groups: int,
        query: Array,
        period: Period,
        item: Array,
        calibrated: bool = True,
    ) -> Mapping[str, Array]:
        """Mean, low, high and standard deviation of searches and each metric, by group: float64 (groups, 4)."""
        mean = _sums(pairs.mean, group, groups)
        own = pairs.level[:, None] + np.where(_OF_ADS, pairs.least[:, None], 0.0)
        variance = _sums(np.square(pairs.mean) * own, group, groups)
        # Queries of one keyword share its rates' errors, keywords do not.
        keyword, inverse = np.unique(np.column_stack([group, item]), axis=0, return_inverse=True)
        members = np.bincount(keyword[:, 0], minlength=groups)
        of_keyword = np.square(_sums(pairs.mean * np.sqrt(pairs.rate), inverse.ravel(), len(keyword)))
        variance += _sums(of_keyword, keyword[:, 0], groups)
        shared = {name: value * max(period.reach, 1.0) for name, value in self.model["shared"].items()}
        variance += np.square(mean) * np.array([shared[name] for name in _BANDS])
        pool = self.landscape.pool[query].astype(np.int64)
        pools = len(self.landscape.pool_demand)
        key, inverse = np.unique(group * pools + pool, return_inverse=True)
        by_pool = np.square(_sums(pairs.mean, inverse, len(key)))
        variance += shared["pool"] * _sums(by_pool, key // pools, groups)
        counted = (0, 1, 2, 4)
        variance[:, counted] += mean[:, counted]
        bands = self._bands(mean[:, 0] / max(period.weeks, 1)) if calibrated else self._set_bands(members)
        found = {}
        for name, column in _BANDS.items():
            spread = variance[:, column]
            if column in counted:
                low, high = (
                    count_quantile(bands[column, :, side], mean[:, column], variance[:, column]) for side in (0, 1)
                )
            else:
                events = 2 if name == "cost_micros" else 4
                each = self.model["price_spread" if name == "cost_micros" else "order_spread"]
                # Of each query apart: clicks of a set differ in price far more than those of one query.
                amounts = np.square(pairs.mean[:, column]) / np.maximum(pairs.mean[:, events], 1e-12)
                spread = spread + np.bincount(group, amounts, groups) * (1 + each)
                nothing = no_event(mean[:, events], variance[:, events])
                low, high = (
                    amount_quantile(bands[column, :, side], nothing, mean[:, column], spread) for side in (0, 1)
                )
            found[name] = np.column_stack([mean[:, column], low, high, np.sqrt(spread)])
        return found

    def _bands(self, weekly: Array) -> Array:
        """The calibrated levels of each metric and group: float64 (6, groups, 2)."""
        tier = np.searchsorted(np.array(self.model["tiers"]), weekly, side="right")
        return np.array([np.array(self.model["calibration"][name])[tier] for name in _BANDS])

    def _set_bands(self, keywords: Array) -> Array:
        """The same of groups of so many keywords, between the sizes that were backtested."""
        if "set_calibration" not in self.model:
            return np.tile([0.1, 0.9], (len(_BANDS), len(keywords), 1))
        sizes = np.log(self.model["set_sizes"])
        size = np.log(np.maximum(keywords, 1))
        levels = [np.array(self.model["set_calibration"][name]) for name in _BANDS]
        return np.array(
            [np.column_stack([np.interp(size, sizes, each[:, side]) for side in (0, 1)]) for each in levels]
        )

    def _row(
        self,
        keyword: PlannedKeyword,
        reach: PlanReach,
        place: int,
        bid: float,
        estimates: Mapping[str, Array],
        reachable: float,
        positions: float,
    ) -> KeywordForecast:
        queries = reach.query[reach.offsets[place] : reach.offsets[place + 1]]
        evidence = self.landscape.evidence[queries].sum(axis=0, dtype=np.int64)
        pages = int(self.landscape.page_counts[queries].sum(dtype=np.int64))
        basis = Basis.NO_HISTORY
        if evidence[0] > 0:
            basis = Basis.OWN_HISTORY if evidence[0] >= OWN_SEARCHES else Basis.POOLED
        known = basis is not Basis.NO_HISTORY
        metrics = {name: _estimate(estimates, name, place) if known else None for name in METRICS}
        searches = _estimate(estimates, "searches", place) if known else None
        mean = {name: estimates[name][place, 0] for name in _BANDS}
        notes = []
        if known and keyword.bid_micros is None:
            notes.append("usual_bid")
        if not known:
            notes.append("no_history")
        elif basis is Basis.POOLED:
            notes.append("few_searches")
        overlap = 1 - mean["searches"] / reachable if known and reachable > 0 else 0.0
        if known and overlap > 0.999:
            notes.append("served_by_others")
        elif known and mean["impressions"] <= 0:
            notes.append("bid_too_low")
        return KeywordForecast(
            text=reach.texts[place],
            match_type=keyword.match_type,
            bid_micros=None if np.isnan(bid) else int(bid),
            basis=basis,
            searches=searches,
            metrics=metrics,
            click_through_rate=_ratio(mean["clicks"], mean["impressions"]) if known else None,
            average_cpc_micros=_ratio(mean["cost_micros"], mean["clicks"]) if known else None,
            conversion_rate=_ratio(mean["conversions"], mean["clicks"]) if known else None,
            average_cpa_micros=_ratio(mean["cost_micros"], mean["conversions"]) if known else None,
            average_position=_ratio(positions, mean["impressions"]) if known else None,
            impression_share=_ratio(mean["impressions"], mean["searches"]) if known else None,
            overlap=float(np.clip(overlap, 0.0, 1.0)),
            evidence={
                "searches": int(evidence[0]),
                "pages": pages,
                "ad_clicks": int(evidence[1]),
                "conversions": int(evidence[2]),
                "queries": len(queries),
            },
            notes=tuple(notes),
        )

    def _groups(
        self, keywords: Sequence[PlannedKeyword], pairs: _Spread, item: Array, query: Array, period: Period
    ) -> Mapping[str, Mapping[str, Estimate | None]]:
        """The total of each group that keywords name."""
        names = sorted({keyword.group for keyword in keywords if keyword.group})
        number = {name: place for place, name in enumerate(names)}
        of_item = np.array([number.get(keyword.group, -1) for keyword in keywords])
        inside = np.flatnonzero(of_item[item] >= 0)
        if not len(inside):
            return {}
        group = of_item[item[inside]]
        part = pairs.of(inside)
        found = self._estimates(part, group, len(names), query[inside], period, item[inside], calibrated=False)
        return {
            name: {metric: _estimate(found, metric, number[name]) for metric in METRICS}
            for name in names
            if number[name] in group
        }

    def _weekly(
        self, pairs: _Spread, item: Array, query: Array, period: Period
    ) -> tuple[tuple[date, Mapping[str, Estimate | None]], ...]:
        """The total of each week that the period touches."""
        first = date.fromisoformat(self.model["first_week"])
        demand = self.landscape.pool_demand.astype(np.float64)
        whole = np.maximum(demand @ period.weights, 1e-12)
        pool = self.landscape.pool[query]
        rows = []
        for week in np.flatnonzero(period.weights > 0).tolist():
            part = (demand[:, week] * period.weights[week] / whole)[pool]
            alone = Period(period.start, 1, np.where(np.arange(WEEKS_AHEAD) == week, period.weights, 0.0))
            level = pairs.level * max(4.0, period.weeks) ** 0.5 / max(4 / period.weeks, 1.0) ** 0.5
            spread = _Spread(pairs.mean * part[:, None], level, pairs.least, pairs.rate)
            of_week = self._estimates(spread, np.zeros(len(query), np.int64), 1, query, alone, item, calibrated=False)
            rows.append((first + timedelta(weeks=week), {name: _estimate(of_week, name, 0) for name in METRICS}))
        return tuple(rows)


def _sums(values: Array, group: Array, groups: int) -> Array:
    """Sums of rows by group, float64 (groups, columns)."""
    # Of no rows at all, bincount would give whole numbers.
    return np.column_stack([np.bincount(group, column, groups) for column in values.T]).astype(np.float64)


def _estimate(estimates: Mapping[str, Array], name: str, place: int) -> Estimate:
    return Estimate(*(float(value) for value in estimates[name][place]))


def _ratio(above: float, below: float) -> float | None:
    return float(above / below) if below > 1e-12 else None
