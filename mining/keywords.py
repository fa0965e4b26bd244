"""From queries as typed to keywords: each distinct query is normalised once, in Python, and joined back by number."""

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from indexes.text import normalise
from mining.engines import Engine
from mining.mined_tables import dictionary_of


def distinct_queries(searches: ir.Table, clicks: ir.Table, ad_events: ir.Table, bids: ir.Table) -> ir.Table:
    """Every text that stands for a keyword anywhere in the logs, once, in code point order."""
    texts = (
        searches.query,
        clicks.query,
        ad_events.query,
        *(bought.keyword.name("query") for bought in (ad_events, bids)),
    )
    return ibis.union(*(text.as_table().distinct() for text in texts), distinct=True).order_by("query")


def number_keywords(engine: Engine, queries: ir.Table) -> tuple[ir.Table, pa.Array]:
    """The engine's table (query, query_id, keyword_id), all int32, and the keywords' text by number.

    Queries and keywords are numbered in code point order. Queries that normalise to nothing are not in the table.
    """
    schema = pa.schema([("query", pa.string()), ("keyword", pa.string())])
    batches = [pa.record_batch([pa.array([], pa.string())] * 2, schema=schema)]
    for batch in engine.stream(queries):
        keywords = pa.array([normalise(query) for query in batch["query"].to_pylist()], pa.string())
        batches.append(pa.record_batch([batch["query"], keywords], schema=schema))
    table = pa.Table.from_batches(batches)
    table = table.append_column("query_id", pa.array(range(len(table)), pa.int32()))
    table = table.filter(pa.compute.not_equal(table["keyword"], ""))
    keywords, keyword_ids = dictionary_of(table["keyword"])
    table = table.drop_columns("keyword").append_column("keyword_id", keyword_ids)
    return engine.register("queries", table), keywords
