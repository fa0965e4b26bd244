"""An experiment in the simulated market: what advertisers that were not there would have got in weeks of its log."""

from dataclasses import dataclass

import numpy as np

from mining.simulator.advertisers import MATCH_TYPES
from mining.simulator.auction import ProbeOutcome
from mining.simulator.setting import Setting
from mining.simulator.shards import Searches, searches_since

OUTCOMES = ("searches", "impressions", "clicks", "cost_micros", "conversions", "value_micros")


@dataclass(frozen=True)
class PeopleSearches:
    """Searches by people from a moment on: microseconds UTC, catalogue rows, typed texts' numbers, places."""

    ts: np.ndarray
    query: np.ndarray
    raw: np.ndarray
    place: np.ndarray


def people_searches(setting: Setting, moment: int) -> PeopleSearches:
    """People's searches since a moment, as the log has them."""
    parts: list[Searches] = []
    for found in searches_since(setting, moment):
        rows = np.flatnonzero(found.by_people)
        parts.append(Searches(**{name: column[rows] for name, column in vars(found).items()}))
    user = np.concatenate([part.user for part in parts])
    return PeopleSearches(
        ts=np.concatenate([part.ts for part in parts]),
        query=np.concatenate([part.query for part in parts]),
        raw=np.concatenate([part.raw for part in parts]),
        place=setting.users.home[user],
    )


def probe(
    setting: Setting,
    searches: PeopleSearches,
    between: tuple[int, int],
    owner: np.ndarray,
    keyword: np.ndarray,
    match_type: np.ndarray,
    bid_micros: np.ndarray,
    seed: int,
    expected: bool = False,
) -> np.ndarray:
    """What each item got in a stretch of time: float64 (items, OUTCOMES), money in micros; see `Auction.probe`.

    `owner` int64 (typed texts,) says which item bids for a search with this text, -1 none. Of the items: `keyword`, the
    catalogue row that the bid is on, `match_type` as in MATCH_TYPES, and the bid.
    """
    item = owner[searches.raw]
    rows = np.flatnonzero((item >= 0) & (searches.ts >= between[0]) & (searches.ts < between[1]))
    item = item[rows]
    outcome: ProbeOutcome = setting.auction.probe(
        searches.query[rows],
        searches.ts[rows],
        searches.place[rows],
        keyword[item],
        match_type[item],
        bid_micros[item].astype(np.float64),
        np.random.default_rng(seed),
        expected,
    )
    columns = (np.ones(len(rows)), outcome.shown, outcome.clicked, outcome.cost, outcome.converted, outcome.value)
    return np.column_stack([np.bincount(item, column, len(keyword)) for column in columns])


MATCH_NUMBERS = {name: number for number, name in enumerate(MATCH_TYPES)}
