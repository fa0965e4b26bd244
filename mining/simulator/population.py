"""Who searches, and for what: users with their traits, the needs that they have, and the sessions in which they look.

All state is columns, so that what users do besides searching (visits, purchases, shares, notifications) can be added
as further tables over the same users and needs.
"""

from dataclasses import dataclass, fields

import numpy as np

from mining.simulator.catalogue import NONE, Catalogue, draw_intents, intent_table
from mining.simulator.demand import Demand
from mining.simulator.market import EN, LANGUAGES, ZH, Market
from mining.simulator.sizes import DAY_MICROS, DAYS, MICROS, WINDOW_END, WINDOW_START

DEVICES = ("mobile", "desktop", "tablet")
SOURCES = ("organic_search", "paid_search", "social", "referral", "app_store", "offline")
# A tenth tells no gender: the code after these.
GENDERS = ("female", "male")
AGE_BANDS = ("18-24", "25-34", "35-44", "45-54", "55+")

# Spread of how much single users search (sigma of a log-normal): a few search a hundred times as much as many.
_ACTIVITY_SPREAD = 1.1
_ZH_USERS = 0.54
_INTERESTED = 0.55
_NEARBY = 0.75
# Mean number of further sessions in which a need is taken up again, and of days until then.
_RETURNS = 0.5
_RETURN_DAYS = 2.2
# Share of sessions in which a second, unrelated need comes up.
_MIXED_SESSIONS = 0.10
_USUAL_DEVICE = 0.88
# Lengths of sessions in searches: 1, 2, 3, …
SESSION_LENGTHS = np.array([0.36, 0.24, 0.15, 0.09, 0.06, 0.04, 0.025, 0.015, 0.01, 0.006, 0.003, 0.001])
SESSION_LENGTHS = SESSION_LENGTHS / SESSION_LENGTHS.sum()
MEAN_SESSION = float((SESSION_LENGTHS * np.arange(1, len(SESSION_LENGTHS) + 1)).sum())
# Searches by hour of the local day, midnight first.
_HOURS = np.array(
    [1.4, 0.8, 0.5, 0.4, 0.4, 0.6, 1.3, 2.4, 4.0, 5.4, 5.9, 5.6, 5.3, 5.2, 5.4, 5.5, 5.4, 5.2, 5.3, 6.0,
     6.6, 6.4, 5.0, 3.0]
)  # fmt: skip


@dataclass(frozen=True)
class Users:
    """One row a user. `number` is the public number (scrambled), `address` numbers the network address at home."""

    number: np.ndarray
    language: np.ndarray
    home: np.ndarray
    interest: np.ndarray
    activity: np.ndarray
    device: np.ndarray
    client: np.ndarray
    address: np.ndarray
    signup_day: np.ndarray
    source: np.ndarray
    gender: np.ndarray
    age_band: np.ndarray
    # The first `people` rows are people; the rest is there for robots and fraud, and looks the same from outside.
    people: int

    def __len__(self) -> int:
        return len(self.number)


@dataclass(frozen=True)
class Sessions:
    """One row a session, by start; `need` numbers the user's need that it serves, `start` is in microseconds UTC.

    `group` is what the first search is for; `kind`, `place` and `brand` what the user has in mind (-1: none);
    `second_product` (-1: none) a second need that comes up; `first_query` (-1: drawn) a given first query.
    """

    need: np.ndarray
    user: np.ndarray
    start: np.ndarray
    length: np.ndarray
    group: np.ndarray
    kind: np.ndarray
    place: np.ndarray
    brand: np.ndarray
    second_product: np.ndarray
    first_query: np.ndarray
    device: np.ndarray

    def __len__(self) -> int:
        return len(self.need)

    def take(self, rows: np.ndarray | slice) -> "Sessions":
        return Sessions(**{column.name: getattr(self, column.name)[rows] for column in fields(self)})


def pick(weights: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Positions drawn by weight."""
    running = np.cumsum(weights)
    return np.minimum(np.searchsorted(running, uniform * running[-1], side="right"), len(weights) - 1)


def build_users(market: Market, people: int, others: int, rng: np.random.Generator) -> Users:
    """The users of the market; one language each, a home there, an industry that they care for."""
    count = people + others
    language = np.where(rng.random(count) < _ZH_USERS, ZH, EN).astype(np.int8)
    home = np.empty(count, dtype=np.int16)
    for spoken in range(len(LANGUAGES)):
        here = language == spoken
        weights = np.array([place.weight if place.language == spoken else 0.0 for place in market.places])
        home[here] = pick(weights, rng.random(int(here.sum())))
    popularity = np.array([industry.popularity for industry in market.industries])
    interest = pick(popularity, rng.random(count)).astype(np.int16)
    # Users stand by language and interest, so that those interested in an industry are a range.
    order = np.concatenate((np.lexsort((interest[:people], language[:people])), np.arange(people, count)))
    return Users(
        number=rng.permutation(count).astype(np.int64),
        language=language[order],
        home=home[order],
        interest=interest[order],
        activity=rng.lognormal(0.0, _ACTIVITY_SPREAD, count),
        device=pick(np.array([0.66, 0.29, 0.05]), rng.random(count)).astype(np.int8),
        client=rng.integers(0, 1000, count).astype(np.int16),
        # A few users share an address: families, offices.
        address=rng.integers(0, int(count * 1.5), count),
        signup_day=rng.integers(-730, DAYS, count),
        source=pick(np.array([0.3, 0.25, 0.2, 0.12, 0.1, 0.03]), rng.random(count)).astype(np.int8),
        gender=pick(np.array([0.45, 0.45, 0.1]), rng.random(count)).astype(np.int8),
        age_band=pick(np.array([0.18, 0.34, 0.24, 0.14, 0.1]), rng.random(count)).astype(np.int8),
        people=people,
    )


def _draw_users(users: Users, industry: np.ndarray, language: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A user for each need: of its language, often one interested in its industry, the active ones more often."""
    people = slice(users.people)
    running = np.concatenate(([0.0], np.cumsum(users.activity[people])))
    of = users.language[people].astype(np.int64) * 1000 + users.interest[people]
    wanted = language.astype(np.int64) * 1000
    interested = rng.random(len(industry)) < _INTERESTED
    first = np.where(interested, wanted + industry, wanted)
    last = np.where(interested, wanted + industry, wanted + 999)
    start, stop = np.searchsorted(of, first, side="left"), np.searchsorted(of, last, side="right")
    nobody = start == stop
    start[nobody] = np.searchsorted(of, wanted[nobody], side="left")
    stop[nobody] = np.searchsorted(of, wanted[nobody] + 999, side="right")
    low, high = running[start], running[stop]
    user = np.searchsorted(running, low + rng.random(len(industry)) * (high - low), side="right") - 1
    return np.clip(user, start, stop - 1).astype(np.int32)


def _draw_groups(
    catalogue: Catalogue, product: np.ndarray, language: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """A need (product, intent, facet) for each product and language, by share; groups stand by product and language."""
    groups = catalogue.groups
    half = groups.product.astype(np.int64) * len(LANGUAGES) + groups.language
    running = np.concatenate(([0.0], np.cumsum(groups.share)))
    wanted = product.astype(np.int64) * len(LANGUAGES) + language
    start, stop = np.searchsorted(half, wanted, side="left"), np.searchsorted(half, wanted, side="right")
    low, high = running[start], running[stop]
    group = np.searchsorted(running, low + rng.random(len(product)) * (high - low), side="right") - 1
    return np.clip(group, start, stop - 1).astype(np.int32)


def _burst_needs(
    demand: Demand, catalogue: Catalogue, popularity: np.ndarray, needs: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Additional needs (query, day) that make the planted bursts of single queries."""
    queries, days = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for burst in demand.bursts:
        if burst.query < 0:
            continue
        length = burst.last - burst.first + 1
        usual_a_day = max(popularity[burst.query] * needs / DAYS, 0.5)
        count = int(rng.poisson(usual_a_day * length * (burst.factor - 1)))
        queries.append(np.full(count, burst.query))
        days.append(rng.integers(burst.first, burst.last + 1, count))
    return np.concatenate(queries), np.concatenate(days)


def build_sessions(
    market: Market,
    catalogue: Catalogue,
    demand: Demand,
    popularity: np.ndarray,
    users: Users,
    searches: int,
    rng: np.random.Generator,
) -> Sessions:
    """Sessions for about `searches` searches over the window, by start."""
    groups = catalogue.groups
    count = round(searches / MEAN_SESSION / (1 + _RETURNS))
    cells = demand.by_product_day.ravel()
    cell = np.repeat(np.arange(len(cells)), rng.multinomial(count, cells))
    product, day = cell // DAYS, cell % DAYS
    burst_query, burst_day = _burst_needs(demand, catalogue, popularity, count, rng)
    burst_group = catalogue.group[burst_query]

    product = np.concatenate((product, groups.product[burst_group]))
    day = np.concatenate((day, burst_day))
    zh = rng.random(len(product)) < demand.zh_share[product]
    language = np.where(zh, ZH, EN)
    language[count:] = groups.language[burst_group]
    industry = np.array([item.industry for item in market.products])[product]
    user = _draw_users(users, industry, language, rng)
    group = _draw_groups(catalogue, product, language, rng)
    first_query = np.full(len(product), NONE, dtype=np.int64)
    group[count:], first_query[count:] = burst_group, burst_query

    kind, brand = groups.kind[group], groups.brand[group]
    place = groups.place[group].astype(np.int32)
    home = users.home[user]
    nearby = (place >= 0) & (rng.random(len(place)) < _NEARBY) & (catalogue.place_group[product, language, home] >= 0)
    nearby &= first_query < 0
    group = np.where(nearby, catalogue.place_group[product, language, home], group)
    place = np.where(nearby | (place < 0), home, place)

    # A need is taken up again on later days, often with another intent.
    returns = rng.geometric(1 / (1 + _RETURNS), len(product)) - 1
    need = np.repeat(np.arange(len(product)), returns + 1)
    order_in_need = np.arange(len(need)) - np.repeat(np.cumsum(returns + 1) - returns - 1, returns + 1)
    again = order_in_need > 0
    later = np.where(again, order_in_need * rng.exponential(_RETURN_DAYS, len(need)), 0.0)
    session_group = group[need]
    intent = draw_intents(np.cumsum(intent_table(market), axis=1), product[need], rng)
    other = catalogue.group_of[product[need], language[need], intent, kind[need] + 1]
    session_group = np.where(again & (other >= 0), other, session_group)

    start = _start_times(market, users, user[need], day[need], later, rng)
    inside = (start >= WINDOW_START) & (start < WINDOW_END - DAY_MICROS // 24)
    length = (pick(SESSION_LENGTHS, rng.random(len(need))) + 1).astype(np.int8)
    mixed = (rng.random(len(need)) < _MIXED_SESSIONS) & (length > 1)
    second = np.where(mixed, rng.permutation(product[need]), NONE)
    usual = rng.random(len(need)) < _USUAL_DEVICE
    device = np.where(usual, users.device[user[need]], rng.integers(0, len(DEVICES), len(need)))
    sessions = Sessions(
        need=need.astype(np.int32),
        user=user[need],
        start=start,
        length=length,
        group=session_group.astype(np.int32),
        kind=kind[need].astype(np.int16),
        place=place[need].astype(np.int16),
        brand=brand[need].astype(np.int16),
        second_product=second.astype(np.int16),
        first_query=np.where(again, NONE, first_query[need]).astype(np.int32),
        device=device.astype(np.int8),
    )
    rows = np.flatnonzero(inside)
    return sessions.take(rows[np.argsort(start[rows], kind="stable")])


def _start_times(
    market: Market, users: Users, user: np.ndarray, day: np.ndarray, later: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """When sessions start, microseconds UTC, by the hours of the user's home; what is before the window moves in."""
    offset = np.array([place.utc_offset_hours for place in market.places])[users.home[user]]
    hour = pick(_HOURS, rng.random(len(user))) + rng.random(len(user))
    micros = ((hour - offset) * 3600 * MICROS).astype(np.int64)
    whole_days = day + np.floor(later).astype(np.int64)
    start = WINDOW_START + whole_days * DAY_MICROS + micros
    return np.where(start < WINDOW_START, start + DAY_MICROS, start)
