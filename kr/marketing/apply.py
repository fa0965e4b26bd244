"""The stage that applies marketing rules to a ranked list."""

from collections.abc import Callable, Sequence
from datetime import date

import numpy as np

from indexes.arrays import Array
from indexes.keyword_stats import LANGUAGES
from indexes.opened import Indexes
from kr.marketing.rules import Rule
from kr.rank.order import Order
from kr.reasons import Removal
from kr.retrieval.filters import monthly_demand
from kr.types import Candidates, Request, StageResult


class MarketingRules:
    """Applies the rules that hold today, in their order; adds `rules` uint64, a bit for each rule that touched the row.

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
        today: Callable[[], date],
    ) -> None:
        self._indexes = indexes
        self._rules = tuple(rules)
        self._source_bits = {name: np.uint32(1 << bit) for bit, name in enumerate(source_names)}
        self._order = order
        self._today = today

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        touched = np.zeros(len(candidates), np.uint64)
        day = self._today()
        active = [(bit, rule) for bit, rule in enumerate(self._rules) if rule.holds(day, request.seeds)]
        if not active or not len(candidates):
            return StageResult.keeping_all(candidates.with_columns(rules=touched))
        score = candidates["score"].copy()
        codes = np.zeros(len(candidates), np.int16)
        pins: list[tuple[int, Array]] = []
        quotas: list[tuple[int, Rule, Array]] = []
        for bit, rule in active:
            rows = self._matching(rule, candidates.keyword_id)
            mark = np.uint64(1 << bit)
            if rule.action in ("boost", "bury"):
                score[rows] *= rule.factor
                touched[rows] |= mark
            elif rule.action == "block":
                codes[rows & (codes == 0)] = Removal.RULE_BLOCK
            elif rule.action == "floor":
                low = ~(self._attribute(rule, candidates) >= rule.least)
                codes[rows & low & (codes == 0)] = Removal.RULE_FLOOR
            elif rule.action == "pin":
                touched[rows] |= mark
                pins.append((rule.position or 1, candidates.keyword_id[rows]))
            else:
                quotas.append((bit, rule, rows))
        candidates = candidates.with_columns(score=score, rules=touched, removal=codes)
        ordered = self._order.run(request, candidates).kept
        if request.sort == "rank":
            ordered = _pinned(ordered, pins)
        codes = ordered["removal"].copy()
        for _, rule, _ in quotas:
            over = self._over_quota(rule, ordered, codes)
            codes[over] = Removal.RULE_QUOTA
        columns = {name: column for name, column in ordered.columns.items() if name != "removal"}
        ordered = Candidates(ordered.keyword_id, ordered.source_mask, columns)
        return StageResult.split(ordered, codes == 0, codes)

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

    def _over_quota(self, rule: Rule, ordered: Candidates, codes: Array) -> Array:
        """Rows after the first `most` that only the rule's source found and that are still in the list."""
        only = (ordered.source_mask == self._source_bits[rule.source or ""]) & (codes == 0)
        only &= self._matching(rule, ordered.keyword_id)
        return only & (np.cumsum(only) > (rule.most or 0))


def _pinned(ordered: Candidates, pins: Sequence[tuple[int, Array]]) -> Candidates:
    """The list with pinned keywords moved to their places, places counted from 1, the lowest place first."""
    rows = list(range(len(ordered)))
    row_of = {keyword_id: row for row, keyword_id in enumerate(ordered.keyword_id.tolist())}
    for position, ids in sorted(pins, key=lambda pin: pin[0]):
        for shift, keyword_id in enumerate(ids.tolist()):
            rows.remove(row_of[keyword_id])
            rows.insert(position - 1 + shift, row_of[keyword_id])
    return ordered.take(np.array(rows, np.int64))
