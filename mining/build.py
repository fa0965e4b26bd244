"""From mined tables to a published snapshot: the only writer of the formats that `indexes` reads."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from indexes.arrays import Array, offsets_from_counts, write_array, write_json
from indexes.errors import NotFoundError, UsageError
from indexes.forward import write_forward
from indexes.keyword_stats import LANGUAGES, UNKNOWN, KeywordStats
from indexes.neighbors import write_neighbors
from indexes.postings import write_postings
from indexes.prefixes_write import write_prefixes
from indexes.snapshot import publish, stage
from indexes.spelling import sounds_of, write_spelling
from indexes.terminal import Advance, progress
from indexes.text import language, tokens
from indexes.unsafe_terms import UnsafeTerms
from indexes.vocabulary import write_strings, write_vocabulary
from mining.close_variants import close_variants
from mining.pair_strength import click_cluster_strength, cooccurrence_strength, rule_strength

POPULAR_KEYWORDS = 1000
"""Keywords listed as the most searched, for examples and cold starts."""
EPOCH = np.datetime64("1970-01-01", "D")


def build(mined: Path, store: Path, lexicons: Sequence[Path] = ()) -> dict[str, Any]:
    """Build a snapshot of the mined tables and publish it as the store's current one.

    `lexicons` are lists of unsafe terms beside those that KR ships. Returns the snapshot's id, its facts and its size.
    The same tables and lexicons give the same bytes. Raises NotFoundError if the tables are missing or incomplete,
    UsageError if they hold no keyword or a lexicon has a mistake, TryAgainError if another publisher is at work.
    """
    report = _mining_report(mined)
    unsafe_terms = UnsafeTerms.load(lexicons)
    with stage(store) as folder:
        with progress("build", 6) as advance:
            facts = write_parts(mined, report, unsafe_terms, folder, advance)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        built_from = {key: facts[key] for key in ("window", "inputs", "mining_settings", "lexicons_sha256")}
        snapshot_id = publish(store, folder, built_from=built_from)
    return {"snapshot": snapshot_id, "bytes": size, **facts}


def write_parts(
    mined: Path, report: dict[str, Any], unsafe_terms: UnsafeTerms, folder: Path, advance: Advance
) -> dict[str, Any]:
    """Write every part of a snapshot into a folder and return its facts."""
    statistics = _read(mined, "keyword_statistics").sort_by("keyword")
    keywords: list[str] = statistics["keyword"].to_pylist()
    if not keywords:
        raise UsageError(f"{mined} holds no keyword: nothing can be recommended.", "Mine a log that has searches.")
    write_vocabulary(folder, "keywords", keywords)
    keyword_ids = {keyword: keyword_id for keyword_id, keyword in enumerate(keywords)}
    advance(1)

    own_searches = statistics["searches"].to_numpy()
    terms = _write_tokens(folder, keywords, own_searches)
    advance(1)

    sounds = sounds_of(keywords)
    canonical, group_offsets, group_members = close_variants(keywords, own_searches, sounds)
    write_array(folder, "variants/offsets.npy", group_offsets)
    write_array(folder, "variants/members.npy", group_members)
    months, complete, monthly = _monthly(mined, keywords)
    devices, by_device = _split(mined, keywords, "device")
    regions, by_region = _split(mined, keywords, "region")
    stats = _statistics(statistics, keywords, canonical, months, complete, monthly, by_device, by_region)
    stats.write(folder)
    advance(1)

    miners = _write_all_neighbors(mined, folder, keyword_ids, own_searches, int(report["counts"]["sessions"]))
    advance(1)

    categories, severity = unsafe_terms.scan(keywords)
    write_array(folder, "unsafe/categories.npy", categories)
    write_array(folder, "unsafe/severity.npy", severity)
    popular = [k for k in np.argsort(-own_searches, kind="stable")[: 2 * POPULAR_KEYWORDS] if severity[k] == 0]
    write_array(folder, "popular.npy", np.array(popular[:POPULAR_KEYWORDS], np.int32))
    advance(1)

    write_prefixes(folder, keywords, stats.searches, canonical, severity == 0)
    write_spelling(folder, *terms)
    facts = {
        "keywords": len(keywords),
        "terms": len(terms[0]),
        "window": [report["window"]["first_ts"][:10], report["window"]["last_ts"][:10]],
        "months": [month.isoformat() for month in months],
        "complete_months": complete,
        "devices": devices,
        "regions": regions,
        "miners": miners,
        "lexicons_sha256": unsafe_terms.sha256,
        "unsafe_categories": list(unsafe_terms.categories),
        "inputs": report["inputs"],
        "mining_settings": report["settings"],
        "counts": report["counts"],
        "set_aside": report["set_aside"],
    }
    write_json(folder, "facts.json", facts)
    advance(1)
    return facts


def _mining_report(mined: Path) -> dict[str, Any]:
    path = mined / "mining_report.json"
    if not path.is_file():
        raise NotFoundError(f"{mined} holds no finished mining: {path.name} is missing.", "Run manage.py mine first.")
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return report


def _read(mined: Path, name: str) -> pa.Table:
    path = mined / f"{name}.parquet"
    if not path.is_file():
        raise NotFoundError(f"{mined} holds no table {name}.", "Run manage.py mine again.")
    return pq.read_table(path, memory_map=True)


def _write_tokens(folder: Path, keywords: list[str], searches: Array) -> tuple[list[str], Array]:
    """Write terms, postings and forward index; return the terms and how often keywords with them were searched."""
    tokenised = [tokens(keyword) for keyword in keywords]
    terms = sorted({token for row in tokenised for token in row})
    term_ids = {term: term_id for term_id, term in enumerate(terms)}
    counts = np.fromiter((len(row) for row in tokenised), np.int64, len(tokenised))
    flat = np.fromiter((term_ids[token] for row in tokenised for token in row), np.int32, int(counts.sum()))
    offsets = offsets_from_counts(counts)
    write_vocabulary(folder, "terms", terms)
    write_postings(folder, len(terms), offsets, flat)
    write_forward(folder, offsets, flat)
    weights = np.bincount(flat, weights=np.repeat(searches, counts), minlength=len(terms))
    return terms, weights


def _monthly(mined: Path, keywords: list[str]) -> tuple[list[date], list[bool], Array]:
    """The months in order, whether each is whole, and searches int32 (keywords, months)."""
    table = _read(mined, "keyword_months")
    whole = dict(zip(table["month"].to_pylist(), table["complete"].to_pylist(), strict=True))
    months = sorted(whole)
    monthly = np.zeros((len(keywords), len(months)), np.int32)
    columns = _positions(table["month"], pa.array(months, pa.date32()))
    monthly[_positions(table["keyword"], pa.array(keywords)), columns] = table["searches"].to_numpy()
    return months, [whole[month] for month in months], monthly


def _split(mined: Path, keywords: list[str], by: str) -> tuple[list[str], Array]:
    """The known values of a segment column and searches int32 (keywords, values); unknown ones are in no column."""
    table = _read(mined, "keyword_segments")
    table = table.filter(pc.is_valid(table[by]))
    values = sorted(set(table[by].to_pylist()))
    counts = np.zeros((len(keywords), len(values)), np.int64)
    rows = _positions(table["keyword"], pa.array(keywords))
    np.add.at(counts, (rows, _positions(table[by], pa.array(values, pa.string()))), table["searches"].to_numpy())
    return values, counts.astype(np.int32)


def _positions(column: pa.ChunkedArray, values: pa.Array) -> Array:
    """Where each entry of a column stands among the values, which hold them all."""
    return pc.index_in(column, value_set=values).to_numpy()


def _statistics(
    table: pa.Table,
    keywords: list[str],
    canonical: Array,
    months: list[date],
    complete: list[bool],
    monthly: Array,
    by_device: Array,
    by_region: Array,
) -> KeywordStats:
    """Columns of demand (summed over close variants) and of the auction (each keyword's own)."""
    count = len(keywords)
    own = table["searches"].to_numpy()
    group_monthly = np.zeros_like(monthly, np.int64)
    np.add.at(group_monthly, canonical, monthly)
    group_monthly = group_monthly[canonical]
    whole = group_monthly[:, np.array(complete, bool)]
    average, change_3m, change_yoy = demand_figures(whole)
    return KeywordStats(
        searches=np.bincount(canonical, weights=own, minlength=count).astype(np.int64)[canonical],
        own_searches=own.astype(np.int64),
        users=table["users"].to_numpy().astype(np.int64),
        first_day=_days(table["first_date"]),
        last_day=_days(table["last_date"]),
        avg_monthly_searches=average,
        monthly_searches=group_monthly.astype(np.int32),
        change_3m=change_3m,
        change_yoy=change_yoy,
        competition_index=_floats(table["competition_index"]),
        low_bid_micros=_integers(table["low_top_of_page_bid_micros"], np.int64),
        high_bid_micros=_integers(table["high_top_of_page_bid_micros"], np.int64),
        advertisers=_integers(table["advertisers"], np.int32),
        clicks=_integers(table["clicks"], np.int64),
        ad_ctr=_floats(table["ad_ctr"]),
        language=np.fromiter((LANGUAGES.index(language(keyword)) for keyword in keywords), np.uint8, count),
        canonical=canonical,
        searches_by_device=by_device,
        searches_by_region=by_region,
    )


def demand_figures(whole_months: Array) -> tuple[Array, Array, Array]:
    """Average monthly searches over the last 12 whole months, three-month and year-on-year change (fractions).

    `whole_months` is int64 (keywords, months), oldest first. Averages are float64, changes float32; NaN where the
    months do not reach, or where the earlier period had no search.
    """
    count, months = whole_months.shape
    unknown = np.full(count, np.nan)

    def change(now: Array, before: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(before > 0, now / before - 1, np.nan).astype(np.float32)

    average = whole_months[:, -12:].mean(axis=1) if months else unknown
    recent = whole_months[:, -3:].sum(axis=1)
    quarter = change(recent, whole_months[:, -6:-3].sum(axis=1)) if months >= 6 else unknown.astype(np.float32)
    # Year on year compares the last month with the same month a year before, as search advertisers are used to.
    year = change(whole_months[:, -1], whole_months[:, -13]) if months >= 13 else unknown.astype(np.float32)
    return average, quarter, year


def _days(column: pa.ChunkedArray) -> Array:
    return column.cast(pa.date32()).cast(pa.int32()).to_numpy()


def _floats(column: pa.ChunkedArray) -> Array:
    return column.cast(pa.float64()).to_numpy().astype(np.float32)


def _integers(column: pa.ChunkedArray, dtype: type) -> Array:
    return column.cast(pa.int64()).fill_null(UNKNOWN).to_numpy().astype(dtype)


def _write_all_neighbors(
    mined: Path, folder: Path, keyword_ids: dict[str, int], searches: Array, sessions: int
) -> list[str]:
    """Write one adjacency a miner and the paths of the click graph; return the miners' names."""
    values = pa.array(list(keyword_ids))

    def ids(table: pa.Table) -> tuple[Array, Array]:
        return _positions(table["keyword"], values), _positions(table["neighbor"], values)

    def evidence(table: pa.Table, *names: str) -> dict[str, Array]:
        dates = {"first_day": _days(table["first_date"]), "last_day": _days(table["last_date"])}
        return {name: table[name].to_numpy().astype(np.int32) for name in names} | dates

    table = _read(mined, "cooccurrence")
    keyword, neighbor = ids(table)
    columns = evidence(table, "sessions", "users")
    columns["strength"] = cooccurrence_strength(
        columns["sessions"], columns["users"], searches[keyword], searches[neighbor], sessions
    )
    columns["weight"] = table["weight"].to_numpy().astype(np.float32)
    write_neighbors(folder, "cooccurrence", len(searches), keyword, neighbor, columns)

    table = _read(mined, "association_rules")
    keyword, neighbor = ids(table)
    columns = evidence(table, "sessions", "users")
    for name in ("confidence", "lift"):
        columns[name] = table[name].to_numpy().astype(np.float32)
    columns["strength"] = rule_strength(table["lift"].to_numpy(), table["support"].to_numpy(), columns["users"])
    write_neighbors(folder, "association_rules", len(searches), keyword, neighbor, columns)

    table = _read(mined, "click_neighbors")
    keyword, neighbor = ids(table)
    columns = evidence(table, "shared_urls", "clicks", "users")
    columns["strength"] = click_cluster_strength(
        table["similarity"].to_numpy(), columns["shared_urls"], columns["users"]
    )
    paths = ["" if path is None else " → ".join(path) for path in table["path"].to_pylist()]
    distinct = sorted({path for path in paths if path})
    positions = {path: position for position, path in enumerate(distinct)}
    columns["path"] = np.fromiter((positions.get(path, UNKNOWN) for path in paths), np.int32, len(paths))
    write_neighbors(folder, "click_clusters", len(searches), keyword, neighbor, columns)
    write_strings(folder, "click_paths", distinct)
    return ["cooccurrence", "association_rules", "click_clusters"]
