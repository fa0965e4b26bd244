"""A bid for a keyword, from what advertisers pay for the top of its page.

The range goes from the 20th to the 80th percentile of what was paid. How far up in it to bid follows from how sure the
match is: an exact keyword is worth the middle, a phrase one also brings searches that are worth less, a broad one most.
A keyword without a range gets the middle of what its ad group's other keywords get, or else the plan's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median_low

from kr.planning.plan_row import MatchType

SHARE_OF_RANGE = {MatchType.EXACT: 0.5, MatchType.PHRASE: 0.35, MatchType.BROAD: 0.2}
"""How far from the low end of the range, by match type; an unknown one counts as broad."""
ROUNDED_TO = 10_000
"""Micros: bids are whole hundredths of the currency."""


class BidReason(StrEnum):
    """Where a suggested bid comes from."""

    RANGE = "range"
    GROUP = "group"
    PLAN = "plan"


BID_TEXTS: dict[BidReason, tuple[str, str]] = {
    BidReason.RANGE: (
        "within what was paid for the top of the page (20th to 80th percentile), by match type",
        "在页首实际出价(第20至80百分位)区间内,按匹配方式取值",
    ),
    BidReason.GROUP: (
        "the middle of the ad group's other bids, since its own range is unknown",
        "该词出价区间未知,取同组其他关键词建议出价的中位数",
    ),
    BidReason.PLAN: (
        "the middle of the plan's other bids, since nothing is known of its ad group",
        "该广告组的出价区间未知,取计划中其他关键词建议出价的中位数",
    ),
}


@dataclass(frozen=True)
class SuggestedBid:
    """A bid in micros with its reason, and the range that it lies in, if one is known."""

    micros: int
    reason: BidReason
    low_micros: int | None = None
    high_micros: int | None = None


@dataclass(frozen=True)
class BidQuestion:
    """A keyword: its number, its ad group's, match type, and the range in micros, None where unknown."""

    id: int
    ad_group: int | None
    match_type: MatchType | None
    low_micros: int | None
    high_micros: int | None


def suggested_bids(questions: Sequence[BidQuestion]) -> Mapping[int, SuggestedBid]:
    """A bid for each keyword by number; none at all if no range is known of any."""
    found: dict[int, SuggestedBid] = {}
    by_group: dict[int | None, list[int]] = {}
    for item in questions:
        if item.low_micros is None or item.high_micros is None:
            continue
        share = SHARE_OF_RANGE.get(item.match_type or MatchType.BROAD, SHARE_OF_RANGE[MatchType.BROAD])
        exact = item.low_micros + share * (item.high_micros - item.low_micros)
        bid = max(ROUNDED_TO, round(exact / ROUNDED_TO) * ROUNDED_TO)
        found[item.id] = SuggestedBid(bid, BidReason.RANGE, item.low_micros, item.high_micros)
        by_group.setdefault(item.ad_group, []).append(bid)
    everywhere = [bid for bids in by_group.values() for bid in bids]
    for item in questions:
        if item.id not in found and (bids := by_group.get(item.ad_group)):
            found[item.id] = SuggestedBid(median_low(bids), BidReason.GROUP)
        elif item.id not in found and everywhere:
            found[item.id] = SuggestedBid(median_low(everywhere), BidReason.PLAN)
    return found
