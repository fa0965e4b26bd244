"""The stage that applies marketing rules to a ranked list."""

from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np

from indexes.arrays import Array
from indexes.keyword_stats import LANGUAGES
from indexes.opened import Indexes
from kr.marketing.rules import Rule
from kr.pipeline import Pipeline
from kr.rank.order import Order
from kr.reasons import Removal
from kr.retrieval.filters import monthly_demand
from kr.types import Candidates, Request, StageResult


class MarketingRules:
    """Applies the rules that hold now, in their order; adds `rules` uint64, a bit for each rule that touched the row.

    Of a removed row it is the bit of the rule that removed it, alone.

    Boosts and buries change `score` and, where the caller asked for the platform's rank, the order; pins put a keyword
    that is among the candidates at its place; a caller who sorts by a column gets that order, without pins. Blocks,
    floors and quotas always hold.
    """

    name = "marketing_rules"
    needs: Sequence[str] = ("score", "relevance")
    adds: Sequence[str] = ("rules",)

    def __init__(
        self,
        indexes: Indexes,
        rules: Sequence[Rule],
        source_names: Sequence[str],
        order: Order,
        now: Callable[[], datetime],
    ) -> None:
        self._indexes = indexes
        self._rules = tuple(rules)
        self._source_names = tuple(source_names)
        self._source_bits = {name: np.uint32(1 << bit) for bit, name in enumerate(source_names)}
        self._order = order
        self._now = now

    def with_rules(self, rules: Sequence[Rule]) -> "MarketingRules":
        """The same stage with other rules."""
        return MarketingRules(self._indexes, rules, self._source_names, self._order, self._now)

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        touched = np.zeros(len(candidates), np.uint64)
        now = self._now()
        active = [(bit, rule) for bit, rule in enumerate(self._rules) if rule.holds(now, request.seeds)]
        if not active or not len(candidates):
            return StageResult.keeping_all(candidates.with_columns(rules=touched))
        score = candidates["score"].copy()
        codes = np.zeros(len(candidates), np.int16)
        pins: list[tuple[int, Array]] = []
        quotas: list[tuple[int, Rule]] = []
        for bit, rule in active:
            rows = self._matching(rule, candidates.keyword_id)
            mark = np.uint64(1 << bit)
            if rule.action in ("boost", "bury"):
                score[rows] *= rule.factor
                touched[rows & (codes == 0)] |= mark
            elif rule.action == "block":
                self._remove(rows, Removal.RULE_BLOCK, mark, codes, touched)
            elif rule.action == "floor":
                low = ~(self._attribute(rule, candidates) >= rule.least)
                self._remove(rows & low, Removal.RULE_FLOOR, mark, codes, touched)
            elif rule.action == "pin":
                if request.sort == "rank":
                    touched[rows & (codes == 0)] |= mark
                    pins.append((rule.position or 1, candidates.keyword_id[rows]))
            else:
                quotas.append((bit, rule))
        candidates = candidates.with_columns(score=score, rules=touched, removal=codes)
        ordered = self._order.run(request, candidates).kept
        # Places are counted in the list that is shown: what is removed takes none.
        shown, gone = _pinned(ordered.take(ordered["removal"] == 0), pins), [ordered.take(ordered["removal"] != 0)]
        for bit, rule in quotas:
            over = self._over_quota(rule, shown)
            codes, touched = shown["removal"].copy(), shown["rules"].copy()
            self._remove(over, Removal.RULE_QUOTA, np.uint64(1 << bit), codes, touched)
            shown = shown.with_columns(rules=touched, removal=codes)
            gone.append(shown.take(over))
            shown = _pinned(shown.take(~over), pins)
        removed = _joined(gone)
        return StageResult(_without_removal(shown), _without_removal(removed), removed["removal"])

    @staticmethod
    def _remove(rows: Array, code: Removal, mark: np.uint64, codes: Array, touched: Array) -> None:
        """Mark the rows as removed by one rule, unless an earlier one has removed them."""
        gone = rows & (codes == 0)
        codes[gone] = code
        touched[gone] = mark

    def _matching(self, rule: Rule, ids: Array) -> Array:
        match = rule.keywords
        rows = np.ones(len(ids), bool)
        if match.equals or match.contains:
            texts = self._indexes.keywords.take(ids)
            if match.equals:
                wanted = frozenset(match.equals)
                rows &= np.fromiter((text in wanted for text in texts), bool, len(texts))
            if match.contains:
                holds = (any(part in text for part in match.contains) for text in texts)
                rows &= np.fromiter(holds, bool, len(texts))
        if match.languages:
            languages = [LANGUAGES.index(name) for name in match.languages]
            rows &= np.isin(self._indexes.stats.language[ids], languages)
        return rows

    def _attribute(self, rule: Rule, candidates: Candidates) -> Array:
        ids, stats = candidates.keyword_id, self._indexes.stats
        if rule.attribute == "relevance":
            return candidates["relevance"]
        if rule.attribute == "competition":
            return stats.competition_index[ids]
        if rule.attribute == "bid":
            return np.where(stats.high_bid_micros[ids] < 0, np.nan, stats.high_bid_micros[ids])
        return stats.users[ids] if rule.attribute == "users" else monthly_demand(self._indexes, ids)

    def _over_quota(self, rule: Rule, shown: Candidates) -> Array:
        """Rows after the first `most` that only the rule's source found."""
        only = (shown.source_mask == self._source_bits[rule.source or ""]) & self._matching(rule, shown.keyword_id)
        return only & (np.cumsum(only) > (rule.most or 0))


def _pinned(shown: Candidates, pins: Sequence[tuple[int, Array]]) -> Candidates:
    """The list with pinned keywords moved to their places, places counted from 1, the lowest place first.

    Of two rules that pin to one place the earlier gets it, and the later the one below.
    """
    rows = list(range(len(shown)))
    row_of = {keyword_id: row for row, keyword_id in enumerate(shown.keyword_id.tolist())}
    by_place = sorted(enumerate(pins), key=lambda item: (item[1][0], -item[0]))
    for _, (position, ids) in by_place:
        there = [row_of[keyword_id] for keyword_id in ids.tolist() if keyword_id in row_of]
        for shift, row in enumerate(there):
            rows.remove(row)
            rows.insert(position - 1 + shift, row)
    return shown.take(np.array(rows, np.int64))


def _joined(batches: Sequence[Candidates]) -> Candidates:
    """Batches with the same columns, one after the other."""
    return Candidates(
        np.concatenate([batch.keyword_id for batch in batches]),
        np.concatenate([batch.source_mask for batch in batches]),
        {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0].columns},
    )


def _without_removal(candidates: Candidates) -> Candidates:
    columns = {name: column for name, column in candidates.columns.items() if name != "removal"}
    return Candidates(candidates.keyword_id, candidates.source_mask, columns)


def with_rules(pipeline: Pipeline, rules: Sequence[Rule]) -> Pipeline:
    """The same pipeline with other rules."""
    stages = (stage.with_rules(rules) if isinstance(stage, MarketingRules) else stage for stage in pipeline.stages)
    return Pipeline(pipeline.sources, tuple(stages))
