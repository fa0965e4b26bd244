"""What is wrong with a plan or an account that was imported, each finding with its evidence and its fix.

Nothing is changed here: a fix is a list of operations (`kr.planning.operations`) that the caller may do, and undo. Only
keywords that are not removed count; findings stand by severity, then in the order of `Code`, then where they are.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from indexes.errors import UsageError
from indexes.keyword_stats import UNKNOWN
from indexes.text import fingerprint, normalise, tokens
from kr.planning.findings import Code, Finding, Severity, quoted
from kr.planning.intents import INTENT_NAMES, Intent
from kr.planning.matching import blocks_text
from kr.planning.operations import perform
from kr.planning.plan import Plan, PlanKeyword
from kr.planning.plan_row import MatchType, Status
from kr.planning.plan_rows import fact
from kr.planning.reach import reached

if TYPE_CHECKING:
    from kr.planning.planner import Planner

LEAST_SEARCHES = 1.0
"""Searches a month below which a keyword brings nobody."""
BROAD_WORDS = 1
"""Tokens up to which a keyword is looked at as too broad."""
UNWANTED_SHARE = 0.5
"""Share of the searches that a keyword reaches, with another purpose than it, from which it is too broad."""
BROAD_SEARCHES = 100.0
MOST_BROAD = 200
"""Keywords that are looked at as too broad: the most searched ones."""
MINOR_SHARE = 0.5
"""Intents and products that hold at most this share of an ad group are split off."""
PRODUCT_LIKENESS = 0.15
"""Mean likeness below which the keywords of an ad group are about different things."""
MOST_OF_GROUP = 1_000
_ORDER = {severity: place for place, severity in enumerate(Severity)}
_CODES = {code: place for place, code in enumerate(Code)}


def diagnose(plan: Plan, planner: "Planner") -> list[Finding]:
    """All findings but those that need a forecast (`kr.planning.plan_forecast`)."""
    return in_order(_Diagnosis(plan, planner).findings())


def mended(plan: Plan, planner: "Planner", most_rounds: int = 5) -> tuple[Plan, int]:
    """The plan after every fix, and how many were done. The findings are looked for anew after each round, in which
    each keyword is touched by one fix at most: two fixes of one keyword may each be right, and wrong together."""
    done = 0
    for _ in range(most_rounds):
        touched: set[int] = set()
        before = done
        for finding in diagnose(plan, planner):
            if finding.fix and touched.isdisjoint(finding.keywords):
                try:
                    plan = plan.edited(perform(plan, finding.operations))
                except UsageError:
                    continue  # an earlier fix of this round took an ad group or a name; the next round looks again
                touched.update(finding.keywords)
                done += 1
        if done == before:
            break
    return plan, done


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """The gravest first."""
    return sorted(
        findings,
        key=lambda item: (
            _ORDER[item.severity], _CODES[item.code], item.campaign or 0, item.ad_group or 0, item.keywords, item.key
        ),
    )  # fmt: skip


class _Diagnosis:
    def __init__(self, plan: Plan, planner: "Planner") -> None:
        self._plan = plan
        self._planner = planner
        self._indexes = planner.indexes
        self._bid_on = [item for item in plan.positive() if item.status is not Status.REMOVED]
        self._texts = {item.id: normalise(item.text) for item in plan.keywords.values()}
        texts = [self._texts[item.id] for item in self._bid_on]
        self._intents = dict(zip((item.id for item in self._bid_on), planner.intents.intents(texts), strict=True))
        ids = np.array([self._indexes.keywords.find(text) for text in texts], np.int64)
        self._ids = dict(zip((item.id for item in self._bid_on), ids.tolist(), strict=True))
        self._groups: dict[int, list[PlanKeyword]] = {}
        for item in self._bid_on:
            if item.ad_group is not None:
                self._groups.setdefault(item.ad_group, []).append(item)

    def findings(self) -> Iterator[Finding]:
        yield from self._unsafe()
        yield from self._conflicting_negatives()
        yield from self._duplicates()
        yield from self._mixed()
        yield from self._too_broad()
        yield from self._bids()
        yield from self._unfinished()
        yield from self._low_volume()

    def _unsafe(self) -> Iterator[Finding]:
        for group, items in self._groups.items():
            bad = [item for item in items if self._planner.audit.unsafe_categories_of(self._texts[item.id])]
            if bad:
                yield self._about(Code.UNSAFE, group, bad, {"op": "remove_keywords", "keywords": _ids(bad)})

    def _conflicting_negatives(self) -> Iterator[Finding]:
        by_campaign: dict[int | None, list[PlanKeyword]] = {}
        for item in self._bid_on:
            by_campaign.setdefault(item.campaign, []).append(item)
        for negative in self._plan.negative():
            if negative.status is Status.REMOVED:
                continue
            if negative.ad_group is not None:
                scope: Sequence[PlanKeyword] = self._groups.get(negative.ad_group, [])
            elif negative.campaign is not None:
                scope = by_campaign.get(negative.campaign, [])
            else:
                scope = self._bid_on
            text = self._texts[negative.id]
            away = [item for item in scope if blocks_text(text, negative.match_type, self._texts[item.id])]
            if away:
                yield Finding(
                    Code.CONFLICTING_NEGATIVE,
                    negative.campaign,
                    negative.ad_group,
                    (negative.id, *_ids(away)),
                    {"negative": negative.text, "count": len(away), "keywords": quoted([i.text for i in away])},
                    ({"op": "remove_keywords", "keywords": [negative.id]},),
                )

    def _duplicates(self) -> Iterator[Finding]:
        in_group: dict[int, list[PlanKeyword]] = {}
        variants: dict[int, list[PlanKeyword]] = {}
        across: dict[tuple[str, Any], list[PlanKeyword]] = {}
        for group, items in self._groups.items():
            equal: dict[tuple[str, Any], list[PlanKeyword]] = {}
            for item in items:
                equal.setdefault((self._texts[item.id], item.match_type), []).append(item)
            alike: dict[tuple[str, Any], list[PlanKeyword]] = {}
            for (text, match_type), same in equal.items():
                kept = self._best(same)
                in_group.setdefault(group, []).extend(item for item in same if item.id != kept.id)
                alike.setdefault((fingerprint(text), match_type), []).append(kept)
            for words_and_type, same in alike.items():
                kept = self._best(same)
                variants.setdefault(group, []).extend(item for item in same if item.id != kept.id)
                across.setdefault(words_and_type, []).append(kept)
        for code, found in ((Code.DUPLICATE_IN_GROUP, in_group), (Code.CLOSE_VARIANTS, variants)):
            for group, items in found.items():
                if items:
                    yield self._about(code, group, items, {"op": "remove_keywords", "keywords": _ids(items)})
        for same in across.values():
            if len(same) > 1:
                yield self._across(same)

    def _across(self, same: Sequence[PlanKeyword]) -> Finding:
        kept = self._best(same)
        others = [item for item in same if item.id != kept.id]
        campaigns = {item.campaign for item in same}
        code = Code.DUPLICATE_IN_CAMPAIGN if len(campaigns) == 1 else Code.DUPLICATE_ACROSS_CAMPAIGNS
        return Finding(
            code,
            kept.campaign if len(campaigns) == 1 else None,
            None,
            (kept.id, *_ids(others)),
            {
                "keyword": kept.text,
                "match_type": kept.match_type.value.lower() if kept.match_type else "–",
                "groups": len(same),
                "campaigns": len(campaigns),
            },
            ({"op": "remove_keywords", "keywords": _ids(others)},),
        )

    def _best(self, same: Sequence[PlanKeyword]) -> PlanKeyword:
        """The one to keep: it runs, brought most clicks, is searched most, has the highest bid, or is the first."""

        def worth(item: PlanKeyword) -> tuple[float, ...]:
            paused = float(item.status is Status.PAUSED)
            clicks = fact(item, "clicks") or 0.0
            return (paused, -clicks, -self._demand(item), -float(self._plan.bid_of(item) or 0), float(item.id))

        return min(same, key=worth)

    def _mixed(self) -> Iterator[Finding]:
        for group, items in self._groups.items():
            by_intent: dict[Intent, list[PlanKeyword]] = {}
            for item in items:
                by_intent.setdefault(self._intents[item.id], []).append(item)
            if len(by_intent) > 1:
                yield self._split_by_intent(group, by_intent)
            for kind in by_intent.values():
                if 2 < len(kind) <= MOST_OF_GROUP and (found := self._split_by_product(group, kind, len(by_intent))):
                    yield found

    def _split_by_intent(self, group: int, by_intent: Mapping[Intent, list[PlanKeyword]]) -> Finding:
        name = self._plan.ad_groups[group].name
        ranked = sorted(by_intent, key=lambda intent: (-len(by_intent[intent]), list(Intent).index(intent)))
        taken = {item.name for item in self._plan.ad_groups.values()}
        fix, moved = [], []
        for intent in ranked[1:]:
            new = _new_name(f"{name} – {INTENT_NAMES[intent][0]}".strip(" –"), taken)
            fix.append({"op": "split_ad_group", "keywords": _ids(by_intent[intent]), "name": new})
            moved += by_intent[intent]
        told = ", ".join(f"{intent.value} {len(by_intent[intent])}" for intent in ranked)
        return Finding(
            Code.MIXED_INTENTS, self._plan.ad_groups[group].campaign, group, tuple(_ids(moved)), {"intents": told},
            tuple(fix),
        )  # fmt: skip

    def _split_by_product(self, group: int, items: Sequence[PlanKeyword], kinds: int) -> Finding | None:
        texts = sorted({self._texts[item.id] for item in items})
        found = self._planner.grouping(texts, "both", least=2, likeness=PRODUCT_LIKENESS)
        parts = [part for part in found.groups if not part.is_rest]
        if len(parts) < 2:
            return None
        taken = {item.name for item in self._plan.ad_groups.values()}
        fix, moved = [], []
        for part in parts[1:]:
            inside = set(part.keywords)
            chosen = [item for item in items if self._texts[item.id] in inside]
            fix.append({"op": "split_ad_group", "keywords": _ids(chosen), "name": _new_name(part.title(), taken)})
            moved += chosen
        names = quoted([part.keywords[0] for part in parts])
        return Finding(
            Code.MIXED_PRODUCTS, self._plan.ad_groups[group].campaign, group, tuple(_ids(moved)),
            {"parts": len(parts), "names": names}, tuple(fix),
        )  # fmt: skip

    def _too_broad(self) -> Iterator[Finding]:
        open_ones = [
            item
            for item in self._bid_on
            if item.match_type in (None, MatchType.BROAD, MatchType.PHRASE)
            and len(set(tokens(self._texts[item.id]))) <= BROAD_WORDS
            and self._demand(item) > 0
        ]
        open_ones.sort(key=lambda item: (-self._demand(item), item.id))
        for item in open_ones[:MOST_BROAD]:
            searches = reached(self._indexes, [item], MOST_OF_GROUP)
            own = self._intents[item.id]
            other = np.array(self._planner.purposes_differ(own, searches.texts), bool)
            total = float(searches.demand.sum())
            unwanted = float(searches.demand[other].sum()) if len(other) else 0.0
            if total < BROAD_SEARCHES or unwanted < UNWANTED_SHARE * total:
                continue
            evidence = {
                "keyword": item.text,
                "searches": round(total),
                "share": f"{unwanted / total:.0%}",
                "example": searches.texts[int(np.flatnonzero(other)[0])],
            }
            fix: dict[str, Any] = {
                "op": "change_keywords",
                "keywords": [item.id],
                "match_type": MatchType.EXACT.value,
            }
            yield Finding(Code.OVER_BROAD, item.campaign, item.ad_group, (item.id,), evidence, (fix,))

    def _bids(self) -> Iterator[Finding]:
        stats = self._indexes.stats
        for group, items in self._groups.items():
            above: dict[int, list[PlanKeyword]] = {}
            below: dict[int, list[PlanKeyword]] = {}
            for item in items:
                bid, number = self._plan.bid_of(item), self._ids[item.id]
                if bid is None or number < 0:
                    continue
                low, high = int(stats.low_bid_micros[number]), int(stats.high_bid_micros[number])
                if high != UNKNOWN and bid > high:
                    above.setdefault(high, []).append(item)
                elif low != UNKNOWN and bid < low:
                    below.setdefault(low, []).append(item)
            for code, found in ((Code.BID_ABOVE_RANGE, above), (Code.BID_BELOW_RANGE, below)):
                if found:
                    fixes: list[dict[str, Any]] = [
                        {"op": "change_keywords", "keywords": _ids(same), "bid_micros": bid}
                        for bid, same in sorted(found.items())
                    ]
                    yield self._about(code, group, [item for same in found.values() for item in same], *fixes)

    def _unfinished(self) -> Iterator[Finding]:
        without_type = [item for item in self._bid_on if item.match_type is None]
        types = self._planner.match_types(self._plan, without_type)
        without_bid = [item for item in self._bid_on if self._plan.bid_of(item) is None]
        bids = self._planner.bids(self._plan, without_bid)
        for group, items in self._groups.items():
            untyped = [item for item in items if item.id in types]
            if untyped:
                by_type: dict[MatchType, list[PlanKeyword]] = {}
                for item in untyped:
                    by_type.setdefault(types[item.id], []).append(item)
                fixes: list[dict[str, Any]] = [
                    {"op": "change_keywords", "keywords": _ids(same), "match_type": kind.value}
                    for kind, same in sorted(by_type.items())
                ]
                yield self._about(Code.NO_MATCH_TYPE, group, untyped, *fixes)
            unbid = [item for item in items if self._plan.bid_of(item) is None]
            if unbid:
                by_bid: dict[int, list[PlanKeyword]] = {}
                for item in unbid:
                    if item.id in bids:
                        by_bid.setdefault(bids[item.id].micros, []).append(item)
                fixes = [
                    {"op": "change_keywords", "keywords": _ids(same), "bid_micros": micros}
                    for micros, same in sorted(by_bid.items())
                ]
                yield self._about(Code.NO_BID, group, unbid, *fixes)

    def _low_volume(self) -> Iterator[Finding]:
        for group, items in self._groups.items():
            few = [item for item in items if item.status is not Status.PAUSED and self._brings_nobody(item)]
            if few:
                fix = {"op": "change_keywords", "keywords": _ids(few), "status": Status.PAUSED.value}
                yield self._about(Code.LOW_VOLUME, group, few, fix, least=round(LEAST_SEARCHES))

    def _brings_nobody(self, item: PlanKeyword) -> bool:
        """By what the imported file counted, else by the searches of the log that the keyword reaches."""
        if (impressions := fact(item, "impressions")) is not None:
            return impressions < 1
        if self._demand(item) >= LEAST_SEARCHES:
            return False
        if item.match_type is MatchType.EXACT:
            return True
        return float(reached(self._indexes, [item], MOST_OF_GROUP).demand.sum()) < LEAST_SEARCHES

    def _demand(self, item: PlanKeyword) -> float:
        number = self._ids[item.id]
        return float(self._indexes.stats.monthly_demand(np.array([number]))[0]) if number >= 0 else 0.0

    def _about(
        self, code: Code, group: int, items: Sequence[PlanKeyword], *fixes: dict[str, Any], **evidence: Any
    ) -> Finding:
        """A finding about some keywords of an ad group."""
        told = {"count": len(items), "keywords": quoted([item.text for item in items]), **evidence}
        return Finding(code, self._plan.ad_groups[group].campaign, group, tuple(_ids(items)), told, tuple(fixes))


def _ids(items: Iterable[PlanKeyword]) -> list[int]:
    return [item.id for item in items]


def _new_name(name: str, taken: set[str]) -> str:
    found, number = name[:190] or "new", 2
    while found in taken:
        found = f"{name[:190]} {number}"
        number += 1
    taken.add(found)
    return found
