"""How right forecasts are: held-out weeks of a simulated market, beside naive forecasts of the same weeks.

Coverage is the share of outcomes inside the 80 % range as it is shown. Where counts are small a range of whole numbers
must hold more than 80 %: `coverage_exact` counts an outcome that lies on the edge of its range by the part of its
probability that lies inside (a randomised probability integral transform, Czado, Gneiting & Held 2009), so that 80 % is
right whatever the counts; it is made of mean, standard deviation and the snapshot's calibrated levels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array
from indexes.predictive import count_cdf, count_quantile, no_event
from mining.build_tables import numbers
from mining.forecast_experiment import WEEKS, Experiment, Origin
from mining.simulator.probing import OUTCOMES
from mining.typed_texts import Bid

METRICS = OUTCOMES[1:]
COUNTS = ("impressions", "clicks", "conversions")
TIERS = ("tail", "torso", "head")
TIER_SEARCHES = (0.5, 3.0)
"""Searches a week before the origin from which a keyword is torso, and head."""
KEYWORDS_A_TIER = 500
SET_SIZES = (5, 25, 100)
"""Keywords of the sets, of all tiers, into which the keywords drawn are dealt."""
WIDE_KEYWORDS = 30
SEED = 20240630
LEVEL = 0.8
RESAMPLES = 1000
NAIVE = ("last week × 4", "same weeks last year", "mean of 4 weeks, Poisson")


@dataclass
class _Judged:
    """Forecasts and outcomes of one system, rows of all origins: float64 arrays by name."""

    actual: list[Array]
    mean: list[Array]
    low: list[Array]
    high: list[Array]
    inside: list[Array]
    origin: list[Array]


Key = tuple[str, str, str]
"""System, kind of row (a tier, `set of N`, or a match type), metric."""


def evaluate_forecast(logs: Path, truth: Path, origins: int, manage: Sequence[str]) -> list[dict[str, Any]]:
    """A row a system, kind and metric: n, coverage and coverage_exact with 95 % intervals, width, interval_score, wape.

    Intervals are bootstrapped over rows; keywords of one origin share its weeks, so they are narrower than they should
    be. `interval_score` (Gneiting & Raftery 2007) and `wape` are comparable within a metric and kind only.
    """
    experiment = Experiment(logs, truth, origins, manage)
    judged: dict[Key, _Judged] = {}
    for origin in experiment.origins():
        judge_origin(origin, judged)
    return rows_of(judged)


def judge_origin(origin: Origin, judged: dict[Key, _Judged]) -> None:
    """Add the forecasts from one origin, and what came."""
    _judge_keywords(origin, judged)
    _judge_wide(origin, judged)


def rows_of(judged: dict[Key, _Judged]) -> list[dict[str, Any]]:
    """See `evaluate_forecast`."""
    return [_row(key, found) for key, found in judged.items() if sum(map(len, found.actual))]


def _judge_keywords(origin: Origin, judged: dict[Key, _Judged]) -> None:
    """Exact keywords drawn by tier, and sets of them."""
    generator = np.random.default_rng(SEED + origin.number)
    weekly = _WeeklyCounts(origin)
    bids: list[Bid] = []
    tiers: list[str] = []
    for tier, name in enumerate(TIERS):
        members = [text for text in weekly.of_tier(tier) if text in origin.experiment.row_of]
        drawn = generator.choice(len(members), min(KEYWORDS_A_TIER, len(members)), replace=False)
        for place in np.sort(drawn).tolist():
            bids.append(Bid(members[place], "EXACT", _bid(generator, weekly.price)))
            tiers.append(name)
    # Close variants are one demand: the first of a group stands for it.
    seen: set[int] = set()
    kept = []
    for place, bid in enumerate(bids):
        group = int(origin.indexes.stats.canonical[origin.indexes.keywords.find(bid.text)])
        if group not in seen:
            seen.add(group)
            kept.append(place)
    order = generator.permutation(len(kept)).tolist()
    kinds = [tiers[kept[place]] for place in order]
    bids = [bids[kept[place]] for place in order]
    actual = origin.outcomes(bids)
    for size in SET_SIZES:
        of_set = [replace(bid, group=f"set {number // size:03d}") for number, bid in enumerate(bids)]
        found = origin.forecast(of_set)
        _judge_sets(origin, judged, weekly, size, of_set, actual, {row["group"]: row for row in found["groups"]})
    bands = _TierBands(origin)
    for kind in TIERS:
        rows = [place for place, each in enumerate(kinds) if each == kind]
        for metric in METRICS:
            outcome = actual[rows, OUTCOMES.index(metric)]
            _add(judged, ("KR", kind, metric), origin, [found["keywords"][row] for row in rows], metric, outcome, bands)
            for naive in NAIVE:
                _add_naive(judged, naive, kind, metric, origin, weekly, [bids[row] for row in rows], outcome)


def _judge_sets(
    origin: Origin, judged: dict[Key, _Judged], weekly: "_WeeklyCounts", size: int, bids: Sequence[Bid], actual: Array,
    forecasts: dict[str, dict[str, Any]],
) -> None:  # fmt: skip
    """Sets of one size, given by their groups; what is left over is no set."""
    of_group = np.array([bid.group for bid in bids])
    names = [name for name in sorted(forecasts) if (of_group == name).sum() == size]
    if not names:
        return
    members = [[bid for bid in bids if bid.group == name] for name in names]
    for metric in METRICS:
        outcome = np.array([actual[of_group == name, OUTCOMES.index(metric)].sum() for name in names])
        key = ("KR", f"set of {size}", metric)
        _add(judged, key, origin, [forecasts[name] for name in names], metric, outcome, _SetBands(origin, size))
        for naive in NAIVE:
            _add_naive_sets(judged, naive, key[1], metric, origin, weekly, members, outcome)


def _judge_wide(origin: Origin, judged: dict[Key, _Judged]) -> None:
    """Phrase and broad keywords of one or two words, a plan of each match type."""
    generator = np.random.default_rng(SEED + 100 + origin.number)
    weekly = _WeeklyCounts(origin)
    short = [text for text in weekly.of_tier(2) if text in origin.experiment.row_of and len(text) <= 12]
    for match_type in ("PHRASE", "BROAD"):
        drawn = generator.choice(len(short), min(WIDE_KEYWORDS, len(short)), replace=False)
        bids = [Bid(short[place], match_type, _bid(generator, weekly.price)) for place in np.sort(drawn).tolist()]
        if not bids:
            continue
        found, actual = origin.forecast(bids), origin.outcomes(bids)
        bands = _TierBands(origin)
        for metric in METRICS:
            outcome = actual[:, OUTCOMES.index(metric)]
            _add(judged, ("KR", match_type.lower(), metric), origin, found["keywords"], metric, outcome, bands)


def _bid(generator: np.random.Generator, price: float) -> int:
    """A bid round the market's mean click price, from a third of it to three times as much."""
    return round(price * float(3 ** generator.uniform(-1, 1)) / 10_000) * 10_000


def _add(
    judged: dict[Key, _Judged],
    key: Key,
    origin: Origin,
    rows: Sequence[dict[str, Any]],
    metric: str,
    actual: Array,
    bands: "_TierBands | _SetBands",
) -> None:
    known = np.array([row[metric] is not None for row in rows], bool)
    estimates = [row[metric] for row in rows if row[metric] is not None]
    mean, low, high, deviation = (
        np.array([each[name] for each in estimates], np.float64) for name in ("mean", "low", "high", "sd")
    )
    actual = actual[known]
    inside = ((actual >= low) & (actual <= high)).astype(np.float64)
    band = bands.of(metric, rows)
    if metric in COUNTS:
        inside = _part_inside(actual, mean, deviation, band)
    else:
        events = [row["clicks" if metric == "cost_micros" else "conversions"] for row in rows if row[metric]]
        nothing = no_event(
            *(np.array([each[name] for each in events]) ** power for name, power in (("mean", 1), ("sd", 2)))
        )
        inside = np.where(actual > 0, inside, _part(np.zeros(len(mean)), nothing, band))
    _put(judged, key, origin, actual, mean, low, high, inside)


class _TierBands:
    """The levels between which the ranges of single keywords lie, as the snapshot has them."""

    def __init__(self, origin: Origin) -> None:
        self._model = origin.indexes.landscape.model if origin.indexes.landscape else {}

    def of(self, metric: str, rows: Sequence[dict[str, Any]]) -> Array:
        """Of the known rows, float64 (known, 2)."""
        weekly = np.array([row["searches"]["mean"] / WEEKS for row in rows if row[metric] is not None])
        levels: Array = np.array(self._model["calibration"][metric])
        return levels[np.searchsorted(np.array(TIER_SEARCHES), weekly, side="right")]


class _SetBands:
    """The same of sets of one of the backtested sizes."""

    def __init__(self, origin: Origin, size: int) -> None:
        self._model = origin.indexes.landscape.model if origin.indexes.landscape else {}
        self._size = size

    def of(self, metric: str, rows: Sequence[dict[str, Any]]) -> Array:
        """Of the known sets, float64 (known, 2)."""
        known = sum(row[metric] is not None for row in rows)
        level = self._model["set_calibration"][metric][self._model["set_sizes"].index(self._size)]
        return np.tile(level, (known, 1))


def _part(below: Array, above: Array, band: Array) -> Array:
    """The part of the levels from below to above that lies inside the band."""
    inside = np.minimum(above, band[:, 1]) - np.maximum(below, band[:, 0])
    return np.clip(inside / np.maximum(above - below, 1e-12), 0.0, 1.0)


def _part_inside(actual: Array, mean: Array, deviation: Array, band: Array) -> Array:
    """How much of each outcome's probability lies between the levels of its band, 0..1."""
    variance = np.square(deviation)
    return _part(count_cdf(actual - 1, mean, variance), count_cdf(actual, mean, variance), band)


def _put(
    judged: dict[Key, _Judged], key: Key, origin: Origin, actual: Array, mean: Array, low: Array, high: Array,
    inside: Array,
) -> None:  # fmt: skip
    found = judged.setdefault(key, _Judged([], [], [], [], [], []))
    number = np.full(len(actual), origin.number)
    for column, values in zip(
        (found.actual, found.mean, found.low, found.high, found.inside, found.origin),
        (actual, mean, low, high, inside, number), strict=True,
    ):  # fmt: skip
        column.append(values)


class _WeeklyCounts:
    """What a naive forecaster reads: searches of keywords by week before the origin, and the market's mean rates."""

    def __init__(self, origin: Origin) -> None:
        first = np.datetime64(origin.day, "D").astype(np.int64)
        self.by_text: dict[str, dict[int, float]] = {}
        totals = dict.fromkeys(("impressions", "clicks", "cost_micros", "conversions", "value_micros"), 0.0)
        for batch in origin.mined.batches("keyword_weeks", ["week", "searches", *totals], ["keyword"]):
            weeks = ((first - numbers(batch["week"]).astype(np.int64)) // 7).tolist()
            for text, week, searches in zip(
                batch["keyword"].to_pylist(), weeks, numbers(batch["searches"]).tolist(), strict=True
            ):
                self.by_text.setdefault(text, {})[week] = searches
            for name in totals:
                totals[name] += float(numbers(batch[name], 0).sum())
        self.price = totals["cost_micros"] / max(totals["clicks"], 1)
        ctr = totals["clicks"] / max(totals["impressions"], 1)
        converted = totals["conversions"] / max(totals["clicks"], 1)
        order = totals["value_micros"] / max(totals["conversions"], 1)
        self.a_search = {
            "impressions": 1.0,
            "clicks": ctr,
            "cost_micros": ctr * self.price,
            "conversions": ctr * converted,
            "value_micros": ctr * converted * order,
        }
        self.an_event = {"cost_micros": self.price, "value_micros": order}

    def of_tier(self, tier: int) -> list[str]:
        """Keywords of a tier by their searches in the half year before, in order of their text."""
        weeks = 26
        recent = {
            text: sum(count for week, count in counts.items() if week <= weeks) / weeks
            for text, counts in self.by_text.items()
        }
        of = {text: int(np.searchsorted(np.array(TIER_SEARCHES), each, side="right")) for text, each in recent.items()}
        return sorted(text for text, number in of.items() if number == tier)

    def searches(self, name: str, text: str) -> float:
        """The naive forecast of WEEKS weeks' searches. Week 1 is the last before the origin."""
        counts = self.by_text.get(text, {})
        if name == NAIVE[0]:
            return WEEKS * counts.get(1, 0.0)
        if name == NAIVE[1]:
            return sum(counts.get(52 - week, 0.0) for week in range(WEEKS))
        return sum(counts.get(week, 0.0) for week in range(1, WEEKS + 1))


def _naive(weekly: _WeeklyCounts, name: str, metric: str, bids: Sequence[Bid]) -> Array:
    searches = np.array([weekly.searches(name, bid.text) for bid in bids], np.float64)
    return searches * weekly.a_search[metric]


def _add_naive(
    judged: dict[Key, _Judged], name: str, kind: str, metric: str, origin: Origin, weekly: _WeeklyCounts,
    bids: Sequence[Bid], actual: Array,
) -> None:  # fmt: skip
    _put_naive(judged, (name, kind, metric), origin, weekly, _naive(weekly, name, metric, bids), actual)


def _add_naive_sets(
    judged: dict[Key, _Judged], name: str, kind: str, metric: str, origin: Origin, weekly: _WeeklyCounts,
    members: Sequence[Sequence[Bid]], actual: Array,
) -> None:  # fmt: skip
    mean = np.array([_naive(weekly, name, metric, bids).sum() for bids in members])
    _put_naive(judged, (name, kind, metric), origin, weekly, mean, actual)


def _put_naive(
    judged: dict[Key, _Judged], key: Key, origin: Origin, weekly: _WeeklyCounts, mean: Array, actual: Array
) -> None:
    """With the Poisson range of its mean; of money, that of as many events of the mean amount."""
    unit = weekly.an_event.get(key[2], 1.0)
    events = mean / unit
    low, high = (unit * count_quantile(np.full(len(mean), level), events, events) for level in (0.1, 0.9))
    inside = ((actual >= low) & (actual <= high)).astype(np.float64)
    band = np.tile([0.1, 0.9], (len(mean), 1))
    if key[2] in COUNTS:
        inside = _part_inside(actual, mean, np.sqrt(mean), band)
    else:
        inside = np.where(actual > 0, inside, _part(np.zeros(len(mean)), np.exp(-events), band))
    _put(judged, key, origin, actual, mean, low, high, inside)


def _row(key: Key, found: _Judged) -> dict[str, Any]:
    actual, mean, low, high, inside = (
        np.concatenate(parts) for parts in (found.actual, found.mean, found.low, found.high, found.inside)
    )
    shown = ((actual >= low) & (actual <= high)).astype(np.float64)
    miss = 2 / (1 - LEVEL) * (np.maximum(low - actual, 0) + np.maximum(actual - high, 0))
    unit = 1e6 if key[2].endswith("_micros") else 1.0
    return {
        "system": key[0],
        "rows": key[1],
        "metric": key[2].removesuffix("_micros"),
        "n": len(actual),
        "coverage": round(float(shown.mean()), 4),
        "coverage_interval": _interval(shown),
        "coverage_exact": round(float(inside.mean()), 4),
        "coverage_exact_interval": _interval(inside),
        "actual": round(float(actual.mean() / unit), 4),
        "forecast": round(float(mean.mean() / unit), 4),
        "width": round(float((high - low).mean() / unit), 4),
        "interval_score": round(float((high - low + miss).mean() / unit), 4),
        "wape": round(float(np.abs(actual - mean).sum() / actual.sum()), 4) if actual.sum() > 0 else None,
    }


def _interval(values: Array) -> list[float]:
    generator = np.random.default_rng(SEED)
    means = np.array([values[generator.integers(0, len(values), len(values))].mean() for _ in range(RESAMPLES)])
    return [round(float(each), 4) for each in np.quantile(means, [0.025, 0.975])]


COLUMNS = ("n", "coverage", "coverage_exact", "actual", "forecast", "width", "interval_score", "wape")
