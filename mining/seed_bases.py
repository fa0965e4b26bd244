"""Where the candidates of seed queries come from, a base a context: recall tables, popular keywords, recent bursts."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from indexes.arrays import Array, ArrayFolder
from indexes.seed_queries import Origin, account_context, industry_context
from mining.build_tables import MinedTables, numbers
from mining.text_ids import TextIds

RECENT_DAYS = 90
"""Bursts that ended so many days before the log's end are news no longer."""
POPULAR_SEEDS = 1000

Base = dict[str, Array]
"""Columns keyword, score, origin, count, of, first_day, last_day of one context's candidates."""


def _base(keyword: Array, score: Array, origin: Array | Origin, **evidence: Array) -> Base:
    none = np.full(len(keyword), -1, np.int32)
    columns = {"count": none, "of": none, "first_day": none, "last_day": none, **evidence}
    return {
        "keyword": keyword,
        "score": score.astype(np.float64),
        "origin": np.broadcast_to(np.asarray(origin, np.uint8), len(keyword)),
        **{name: column.astype(np.int32) for name, column in columns.items()},
    }


def popular_base(folder: Path, mined: MinedTables) -> Base:
    keyword = np.asarray(ArrayFolder(folder).array("popular.npy"))[:POPULAR_SEEDS].astype(np.int64)
    searches = mined.column("keyword_statistics", "searches", np.int64)[keyword]
    return _base(keyword, searches, Origin.POPULAR, count=searches)


def industry_bases(mined: MinedTables, ids: TextIds) -> Iterator[tuple[str, Base]]:
    names = ("advertisers", "industry_advertisers", "first_date", "last_date")
    for industry, keyword, columns in grouped_rows(mined, ids, "industry_keywords", "industry_id", ("score", *names)):
        advertisers, of, first_day, last_day = (columns[name] for name in names)
        evidence = {"count": advertisers, "of": of, "first_day": first_day, "last_day": last_day}
        yield industry_context(industry), _base(keyword, columns["score"], Origin.INDUSTRY, **evidence)


def account_bases(mined: MinedTables, ids: TextIds) -> Iterator[tuple[str, Base]]:
    names = ("similar_advertisers", "first_date", "last_date")
    for account, keyword, columns in grouped_rows(
        mined, ids, "account_keywords", "advertiser_id", ("score", "owned", *names)
    ):
        similar, first_day, last_day = (columns[name] for name in names)
        origin = np.where(columns["owned"], Origin.OWNED, Origin.ACCOUNT)
        evidence = {"count": similar, "first_day": first_day, "last_day": last_day}
        yield account_context(account), _base(keyword, columns["score"], origin, **evidence)


def grouped_rows(
    mined: MinedTables, ids: TextIds, table: str, key: str, names: tuple[str, ...]
) -> Iterator[tuple[str, Array, dict[str, Array]]]:
    """The rows of each key of a table, which is sorted by it: the key, keyword ids, columns. Nothing if it is missing:
    a log without advertisers has none.
    """
    if not mined.has(table):
        return
    texts: list[str] = []
    keyword = [np.empty(0, np.int64)]
    columns = {name: [np.empty(0)] for name in names}
    for batch in mined.batches(table, [key, *names], ["keyword"]):
        texts += batch[key].to_pylist()
        keyword.append(ids.of(table, batch["keyword"]))
        for name in names:
            columns[name].append(numbers(batch[name]).astype(np.float64))
    all_keywords = np.concatenate(keyword)
    whole = {name: np.concatenate(parts) for name, parts in columns.items()}
    # Rows are sorted by the key.
    starts = [row for row in range(len(texts)) if row == 0 or texts[row] != texts[row - 1]]
    for start, end in pairwise([*starts, len(texts)]):
        yield texts[start], all_keywords[start:end], {name: column[start:end] for name, column in whole.items()}


def recent_bursts(mined: MinedTables, ids: TextIds) -> Base:
    """The latest burst of each keyword, if it is recent."""
    last_day = int(np.datetime64(mined.report["window"]["last_ts"][:10], "D").astype(np.int64))
    found: list[Base] = []
    if mined.has("bursts"):
        names = ["first_date", "last_date", "observed", "expected", "score"]
        for batch in mined.batches("bursts", names, ["keyword"]):
            first, last, observed, expected, score = (numbers(batch[name]) for name in names)
            base = _base(
                ids.of("bursts", batch["keyword"]), score, Origin.BURST,
                count=observed, of=np.rint(expected), first_day=first, last_day=last,
            )  # fmt: skip
            recent = last >= last_day - RECENT_DAYS
            found.append({name: column[recent] for name, column in base.items()})
    if not found:
        return _base(np.empty(0, np.int64), np.empty(0), Origin.BURST)
    joined = {name: np.concatenate([base[name] for base in found]) for name in found[0]}
    order = np.lexsort((-joined["last_day"], joined["keyword"]))
    keyword = joined["keyword"][order]
    latest = order[np.concatenate([[True], keyword[1:] != keyword[:-1]])] if len(order) else order
    return {name: column[latest] for name, column in joined.items()}
