"""Term vectors from what people searched and clicked: word2vec (Mikolov et al. 2013; SPEC §1.7) by gensim.

A sentence is what belongs to one need: the title of a page and the words of the queries that led to it, the most
clicked first; or the words of the queries of one session, in order. Beyond a limit of queries, pages and users are
drawn evenly, so that time and memory are bounded; a smaller log is read more often, so that its vectors are as settled.

One thread and one seed train on sentences in a fixed order: the same log gives the same bytes.
"""

import logging
from collections.abc import Iterator
from itertools import pairwise

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from indexes.text import normalise, tokens
from mining.mined_tables import MINED_TABLES
from mining.settings import MiningSettings

SEED = 1
WINDOW = 10
"""Words on each side that count as context; the order of words says little where queries are strung together."""
NEGATIVE = 5
MIN_OCCURRENCES = 2
SUBSAMPLE = 1e-4
"""Words more frequent than this are skipped now and then, as word2vec does; it saves most of the time."""
EPOCHS = (2, 40)
"""How often sentences are read, at least and at most."""
LEAST_SHARE = 0.2
"""A log whose words, read as often as may be, come to less than this share of those asked for teaches nothing: vectors
that have hardly moved from where they began all look alike."""
QUERIES_A_PAGE = 10
QUERIES_A_SESSION = 30

Sentence = list[str]


def stride(rows: int, most: int) -> int:
    """Every how manieth page or user is drawn so that about `most` of so many rows remain."""
    return max(1, -(-rows // most))


def draw_session_queries(events: ir.Table, every: int) -> ir.Table:
    """The searches to learn from: session, position, keyword_id; sessions of two or more, of every so manieth user."""
    drawn = events.filter(events.user_no % every == 0)
    drawn = drawn.mutate(queries=drawn.count().over(ibis.window(group_by=drawn.session)))
    return drawn.filter(drawn.queries > 1).select("session", "position", "keyword_id")


def draw_page_queries(edge_users: ir.Table, every: int) -> ir.Table:
    """The clicks to learn from: url_id, place, keyword_id; the most clicked queries of every so manieth page."""
    edges = edge_users.filter(edge_users.url_id % every == 0)
    edges = edges.group_by("url_id", "keyword_id").agg(clicks=edges.clicks.sum())
    by_clicks = ibis.window(group_by=edges.url_id, order_by=[edges.clicks.desc(), edges.keyword_id])
    edges = edges.mutate(place=ibis.row_number().over(by_clicks))
    return edges.filter(edges.place < QUERIES_A_PAGE).select("url_id", "place", "keyword_id")


def draw_titles(pages: ir.Table, urls: ir.Table, every: int) -> ir.Table:
    """The titles of every so manieth page that was clicked: url_id, title."""
    clicked = pages.join(urls, "url")
    return clicked.filter(clicked.url_id % every == 0).select("url_id", "title")


def sentences(
    page_queries: pa.Table, titles: pa.Table, session_queries: pa.Table, keywords: pa.Array
) -> Iterator[Sentence]:
    """The words of every page drawn, then of every session, rows in order; `keywords` is their text by id."""
    title_of = dict(zip(titles["url_id"].to_pylist(), titles["title"].to_pylist(), strict=True))
    used = np.union1d(page_queries["keyword_id"].to_numpy(), session_queries["keyword_id"].to_numpy())
    words = dict(zip(used.tolist(), map(tokens, keywords.take(pa.array(used)).to_pylist()), strict=True))
    for url_id, keyword_ids in _groups(page_queries, "url_id"):
        title = tokens(normalise(title_of.get(url_id) or ""))
        yield [*title, *(word for keyword_id in keyword_ids for word in words[keyword_id])]
    for _, keyword_ids in _groups(session_queries, "session"):
        yield [word for keyword_id in keyword_ids[:QUERIES_A_SESSION] for word in words[keyword_id]]


def _groups(rows: pa.Table, by: str) -> Iterator[tuple[int, list[int]]]:
    """The keyword ids of each run of rows with one value of a column."""
    owner, keyword_ids = rows[by].to_numpy(), rows["keyword_id"].to_pylist()
    starts = np.flatnonzero(np.diff(owner, prepend=owner[:1] - 1)).tolist()
    for begin, end in pairwise([*starts, len(owner)]):
        yield int(owner[begin]), keyword_ids[begin:end]


def train(corpus: list[Sentence], settings: MiningSettings) -> pa.Table:
    """The rows of the mined table term_vectors; none if there is too little to learn from."""
    schema = MINED_TABLES["term_vectors"].schema
    words = sum(map(len, corpus))
    fewest, most = EPOCHS
    if not words or words * most < LEAST_SHARE * settings.embedding_words:
        return schema.empty_table()
    # gensim takes half a second to import and nothing else needs it.
    from gensim.models import Word2Vec

    # It warns of small corpora, about which there is nothing to do.
    logging.getLogger("gensim").setLevel(logging.ERROR)
    model = Word2Vec(
        vector_size=settings.embedding_dims,
        sg=1,
        window=WINDOW,
        negative=NEGATIVE,
        min_count=MIN_OCCURRENCES,
        sample=SUBSAMPLE,
        workers=1,
        seed=SEED,
    )
    model.build_vocab(corpus)
    terms: list[str] = model.wv.index_to_key
    if not terms:
        return schema.empty_table()
    epochs = min(max(-(-settings.embedding_words // words), fewest), most)
    model.train(corpus, total_examples=model.corpus_count, epochs=epochs)
    order = sorted(range(len(terms)), key=terms.__getitem__)
    values = pa.array(np.ascontiguousarray(model.wv.vectors[order]).ravel(), pa.float32())
    offsets = pa.array(np.arange(len(terms) + 1) * settings.embedding_dims, pa.int32())
    return pa.table(
        {
            "term": [terms[place] for place in order],
            "occurrences": [int(model.wv.get_vecattr(terms[place], "count")) for place in order],
            "vector": pa.ListArray.from_arrays(offsets, values),
        },
        schema=schema,
    )
