"""How a session goes: search by search, a user rephrases, specialises, generalises, turns to another intent or need."""

from dataclasses import dataclass

import numpy as np

from mining.simulator.catalogue import NONE, Catalogue, draw_intents, intent_table
from mining.simulator.grammar import BRAND, EXPLORE, LOCAL
from mining.simulator.market import Market
from mining.simulator.population import Sessions
from mining.simulator.sizes import MICROS
from mining.simulator.spellings import MISSPELLING, Spellings

MOVES = (
    "start",
    "repeat",
    "rephrase",
    "intent",
    "specialise",
    "generalise",
    "related",
    "other_need",
    "language",
    "noise",
)
START, REPEAT, REPHRASE, INTENT, SPECIALISE, GENERALISE, RELATED, OTHER_NEED, LANGUAGE, NOISE = range(len(MOVES))
# How often each move follows, `start` and `other_need` apart: the latter happens in mixed sessions only.
_MOVE_SHARES = np.array([0.0, 0.09, 0.36, 0.22, 0.13, 0.09, 0.08, 0.0, 0.007, 0.023])
_OTHER_NEED_IN_MIXED = 0.5
# A search is typed in another form (wrong, plural, traditional, …) this often where the query has one.
_OTHER_FORM = 0.075
_CORRECTED = 0.65
_NAMES_PLACE = 0.7
# Who gets more specific takes one of the popular kinds: a uniform number to this power picks it.
_FIRST_KINDS = 1.7
# Seconds between searches of a session: log-normal, never so long that the session would break.
_GAP_MEDIAN_SECONDS, _GAP_SPREAD, _GAP_SECONDS = 42.0, 1.0, (3.0, 1500.0)


@dataclass(frozen=True)
class Walk:
    """Searches of some sessions, one row each, session by session in order.

    `session` is the row in the sessions given, `query` the canonical query, `form` the row in the spellings that was
    typed (-1: the canonical text), `ts` microseconds UTC, `move` how it came from the search before.
    """

    session: np.ndarray
    query: np.ndarray
    form: np.ndarray
    ts: np.ndarray
    move: np.ndarray

    def __len__(self) -> int:
        return len(self.session)


@dataclass
class _Minds:
    """What sessions have in mind at a step, a row each; changed in place as they go on."""

    product: np.ndarray
    language: np.ndarray
    intent: np.ndarray
    kind: np.ndarray
    place: np.ndarray
    brand: np.ndarray
    second_product: np.ndarray


class Walker:
    """Expands sessions into searches; holds the market's tables as arrays."""

    def __init__(self, market: Market, catalogue: Catalogue, spellings: Spellings, popularity: np.ndarray) -> None:
        self._catalogue = catalogue
        self._spellings = spellings
        self._popularity = np.cumsum(popularity)
        self._intents = np.cumsum(intent_table(market), axis=1)
        self._related, self._related_count = _padded(relations(market))
        self._brands, self._brand_count = _padded([list(product.brands) for product in market.products])
        kinds = catalogue.group_of[:, :, EXPLORE, 1:]
        self._kind_count = (kinds >= 0).sum(axis=2)

    def walk(self, sessions: Sessions, rng: np.random.Generator) -> Walk:
        """All searches of the sessions."""
        catalogue, groups = self._catalogue, self._catalogue.groups
        count = len(sessions)
        offsets = np.concatenate(([0], np.cumsum(sessions.length, dtype=np.int64)))
        total = int(offsets[-1])
        query_out = np.empty(total, dtype=np.int32)
        form_out = np.full(total, NONE, dtype=np.int32)
        move_out = np.zeros(total, dtype=np.int8)
        group = sessions.group.astype(np.int64)
        minds = _Minds(
            product=groups.product[group],
            language=groups.language[group],
            intent=groups.intent[group],
            kind=sessions.kind.astype(np.int64),
            place=sessions.place.astype(np.int64),
            brand=sessions.brand.astype(np.int64),
            second_product=sessions.second_product.copy(),
        )
        query = np.where(sessions.first_query >= 0, sessions.first_query, catalogue.draw(group, rng.random(count)))
        mistyped = np.zeros(count, dtype=bool)
        alive = np.arange(count)
        for step in range(int(sessions.length.max(initial=0))):
            alive = alive[sessions.length[alive] > step]
            typed = query[alive]
            if step:
                move = self._draw_moves(minds.second_product[alive] >= 0, mistyped[alive], rng)
                self._apply(move, alive, minds, rng)
                rows = alive[(move != REPEAT) & (move != NOISE)]
                move_out[offsets[alive] + step] = move
                same_need = move_out[offsets[rows] + step] == REPHRASE
                group[rows] = np.where(same_need, group[rows], self._resolve(minds, rows, rng))
                query[rows] = catalogue.draw(group[rows], rng.random(len(rows)))
                typed = query[alive]
                noise = np.flatnonzero(move == NOISE)
                anything = rng.random(len(noise)) * self._popularity[-1]
                typed[noise] = np.searchsorted(self._popularity, anything)
            other = self._spellings.draw(typed, rng.random(len(alive)))
            form = np.where(rng.random(len(alive)) < _OTHER_FORM, other, NONE)
            mistyped[alive] = (form >= 0) & (self._spellings.kind[form] >= MISSPELLING)
            query_out[offsets[alive] + step] = typed
            form_out[offsets[alive] + step] = form
        session = np.repeat(np.arange(count, dtype=np.int32), sessions.length)
        return Walk(session, query_out, form_out, _times(sessions, offsets, rng), move_out)

    def _draw_moves(self, mixed: np.ndarray, mistyped: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        running = np.cumsum(_MOVE_SHARES)
        move = np.searchsorted(running, rng.random(len(mixed)) * running[-1], side="right").clip(0, len(MOVES) - 1)
        move = np.where(mixed & (rng.random(len(mixed)) < _OTHER_NEED_IN_MIXED), OTHER_NEED, move)
        return np.where(mistyped & (rng.random(len(mixed)) < _CORRECTED), REPEAT, move)

    def _apply(self, move: np.ndarray, alive: np.ndarray, minds: _Minds, rng: np.random.Generator) -> None:
        """Change what the moving sessions have in mind; `move` is that of each row in `alive`."""
        rows = alive[move == INTENT]
        minds.intent[rows] = draw_intents(self._intents, minds.product[rows], rng)

        rows = alive[move == SPECIALISE]
        kinds = self._kind_count[minds.product[rows], minds.language[rows]]
        minds.kind[rows] = (rng.random(len(rows)) ** _FIRST_KINDS * kinds).astype(np.int64) - (kinds == 0)

        rows = alive[move == GENERALISE]
        minds.intent[rows], minds.kind[rows] = EXPLORE, NONE

        rows = alive[move == RELATED]
        count = self._related_count[minds.product[rows]]
        drawn = (rng.random(len(rows)) * np.maximum(count, 1)).astype(np.int64)
        other = self._related[minds.product[rows], drawn]
        minds.product[rows] = np.where(count > 0, other, minds.product[rows])
        minds.kind[rows], minds.brand[rows], minds.intent[rows] = NONE, NONE, EXPLORE

        rows = alive[move == OTHER_NEED]
        # The need left behind is what the session may come back to.
        left = minds.product[rows]
        minds.product[rows], minds.second_product[rows] = minds.second_product[rows], left
        minds.kind[rows], minds.brand[rows] = NONE, NONE
        minds.intent[rows] = draw_intents(self._intents, minds.product[rows], rng)

        rows = alive[move == LANGUAGE]
        minds.language[rows] = 1 - minds.language[rows]
        minds.kind[rows] = NONE

    def _resolve(self, minds: _Minds, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The need for what these sessions have in mind; where there is none such, the nearest plainer one."""
        catalogue = self._catalogue
        product, language, intent = minds.product[rows], minds.language[rows], minds.intent[rows]
        place, brand = minds.place[rows], minds.brand[rows]
        group = catalogue.group_of[product, language, intent, minds.kind[rows] + 1]
        group = np.where(group >= 0, group, catalogue.group_of[product, language, intent, 0])
        near = catalogue.place_group[product, language, place]
        named = (intent == LOCAL) & (place >= 0) & (near >= 0) & (rng.random(len(rows)) < _NAMES_PLACE)
        group = np.where(named, near, group)
        count = np.maximum(self._brand_count[product], 1)
        any_brand = self._brands[product, (rng.random(len(rows)) * count).astype(np.int64)]
        branded = catalogue.brand_group[product, language, np.where(brand >= 0, brand, any_brand)]
        branded = np.where(branded >= 0, branded, catalogue.brand_group[product, language, any_brand])
        group = np.where((intent == BRAND) & (branded >= 0), branded, group)
        return np.where(group >= 0, group, catalogue.group_of[product, language, EXPLORE, 0])


def relations(market: Market) -> list[list[int]]:
    """Complements and substitutes of each product, both ways, by number."""
    number = {product.id: product.number for product in market.products}
    both: list[set[int]] = [set() for _ in market.products]
    for product in market.products:
        for other in product.related:
            both[product.number].add(number[other])
            both[number[other]].add(product.number)
    return [sorted(others) for others in both]


def _padded(lists: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    width = max(1, max(len(items) for items in lists))
    table = np.zeros((len(lists), width), dtype=np.int32)
    for row, items in enumerate(lists):
        table[row, : len(items)] = items
    return table, np.array([len(items) for items in lists])


def _times(sessions: Sessions, offsets: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """When each search is typed, microseconds UTC: the session's start and the gaps since."""
    total = int(offsets[-1])
    seconds = np.clip(_GAP_MEDIAN_SECONDS * rng.lognormal(0.0, _GAP_SPREAD, total), *_GAP_SECONDS)
    gaps = (seconds * MICROS).astype(np.int64)
    gaps[offsets[:-1]] = 0
    running = np.cumsum(gaps)
    return running + np.repeat(sessions.start - running[offsets[:-1]], sessions.length)
