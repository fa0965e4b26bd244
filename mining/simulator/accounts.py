"""The tables that are written once, beside the log: industries, advertisers, bids, users."""

import numpy as np
import pyarrow as pa

from mining.simulator import columns
from mining.simulator.advertisers import MATCH_TYPES, STATUSES
from mining.simulator.grammar import INTENTS
from mining.simulator.market import LANGUAGES
from mining.simulator.population import AGE_BANDS, GENDERS, SOURCES
from mining.simulator.setting import Setting
from mining.simulator.shards import USER_DIGITS
from mining.simulator.sizes import DAY_MICROS, MICROS, WINDOW_START

_SECTION_NAMES = {
    "shopping": ("Shopping", "购物"),
    "services": ("Services", "生活服务"),
    "education": ("Education", "教育"),
    "home": ("Home & Living", "家居生活"),
    "digital": ("Digital", "数码"),
    "health": ("Health & Beauty", "健康美丽"),
    "auto": ("Automotive", "汽车出行"),
    "finance": ("Finance", "金融"),
    "leisure": ("Leisure", "休闲"),
    "business": ("Business", "商务"),
}


def industry_table(setting: Setting) -> pa.Table:
    """The industry tree: sections, and the industries below them."""
    safe = [industry for industry in setting.market.industries if not industry.unsafe]
    sections = sorted({industry.section for industry in safe})
    rows: list[tuple[str, str | None, str, str]] = []
    rows += [(f"section_{section}", None, *_SECTION_NAMES[section]) for section in sections]
    rows += [(item.id, f"section_{item.section}", item.name_en, item.name_zh) for item in safe]
    names = ("industry_id", "parent_id", "name_en", "name_zh")
    return columns.table(
        "industries",
        {
            name: pa.array(list(values), pa.string())
            for name, values in zip(names, zip(*rows, strict=True), strict=True)
        },
    )


def advertiser_table(setting: Setting) -> pa.Table:
    advertisers = setting.advertisers
    ids = [industry.id for industry in setting.market.industries]
    return columns.table(
        "advertisers",
        {
            "advertiser_id": setting.advertiser_ids,
            "name": pa.array(advertisers.name, pa.string()),
            "industry_id": pa.array([ids[number] for number in advertisers.industry.tolist()], pa.string()),
            "site_url": pa.array(advertisers.site, pa.string()),
            "regions": pa.array(advertisers.regions, pa.list_(pa.string())),
        },
    )


def bid_table(setting: Setting) -> pa.Table:
    """Bids, a campaign a product and language, an ad group an intent; one row for each key, the highest bid."""
    bids, groups = setting.auction.bids, setting.catalogue.groups
    group = setting.catalogue.group[bids.query]
    products = [product.wording for product in setting.market.products]
    campaign_codes = groups.product[group].astype(np.int64) * len(LANGUAGES) + groups.language[group]
    campaigns = [
        f"{wording[language].names[0]} ({LANGUAGES[language]})"
        for wording in products
        for language in range(len(LANGUAGES))
    ]
    order = np.lexsort((bids.match_type, bids.query, campaign_codes, bids.advertiser))
    return columns.table(
        "bids",
        {
            "advertiser_id": columns.looked_up(bids.advertiser[order], setting.advertiser_ids),
            "campaign": columns.looked_up(campaign_codes[order], pa.array(campaigns, pa.string())),
            "ad_group": columns.chosen(groups.intent[group][order], INTENTS),
            "keyword": columns.looked_up(bids.query[order], setting.raw_text),
            "match_type": columns.chosen(bids.match_type[order], MATCH_TYPES),
            "bid_micros": pa.array(bids.bid_micros[order]),
            "status": columns.chosen(bids.status[order], STATUSES),
            "created_ts": columns.timestamps(bids.created[order]),
        },
    )


def user_table(setting: Setting) -> pa.Table:
    """Everybody, by identifier; nobody signs up after a first search."""
    users = setting.users
    signup = WINDOW_START + users.signup_day * DAY_MICROS
    first_seen = np.full(len(users), np.iinfo(np.int64).max)
    np.minimum.at(first_seen, setting.sessions.user, setting.sessions.start)
    np.minimum.at(first_seen, setting.scripted.user, setting.scripted.ts)
    signup = np.minimum(signup, first_seen - 60 * MICROS)
    countries = sorted({place.country for place in setting.market.places})
    country_of = np.array([countries.index(place.country) for place in setting.market.places])
    order = np.argsort(users.number)
    gender = np.where(users.gender < len(GENDERS), users.gender, -1)
    return columns.table(
        "users",
        {
            "user_id": columns.numbered("u", users.number[order], USER_DIGITS),
            "signup_ts": columns.timestamps(signup[order]),
            "source": columns.chosen(users.source[order], SOURCES),
            "country": columns.chosen(country_of[users.home[order]], countries),
            "gender": columns.chosen(gender[order], GENDERS),
            "age_band": columns.chosen(users.age_band[order], AGE_BANDS),
        },
    )
