"""Every query that people of the market may type, with the need behind it: columns that the simulation samples from.

A need is a group of queries: one product, one intent, one language and at most one facet (a kind of the product, a
place or a brand). Rows stand group by group, so that a query of a need is drawn by one binary search.
"""

from dataclasses import dataclass, field

import numpy as np

from mining.simulator.grammar import (
    BRAND,
    BUY,
    COMPARE,
    EXPLORE,
    INTENTS,
    KIND_INTENTS,
    LEARN,
    LOCAL,
    PRICE,
    Template,
    forms,
    kind_names,
    phrase,
    templates,
)
from mining.simulator.market import EN, LANGUAGES, ZH, Market, Place, Product
from mining.simulator.sizes import Size

# Share of an intent's searches that name a kind of the product.
_KIND_SHARE = {EXPLORE: 0.32, PRICE: 0.25, COMPARE: 0.30, BUY: 0.25, LEARN: 0.15}
# Share of local searches that name the city; the others say "near me".
_PLACE_SHARE = 0.58
# Templates that are common enough to be typed with every name of a product, not only with its two main ones.
_COMMON_TEMPLATES = 6
_NAME_SLOPE = 1.6
_KIND_SLOPE = 1.2
# A bare name (鲜花, running shoes) is typed so much more often than the best phrase with it.
_BARE_NAME = 4.0
# Spread of the popularity of single queries round what template and name say (sigma of a log-normal).
_POPULARITY_SPREAD = 0.45
NONE = -1


@dataclass(frozen=True)
class Groups:
    """The needs, one row each; `kind`, `place` and `brand` are -1 where the need has no such facet.

    `start` (one longer than the others) are the first rows of the groups in the catalogue; `share` is the probability
    of the need given product and language.
    """

    product: np.ndarray
    intent: np.ndarray
    language: np.ndarray
    kind: np.ndarray
    place: np.ndarray
    brand: np.ndarray
    start: np.ndarray
    share: np.ndarray

    def __len__(self) -> int:
        return len(self.product)


@dataclass(frozen=True)
class Catalogue:
    """The canonical queries: `text` (normalised, no two equal) and a row of every array for each.

    `name` is the position of the product's name used in the query (-1 for questions and brands alone), `kind` the kind
    it names; `cumulative` (one longer) the running sum of weights, each group's weights summing to 1.
    """

    text: list[str]
    group: np.ndarray
    name: np.ndarray
    kind: np.ndarray
    cumulative: np.ndarray
    groups: Groups
    # group_of[product, language, intent, slot]: slot 0 the plain need, slot 1 + k the need for kind k; -1: none.
    group_of: np.ndarray
    place_group: np.ndarray
    brand_group: np.ndarray

    def __len__(self) -> int:
        return len(self.text)

    @property
    def weight(self) -> np.ndarray:
        """Probability of each query given its need (float64, rows)."""
        return np.diff(self.cumulative)

    def draw(self, group: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """A query row for each need, by popularity; `uniform` in [0, 1)."""
        start, stop = self.groups.start[group], self.groups.start[group + 1]
        low, high = self.cumulative[start], self.cumulative[stop]
        row = np.searchsorted(self.cumulative, low + uniform * (high - low), side="right") - 1
        return np.clip(row, start, stop - 1)


@dataclass
class _Draft:
    """Rows and groups while they are collected; `owner` says which product a bare name or question belongs to."""

    owner: dict[str, int]
    taken: set[str] = field(default_factory=set)
    text: list[str] = field(default_factory=list)
    name: list[int] = field(default_factory=list)
    kind: list[int] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)
    needs: list[tuple[int, int, int, int, int, int]] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    share: list[float] = field(default_factory=list)

    def add(self, need: tuple[int, int, int, int, int, int], share: float, rows: list["_Row"]) -> None:
        """A need (product, intent, language, kind, place, brand) with its queries; a text that is taken is left out."""
        first = len(self.text)
        for text, name, kind, weight in rows:
            if text in self.taken or self.owner.get(text, need[0]) != need[0]:
                continue
            self.taken.add(text)
            self.text.append(text)
            self.name.append(name)
            self.kind.append(kind)
            self.weight.append(weight)
        if len(self.text) > first:
            self.needs.append(need)
            self.start.append(first)
            self.share.append(share)


_Row = tuple[str, int, int, float]


def _name_weight(position: int) -> float:
    return float((position + 1) ** -_NAME_SLOPE)


def _phrased(ways: tuple[Template, ...], language: int, names: tuple[str, ...], **slots: str) -> list[_Row]:
    """Each template with each name; the rarer templates only with the two main names."""
    rows: list[_Row] = []
    for rank, template in enumerate(ways):
        usual = names if rank < _COMMON_TEMPLATES else names[:2]
        for text, index in phrase(template, language, usual, **slots):
            bare = _BARE_NAME if text in names else 1.0
            rows.append((text, index, NONE, bare * template.weight * _name_weight(index)))
    return rows


def intent_shares(product: Product, market: Market) -> list[float]:
    """Shares of the intents of a product: the form's, but how local it is depends on the industry."""
    shares = list(forms()[product.form].intents)
    if shares[LOCAL] > 0:
        local = market.industries[product.industry].local_share
        rest = 1 - shares[LOCAL]
        shares = [share * (1 - local) / rest for share in shares]
        shares[LOCAL] = local
    return shares


def intent_table(market: Market) -> np.ndarray:
    """Shares of the intents of every product (float64, products × intents, rows sum to 1)."""
    return np.array([intent_shares(product, market) for product in market.products])


def draw_intents(running: np.ndarray, product: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An intent for each product; `running` is the cumulated intent table."""
    return (running[product] <= rng.random(len(product))[:, None]).sum(axis=1).clip(0, running.shape[1] - 1)


def _add_plain_needs(draft: _Draft, product: Product, language: int, shares: list[float]) -> None:
    """The needs without a facet, and those for a kind of the product."""
    wording = product.wording[language]
    for intent, share in enumerate(shares):
        if intent == BRAND or share == 0:
            continue
        rows = _phrased(templates(INTENTS[intent], language, product.form), language, wording.names)
        if intent == EXPLORE:
            rows += [(text, NONE, NONE, 0.4 * _name_weight(rank)) for rank, text in enumerate(wording.phrases)]
        if intent == LEARN:
            rows += [(text, NONE, NONE, 1.5 * _name_weight(rank)) for rank, text in enumerate(wording.questions)]
        part = 1 - (_PLACE_SHARE if intent == LOCAL else _KIND_SHARE.get(intent, 0.0))
        draft.add((product.number, intent, language, NONE, NONE, NONE), share * part, rows)


def _kind_rows(product: Product, language: int, intent: int, kind: int, names: tuple[str, ...]) -> list[_Row]:
    ways = templates(INTENTS[intent], language, product.form)[: KIND_INTENTS[intent]]
    rows = [(text, NONE, kind, weight) for text, _, _, weight in _phrased(ways, language, names)]
    if intent == EXPLORE and language == ZH and names[0].endswith(product.wording[ZH].names[0]):
        # 跑步鞋 男: the kind typed behind the name
        base = product.wording[ZH].names[0]
        rows.append((f"{base} {names[0].removesuffix(base)}", 0, kind, 0.4))
    return [(text, _named(text, product, language), kind, weight) for text, _, kind, weight in rows]


def _named(text: str, product: Product, language: int) -> int:
    """Which of the product's names a text contains: the longest, the first of equals; -1 for none."""
    names = product.wording[language].names
    inside = [index for index, name in enumerate(names) if name in text]
    return max(inside, key=lambda index: len(names[index]), default=NONE)


def _add_kind_needs(draft: _Draft, product: Product, language: int, shares: list[float], size: Size) -> None:
    kinds = kind_names(product, language)[: size.kinds]
    popularity = np.arange(1, len(kinds) + 1) ** -_KIND_SLOPE
    popularity /= popularity.sum()
    for intent, kind_share in _KIND_SHARE.items():
        if shares[intent] == 0:
            continue
        for kind, names in enumerate(kinds):
            share = shares[intent] * kind_share * popularity[kind]
            rows = _kind_rows(product, language, intent, kind, tuple(names))
            draft.add((product.number, intent, language, kind, NONE, NONE), share, rows)


def _places_of(product: Product, language: int, market: Market, size: Size) -> list[tuple[Place, float]]:
    """Cities that people name for a product, with shares: their own country's, and for trips the others' as well."""
    own = sorted((place for place in market.places if place.language == language), key=lambda place: -place.weight)
    named = [(place, place.weight**1.3) for place in own[: size.places]]
    if product.form == "trip":
        other = sorted(
            (place for place in market.places if place.language != language), key=lambda place: -place.weight
        )
        named += [(place, 0.5 * place.weight**1.3) for place in other[: size.places // 2]]
    total = sum(weight for _, weight in named)
    return [(place, weight / total) for place, weight in named]


def _add_place_needs(
    draft: _Draft, product: Product, language: int, shares: list[float], market: Market, size: Size
) -> None:
    if shares[LOCAL] == 0:
        return
    names = product.wording[language].names[:2]
    ways = templates("place", language, product.form)
    kinds = kind_names(product, language)[: size.kinds // 2]
    for rank, (place, place_share) in enumerate(_places_of(product, language, market, size)):
        slots = {"place": place.names[language]}
        rows = _phrased(ways, language, names, **slots)
        if rank < size.places_with_kinds:
            for kind, kinded in enumerate(kinds):
                weight = 0.25 * (kind + 1) ** -_KIND_SLOPE
                for text, _, _, way in _phrased(ways[:2], language, tuple(kinded[:1]), **slots):
                    rows.append((text, _named(text, product, language), kind, weight * way))
        need = (product.number, LOCAL, language, NONE, place.number, NONE)
        draft.add(need, shares[LOCAL] * _PLACE_SHARE * place_share, rows)


def _add_brand_needs(draft: _Draft, product: Product, language: int, shares: list[float], market: Market) -> None:
    if shares[BRAND] == 0:
        return
    names = product.wording[language].names
    ways = templates("brand", language, product.form)
    for position, brand in enumerate(product.brands):
        other = product.brands[(position + 1) % len(product.brands)]
        slots = {"brand": market.brands[brand].names[language], "other": market.brands[other].names[language]}
        if brand == other:
            ways = tuple(way for way in ways if "{other}" not in way.text)
        named = tuple(way for way in ways if "{name}" in way.text)
        rows = _phrased(named, language, names[:2], **slots)
        if brand in product.flagship_of:
            bare = tuple(way for way in ways if "{name}" not in way.text)
            rows += [(text, NONE, NONE, weight) for text, _, _, weight in _phrased(bare, language, names[:1], **slots)]
        share = shares[BRAND] / len(product.brands)
        draft.add((product.number, BRAND, language, NONE, NONE, brand), share, rows)


def build_catalogue(market: Market, size: Size, rng: np.random.Generator) -> Catalogue:
    """All queries of the market at a size; `rng` spreads their popularity."""
    owner = {
        text: product.number
        for product in market.products
        for wording in product.wording
        for text in (*wording.names, *wording.phrases, *wording.questions)
    }
    draft = _Draft(owner)
    for product in market.products:
        shares = intent_shares(product, market)
        for language in (ZH, EN):
            _add_plain_needs(draft, product, language, shares)
            _add_kind_needs(draft, product, language, shares, size)
            _add_place_needs(draft, product, language, shares, market, size)
            _add_brand_needs(draft, product, language, shares, market)
    return _finish(draft, market, rng)


def _finish(draft: _Draft, market: Market, rng: np.random.Generator) -> Catalogue:
    start = np.array([*draft.start, len(draft.text)], dtype=np.int64)
    need = np.array(draft.needs, dtype=np.int32)
    lengths = np.diff(start)
    group = np.repeat(np.arange(len(need), dtype=np.int32), lengths)
    # What a product is called is what people type; chance moves only the phrases round it.
    bare = np.array([text in draft.owner for text in draft.text])
    spread = rng.lognormal(0.0, _POPULARITY_SPREAD, len(draft.text))
    weight = np.array(draft.weight) * np.where(bare, 1.0, spread)
    weight /= np.repeat(np.add.reduceat(weight, start[:-1]), lengths)
    share = np.array(draft.share)
    market_half = need[:, 0] * len(LANGUAGES) + need[:, 2]
    share /= np.bincount(market_half, share)[market_half]
    groups = Groups(need[:, 0], need[:, 1], need[:, 2], need[:, 3], need[:, 4], need[:, 5], start, share)

    shape = (len(market.products), len(LANGUAGES))
    group_of = np.full((*shape, len(INTENTS), 2 + int(need[:, 3].max())), NONE, dtype=np.int32)
    place_group = np.full((*shape, len(market.places)), NONE, dtype=np.int32)
    brand_group = np.full((*shape, len(market.brands)), NONE, dtype=np.int32)
    number = np.arange(len(need), dtype=np.int32)
    in_place, of_brand = groups.place >= 0, groups.brand >= 0
    plain = ~in_place & ~of_brand
    group_of[groups.product[plain], groups.language[plain], groups.intent[plain], groups.kind[plain] + 1] = number[
        plain
    ]
    place_group[groups.product[in_place], groups.language[in_place], groups.place[in_place]] = number[in_place]
    brand_group[groups.product[of_brand], groups.language[of_brand], groups.brand[of_brand]] = number[of_brand]
    return Catalogue(
        text=draft.text,
        group=group,
        name=np.array(draft.name, dtype=np.int16),
        kind=np.where(groups.kind[group] >= 0, groups.kind[group], np.array(draft.kind)).astype(np.int16),
        cumulative=np.concatenate(([0.0], np.cumsum(weight))),
        groups=groups,
        group_of=group_of,
        place_group=place_group,
        brand_group=brand_group,
    )
