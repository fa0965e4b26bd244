"""Topics of what people searched and clicked: latent semantic indexing (Deerwester et al. 1990; SPEC §1.7) by gensim.

Documents are the sentences that term vectors are trained on (`mining.embeddings`): a clicked page's title with the
words of the queries that led to it, or the words of one session's queries. Words of one document alone, and of more
than MOST_DOCUMENTS of all, are left out, and so are those beyond the most frequent `topic_terms`. A term's vector is
its row of the truncated decomposition of the matrix of tf-idf, times its idf: a text's is the sum of its terms'.

Why LSI and not LDA: docs/decisions/0010. Memory is that of the sampled documents and of terms × topics numbers; CHUNK
documents are decomposed at a time. One seed, signs fixed by each topic's heaviest term, and rounding: the same log
gives the same bytes.
"""

import logging
import warnings
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from scipy.sparse import csc_array, csc_matrix, csr_array

from indexes.arrays import Array
from mining.embeddings import Sentence
from mining.mined_tables import MINED_TABLES, dictionary_of
from mining.settings import MiningSettings

SEED = 1
MIN_DOCUMENTS = 1000
"""A smaller log has no topics worth the name."""
MIN_TERM_DOCUMENTS = 2
MOST_DOCUMENTS = 0.2
"""Terms of a greater share of the documents say nothing of what they are about."""
CHUNK = 20_000
SHOWN_TERMS = 10
"""Terms by which a topic is described, and judged."""
DIGITS = 4


def train_topics(corpus: Sequence[Sentence], settings: MiningSettings) -> tuple[pa.Table, pa.Table]:
    """The rows of the mined tables topic_terms and topics; none if there is too little to learn from."""
    nothing = MINED_TABLES["topic_terms"].schema.empty_table(), MINED_TABLES["topics"].schema.empty_table()
    if len(corpus) < MIN_DOCUMENTS or not settings.topics:
        return nothing
    terms, counts = _count_terms(corpus, settings.topic_terms)
    if len(terms) <= settings.topics:
        return nothing
    # gensim takes half a second to import and nothing else needs it.
    from gensim.models.lsimodel import Projection

    logging.getLogger("gensim").setLevel(logging.ERROR)
    held = np.bincount(counts.indices, minlength=len(terms))
    idf = np.log2(counts.shape[0] / held)
    weighed = _unit_rows(counts, idf)
    topics = Projection(len(terms), settings.topics)
    with warnings.catch_warnings():
        # Chunks are merged by way of numpy's matrix type.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        for begin in range(0, weighed.shape[0], CHUNK):
            chunk = csc_matrix(weighed[begin : begin + CHUNK].T)
            topics.merge(Projection(len(terms), settings.topics, chunk, random_seed=SEED))
    heavy = np.abs(topics.u).argmax(axis=0)
    left = topics.u * np.sign(topics.u[heavy, np.arange(len(heavy))])
    return _topic_terms(terms, held, left * idf[:, None]), _topics(terms, left, topics.s, counts)


def _count_terms(corpus: Sequence[Sentence], most: int) -> tuple[list[str], csr_array]:
    """The terms that say something, in the order of their text, and how often each document that has any holds each."""
    owner = np.repeat(np.arange(len(corpus)), np.fromiter(map(len, corpus), np.int64, len(corpus)))
    words, places = dictionary_of(
        pa.chunked_array([pa.array([word for words in corpus for word in words], pa.string())])
    )
    place = places.to_numpy().astype(np.int64)
    counts = csr_array((np.ones(len(place), np.int64), (owner, place)), shape=(len(corpus), len(words)))
    counts.sum_duplicates()
    held = np.bincount(counts.indices, minlength=len(words))
    kept = np.flatnonzero((held >= MIN_TERM_DOCUMENTS) & (held <= int(MOST_DOCUMENTS * len(corpus))))
    first = np.empty(len(words), np.int64)
    first[place[::-1]] = owner[::-1]
    # Of terms of as many documents those that came first.
    kept = np.sort(kept[np.lexsort((kept, first[kept], -held[kept]))[:most]])
    counts = counts[:, kept]
    counts.sort_indices()
    return words.take(pa.array(kept)).to_pylist(), counts[np.flatnonzero(np.diff(counts.indptr))]


def _unit_rows(counts: csr_array, idf: Array) -> csr_array:
    """Counts times the terms' idf, each row at length 1; terms of all documents weigh nothing."""
    owner = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    weights = counts.data * idf[counts.indices]
    lengths = np.sqrt(np.bincount(owner, weights * weights, counts.shape[0]))
    weights /= np.maximum(lengths, np.finfo(np.float64).tiny)[owner]
    return csr_array((weights, counts.indices, counts.indptr), shape=counts.shape)


def _topic_terms(terms: list[str], held: Array, vectors: Array) -> pa.Table:
    values = pa.array(np.round(vectors, DIGITS).astype(np.float32).ravel())
    offsets = pa.array(np.arange(len(terms) + 1) * vectors.shape[1], pa.int32())
    columns = {"term": terms, "documents": held, "vector": pa.ListArray.from_arrays(offsets, values)}
    return pa.table(columns, schema=MINED_TABLES["topic_terms"].schema)


def _topics(terms: list[str], left: Array, strengths: Array, counts: csr_array) -> pa.Table:
    holds = csr_array((np.ones(counts.nnz), counts.indices, counts.indptr), shape=counts.shape).tocsc()
    shown, coherence = [], []
    for topic in range(left.shape[1]):
        # A topic of LSI has two ends; the end of its heaviest term describes it.
        heaviest = np.lexsort((np.arange(len(terms)), -np.round(left[:, topic], DIGITS)))[:SHOWN_TERMS]
        shown.append([terms[place] for place in heaviest.tolist()])
        coherence.append(round(pair_coherence(holds[:, heaviest]), DIGITS))
    columns = {
        "topic": np.arange(left.shape[1]),
        "strength": np.round(strengths, DIGITS),
        "coherence": coherence,
        "terms": shown,
    }
    return pa.table(columns, schema=MINED_TABLES["topics"].schema)


def pair_coherence(holds: csc_array) -> float:
    """Mean normalised pointwise mutual information of pairs of terms (Bouma 2009), −1..1; `holds` (documents, terms)
    is 1 where a document holds a term. Pairs that never meet count −1.
    """
    count, terms = holds.shape
    together = (holds.T @ holds).toarray() / count
    alone = np.diag(together)
    one, other = np.triu_indices(terms, 1)
    both = together[one, other]
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.log(both / (alone[one] * alone[other])) / -np.log(both)
    return float(np.where(both > 0, np.where(both < 1, scores, 1.0), -1.0).mean()) if len(one) else 0.0
