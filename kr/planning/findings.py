"""What a diagnosis can find in a plan: a closed list of codes, each with its severity and its text in two languages."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kr.planning.operations import Operation, read_operations
from kr.planning.plan import Plan

SHOWN_KEYWORDS = 5


class Severity(StrEnum):
    """How much it matters."""

    HIGH = "high"
    """Ads are shown for what they must not be, or not at all."""
    MEDIUM = "medium"
    """Money is spent worse than need be."""
    LOW = "low"
    """Worth tidying."""


class Code(StrEnum):
    """What was found, the gravest first."""

    UNSAFE = "unsafe"
    CONFLICTING_NEGATIVE = "conflicting_negative"
    OVER_BUDGET = "over_budget"
    DUPLICATE_IN_GROUP = "duplicate_in_group"
    DUPLICATE_IN_CAMPAIGN = "duplicate_in_campaign"
    MIXED_INTENTS = "mixed_intents"
    MIXED_PRODUCTS = "mixed_products"
    OVER_BROAD = "over_broad"
    BID_ABOVE_RANGE = "bid_above_range"
    NO_MATCH_TYPE = "no_match_type"
    BID_BELOW_RANGE = "bid_below_range"
    NO_BID = "no_bid"
    CLOSE_VARIANTS = "close_variants"
    DUPLICATE_ACROSS_CAMPAIGNS = "duplicate_across_campaigns"
    LOW_VOLUME = "low_volume"


SEVERITIES: dict[Code, Severity] = {
    Code.UNSAFE: Severity.HIGH,
    Code.CONFLICTING_NEGATIVE: Severity.HIGH,
    Code.OVER_BUDGET: Severity.MEDIUM,
    Code.DUPLICATE_IN_GROUP: Severity.MEDIUM,
    Code.DUPLICATE_IN_CAMPAIGN: Severity.MEDIUM,
    Code.MIXED_INTENTS: Severity.MEDIUM,
    Code.MIXED_PRODUCTS: Severity.MEDIUM,
    Code.OVER_BROAD: Severity.MEDIUM,
    Code.BID_ABOVE_RANGE: Severity.MEDIUM,
    Code.NO_MATCH_TYPE: Severity.MEDIUM,
    Code.BID_BELOW_RANGE: Severity.LOW,
    Code.NO_BID: Severity.LOW,
    Code.CLOSE_VARIANTS: Severity.LOW,
    Code.DUPLICATE_ACROSS_CAMPAIGNS: Severity.LOW,
    Code.LOW_VOLUME: Severity.LOW,
}

FINDING_TEXTS: dict[Code, tuple[str, str]] = {
    Code.UNSAFE: (
        "unsafe, and would not be shown ({count}): {keywords}",
        "{count} 个关键词属于不安全内容,不会展示:{keywords}",
    ),
    Code.CONFLICTING_NEGATIVE: (
        "the negative keyword “{negative}” keeps keywords of your own away ({count}): {keywords}",
        "否定关键词“{negative}”屏蔽了自己的 {count} 个关键词:{keywords}",
    ),
    Code.OVER_BUDGET: (
        "forecast to cost {cost} a day ({low} to {high}), while the budget is {budget}: ads stop before the day ends",
        "预计每天花费 {cost}({low} 至 {high}),预算为 {budget}:广告会提前下线",
    ),
    Code.DUPLICATE_IN_GROUP: (
        "more than once in the ad group ({count}): {keywords}",
        "组内有 {count} 个重复关键词:{keywords}",
    ),
    Code.DUPLICATE_IN_CAMPAIGN: (
        "“{keyword}” ({match_type}) stands in {groups} ad groups of the campaign, which bid against each other",
        "“{keyword}”({match_type})出现在同一广告系列的 {groups} 个广告组中,会互相竞价",
    ),
    Code.MIXED_INTENTS: (
        "the ad group mixes intents ({intents}): one ad cannot answer all",
        "组内混合了多种意图({intents}),一条广告无法兼顾",
    ),
    Code.MIXED_PRODUCTS: (
        "the ad group is about {parts} different things: {names}",
        "组内涉及 {parts} 种不同内容:{names}",
    ),
    Code.OVER_BROAD: (
        "“{keyword}” reaches {searches} searches a month, {share} of them with another purpose, such as “{example}”",
        "“{keyword}”每月可触达 {searches} 次搜索,其中 {share} 目的不同,例如“{example}”",
    ),
    Code.BID_ABOVE_RANGE: (
        "bids above what four in five pay for the top of the page ({count}): {keywords}",
        "{count} 个出价高于页首出价的第80百分位:{keywords}",
    ),
    Code.NO_MATCH_TYPE: ("without a match type ({count}): {keywords}", "{count} 个关键词没有匹配方式:{keywords}"),
    Code.BID_BELOW_RANGE: (
        "bids below what one in five pays for the top of the page ({count}): {keywords}",
        "{count} 个出价低于页首出价的第20百分位:{keywords}",
    ),
    Code.NO_BID: (
        "without a bid, and so is the ad group ({count}): {keywords}",
        "{count} 个关键词及其广告组都没有出价:{keywords}",
    ),
    Code.CLOSE_VARIANTS: (
        "close variants of others in the ad group, which match them anyway ({count}): {keywords}",
        "{count} 个关键词是组内其他词的近似变体,本来就会匹配:{keywords}",
    ),
    Code.DUPLICATE_ACROSS_CAMPAIGNS: (
        "“{keyword}” ({match_type}) stands in {campaigns} campaigns; they bid against each other where both are shown",
        "“{keyword}”({match_type})出现在 {campaigns} 个广告系列中,投放范围重叠时会互相竞价",
    ),
    Code.LOW_VOLUME: (
        "fewer than {least} searches a month ({count}): {keywords}",
        "{count} 个关键词每月触达的搜索少于 {least} 次:{keywords}",
    ),
}


@dataclass(frozen=True)
class Finding:
    """Something found: where (None: in several), which keywords by number, the evidence, and operations that mend it.

    `evidence` fills in the text, and is what was counted. `key` is the same for the same finding in the same plan.
    """

    code: Code
    campaign: int | None
    ad_group: int | None
    keywords: tuple[int, ...]
    evidence: Mapping[str, Any] = field(default_factory=dict)
    fix: tuple[dict[str, Any], ...] = ()

    @property
    def severity(self) -> Severity:
        return SEVERITIES[self.code]

    @property
    def key(self) -> str:
        told = [self.code.value, self.campaign, self.ad_group, list(self.keywords), list(self.fix)]
        return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()[:16]

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The fix, ready to be done."""
        return read_operations(self.fix)

    @property
    def text_en(self) -> str:
        return FINDING_TEXTS[self.code][0].format(**self.evidence)

    @property
    def text_zh(self) -> str:
        return FINDING_TEXTS[self.code][1].format(**self.evidence)

    def as_dict(self, plan: Plan) -> dict[str, Any]:
        """As the API and the command line show it, with the names of where it is."""
        return {
            "key": self.key,
            "code": self.code.value,
            "severity": self.severity.value,
            "campaign": _place(plan.campaigns, self.campaign),
            "ad_group": _place(plan.ad_groups, self.ad_group),
            "keywords": [
                {"id": number, "text": plan.keywords[number].text}
                for number in self.keywords
                if number in plan.keywords
            ],
            "evidence": dict(self.evidence),
            "text_en": self.text_en,
            "text_zh": self.text_zh,
            "fix": list(self.fix),
        }


def _place(items: Mapping[int, Any], number: int | None) -> dict[str, Any] | None:
    return {"id": number, "name": items[number].name} if number is not None and number in items else None


def quoted(texts: list[str]) -> str:
    """The first of some keywords for a sentence."""
    shown = ", ".join(texts[:SHOWN_KEYWORDS])
    return shown + (" …" if len(texts) > SHOWN_KEYWORDS else "")
