"""How strongly a mined pair is related, on one scale from 0 to 1 for every miner.

Counts of different miners do not compare: 20 common sessions mean much for rare keywords and nothing for two that every
second user types. Session evidence is therefore measured by normalised pointwise mutual information (Bouma 2009),
ln(lift) / −ln(support), which is 0 for independent keywords and 1 for keywords that only occur together. Every strength
is then shrunk by the number of people behind it, users / (users + 2): one person is an anecdote. Behind purchases stand
advertisers instead.
"""

import numpy as np

from indexes.arrays import Array

SHRINKAGE_USERS = 2.0
"""With this many users a strength counts half."""
PAGE_SHRINKAGE_USERS = 0.5
"""The same for pairs by the words of clicked pages."""
BUYER_TRUST = 0.5
"""Greatest strength of a pair by its buyers: an advertiser sells many things, where a person's session wants one."""
WALK_HALF = 0.005
"""A walk that is so much of its time at a keyword gives half a strength: about its share at one of 30 neighbours."""


def cooccurrence_strength(
    sessions: Array, users: Array, searches_a: Array, searches_b: Array, all_sessions: int
) -> Array:
    """Strength of pairs seen together in `sessions` of `all_sessions`, float32.

    A keyword's searches stand for the sessions that hold it.
    """
    total = max(all_sessions, 2)
    support = np.clip(sessions / total, 1 / total, 1 - 1e-9)
    lift = (sessions * float(total)) / np.maximum(searches_a * searches_b.astype(np.float64), 1.0)
    return rule_strength(lift, support, users)


def rule_strength(lift: Array, support: Array, users: Array) -> Array:
    """Strength of rules from lift and support (both > 0), float32; pairs rarer than by chance get 0."""
    support = np.clip(support, 1e-12, 1 - 1e-9)
    information = np.log(np.maximum(lift, 1e-12)) / -np.log(support)
    return _shrunk(np.clip(information, 0.0, 1.0), users)


def click_cluster_strength(similarity: Array, shared_urls: Array, users: Array) -> Array:
    """Strength of two members of a click cluster, float32: the Jaccard overlap of their pages, 0.1 if only linked."""
    overlap = np.where(shared_urls > 0, similarity, 0.1)
    return _shrunk(np.clip(overlap, 0.0, 1.0), np.where(shared_urls > 0, users, 1))


def content_click_strength(similarity: Array, users: Array) -> Array:
    """Strength of pairs by content and click similarity, float32: the similarity; shared words alone are nobody's act.

    `users` clicked the shared URLs; pairs without any count as those of one user, as linked click clusters do.
    """
    return _shrunk(np.clip(similarity, 0.0, 1.0), np.maximum(users, 1))


def page_term_strength(similarity: Array, users: Array) -> Array:
    """Strength of pairs by the words of clicked pages, float32: the cosine, by the users of the rarer keyword.

    The pages say themselves what they are about, so fewer users are needed than where users are the only witnesses.
    """
    return _shrunk(np.clip(similarity, 0.0, 1.0), users, PAGE_SHRINKAGE_USERS)


def copurchase_strength(weight: Array) -> Array:
    """Strength of pairs bought together, float32: the weight is a cosine that the miner has shrunk by its buyers."""
    return (BUYER_TRUST * np.clip(weight, 0.0, 1.0)).astype(np.float32)


def buyer_factor_strength(similarity: Array, advertisers: Array) -> Array:
    """Strength of pairs by latent factors, float32: from the cosine; no buyer in common counts as one."""
    return _shrunk(BUYER_TRUST * np.clip(similarity, 0.0, 1.0), np.maximum(advertisers, 1))


def buyer_walk_strength(probability: Array, advertisers: Array) -> Array:
    """Strength of pairs by walks, float32: from p / (p + WALK_HALF), since shares of time have no natural scale."""
    return _shrunk(BUYER_TRUST * probability / (probability + WALK_HALF), np.maximum(advertisers, 1))


def _shrunk(strength: Array, users: Array, half: float = SHRINKAGE_USERS) -> Array:
    return (strength * users / (users + half)).astype(np.float32)
