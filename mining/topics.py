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
from scipy.sparse import csc_array

from indexes.arrays import Array
from mining.embeddings import Sentence
from mining.mined_tables import MINED_TABLES
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
    # gensim takes half a second to import and nothing else needs it.
    from gensim.corpora import Dictionary
    from gensim.models import LsiModel, TfidfModel

    logging.getLogger("gensim").setLevel(logging.ERROR)
    dictionary = Dictionary(corpus)
    dictionary.filter_extremes(MIN_TERM_DOCUMENTS, MOST_DOCUMENTS, settings.topic_terms)
    if len(dictionary) <= settings.topics:
        return nothing
    # Terms are numbered in the order of their text, whatever order gensim met them in.
    terms = sorted(dictionary.token2id)
    number = {dictionary.token2id[term]: place for place, term in enumerate(terms)}
    documents = [sorted((number[old], count) for old, count in dictionary.doc2bow(words)) for words in corpus]
    documents = [bag for bag in documents if bag]
    weighed = TfidfModel(documents)
    with warnings.catch_warnings():
        # Chunks are merged by way of numpy's matrix type.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        model = LsiModel(
            weighed[documents],
            id2word=dict(enumerate(terms)),
            num_topics=settings.topics,
            chunksize=CHUNK,
            random_seed=SEED,
        )
    heavy = np.abs(model.projection.u).argmax(axis=0)
    left = model.projection.u * np.sign(model.projection.u[heavy, np.arange(len(heavy))])
    idf = np.array([weighed.idfs[place] for place in range(len(terms))])
    held = np.array([weighed.dfs[place] for place in range(len(terms))])
    return _topic_terms(terms, held, left * idf[:, None]), _topics(terms, left, model.projection.s, documents)


def _topic_terms(terms: list[str], held: Array, vectors: Array) -> pa.Table:
    values = pa.array(np.round(vectors, DIGITS).astype(np.float32).ravel())
    offsets = pa.array(np.arange(len(terms) + 1) * vectors.shape[1], pa.int32())
    columns = {"term": terms, "documents": held, "vector": pa.ListArray.from_arrays(offsets, values)}
    return pa.table(columns, schema=MINED_TABLES["topic_terms"].schema)


def _topics(terms: list[str], left: Array, strengths: Array, documents: Sequence[list[tuple[int, int]]]) -> pa.Table:
    counts = np.array([len(bag) for bag in documents])
    rows = np.fromiter((place for bag in documents for place, _ in bag), np.int64, int(counts.sum()))
    owner = np.repeat(np.arange(len(documents)), counts)
    holds = csc_array((np.ones(len(rows)), (owner, rows)), shape=(len(documents), len(terms)))
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
