"""Peers in next-query prediction: what a platform would take off the shelf (extra `bench`), and popularity.

All learn from the same earlier sessions. item-kNN and ALS are those of `implicit` over the matrix of sessions and
keywords; word2vec is gensim's over sessions as sentences of whole keywords.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_matrix

from indexes.arrays import Array
from indexes.errors import UsageError
from mining.next_query import CUT, UNKNOWN, Histories
from mining.session_sequences import SessionSequences

SEED = 1
NEIGHBORS = 100
FACTORS = 64
ALS_ROUNDS = 10
WORD_DIMS = 48
WORD_EPOCHS = 20
HISTORIES_AT_A_TIME = 2000


class Popularity:
    """The most searched keywords of all, whatever was searched before."""

    name = "popularity"

    def __init__(self, searches: Array) -> None:
        self._order = np.argsort(-searches, kind="stable")[: 1000 + CUT]

    def predict(self, histories: Histories) -> Array:
        """The most searched ones that are not in a history."""
        best = np.tile(_padded(self._order[:CUT]), (len(histories), 1))
        touched = np.unique(histories.owner[np.isin(histories.keyword, self._order[:CUT])])
        for row in touched.tolist():
            own = histories.keyword[histories.offsets[row] : histories.offsets[row + 1]]
            best[row] = _padded(self._order[~np.isin(self._order, own)][:CUT])
        return best


class ImplicitPeer:
    """A model of `implicit`: histories are users whom it has not seen before."""

    def __init__(self, name: str, model: object, sessions: csr_matrix) -> None:
        self.name = name
        self._keywords = sessions.shape[1]
        self._model = model
        with quiet():
            model.fit(sessions, show_progress=False)  # type: ignore[attr-defined]

    def predict(self, histories: Histories) -> Array:
        """What it recommends; items of no similarity at all are not named."""
        best = np.full((len(histories), CUT), UNKNOWN, np.int64)
        given = np.diff(histories.offsets) > 0
        users = csr_matrix(
            (np.ones(len(histories.keyword), np.float32), histories.keyword, histories.offsets),
            shape=(len(histories), self._keywords),
        )
        for begin in range(0, len(histories), HISTORIES_AT_A_TIME):
            rows = np.arange(begin, min(begin + HISTORIES_AT_A_TIME, len(histories)))
            rows = rows[given[rows]]
            if not len(rows):
                continue
            with quiet():
                items, scores = self._model.recommend(  # type: ignore[attr-defined]
                    np.arange(len(rows)), users[rows], N=CUT, filter_already_liked_items=True, recalculate_user=True
                )
            best[rows, : items.shape[1]] = np.where((scores > 0) & np.isfinite(scores), items, UNKNOWN)
        return best


class WordVectors:
    """gensim's word2vec of whole keywords: the nearest to the mean of a history."""

    name = "word2vec of keywords (gensim)"

    def __init__(self, sessions: SessionSequences) -> None:
        from gensim.models import Word2Vec

        logging.getLogger("gensim").setLevel(logging.ERROR)
        bounds = sessions.offsets.tolist()
        keywords = sessions.keyword.tolist()
        sentences = [keywords[begin:end] for begin, end in pairwise(bounds) if end - begin > 1]
        self._model = Word2Vec(vector_size=WORD_DIMS, sg=1, window=5, negative=5, min_count=2, workers=1, seed=SEED)
        self._known: dict[int, int] = {}
        if sentences:
            self._model.build_vocab(sentences)
            self._known = self._model.wv.key_to_index
        if self._known:
            self._model.train(sentences, total_examples=self._model.corpus_count, epochs=WORD_EPOCHS)

    def predict(self, histories: Histories) -> Array:
        """The nearest by cosine."""
        best = np.full((len(histories), CUT), UNKNOWN, np.int64)
        if not self._known:
            return best
        names = np.array(self._model.wv.index_to_key, np.int64)
        vectors = self._model.wv.get_normed_vectors()
        row_of = np.full(max(int(names.max()), int(histories.keyword.max(initial=0))) + 1, UNKNOWN, np.int64)
        row_of[names] = np.arange(len(names))
        rows = row_of[histories.keyword]
        means = np.zeros((len(histories), vectors.shape[1]), np.float32)
        np.add.at(means, histories.owner[rows != UNKNOWN], vectors[rows[rows != UNKNOWN]])
        for begin in range(0, len(histories), HISTORIES_AT_A_TIME):
            part = np.arange(begin, min(begin + HISTORIES_AT_A_TIME, len(histories)))
            part = part[np.abs(means[part]).sum(axis=1) > 0]
            scores = means[part] @ vectors.T
            owner = histories.owner
            own = np.isin(owner, part) & (rows != UNKNOWN)
            scores[np.searchsorted(part, owner[own]), rows[own]] = -np.inf
            count = min(CUT, scores.shape[1])
            nearest = np.argpartition(-scores, count - 1, axis=1)[:, :count]
            values = np.take_along_axis(scores, nearest, axis=1)
            order = np.lexsort((nearest, -values), axis=1)
            nearest, values = np.take_along_axis(nearest, order, 1), np.take_along_axis(values, order, 1)
            best[part, :count] = np.where(np.isfinite(values), names[nearest], UNKNOWN)
        return best


def peers(sessions: SessionSequences, searches: Array) -> Iterator[Popularity | ImplicitPeer | WordVectors]:
    """All peers, trained one after the other; `sessions` of places among the known keywords.

    Raises UsageError if `implicit` is not installed.
    """
    try:
        from implicit.cpu.als import AlternatingLeastSquares
        from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
    except ImportError:
        raise UsageError("The peers need the package implicit.", "Install it: pip install -e '.[bench]'.") from None
    yield Popularity(searches)
    yield WordVectors(sessions)
    matrix = csr_matrix(
        (np.ones(len(sessions.keyword), np.float32), (sessions.owner, sessions.keyword)),
        shape=(max(len(sessions), 1), max(len(searches), 1)),
    )
    matrix.data[:] = 1.0  # a keyword searched again in a session counts once
    for name, kind in (("cosine", CosineRecommender), ("TF-IDF", TFIDFRecommender), ("BM25", BM25Recommender)):
        yield ImplicitPeer(f"item-kNN, {name} (implicit)", kind(K=NEIGHBORS, num_threads=1), matrix)
    with quiet():
        als = AlternatingLeastSquares(factors=FACTORS, iterations=ALS_ROUNDS, num_threads=1, random_state=SEED)
    yield ImplicitPeer("ALS (implicit)", als, matrix)


def _padded(keywords: Array) -> Array:
    return np.append(keywords, np.full(CUT - len(keywords), UNKNOWN, np.int64))


@contextmanager
def quiet() -> Iterator[None]:
    """implicit warns of matrices that it converts itself, and of the threads of BLAS."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
