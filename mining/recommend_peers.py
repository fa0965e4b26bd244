"""Peers in recommending keywords to accounts: `implicit` (extra `bench`) over who bought what, and popularity.

All learn from the same earlier purchases. An account whose history is hidden is unknown to them: item-kNN and ALS name
nothing, popularity counts the others' purchases.
"""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from scipy.sparse import csr_matrix

from indexes.accounts import Accounts
from indexes.arrays import Array
from indexes.errors import UsageError
from mining.next_query_peers import quiet
from mining.recommend_questions import Question

SEED = 1
NEIGHBORS = 100
ALS_ROUNDS = 15
ALS_FACTORS = (16, 64)


class Peer(Protocol):
    """Recommends keywords to accounts."""

    name: str

    def recommend(self, question: Question, most: int) -> Array:
        """Ids of the best keywords that the account does not own, int64, best first."""
        ...


class Popularity:
    """What the most accounts buy: all of them, or those of the account's industry."""

    def __init__(self, name: str, accounts: Accounts, within_industry: bool) -> None:
        self.name = name
        self._accounts, self._within_industry = accounts, within_industry
        self._owner = np.repeat(np.arange(len(accounts)), np.diff(accounts.owned.offsets))

    def recommend(self, question: Question, most: int) -> Array:
        accounts, industry = self._accounts, question.profile.industry
        counted = self._owner != question.account
        if self._within_industry:
            counted &= accounts.industry[self._owner] == industry
        buyers = np.bincount(accounts.owned.values[counted], minlength=len(accounts.bought)).astype(np.float64)
        buyers[np.isin(accounts.bought, question.profile.owned)] = 0
        order = np.argsort(-buyers, kind="stable")[:most]
        return accounts.bought[order[buyers[order] > 0]].astype(np.int64)


class ImplicitPeer:
    """A model of `implicit`: an account is a user with the keywords that it owns."""

    def __init__(self, name: str, model: object, accounts: Accounts, matrix: csr_matrix) -> None:
        self.name = name
        self._model, self._accounts = model, accounts
        with quiet():
            model.fit(matrix, show_progress=False)  # type: ignore[attr-defined]

    def recommend(self, question: Question, most: int) -> Array:
        bought = self._accounts.bought
        own = np.flatnonzero(np.isin(bought, question.profile.owned))
        if not len(own):
            return np.empty(0, np.int64)
        row = csr_matrix((np.ones(len(own), np.float32), ([0] * len(own), own)), shape=(1, len(bought)))
        with quiet():
            items, scores = self._model.recommend(  # type: ignore[attr-defined]
                0, row, N=most, filter_already_liked_items=True, recalculate_user=True
            )
        items = items[(scores > 0) & np.isfinite(scores)]
        return bought[items].astype(np.int64)


def peers(accounts: Accounts) -> Iterator[Peer]:
    """All peers, trained one after the other. Raises UsageError if `implicit` is not installed."""
    try:
        from implicit.cpu.als import AlternatingLeastSquares
        from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
    except ImportError:
        raise UsageError("The peers need the package implicit.", "Install it: pip install -e '.[bench]'.") from None
    yield Popularity("popularity", accounts, within_industry=False)
    yield Popularity("popularity within the industry", accounts, within_industry=True)
    offsets, columns = accounts.owned.offsets, accounts.owned.values
    matrix = csr_matrix(
        (np.ones(len(columns), np.float32), np.array(columns), np.array(offsets)),
        shape=(len(accounts), len(accounts.bought)),
    )
    for name, kind in (("cosine", CosineRecommender), ("TF-IDF", TFIDFRecommender), ("BM25", BM25Recommender)):
        yield ImplicitPeer(f"item-kNN, {name} (implicit)", kind(K=NEIGHBORS, num_threads=1), accounts, matrix)
    for factors in ALS_FACTORS:
        with quiet():
            als = AlternatingLeastSquares(factors=factors, iterations=ALS_ROUNDS, num_threads=1, random_state=SEED)
        yield ImplicitPeer(f"ALS, {factors} factors (implicit)", als, accounts, matrix)
