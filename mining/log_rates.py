"""Rates of keywords from their words and from what they themselves showed: a prior of words, and a posterior.

`word_effects` fits log(rate) = effect of the market + sum of the effects of the keyword's words, by generalised
iterative scaling (Darroch & Ratcliff 1972) of a Poisson likelihood with gamma priors on the words: a rare word stays
near 0. `posterior` is the gamma-Poisson one with the spread that the keywords have round what their words say.
"""

import numpy as np
from scipy.sparse import csr_array

from indexes.arrays import Array

ITERATIONS = 40
WORD_EVENTS = 5.0
"""With so many expected events a word's own ratio counts half."""


def word_effects(words: csr_array, events: Array, exposure: Array) -> tuple[float, Array]:
    """The market's log rate, and the effect of each word on it (float64).

    `words` (keywords × words, ones) says which words a keyword has; `events` and `exposure` float64 (keywords,).
    Without any event the rate is that of half an event, and no word has an effect.
    """
    total, exposed = float(events.sum()), float(exposure.sum())
    market = float(np.log(max(total, 0.5) / max(exposed, 1e-9)))
    effects = np.zeros(words.shape[1])
    seen = exposure > 0
    if total <= 0 or not seen.any():
        return market, effects
    own = words[np.flatnonzero(seen)]
    events, exposure = events[seen], exposure[seen]
    transposed = own.T.tocsr()
    observed = transposed @ events
    # Words of one keyword share its events; the mean number of words is a step that does not overshoot in practice,
    # and damping keeps what would oscillate bounded.
    step = 1.0 / max(float(own.sum() / own.shape[0]), 1.0)
    for _ in range(ITERATIONS):
        expected = transposed @ (exposure * np.exp(np.clip(market + own @ effects, -30, 30)))
        prior = WORD_EVENTS * np.exp(effects)
        effects = effects + step * np.log((observed + WORD_EVENTS) / (expected + prior))
        level = float((exposure * np.exp(np.clip(own @ effects, -30, 30))).sum())
        market = float(np.log(total / max(level, 1e-9)))
    return market, effects


def posterior(events: Array, exposure: Array, prior: Array, spread: float | None = None) -> tuple[Array, Array, float]:
    """Posterior rates, the events behind them (the prior's included), and the events that the prior counts as.

    `spread` is how many events the prior counts as; None: from the keywords' own variation, by moments.
    """
    expected = exposure * prior
    if spread is None:
        excess = float((np.square(events - expected) - events).sum())
        spread = float(np.clip(np.square(expected).sum() / excess if excess > 0 else 1e3, 0.5, 1e3))
    shape = events + spread
    return prior * shape / (expected + spread), shape, spread
