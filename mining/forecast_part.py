"""The part of a snapshot that forecasts are read from, fitted to the mined tables and calibrated on held-out weeks.

`model.json` holds the numbers of the whole market:

    first_week        the Monday from which `pool_demand` runs, and data_until, the last day of the log
    slot_rates        clicks of an impression by slot
    market            logarithm of each of RATES
    spread            events that the prior of each of RATES counts as
    prior_level       shape and mean of the level of a keyword that was never searched (not served: it is unknown)
    week_noise        squared coefficient of variation of four weeks' searches beyond Poisson, by tier
    shared            squared coefficients of variation of four weeks of the market, by metric, and of a pool
    order_spread      squared coefficient of variation of one conversion's value
    price_spread      that of one click's price
    floor_spread      squared standard deviation of the logarithm of the least price of a click, times its events
    match_shares      share of the auctions that a bid of each match type may enter, if money is no limit
    calibration       by metric and tier, the levels of the predictive distribution between which 80 % fell
    set_calibration   the same of sets, by metric and the number of keywords in `set_sizes`
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from indexes.arrays import Array, ArrayFolder, offsets_from_counts
from indexes.auction_landscape import (
    CURVES,
    RATES,
    RATIOS,
    SLOTS,
    AuctionLandscape,
    page_curves,
    price_codes,
)
from indexes.forward import Forward
from indexes.vocabulary import Vocabulary
from mining.build_tables import MinedTables, numbers
from mining.demand_levels import choose_pools, levels_of, pool_demand
from mining.forecast_calibration import Calibration, FittedRates, WeekCounts, backtests, fit_rates
from mining.text_ids import TextIds

DEPTH_CLASSES = 10
CLASS_PAGES = 4000
"""Pages at most from which the pooled curves of a class are made."""
FEWEST_SEARCHES = 50
UNLIMITED_QUANTILE = 0.9
COUNTED = ("searches", "impressions", "expected_clicks_micros", "clicks", "cost_micros",
           "last_clicks", "last_cost_micros", "conversions", "value_micros")  # fmt: skip


def write_auction_landscape(mined: MinedTables, ids: TextIds, canonical: Array, folder: Path) -> bool:
    """Write the part into a snapshot's folder that has its forward index; False, and nothing, without ads to learn of.

    `canonical` int32 (keywords,) names the head of each group of close variants.
    """
    if not all(mined.has(name) for name in ("keyword_weeks", "auction_pages", "slot_rates", "match_shares")):
        return False
    counts = _week_counts(mined, ids, canonical)
    if counts is None or counts.table["impressions"].sum() <= 0:
        return False
    words = _words(folder, counts.heads)
    slot_rates = _slot_rates(mined)
    calibration = backtests(counts, words)
    rates = fit_rates(counts, words, len(counts))
    weeks = counts.weeks()
    pools = choose_pools(words, weeks)
    demand = pool_demand(weeks, pools)
    shape, rate = levels_of(weeks, demand, pools, calibration.levels)
    keywords, heads = len(canonical), counts.heads
    terms = words.shape[1]

    def spread(values: Array, dtype: Any) -> Array:
        whole = np.zeros((keywords, *values.shape[1:]), dtype)
        whole[heads] = values
        return whole

    chosen = [rates.of[name] for name in RATES]
    pages, page_offsets, page_counts = _pages(mined, ids, canonical)
    floor = spread(rates.of["floor"].value, np.float64)
    depth = spread(rates.of["depth"].value, np.float64)
    totals = {name: counts.total(name) for name in ("searches", "clicks", "conversions")}
    term_pools = np.full(terms, -1, np.int32)
    term_pools[: len(pools.of_word)] = pools.of_word
    curves, depths = _pooled_curves(pages, page_offsets, page_counts, floor, depth, slot_rates)
    AuctionLandscape(
        level=spread(np.column_stack([shape, rate]), np.float32),
        pool=spread(pools.of_keyword, np.uint16),
        rates=spread(np.column_stack([each.value for each in chosen]), np.float32),
        shapes=spread(np.column_stack([each.shape for each in chosen]), np.float32),
        evidence=spread(np.column_stack(list(totals.values())), np.int32),
        page_offsets=page_offsets,
        pages=price_codes(pages),
        page_counts=page_counts.astype(np.uint16),
        term_effects=np.column_stack([each.effects for each in chosen]).astype(np.float32),
        term_pools=term_pools,
        pool_demand=demand[:, len(weeks) :].astype(np.float32),
        curves=curves.astype(np.float32),
        model=_model(mined, counts, rates, calibration, slot_rates, depths),
    ).write(folder)
    return True


def _model(
    mined: MinedTables,
    counts: WeekCounts,
    rates: FittedRates,
    calibration: Calibration,
    slot_rates: Array,
    depths: Array,
) -> dict[str, Any]:
    last = date.fromisoformat(mined.report["window"]["last_ts"][:10])
    return {
        "first_week": (date(1970, 1, 1) + timedelta(days=counts.first + 7 * len(counts))).isoformat(),
        "data_until": last.isoformat(),
        "slot_rates": [round(float(rate), 8) for rate in slot_rates],
        "market": {name: round(rates.of[name].market, 8) for name in RATES},
        "spread": {name: round(rates.of[name].spread, 6) for name in RATES},
        "prior_level": [calibration.levels.shape, round(calibration.levels.level, 8)],
        "depths": [round(float(depth), 8) for depth in depths],
        "match_shares": _match_shares(mined),
        **calibration.as_dict(),
    }


def _week_counts(mined: MinedTables, ids: TextIds, canonical: Array) -> WeekCounts | None:
    """The whole weeks of each group of close variants; None if the log covers fewer than two."""
    first_day, last_day = (
        int(np.datetime64(mined.report["window"][end][:10], "D").astype(np.int64)) for end in ("first_ts", "last_ts")
    )
    # 1970-01-05 was a Monday.
    first = first_day + (-(first_day - 4)) % 7
    weeks = (last_day + 1 - first) // 7
    if weeks < 2:
        return None
    keyword, week = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    columns: dict[str, list[Array]] = {name: [np.empty(0)] for name in COUNTED}
    for batch in mined.batches("keyword_weeks", ["week", *COUNTED], ["keyword"]):
        keyword.append(canonical[ids.of("keyword_weeks", batch["keyword"])].astype(np.int64))
        week.append((numbers(batch["week"]).astype(np.int64) - first) // 7)
        for name in COUNTED:
            columns[name].append(numbers(batch[name], 0).astype(np.float64))
    all_keywords, all_weeks = np.concatenate(keyword), np.concatenate(week)
    inside = (all_weeks >= 0) & (all_weeks < weeks)
    heads, row = np.unique(all_keywords[inside], return_inverse=True)
    if not len(heads):
        return None
    return WeekCounts(
        heads=heads,
        row=row,
        week=all_weeks[inside],
        table={name: np.concatenate(parts)[inside] for name, parts in columns.items()},
        length=int(weeks),
        first=first,
    )


def _words(folder: Path, heads: Array) -> csr_array:
    """Which words each head has: ones, csr (heads × terms)."""
    reader = ArrayFolder(folder)
    counts, flat = Forward(reader).tokens_of(heads)
    terms = len(Vocabulary(reader, "terms"))
    words = csr_array(
        (np.ones(len(flat)), np.asarray(flat, np.int64), offsets_from_counts(counts)), (len(heads), terms)
    )
    words.sum_duplicates()
    words.data[:] = 1.0
    return words


def _slot_rates(mined: MinedTables) -> Array:
    """Clicks of an impression of the mean advertiser by slot, never more than in the slot above; float64 (SLOTS,)."""
    position = mined.column("slot_rates", "position", np.int64)
    inside = (position >= 1) & (position <= SLOTS)
    impressions, clicks = (
        np.bincount(position[inside] - 1, mined.column("slot_rates", name, np.int64)[inside], SLOTS)
        for name in ("quality_impressions", "clicks")
    )
    exposures = impressions / 1000
    rates = np.zeros(SLOTS)
    above = clicks.sum() / max(exposures.sum(), 1.0)
    for slot in range(SLOTS):
        # A slot with few impressions is drawn towards two thirds of the one above.
        drawn = 200.0
        rates[slot] = (clicks[slot] + drawn * above * 2 / 3) / (exposures[slot] + drawn)
        rates[slot] = min(rates[slot], above) if slot else rates[slot]
        above = rates[slot]
    return rates


def _pages(mined: MinedTables, ids: TextIds, canonical: Array) -> tuple[Array, Array, Array]:
    """Bids on the sampled pages with ads (float64 (pages, SLOTS), highest first, 0: none), offsets and counts."""
    keyword = [np.empty(0, np.int64)]
    slots = [np.empty((0, SLOTS))]
    names = [f"slot_{slot}" for slot in range(1, SLOTS + 1)]
    for batch in mined.batches("auction_pages", names, ["keyword"]):
        keyword.append(canonical[ids.of("auction_pages", batch["keyword"])].astype(np.int64))
        slots.append(np.column_stack([numbers(batch[name], 0).astype(np.float64) for name in names]))
    head, bids = np.concatenate(keyword), np.concatenate(slots)
    counts = np.minimum(np.bincount(head, minlength=len(canonical)), np.iinfo(np.uint16).max)
    some = bids.max(axis=1, initial=0) > 0
    head, bids = head[some], -np.sort(-bids[some], axis=1)
    order = np.argsort(head, kind="stable")
    offsets = offsets_from_counts(np.bincount(head, minlength=len(canonical)))
    return bids[order], offsets, counts


def _pooled_curves(
    pages: Array, offsets: Array, counts: Array, floor: Array, depth: Array, slot_rates: Array
) -> tuple[Array, Array]:
    """Curves (DEPTH_CLASSES, RATIOS, CURVES) of keywords by how many ads their pages are expected to have, and the
    upper bounds of the classes.

    Each page of a keyword counts the same, whether it has ads or not.
    """
    known = np.flatnonzero(counts > 0)
    order = known[np.argsort(depth[known], kind="stable")]
    running = np.cumsum(counts[order])
    classes = [
        order[(running > running[-1] * step // DEPTH_CLASSES) & (running <= running[-1] * (step + 1) // DEPTH_CLASSES)]
        if len(order)
        else order
        for step in range(DEPTH_CLASSES)
    ]
    curves = np.zeros((DEPTH_CLASSES, len(RATIOS), len(CURVES)))
    bounds = np.zeros(DEPTH_CLASSES)
    empty = np.array([[0.0] * SLOTS])
    for number, members in enumerate(classes):
        bounds[number] = depth[members].max(initial=bounds[number - 1] if number else 0.0)
        of_page = np.repeat(members, np.diff(offsets)[members])
        rows = np.concatenate([np.empty(0, np.int64), *(np.arange(offsets[k], offsets[k + 1]) for k in members)])
        every = max(1, len(rows) // CLASS_PAGES)
        rows, of_page = rows[::every], of_page[::every]
        share = np.diff(offsets)[members].sum() / max(int(counts[members].sum()), 1)
        relative = pages[rows] / np.maximum(floor[of_page], 1.0)[:, None]
        for place, ratio in enumerate(RATIOS):
            bid = np.full(len(rows), ratio)
            at = (np.arange(len(rows)), np.ones(len(rows)), np.zeros(len(rows)), bid, slot_rates)
            with_ads = page_curves(relative, *at).mean(axis=0) if len(rows) else 0.0
            alone = page_curves(empty, np.zeros(1, int), np.ones(1), np.zeros(1), np.array([ratio]), slot_rates)[0]
            curves[number, place] = share * with_ads + (1 - share) * alone
    return curves, bounds


def _match_shares(mined: MinedTables) -> dict[str, float]:
    """Share of the auctions that bids of each match type may enter: of exact ones, and of the others as the same
    advertiser's exact ones do."""
    table = [
        (batch["advertiser_id"].to_pylist(), batch["match_type"].to_pylist(),
         numbers(batch["impressions"]).tolist(), numbers(batch["searches"]).tolist())
        for batch in mined.batches("match_shares", ["advertiser_id", "match_type", "impressions", "searches"])
    ]  # fmt: skip
    rows = {
        (advertiser, match): (shown, searches)
        for advertisers, matches, impressions, searched in table
        for advertiser, match, shown, searches in zip(advertisers, matches, impressions, searched, strict=True)
    }
    # Who is not short of money takes part in as many auctions as anybody may: a high quantile of what is seen.
    exact = sorted((shown / of, of) for (_, match), (shown, of) in rows.items() if match == "exact" and of > 0)
    reached = np.cumsum([of for _, of in exact])
    most = 1.0
    if len(exact) and reached[-1] >= FEWEST_SEARCHES:
        most = exact[int(np.searchsorted(reached, UNLIMITED_QUANTILE * reached[-1]))][0]
    shares = {"EXACT": round(min(most, 1.0), 6)}
    for match in ("phrase", "broad"):
        shown = expected = 0.0
        for (advertiser, own), (impressions, searches) in sorted(rows.items()):
            same = rows.get((advertiser, "exact"))
            if own == match and same and same[0] > 0:
                shown += impressions
                expected += searches * same[0] / same[1]
        # Without evidence a wider match is taken to be held back by half.
        drawn = float(FEWEST_SEARCHES)
        shares[match.upper()] = round(min(1.0, (shown + drawn / 2) / (expected + drawn)) * shares["EXACT"], 6)
    return shares
