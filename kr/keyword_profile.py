"""Everything that a snapshot says of one keyword: numbers, months, devices, regions, variants, and its neighbours."""

from typing import Any

import numpy as np

from indexes.opened import Indexes
from kr.audit.stage import UnsafeKeywordAudit
from kr.keyword_intents import KeywordIntents
from kr.planning.intents import INTENT_NAMES
from kr.row_reasons import ReasonWriter
from kr.rows import RowWriter

MOST_NEIGHBORS = 10
"""Neighbours told of each miner, the strongest first."""
_LOOKED_AT = 3 * MOST_NEIGHBORS
"""Neighbours read of each miner, so that enough are left after the audit."""


class KeywordProfiles:
    """Writes the profiles of one snapshot's keywords."""

    def __init__(
        self,
        indexes: Indexes,
        miners: tuple[str, ...],
        rows: RowWriter,
        reasons: ReasonWriter,
        audit: UnsafeKeywordAudit,
        intents: KeywordIntents,
    ) -> None:
        self._indexes = indexes
        self._miners = miners
        self._rows = rows
        self._reasons = reasons
        self._audit = audit
        self._intents = intents

    def of(self, keyword_id: int) -> dict[str, Any]:
        """One keyword; unknown numbers are None. `counted` says from when to when, and in how many whole months."""
        ids = np.array([keyword_id], np.int32)
        (row,) = self._rows.complete_attributes(ids)
        (intent,) = self._intents.named(ids)
        english, chinese = INTENT_NAMES[intent]
        indexes = self._indexes
        return {
            **row,
            "searches_by_region": self._by_region(keyword_id),
            "intent": {"value": intent.value, "text_en": english, "text_zh": chinese},
            "counted": {
                "method": "counted_in_log",
                "first_date": indexes.window.first_day.isoformat(),
                "last_date": indexes.window.last_day.isoformat(),
                "whole_months": min(12, sum(indexes.complete_months)),
            },
            "neighbors": [neighbor for miner in self._miners for neighbor in self._neighbors(miner, keyword_id)],
        }

    def _by_region(self, keyword_id: int) -> dict[str, int] | None:
        """Searches by region, the most first, without those that have none."""
        regions = self._indexes.regions
        if not regions:
            return None
        counts = self._indexes.stats.searches_by_region[np.array([keyword_id])][0].tolist()
        told = sorted(zip(regions, counts, strict=True), key=lambda item: (-item[1], item[0]))
        return {region: count for region, count in told if count > 0}

    def _neighbors(self, miner: str, keyword_id: int) -> list[dict[str, Any]]:
        found = self._indexes.neighbors.of(np.array([keyword_id]), _LOOKED_AT).get(miner)
        if found is None or not len(found.neighbor):
            return []
        # What is counted with the keyword is told among its close variants.
        group = self._indexes.stats.canonical
        others = group[found.neighbor] != group[keyword_id]
        found = found.take(np.flatnonzero(self._audit.is_shown(found.neighbor) & others))
        found = found.take(np.lexsort((found.neighbor, -found.strength))[:MOST_NEIGHBORS])
        texts = self._indexes.keywords.take(found.neighbor)
        told = self._reasons.of_neighbors(miner, self._indexes.keywords[keyword_id], found.row)
        searches = self._indexes.stats.searches[found.neighbor].tolist()
        strengths = np.round(found.strength.astype(np.float64), 4).tolist()
        return [
            {"miner": miner, "text": text, "searches": count, "strength": strength, "reason": reason}
            for text, count, strength, reason in zip(texts, searches, strengths, told, strict=True)
        ]
