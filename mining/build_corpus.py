"""Mined tables of as many keywords as wanted, made for benchmarks of the build, the same every time.

Keywords are those of `indexes.bench_corpus` (Zipf words, 2 to 6 of them), each once; pairs are those of
`indexes.neighbors_corpus`. Demand is skewed; months, devices and regions are as thinly filled as in a real log.
"""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from indexes.arrays import Array
from indexes.bench_corpus import make_corpus, read_words
from indexes.neighbors_corpus import DAYS, FIRST_DAY, PairCorpus, Pairs
from indexes.text import normalise
from indexes.vectors_bench import word_contributions
from mining.build_tables import REPORT
from mining.mined_tables import MINED_TABLES, ROW_GROUP_ROWS

MONTHS = [date(2023 + month // 12, month % 12 + 1, 1) for month in range(4, 18)]
DEVICES = (None, "desktop", "mobile")
REGIONS = (None, "beijing", "chengdu", "guangzhou", "hangzhou", "shanghai", "shenzhen", "wuhan")
SEGMENTS = 3
"""Segments drawn for each keyword; equal ones count once."""
PATH_SHARE = 0.05
"""Of the pairs of the click graph, so many are linked by a path instead of common pages."""
SPARE = 1.35
"""So many times the keywords are drawn, since some are drawn twice."""


def write_mined_tables(keywords: int, folder: Path, seed: int = 0) -> None:
    """Write the tables that the build reads, and the report, into a new folder."""
    folder.mkdir(parents=True)
    texts = _texts(keywords, seed)
    generator = np.random.default_rng(seed)
    searches = np.minimum(generator.zipf(1.6, keywords), 2_000_000)
    _write(folder, "keyword_statistics", _statistics(texts, searches, generator))
    _write(folder, "keyword_months", _months(texts, searches, generator))
    _write(folder, "keyword_segments", _segments(texts, searches, generator))
    corpus = PairCorpus(keywords)
    for name, miner in (
        ("cooccurrence", "cooccurrence"),
        ("association_rules", "association_rules"),
        ("click_neighbors", "click_clusters"),
        ("page_term_neighbors", "cooccurrence"),
    ):
        _write(folder, name, (_pairs(name, texts, pairs, generator) for pairs in corpus.chunks(miner)))
    _write(folder, "term_vectors", iter([_term_vectors()]))
    last_day = date(1970, 1, 1) + timedelta(days=FIRST_DAY + DAYS)
    report = {
        "format_version": 1,
        "window": {"first_ts": f"{MONTHS[0].isoformat()}T00:00:00Z", "last_ts": f"{last_day.isoformat()}T00:00:00Z"},
        "months": [month.isoformat() for month in MONTHS],
        "inputs": {"generated": {"keywords": keywords, "seed": seed}},
        "settings": {},
        "set_aside": {},
        "counts": {"sessions": int(searches.sum() // 3), "keywords": keywords},
    }
    (folder / REPORT).write_text(json.dumps(report), encoding="utf-8")


def _texts(keywords: int, seed: int) -> pa.LargeStringArray:
    """Distinct keywords in code point order."""
    drawn = int(keywords * SPARE)
    while True:
        parts = list(_drawn_texts(drawn, seed))
        distinct = pc.unique(pa.chunked_array(parts, pa.large_string()))
        if len(distinct) >= keywords:
            distinct = distinct.slice(0, keywords)
            return distinct.take(pc.sort_indices(distinct))
        drawn += drawn // 2


def _drawn_texts(keywords: int, seed: int) -> Iterator[pa.LargeStringArray]:
    batch: list[str] = []
    for words in make_corpus(keywords, seed).texts():
        text = words[0]
        for previous, word in pairwise(words):
            text += f" {word}" if previous.isascii() or word.isascii() else word
        batch.append(normalise(text))
        if len(batch) == ROW_GROUP_ROWS:
            yield pa.array(batch, pa.large_string())
            batch = []
    yield pa.array(batch, pa.large_string())


def _statistics(texts: pa.LargeStringArray, searches: Array, generator: np.random.Generator) -> Iterator[pa.Table]:
    for begin in range(0, len(searches), ROW_GROUP_ROWS):
        own = searches[begin : begin + ROW_GROUP_ROWS]
        count = len(own)
        first = FIRST_DAY + (generator.random(count) * DAYS).astype(np.int32)
        is_priced = generator.random(count) < 0.3
        low = generator.integers(100_000, 5_000_000, count)
        columns = {
            "keyword": texts.slice(begin, count).cast(pa.string()),
            "searches": own,
            "users": np.maximum(own * 7 // 10, 1),
            "first_date": pa.array(first, pa.date32()),
            "last_date": pa.array(np.maximum(first, FIRST_DAY + DAYS - 30).astype(np.int32), pa.date32()),
            "clicks": own // 2,
            "ad_ctr": pa.array(generator.random(count) / 10, mask=~is_priced),
            "advertisers": pa.array(generator.integers(1, 200, count), mask=~is_priced),
            "competition_index": pa.array(generator.random(count) * 100, mask=~is_priced),
            "low_top_of_page_bid_micros": pa.array(low, mask=~is_priced),
            "high_top_of_page_bid_micros": pa.array(low * 3, mask=~is_priced),
        }
        yield pa.table(columns)


def _months(texts: pa.LargeStringArray, searches: Array, generator: np.random.Generator) -> Iterator[pa.Table]:
    months = pa.array(MONTHS, pa.date32())
    for begin in range(0, len(searches), ROW_GROUP_ROWS):
        own = searches[begin : begin + ROW_GROUP_ROWS]
        is_searched = generator.random((len(own), len(MONTHS))) * len(MONTHS) < own[:, None]
        keyword, month = np.nonzero(is_searched)
        counts = np.maximum(own[keyword] // len(MONTHS), 1)
        yield pa.table(
            {
                "keyword": texts.take(pa.array(begin + keyword)).cast(pa.string()),
                "month": months.take(pa.array(month)),
                "searches": counts,
                "complete": np.ones(len(month), bool),
            }
        )


def _segments(texts: pa.LargeStringArray, searches: Array, generator: np.random.Generator) -> Iterator[pa.Table]:
    devices, regions = pa.array(DEVICES, pa.string()), pa.array(REGIONS, pa.string())
    for begin in range(0, len(searches), ROW_GROUP_ROWS):
        own = searches[begin : begin + ROW_GROUP_ROWS]
        drawn = np.sort(generator.integers(0, len(DEVICES) * len(REGIONS), (len(own), SEGMENTS)), axis=1)
        is_new = np.ones(drawn.shape, bool)
        is_new[:, 1:] = drawn[:, 1:] != drawn[:, :-1]
        keyword, place = np.nonzero(is_new)
        device, region = np.divmod(drawn[keyword, place], len(REGIONS))
        yield pa.table(
            {
                "keyword": texts.take(pa.array(begin + keyword)).cast(pa.string()),
                "device": devices.take(pa.array(device)),
                "region": regions.take(pa.array(region)),
                "searches": np.maximum(own[keyword] // SEGMENTS, 1),
            }
        )


def _term_vectors() -> pa.Table:
    """The words of the corpus as terms, with the vectors that `bench vectors` gives them."""
    words = read_words()
    vectors = word_contributions(words)
    order = np.argsort(np.array(words.texts, object), kind="stable")
    flat = pa.array(vectors[order].astype(np.float32).ravel())
    offsets = pa.array(np.arange(len(order) + 1, dtype=np.int32) * vectors.shape[1])
    return pa.table(
        {
            "term": pa.array([words.texts[place] for place in order.tolist()], pa.string()),
            "occurrences": np.arange(len(order), 0, -1),
            "vector": pa.ListArray.from_arrays(offsets, flat),
        }
    )


def _pairs(name: str, texts: pa.LargeStringArray, pairs: Pairs, generator: np.random.Generator) -> pa.Table:
    evidence = pairs.evidence
    keyword, neighbor = (texts.take(pa.array(side)).cast(pa.string()) for side in (pairs.keyword, pairs.neighbor))
    columns = {
        "keyword": keyword,
        "neighbor": neighbor,
        "users": evidence["users"],
        "first_date": pa.array(evidence["first_day"].astype(np.int32), pa.date32()),
        "last_date": pa.array(evidence["last_day"].astype(np.int32), pa.date32()),
    }
    columns |= {column: evidence[column] for column in ("sessions", "weight", "confidence", "lift", "clicks")
                if column in evidence}  # fmt: skip
    if name == "association_rules":
        columns["support"] = evidence["sessions"] / 1e9
    if name == "page_term_neighbors":
        columns["similarity"] = pairs.strength
    if name == "click_neighbors":
        is_linked = generator.random(len(pairs.keyword)) < PATH_SHARE
        columns["similarity"] = np.where(is_linked, 0.0, pairs.strength)
        columns["shared_urls"] = np.where(is_linked, 0, evidence["shared_urls"])
        columns["path"] = _paths(is_linked, keyword, neighbor)
    return pa.table(columns)


def _paths(is_linked: Array, keyword: pa.StringArray, neighbor: pa.StringArray) -> pa.ListArray:
    """Paths of three steps, keyword, page and neighbour, where a pair is linked; null elsewhere."""
    linked = pa.array(np.flatnonzero(is_linked))
    pages = pa.array([f"https://www.example.com/{number:06x}.html" for number in range(len(linked))], pa.string())
    steps = pa.concat_arrays([keyword.take(linked), pages, neighbor.take(linked)])
    order = np.arange(3 * len(linked)).reshape(3, -1).T.ravel()
    ends = np.cumsum(np.where(is_linked, 3, 0))
    offsets = pa.array(np.concatenate([[0], ends]).astype(np.int32), mask=np.append(~is_linked, False))
    return pa.ListArray.from_arrays(offsets, steps.take(pa.array(order)))


def _write(folder: Path, name: str, tables: Iterator[pa.Table]) -> None:
    schema = MINED_TABLES[name].schema
    with pq.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd") as writer:
        for table in tables:
            columns = [
                table[field.name].cast(field.type)
                if field.name in table.column_names
                else pa.nulls(len(table), field.type)
                for field in schema
            ]
            writer.write_table(pa.table(columns, schema=schema), row_group_size=ROW_GROUP_ROWS)
