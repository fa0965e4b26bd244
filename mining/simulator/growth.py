"""How accounts grow while the log runs: when each bid was made.

Most keywords of an account are older than the log. Of the others, some accounts begin during the log, some campaigns
(a product in a language) are launched later than an account's first one, and keywords are added on a few days on which
somebody worked on the account. The draws come from a stream of their own, so that nothing else of the market changes.
"""

import numpy as np

from mining.simulator.sizes import DAY_MICROS, WINDOW_END, WINDOW_START

# Share of accounts that begin during the log, and of later campaigns that are launched during it.
_NEW_ACCOUNTS, _NEW_CAMPAIGNS = 0.1, 0.25
# Share of the keywords of a campaign that were added after it began, and on how many days more than one on average.
_ADDED_KEYWORDS, _WORK_DAYS = 0.3, 3.0
# Nothing begins on the last days: what is new then could not show in the log.
_LAST_START = 0.95


def creation_times(
    advertiser: np.ndarray, campaign: np.ndarray, before: np.ndarray, advertisers: int, rng: np.random.Generator
) -> np.ndarray:
    """When each bid was made, microseconds UTC (int64), by its advertiser and campaign; `before` is the moment, before
    the log, of those that do not belong to an account's growth.
    """
    span = WINDOW_END - WINDOW_START
    begins = np.where(rng.random(advertisers) < _NEW_ACCOUNTS, rng.random(advertisers) * _LAST_START, -1.0)
    key = advertiser.astype(np.int64) * (int(campaign.max(initial=0)) + 1) + campaign
    campaigns, first_row, of_campaign = np.unique(key, return_index=True, return_inverse=True)
    owner = advertiser[first_row]
    is_first = np.concatenate(([True], owner[1:] != owner[:-1]))[: len(owner)]
    launched = rng.random(len(campaigns)) < _NEW_CAMPAIGNS
    launch = np.where(launched & ~is_first, rng.random(len(campaigns)) * _LAST_START, -1.0)
    launch = np.maximum(launch, begins[owner])

    work_days = 1 + rng.poisson(_WORK_DAYS, advertisers)
    start = np.concatenate(([0], np.cumsum(work_days)))
    days = rng.random(int(start[-1]))
    chosen = start[advertiser] + (rng.random(len(advertiser)) * work_days[advertiser]).astype(np.int64)
    added = rng.random(len(advertiser)) < _ADDED_KEYWORDS
    share = np.where(added, np.maximum(days[chosen], launch[of_campaign]), launch[of_campaign])
    # Whoever works on an account does it in one sitting.
    minutes = (rng.random(len(advertiser)) * DAY_MICROS / 24).astype(np.int64)
    late = WINDOW_START + (share * (span - DAY_MICROS)).astype(np.int64) + minutes
    return np.where(share >= 0, late, before)
