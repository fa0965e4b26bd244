"""The mined tables: their columns, their order, and how they are written.

Every table is one Parquet file, sorted by its key. Inside the engine keywords are numbers in the order of their text;
the writer puts the text in. The same rows give the same bytes, whatever engine they come from and in what batches.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROW_GROUP_ROWS = 131_072
KEYWORD_COLUMNS = ("keyword", "neighbor")
"""Columns of keyword text; batches to write hold `<column>_id` instead."""

TEXT, COUNT, REAL, DAY, FLAG = pa.string(), pa.int64(), pa.float64(), pa.date32(), pa.bool_()
TIME = pa.timestamp("us", tz="UTC")
SMALL = pa.float32()


@dataclass(frozen=True)
class MinedTable:
    """One mined table: its columns in order, and the columns that are unique together and by which it is sorted."""

    doc: str
    key: tuple[str, ...]
    columns: dict[str, pa.DataType]

    @property
    def schema(self) -> pa.Schema:
        return pa.schema(list(self.columns.items()))

    @property
    def order(self) -> list[str]:
        """The key as the engine holds it."""
        return [f"{name}_id" if name in KEYWORD_COLUMNS else name for name in self.key]


PAIR = {"keyword": TEXT, "neighbor": TEXT}
# A pair's recency (mining.time_decay) is null where nothing fades.
PERIOD = {"first_date": DAY, "last_date": DAY}

MINED_TABLES = {
    "keyword_statistics": MinedTable(
        "What is known of a keyword: demand, clicks, and the auction for it. Null is unknown.",
        ("keyword",),
        {
            "keyword": TEXT,
            "searches": COUNT,
            "users": COUNT,
            **PERIOD,
            "avg_monthly_searches": REAL,
            "change_3m": REAL,
            "change_yoy": REAL,
            "clicks": COUNT,
            "ad_impressions": COUNT,
            "ad_clicks": COUNT,
            "ad_ctr": REAL,
            "advertisers": COUNT,
            "competition_index": REAL,
            "competition": TEXT,
            "low_top_of_page_bid_micros": COUNT,
            "high_top_of_page_bid_micros": COUNT,
        },
    ),
    "keyword_months": MinedTable(
        "Searches of a keyword in a calendar month; `complete` if the whole month lies inside the log.",
        ("keyword", "month"),
        {"keyword": TEXT, "month": DAY, "searches": COUNT, "complete": FLAG},
    ),
    "keyword_segments": MinedTable(
        "Searches of a keyword by device and region; null where the log does not say.",
        ("keyword", "device", "region"),
        {"keyword": TEXT, "device": TEXT, "region": TEXT, "searches": COUNT},
    ),
    "keyword_spellings": MinedTable(
        "What was typed, as typed, for a keyword.",
        ("keyword", "query"),
        {"keyword": TEXT, "query": TEXT, "searches": COUNT},
    ),
    "cooccurrence": MinedTable(
        "Keywords searched in the same sessions; both directions.",
        ("keyword", "neighbor"),
        {**PAIR, "weight": REAL, "sessions": COUNT, "users": COUNT, **PERIOD, "recency": REAL},
    ),
    "association_rules": MinedTable(
        "Rules keyword → neighbor over sessions.",
        ("keyword", "neighbor"),
        {
            **PAIR,
            "support": REAL,
            "confidence": REAL,
            "lift": REAL,
            "significance": REAL,
            "sessions": COUNT,
            "users": COUNT,
            **PERIOD,
            "recency": REAL,
        },
    ),
    "click_clusters": MinedTable(
        "Clusters of two keywords or more on the click graph, numbered from 0 by their first keyword.",
        ("keyword",),
        {"keyword": TEXT, "cluster_id": COUNT, "cluster_size": COUNT},
    ),
    "click_neighbors": MinedTable(
        "Keywords of the same cluster; both directions, the nearest ones of each keyword.",
        ("keyword", "neighbor"),
        {
            **PAIR,
            "similarity": REAL,
            "shared_urls": COUNT,
            "clicks": COUNT,
            "users": COUNT,
            **PERIOD,
            "recency": REAL,
            "path": pa.list_(TEXT),
        },
    ),
    "term_vectors": MinedTable(
        "Terms that were searched or stood in clicked titles, with vectors by which alike ones are near (word2vec).",
        ("term",),
        {"term": TEXT, "occurrences": COUNT, "vector": pa.list_(pa.float32())},
    ),
    "topic_terms": MinedTable(
        "Terms of clicked titles and searches with their places among the topics: a text's is the sum of its terms'.",
        ("term",),
        {"term": TEXT, "documents": COUNT, "vector": pa.list_(pa.float32())},
    ),
    "topics": MinedTable(
        "Topics by their strength, with the terms that weigh most in each, and how far these occur together "
        "(mean normalised pointwise mutual information, -1 to 1).",
        ("topic",),
        {"topic": COUNT, "strength": REAL, "coherence": REAL, "terms": pa.list_(TEXT)},
    ),
    "content_click_clusters": MinedTable(
        "Density clusters by content and click similarity, numbered from 0 by their first core.",
        ("keyword",),
        {"keyword": TEXT, "cluster_id": COUNT, "cluster_size": COUNT},
    ),
    "content_click_neighbors": MinedTable(
        "Keywords of one density cluster that are near each other; clicks and users are those on the shared URLs, "
        "dates are null where none is shared.",
        ("keyword", "neighbor"),
        {
            **PAIR,
            "similarity": REAL,
            "content": REAL,
            "click": REAL,
            "shared_terms": COUNT,
            "shared_urls": COUNT,
            "clicks": COUNT,
            "users": COUNT,
            **PERIOD,
            "recency": REAL,
        },
    ),
    "page_term_clusters": MinedTable(
        "Clusters by the words of clicked pages: similarity to the leader, users who clicked, rank by both.",
        ("keyword",),
        {
            "keyword": TEXT,
            "cluster_id": COUNT,
            "cluster_size": COUNT,
            "rank": COUNT,
            "similarity": REAL,
            "users": COUNT,
        },
    ),
    "page_term_neighbors": MinedTable(
        "Keywords whose clicked pages use the same words; users are the clicking ones of the keyword that has fewer.",
        ("keyword", "neighbor"),
        {**PAIR, "similarity": REAL, "users": COUNT, **PERIOD, "recency": REAL},
    ),
    "copurchase": MinedTable(
        "Keywords with buyers in common; both directions. The weight is a shrunk cosine.",
        ("keyword", "neighbor"),
        {**PAIR, "weight": REAL, "advertisers": COUNT, **PERIOD},
    ),
    "buyer_factors": MinedTable(
        "Keywords alike in the factors of who buys what; advertisers in common, which may be none.",
        ("keyword", "neighbor"),
        {**PAIR, "similarity": REAL, "advertisers": COUNT, **PERIOD},
    ),
    "buyer_walks": MinedTable(
        "Keywords where walks between buyers and keywords end up; advertisers in common, which may be none.",
        ("keyword", "neighbor"),
        {**PAIR, "probability": REAL, "advertisers": COUNT, **PERIOD},
    ),
    "fused_pairs": MinedTable(
        "Every pair of the tables above once: each miner's strength, null where it lacks the pair; the cosine of the "
        "keywords' vectors; and the strength that a fusion model gives it. No rows without a model.",
        ("keyword", "neighbor"),
        {
            **PAIR,
            "cooccurrence": SMALL,
            "association_rules": SMALL,
            "click_clusters": SMALL,
            "content_click": SMALL,
            "page_terms": SMALL,
            "copurchase": SMALL,
            "buyer_factors": SMALL,
            "buyer_walks": SMALL,
            "similarity": SMALL,
            "strength": SMALL,
        },
    ),
    "account_keywords": MinedTable(
        "Keywords to think of for an account, owned ones too; walk and factor are null where that list lacks them.",
        ("advertiser_id", "keyword"),
        {
            "advertiser_id": TEXT,
            "keyword": TEXT,
            "score": REAL,
            "walk": REAL,
            "factor": REAL,
            "owned": FLAG,
            "advertisers": COUNT,
            "similar_advertisers": COUNT,
            **PERIOD,
        },
    ),
    "industry_keywords": MinedTable(
        "Keywords that an industry's advertisers buy; those of industries below count too.",
        ("industry_id", "keyword"),
        {
            "industry_id": TEXT,
            "keyword": TEXT,
            "score": REAL,
            "advertisers": COUNT,
            "industry_advertisers": COUNT,
            "buyers": COUNT,
            **PERIOD,
        },
    ),
    "purchases": MinedTable(
        "What an account buys: a bid on it stands, or an ad was shown for it; without accounts of everything.",
        ("advertiser_id", "keyword"),
        {"advertiser_id": TEXT, "keyword": TEXT, **PERIOD},
    ),
    "advertisers": MinedTable(
        "All advertisers with their industry and site, as far as they are known.",
        ("advertiser_id",),
        {"advertiser_id": TEXT, "industry_id": TEXT, "site_url": TEXT},
    ),
    "account_industries": MinedTable(
        "Each account under its industry and under all industries above.",
        ("advertiser_id", "industry_id"),
        {"advertiser_id": TEXT, "industry_id": TEXT},
    ),
    "industries": MinedTable(
        "The operator's industry tree; advertisers are those of the industry and of all below it.",
        ("industry_id",),
        {"industry_id": TEXT, "parent_id": TEXT, "name_en": TEXT, "name_zh": TEXT, "advertisers": COUNT},
    ),
    "bursts": MinedTable(
        "Days on which clearly more people than expected searched a keyword; observed and expected count users by day.",
        ("keyword", "first_date"),
        {
            "keyword": TEXT,
            **PERIOD,
            "searches": COUNT,
            "users": COUNT,
            "observed": COUNT,
            "expected": REAL,
            "factor": REAL,
            "score": REAL,
        },
    ),
    "sessions": MinedTable(
        "Sessions that were mined: `queries` counts consecutive repeats once.",
        ("user_id", "start_ts", "first_search_id"),
        {
            "user_id": TEXT,
            "start_ts": TIME,
            "first_search_id": TEXT,
            "last_ts": TIME,
            "searches": COUNT,
            "queries": COUNT,
        },
    ),
    "slot_rates": MinedTable(
        "What ads in each slot of the page brought, over all keywords; quality_impressions are thousandths, each "
        "impression times its advertiser's quality.",
        ("position",),
        {
            "position": COUNT,
            "impressions": COUNT,
            "quality_impressions": COUNT,
            "clicks": COUNT,
            "cost_micros": COUNT,
            "conversions": COUNT,
            "value_micros": COUNT,
        },
    ),
    "keyword_weeks": MinedTable(
        "Searches and ads of a keyword in a week that begins on this Monday; expected clicks are those of the slots, "
        "last clicks those on the lowest ad of a page, if it is on exactly this keyword. Null is unknown.",
        ("keyword", "week"),
        {
            "keyword": TEXT,
            "week": DAY,
            "searches": COUNT,
            "impressions": COUNT,
            "expected_clicks_micros": COUNT,
            "clicks": COUNT,
            "cost_micros": COUNT,
            "last_clicks": COUNT,
            "last_cost_micros": COUNT,
            "conversions": COUNT,
            "value_micros": COUNT,
        },
    ),
    "auction_pages": MinedTable(
        "A sample of each keyword's latest result pages: the bid, as it ranks, of the ad in each slot; null: no ad.",
        ("keyword", "page"),
        {"keyword": TEXT, "page": COUNT, **{f"slot_{slot}": COUNT for slot in range(1, 9)}},
    ),
    "match_shares": MinedTable(
        "Pages on which an advertiser's keywords of a match type stood, of the searches of the queries they reached.",
        ("advertiser_id", "match_type"),
        {"advertiser_id": TEXT, "match_type": TEXT, "queries": COUNT, "impressions": COUNT, "searches": COUNT},
    ),
    "crawled_pages": MinedTable(
        "Pages that the platform has crawled, with the beginning of their text.",
        ("url",),
        {"url": TEXT, "title": TEXT, "text": TEXT},
    ),
    "seed_urls": MinedTable(
        "Pages that people click for several keywords: users, clicks and keywords of its edges in the click graph.",
        ("url",),
        {"url": TEXT, "title": TEXT, "users": COUNT, "clicks": COUNT, "keywords": COUNT, **PERIOD},
    ),
    "seed_url_keywords": MinedTable(
        "The keywords that these pages are clicked for, those of the most users.",
        ("url", "keyword"),
        {"url": TEXT, "keyword": TEXT, "users": COUNT, "clicks": COUNT},
    ),
    "robot_users": MinedTable(
        "Users set aside as robots, what they did, and which rules they broke.",
        ("user_id",),
        {
            "user_id": TEXT,
            "searches": COUNT,
            "active_days": COUNT,
            "busiest_day_searches": COUNT,
            "gap_variation": REAL,
            "clicks": COUNT,
            "too_many_searches": FLAG,
            "regular_gaps": FLAG,
            "no_clicks": FLAG,
        },
    ),
}


def write_mined_table(folder: Path, name: str, batches: Iterable[pa.RecordBatch], keywords: pa.Array) -> int:
    """Write batches, sorted by the table's key, to `folder`/`name`.parquet; return the number of rows.

    Keyword columns are looked up in `keywords` (text by number), the others are cast to the table's schema.
    """
    schema = MINED_TABLES[name].schema
    rows = 0
    with pq.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd") as writer:
        for group in row_groups(batches):
            columns = [
                keywords.take(group[f"{field.name}_id"].combine_chunks())
                if field.name in KEYWORD_COLUMNS
                else group[field.name].combine_chunks().cast(field.type)
                for field in schema
            ]
            writer.write_table(pa.table(columns, schema=schema), row_group_size=ROW_GROUP_ROWS)
            rows += group.num_rows
    return rows


def row_groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The same rows in tables of exactly ROW_GROUP_ROWS rows, but for the last."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        while count >= ROW_GROUP_ROWS:
            table = pa.Table.from_batches(waiting)
            yield table.slice(0, ROW_GROUP_ROWS)
            waiting = table.slice(ROW_GROUP_ROWS).to_batches()
            count -= ROW_GROUP_ROWS
    if count:
        yield pa.Table.from_batches(waiting)


def dictionary_of(texts: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """The distinct texts in code point order, and for each text its place among them (int32)."""
    distinct = pc.unique(texts)
    distinct = distinct.take(pc.sort_indices(distinct))
    return distinct, pc.index_in(texts, value_set=distinct).combine_chunks()
