"""Traffic that no person makes: robots that search by the clock, rings that click an advertiser's ads for nothing."""

from dataclasses import dataclass, fields

import numpy as np

from mining.simulator.advertisers import Advertisers
from mining.simulator.auction import CLICK, IMPRESSION, AdEvents, Auction, events_after, joined
from mining.simulator.catalogue import NONE, Catalogue
from mining.simulator.population import Users
from mining.simulator.sizes import DAY_MICROS, DAYS, MICROS, WINDOW_START, Size

ROBOT_KINDS = ("rank_tracker", "crawler", "price_scraper")
FRAUD_KINDS = ("competitor", "click_farm", "click_bot")
# Share of all searches that robots make, and that fraud rings make.
ROBOT_SHARE, FRAUD_SHARE = 0.025, 0.006
_FARM_USERS = (8, 30)
# A ring's click on its target's ad, and how often it clicks once more.
_RING_CLICKS, _CLICKS_AGAIN = 0.9, 0.25


@dataclass(frozen=True)
class Scripted:
    """Searches by scripts, a row each, by time; `ring` and `target` are -1 for robots, `robot` -1 for rings.

    `address` and `client` number the network address and the program (-1: as the user's).
    """

    ts: np.ndarray
    user: np.ndarray
    query: np.ndarray
    robot: np.ndarray
    ring: np.ndarray
    target: np.ndarray
    address: np.ndarray
    client: np.ndarray

    def __len__(self) -> int:
        return len(self.ts)

    def take(self, rows: np.ndarray | slice) -> "Scripted":
        return Scripted(**{column.name: getattr(self, column.name)[rows] for column in fields(self)})


@dataclass(frozen=True)
class Cast:
    """Who the scripts are: user row and kind of each robot; kind, target and users of each ring."""

    robot_users: np.ndarray
    robot_kinds: list[str]
    ring_kinds: list[str]
    ring_targets: np.ndarray
    ring_users: list[np.ndarray]


def scripted_users(size: Size) -> int:
    """How many users have to be kept for scripts."""
    return size.robots + size.fraud_rings * _FARM_USERS[1]


def _robot_times(kind: str, count: int, rng: np.random.Generator) -> np.ndarray:
    """When a robot searches: microseconds since the window's start, regular to a fraction of a second."""
    if kind == "crawler":
        # Runs of a few hundred searches, seconds apart.
        interval, run = float(rng.uniform(2.0, 7.0)), int(rng.integers(120, 400))
        runs = -(-count // run)
        begin = np.sort(rng.integers(0, (DAYS - 1) * DAY_MICROS, runs))
        step = np.arange(count)
        ts = begin[step // run] + (step % run * interval * MICROS).astype(np.int64)
    else:
        interval = float(rng.uniform(240.0, 700.0) if kind == "rank_tracker" else rng.uniform(45.0, 150.0))
        days = count * interval / 86_400
        first = int(rng.integers(0, max(1, int((DAYS - 1 - min(days, DAYS - 2)) * DAY_MICROS))))
        ts = first + (np.arange(count) * interval * MICROS).astype(np.int64)
    return ts + rng.integers(0, 300_000, count)


def build_scripted(
    catalogue: Catalogue,
    popularity: np.ndarray,
    users: Users,
    auction: Auction,
    advertisers: Advertisers,
    size: Size,
    rng: np.random.Generator,
) -> tuple[Scripted, Cast]:
    """All searches by robots and fraud rings."""
    spare = rng.permutation(np.arange(users.people, len(users)))
    common = np.argsort(-popularity, kind="stable")[: max(2000, len(popularity) // 20)]
    parts: list[Scripted] = []
    robot_kinds = [ROBOT_KINDS[index % len(ROBOT_KINDS)] for index in range(size.robots)]
    each = int(size.searches * ROBOT_SHARE / size.robots)
    for robot, kind in enumerate(robot_kinds):
        count = int(each * rng.uniform(0.6, 1.4))
        if kind == "rank_tracker":
            watched = rng.choice(common[:500], int(rng.integers(15, 40)), replace=False)
            query = np.resize(watched, count)
        else:
            query = common[rng.integers(0, len(common), count)]
        ts = WINDOW_START + _robot_times(kind, count, rng)
        parts.append(_rows(ts, spare[robot], query, robot=robot))
    ring_kinds = [FRAUD_KINDS[index % len(FRAUD_KINDS)] for index in range(size.fraud_rings)]
    targets, members = [], []
    free = size.robots
    each = int(size.searches * FRAUD_SHARE / size.fraud_rings)
    # A ring is after an ad that was there before it began.
    best = auction.candidates[common, :2]
    wanted = np.flatnonzero((best >= 0).all(axis=1) & (auction.bids.created[best] < WINDOW_START).all(axis=1))
    for ring, kind in enumerate(ring_kinds):
        size_of_ring = int(rng.integers(*_FARM_USERS)) if kind == "click_farm" else int(rng.integers(1, 3))
        own = spare[free : free + size_of_ring]
        free += _FARM_USERS[1]
        aim = int(common[rng.choice(wanted[: len(wanted) // 2])])
        target = int(auction.bids.advertiser[auction.candidates[aim, int(rng.integers(0, 2))]])
        count = int(each * rng.uniform(0.7, 1.3))
        ts = WINDOW_START + _ring_times(kind, count, rng)
        addresses = rng.integers(0, len(users) * 2, 1 + (kind == "click_farm") * 3)
        parts.append(
            _rows(
                ts,
                rng.choice(own, count),
                np.full(count, aim),
                ring=ring,
                target=target,
                address=addresses[rng.integers(0, len(addresses), count)],
                client=int(rng.integers(0, 1000)),
            )
        )
        targets.append(target)
        members.append(np.sort(own))
    whole = Scripted(*(np.concatenate([getattr(part, c.name) for part in parts]) for c in fields(Scripted)))
    inside = np.flatnonzero(whole.ts < WINDOW_START + (DAYS - 1) * DAY_MICROS)
    cast = Cast(spare[: size.robots], robot_kinds, ring_kinds, np.array(targets), members)
    return whole.take(inside[np.argsort(whole.ts[inside], kind="stable")]), cast


def _ring_times(kind: str, count: int, rng: np.random.Generator) -> np.ndarray:
    first_day = int(rng.integers(20, DAYS - 60))
    if kind == "click_bot":
        # Night after night, a click every few seconds.
        nights = rng.integers(first_day, first_day + 6, count)
        return nights * DAY_MICROS + 18 * 3600 * MICROS + np.sort(rng.integers(0, 5400 * MICROS, count))
    days = rng.integers(first_day, first_day + (10 if kind == "competitor" else 30), count)
    hours = rng.integers(1, 11, count) if kind == "competitor" else rng.integers(0, 24, count)
    return days * DAY_MICROS + hours * 3600 * MICROS + rng.integers(0, 3600 * MICROS, count)


def _rows(
    ts: np.ndarray,
    user: np.ndarray | int,
    query: np.ndarray,
    robot: int = NONE,
    ring: int = NONE,
    target: int = NONE,
    address: np.ndarray | int = NONE,
    client: int = NONE,
) -> Scripted:
    columns = (ts, user, query, robot, ring, target, address, client)
    return Scripted(*(np.broadcast_to(np.asarray(column, dtype=np.int64), len(ts)) for column in columns))


def fraud_clicks(
    events: AdEvents, auction: Auction, target: np.ndarray, fast: np.ndarray, rng: np.random.Generator
) -> AdEvents:
    """The clicks of rings on their targets' ads, some repeated; `fast` says which searches a program clicks for.

    `target` is the advertiser that each search is after (-1: none). The prices are those of the position's bid.
    """
    hit = (events.event == IMPRESSION) & (auction.bids.advertiser[events.bid] == target[events.search])
    row = np.flatnonzero(hit & (target[events.search] >= 0))
    row = row[rng.random(len(row)) < _RING_CLICKS]
    cost = (auction.bids.bid_micros[events.bid[row]] * 0.8 / 10_000).astype(np.int64) * 10_000
    quick = fast[events.search[row]]
    seconds = np.where(quick, rng.uniform(0.15, 0.6, len(row)), rng.uniform(1.5, 8.0, len(row)))
    first = events_after(events, row, seconds, CLICK, cost=cost, fraud=True)
    again = np.flatnonzero(rng.random(len(row)) < _CLICKS_AGAIN)
    second = events_after(first, again, rng.uniform(0.5, 4.0, len(again)), CLICK, cost=cost[again], fraud=True)
    return joined([first, second])
