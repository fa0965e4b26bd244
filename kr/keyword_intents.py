"""The intents (`kr.planning.intents`) of a snapshot's keywords by id, each found once."""

import numpy as np

from indexes.arrays import Array
from indexes.opened import Indexes
from kr.planning.intents import Intent, IntentReader

INTENTS: tuple[Intent, ...] = tuple(Intent)
"""Intents by the numbers that stand for them in columns."""
_CODES = {intent: code for code, intent in enumerate(INTENTS)}


class KeywordIntents:
    """Intents as they are asked for; a byte a keyword. Threads may fill the same rows at once, with the same values."""

    def __init__(self, indexes: Indexes) -> None:
        self._keywords = indexes.keywords
        self._reader = IntentReader(indexes)
        # 0 is not known yet, so that nothing is touched before it is asked for.
        self._known = np.zeros(len(indexes.keywords), np.uint8)

    def of(self, keyword_ids: Array) -> Array:
        """Positions in INTENTS, uint8 (n,)."""
        missing = keyword_ids[self._known[keyword_ids] == 0]
        if len(missing):
            found = self._reader.intents(self._keywords.take(missing))
            self._known[missing] = [_CODES[intent] + 1 for intent in found]
        return self._known[keyword_ids] - np.uint8(1)

    def named(self, keyword_ids: Array) -> list[Intent]:
        """The same as intents."""
        return [INTENTS[code] for code in self.of(keyword_ids).tolist()]
