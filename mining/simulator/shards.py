"""The log itself, a stretch of time after the other: searches, clicks and ad events as canonical tables."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mining.simulator import columns
from mining.simulator.advertisers import MATCH_TYPES
from mining.simulator.auction import EVENTS, AdEvents, joined
from mining.simulator.catalogue import NONE
from mining.simulator.population import DEVICES, MEAN_SESSION
from mining.simulator.scripted import FRAUD_KINDS, fraud_clicks
from mining.simulator.setting import Setting
from mining.simulator.sizes import DAY_MICROS, WINDOW_END
from mining.simulator.spellings import MISSPELLING

USER_DIGITS, SEARCH_DIGITS, ADVERTISER_DIGITS = 8, 10, 6
# How many of the client programs in names.toml run on each device, in their order there.
_CLIENTS_OF_DEVICE = np.array([5, 4, 2])
_ROBOT_SESSION = NONE
_DESKTOP = DEVICES.index("desktop")


@dataclass(frozen=True)
class Searches:
    """Searches of a shard, by time; `raw` numbers the typed text: a canonical query, or after those a form of one.

    `session` numbers the session (-1: a script's), `move` how it came from the search before (walk.MOVES).
    """

    number: np.ndarray
    ts: np.ndarray
    user: np.ndarray
    query: np.ndarray
    raw: np.ndarray
    session: np.ndarray
    move: np.ndarray
    device: np.ndarray
    client: np.ndarray
    address: np.ndarray
    target: np.ndarray
    ring: np.ndarray
    robot: np.ndarray

    def __len__(self) -> int:
        return len(self.ts)

    @property
    def by_people(self) -> np.ndarray:
        return (self.robot < 0) & (self.ring < 0)


@dataclass(frozen=True)
class Shard:
    """One stretch of the log: the tables, and what truth and other formats need to know of them."""

    tables: dict[str, pa.Table]
    searches: Searches
    clicked_pages: np.ndarray
    fraud: pa.Table


def shards(setting: Setting) -> Iterator[Shard]:
    """The log in stretches of about `shard_searches` searches, by time. Memory is bounded by one stretch."""
    sessions, scripted = setting.sessions, setting.scripted
    step = max(1, int(setting.size.shard_searches / MEAN_SESSION))
    cuts = list(range(0, len(sessions), step)) or [0]
    number = 0
    for index, cut in enumerate(cuts):
        rows = slice(cut, cut + step)
        last = index == len(cuts) - 1
        begin = 0 if index == 0 else int(np.searchsorted(scripted.ts, sessions.start[cut]))
        end = len(scripted) if last else int(np.searchsorted(scripted.ts, sessions.start[cut + step]))
        rng = setting.stream(f"shard {index}")
        searches = _searches(setting, rows, slice(begin, end), number, rng)
        number += len(searches)
        yield _shard(setting, searches, rng)


def searches_since(setting: Setting, moment: int) -> Iterator[Searches]:
    """The searches of the log from a moment (microseconds) on, as `shards` makes them, without what follows them."""
    sessions, scripted = setting.sessions, setting.scripted
    step = max(1, int(setting.size.shard_searches / MEAN_SESSION))
    cuts = list(range(0, len(sessions), step)) or [0]
    for index, cut in enumerate(cuts):
        last = index == len(cuts) - 1
        # A session runs on for hours after its start.
        if not last and sessions.start[cuts[index + 1]] < moment - DAY_MICROS:
            continue
        begin = 0 if index == 0 else int(np.searchsorted(scripted.ts, sessions.start[cut]))
        end = len(scripted) if last else int(np.searchsorted(scripted.ts, sessions.start[cut + step]))
        found = _searches(setting, slice(cut, cut + step), slice(begin, end), 0, setting.stream(f"shard {index}"))
        rows = np.flatnonzero(found.ts >= moment)
        yield Searches(**{name: column[rows] for name, column in vars(found).items()})


def _searches(setting: Setting, rows: slice, script_rows: slice, number: int, rng: np.random.Generator) -> Searches:
    """People's and scripts' searches together, by time."""
    sessions = setting.sessions.take(rows)
    scripted = setting.scripted.take(script_rows)
    walk = setting.walker.walk(sessions, rng)
    users, count = setting.users, len(setting.catalogue)
    user = sessions.user[walk.session]
    device = sessions.device[walk.session]
    per_device = _CLIENTS_OF_DEVICE[device]
    first_client = np.concatenate(([0], np.cumsum(_CLIENTS_OF_DEVICE)))
    client = first_client[device] + users.client[user] % per_device
    # A phone is on the road under another address than the home's.
    address = np.where(device == 0, len(users) * 2 + user, users.address[user])
    script_user = scripted.user
    desktop = first_client[_DESKTOP] + np.where(scripted.client >= 0, scripted.client, users.client[script_user]) % 4
    nothing = np.full(len(walk), NONE)

    def both(people: np.ndarray, scripts: np.ndarray) -> np.ndarray:
        return np.concatenate((people, scripts))

    ts = both(walk.ts, scripted.ts)
    order = np.argsort(ts, kind="stable")
    order = order[ts[order] < WINDOW_END]
    raw = np.where(walk.form >= 0, count + walk.form, walk.query)
    return Searches(
        number=number + np.arange(len(order)),
        ts=ts[order],
        user=both(user, script_user)[order],
        query=both(walk.query, scripted.query)[order],
        raw=both(raw, scripted.query)[order],
        session=both(rows.start + walk.session, np.full(len(scripted), _ROBOT_SESSION))[order],
        move=both(walk.move, np.zeros(len(scripted), dtype=np.int8))[order],
        device=both(device, np.full(len(scripted), _DESKTOP))[order],
        client=both(client, desktop)[order],
        address=both(address, np.where(scripted.address >= 0, scripted.address, users.address[script_user]))[order],
        target=both(nothing, scripted.target)[order],
        ring=both(nothing, scripted.ring)[order],
        robot=both(nothing, scripted.robot)[order],
    )


def _shard(setting: Setting, searches: Searches, rng: np.random.Generator) -> Shard:
    people = np.flatnonzero(searches.by_people)
    clicks = setting.results.click(searches.query[people], searches.ts[people], rng)
    home = setting.users.home[searches.user]
    may_click = searches.by_people
    ads_shown, events = setting.auction.run(searches.query, searches.ts, home, may_click, searches.target, rng)
    fast = np.array([*(kind == "click_bot" for kind in setting.cast.ring_kinds), False])[searches.ring]
    events = joined([events, fraud_clicks(events, setting.auction, searches.target, fast, rng)])
    keep = np.flatnonzero(events.ts < WINDOW_END)
    order = keep[np.lexsort((events.event[keep], events.position[keep], events.search[keep], events.ts[keep]))]
    events = AdEvents(**{name: column[order] for name, column in vars(events).items()})
    click_order = np.lexsort((clicks.rank, clicks.search, clicks.ts))
    click_order = click_order[clicks.ts[click_order] < WINDOW_END]
    search = people[clicks.search[click_order]]
    tables = {
        "searches": _search_table(setting, searches, ads_shown),
        "clicks": columns.table(
            "clicks",
            {
                "search_id": columns.numbered("s", searches.number[search], SEARCH_DIGITS),
                "ts": columns.timestamps(clicks.ts[click_order]),
                "user_id": columns.numbered("u", setting.users.number[searches.user[search]], USER_DIGITS),
                "query": columns.looked_up(searches.raw[search], setting.raw_text),
                "url": columns.looked_up(clicks.page[click_order], setting.urls),
                "rank": pa.array(clicks.rank[click_order]),
            },
        ),
        "ad_events": _event_table(setting, searches, events),
    }
    return Shard(
        tables, searches, clicks.page[click_order], _fraud_table(setting, searches, events, tables["ad_events"])
    )


def _search_table(setting: Setting, searches: Searches, ads_shown: np.ndarray) -> pa.Table:
    wrong = np.zeros(len(searches), dtype=bool)
    form = searches.raw - len(setting.catalogue)
    wrong[form >= 0] = setting.spellings.kind[form[form >= 0]] >= MISSPELLING
    results = np.where(wrong, setting.result_counts[searches.query] // 25, setting.result_counts[searches.query])
    return columns.table(
        "searches",
        {
            "search_id": columns.numbered("s", searches.number, SEARCH_DIGITS),
            "ts": columns.timestamps(searches.ts),
            "user_id": columns.numbered("u", setting.users.number[searches.user], USER_DIGITS),
            "query": columns.looked_up(searches.raw, setting.raw_text),
            "region": columns.chosen(setting.users.home[searches.user], [p.region for p in setting.market.places]),
            "device": columns.chosen(searches.device, DEVICES),
            "client": columns.chosen(searches.client, setting.clients),
            "results": pa.array(results.astype(np.int32)),
            "ads_shown": pa.array(ads_shown),
        },
    )


def _event_table(setting: Setting, searches: Searches, events: AdEvents) -> pa.Table:
    bids = setting.auction.bids
    search = events.search
    return columns.table(
        "ad_events",
        {
            "ts": columns.timestamps(events.ts),
            "search_id": columns.numbered("s", searches.number[search], SEARCH_DIGITS),
            "user_id": columns.numbered("u", setting.users.number[searches.user[search]], USER_DIGITS),
            "query": columns.looked_up(searches.raw[search], setting.raw_text),
            "advertiser_id": columns.looked_up(bids.advertiser[events.bid], setting.advertiser_ids),
            "keyword": columns.looked_up(bids.query[events.bid], setting.raw_text),
            "match_type": columns.chosen(bids.match_type[events.bid], MATCH_TYPES),
            "position": pa.array(events.position),
            "event": columns.chosen(events.event, EVENTS),
            "cost_micros": columns.amounts(events.cost),
            "value_micros": columns.amounts(events.value),
            "ip": columns.addresses(searches.address[search]),
            "user_agent": columns.chosen(searches.client[search], setting.clients),
        },
    )


def _fraud_table(setting: Setting, searches: Searches, events: AdEvents, rows: pa.Table) -> pa.Table:
    """The key of every fraudulent event in ad_events, the ring and the reason."""
    fraud = np.flatnonzero(events.fraud)
    ring = searches.ring[events.search[fraud]]
    kinds = np.array([FRAUD_KINDS.index(kind) for kind in setting.cast.ring_kinds])
    key = rows.select(["ts", "search_id", "user_id", "query", "advertiser_id", "keyword", "position", "event"])
    key = columns.plain(key.take(pa.array(fraud)))
    return key.append_column("ring", pa.array(ring.astype(np.int32))).append_column(
        "reason", columns.chosen(kinds[ring], FRAUD_KINDS).cast(pa.string())
    )
