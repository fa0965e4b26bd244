"""The home pages of advertisers, as the platform has crawled them: what a business offers in the languages it serves.

A site names most products that its owner advertises and sometimes another one of the trade: what an account bids on is
not all that it sells. The draws come from a stream of their own.
"""

import numpy as np
import pyarrow as pa

from mining.simulator import columns
from mining.simulator.market import LANGUAGES, ZH, read_language_file
from mining.simulator.setting import Setting

_NAMED, _OTHER_PRODUCT = 0.85, 0.3
_TITLE_PRODUCTS = 2


def site_table(setting: Setting) -> pa.Table:
    """The canonical pages of the sites of all advertisers, by address."""
    rng = setting.stream("sites")
    bids, groups = setting.auction.bids, setting.catalogue.groups
    group = setting.catalogue.group[bids.query]
    product, language = groups.product[group], groups.language[group]
    document = read_language_file("pages")
    rows = []
    for advertiser, url in enumerate(setting.advertisers.site):
        own = bids.advertiser == advertiser
        first = int(language[own][0]) if own.any() else 0
        sold = [int(number) for number in np.unique(product[own]) if rng.random() < _NAMED]
        trade = [
            item.number
            for item in setting.market.products
            if item.industry == setting.advertisers.industry[advertiser] and item.number not in sold
        ]
        if trade and rng.random() < _OTHER_PRODUCT:
            sold.append(int(rng.choice(trade)))
        words = document[LANGUAGES[first]]["site"]
        named = [setting.market.products[number].wording[first].names for number in sold]
        name = setting.advertisers.name[advertiser]
        separator = "、" if first == ZH else ", "
        title = words["title"].format(
            site=name, products=separator.join(names[0] for names in named[:_TITLE_PRODUCTS]) or name
        )
        text = ("" if first == ZH else " ").join(
            words["sentence"].format(name=names[0], other=names[-1], site=name) for names in named
        )
        rows.append((url, title, text or name, LANGUAGES[first]))
    rows.sort()
    names = ("url", "title", "text", "language")
    values = zip(*rows, strict=True)
    return columns.table(
        "pages", {name: pa.array(list(column), pa.string()) for name, column in zip(names, values, strict=True)}
    )
