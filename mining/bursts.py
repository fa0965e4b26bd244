"""Bursts: days on which a keyword is searched by clearly more people than it should be (SPEC §1.11).

What counts is distinct users a day, so that one person's hundred searches are one. Of a keyword on a day are expected

    level · weekday · market · last year

Level: the interquartile mean of the keyword's weekly counts over the weeks around, which a burst of a few weeks hardly
moves, so that a keyword that is always searched much, or grows, or has a long season, is no burst. Weekday: the
keyword's own profile, drawn towards the market's by as many users as a prior. Market: how far all other keywords are
above or below what is expected of them on that day. Last year: how far the keyword stood above its level 52 weeks
before, where the log reaches back that far, so that yearly peaks are no bursts the second time.

Days are then scanned for the intervals that are the least likely by chance (Kulldorff 1997): the score of n users
against an expected e is (n · ln(n / e) − n + e) / φ, φ ≥ 1 the keyword's overdispersion against Poisson. Of overlapping
intervals the one of the highest score is kept. A burst has enough distinct users over all of its days.

The scan runs in this process with numpy over blocks of keywords: time and memory grow with keywords · days.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mining.engines import Engine
from mining.settings import MiningSettings

IntArray = npt.NDArray[np.int64]
RealArray = npt.NDArray[np.float64]

WEEK = 7
YEAR = 52 * WEEK
"""A year that keeps the weekday."""
LEAST_DAYS = 4 * WEEK
"""Shorter logs do not show what is usual."""
CELLS_A_BLOCK = 4_000_000
LEAST_WEEKLY_LEVEL = 0.5
"""Users a week expected at least: nobody around does not make one person a wonder."""
PRIOR_USERS = 50.0
"""Weekday profiles and the market's deviation are believed against this many users."""
YEARLY_PRIOR_USERS = 3.0
YEARLY_SPREAD = 3
"""Days before and after the day a year ago that count as that day."""
MEDIAN_CHI_SQUARE = 0.4549
"""Median of χ² with one degree of freedom."""


@dataclass(frozen=True)
class Intervals:
    """Bursts in the order of (row, first): rows of keywords, first and last day (int64), users expected, score."""

    row: IntArray
    first: IntArray
    last: IntArray
    observed: IntArray
    expected: RealArray
    score: RealArray


def count_days(engine: Engine, counted: ir.Table) -> ir.Table:
    """Distinct users of each keyword on each day: keyword_id, day, users."""
    return engine.materialise(
        "keyword_days",
        counted.group_by("keyword_id", day=counted.ts.date()).agg(users=counted.user_no.nunique()),
    )


def find_bursts(
    engine: Engine, counted: ir.Table, keyword_days: ir.Table, first: date, last: date, settings: MiningSettings
) -> ir.Table:
    """The rows of the mined table bursts; `first` and `last` are the days of the log."""
    days = (last - first).days + 1
    market = np.zeros(days)
    rows = engine.collect(keyword_days.group_by("day").agg(users=keyword_days.users.sum()).order_by("day"))
    market[_day_numbers(rows["day"], first)] = rows["users"].to_numpy()
    totals = keyword_days.group_by("keyword_id").agg(total=keyword_days.users.sum())
    enough = keyword_days.semi_join(totals.filter(totals.total >= settings.burst_min_users), "keyword_id")
    series = engine.collect(enough.order_by("keyword_id", "day"))
    keywords, row = np.unique(series["keyword_id"].to_numpy().astype(np.int64), return_inverse=True)
    found = scan(row, _day_numbers(series["day"], first), series["users"].to_numpy(), market, first, settings)
    start = np.datetime64(first, "D")
    intervals = engine.register(
        "burst_intervals",
        pa.table(
            {
                "keyword_id": keywords[found.row],
                "first_date": pa.array(start + found.first),
                "last_date": pa.array(start + found.last),
                "observed": found.observed,
                "expected": np.round(found.expected, 6),
                "score": np.round(found.score, 6),
            }
        ),
    )
    return weigh_bursts(counted, intervals, settings)


def weigh_bursts(counted: ir.Table, intervals: ir.Table, settings: MiningSettings) -> ir.Table:
    """The intervals with their searches and distinct users, those of too few users left out."""
    day = counted.select("keyword_id", "user_no", day=counted.ts.date())
    inside = day.join(intervals, "keyword_id")
    inside = inside.filter(inside.day >= inside.first_date, inside.day <= inside.last_date)
    evidence = inside.group_by("keyword_id", "first_date").agg(searches=inside.count(), users=inside.user_no.nunique())
    bursts = intervals.join(evidence, ["keyword_id", "first_date"])
    bursts = bursts.filter(bursts.users >= settings.burst_min_users)
    return bursts.mutate(factor=bursts.observed.cast("float64") / bursts.expected)


def _day_numbers(column: pa.ChunkedArray, first: date) -> IntArray:
    return column.to_numpy().astype("datetime64[D]").astype(np.int64) - np.datetime64(first, "D").astype(np.int64)


def scan(
    row: IntArray, day: IntArray, users: IntArray, market: RealArray, first: date, settings: MiningSettings
) -> Intervals:
    """The bursts of keywords given as users by (row, day), rows ascending; `market` float64 has all users a day."""
    weekday = (first.weekday() + np.arange(len(market))) % WEEK
    blocks = [_no_intervals()]
    if len(row) and len(market) >= LEAST_DAYS:
        usual = market_expectation(market, weekday, settings)
        rows_a_block = max(1, CELLS_A_BLOCK // len(market))
        for start in range(0, int(row[-1]) + 1, rows_a_block):
            of_block = slice(*np.searchsorted(row, [start, start + rows_a_block]))
            counts = np.zeros((int(row[of_block].max()) + 1 - start, len(market)))
            counts[row[of_block] - start, day[of_block]] = users[of_block]
            blocks.extend(_bursts_of_block(counts, start, market, usual, weekday, settings))
    return Intervals(
        *(np.concatenate(column) for column in zip(*(vars(block).values() for block in blocks), strict=True))
    )


def _no_intervals() -> Intervals:
    return Intervals(*(np.empty(0, np.int64),) * 4, *(np.empty(0, np.float64),) * 2)


def market_expectation(market: RealArray, weekday: IntArray, settings: MiningSettings) -> RealArray:
    """What the whole market should have on each day: its level and its weekdays."""
    whole = market[None, :]
    shares = _weekday_profile(whole, weekday, np.ones(WEEK))
    return (levels(whole, settings.burst_level_weeks) * shares[:, weekday])[0]


def _bursts_of_block(
    counts: RealArray, start: int, market: RealArray, usual: RealArray, weekday: IntArray, settings: MiningSettings
) -> Iterator[Intervals]:
    expected, dispersion = expectation(counts, market, usual, weekday, settings)
    row, first, length, score = _unlikely_intervals(counts, expected, dispersion, settings)
    kept = _without_overlaps(row, first, length, score)
    row, first, length, score = row[kept], first[kept], length[kept], score[kept]
    observed = _sums(counts)
    predicted = _sums(expected)
    last = first + length - 1
    yield Intervals(
        row + start,
        first,
        last,
        np.rint(observed[row, last + 1] - observed[row, first]).astype(np.int64),
        predicted[row, last + 1] - predicted[row, first],
        score,
    )


def expectation(
    counts: RealArray, market: RealArray, usual: RealArray, weekday: IntArray, settings: MiningSettings
) -> tuple[RealArray, RealArray]:
    """What is expected of each keyword on each day (keywords × days), and each keyword's overdispersion (≥ 1)."""
    level = levels(counts, settings.burst_level_weeks)
    shares = _weekday_profile(usual[None, :], weekday, np.ones(WEEK))[0]
    expected = level * _weekday_profile(counts, weekday, shares)[:, weekday]
    # The market without the keyword itself: where one keyword is the market, nothing else says what is usual.
    expected *= (market - counts + PRIOR_USERS) / (np.maximum(usual - expected, 0.0) + PRIOR_USERS)
    expected *= _last_year(counts, expected)
    weeks = _weekly(counts)
    usual_weeks = np.maximum(_weekly(expected), LEAST_WEEKLY_LEVEL)
    deviation = np.median((weeks - usual_weeks) ** 2 / usual_weeks, axis=1)
    return expected, np.maximum(1.0, deviation / MEDIAN_CHI_SQUARE)


def levels(counts: RealArray, reach: int) -> RealArray:
    """Users a day by the weeks around (rows × days): the interquartile mean of the `reach` weeks on both sides."""
    weeks = _weekly(counts)
    number = weeks.shape[1]
    level = np.empty_like(weeks)
    for week in range(number):
        near = np.sort(weeks[:, max(0, week - reach) : week + reach + 1], axis=1)
        cut = near.shape[1] // 4
        level[:, week] = near[:, cut : near.shape[1] - cut].mean(axis=1)
    days = np.minimum(np.arange(counts.shape[1]) // WEEK, number - 1)
    return np.maximum(level, LEAST_WEEKLY_LEVEL)[:, days] / WEEK


def _weekly(counts: RealArray) -> RealArray:
    """Sums of whole weeks from the first day on; days left over at the end are in no week."""
    whole = counts.shape[1] // WEEK
    return counts[:, : whole * WEEK].reshape(len(counts), whole, WEEK).sum(axis=2)


def _weekday_profile(counts: RealArray, weekday: IntArray, prior: RealArray) -> RealArray:
    """Users by weekday over users on an average day (rows × 7), with PRIOR_USERS users spread like `prior`."""
    # What exceeds three times the mean may be a burst, which says nothing of weekdays.
    ceiling = 3 * counts.mean(axis=1, keepdims=True) + 3
    tamed = np.minimum(counts, ceiling)
    sums = np.stack([tamed[:, weekday == day].sum(axis=1) for day in range(WEEK)], axis=1)
    share_of_days = np.bincount(weekday, minlength=WEEK) / len(weekday)
    wanted = sums.sum(axis=1, keepdims=True) * share_of_days + PRIOR_USERS / WEEK
    return (sums + PRIOR_USERS / WEEK * prior) / wanted


def _last_year(counts: RealArray, expected: RealArray) -> RealArray:
    """How far above expectation each day stood a year before, at least 1; 1 where the log does not reach back."""
    factor = np.ones_like(counts)
    days = counts.shape[1]
    if days <= YEAR:
        return factor
    observed, predicted = _sums(counts), _sums(expected)
    before = np.arange(days - YEAR)
    low, high = np.maximum(before - YEARLY_SPREAD, 0), np.minimum(before + YEARLY_SPREAD + 1, days)
    stood = observed[:, high] - observed[:, low] + YEARLY_PRIOR_USERS
    factor[:, YEAR:] = np.maximum(1.0, stood / (predicted[:, high] - predicted[:, low] + YEARLY_PRIOR_USERS))
    return factor


def _sums(values: RealArray) -> RealArray:
    """Sums of all days before each day (rows × days + 1)."""
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)


def _unlikely_intervals(
    counts: RealArray, expected: RealArray, dispersion: RealArray, settings: MiningSettings
) -> tuple[IntArray, IntArray, IntArray, RealArray]:
    """(row, first day, length, score) of every interval that is a burst by itself."""
    observed, predicted = _sums(counts), _sums(expected)
    found: list[tuple[IntArray, IntArray, IntArray, RealArray]] = [
        (np.empty(0, np.int64),) * 3 + (np.empty(0, np.float64),)
    ]
    for length in range(1, min(settings.burst_max_days, counts.shape[1]) + 1):
        users = observed[:, length:] - observed[:, :-length]
        usual = predicted[:, length:] - predicted[:, :-length]
        row, first = np.nonzero((users >= settings.burst_min_users) & (users >= settings.burst_min_factor * usual))
        n, e = users[row, first], usual[row, first]
        score = (n * np.log(n / e) - n + e) / dispersion[row]
        kept = score >= settings.burst_min_score
        found.append((row[kept], first[kept], np.full(int(kept.sum()), length), score[kept]))
    row, first, length_, score = (np.concatenate(column) for column in zip(*found, strict=True))
    return row, first, length_, score


def _without_overlaps(row: IntArray, first: IntArray, length: IntArray, score: RealArray) -> IntArray:
    """The intervals to keep, the highest scores first, none that overlaps a kept one; in the order of (row, first)."""
    kept: list[int] = []
    taken: dict[int, list[tuple[int, int]]] = {}
    order = np.lexsort((length, first, -np.round(score, 9)))
    for place in order.tolist():
        begin, end = int(first[place]), int(first[place] + length[place])
        of_row = taken.setdefault(int(row[place]), [])
        if all(end <= other_begin or begin >= other_end for other_begin, other_end in of_row):
            of_row.append((begin, end))
            kept.append(place)
    chosen = np.array(kept, np.int64)
    return chosen[np.lexsort((first[chosen], row[chosen]))]
