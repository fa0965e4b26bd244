"""The stage that keeps to searches of several people: what one person typed is nobody else's to read."""

from collections.abc import Sequence

from indexes.opened import Indexes
from kr.reasons import Removal
from kr.types import Candidates, Request, StageResult


class EnoughUsers:
    """Removes keywords that fewer users than the minimum have searched; most misspellings go with them."""

    name = "enough_users"
    needs: Sequence[str] = ()
    adds: Sequence[str] = ()

    def __init__(self, indexes: Indexes, min_users: int) -> None:
        self._users = indexes.stats.users
        self._min_users = min_users

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        enough = self._users[candidates.keyword_id] >= self._min_users
        return StageResult.split(candidates, enough, Removal.TOO_FEW_USERS)
