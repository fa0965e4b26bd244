"""The sources of recommendations without a query (SPEC §2.8): one an origin, all fed by one recall for the account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from indexes.account_recall import AccountProfile, AccountRecall, Recalled
from indexes.accounts import UNKNOWN
from indexes.arrays import Array
from indexes.opened import Indexes
from kr.reasons import Removal
from kr.retrieval.url_topics import token_weights
from kr.types import Candidates, ColumnSpec, Filters, Request, StageResult


@dataclass(frozen=True)
class RecommendationRequest(Request):
    """For whom: an account of the log, an industry, a site (`page_topics`, what its page says), or several of these.

    There are no seeds. `liked` are normalised keywords that the account saved or marked as fitting; what it dismissed
    stands in `filters.dismissed`, what it has on lists in `filters.owned`.
    """

    account: str | None = None
    industry: str | None = None
    liked: tuple[str, ...] = ()


@dataclass(frozen=True)
class AccountRecalled:
    """What was recalled for a request: the profile as it was asked, what is truly owned (ids), and the candidates.

    The profile counts what the account liked as owned, so that a keyword saved now leads on at once.
    """

    profile: AccountProfile
    owned: Array
    recalled: Recalled


class RecommendationFinder:
    """Recalls for the last requests; kept, since every source and stage asks."""

    def __init__(self, indexes: Indexes, recall: AccountRecall) -> None:
        self.indexes, self.recall = indexes, recall
        self._find = lru_cache(maxsize=16)(self._found)

    def find(self, request: Request) -> AccountRecalled:
        """What is known for a request, which must be a RecommendationRequest."""
        assert isinstance(request, RecommendationRequest)
        return self._find(_known_by(request))

    def _found(self, key: "_Key") -> AccountRecalled:
        accounts, find = self.recall.accounts, self.indexes.keywords.find
        account = accounts.ids.find(key.account) if key.account else UNKNOWN
        profile = self.recall.profile(account) if account >= 0 else AccountProfile()
        if key.industry:
            profile = replace(profile, industry=accounts.industry_ids.find(key.industry))
        if key.page_topics:
            said = token_weights(key.page_topics)
            terms = {term: weight for token, weight in said.items() if (term := self.indexes.terms.find(token)) >= 0}
            ids = np.array(sorted(terms), np.int32)
            weights = np.array([terms[term] for term in ids.tolist()], np.float32)
            profile = replace(profile, site_terms=ids, site_weights=weights)
        liked, disliked = (
            np.array(sorted({place for text in texts if (place := find(text)) >= 0}), np.int32)
            for texts in (key.liked, key.dismissed)
        )
        owned = profile.owned
        base = np.setdiff1d(np.union1d(owned, liked), disliked).astype(np.int32)
        profile = replace(profile, owned=base, liked=liked, disliked=disliked)
        return AccountRecalled(profile, owned, self.recall.find(profile))


@dataclass(frozen=True)
class _Key(RecommendationRequest):
    """The part of a request that decides what is recalled; can be hashed."""

    dismissed: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return hash((self.account, self.industry, self.liked, self.dismissed, self.page_topics))


def _known_by(request: RecommendationRequest) -> _Key:
    liked = tuple(sorted({*request.liked, *request.filters.owned}))
    return _Key(
        (),
        Filters(),
        page_topics=request.page_topics,
        account=request.account,
        industry=request.industry,
        liked=liked,
        dismissed=tuple(sorted(request.filters.dismissed)),
    )


class OriginSource:
    """The keywords that one origin finds; adds `<origin>_score` float64, comparable within an account only."""

    def __init__(self, origin: str, finder: RecommendationFinder) -> None:
        self.name = origin
        self.adds: Mapping[str, ColumnSpec] = {f"{origin}_score": ColumnSpec("float64", 0.0)}
        self._finder = finder

    def retrieve(self, request: Request) -> Candidates:
        found = self._finder.find(request).recalled
        score = found.scores[self.name]
        rows = np.flatnonzero(score > 0)
        ids = found.keyword_id[rows]
        return Candidates(ids, np.zeros(len(ids), np.uint32), {f"{self.name}_score": score[rows]})


class NothingOwned:
    """Removes what the account owns, close variants included."""

    name = "nothing_owned"
    needs: Sequence[str] = ()
    adds: Sequence[str] = ()

    def __init__(self, finder: RecommendationFinder) -> None:
        self._finder = finder

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        canonical = self._finder.indexes.stats.canonical
        owned = canonical[self._finder.find(request).owned]
        return StageResult.split(candidates, ~np.isin(canonical[candidates.keyword_id], owned), Removal.OWNED)
