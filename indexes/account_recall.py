"""Keywords to think of for an account without a query (SPEC §2.8): what each origin finds, and what is known of each.

Training, evaluation and serving all ask here, so that a learned blend reads the same numbers everywhere.

    same_buyers        Σ over accounts that buy something in common: overlap / √(own · theirs), of those who buy it
    copurchase         Σ over what is owned: cosine of the buyers of both, accounts of few keywords counting more
                       (item-kNN with TF-IDF)
    buyer_factors      the account's row of the truncated SVD of who buys what (folded in: no account is retrained)
    buyer_walks        personalised PageRank between accounts and keywords, from what is owned
    industry           cosine of the industry's advertisers and the keyword's, shrunk
    searched_together  strengths of the session, click and page miners, from what is owned
    content            cosine of the keyword's vector and the nearest owned one's
    site               share of the keyword's words that the account's site says
    rising             recent bursts of keywords that fit the account by one of the others

A keyword is found only if enough people searched it, or as many advertisers buy it as the log was mined with: else it
would tell what one person or one advertiser does. Nothing that is owned is left out here, since close variants are the
serving's to know.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from indexes.accounts import Accounts
from indexes.arrays import Array, ranges, sorted_distinct
from indexes.neighbors import FUSION, joint_strength
from indexes.opened import Indexes
from indexes.term_vectors import SCALE, unit_codes

ORIGINS = (
    "same_buyers", "copurchase", "buyer_factors", "buyer_walks", "industry", "searched_together", "content", "site",
    "rising",
)  # fmt: skip
MOST = 400
"""Keywords that one origin finds at most."""
ASKED = 60
"""Owned keywords whose neighbours are asked for at most, the most searched first."""
NEIGHBORS, NEAREST = 80, 60
"""Neighbours by miners, and by vectors, of each owned keyword."""
SITE_TERMS = 24
LEAST_SITE_SHARE = 0.5
LEAST_COSINE = 0.5
WALK_RETURN = 0.5
WALK_ROUNDS = 4
SHRINKAGE = 2.0
"""With so many advertisers in common a cosine counts half."""
_NONE = np.empty(0, np.int32)


@dataclass(frozen=True)
class AccountProfile:
    """What is known of an account: ids of keywords int32 (n,), ascending; `industry` a place, -1 unknown.

    `left_out` is an account (a place) whose purchases count for nothing, -1 for none: how an account would be served
    of which the log knew no purchase.
    """

    owned: Array = field(default_factory=lambda: _NONE)
    industry: int = -1
    site_terms: Array = field(default_factory=lambda: _NONE)
    site_weights: Array = field(default_factory=lambda: np.empty(0, np.float32))
    liked: Array = field(default_factory=lambda: _NONE)
    disliked: Array = field(default_factory=lambda: _NONE)
    left_out: int = -1


@dataclass(frozen=True)
class Recalled:
    """Candidates `keyword_id` int32 (n,), ascending; `scores` by origin float64 (n,), 0 where it does not find one;
    `known` float64 (n,) by name: everything else that is known of a candidate for this account."""

    keyword_id: Array
    scores: Mapping[str, Array]
    known: Mapping[str, Array]


class AccountRecall:
    """Recalls keywords for accounts from one snapshot. Safe to call from any thread."""

    def __init__(self, indexes: Indexes, accounts: Accounts, least_users: int) -> None:
        self.indexes, self.accounts = indexes, accounts
        # The neighbours of what a keyword is bought with are read in both directions.
        self._account_of = np.repeat(np.arange(len(accounts)), np.diff(accounts.owned.offsets))
        self._column_of = np.asarray(accounts.owned.values, np.int64)
        self.least_buyers = int(indexes.facts.get("mining_settings", {}).get("min_advertisers", 2))
        self._least_users = least_users

    def profile(self, account: int, known_purchases: bool = True) -> AccountProfile:
        """What the snapshot knows of an account; without its purchases as if it had never bought anything."""
        terms, weights = self.accounts.site_of(account)
        industry = int(self.accounts.industry[account])
        if not known_purchases:
            return AccountProfile(_NONE, industry, terms, weights, left_out=account)
        return AccountProfile(self.accounts.owned_keywords(account), industry, terms, weights, left_out=account)

    def find(self, profile: AccountProfile) -> Recalled:
        """Everything that any origin finds, at most MOST keywords each."""
        bought = self._of_buyers(profile)
        asked = self._asked(profile.owned)
        together_ids, together, linked = self._together(asked)
        shown = np.flatnonzero(self._gives_nobody_away(self.accounts.bought, bought["buyers"]))
        found: dict[str, tuple[Array, Array]] = {
            name: (self.accounts.bought[shown], bought[name][shown]) for name in ORIGINS[:5]
        }
        found["searched_together"] = (together_ids, together)
        near = self._nearest(asked)
        found["content"] = (near, self._cosines(near, asked).max(axis=1) if len(near) else np.zeros(0))
        at_site = self._on_site(profile)
        found["site"] = (at_site, self._share_said(profile.site_terms, profile.site_weights, at_site))
        rising = self.accounts.rising[:, 0]
        found["rising"] = (rising, np.asarray(self.accounts.rising_score, np.float64))
        tops = {name: _best(*pair) for name, pair in found.items()}
        ids = sorted_distinct(np.concatenate([top for top, _ in tops.values()])).astype(np.int32)
        known = self._known(ids, profile, asked, bought, (together_ids, together, linked))
        rises = _placed(*tops["rising"], ids)
        fits = (known["content"] >= LEAST_COSINE) | (known["site"] >= LEAST_SITE_SHARE) | (known["industry_count"] > 0)
        known["rising"] = np.where(fits, rises, 0.0)
        scores = {name: _placed(*tops[name], ids) for name in ORIGINS}
        scores["content"] = np.where(known["content"] >= LEAST_COSINE, known["content"] * (scores["content"] > 0), 0.0)
        scores["rising"] = known["rising"]
        any_score = np.logical_or.reduce([score > 0 for score in scores.values()])
        kept = np.flatnonzero(any_score & self._gives_nobody_away(ids, known["buyers"]))
        return Recalled(
            ids[kept],
            {name: score[kept] for name, score in scores.items()},
            {name: column[kept] for name, column in known.items()},
        )

    def _gives_nobody_away(self, ids: Array, buyers: Array) -> Array:
        return (np.asarray(self.indexes.stats.users[ids]) >= self._least_users) | (buyers >= self.least_buyers)

    def likeness(self, ids: Array, others: Array) -> Array:
        """How near each keyword is to the nearest of others, float64 (n,) in 0..1: by vectors, or by what people did.

        1 for the others themselves and for their close variants.
        """
        near = np.zeros(len(ids))
        if not len(ids) or not len(others):
            return near
        cosine = self._cosines(ids, others).max(axis=1)
        near = np.clip((cosine - LEAST_COSINE) / (1 - LEAST_COSINE), 0.0, 1.0) ** 2
        neighbor, strength, _ = self._together(others)
        near = np.maximum(near, _placed(neighbor, strength, ids))
        canonical = self.indexes.stats.canonical
        near[np.isin(canonical[ids], canonical[others])] = 1.0
        return near

    def nearest_of(self, keyword: int, others: Array) -> int:
        """The one of other keywords (at least one) to which a keyword is nearest, the first of equals."""
        one = np.array([keyword], np.int32)
        near = [float(self.likeness(one, others[place : place + 1])[0]) for place in range(len(others))]
        cosine = self._cosines(one, others)[0]
        return int(others[np.lexsort((-cosine, -np.array(near)))[0]])

    def _of_buyers(self, profile: AccountProfile) -> dict[str, Array]:
        """What purchases say of every bought keyword, float64 (bought,) a name."""
        accounts, count = self.accounts, len(self.accounts.bought)
        counted = self._account_of != profile.left_out
        account, column = self._account_of[counted], self._column_of[counted]
        buyers = np.bincount(column, minlength=count).astype(np.float64)
        sizes = np.maximum(np.bincount(account, minlength=len(accounts)), 1).astype(np.float64)
        place = np.minimum(np.searchsorted(accounts.bought, profile.owned), max(count - 1, 0))
        own = place[accounts.bought[place] == profile.owned] if count else place[:0]
        is_own = np.zeros(count)
        is_own[own] = 1.0
        overlap = np.bincount(account, is_own[column], len(accounts))
        near = overlap / np.sqrt(sizes * max(len(own), 1))
        rarity = np.log1p(count / sizes) ** 2
        root = np.sqrt(np.maximum(np.bincount(column, rarity[account], count), 1e-12))
        through = np.bincount(account, (is_own / root)[column], len(accounts)) * rarity
        confidence, support = self._follow(own, account, column, buyers)

        spent = np.zeros(count)
        here: Array = is_own / max(len(own), 1)
        for _ in range(WALK_ROUNDS):
            at_accounts = np.bincount(account, (here / np.maximum(buyers, 1.0))[column], len(accounts)) * WALK_RETURN
            here = np.bincount(column, (at_accounts / sizes)[account], count) * WALK_RETURN
            spent += here
        coordinates = accounts.factors[own].sum(axis=0, dtype=np.float64) / np.sqrt(max(len(own), 1))

        _, members = accounts.members.of(np.array([profile.industry], np.int64)[: int(profile.industry >= 0)])
        in_industry = np.zeros(len(accounts))
        in_industry[accounts.members.values[members]] = 1.0
        in_industry[[profile.left_out] if profile.left_out >= 0 else []] = 0.0
        in_industry *= np.bincount(account, minlength=len(accounts)) > 0
        industry_count = np.bincount(column, in_industry[account], count)
        size = float(in_industry.sum())
        cosine = industry_count / np.sqrt(np.maximum(size, 1.0) * np.maximum(buyers, 1.0))
        return {
            "same_buyers": np.bincount(column, near[account], count),
            "copurchase": np.bincount(column, through[account], count) / root,
            "buyer_factors": np.maximum(accounts.factors.astype(np.float64) @ coordinates, 0.0),
            "buyer_walks": spent,
            "industry": cosine * industry_count / (industry_count + SHRINKAGE),
            "buyers": buyers,
            "buyers_share": np.bincount(column, near[account], count) / max(float(near.sum()), 1e-12),
            "confidence": confidence,
            "supports": support,
            "similar_buyers": np.bincount(column, (overlap > 0)[account].astype(np.float64), count),
            "industry_count": industry_count,
            "industry_size": np.full(count, size),
        }

    def _follow(self, own: Array, account: Array, column: Array, buyers: Array) -> tuple[Array, Array]:
        """Of each bought keyword the greatest shrunk share of buyers of an owned one that buy it too, and the share of
        the owned ones that have a buyer in common with it; float64 (bought,). `own` are places of what is owned.
        """
        count = len(buyers)
        own = own[np.lexsort((own, buyers[own]))][-ASKED:]
        order = np.argsort(column, kind="stable")
        starts = np.searchsorted(column[order], own)
        ends = np.searchsorted(column[order], own, side="right")
        owner = np.repeat(np.arange(len(own)), ends - starts)
        theirs = account[order][ranges(starts, ends - starts)]
        begins, stops = np.searchsorted(account, theirs), np.searchsorted(account, theirs, side="right")
        key = np.repeat(owner, stops - begins) * max(count, 1) + column[ranges(begins, stops - begins)]
        pair, common = np.unique(key, return_counts=True)
        first, second = pair // max(count, 1), pair % max(count, 1)
        share = common / (buyers[own][first] + SHRINKAGE)
        greatest = np.zeros(count)
        np.maximum.at(greatest, second, share)
        return greatest, np.bincount(second, minlength=count) / max(len(own), 1)

    def _asked(self, owned: Array) -> Array:
        """The most searched of what is owned, int32, ascending."""
        searches = np.asarray(self.indexes.stats.searches[owned])
        return np.sort(owned[np.lexsort((owned, -searches))[:ASKED]])

    def _together(self, asked: Array) -> tuple[Array, Array, Array]:
        """Neighbours of keywords: ids ascending, joint strength, and of how many of the keywords each is one."""
        lists = {name: each for name, each in self.indexes.neighbors.of(asked, NEIGHBORS).items() if name != FUSION}
        ids = sorted_distinct(np.concatenate([_NONE, *(each.neighbor for each in lists.values())]))
        strengths = {}
        pairs = [np.empty(0, np.int64)]
        for name, each in lists.items():
            place = np.searchsorted(ids, each.neighbor)
            strengths[name] = np.zeros(len(ids))
            np.maximum.at(strengths[name], place, each.strength)
            pairs.append(each.position.astype(np.int64) * max(len(ids), 1) + place)
        links = np.bincount(sorted_distinct(np.concatenate(pairs)) % max(len(ids), 1), minlength=len(ids))
        joint = joint_strength(strengths) if strengths else np.zeros(len(ids))
        return ids, np.broadcast_to(joint, len(ids)).astype(np.float64), links[: len(ids)].astype(np.float64)

    def _codes(self, ids: Array) -> tuple[Array, Array]:
        counts, flat = self.indexes.forward.tokens_of(ids)
        return unit_codes(self.indexes.term_vectors.contributions[flat], counts)

    def _cosines(self, ids: Array, others: Array) -> Array:
        """float64 (ids, others); 0 where either means nothing to the model."""
        (one, known), (other, others_known) = self._codes(ids), self._codes(others)
        cosine = one.astype(np.float32) @ other.T.astype(np.float32) / np.float32(SCALE * SCALE)
        return np.where(known[:, None] & others_known[None, :], cosine, 0.0).astype(np.float64)

    def _nearest(self, asked: Array) -> Array:
        codes, known = self._codes(asked)
        parts = [self.indexes.vectors.nearest(code, NEAREST)[0] for code in codes[known]]
        return sorted_distinct(np.concatenate([_NONE, *parts]))

    def _on_site(self, profile: AccountProfile) -> Array:
        """Keywords whose words the site says, int32."""
        heaviest = np.lexsort((profile.site_terms, -profile.site_weights))[:SITE_TERMS]
        terms = np.sort(profile.site_terms[heaviest]).tolist()
        if not terms:
            return _NONE
        ids = np.sort(self.indexes.postings.top(terms, 2 * MOST)[0])
        share = self._share_said(profile.site_terms, profile.site_weights, ids)
        return ids[share >= LEAST_SITE_SHARE].astype(np.int32)

    def _share_said(self, terms: Array, weights: Array, ids: Array) -> Array:
        """The share of the idf of each keyword's words that is said, a word counting by the root of its weight."""
        if not len(terms) or not len(ids):
            return np.zeros(len(ids))
        idf = np.abs(self.indexes.postings.idf)
        counts, flat = self.indexes.forward.tokens_of(ids)
        owner = np.repeat(np.arange(len(ids)), counts)
        place = np.minimum(np.searchsorted(terms, flat), len(terms) - 1)
        said = np.where(terms[place] == flat, np.sqrt(weights[place].astype(np.float64)), 0.0)
        total = np.bincount(owner, idf[flat], len(ids))
        return np.divide(np.bincount(owner, idf[flat] * said, len(ids)), total, out=np.zeros(len(ids)), where=total > 0)

    def _known(
        self,
        ids: Array,
        profile: AccountProfile,
        asked: Array,
        bought: Mapping[str, Array],
        together: tuple[Array, Array, Array],
    ) -> dict[str, Array]:
        columns, count = self.accounts.bought, len(ids)
        known = {name: _placed(columns, values, ids) for name, values in bought.items()}
        known["industry_size"] = np.full(count, bought["industry_size"][0] if len(columns) else 0.0)
        neighbor, strength, links = together
        known["searched_together"] = _placed(neighbor, strength, ids)
        known["links"] = _placed(neighbor, links, ids) / max(len(asked), 1)
        if len(asked):
            cosine = np.sort(self._cosines(ids, asked), axis=1)
            known["content"] = cosine[:, -1]
            known["content_of_three"] = cosine[:, -3:].mean(axis=1)
            known["content_of_all"] = cosine.mean(axis=1)
        else:
            known |= dict.fromkeys(("content", "content_of_three", "content_of_all"), np.zeros(count))
        _, flat = self.indexes.forward.tokens_of(profile.owned)
        terms, times = np.unique(flat, return_counts=True)
        known["words"] = self._share_said(terms, np.ones(len(terms)), ids)
        known["words_of_all"] = self._share_said(terms, times / max(len(profile.owned), 1), ids)
        known["site"] = self._share_said(profile.site_terms, profile.site_weights, ids)
        languages = np.bincount(self.indexes.stats.language[profile.owned], minlength=256) / max(len(profile.owned), 1)
        known["language"] = languages[self.indexes.stats.language[ids]]
        known["tokens"] = self.indexes.forward.tokens_of(ids)[0].astype(np.float64)
        known["owned"] = np.full(count, float(len(profile.owned)))
        known["liked"], known["disliked"] = self.likeness(ids, profile.liked), self.likeness(ids, profile.disliked)
        return known


def _best(ids: Array, scores: Array) -> tuple[Array, Array]:
    """The MOST greatest scores above 0, ascending by id."""
    order = np.lexsort((ids, -scores))[:MOST]
    order = np.sort(order[scores[order] > 0])
    order = order[np.argsort(ids[order], kind="stable")]
    return ids[order], scores[order]


def _placed(ids: Array, values: Array, wanted: Array) -> Array:
    """The values of wanted ids, 0 for those that have none; `ids` ascend. float64."""
    if not len(ids):
        return np.zeros(len(wanted))
    place = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return np.where(ids[place] == wanted, values[place], 0.0).astype(np.float64)
