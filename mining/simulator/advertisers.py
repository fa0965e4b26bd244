"""Advertisers with invented names, sites, regions and budgets, and the keywords that they bid on."""

from dataclasses import dataclass

import numpy as np

from mining.simulator.catalogue import Catalogue
from mining.simulator.demand import Demand
from mining.simulator.grammar import BUY, COMPARE, EXPLORE, INTENTS, LEARN, LOCAL, PRICE, SUPPLY, SUPPORT
from mining.simulator.growth import creation_times
from mining.simulator.market import LANGUAGES, Market
from mining.simulator.population import pick
from mining.simulator.results import invented_names
from mining.simulator.sizes import DAY_MICROS, MICROS, WINDOW_START, Size

MATCH_TYPES = ("exact", "phrase", "broad")
EXACT, PHRASE, BROAD = range(len(MATCH_TYPES))
STATUSES = ("enabled", "paused", "removed")
# What a click is worth to an advertiser, by intent, relative to the industry's usual price.
INTENT_VALUE = np.ones(len(INTENTS))
INTENT_VALUE[[EXPLORE, PRICE, COMPARE, BUY, LOCAL, LEARN, SUPPLY, SUPPORT]] = [
    1.0,
    1.25,
    1.1,
    1.45,
    1.35,
    0.45,
    0.8,
    0.25,
]

_MORE_PRODUCTS = 1.3
_KEYWORDS = 14
_KEYWORD_POOL = 120
_BOTH_LANGUAGES = 0.12
_LOCAL_BUSINESS = 0.35
_BID_SPREAD, _ADVERTISER_SPREAD = 0.35, 0.45
_CENT = 10_000


@dataclass(frozen=True)
class Advertisers:
    """One row an advertiser; `serves` (advertisers × places) says where its ads may be shown."""

    name: list[str]
    industry: np.ndarray
    site: list[str]
    regions: list[list[str] | None]
    serves: np.ndarray
    quality: np.ndarray
    daily_budget_micros: np.ndarray

    def __len__(self) -> int:
        return len(self.name)


@dataclass(frozen=True)
class Bids:
    """One row a bid; `query` is the catalogue row of its keyword, `status`, at the log's end, a position in STATUSES,
    `created` microseconds UTC.
    """

    advertiser: np.ndarray
    query: np.ndarray
    match_type: np.ndarray
    bid_micros: np.ndarray
    status: np.ndarray
    created: np.ndarray

    def __len__(self) -> int:
        return len(self.advertiser)


def _industry_suffixes(market: Market) -> list[tuple[str, str]]:
    """What follows an advertiser's own name: its trade (云禾鲜花, Northfield Flowers)."""
    suffixes = []
    for industry in market.industries:
        main = next(product for product in market.products if product.industry == industry.number)
        suffixes.append((main.wording[0].names[0], industry.name_en.split(" & ")[0]))
    return suffixes


def build_advertisers(market: Market, size: Size, rng: np.random.Generator) -> tuple[Advertisers, np.ndarray]:
    """The advertisers, and the languages that each serves (bool, advertisers × languages)."""
    # An industry with costly clicks is one where many advertise.
    pull = np.array([0.0 if item.unsafe else item.popularity * item.click_price**0.35 for item in market.industries])
    industry = np.sort(pick(pull, rng.random(size.advertisers)))
    suffixes = _industry_suffixes(market)
    names = invented_names(size.advertisers, rng)
    zh_share = np.array([item.zh_share for item in market.industries])[industry]
    main = (rng.random(size.advertisers) >= zh_share).astype(np.int64)
    languages = np.zeros((size.advertisers, len(LANGUAGES)), dtype=bool)
    languages[np.arange(size.advertisers), main] = True
    languages |= (rng.random(size.advertisers) < _BOTH_LANGUAGES)[:, None]

    local_share = np.array([item.local_share for item in market.industries])[industry]
    local = rng.random(size.advertisers) < _LOCAL_BUSINESS * np.minimum(1.0, local_share * 3)
    weights = np.array([place.weight for place in market.places])
    spoken = np.array([place.language for place in market.places])
    serves = np.ones((size.advertisers, len(market.places)), dtype=bool)
    shown_names: list[str] = []
    sites: list[str] = []
    regions: list[list[str] | None] = []
    for row in range(size.advertisers):
        zh, en = names[row]
        suffix_zh, suffix_en = suffixes[industry[row]]
        shown_names.append(f"{zh}{suffix_zh}" if main[row] == 0 else f"{en.title()} {suffix_en}")
        sites.append(
            f"https://www.{en.replace(' ', '-')}-{market.industries[industry[row]].id.replace('_', '-')}.example/"
        )
        if local[row]:
            here = np.where(spoken == main[row], weights, 0.0)
            chosen = np.unique(pick(here, rng.random(int(rng.integers(1, 4)))))
            serves[row] = False
            serves[row, chosen] = True
            regions.append([market.places[place].region for place in chosen])
        else:
            regions.append(None)
    advertisers = Advertisers(
        name=shown_names,
        industry=industry.astype(np.int16),
        site=sites,
        regions=regions,
        serves=serves,
        quality=np.clip(rng.normal(1.0, 0.22, size.advertisers), 0.45, 1.7),
        daily_budget_micros=_budgets(market, industry, rng),
    )
    return advertisers, languages


def _budgets(market: Market, industry: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    price = np.array([item.click_price for item in market.industries])[industry]
    return (np.round(price * 12 * rng.lognormal(0.0, 0.9, len(industry)), 0) * MICROS).astype(np.int64)


def _top_queries(catalogue: Catalogue, popularity: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
    """The most popular queries of every product and language, best first."""
    groups = catalogue.groups
    half = groups.product.astype(np.int64) * len(LANGUAGES) + groups.language
    starts = np.flatnonzero(np.diff(half, prepend=-1))
    stops = np.append(starts[1:], len(half))
    result = {}
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        first, last = int(groups.start[start]), int(groups.start[stop])
        best = np.argsort(-popularity[first:last], kind="stable")[:_KEYWORD_POOL]
        result[int(groups.product[start]), int(groups.language[start])] = first + best
    return result


def build_bids(
    market: Market,
    catalogue: Catalogue,
    demand: Demand,
    popularity: np.ndarray,
    advertisers: Advertisers,
    languages: np.ndarray,
    rng: np.random.Generator,
    growth: np.random.Generator,
) -> Bids:
    """Keywords of every advertiser: the names of its products, and popular queries round them; `growth` says when."""
    top = _top_queries(catalogue, popularity)
    of_industry = [
        np.array([product.number for product in market.products if product.industry == industry.number])
        for industry in market.industries
    ]
    columns: list[list[int]] = [[], [], []]
    for row in range(len(advertisers)):
        products = of_industry[advertisers.industry[row]]
        weight = demand.by_product[products] ** 0.6
        count = min(len(products), 1 + int(rng.poisson(_MORE_PRODUCTS)))
        chosen = rng.choice(products, count, replace=False, p=weight / weight.sum())
        for product in np.sort(chosen).tolist():
            for language in np.flatnonzero(languages[row]).tolist():
                for query, match_type in _keywords(catalogue, top.get((product, language)), rng):
                    columns[0].append(row)
                    columns[1].append(query)
                    columns[2].append(match_type)
    advertiser, keyword, matching = (np.array(column, dtype=np.int64) for column in columns)
    groups = catalogue.groups
    group = catalogue.group[keyword]
    industry = advertisers.industry[advertiser]
    price = np.array([item.click_price for item in market.industries])[industry]
    ambition = rng.lognormal(0.0, _ADVERTISER_SPREAD, len(advertisers))[advertiser]
    value = price * INTENT_VALUE[groups.intent[group]] * ambition * rng.lognormal(0.0, _BID_SPREAD, len(keyword))
    value *= np.array([1.15, 1.0, 0.8])[matching]
    bid_micros = np.maximum(5, np.round(value * MICROS / _CENT)).astype(np.int64) * _CENT
    status = pick(np.array([0.9, 0.07, 0.03]), rng.random(len(keyword))).astype(np.int8)
    before = WINDOW_START - (rng.random(len(keyword)) * 400 * DAY_MICROS).astype(np.int64) - 1
    campaign = groups.product[group].astype(np.int64) * len(LANGUAGES) + groups.language[group]
    return Bids(
        advertiser=advertiser.astype(np.int32),
        query=keyword.astype(np.int32),
        match_type=matching.astype(np.int8),
        bid_micros=bid_micros,
        status=status,
        created=creation_times(advertiser, campaign, before, len(advertisers), growth),
    )


def _keywords(catalogue: Catalogue, pool: np.ndarray | None, rng: np.random.Generator) -> list[tuple[int, int]]:
    """What one advertiser bids on for a product in a language: (query, match type), each once."""
    if pool is None:
        return []
    intent = catalogue.groups.intent[catalogue.group[pool]]
    named = pool[(intent == EXPLORE) & (catalogue.kind[pool] < 0)][:4]
    chosen: dict[tuple[int, int], None] = {}
    for query in named.tolist():
        if rng.random() < 0.7:
            chosen[query, int(pick(np.array([0.2, 0.35, 0.45]), rng.random(1))[0])] = None
    many = min(len(pool), 2 + int(rng.geometric(1 / _KEYWORDS)))
    # The popular ones first, but not the same for everybody.
    order = np.argsort(np.arange(len(pool)) * rng.uniform(0.1, 1.0, len(pool)), kind="stable")[:many]
    for query in pool[order].tolist():
        chosen[query, EXACT if rng.random() < 0.75 else PHRASE] = None
    return list(chosen)
