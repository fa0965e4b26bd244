"""How much of each product is wanted on each day: popularity, trend, season, weekday, yearly peaks, planted bursts."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from mining.simulator.catalogue import Catalogue
from mining.simulator.market import LANGUAGES, Market
from mining.simulator.sizes import DAYS, FIRST_DAY, Size

# Popularity of the n-th product of an industry, n from 1.
_PRODUCT_SLOPE = 1.3
_YEARLY_GROWTH = 0.12
# Spread of each product's own yearly growth round the market's.
_GROWTH_SPREAD = 0.25
_BURST_DAYS = (3, 14)
_BURST_FACTORS = (4.0, 12.0)
# No burst in the first weeks and the last: before and after must be there to compare.
_QUIET_START, _QUIET_END = 45, 25


@dataclass(frozen=True)
class Burst:
    """A planted rise in demand of a product (query -1) or of a query, on days `first` to `last`, both included."""

    product: int
    query: int
    first: int
    last: int
    factor: float


@dataclass(frozen=True)
class Demand:
    """`by_product_day` (products × days, float64, sums to 1): where a new need appears; `zh_share` by product."""

    by_product_day: np.ndarray
    zh_share: np.ndarray
    bursts: tuple[Burst, ...]

    @property
    def by_product(self) -> np.ndarray:
        return self.by_product_day.sum(axis=1)


def product_popularity(market: Market) -> np.ndarray:
    """Share of each product in the market's demand over the years (float64, products)."""
    weight = np.zeros(len(market.products))
    position: dict[int, int] = {}
    for product in market.products:
        rank = position[product.industry] = position.get(product.industry, 0) + 1
        weight[product.number] = rank**-_PRODUCT_SLOPE
    industry = np.array([product.industry for product in market.products])
    weight /= np.bincount(industry, weight)[industry]
    weight *= np.array([market.industries[number].popularity for number in industry])
    return weight / weight.sum()


def query_popularity(catalogue: Catalogue, demand: Demand) -> np.ndarray:
    """Expected share of each query among first searches of a need (float64, queries)."""
    groups = catalogue.groups
    half = np.stack([demand.zh_share, 1 - demand.zh_share], axis=1)
    by_group = demand.by_product[groups.product] * half[groups.product, groups.language] * groups.share
    return by_group[catalogue.group] * catalogue.weight


def _draw_bursts(
    market: Market, catalogue: Catalogue, popularity: np.ndarray, size: Size, rng: np.random.Generator
) -> list[Burst]:
    """Half of the bursts lift a product, half a single query; only what is searched enough for a burst to be seen."""
    safe = np.array([not market.industries[product.industry].unsafe for product in market.products])
    products = np.argsort(-np.where(safe, popularity, 0.0), kind="stable")[: max(40, size.bursts * 2)]
    products = rng.permutation(products)[: size.bursts]
    bursts = []
    for index, product in enumerate(products.tolist()):
        first = int(rng.integers(_QUIET_START, DAYS - _QUIET_END))
        last = first + int(rng.integers(_BURST_DAYS[0], _BURST_DAYS[1] + 1)) - 1
        factor = float(np.round(rng.uniform(*_BURST_FACTORS), 1))
        query = -1
        if index % 2:
            language = int(rng.integers(len(LANGUAGES)))
            kinds = catalogue.group_of[product, language, 0]
            group = int(rng.choice(kinds[kinds >= 0]))
            start, stop = catalogue.groups.start[group : group + 2]
            query = int(start + np.argmax(catalogue.weight[start:stop]))
        bursts.append(Burst(product, query, first, last, factor))
    return sorted(bursts, key=lambda burst: (burst.first, burst.product))


def build_demand(market: Market, catalogue: Catalogue, size: Size, rng: np.random.Generator) -> Demand:
    """The demand of every product on every day of the window, with the bursts that are planted in it."""
    popularity = product_popularity(market)
    days = [FIRST_DAY + timedelta(days=number) for number in range(DAYS)]
    # Seasons are given for the middle of each month and run smoothly between.
    middle = np.array([(day.month - 1) + (day.day - 15) / 31 for day in days])
    twelve = np.arange(-1, 13)
    years = np.arange(DAYS) / 365.0
    growth = np.log1p(_YEARLY_GROWTH) + rng.normal(0.0, _GROWTH_SPREAD, len(market.products))
    weekday = np.array([day.weekday() for day in days])
    weight = np.empty((len(market.products), DAYS))
    for product in market.products:
        industry = market.industries[product.industry]
        season = np.array(product.season)
        seasonal = np.interp(middle, twelve, np.concatenate((season[-1:], season, season[:1])))
        weekly = np.array(industry.weekday)[weekday]
        peaks = np.ones(DAYS)
        for peak in industry.peaks:
            peaks *= np.array([peak.factor if peak.covers(day) else 1.0 for day in days])
        trend = np.exp(growth[product.number] * years)
        weight[product.number] = popularity[product.number] * seasonal * weekly * peaks * trend
    bursts = _draw_bursts(market, catalogue, popularity, size, rng)
    for burst in bursts:
        if burst.query < 0:
            weight[burst.product, burst.first : burst.last + 1] *= burst.factor
    zh_share = np.array([market.industries[product.industry].zh_share for product in market.products])
    zh_share = np.clip(zh_share + rng.normal(0.0, 0.05, len(zh_share)), 0.3, 0.75)
    return Demand(weight / weight.sum(), zh_share, tuple(bursts))
