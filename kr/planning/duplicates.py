"""Which rows say the same as an earlier one: the same keyword in the same group with the same match type."""

import hashlib
from array import array

from indexes.text import normalise
from kr.planning.plan_row import PlanRow

_SMALLEST = 1024


class SeenRows:
    """A set of rows by 64-bit digests, 8 to 32 bytes a row whatever its length.

    Two different rows among a million share a digest with a probability of 3 in 100 million; that would mark a row as
    a duplicate, not lose it.
    """

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * _SMALLEST))
        self._count = 0

    def add(self, row: PlanRow) -> bool:
        """Remember a row; whether it was there already."""
        identity = "\x1f".join(
            (row.campaign, row.ad_group, normalise(row.keyword), row.match_type or "", "-" if row.negative else "")
        )
        digest = int.from_bytes(hashlib.blake2b(identity.encode(), digest_size=8).digest(), "little") or 1
        slots = self._slots
        place = self._place(slots, digest)
        if slots[place] == digest:
            return True
        slots[place] = digest
        self._count += 1
        if 2 * self._count > len(slots):
            self._grow()
        return False

    @staticmethod
    def _place(slots: "array[int]", digest: int) -> int:
        """Where a digest is, or would go."""
        last = len(slots) - 1
        place = digest & last
        while slots[place] and slots[place] != digest:
            place = (place + 1) & last
        return place

    def _grow(self) -> None:
        larger = array("Q", bytes(16 * len(self._slots)))
        for digest in self._slots:
            if digest:
                larger[self._place(larger, digest)] = digest
        self._slots = larger
