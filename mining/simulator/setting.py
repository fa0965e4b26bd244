"""What is fixed before the first search is typed: words, queries, demand, people, pages, advertisers, scripts."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mining.simulator import columns
from mining.simulator.advertisers import Advertisers, build_advertisers, build_bids
from mining.simulator.auction import Auction
from mining.simulator.catalogue import Catalogue, build_catalogue
from mining.simulator.demand import Demand, build_demand, query_popularity
from mining.simulator.market import Market, load_market, read_language_file
from mining.simulator.population import Sessions, Users, build_sessions, build_users
from mining.simulator.results import Pages, ResultPages, build_pages, page_urls
from mining.simulator.scripted import FRAUD_SHARE, ROBOT_SHARE, Cast, Scripted, build_scripted, scripted_users
from mining.simulator.sizes import Size, streams
from mining.simulator.spellings import Spellings, build_spellings
from mining.simulator.walk import Walker


@dataclass(frozen=True)
class Setting:
    """The simulated market before time runs; all randomness comes from `seed`."""

    seed: int
    size: Size
    market: Market
    catalogue: Catalogue
    spellings: Spellings
    demand: Demand
    popularity: np.ndarray
    users: Users
    sessions: Sessions
    walker: Walker
    pages: Pages
    results: ResultPages
    advertisers: Advertisers
    auction: Auction
    scripted: Scripted
    cast: Cast
    raw_text: pa.Array
    urls: pa.Array
    advertiser_ids: pa.Array
    clients: list[str]
    result_counts: np.ndarray

    def stream(self, name: str) -> np.random.Generator:
        """An independent random stream of this simulation."""
        return streams(self.seed, name)[name]


def build_setting(size: Size, seed: int) -> Setting:
    """Set the market up."""
    rng = streams(
        seed,
        "catalogue",
        "demand",
        "spellings",
        "users",
        "sessions",
        "pages",
        "advertisers",
        "bids",
        "growth",
        "auction",
        "scripts",
    )
    market = load_market()
    catalogue = build_catalogue(market, size, rng["catalogue"])
    demand = build_demand(market, catalogue, size, rng["demand"])
    popularity = query_popularity(catalogue, demand)
    spellings = build_spellings(catalogue, popularity, size.varied_queries, rng["spellings"])
    users = build_users(market, size.users, scripted_users(size), rng["users"])
    by_people = round(size.searches * (1 - ROBOT_SHARE - FRAUD_SHARE))
    sessions = build_sessions(market, catalogue, demand, popularity, users, by_people, rng["sessions"])
    pages = build_pages(market, catalogue, rng["pages"])
    advertisers, languages = build_advertisers(market, size, rng["advertisers"])
    bids = build_bids(market, catalogue, demand, popularity, advertisers, languages, rng["bids"], rng["growth"])
    auction = Auction(market, catalogue, advertisers, bids, popularity, size.searches, rng["auction"])
    scripted, cast = build_scripted(catalogue, popularity, users, auction, advertisers, size, rng["scripts"])
    urls = page_urls(pages, market, catalogue, np.arange(len(pages)))
    return Setting(
        seed=seed,
        size=size,
        market=market,
        catalogue=catalogue,
        spellings=spellings,
        demand=demand,
        popularity=popularity,
        users=users,
        sessions=sessions,
        walker=Walker(market, catalogue, spellings, popularity),
        pages=pages,
        results=ResultPages(catalogue, pages, rng["pages"]),
        advertisers=advertisers,
        auction=auction,
        scripted=scripted,
        cast=cast,
        raw_text=pa.array(catalogue.text + spellings.text, pa.string()),
        urls=pa.array(urls, pa.string()),
        advertiser_ids=columns.numbered("a", np.arange(len(advertisers)), 6),
        clients=read_language_file("names")["clients"],
        result_counts=np.clip(10 ** rng["catalogue"].normal(4.6, 1.0, len(catalogue)), 12, 2e8).astype(np.int64),
    )
