"""What a snapshot can tell for a plan: intents, groupings, match types, bids, negatives, findings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from indexes.keyword_stats import UNKNOWN
from indexes.opened import Indexes
from indexes.text import normalise
from kr.audit.stage import UnsafeKeywordAudit
from kr.planning.diagnosis import diagnose, mended
from kr.planning.findings import Finding
from kr.planning.grouping import LEAST_OF_GROUP, WAYS, By, Group, Grouping, Measure, group_keywords, measure
from kr.planning.intents import Intent, IntentReader
from kr.planning.keyword_space import KeywordSpace
from kr.planning.negatives import NegativeFinder, NegativeSuggestion, purpose
from kr.planning.operations import NAME_CHARS, NewAdGroup, Regroup
from kr.planning.plan import Plan, PlanKeyword
from kr.planning.plan_row import MatchType
from kr.planning.suggested_bids import BidQuestion, SuggestedBid, suggested_bids
from kr.relevance.match import SURELY_RELEVANT, match, suggested_match_type


@dataclass(frozen=True)
class PlanGrouping:
    """A grouping of a plan's keywords: how each campaign's ad groups would be made anew, and the measure of all."""

    by: By
    measure: Measure
    groups: tuple[Group, ...]
    operations: tuple[Regroup, ...]


class Planner:
    """Reads one opened snapshot. Safe to call from any thread."""

    def __init__(self, indexes: Indexes, audit: UnsafeKeywordAudit) -> None:
        self.indexes = indexes
        self.audit = audit
        self.intents = IntentReader(indexes)
        self._negatives = NegativeFinder(indexes, audit, self.intents)
        self._spaces = lru_cache(maxsize=4)(self._space)

    def grouping(
        self, keywords: Sequence[str], by: By, least: int = LEAST_OF_GROUP, likeness: float | None = None
    ) -> Grouping:
        """Group distinct normalised keywords."""
        space, intents = self._spaces(tuple(keywords))
        return group_keywords(space, intents, by, least, likeness)

    def groupings(self, plan: Plan, chinese: bool = False, least: int = LEAST_OF_GROUP) -> list[PlanGrouping]:
        """Every way to group the plan's keywords, campaign by campaign, measured together."""
        return [self.plan_grouping(plan, by, chinese, least) for by in WAYS]

    def plan_grouping(self, plan: Plan, by: By, chinese: bool = False, least: int = LEAST_OF_GROUP) -> PlanGrouping:
        """One way to group. Keywords never leave their campaign; those that differ only in match type stay together."""
        operations: list[Regroup] = []
        groups: list[Group] = []
        labels: list[int] = []
        texts: list[str] = []
        for campaign in plan.campaigns.values():
            items: dict[str, list[int]] = {}
            for item in plan.positive():
                if item.campaign == campaign.id:
                    items.setdefault(normalise(item.text) or item.text, []).append(item.id)
            if not items:
                continue
            keywords = sorted(items)
            found = self.grouping(keywords, by, least)
            labels += (found.labels + len(groups)).tolist()
            texts += keywords
            groups += found.groups
            operations.append(
                Regroup(
                    campaign=campaign.id,
                    ad_groups=tuple(
                        NewAdGroup(
                            name=group.title(chinese)[: NAME_CHARS - 6],
                            keywords=tuple(number for text in group.keywords for number in items[text]),
                        )
                        for group in found.groups
                    ),
                )
            )
        space, _ = self._spaces(tuple(texts))
        return PlanGrouping(by, measure(space, np.array(labels, np.int64), groups), tuple(groups), tuple(operations))

    def measure_of(self, plan: Plan) -> Measure:
        """The measure of the ad groups as they are."""
        intents = self.intents.intents([normalise(item.text) for item in plan.positive()])
        numbers: dict[int, int] = {}
        members: dict[int, list[tuple[str, Intent]]] = {}
        seen: dict[tuple[str, int], None] = {}
        for item, intent in zip(plan.positive(), intents, strict=True):
            number = numbers.setdefault(item.ad_group or 0, len(numbers))
            text = normalise(item.text) or item.text
            if (text, number) not in seen:
                seen[text, number] = None
                members.setdefault(number, []).append((text, intent))
        texts = [text for number in members for text, _ in members[number]]
        labels = np.array([number for number in members for _ in members[number]], np.int64)
        # An ad group of several intents has neighbours of all of them; its commonest stands for it.
        groups = [
            Group("", max((intent for _, intent in inside), key=[i for _, i in inside].count), "", ())
            for inside in members.values()
        ]
        space, _ = self._spaces(tuple(texts))
        return measure(space, labels, groups)

    def match_types(self, plan: Plan, keywords: Sequence[PlanKeyword]) -> dict[int, MatchType]:
        """The match type suggested for each keyword: by how it stands to the most searched one of its ad group."""
        found: dict[int, MatchType] = {}
        heads: dict[int | None, str] = {}
        for item in keywords:
            if item.ad_group not in heads:
                heads[item.ad_group] = self._head(plan, item.ad_group)
            found[item.id] = self.match_type_for(heads[item.ad_group], normalise(item.text))
        return found

    def match_type_for(self, seed: str, keyword: str) -> MatchType:
        """The match type suggested for a keyword that a person chose for a seed; both normalised."""
        number = self.indexes.keywords.find(keyword)
        monthly = float(self.indexes.stats.monthly_demand(np.array([number]))[0]) if number >= 0 else None
        return suggested_match_type(match(seed, keyword), SURELY_RELEVANT, monthly)

    def bids(self, plan: Plan, keywords: Sequence[PlanKeyword]) -> Mapping[int, SuggestedBid]:
        """The bid suggested for each keyword; none where nothing is known of what others pay."""
        if not keywords:
            return {}
        stats = self.indexes.stats
        questions = []
        for item in plan.positive():
            number = self.indexes.keywords.find(normalise(item.text))
            low, high = (
                (int(stats.low_bid_micros[number]), int(stats.high_bid_micros[number])) if number >= 0 else (-1, -1)
            )
            known = low != UNKNOWN and high != UNKNOWN
            questions.append(
                BidQuestion(item.id, item.ad_group, item.match_type, low if known else None, high if known else None)
            )
        found = suggested_bids(questions)
        wanted = {item.id for item in keywords}
        return {number: bid for number, bid in found.items() if number in wanted}

    def negatives(self, plan: Plan) -> list[NegativeSuggestion]:
        """Negative keywords worth adding."""
        return self._negatives.find(plan)

    def diagnose(self, plan: Plan) -> list[Finding]:
        """What is wrong with the plan, but for budgets, which need a forecast."""
        return diagnose(plan, self)

    def mended(self, plan: Plan) -> tuple[Plan, int]:
        """The plan after every fix of a finding, and how many were done."""
        return mended(plan, self)

    def purposes_differ(self, own: Intent, searches: Sequence[str]) -> list[bool]:
        """Whether each search has another purpose than a keyword of this intent."""
        return [purpose(intent) != purpose(own) for intent in self.intents.intents(searches)]

    def facts(self, keywords: Sequence[PlanKeyword]) -> dict[int, dict[str, Any]]:
        """What is known of each keyword: searches a month, the range of bids, the intent; None for unknown."""
        texts = [normalise(item.text) for item in keywords]
        intents = self.intents.intents(texts)
        stats = self.indexes.stats
        found = {}
        for item, text, intent in zip(keywords, texts, intents, strict=True):
            number = self.indexes.keywords.find(text)
            known = number >= 0
            low, high = (
                (int(stats.low_bid_micros[number]), int(stats.high_bid_micros[number])) if known else (UNKNOWN, UNKNOWN)
            )
            found[item.id] = {
                "intent": intent.value,
                "avg_monthly_searches": (
                    round(float(stats.monthly_demand(np.array([number]))[0]), 1) if known else None
                ),
                "low_top_of_page_bid_micros": None if low == UNKNOWN else low,
                "high_top_of_page_bid_micros": None if high == UNKNOWN else high,
            }
        return found

    def _head(self, plan: Plan, ad_group: int | None) -> str:
        texts = [normalise(item.text) for item in plan.positive() if item.ad_group == ad_group]
        ids = np.array([self.indexes.keywords.find(text) for text in texts], np.int64)
        demand = np.zeros(len(texts))
        demand[ids >= 0] = self.indexes.stats.monthly_demand(ids[ids >= 0])
        return texts[int(demand.argmax())] if texts else ""

    def _space(self, keywords: tuple[str, ...]) -> tuple[KeywordSpace, list[Intent]]:
        return KeywordSpace.of(self.indexes, keywords), self.intents.intents(keywords)
