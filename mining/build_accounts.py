"""Writes `indexes.accounts`: who buys what, from the mined tables of purchases, advertisers and bursts.

The crawled pages of a site are its home page and what lies below it; words of a title count whole, words of a text by
how often they stand there.
"""

from collections import Counter
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from indexes.accounts import UNKNOWN, AccountRows, Rows
from indexes.arrays import Array, ArrayFolder, offsets_from_counts
from indexes.crawled_pages import page_key
from indexes.text import tokens
from indexes.vocabulary import Vocabulary
from mining.build_tables import MinedTables, numbers
from mining.buyer_factors import NOTHING, factorise
from mining.text_ids import TextIds

TITLE_WEIGHT = 1.0
TEXT_WEIGHT = 0.6
"""Of the word that the texts of a site say most often."""
SITE_PAGES = 50
RECENT_DAYS = 60
"""Bursts that ended so many days before the log's end rise no more."""


def write_accounts(mined: MinedTables, ids: TextIds, folder: Path) -> int | None:
    """Write the part into a snapshot's folder, whose vocabularies are there; return the number of accounts.

    None, and nothing written, if the tables know of no account.
    """
    if not all(mined.has(name) for name in ("purchases", "advertisers", "account_industries")):
        return None
    buyer, keyword, first_day, last_day = _purchases(mined, ids)
    industry_of, site_of = _advertisers(mined)
    names = sorted(set(industry_of) | set(buyer))
    if not names:
        return None
    place = {name: row for row, name in enumerate(names)}
    account = np.array([place[name] for name in buyer], np.int64)
    order = np.lexsort((keyword, account))
    account, keyword = account[order], keyword[order]
    bought, column = np.unique(keyword, return_inverse=True)
    matrix = csr_array((np.ones(len(account)), (account, column)), shape=(len(names), len(bought)))
    above = [(place[name], industry) for name, industry in _industries(mined)]
    industry_ids = sorted({industry for _, industry in above} | {each for each in industry_of.values() if each})
    industry_place = {industry: row for row, industry in enumerate(industry_ids)}
    site_terms, site_weights = _site_terms(mined, folder, [site_of.get(name) or "" for name in names])
    rising, rising_score = _rising(mined, ids)
    AccountRows(
        ids=names,
        industry_ids=industry_ids,
        industry=np.array([industry_place.get(industry_of.get(name) or "", UNKNOWN) for name in names], np.int32),
        industries=Rows.grouped(
            np.array([row for row, _ in above], np.int64),
            np.array([industry_place[industry] for _, industry in above], np.int32),
            len(names),
        ),
        sites=[site_of.get(name) or "" for name in names],
        site_terms=site_terms,
        site_weights=site_weights,
        bought=bought,
        owned=Rows(offsets_from_counts(np.bincount(account, minlength=len(names))), column),
        first_day=first_day[order],
        last_day=last_day[order],
        factors=_factors(matrix, int(mined.report["settings"].get("account_factors", 64))),
        rising=rising,
        rising_score=rising_score,
    ).write(folder)
    return len(names)


def _purchases(mined: MinedTables, ids: TextIds) -> tuple[list[str], Array, Array, Array]:
    buyers: list[str] = []
    parts = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64))]
    for batch in mined.batches("purchases", ["advertiser_id", "first_date", "last_date"], ["keyword"]):
        buyers += batch["advertiser_id"].to_pylist()
        parts.append(
            (
                ids.of("purchases", batch["keyword"]),
                numbers(batch["first_date"]).astype(np.int64),
                numbers(batch["last_date"]).astype(np.int64),
            )
        )
    keyword, first, last = (np.concatenate(column) for column in zip(*parts, strict=True))
    return buyers, keyword, first, last


def _advertisers(mined: MinedTables) -> tuple[dict[str, str | None], dict[str, str | None]]:
    """Industry and site by advertiser, each None where it is not known."""
    industry: dict[str, str | None] = {}
    site: dict[str, str | None] = {}
    for batch in mined.batches("advertisers", ["advertiser_id", "industry_id", "site_url"]):
        rows = zip(*(batch[name].to_pylist() for name in ("advertiser_id", "industry_id", "site_url")), strict=True)
        for name, its_industry, its_site in rows:
            industry[name], site[name] = its_industry, its_site
    return industry, site


def _industries(mined: MinedTables) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for batch in mined.batches("account_industries", ["advertiser_id", "industry_id"]):
        found += zip(batch["advertiser_id"].to_pylist(), batch["industry_id"].to_pylist(), strict=True)
    return found


def _factors(matrix: csr_array, most: int) -> Array:
    """Right singular vectors of the matrix whose rows have length 1, float32 (keywords, k)."""
    factors = factorise(matrix, most).keywords
    values = np.sqrt((factors * factors).sum(axis=0))
    kept = values > NOTHING
    return (factors[:, kept] / values[kept]).astype(np.float32)


def _site_terms(mined: MinedTables, folder: Path, sites: list[str]) -> tuple[Rows, Array]:
    """Term ids and weights of each account's site."""
    pages: dict[str, list[tuple[str, str]]] = {page_key(site): [] for site in sites if site}
    if pages and mined.has("crawled_pages"):
        roots = {key.split("/", 1)[0]: key for key in pages}
        for batch in mined.batches("crawled_pages", ["url", "title", "text"]):
            columns = (batch[name].to_pylist() for name in ("url", "title", "text"))
            for url, title, text in zip(*columns, strict=True):
                key = roots.get(page_key(url).split("/", 1)[0])
                if key is not None and len(pages[key]) < SITE_PAGES:
                    pages[key].append((title or "", text or ""))
    terms = Vocabulary(ArrayFolder(folder), "terms")
    lists, weights = [], [np.empty(0, np.float32)]
    for site in sites:
        said = _weights(pages.get(page_key(site), [])) if site else {}
        known = sorted((term, weight) for token, weight in said.items() if (term := terms.find(token)) >= 0)
        lists.append(np.array([term for term, _ in known], np.int32))
        weights.append(np.array([weight for _, weight in known], np.float32))
    counts = np.array([len(each) for each in lists], np.int64)
    return Rows(offsets_from_counts(counts), np.concatenate([np.empty(0, np.int32), *lists])), np.concatenate(weights)


def _weights(pages: list[tuple[str, str]]) -> dict[str, float]:
    """What the pages of a site say: tokens with their weights in 0..1."""
    said = Counter(token for _, text in pages for token in tokens(text))
    most = max(said.values(), default=1)
    weights = {token: TEXT_WEIGHT * count / most for token, count in said.items()}
    for title, _ in pages:
        weights |= dict.fromkeys(tokens(title), TITLE_WEIGHT)
    return weights


def _rising(mined: MinedTables, ids: TextIds) -> tuple[Array, Array]:
    """The latest burst of each keyword that ended lately: rows int32 (n, 5) by keyword, and scores float32."""
    last_day = int(np.datetime64(mined.report["window"]["last_ts"][:10], "D").astype(np.int64))
    parts = [np.empty((0, 6))]
    if mined.has("bursts"):
        names = ["observed", "expected", "first_date", "last_date", "score"]
        for batch in mined.batches("bursts", names, ["keyword"]):
            columns = [ids.of("bursts", batch["keyword"]), *(numbers(batch[name]) for name in names)]
            parts.append(np.stack([column.astype(np.float64) for column in columns], axis=1))
    rows = np.concatenate(parts)
    rows = rows[rows[:, 4] >= last_day - RECENT_DAYS]
    rows = rows[np.lexsort((-rows[:, 4], rows[:, 0]))]
    _, first = np.unique(rows[:, 0], return_index=True)
    rows = rows[first]
    return np.rint(rows[:, :5]).astype(np.int32), np.log1p(np.maximum(rows[:, 5], 0.0)).astype(np.float32)
