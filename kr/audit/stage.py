"""The audit: no unsafe keyword is shown, by the lists in force now, not only by those of the day of the build."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from indexes.arrays import Array
from indexes.errors import TryAgainError
from indexes.opened import Indexes
from indexes.unsafe_terms import CATEGORIES, UnsafeTerms
from kr.audit.lexicons import LexiconsInForce
from kr.reasons import Removal
from kr.types import Candidates, Request, StageResult

ADULT_PARAMETER = "adult"
"""Request parameter: 1 shows lawful goods for adults (category porn, severity 1), 0 or none removes them."""

_ADULT_CATEGORY = 1 << CATEGORIES.index("porn")
_ADULT_SEVERITY = 1
_CODES = {
    "porn": Removal.UNSAFE_PORN,
    "gambling": Removal.UNSAFE_GAMBLING,
    "drugs": Removal.UNSAFE_DRUGS,
    "weapons": Removal.UNSAFE_WEAPONS,
}


class UnsafeKeywordAudit:
    """Removes keywords that an unsafe term is found in, from a severity on.

    The snapshot's own audit is read where it was made by the lexicons in force; otherwise the candidates are scanned
    again, each once. While the lexicons cannot be read, every candidate is removed.
    """

    name = "audit"
    needs: Sequence[str] = ()
    adds: Sequence[str] = ()

    def __init__(self, indexes: Indexes, lexicons: LexiconsInForce, severity: int) -> None:
        self._indexes = indexes
        self._lexicons = lexicons
        self._severity = severity
        self._rescanned: _Rescanned | None = None

    @staticmethod
    def open(indexes: Indexes, lexicons: Sequence[Path], severity: int) -> "UnsafeKeywordAudit":
        """Audit by KR's lexicons and those at the paths. Raises UsageError if one is missing or has a mistake."""
        return UnsafeKeywordAudit(indexes, LexiconsInForce(lexicons), severity)

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        """Keep the safe rows; the others go with the code of their category."""
        try:
            terms = self._lexicons.terms()
        except TryAgainError:
            return StageResult.split(candidates, np.zeros(len(candidates), bool), Removal.AUDIT_UNAVAILABLE)
        masks, severities = self._audit(terms, candidates.keyword_id)
        keep = ~self._is_unsafe(masks, severities, shows_adult(request))
        if keep.all():
            return StageResult.keeping_all(candidates)
        codes = np.full(len(candidates), Removal.UNSAFE_OTHER, np.int16)
        for place, category in reversed(list(enumerate(terms.categories))):
            codes[masks >> place & 1 == 1] = _CODES.get(category, Removal.UNSAFE_OTHER)
        return StageResult.split(candidates, keep, codes)

    def is_shown(self, keyword_ids: Array, adult: bool = False) -> Array:
        """Where a keyword may be shown, bool (n,): for lists of keywords that don't go through the pipeline.

        Raises TryAgainError while the lexicons cannot be read.
        """
        masks, severities = self._audit(self._lexicons.terms(), keyword_ids)
        return ~self._is_unsafe(masks, severities, adult)

    def unsafe_categories_of(self, text: str, adult: bool = False) -> tuple[str, ...]:
        """The categories for which a query, or any other text, may not be shown; empty if it is safe.

        Raises TryAgainError while the lexicons cannot be read.
        """
        terms = self._lexicons.terms()
        masks, severities = terms.scan([text])
        return terms.category_names(int(masks[0])) if self._is_unsafe(masks, severities, adult)[0] else ()

    @property
    def problem(self) -> str | None:
        """Why nothing can be shown, for the operator; None if all is well."""
        return self._lexicons.problem

    def _is_unsafe(self, masks: Array, severities: Array, adult: bool) -> Array:
        unsafe = (severities >= self._severity) & (masks != 0)
        if adult:
            unsafe &= (masks != _ADULT_CATEGORY) | (severities > _ADULT_SEVERITY)
        return unsafe

    def _audit(self, terms: UnsafeTerms, keyword_ids: Array) -> tuple[Array, Array]:
        if terms.sha256 == self._indexes.lexicons_sha256:
            return self._indexes.unsafe_categories[keyword_ids], self._indexes.unsafe_severity[keyword_ids]
        rescanned = self._rescanned
        if rescanned is None or rescanned.terms is not terms:
            rescanned = self._rescanned = _Rescanned(self._indexes, terms)
        return rescanned.audit(keyword_ids)


def shows_adult(request: Request) -> bool:
    """Whether the request asks for lawful goods for adults too."""
    return request.parameters.get(ADULT_PARAMETER, 0) >= 1


class _Rescanned:
    """The audit of the snapshot's keywords by newer lexicons, filled in as keywords are asked for.

    Threads may fill the same rows at once: they write the same values, and `_known` last.
    """

    def __init__(self, indexes: Indexes, terms: UnsafeTerms) -> None:
        count = len(indexes.unsafe_severity)
        self.terms = terms
        self._keywords = indexes.keywords
        self._masks = np.zeros(count, np.uint32)
        self._severities = np.zeros(count, np.uint8)
        self._known = np.zeros(count, bool)

    def audit(self, keyword_ids: Array) -> tuple[Array, Array]:
        unknown = keyword_ids[~self._known[keyword_ids]]
        if len(unknown):
            masks, severities = self.terms.scan(self._keywords.take(unknown))
            self._masks[unknown] = masks
            self._severities[unknown] = severities
            self._known[unknown] = True
        return self._masks[keyword_ids], self._severities[keyword_ids]
