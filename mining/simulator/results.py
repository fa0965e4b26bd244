"""The organic side: invented sites and their pages, which pages a need is shown, and what people click."""

from dataclasses import dataclass

import numpy as np

from mining.simulator.catalogue import NONE, Catalogue
from mining.simulator.grammar import BRAND, EXPLORE, INTENTS
from mining.simulator.market import LANGUAGES, Market, read_language_file
from mining.simulator.sizes import MICROS

RESULTS = 10
# Pages made for a plain need, for one with a place, and for one with a kind or brand.
_PLAIN_PAGES, _PLACE_PAGES, _FACET_PAGES = 6, 3, 2
_SITES_AN_INDUSTRY = 12
_PORTAL_PAGES, _INDUSTRY_PAGES = 2, 2
# Clicks a search: none, 1, 2, 3.
_CLICKS = np.array([0.47, 0.40, 0.10, 0.03])
_POSITION_SLOPE = 1.15
_ODD_CLICKS = 0.03
# Results of a need come in slightly different orders for different queries: one of so many permutations.
_ORDERS, _DISORDER = 64, 1.6
_FIRST_CLICK_SECONDS, _CLICK_SPREAD = 9.0, 0.8


@dataclass(frozen=True)
class Pages:
    """All pages, a row each: the site, the need (group) it was made for, or -1 and a product or an industry.

    `shown` (needs × 10, int32) are the pages that a need's results are made of, the usual best first.
    """

    sites: list[str]
    site_names: list[tuple[str, str]]
    site: np.ndarray
    group: np.ndarray
    product: np.ndarray
    industry: np.ndarray
    language: np.ndarray
    shown: np.ndarray

    def __len__(self) -> int:
        return len(self.site)


@dataclass(frozen=True)
class Clicks:
    """Clicks, a row each: the row of the search, microseconds UTC, page and rank from 1."""

    search: np.ndarray
    ts: np.ndarray
    page: np.ndarray
    rank: np.ndarray


def invented_names(count: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    """So many different invented names (zh, en), two parts each."""
    parts = read_language_file("names")
    pairs = []
    for language in LANGUAGES:
        first, second = parts[f"{language}_first"], parts[f"{language}_second"]
        whole = [one + two for one in first for two in second if one != two]
        order = rng.permutation(len(whole))
        rounds = [f"{whole[index]}{suffix}" for suffix in _suffixes(language) for index in order]
        pairs.append(rounds[:count])
    return list(zip(*pairs, strict=True))


def _suffixes(language: str) -> tuple[str, ...]:
    return ("", "记", "佳", "兴", "源") if language == "zh" else ("", " and co", " group", " direct", " hub")


def build_pages(market: Market, catalogue: Catalogue, rng: np.random.Generator) -> Pages:
    """The pages of every need and which of them it is shown."""
    groups = catalogue.groups
    portals = read_language_file("names")["portals"]
    names = invented_names(len(market.industries) * _SITES_AN_INDUSTRY, rng)
    sites = [portal["host"] for portal in portals]
    site_names = [(portal["zh"], portal["en"]) for portal in portals]
    first_site = []
    for industry in market.industries:
        first_site.append(len(sites))
        for zh, en in names[industry.number * _SITES_AN_INDUSTRY : (industry.number + 1) * _SITES_AN_INDUSTRY]:
            sites.append(f"{en.replace(' ', '-')}.example")
            site_names.append((zh, en.title()))

    faceted = (groups.kind >= 0) | (groups.brand >= 0)
    own = np.where(groups.place >= 0, _PLACE_PAGES, np.where(faceted, _FACET_PAGES, _PLAIN_PAGES))
    own_start = np.concatenate(([0], np.cumsum(own)))
    of_group = np.repeat(np.arange(len(groups), dtype=np.int32), own)
    product_industry = np.array([product.industry for product in market.products])
    product_count, industry_count = len(market.products), len(market.industries)
    halves = np.arange(product_count * len(LANGUAGES))
    portal_start = int(own_start[-1])
    industry_start = portal_start + len(halves) * _PORTAL_PAGES
    industry_halves = np.arange(industry_count * len(LANGUAGES))
    count = industry_start + len(industry_halves) * _INDUSTRY_PAGES

    def joined(of_needs: np.ndarray, of_products: np.ndarray, of_industries: np.ndarray) -> np.ndarray:
        return np.concatenate(
            (of_needs, np.repeat(of_products, _PORTAL_PAGES), np.repeat(of_industries, _INDUSTRY_PAGES))
        )

    nothing_p, nothing_i = np.full(len(halves), NONE), np.full(len(industry_halves), NONE)
    product = joined(groups.product[of_group], halves // 2, nothing_i)
    industries = joined(product_industry[groups.product[of_group]], product_industry[halves // 2], industry_halves // 2)
    language = joined(groups.language[of_group], halves % 2, industry_halves % 2)
    # An industry's sites are not equally big.
    within = (rng.random(count) ** 1.6 * _SITES_AN_INDUSTRY).astype(np.int64)
    site = np.array(first_site)[industries] + within
    site[portal_start:industry_start] = rng.integers(0, len(portals), industry_start - portal_start)
    shown = _shown(catalogue, own, own_start, portal_start, industry_start, product_industry)
    return Pages(
        sites=sites,
        site_names=site_names,
        site=site.astype(np.int16),
        group=joined(of_group, nothing_p, nothing_i).astype(np.int32),
        product=product.astype(np.int16),
        industry=industries.astype(np.int16),
        language=language.astype(np.int8),
        shown=shown,
    )


def _shown(
    catalogue: Catalogue,
    own: np.ndarray,
    own_start: np.ndarray,
    portal_start: int,
    industry_start: int,
    product_industry: np.ndarray,
) -> np.ndarray:
    """Results of every need: its own pages, the plainer need's, the product's main ones, portals, the industry's."""
    groups = catalogue.groups
    number = np.arange(len(groups))
    explore = catalogue.group_of[groups.product, groups.language, EXPLORE, 0]
    parent = catalogue.group_of[groups.product, groups.language, groups.intent, 0]
    parent = np.where((groups.intent == BRAND) | (parent < 0), explore, parent)
    parent = np.where(parent == number, NONE, parent)
    hub = np.where(explore == number, NONE, explore)
    hub = np.where(hub == parent, NONE, hub)

    def pages_of(group: np.ndarray, first: int, last: int) -> np.ndarray:
        places = np.arange(first, last)
        there = (group >= 0)[:, None] & (places < own[group][:, None])
        return np.where(there, own_start[:-1][group][:, None] + places, NONE)

    half = groups.product.astype(np.int64) * 2 + groups.language
    portal = portal_start + half[:, None] * _PORTAL_PAGES + np.arange(_PORTAL_PAGES)
    industry_half = product_industry[groups.product] * 2 + groups.language
    industry = industry_start + industry_half[:, None] * _INDUSTRY_PAGES + np.arange(_INDUSTRY_PAGES)
    candidates = np.concatenate(
        (pages_of(number, 0, 6), pages_of(parent, 0, 4), portal, pages_of(hub, 0, 2), pages_of(parent, 4, 6), industry),
        axis=1,
    )
    order = np.argsort(candidates < 0, axis=1, kind="stable")
    return np.take_along_axis(candidates, order, axis=1)[:, :RESULTS].astype(np.int32)


class ResultPages:
    """What a search shows and what is clicked on it."""

    def __init__(self, catalogue: Catalogue, pages: Pages, rng: np.random.Generator) -> None:
        self._group = catalogue.group
        self._shown = pages.shown
        self._pages = len(pages)
        noise = rng.normal(0.0, _DISORDER, (_ORDERS, RESULTS))
        self._orders = np.argsort(np.arange(RESULTS) + noise, axis=1, kind="stable")
        self._positions = np.cumsum(np.arange(1, RESULTS + 1) ** -_POSITION_SLOPE)

    def shown(self, query: np.ndarray) -> np.ndarray:
        """The ten pages shown for each query (int32, searches × 10), the same for the same query."""
        order = self._orders[query % _ORDERS]
        return np.take_along_axis(self._shown[self._group[query]], order, axis=1)

    def click(self, query: np.ndarray, ts: np.ndarray, rng: np.random.Generator) -> Clicks:
        """Clicks on the results of searches of people: often none, mostly high up, now and then an odd page."""
        many = np.searchsorted(np.cumsum(_CLICKS), rng.random(len(query)), side="right").clip(0, len(_CLICKS) - 1)
        search = np.repeat(np.arange(len(query)), many)
        uniform = rng.random(len(search)) * self._positions[-1]
        position = np.searchsorted(self._positions, uniform, side="right").clip(0, RESULTS - 1)
        seconds = _FIRST_CLICK_SECONDS * rng.lognormal(0.0, _CLICK_SPREAD, len(search))
        # One click a result: sorted by search, then time, the first on a position stays.
        order = np.lexsort((seconds, position, search))
        repeated = np.zeros(len(search), dtype=bool)
        same = (search[order][1:] == search[order][:-1]) & (position[order][1:] == position[order][:-1])
        repeated[order[1:]] = same
        keep = np.flatnonzero(~repeated)
        search, position, seconds = search[keep], position[keep], seconds[keep]
        page = self._shown[self._group[query[search]], self._orders[query[search] % _ORDERS, position]]
        odd = rng.random(len(search)) < _ODD_CLICKS
        page = np.where(odd, rng.integers(0, self._pages, len(search)), page)
        return Clicks(
            search=search,
            ts=ts[search] + (np.clip(seconds, 0.8, 900.0) * MICROS).astype(np.int64),
            page=page.astype(np.int32),
            rank=(position + 1).astype(np.int32),
        )


def page_urls(pages: Pages, market: Market, catalogue: Catalogue, rows: np.ndarray) -> list[str]:
    """The addresses of pages, under the reserved top-level domain .example."""
    groups = catalogue.groups
    urls = []
    for row in rows.tolist():
        site = pages.sites[pages.site[row]]
        language = LANGUAGES[pages.language[row]]
        group, product = int(pages.group[row]), int(pages.product[row])
        if group >= 0:
            parts = [market.products[product].id, INTENTS[groups.intent[group]]]
            if groups.place[group] >= 0:
                parts[1] = market.places[groups.place[group]].names[1].replace(" ", "-")
            urls.append(f"https://{site}/{language}/{'/'.join(parts)}/{row}.html")
        elif product >= 0:
            urls.append(f"https://{site}/{language}/{market.products[product].id}-{row}")
        else:
            urls.append(f"https://{site}/{language}/{market.industries[pages.industry[row]].id}/{row}")
    return urls
