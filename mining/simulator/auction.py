"""Ad auctions: whose ads a search is shown, in which order, what a click costs, what is clicked and what is bought.

Which bids a query can trigger is worked out once a query; each search then runs an auction among them. The price of a
click is a generalised second price (Edelman, Ostrovsky & Schwarz 2007): what was just enough to keep the position.
"""

from dataclasses import dataclass

import numpy as np

from mining.simulator.advertisers import BROAD, EXACT, INTENT_VALUE, PHRASE, Advertisers, Bids
from mining.simulator.catalogue import NONE, Catalogue
from mining.simulator.grammar import EXPLORE, LEARN, SUPPORT
from mining.simulator.market import LANGUAGES, Market
from mining.simulator.sizes import DAYS, MICROS, WINDOW_START

SLOTS = 8
# Bids that are kept for each query: more than the slots, since not every advertiser takes part in every auction.
CANDIDATES = 14
# Share of advertisers whose broad keywords also reach people who only want to learn.
_BROAD_LEARN = 0.3
# The lowest price of a click, as a share of what one is usually worth.
_RESERVE = 0.25
_CENT = 10_000
_BID_NOISE = 0.2
# Probability that an average ad is clicked, by slot; the first four stand on top of the results.
_SLOT_CTR = np.array([0.062, 0.041, 0.029, 0.021, 0.007, 0.005, 0.004, 0.003])
_CONVERSION_RATE = 0.05
_CLICK_SECONDS, _CONVERSION_SECONDS = 7.0, 1500.0
# Nobody takes part in more than this share of the auctions: accounts are scheduled, capped and rotated.
_MOST_AUCTIONS = 0.9
# Share of the auctions that a bid may enter, by match type: platforms hold a wider match back where it fits badly.
_MATCH_SHARE = np.array([1.0, 0.3, 0.14])


@dataclass(frozen=True)
class AdEvents:
    """Events, a row each: row of the search, microseconds UTC, bid, position from 1, event, money in micros (-1: none).

    `event` is 0 impression, 1 click, 2 conversion; `fraud` marks clicks that a fraud ring made.
    """

    search: np.ndarray
    ts: np.ndarray
    bid: np.ndarray
    position: np.ndarray
    event: np.ndarray
    cost: np.ndarray
    value: np.ndarray
    fraud: np.ndarray

    def __len__(self) -> int:
        return len(self.search)


@dataclass(frozen=True)
class ProbeOutcome:
    """What a probe got, a row a search: whether or how much of it, and money in micros, 0 where there is none."""

    shown: np.ndarray
    clicked: np.ndarray
    cost: np.ndarray
    converted: np.ndarray
    value: np.ndarray


EVENTS = ("impression", "click", "conversion")
IMPRESSION, CLICK, CONVERSION = range(len(EVENTS))


def _name_contains(names: tuple[str, ...]) -> np.ndarray:
    """contains[i, j]: name j says name i (鲜花速递 says 鲜花)."""
    return np.array([[inner in outer for outer in names] for inner in names], dtype=bool)


def eligible_bids(
    market: Market, catalogue: Catalogue, bids: Bids, score: np.ndarray, open_to_learners: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The best bids for each query by score (int32, queries × CANDIDATES, -1 where there are fewer), and the bid that
    stands in for each of them before it is made: the same advertiser's older one that matches the query, or -1.

    Exact keywords match their query; phrase keywords that are a product's name match the queries that say it; broad
    keywords match what is searched for the product, support apart. Of one advertiser's bids the narrowest counts.
    """
    groups = catalogue.groups
    result = np.full((len(catalogue), CANDIDATES), NONE, dtype=np.int32)
    instead = result.copy()
    enabled = np.flatnonzero(bids.status == 0)
    group = catalogue.group[bids.query]
    half = groups.product[group].astype(np.int64) * len(LANGUAGES) + groups.language[group]
    enabled = enabled[np.argsort(half[enabled], kind="stable")]
    halves, first = np.unique(half[enabled], return_index=True)
    group_half = groups.product.astype(np.int64) * len(LANGUAGES) + groups.language
    for number, (start, stop) in zip(
        halves.tolist(), zip(first, np.append(first[1:], len(enabled)), strict=True), strict=True
    ):
        own_groups = np.searchsorted(group_half, [number, number + 1])
        low, high = groups.start[own_groups[0]], groups.start[own_groups[1]]
        rows = slice(int(low), int(high))
        names = market.products[number // len(LANGUAGES)].wording[number % len(LANGUAGES)].names
        own = enabled[start:stop]
        part = _match(catalogue, bids, own, rows, names, open_to_learners)
        older = own[bids.created[own] < WINDOW_START]
        standing = np.full_like(part, NONE)
        those = np.searchsorted(np.unique(bids.advertiser[own]), np.unique(bids.advertiser[older]))
        standing[those] = _match(catalogue, bids, older, rows, names, open_to_learners)
        shown = np.where(part >= 0, score[part], -1.0)
        order = np.argsort(-shown, axis=0, kind="stable")[:CANDIDATES]
        best = np.take_along_axis(part, order, axis=0)
        result[rows, : len(best)] = best.T
        late = (best >= 0) & (bids.created[best] >= WINDOW_START)
        instead[rows, : len(best)] = np.where(late, np.take_along_axis(standing, order, axis=0), NONE).T
    return result, instead


def _match(
    catalogue: Catalogue, bids: Bids, own: np.ndarray, rows: slice, names: tuple[str, ...], open_to_learners: np.ndarray
) -> np.ndarray:
    """The bid of each advertiser (rows) that matches each query (columns) of one product and language, -1: none."""
    intent = catalogue.groups.intent[catalogue.group[rows]]
    name = catalogue.name[rows]
    contains = _name_contains(names)
    advertisers, row = np.unique(bids.advertiser[own], return_inverse=True)
    part = np.full((len(advertisers), rows.stop - rows.start), NONE, dtype=np.int64)
    for match_type in (BROAD, PHRASE, EXACT):
        for index in np.flatnonzero(bids.match_type[own] == match_type).tolist():
            bid, query = int(own[index]), int(bids.query[own[index]])
            if match_type == EXACT:
                part[row[index], query - rows.start] = bid
            elif match_type == BROAD:
                open_here = intent != SUPPORT
                if not open_to_learners[bids.advertiser[bid]]:
                    open_here &= intent != LEARN
                part[row[index], open_here] = bid
            else:
                said = int(catalogue.name[query])
                bare = said >= 0 and catalogue.text[query] == names[said]
                if bare:
                    part[row[index], (name >= 0) & contains[said][np.maximum(name, 0)]] = bid
                else:
                    part[row[index], query - rows.start] = bid
    return part


class Auction:
    """The auctions of a market, with each advertiser paced so that it keeps within its daily budget on average."""

    def __init__(
        self,
        market: Market,
        catalogue: Catalogue,
        advertisers: Advertisers,
        bids: Bids,
        popularity: np.ndarray,
        searches: int,
        rng: np.random.Generator,
    ) -> None:
        self._market = market
        self._catalogue = catalogue
        self._advertisers = advertisers
        self.bids = bids
        self._score = bids.bid_micros * advertisers.quality[bids.advertiser]
        learners = rng.random(len(advertisers)) < _BROAD_LEARN
        self.candidates, self._instead = eligible_bids(market, catalogue, bids, self._score, learners)
        self._take_part = self._pace(popularity * searches / DAYS)
        industry = advertisers.industry[bids.advertiser]
        self._order_value = np.array([item.order_value for item in market.industries])[industry]
        worth = np.array([item.click_price for item in market.industries])[industry]
        worth = worth * INTENT_VALUE[catalogue.groups.intent[catalogue.group[bids.query]]]
        self._reserve = np.ceil(worth * _RESERVE * MICROS / _CENT) * _CENT
        # Not every advertiser's site sells equally well.
        self._conversion = _CONVERSION_RATE * rng.lognormal(0.0, 0.4, len(advertisers))

    def _pace(self, searches_a_day: np.ndarray) -> np.ndarray:
        """Share of the auctions that each bid takes part in: its advertiser's budget over the cost of all of them."""
        bids = self.bids
        spend = np.zeros(len(self._advertisers))
        for slot in range(CANDIDATES):
            bid = self.candidates[:, slot]
            there = bid >= 0
            rate = _SLOT_CTR[min(slot // 2, SLOTS - 1)]
            cost = searches_a_day[there] * rate * bids.bid_micros[bid[there]] * 0.7
            spend += np.bincount(bids.advertiser[bid[there]], cost, len(spend))
        share = np.minimum(_MOST_AUCTIONS, self._advertisers.daily_budget_micros / np.maximum(spend, 1.0))
        return share[bids.advertiser] * _MATCH_SHARE[bids.match_type]

    def run(
        self,
        query: np.ndarray,
        ts: np.ndarray,
        place: np.ndarray,
        clicks_ads: np.ndarray,
        target: np.ndarray,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, AdEvents]:
        """Ads shown for each search (int32), and the events.

        `place` is where the searcher is, `clicks_ads` whether it is a person who may click; `target` the advertiser
        (-1: none) whose ad a fraud ring is after.
        """
        ads_shown = np.zeros(len(query), dtype=np.int32)
        search, bid, score = self.ranked(query, ts, place, target, rng)
        shown = score[:, :SLOTS] > 0
        quality = self._advertisers.quality[self.bids.advertiser[bid[:, :SLOTS]]]
        enough = np.ceil(score[:, 1:] / quality / _CENT) * _CENT + _CENT
        price = np.minimum(np.maximum(enough, self._reserve[bid[:, :SLOTS]]), self.bids.bid_micros[bid[:, :SLOTS]])
        ads_shown[search] = shown.sum(axis=1)

        row, slot = np.nonzero(shown)
        impressions = AdEvents(
            search=search[row],
            ts=ts[search[row]] + 120_000,
            bid=bid[row, slot],
            position=(slot + 1).astype(np.int32),
            event=np.full(len(row), IMPRESSION, dtype=np.int8),
            cost=np.full(len(row), NONE, dtype=np.int64),
            value=np.full(len(row), NONE, dtype=np.int64),
            fraud=np.zeros(len(row), dtype=bool),
        )
        clicks = self._clicks(impressions, price[row, slot].astype(np.int64), query, clicks_ads, rng)
        return ads_shown, joined([impressions, clicks, self._conversions(clicks, query, rng)])

    def ranked(
        self, query: np.ndarray, ts: np.ndarray, place: np.ndarray, target: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The searches that any bid matches (rows of `query`), and their bids and scores, best first.

        Bids and scores are (searches, SLOTS + 1); a score of 0 is of a bid that does not take part.
        """
        search = np.flatnonzero(self.candidates[query, 0] >= 0)
        bid = self.candidates[query[search]]
        # A bid takes part from its creation on.
        bid = np.where(self.bids.created[bid] > ts[search][:, None], self._instead[query[search]], bid)
        advertiser = self.bids.advertiser[bid]
        aimed_at = advertiser == target[search][:, None]
        there = (bid >= 0) & self._advertisers.serves[advertiser, place[search][:, None]]
        there &= rng.random(bid.shape, dtype=np.float32) < self._take_part[bid]
        there |= aimed_at & (bid >= 0)
        noise = 1 + _BID_NOISE * (rng.random(bid.shape, dtype=np.float32) - 0.5)
        score = np.where(there, self._score[bid] * noise, 0.0)
        score = np.where(aimed_at & there, score * 1.5, score)
        order = np.argsort(-score, axis=1, kind="stable")[:, : SLOTS + 1]
        return search, np.take_along_axis(bid, order, axis=1), np.take_along_axis(score, order, axis=1)

    def probe(
        self,
        query: np.ndarray,
        ts: np.ndarray,
        place: np.ndarray,
        keyword: np.ndarray,
        match_type: np.ndarray,
        bid_micros: np.ndarray,
        rng: np.random.Generator,
        expected: bool = False,
    ) -> "ProbeOutcome":
        """What one more advertiser of average quality would have got in these auctions, without a limit of budget.

        A row a search: `keyword` is the query that the advertiser's bid is on, which may be another than was searched.
        A bid below the reserve is not shown: hardly any in the log is, and whoever bid less than the least price of a
        click would else buy it for less than anyone there. With `expected`, clicks and what follows them are their
        expectations and not drawn.
        """
        rows = len(query)
        nobody = np.full(rows, NONE)
        search, _, score = self.ranked(query, ts, place, nobody, rng)
        scores = np.zeros((rows, SLOTS + 1))
        scores[search] = score
        takes_part = rng.random(rows) < _MOST_AUCTIONS * _MATCH_SHARE[match_type]
        own = bid_micros * (1 + _BID_NOISE * (rng.random(rows) - 0.5))
        above = (scores > own[:, None]).sum(axis=1)
        slot = np.minimum(above, SLOTS - 1)
        below = np.take_along_axis(scores, slot[:, None], axis=1)[:, 0]
        groups, industries = self._catalogue.groups, self._market.industries
        product = groups.product[self._catalogue.group[keyword]]
        industry = np.array([each.industry for each in self._market.products])[product]
        worth = np.array([item.click_price for item in industries])[industry]
        worth = worth * INTENT_VALUE[groups.intent[self._catalogue.group[keyword]]]
        reserve = np.ceil(worth * _RESERVE * MICROS / _CENT) * _CENT
        shown = takes_part & (above < SLOTS) & (bid_micros >= reserve)
        price = np.minimum(np.maximum(np.ceil(below / _CENT) * _CENT + _CENT, reserve), bid_micros)
        intent = groups.intent[self._catalogue.group[query]]
        click_rate = np.where(shown, _SLOT_CTR[slot] * np.sqrt(INTENT_VALUE[intent]), 0.0)
        rate = self._conversion.mean() * np.where(intent == EXPLORE, 0.8, INTENT_VALUE[intent])
        order = np.array([item.order_value for item in industries])[industry] * MICROS
        if expected:
            # The mean of the values that orders have in `_conversions`.
            order = order * np.exp(-0.15 + 0.55**2 / 2)
            return ProbeOutcome(shown, click_rate, click_rate * price, click_rate * rate, click_rate * rate * order)
        clicked = rng.random(rows) < click_rate
        converted = clicked & (rng.random(rows) < rate)
        value = order * rng.lognormal(-0.15, 0.55, rows)
        return ProbeOutcome(shown, clicked, np.where(clicked, price, 0.0), converted, np.where(converted, value, 0.0))

    def _clicks(
        self,
        impressions: AdEvents,
        price: np.ndarray,
        query: np.ndarray,
        clicks_ads: np.ndarray,
        rng: np.random.Generator,
    ) -> AdEvents:
        quality = self._advertisers.quality[self.bids.advertiser[impressions.bid]]
        intent = self._catalogue.groups.intent[self._catalogue.group[query[impressions.search]]]
        rate = _SLOT_CTR[impressions.position - 1] * quality * np.sqrt(INTENT_VALUE[intent])
        clicked = clicks_ads[impressions.search] & (rng.random(len(impressions)) < rate)
        row = np.flatnonzero(clicked)
        seconds = np.clip(_CLICK_SECONDS * rng.lognormal(0.0, 0.8, len(row)), 1.0, 600.0)
        return events_after(impressions, row, seconds, CLICK, cost=price[row])

    def _conversions(self, clicks: AdEvents, query: np.ndarray, rng: np.random.Generator) -> AdEvents:
        advertiser = self.bids.advertiser[clicks.bid]
        intent = self._catalogue.groups.intent[self._catalogue.group[query[clicks.search]]]
        rate = self._conversion[advertiser] * np.where(intent == EXPLORE, 0.8, INTENT_VALUE[intent])
        row = np.flatnonzero(rng.random(len(clicks)) < rate)
        seconds = np.clip(_CONVERSION_SECONDS * rng.lognormal(0.0, 1.2, len(row)), 20.0, 6 * 86_400.0)
        value = self._order_value[clicks.bid[row]] * rng.lognormal(-0.15, 0.55, len(row))
        micros = np.maximum(1, np.round(value * MICROS / _CENT)).astype(np.int64) * _CENT
        return events_after(clicks, row, seconds, CONVERSION, value=micros)


def events_after(
    events: AdEvents,
    row: np.ndarray,
    seconds: np.ndarray,
    event: int,
    cost: np.ndarray | None = None,
    value: np.ndarray | None = None,
    fraud: bool = False,
) -> AdEvents:
    """What follows some events: the same ad and search, so many seconds later."""
    nothing = np.full(len(row), NONE, dtype=np.int64)
    return AdEvents(
        search=events.search[row],
        ts=events.ts[row] + (seconds * MICROS).astype(np.int64),
        bid=events.bid[row],
        position=events.position[row],
        event=np.full(len(row), event, dtype=np.int8),
        cost=nothing if cost is None else cost,
        value=nothing if value is None else value,
        fraud=np.full(len(row), fraud),
    )


def joined(parts: list[AdEvents]) -> AdEvents:
    """The events of several lists, one after the other."""
    names = ("search", "ts", "bid", "position", "event", "cost", "value", "fraud")
    return AdEvents(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
